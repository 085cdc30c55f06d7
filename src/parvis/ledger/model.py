"""What the public record holds, and the mandate under which anyone uses power over others."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec


class Article(msgspec.Struct, frozen=True, tag="article"):
    """Ground of a decision: one version of one article of the charter."""

    version_id: int


class Order(msgspec.Struct, frozen=True, tag="order"):
    """Ground of a decision: what the law or an authority orders (DSA article 9)."""

    authority: str
    reference: str
    text: str


Ground = Article | Order


class Mandate(msgspec.Struct, frozen=True):
    """Power over others: which, on what ground, and who holds it. Only charter and moderation make one."""

    power: Literal["decide", "promulgate"]
    ground: Ground
    holder: int


class Leaf(msgspec.Struct, frozen=True):
    """A leaf as it is hashed: the tree holds sha256(salt + data), never the words."""

    index: int
    data: bytes
    salt: bytes
    leaf_hash: bytes


class Numbered(msgspec.Struct, frozen=True):
    """A leaf that has just been given its place."""

    index: int
    leaf_hash: bytes


class Node(msgspec.Struct, frozen=True):
    """The hash of a complete subtree."""

    level: int
    index: int
    hash: bytes


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of the tree at a size, with the city's signature."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


class Entry(msgspec.Struct, frozen=True):
    """A public entry as anyone may read it."""

    index: int
    kind: str
    decided_at: datetime
    entry: dict[str, Any]
    leaf_hash: str
    salt: str
    signed: bool


class Inclusion(msgspec.Struct, frozen=True):
    """That a leaf is in the tree of a signed checkpoint: the path of RFC 6962 section 2.1.1, nearest first."""

    index: int
    size: int
    leaf_hash: bytes
    proof: list[bytes]
    root: bytes
