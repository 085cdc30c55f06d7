"""What happens between servers that is worth an event."""

from __future__ import annotations

import msgspec

UNKNOWN_DROPPED = frozenset(("Delete", "Move", "Update"))
"""What nobody whom we have met said concerns nothing here: no question is asked because of it."""


class KeyDoubted(msgspec.Struct, frozen=True):
    """A request came that does not fit the key we know of its actor: perhaps the actor has a new one."""

    actor: str


class ProfileMet(msgspec.Struct, frozen=True):
    """Somebody of another server is known here from now on."""

    account: int


class ThreadWanted(msgspec.Struct, frozen=True):
    """Somebody reads a conversation that is at home elsewhere: there may be replies that nobody sent us."""

    status: int


class FollowersDiffer(msgspec.Struct, frozen=True):
    """Another server counts other people of this city among somebody's followers than we do; both digests."""

    account: int
    url: str
    listed: str
    known: str
    mark: int


class RelayWanted(msgspec.Struct, frozen=True):
    """The operator wants a relay to pass open posts on."""

    relay: int


class RelayPassed(msgspec.Struct, frozen=True):
    """A relay says that there is a post."""

    status: str


class Refresh(msgspec.Struct, frozen=True):
    """How far the completing of a conversation has come; `fresh`: it was wanted just now."""

    fresh: bool
    running: bool
    found: int
