"""Posts as a viewer is shown them. What the viewer may not see is dropped: that is the default, not a choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from parvis.base.db import Read
from parvis.base.settings import Settings
from parvis.views import queries
from parvis.views.cards import Shelf, account_card, opened, status_card
from parvis.views.queries import State


class Eye(msgspec.Struct, frozen=True):
    """Who looks, and with what: the viewer's account (None: nobody signed in), the shelf of cards, the city."""

    viewer: int | None
    shelf: Shelf
    settings: Settings


async def stock(r: Read, eye: Eye, statuses: Iterable[tuple[int, int]], accounts: Iterable[tuple[int, int]]) -> None:
    """Make the cards that are not on the shelf, all with one query."""
    posts = {number: version for number, version in statuses if eye.shelf.card("status", number, version) is None}
    people = {number: version for number, version in accounts if eye.shelf.card("account", number, version) is None}
    if not posts and not people:
        return
    for made in await queries.materials(r, list(posts), list(people)):
        maker, asked = (status_card, posts) if made.kind == "status" else (account_card, people)
        card = maker(made.data, eye.settings)
        for version in {made.version, asked[made.id]}:  # it may have changed since its version was read
            eye.shelf.put(made.kind, made.id, version, card)


def _account(eye: Eye, state: State) -> bytes:
    card = eye.shelf.card("account", state.account_id, state.account_version) or b""
    day = state.last_status_at.isoformat() if state.last_status_at else None
    return b"{%s,%s}" % (card, opened({
        "statuses_count": state.account_statuses, "followers_count": state.account_followers,
        "following_count": state.account_following, "last_status_at": day,
    }))


def _status(eye: Eye, state: State, original: bytes | None) -> bytes:
    parts = [
        eye.shelf.card("status", state.id, state.version) or b"",
        b'"account":%s' % _account(eye, state),
        opened({
            "replies_count": state.replies, "reblogs_count": state.reblogs, "favourites_count": state.favourites,
        }),
        b'"reblog":%s' % (original or b"null"),
    ]
    if eye.viewer is not None:
        marks: dict[str, object] = {
            "favourited": state.favourited, "reblogged": state.reblogged, "bookmarked": state.bookmarked,
            "muted": state.muted, "filtered": [],
        }
        if state.account_id == eye.viewer:
            marks["pinned"] = state.pinned
        parts.append(opened(marks))
    return b"{%s}" % b",".join(parts)


async def entities(
    r: Read, eye: Eye, status_ids: Sequence[int], account_ids: Sequence[int] = ()
) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """Status and Account entities by id, with one query for what changes and at most one for the cards.

    A Status is complete with its account, its reblog and the viewer's marks.
    The status ids must come from a query that joined seen_by(viewer).
    """
    if not status_ids and not account_ids:
        return {}, {}
    found = await queries.states(r, eye.viewer, status_ids, account_ids)
    states = {state.id: state for state in found if state.id}
    await stock(
        r, eye, ((s.id, s.version) for s in states.values()), ((s.account_id, s.account_version) for s in found)
    )
    posts = {number: _with_original(eye, states[number], states) for number in status_ids if number in states}
    people = {state.account_id: _account(eye, state) for state in found if not state.id}
    return {number: post for number, post in posts.items() if post is not None}, people


def _with_original(eye: Eye, state: State, states: Mapping[int, State]) -> bytes | None:
    """A post with what it passes on, whose marks and counts it shows; None when that is missing."""
    if state.reblog_of_id is None:
        return _status(eye, state, None)
    original = states.get(state.reblog_of_id)
    if original is None:
        return None
    wrapper = msgspec.structs.replace(
        state, favourited=original.favourited, reblogged=original.reblogged, bookmarked=original.bookmarked,
        muted=original.muted, replies=original.replies, reblogs=original.reblogs, favourites=original.favourites,
    )
    return _status(eye, wrapper, _status(eye, original, None))


async def statuses(r: Read, eye: Eye, status_ids: Sequence[int]) -> dict[int, bytes]:
    """Status entities by id; the ids must come from a query that joined seen_by(viewer)."""
    return (await entities(r, eye, status_ids))[0]


async def page(r: Read, eye: Eye, status_ids: Sequence[int]) -> bytes:
    """A JSON array of Status entities in the order of the ids."""
    found = await statuses(r, eye, status_ids)
    return b"[%s]" % b",".join(found[number] for number in status_ids if number in found)
