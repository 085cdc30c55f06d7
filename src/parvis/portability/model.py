"""What somebody brings along."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal["following", "lists", "mutes", "blocks", "domain_blocks", "bookmarks"]
Mode = Literal["merge", "overwrite"]


class Import(msgspec.Struct, frozen=True):
    """A file that is worked through, and how far that is."""

    id: int
    account_id: int
    kind: Kind
    mode: Mode
    created_at: datetime
    finished_at: datetime | None
    total: int
    done: int
    failed: int


class Waiting(msgspec.Struct, frozen=True):
    """A row that waits for its turn."""

    import_id: int
    account_id: int
    kind: Kind
    place: int
    row: list[str]


class Failure(msgspec.Struct, frozen=True):
    """A row that could not be done, and why."""

    row: list[str]
    problem: str
