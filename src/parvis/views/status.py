"""Posts as a viewer is shown them. What the viewer may not see is dropped: that is the default, not a choice."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from parvis.base.db import Read
from parvis.base.settings import Settings
from parvis.filters import policy as filters
from parvis.filters.model import Live, Match, Sieve
from parvis.quotes import policy as quotes
from parvis.quotes.model import Asker
from parvis.views import queries
from parvis.views.cards import (
    ENCODE,
    Shelf,
    account_card,
    filter_results,
    opened,
    preview_card,
    quoting_data,
    searchable,
    status_card,
)
from parvis.views.poll import poll_entity
from parvis.views.queries import State


class Eye(msgspec.Struct, frozen=True):
    """Who looks, and with what: the viewer's account (None: nobody signed in), the shelf of cards, the city."""

    viewer: int | None
    shelf: Shelf
    settings: Settings


MAKERS = {"status": status_card, "account": account_card, "card": preview_card}


async def stock(r: Read, eye: Eye, wanted: Mapping[str, Iterable[tuple[int, int]]]) -> None:
    """Make the cards that are not on the shelf, by kind, all with one query."""
    asked = {
        kind: {number: version for number, version in pairs if eye.shelf.card(kind, number, version) is None}
        for kind, pairs in wanted.items()
    }
    if not any(asked.values()):
        return
    for made in await queries.materials(r, *(list(asked[kind]) for kind in MAKERS)):
        card = MAKERS[made.kind](made.data, eye.settings)
        quoting = quoting_data(made.data) if made.kind == "status" else None
        for version in {made.version, asked[made.kind][made.id]}:  # it may have changed since its version was read
            eye.shelf.put(made.kind, made.id, version, card)
            if quoting is not None:
                eye.shelf.put("quoting", made.id, version, status_card(quoting, eye.settings))


def _account(eye: Eye, state: State) -> bytes:
    card = eye.shelf.card("account", state.account_id, state.account_version) or b""
    day = b'"%b"' % state.last_status_at.encode() if state.last_status_at else b"null"
    return b'{%b,"statuses_count":%d,"followers_count":%d,"following_count":%d,"last_status_at":%b}' % (
        card, state.account_statuses, state.account_followers, state.account_following, day
    )


def _marked(favourited: bool, reblogged: bool, bookmarked: bool, muted: bool) -> bytes:
    return b"," + opened({"favourited": favourited, "reblogged": reblogged, "bookmarked": bookmarked, "muted": muted})


# Written out once: a page of forty posts would encode the same few words forty times.
MARKS = {marks: _marked(*marks) for marks in itertools.product((False, True), repeat=4)}


def _marks(eye: Eye, state: State, matched: Sequence[Match]) -> bytes:
    if eye.viewer is None:
        return b""
    marks = MARKS[state.favourited, state.reblogged, state.bookmarked, state.muted]
    filtered = ENCODE.encode(filter_results(matched)) if matched else b"[]"
    pinned = (b',"pinned":true' if state.pinned else b',"pinned":false') if state.account_id == eye.viewer else b""
    return b'%b,"filtered":%b%b' % (marks, filtered, pinned)


def _preview(eye: Eye, state: State) -> bytes:
    if state.card_id is None or state.card_version is None:
        return b"null"
    return b"{%b}" % (eye.shelf.card("card", state.card_id, state.card_version) or b"")


class Sheet(msgspec.Struct, frozen=True):
    """What one page is written from: the posts on it and behind them, and the viewer's filters."""

    eye: Eye
    states: Mapping[int, State]
    held: Sequence[Sieve]
    approvals: dict[tuple[object, ...], bytes] = {}


def _quote(page: Sheet, state: State, *, deep: bool) -> bytes:
    """A Quote with its Status, or inside of one a ShallowQuote: quotes of quotes are only named."""
    if state.quote_state is None:
        return b"null"
    shown = state.quoted_id if state.quote_state in quotes.SHOWING else None
    told = state.quote_state.encode()
    if not deep:
        number = b"null" if shown is None else b'"%d"' % shown
        return b'{"state":"%b","quoted_status_id":%b}' % (told, number)
    quoted = page.states.get(shown) if shown is not None else None
    if quoted is None:
        return b'{"state":"%b","quoted_status":null}' % told
    matched = _matched(page, quoted, quoted)
    inner = _status(page, quoted, None, matched, _quote(page, quoted, deep=False))
    return b'{"state":"%b","quoted_status":%b}' % (told, inner)


SHORT: dict[str, tuple[list[str], list[str]]] = {"p": (["public"], []), "": ([], [])}


def _approval(page: Sheet, state: State) -> bytes:
    """Who may quote, and whether the viewer may; most posts of a page have the same answer."""
    own = state.account_id == page.eye.viewer
    key = (state.quote_rules, state.visibility, own, state.follows, state.followed)
    told = page.approvals.get(key)
    if told is None:
        told = page.approvals[key] = ENCODE.encode(_asked(page.eye, state, own))
    return told


def _asked(eye: Eye, state: State, own: bool) -> dict[str, object]:
    spelled, _, asked = state.quote_rules.partition("|")
    automatic, manual = SHORT.get(state.quote_rules) or (spelled.split(), asked.split())
    asker = Asker(state.follows, state.followed)
    answer = "denied" if eye.viewer is None else quotes.answer((automatic, manual), state.visibility, own, asker)
    return {"automatic": automatic, "manual": manual, "current_user": answer}


