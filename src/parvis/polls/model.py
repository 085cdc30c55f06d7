"""What a poll is, and what can happen to it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Poll(msgspec.Struct, frozen=True):
    """A question that a post asks."""

    id: int
    status_id: int
    account_id: int
    local: bool
    multiple: bool
    hide_totals: bool
    expires_at: datetime | None
    fetched_at: datetime

    def ended(self, now: datetime) -> bool:
        """Is it too late to vote?"""
        return self.expires_at is not None and self.expires_at <= now


class Option(msgspec.Struct, frozen=True):
    """One of the answers, and how often it was chosen up to this moment."""

    choice: int
    title: str
    votes: int


class Cast(msgspec.Struct, frozen=True):
    """A vote: its id, and what was chosen."""

    id: int
    choice: int
    title: str


class PollWish(msgspec.Struct, frozen=True, kw_only=True):
    """A poll as somebody here asks for it."""

    options: list[str] = []
    expires_in: int | None = None
    multiple: bool = False
    hide_totals: bool = False


class NewPoll(msgspec.Struct, frozen=True, kw_only=True):
    """A poll about to be asked. One of another server brings its counts along."""

    options: tuple[str, ...]
    multiple: bool = False
    hide_totals: bool = False
    expires_at: datetime | None = None
    votes: tuple[int, ...] = ()
    voters: int | None = 0


class PollVoted(msgspec.Struct, frozen=True):
    """Someone voted; `votes` are the ids of what they chose now."""

    poll: int
    status: int
    author: int
    by: int
    votes: tuple[int, ...]


class PollTallied(msgspec.Struct, frozen=True):
    """There are new votes in a poll of this city that other servers are to be told of; `mark` is the moment."""

    poll: int
    status: int
    account: int
    mark: int


class PollEnded(msgspec.Struct, frozen=True):
    """Nobody can vote any more."""

    poll: int
    status: int
    account: int
    mark: int
