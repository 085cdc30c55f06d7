"""Posts as a viewer is shown them. What the viewer may not see is dropped: that is the default, not a choice."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import msgspec

from parvis.base.batch import Batch
from parvis.base.db import Read
from parvis.base.settings import Settings
from parvis.filters import policy as filters
from parvis.filters.model import Match
from parvis.quotes import policy as quotes
from parvis.quotes.model import Asker
from parvis.views import looks
from parvis.views.cards import ENCODE, Shelf, filter_results, opened, searchable
from parvis.views.looks import Look, Scene, Sight
from parvis.views.model import Post, Seen
from parvis.views.poll import poll_entity
from parvis.views.stock import Stock


class Eye(msgspec.Struct, frozen=True):
    """Who looks, and with what: the viewer's account (None: nobody signed in), the shelf of cards, the city.

    `together`: whoever looks outside of a transaction may look with others.
    """

    viewer: int | None
    shelf: Shelf
    settings: Settings
    together: Batch[Read, Look, Sight] | None = None


def _face(eye: Eye, scene: Scene, post: Post, *, nested: bool = False) -> bytes:
    """An Account entity, for everybody the same; with the one to which it has moved, of which no further is told."""
    card = eye.shelf.card("account", post.account_id, post.account_version) or b""
    day = b'"%b"' % post.last_status_at.encode() if post.last_status_at else b"null"
    person = None if nested or post.moved_to_id is None else scene.people.get(post.moved_to_id)
    moved = b"null" if person is None or not person.open else _face(eye, scene, person, nested=True)
    return b'{%b,"moved":%b,"statuses_count":%d,"followers_count":%d,"following_count":%d,"last_status_at":%b}' % (
        card, moved, post.account_statuses, post.account_followers, post.account_following, day
    )


def _preview(eye: Eye, post: Post) -> bytes:
    if post.card_id is None or post.card_version is None:
        return b"null"
    return b"{%b}" % (eye.shelf.card("card", post.card_id, post.card_version) or b"")


def _written(eye: Eye, scene: Scene, post: Post, counted: Post, *, quoting: bool) -> bytes:
    """The members of a Status that are the same for everybody, written once for all who look.

    A reblog tells the counts of what it passes on; where a quote is shown, the link that stands for it is not.
    """
    key = -post.id if quoting else post.id
    known = scene.written.get(key)
    if known is None:
        card = eye.shelf.card("quoting", post.id, post.version) if quoting else None
        card = card or eye.shelf.card("status", post.id, post.version) or b""
        known = scene.written[key] = (
            b'%b,"account":%b,"replies_count":%d,"reblogs_count":%d,"favourites_count":%d,"quotes_count":%d,"card":%b,'
            b'"hidden_replies_count":%d'
            % (card, _face(eye, scene, post), counted.replies, counted.reblogs, counted.favourites, counted.quotes,
               _preview(eye, post), post.hidden_replies)
        )
    return known


def _marked(favourited: bool, reblogged: bool, bookmarked: bool, muted: bool) -> bytes:
    return b"," + opened({"favourited": favourited, "reblogged": reblogged, "bookmarked": bookmarked, "muted": muted})


# Written out once: a page of forty posts would encode the same few words forty times.
MARKS = {marks: _marked(*marks) for marks in itertools.product((False, True), repeat=4)}


class Sheet(msgspec.Struct, frozen=True):
    """What one page is written from: who looks, and what they see."""

    eye: Eye
    sight: Sight
    approvals: dict[tuple[object, ...], bytes] = {}


def _marks(page: Sheet, post: Post, shown: Post, matched: Sequence[Match]) -> bytes:
    """The viewer's marks on `shown`, as `post` carries them."""
    if page.eye.viewer is None:
        return b""
    sight, told = page.sight, MARKS[False, False, False, False]
    if sight.marks:
        told = MARKS[
            sight.has("favourited", shown.id), sight.has("reblogged", shown.id), sight.has("bookmarked", shown.id),
            shown.conversation_id is not None and sight.has("muted", shown.conversation_id),
        ]
    filtered = ENCODE.encode(filter_results(matched)) if matched else b"[]"
    pinned = b""
    if post.account_id == page.eye.viewer:
        pinned = b',"pinned":true' if sight.has("pinned", post.id) else b',"pinned":false'
    return b'%b,"filtered":%b%b' % (told, filtered, pinned)


