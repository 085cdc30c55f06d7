"""Rules, what they are shown, what they see, and posts that are kept back."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum, IntEnum, StrEnum
from typing import Any

import msgspec


class Rule(StrEnum):
    """What is looked for. The last three are floods: each has bounds of its own and no weight."""

    young = "young"
    strangers = "strangers"
    names = "names"
    links = "links"
    alike = "alike"
    burst = "burst"
    naming = "naming"
    follows = "follows"
    arrivals = "arrivals"


class Mode(IntEnum):
    """What becomes of it when a rule sees something."""

    off = 0
    counted = 1
    acts = 2


class State(StrEnum):
    """Where a post stands that was kept back."""

    held = "held"
    released = "released"
    lapsed = "lapsed"
    confirmed = "confirmed"


class Step(Enum):
    """What moves it on."""

    release = "release"
    lapse = "lapse"
    confirm = "confirm"
    overturn = "overturn"


class Before(msgspec.Struct, frozen=True):
    """Whom a post named and what it said before an edit."""

    named: frozenset[int] = frozenset()
    content: str = ""


class Sample(msgspec.Struct, frozen=True):
    """What can be said of a post without a look: whom it names, where it leads, and the traces of its words."""

    named: tuple[int, ...] = ()
    domains: tuple[str, ...] = ()
    traces: tuple[int, ...] = ()
    bands: tuple[int, ...] = ()
    settled: bool = False


class Facts(msgspec.Struct, frozen=True):
    """What one look tells of a post and its author; `terms` are the charter's numbers, or else what is only counted."""

    terms: dict[str, Any]
    ground: int | None
    moderator: bool
    young: bool
    posts: int
    named: int
    strangers: int
    alike: int
    links: int


class Signal(msgspec.Struct, frozen=True):
    """A rule saw something: how much of it, how much that weighs, and whether the rule acts."""

    rule: Rule
    seen: int
    weight: int
    acts: bool


class Verdict(msgspec.Struct, frozen=True):
    """What the rules saw; does a post have to be kept back, and would it have to if all of them acted?"""

    signals: tuple[Signal, ...] = ()
    holds: bool = False
    would: bool = False

    @property
    def acting(self) -> list[str]:
        """The rules by which a post is kept back."""
        return [one.rule.value for one in self.signals if one.acts]


class Flood(msgspec.Struct, frozen=True):
    """What one look tells of somebody who follows."""

    terms: dict[str, Any]
    ground: int | None
    young: bool
    follows: int


class Crowd(msgspec.Struct, frozen=True):
    """What one look tells of those who come to settle from one neighbourhood of addresses."""

    terms: dict[str, Any]
    ground: int | None
    arrivals: int


class Hold(msgspec.Struct, frozen=True):
    """A post that is or was kept back."""

    id: int
    status_id: int
    account_id: int
    article_version_id: int
    rules: list[str]
    score: int
    quoting: dict[str, Any] | None
    state: str
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: int | None
    reasons: str | None
    decision_id: int | None
    appeal: str | None
    appealed_at: datetime | None


class HoldFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which of them somebody looks for."""

    account_id: int | None = None
    state: str | None = None
    appealed: bool = False


class Count(msgspec.Struct, frozen=True):
    """How often a rule saw something on a day, of posts from here or from elsewhere, and whether it acted."""

    day: date
    rule: str
    acted: bool
    local: bool
    times: int


class Held(msgspec.Struct, frozen=True):
    """A post is kept back; nobody has been told of it."""

    hold: int
    status: int
    account: int


class HoldEnded(msgspec.Struct, frozen=True):
    """A post that was kept back is out, or a decision was taken on it."""

    hold: int
    status: int
    account: int
    state: State
