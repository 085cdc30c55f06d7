"""A look at posts and people for one viewer or many, in two statements: what is the same for all, each one's own."""

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
from parvis.views.model import Asked, Mark, MarkKind, Post
from parvis.views.queries import Material
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
    r: Read, stock: Stock, looks: Sequence[Look], *, known: Sequence[Post] | None = None, everything: bool = False
) -> dict[int | None, Sight]:
    """What each viewer sees of what they look at, with all cards in stock.

    `known`: what `queries.posts` says of all of it, where that was read already. `everything`: whoever may see it, for
    those who decide on reports.
    """
    wanted: dict[int | None, dict[int, None]] = defaultdict(dict)
    for one in looks:
        wanted[one.viewer] |= dict.fromkeys(one.status_ids)
    people = {number for one in looks for number in one.account_ids}
    rows = list(known or ())
    if known is None:
        rows = await queries.posts(r, list({number for ids in wanted.values() for number in ids}), list(people))
    moved = {row.moved_to_id for row in rows if row.moved_to_id is not None} - people
    if moved:  # seldom: who wants to know where somebody has gone wants to see who that is now
        rows += await queries.posts(r, (), list(moved))
    scene = Scene({row.id: row for row in rows if row.id}, {row.account_id: row for row in rows if not row.id})
    missing = stock.missing_of(scene.posts.values(), scene.people.values())
    found, materials = await _marks(r, scene.posts, wanted, ids(missing))
    stock.fill(missing, materials)
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


async def _marks(
    r: Read, posts: Mapping[int, Post], wanted: Mapping[int | None, Iterable[int]], cards: Sequence[Sequence[int]]
) -> tuple[Mapping[int | None, list[Mark]], list[Material]]:
    asked = Asked()
    for viewer, numbers in wanted.items():
        _ask(asked, viewer, posts, [number for number in numbers if number in posts])
    found: dict[int | None, list[Mark]] = defaultdict(list)
    if not (asked.viewers or asked.polls[0] or asked.quotes[0] or any(cards)):
        return found, []
    marks, materials = await queries.marks(r, asked, cards)
    for mark in marks:
        found[mark.viewer].append(mark)
    return found, materials


def _ask(asked: Asked, viewer: int | None, posts: Mapping[int, Post], tops: Sequence[int]) -> None:
    """Add what is to be asked for one viewer: what is not open to all, then the rest, then what comes with them."""
    closed = [number for number in tops if not is_open(posts, posts[number])]
    whole = list(dict.fromkeys([*closed, *tops, *_beside(posts, tops)]))
    if not whole:
        return
    for number in whole:
        post = posts[number]
        if post.asks:
            _add(asked.polls, viewer, number)
        if post.quote_state == "accepted" and post.quoted_id is not None:
            _add(asked.quotes, viewer, post.quoted_id)
        if viewer is not None and post.quote_rules not in PLAIN_RULES:
            _add(asked.people, viewer, post.account_id)
    if viewer is None and not closed:
        return
    start = len(asked.ids) + 1
    asked.viewers.append(viewer)
    ends = (start, start + len(closed) - 1, start + len(tops) - 1, start + len(whole) - 1)
    for bound, end in zip(asked.bounds, ends, strict=True):
        bound.append(end)
    asked.ids += whole
    asked.authors += [posts[number].account_id for number in whole]
    asked.threads += [posts[number].conversation_id for number in whole]


def _beside(posts: Mapping[int, Post], tops: Iterable[int]) -> list[int]:
    """What these pass on, and what they and those quote."""
    passed_on = [posts[number].reblog_of_id for number in tops]
    whole = [number for number in [*tops, *passed_on] if number in posts and number is not None]
    quoted = [posts[number].quoted_id for number in whole if posts[number].quote_state == "accepted"]
    return [number for number in [*whole, *quoted] if number in posts and number is not None]


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