def _quote(page: Sheet, post: Post, *, deep: bool) -> bytes:
    """A Quote with its Status, or inside of one a ShallowQuote: quotes of quotes are only named."""
    if post.quote_state is None:
        return b"null"
    state, quoted = looks.quoted(page.sight, post)
    if state is None:
        return b"null"
    told = state.encode()
    if not deep:
        number = b"null" if state not in quotes.SHOWING else b'"%d"' % (post.quoted_id or 0)
        return b'{"state":"%b","quoted_status_id":%b}' % (told, number)
    if quoted is None:
        return b'{"state":"%b","quoted_status":null}' % told
    matched = _matched(page, quoted, quoted)
    inner = _status(page, quoted, quoted, None, matched, _quote(page, quoted, deep=False))
    return b'{"state":"%b","quoted_status":%b}' % (told, inner)


PLAIN = Asker(False, False)
SHORT: dict[str, tuple[list[str], list[str]]] = {"p": (["public"], []), "": ([], [])}


def _approval(page: Sheet, post: Post) -> bytes:
    """Who may quote, and whether the viewer may; most posts of a page have the same answer."""
    own = post.account_id == page.eye.viewer
    asker = PLAIN
    if post.quote_rules not in SHORT:
        asker = Asker(page.sight.has("follows", post.account_id), page.sight.has("followed", post.account_id))
    key = (post.quote_rules, post.visibility, own, asker.follows, asker.followed)
    told = page.approvals.get(key)
    if told is None:
        told = page.approvals[key] = ENCODE.encode(_asked(page.eye, post, own, asker))
    return told


def _asked(eye: Eye, post: Post, own: bool, asker: Asker) -> dict[str, object]:
    spelled, _, asked = post.quote_rules.partition("|")
    automatic, manual = SHORT.get(post.quote_rules) or (spelled.split(), asked.split())
    answer = "denied" if eye.viewer is None else quotes.answer((automatic, manual), post.visibility, own, asker)
    return {"automatic": automatic, "manual": manual, "current_user": answer}


def _is_plain(post: Post, viewer: int | None) -> bool:
    """Does it differ between people who are signed in by their marks alone, or for its author?"""
    return (post.quote_state is None and not post.asks and post.reblog_of_id is None and post.moved_to_id is None
            and post.quote_rules in SHORT and viewer is not None)


def _plain(page: Sheet, post: Post) -> bytes:
    """A Status of which all but the marks is kept for as long as nothing that it shows has changed."""
    eye, sight = page.eye, page.sight
    kind = "own" if post.account_id == eye.viewer else "plain"
    most = eye.shelf.card(kind, post.id, post)
    if most is None:
        written = _written(eye, sight.scene, post, post, quoting=False)
        most = b'{%b,"reblog":null,"poll":null,"quote":null,"quote_approval":%b' % (written, _approval(page, post))
        eye.shelf.put(kind, post.id, post, most)
    return most + _marks(page, post, post, ()) + b"}"


def _status(
    page: Sheet, post: Post, shown: Post, original: bytes | None, matched: Sequence[Match], quote: bytes
) -> bytes:
    """A Status; a reblog (`post`) carries the counts and marks of what it passes on (`shown`), entire as `original`."""
    eye, sight = page.eye, page.sight
    quoting = post.quote_state is not None and looks.quoted(sight, post)[0] in quotes.SHOWING
    written = _written(eye, sight.scene, post, shown, quoting=quoting)
    poll = ENCODE.encode(poll_entity(sight.told["poll", post.id], eye.viewer, eye.settings)) if post.asks else b"null"
    return b'{%b,"reblog":%b,"poll":%b,"quote":%b,"quote_approval":%b%b}' % (
        written, original or b"null", poll, quote, _approval(page, shown), _marks(page, post, shown, matched)
    )


