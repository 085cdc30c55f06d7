"""What is counted, and what is made of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

Kind = Literal["tag", "link", "status"]
Reviewed = Literal["tag", "link", "status", "publisher"]
Activity = Literal["registration", "sign_in"]


class Tally(msgspec.Struct, frozen=True):
    """How many people spoke of a thing, and how often, so many hours ago; language '' for all together."""

    thing_id: int
    language: str
    hours: float
    accounts: int
    uses: int
    author_id: int = 0


class Place(msgspec.Struct, frozen=True):
    """Where a thing stands in a ranking, from 1 on."""

    thing_id: int
    language: str
    score: float
    rank: int


class Review(msgspec.Struct, frozen=True):
    """A choice of what the city promotes: by whom and when."""

    id: int
    kind: Reviewed
    thing_id: int
    approved: bool
    account_id: int
    username: str
    created_at: datetime
    name: str | None


class Week(msgspec.Struct, frozen=True):
    """How busy the city was in the week that began on a day."""

    begins: date
    posts: int
    sign_ins: int
    registrations: int


class Count(msgspec.Struct, frozen=True):
    """How many on a day, in the period that is looked at or the one before; without a day, in all of it."""

    present: bool
    day: date | None
    value: int


class Share(msgspec.Struct, frozen=True):
    """How many have something in common."""

    key: str
    name: str
    value: int


class Stay(msgspec.Struct, frozen=True):
    """Of those who came in one period, how many wrote in another."""

    came: date
    period: date
    people: int
    active: int
