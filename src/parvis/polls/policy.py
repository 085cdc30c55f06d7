"""What a poll may ask, and who may answer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from parvis.base.errors import Invalid
from parvis.polls.model import NewPoll, Poll, PollWish

OPTIONS = 4
CHARACTERS = 50
SHORTEST = 300
LONGEST = 2_629_746


def asked(wish: PollWish, now: datetime) -> NewPoll:
    """A poll has two to four different short answers, and is open for five minutes to a month."""
    options = tuple(title for title in (one.strip() for one in wish.options) if title)
    if len(options) < 2:
        raise Invalid("poll_options", "too_few")
    if len(options) > OPTIONS:
        raise Invalid("poll_options", "too_many", limit=OPTIONS)
    if any(len(title) > CHARACTERS for title in options):
        raise Invalid("poll_options", "too_long", limit=CHARACTERS)
    if len(set(options)) < len(options):
        raise Invalid("poll_options", "duplicate")
    if wish.expires_in is None or not SHORTEST <= wish.expires_in <= LONGEST:
        raise Invalid("poll_expires_in", "out_of_range", least=SHORTEST, most=LONGEST)
    return NewPoll(
        options=options, multiple=wish.multiple, hide_totals=wish.hide_totals,
        expires_at=now + timedelta(seconds=wish.expires_in),
    )


def new_choices(poll: Poll, options: int, by: int, wished: Sequence[int], already: Collection[int]) -> list[int]:
    """The choices that are added to those already made, or Invalid.

    In a poll with one answer the first stands. A second choice elsewhere in one with several arrives by itself.
    """
    if poll.account_id == by:
        raise Invalid("poll", "own_poll")
    chosen = sorted(set(wished))
    if not chosen or not all(0 <= choice < options for choice in chosen):
        raise Invalid("choices", "invalid")
    if not poll.multiple and len(chosen) > 1:
        raise Invalid("choices", "too_many", limit=1)
    if already and (not poll.multiple or set(chosen) <= set(already)):
        raise Invalid("poll", "already_voted")
    return [choice for choice in chosen if choice not in already]


def may_vote(poll: Poll, now: datetime) -> None:
    """After its end nobody votes."""
    if poll.ended(now):
        raise Invalid("poll", "ended")
