"""What a decision about a server does to people here."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from parvis.peers.model import Severity


class Preview(msgspec.Struct, frozen=True):
    """What stands between a server, with all below its domain, and this city; `people` of it follow or are followed."""

    following: int
    followers: int
    requests: int
    people: int
    accounts: int
    statuses: int
    media: int


class Review(msgspec.Struct, frozen=True):
    """A decision about a server that is to be looked at again."""

    block_id: int
    domain: str
    level: int
    facts: str
    decided_at: datetime
    review_at: datetime


class ReviewDue(msgspec.Struct, frozen=True):
    """The day has come on which a decision about a server is looked at again; a moderator is to be reminded."""

    decision: int
    moderator: int


class Entry(msgspec.Struct, frozen=True):
    """What a shared list says of a server."""

    domain: str
    severity: Severity
    reject_media: bool
    reject_reports: bool
    comment: str


class SharedList(msgspec.Struct, frozen=True):
    """A list of servers that others keep; without an address it was handed in, without an account by the operator."""

    id: int
    name: str
    url: str | None
    account_id: int | None
    created_at: datetime
    read_at: datetime | None
    failed: str | None
    proposals: int


class DomainProposal(msgspec.Struct, frozen=True):
    """What a list proposes to decide about a server, and what is decided about it now."""

    id: int
    list_id: int
    list_name: str
    domain: str
    severity: Literal["noop", "silence", "suspend", "lift"]
    reject_media: bool
    reject_reports: bool
    comment: str
    proposed_at: datetime
    standing: Severity | None
    block_id: int | None
