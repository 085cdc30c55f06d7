"""When one can look back on a year, and what it was like. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from parvis.years.model import Archetype, Hashtag, Month

# The days on which apps offer to look back, as Mastodon's do: from the tenth of December to the end of the year.
FIRST = (12, 10)
SCHEMA = 2  # of Mastodon 4.6: the first one also compared people with each other
A_FEW = 12
OFTEN = 10


def season(now: datetime) -> int | None:
    """The year that apps offer to look back on at this moment; mostly there is none."""
    return now.year if (now.month, now.day) >= FIRST else None


def may_look_back(year: int, now: datetime) -> bool:
    """A year can be looked back on from its season on, and for as long as one likes."""
    return year >= 1 and (year, *FIRST) <= (now.year, now.month, now.day)


def archetype(months: Sequence[Month]) -> Archetype:
    """A playful name for what somebody did most, from their own posts alone.

    Less than one a month in all is reading along; more than half of all makes a name;
    so do polls in a tenth of the new posts.
    """
    posts, replies, reblogs, polls = (
        sum(counts) for counts in zip(*((m.posts, m.replies, m.reblogs, m.polls) for m in months), strict=True)
    )
    every = posts + replies + reblogs
    if every < A_FEW:
        return "lurker"
    if reblogs * 2 > every:
        return "booster"
    if polls and polls * OFTEN >= posts:
        return "pollster"
    return "replier" if replies * 2 > every else "oracle"


def written(months: Sequence[Month], most_passed_on: int | None, tag: Hashtag | None) -> dict[str, Any]:
    """A year as it is kept, in the form of Mastodon's second schema."""
    return {
        "archetype": archetype(months),
        "time_series": [
            {"month": one.month, "statuses": one.posts + one.replies + one.reblogs, "followers": one.followers}
            for one in months
        ],
        "top_hashtags": [{"name": tag.name, "count": tag.count}] if tag else [],
        "top_statuses": {
            "by_reblogs": None if most_passed_on is None else str(most_passed_on), "by_favourites": None,
            "by_replies": None,
        },
    }