async def entities(
    r: Read, eye: Eye, status_ids: Sequence[int], account_ids: Sequence[int] = (), hidden_in: str = ""
) -> tuple[Mapping[int, bytes], Mapping[int, bytes]]:
    """Status and Account entities by id, with two queries for what changes and at most one for the cards.

    A Status is complete with its account, its reblog, its quote, the viewer's marks and what the viewer's filters say.
    What others wrote and a filter hides in the place `hidden_in` is left out; elsewhere the client hides it.
    A post that the viewer may not see is left out.
    """
    if not status_ids and not account_ids:
        return {}, {}
    look = Look(eye.viewer, tuple(status_ids), tuple(account_ids))
    if eye.together is not None:
        await r.give_back()  # nobody waits for others while they hold what those wait for
        sight = await eye.together.of(look)
    else:
        sight = (await sights(r, eye.shelf, eye.settings, [look]))[look]
    if sight is None:
        return {}, {}
    key = (look, hidden_in)
    if key not in sight.composed:
        sight.composed[key] = composed(eye, look, sight, hidden_in)
    return sight.composed[key]


async def sights(
    r: Read, shelf: Shelf, settings: Settings, asked: Sequence[Look], *, known: Seen | None = None,
    everything: bool = False,
) -> dict[Look, Sight]:
    """What each of these looks shows, with the cards it wants on the shelf."""
    found = await looks.look(r, Stock(shelf, settings), asked, known=known, everything=everything)
    return {look: found[look.viewer] for look in asked}


def composed(eye: Eye, look: Look, sight: Sight, hidden_in: str = "") -> tuple[dict[int, bytes], dict[int, bytes]]:
    """One viewer's posts and people, made of what they see and of the cards on the shelf."""
    page, posts, scene = Sheet(eye, sight), dict[int, bytes](), sight.scene
    for number in look.status_ids:
        post = sight.shown(number)
        if post is None:
            continue
        if not sight.held and _is_plain(post, eye.viewer):
            posts[number] = _plain(page, post)
            continue
        shown = post if post.reblog_of_id is None else scene.posts[post.reblog_of_id]
        matched = _matched(page, post, shown) if sight.held else []
        if not (hidden_in and post.account_id != eye.viewer and filters.hidden(matched, hidden_in)):
            posts[number] = _with_original(page, post, shown, matched)
    people = ((number, scene.people.get(number)) for number in look.account_ids)
    return posts, {number: _face(eye, scene, person) for number, person in people if person is not None}


def _matched(page: Sheet, post: Post, shown: Post) -> list[Match]:
    """What the viewer's filters say of a post: the words are those of the post that is passed on."""
    eye, sight = page.eye, page.sight
    key = ("words", shown.id, shown.version)
    kept = eye.shelf.card(*key)
    if kept is None:  # made when a filter first asks for it: who has no filters does not pay for it
        card = eye.shelf.card("status", shown.id, shown.version) or b""
        poll = sight.told.get(("poll", shown.id))
        kept = searchable(b"%b,%b" % (card, opened({"poll": poll})))  # other answers make a new version, too
        eye.shelf.put(*key, kept)
    return filters.matches(sight.held, kept.decode(), (post.id, shown.id))


def _with_original(page: Sheet, post: Post, shown: Post, matched: Sequence[Match]) -> bytes:
    """A post, and what it passes on."""
    told = _status(page, shown, shown, None, matched, _quote(page, shown, deep=True))
    return told if post is shown else _status(page, post, shown, told, matched, b"null")


async def statuses(r: Read, eye: Eye, status_ids: Sequence[int]) -> Mapping[int, bytes]:
    """Status entities by id; those the viewer may not see are left out."""
    return (await entities(r, eye, status_ids))[0]


async def reported(r: Read, eye: Eye, moderator: int, status_ids: Sequence[int]) -> dict[int, bytes]:
    """Status entities by id for whoever decides on a report of them, whoever they were for."""
    look = Look(moderator, tuple(status_ids))
    sight = (await sights(r, eye.shelf, eye.settings, [look], everything=True))[look]
    return composed(eye, look, sight)[0]


async def page(r: Read, eye: Eye, status_ids: Sequence[int]) -> bytes:
    """A JSON array of Status entities in the order of the ids."""
    found = await statuses(r, eye, status_ids)
    return b"[%s]" % b",".join(found[number] for number in status_ids if number in found)
