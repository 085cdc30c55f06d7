"""A look at posts and people for one viewer or many, in one statement; what few pages have takes a second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from parvis.base.db import Read
from parvis.filters import policy as filters
from parvis.filters.model import Live, Sieve
from parvis.quotes import policy as quotes
from parvis.views import queries
from parvis.views.model import Asked, Mark, MarkKind, Post, Seen
from parvis.views.stock import Stock, ids

NONE: frozenset[int] = frozenset()
PLAIN_RULES = ("p", "")


class Look(msgspec.Struct, frozen=True):
    """Who looks at which posts and people."""

    viewer: int | None
    status_ids: tuple[int, ...]
    account_ids: tuple[int, ...] = ()


class Scene(msgspec.Struct):
    """What is the same for everybody who looks, by the ids of posts and accounts; and what was written of it so far."""

    posts: dict[int, Post]
    people: dict[int, Post]
    written: dict[int, bytes] = {}


class Sight(msgspec.Struct):
    """What one viewer is shown; `composed`: what was made of it so far, for whoever asks for the same again."""

    scene: Scene
    marks: Mapping[MarkKind, set[int]]
    told: Mapping[tuple[MarkKind, int], Any]
    held: Sequence[Sieve]
    everything: bool = False
    composed: dict[tuple[Look, str], tuple[Mapping[int, bytes], Mapping[int, bytes]]] = {}

    def has(self, kind: MarkKind, thing: int) -> bool:
        """Is this so for the viewer?"""
        return thing in self.marks.get(kind, NONE)

    def shown(self, number: int) -> Post | None:
        """A post that was looked at, if the viewer may see it."""
        post = self.scene.posts.get(number)
        if post is None or (post.reblog_of_id is not None and post.reblog_of_id not in self.scene.posts):
            return None
        if self.everything or number in self.marks.get("seen", NONE):
            return post
        return post if not self.marks.get("barred") and is_open(self.scene.posts, post) else None


def is_open(posts: Mapping[int, Post], post: Post) -> bool:
    """May whoever is not blocked see it?"""
    passed_on = posts.get(post.reblog_of_id) if post.reblog_of_id is not None else post
    return post.open and passed_on is not None and passed_on.open


async def look(
    r: Read, stock: Stock, looks: Sequence[Look], *, known: Seen | None = None, everything: bool = False
) -> dict[int | None, Sight]:
    """What each viewer sees of what they look at, with all cards in stock.

    `known`: what a look found of all of it, where that was read already. `everything`: whoever may see it, for those
    who decide on reports.
    """
    wanted: dict[int | None, dict[int, None]] = defaultdict(dict)
    for one in looks:
        wanted[one.viewer] |= dict.fromkeys(one.status_ids)
    people = {number for one in looks for number in one.account_ids}
    if known is None:
        pairs = [(viewer, number) for viewer, numbers in wanted.items() for number in numbers]
        known = await queries.look(r, pairs, list(people))
    rows = known.posts
    moved = {row.moved_to_id for row in rows if row.moved_to_id is not None} - people
    if moved:  # seldom: who wants to know where somebody has gone wants to see who that is now
        rows = [*rows, *(await queries.look(r, [], list(moved))).posts]
    scene = Scene({row.id: row for row in rows if row.id}, {row.account_id: row for row in rows if not row.id})
    missing = stock.missing_of(scene.posts.values(), scene.people.values())
    asked = Asked()
    for viewer, numbers in wanted.items():
        _ask(asked, viewer, scene.posts, numbers)
    marks, materials = await queries.rest(r, asked, ids(missing))
    stock.fill(missing, materials)
    found: dict[int | None, list[Mark]] = defaultdict(list)
    for mark in [*known.marks, *marks]:
        found[mark.viewer].append(mark)
    return {viewer: _sight(scene, found[viewer], everything) for viewer in wanted}


def _sight(scene: Scene, found: Sequence[Mark], everything: bool) -> Sight:
    marks: dict[MarkKind, set[int]] = defaultdict(set)
    told: dict[tuple[MarkKind, int], Any] = {}
    held: list[Sieve] = []
    for mark in found:
        marks[mark.kind].add(mark.thing)
        if mark.kind == "filters" and mark.told:
            held = filters.sieves(msgspec.convert(mark.told, list[Live]))
        elif mark.told is not None:
            told[mark.kind, mark.thing] = mark.told
    return Sight(scene, marks, told, held, everything)


def _ask(asked: Asked, viewer: int | None, posts: Mapping[int, Post], tops: Iterable[int]) -> None:
    """Add what else is to be asked for one viewer, of what they look at and what comes with it."""
    for number in _beside(posts, tops):
        post = posts[number]
        if post.asks:
            _add(asked.polls, viewer, number)
        if post.quote_state == "accepted" and post.quoted_id is not None:
            _add(asked.quotes, viewer, post.quoted_id)
        if viewer is not None and post.quote_rules not in PLAIN_RULES:
            _add(asked.people, viewer, post.account_id)


def _beside(posts: Mapping[int, Post], tops: Iterable[int]) -> dict[int, None]:
    """These, what they pass on, and what both quote; each once."""
    known = [number for number in tops if number in posts]
    passed_on = [number for top in known if (number := posts[top].reblog_of_id) in posts and number is not None]
    whole = dict.fromkeys([*known, *passed_on])
    quoted = [posts[number].quoted_id for number in whole if posts[number].quote_state == "accepted"]
    return whole | dict.fromkeys(number for number in quoted if number in posts and number is not None)


def _add(pairs: tuple[list[int | None], list[int]], viewer: int | None, thing: int) -> None:
    viewers, things = pairs
    viewers.append(viewer)
    things.append(thing)


def quoted(sight: Sight, post: Post) -> tuple[str | None, Post | None]:
    """The state of a post's quote as the viewer is told of it, and what is quoted where that is shown."""
    state = post.quote_state
    if state == "accepted":
        state = sight.told.get(("quote", post.quoted_id or 0))
    shown = sight.scene.posts.get(post.quoted_id or 0) if state in quotes.SHOWING else None
    return state, shown
