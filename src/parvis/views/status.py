"""Posts as a viewer is shown them. What the viewer may not see is dropped: that is the default, not a choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from parvis.base.db import Read
from parvis.base.settings import Settings
from parvis.views import queries
from parvis.views.cards import Shelf, account_card, opened, status_card
from parvis.views.queries import StatusState


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


def _account(eye: Eye, state: StatusState) -> bytes:
    card = eye.shelf.card("account", state.account_id, state.account_version) or b""
    day = state.last_status_at.isoformat() if state.last_status_at else None
    return b"{%s,%s}" % (card, opened({
        "statuses_count": state.account_statuses, "followers_count": state.account_followers,
        "following_count": state.account_following, "last_status_at": day,
    }))


def _status(eye: Eye, state: StatusState, original: bytes | None) -> bytes:
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


async def statuses(r: Read, eye: Eye, status_ids: Sequence[int]) -> dict[int, bytes]:
    """Status entities by id, each complete with its account, its reblog and the viewer's marks.

    The ids must come from a query that joined seen_by(viewer).
    """
    if not status_ids:
        return {}
    states = {state.id: state for state in await queries.status_states(r, eye.viewer, status_ids)}
    await stock(
        r, eye, ((s.id, s.version) for s in states.values()),
        ((s.account_id, s.account_version) for s in states.values()),
    )
    shown: dict[int, bytes] = {}
    for number in status_ids:
        state = states.get(number)
        if state is None:
            continue
        original = None
        if state.reblog_of_id is not None:
            passed_on = states.get(state.reblog_of_id)
            if passed_on is None:
                continue
            original = _status(eye, passed_on, None)
            state = msgspec.structs.replace(
                state, favourited=passed_on.favourited, reblogged=passed_on.reblogged, bookmarked=passed_on.bookmarked,
                muted=passed_on.muted, replies=passed_on.replies, reblogs=passed_on.reblogs,
                favourites=passed_on.favourites,
            )
        shown[number] = _status(eye, state, original)
    return shown


async def page(r: Read, eye: Eye, status_ids: Sequence[int]) -> bytes:
    """A JSON array of Status entities in the order of the ids."""
    found = await statuses(r, eye, status_ids)
    return b"[%s]" % b",".join(found[number] for number in status_ids if number in found)
