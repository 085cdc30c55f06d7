"""The formula, as docs/trends.md publishes it. Pure: whoever has the counts can do the sum again."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from parvis.trends.model import Place, Tally

LEAST = 3
"""Fewer people than this are not many."""
NEW_FOR = timedelta(days=3)
"""How long somebody must have been known here before they count."""
DAYS = 7
HALF_LIFE: Mapping[str, float] = {"tag": 24.0, "link": 24.0, "status": 12.0, "account": 12.0}
YOUNGEST = timedelta(hours=72)
"""How old a post may be to be ranked."""
EXTRA = 0.1
PLACES = 100


def points(accounts: int, uses: int) -> float:
    """What one day is worth: its people, and at most a tenth more for how often they spoke."""
    if accounts <= 0:
        return 0.0
    return accounts + EXTRA * accounts * (1 - accounts / max(uses, accounts))


def decayed(worth: float, hours: float, half_life: float) -> float:
    """What is left of it after some hours: half after each half-life."""
    return worth * math.pow(0.5, max(hours, 0.0) / half_life)


def score(tallies: Iterable[Tally], half_life: float) -> float:
    """What all of a thing's days are worth now."""
    return sum(decayed(points(one.accounts, one.uses), one.hours, half_life) for one in tallies)


def ranked(kind: str, tallies: Iterable[Tally]) -> list[Place]:
    """The ranking of one kind, in each language: the highest score first, the newest first among equals."""
    things: dict[tuple[str, int], list[Tally]] = defaultdict(list)
    for one in tallies:
        things[(one.language, one.thing_id)].append(one)
    scores: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for (language, thing_id), found in things.items():
        if sum(one.accounts for one in found) >= LEAST:
            scores[language].append((score(found, HALF_LIFE[kind]), thing_id))
    return [
        Place(thing_id, language, worth, rank)
        for language, rows in scores.items()
        for rank, (worth, thing_id) in enumerate(sorted(rows, reverse=True)[:PLACES], 1)
    ]


def one_each(tallies: Iterable[Tally]) -> list[Tally]:
    """Of each author the post that is worth most: nobody fills the page alone."""
    best: dict[tuple[int, str], Tally] = {}
    for one in tallies:
        key = (one.author_id, one.language)
        worth = (score([one], HALF_LIFE["status"]), one.thing_id)
        if key not in best or worth > (score([best[key]], HALF_LIFE["status"]), best[key].thing_id):
            best[key] = one
    return list(best.values())


def by_author(tallies: Iterable[Tally]) -> list[Tally]:
    """The same counts as the authors' own: whose posts are passed on and liked these days."""
    return [Tally(one.author_id, "", one.hours, one.accounts, one.uses) for one in tallies if one.language == ""]