def _status(page: Sheet, state: State, original: bytes | None, matched: Sequence[Match], quote: bytes) -> bytes:
    eye = page.eye
    quoting = eye.shelf.card("quoting", state.id, state.version) if state.quote_state in quotes.SHOWING else None
    card = quoting or eye.shelf.card("status", state.id, state.version) or b""
    poll = b"null" if state.poll is None else ENCODE.encode(poll_entity(state.poll, eye.viewer, eye.settings))
    return (
        b'{%b,"account":%b,"replies_count":%d,"reblogs_count":%d,"favourites_count":%d,"reblog":%b,"poll":%b,"card":%b,'
        b'"quote":%b,"quotes_count":%d,"quote_approval":%b,"hidden_replies_count":%d%b}'
        % (
            card, _account(eye, state), state.replies, state.reblogs, state.favourites, original or b"null", poll,
            _preview(eye, state), quote, state.quotes, _approval(page, state), state.hidden_replies,
            _marks(eye, state, matched),
        )
    )


async def entities(
    r: Read, eye: Eye, status_ids: Sequence[int], account_ids: Sequence[int] = (), hidden_in: str = ""
) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """Status and Account entities by id, with one query for what changes and at most one for the cards.

    A Status is complete with its account, its reblog, its quote, the viewer's marks and what the viewer's filters say.
    What others wrote and a filter hides in the place `hidden_in` is left out; elsewhere the client hides it.
    A post that the viewer may not see is left out.
    """
    if not status_ids and not account_ids:
        return {}, {}
    found = await queries.states(r, eye.viewer, status_ids, account_ids)
    await stock_for(r, eye, found)
    return composed(eye, status_ids, found, hidden_in)


async def stock_for(r: Read, eye: Eye, found: Sequence[State]) -> None:
    """Have every card that these states ask for."""
    await stock(r, eye, {
        "status": ((s.id, s.version) for s in found if s.id),
        "account": ((s.account_id, s.account_version) for s in found),
        "card": ((s.card_id, s.card_version) for s in found if s.card_id and s.card_version),
    })


def composed(
    eye: Eye, status_ids: Sequence[int], found: Sequence[State], hidden_in: str = ""
) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """One viewer's posts and people, made of their states and of the cards on the shelf."""
    states = {state.id: state for state in found if state.id}
    held = next((filters.sieves(msgspec.convert(state.filters, list[Live])) for state in found if state.filters), [])
    sheet, posts = Sheet(eye, states, held), dict[int, bytes]()
    for number in status_ids:
        state = states.get(number)
        if state is None or (state.reblog_of_id is not None and state.reblog_of_id not in states):
            continue
        original = states[state.reblog_of_id] if state.reblog_of_id is not None else None
        matched = _matched(sheet, state, original or state)
        if not (hidden_in and state.account_id != eye.viewer and filters.hidden(matched, hidden_in)):
            posts[number] = _with_original(sheet, state, original, matched)
    return posts, {state.account_id: _account(eye, state) for state in found if not state.id}


def _matched(page: Sheet, state: State, original: State) -> list[Match]:
    """What the viewer's filters say of a post: the words are those of the post that is passed on."""
    if not page.held:
        return []
    eye = page.eye
    key = ("words", original.id, original.version)
    kept = eye.shelf.card(*key)
    if kept is None:  # made when a filter first asks for it: who has no filters does not pay for it
        card = eye.shelf.card("status", original.id, original.version) or b""
        kept = searchable(b"%b,%b" % (card, opened({"poll": original.poll})))  # other answers make a new version, too
        eye.shelf.put(*key, kept)
    return filters.matches(page.held, kept.decode(), (state.id, original.id))


def _with_original(page: Sheet, state: State, original: State | None, matched: Sequence[Match]) -> bytes:
    """A post with what it passes on, whose marks and counts it shows."""
    if original is None:
        return _status(page, state, None, matched, _quote(page, state, deep=True))
    wrapper = msgspec.structs.replace(
        state, favourited=original.favourited, reblogged=original.reblogged, bookmarked=original.bookmarked,
        muted=original.muted, replies=original.replies, reblogs=original.reblogs, favourites=original.favourites,
        quotes=original.quotes, quote_rules=original.quote_rules, visibility=original.visibility,
        follows=original.follows, followed=original.followed,
    )
    shown = _status(page, original, None, matched, _quote(page, original, deep=True))
    return _status(page, wrapper, shown, matched, b"null")


async def statuses(r: Read, eye: Eye, status_ids: Sequence[int]) -> dict[int, bytes]:
    """Status entities by id; those the viewer may not see are left out."""
    return (await entities(r, eye, status_ids))[0]


async def reported(r: Read, eye: Eye, moderator: int, status_ids: Sequence[int]) -> dict[int, bytes]:
    """Status entities by id for whoever decides on a report of them, whoever they were for."""
    found = await queries.reported_states(r, moderator, status_ids)
    await stock_for(r, eye, found)
    return composed(eye, status_ids, found)[0]


async def page(r: Read, eye: Eye, status_ids: Sequence[int]) -> bytes:
    """A JSON array of Status entities in the order of the ids."""
    found = await statuses(r, eye, status_ids)
    return b"[%s]" % b",".join(found[number] for number in status_ids if number in found)
