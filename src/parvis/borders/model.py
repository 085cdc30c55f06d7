"""What a decision about a server does to people here."""

from __future__ import annotations

from datetime import datetime

import msgspec


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
