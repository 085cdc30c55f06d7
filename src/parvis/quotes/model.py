"""What a quote is, and what can happen to it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Literal

import msgspec

from parvis.statuses.model import Status

QuotePolicy = Literal["public", "followers", "nobody"]
Answer = Literal["automatic", "manual", "denied", "unknown"]


class State(Enum):
    """How the quoted author stands to a quote."""

    pending = "pending"
    accepted = "accepted"
    rejected = "rejected"
    revoked = "revoked"
    deleted = "deleted"
    unauthorized = "unauthorized"


class Step(Enum):
    """What is done to a quote."""

    accept = "accept"
    reject = "reject"
    revoke = "revoke"
    delete = "delete"
    doubt = "doubt"


class Quote(msgspec.Struct, frozen=True):
    """That one post quotes another."""

    status_id: int
    account_id: int
    quoted_id: int | None
    quoted_account_id: int | None
    quoted_uri: str
    state: str
    request_uri: str | None
    approval_uri: str | None
    created_at: datetime


class Quoting(msgspec.Struct, frozen=True, kw_only=True):
    """What a post of another server says it quotes; `approval` is where the quoted author's agreement was verified."""

    uri: str
    quoted: Status | None
    approval: str | None = None
    legacy: bool = False


class Asker(msgspec.Struct, frozen=True):
    """Somebody who may want to quote: do they follow the author, does the author follow them?"""

    follows: bool
    followed: bool


class Grant(msgspec.Struct, frozen=True):
    """An agreement as it is shown to other servers: by which post which one is quoted."""

    uri: str
    quoting: str
    quoted: str


class QuoteRequested(msgspec.Struct, frozen=True):
    """Somebody here quotes a post of another server, whose author must be asked."""

    status: int
    account: int


class QuoteAccepted(msgspec.Struct, frozen=True):
    """A quote may be shown; `waited` when it was made before its author agreed."""

    status: int
    quoted: int
    author: int
    by: int
    waited: bool


class QuoteRefused(msgspec.Struct, frozen=True):
    """Somebody elsewhere asked to quote a post from here, and may not."""

    request: str
    by: int
    author: int
    quoted_uri: str
    instrument: str


class QuoteRevoked(msgspec.Struct, frozen=True):
    """The quoted author agrees no more."""

    status: int
    quoted: int
    author: int
    by: int
    approval: str | None
