"""What a decision about a server does to people here."""

from __future__ import annotations

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
