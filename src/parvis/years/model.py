"""What a year was."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Stage = Literal["available", "generating", "eligible", "ineligible"]
Archetype = Literal["lurker", "booster", "pollster", "replier", "oracle"]


class Month(msgspec.Struct, frozen=True):
    """What somebody did in one month, and how many began to follow them."""

    month: int
    posts: int
    replies: int
    reblogs: int
    polls: int
    followers: int


class Hashtag(msgspec.Struct, frozen=True):
    """How often somebody used a hashtag."""

    name: str
    count: int


class Report(msgspec.Struct, frozen=True):
    """A year of somebody's; without data it is still being made."""

    year: int
    data: dict[str, Any] | None


class YearAsked(msgspec.Struct, frozen=True):
    """Somebody asks to look back on a year of theirs."""

    account: int
    year: int
