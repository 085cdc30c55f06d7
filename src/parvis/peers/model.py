"""Servers that are welcome, and servers that are not."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Severity = Literal["noop", "silence", "suspend"]
Way = Literal["cavage", "rfc9421"]
"""The two ways to sign a request: draft-cavage-http-signatures-12 and RFC 9421."""


class CameBack(msgspec.Struct, frozen=True):
    """A server that was away is there again."""

    domain: str


class Allow(msgspec.Struct, frozen=True):
    """A server that is welcome."""

    id: int
    domain: str
    created_at: datetime


class Kept(msgspec.Struct, frozen=True):
    """A server that a measure in force keeps out, or limits."""

    domain: str
    severity: str
    comment: str | None
    obfuscate: bool
    review_at: datetime


class DomainBlock(msgspec.Struct, frozen=True):
    """A block of a server by its newest decision that is in force or waits to be."""

    id: int
    decision_id: int
    domain: str
    severity: Severity
    level: int
    reject_media: bool
    reject_reports: bool
    article_version_id: int | None
    legal_order_id: int | None
    facts: str
    ends_at: datetime | None
    review_at: datetime
    decided_at: datetime
    in_effect_since: datetime | None
    private_comment: str | None
    public_comment: str | None
    obfuscate: bool
