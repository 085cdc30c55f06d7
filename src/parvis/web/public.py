"""The square as everybody sees it: the front page, people, posts, topics; and writing on it."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.base.db import Read
from parvis.base.errors import Forbidden, Gone, Invalid, NotFound
from parvis.base.ids import parsed
from parvis.charter import queries as charter
from parvis.collections import actions as collecting
from parvis.composing import actions as composing
from parvis.composing.model import City, Wish
from parvis.ledger import queries as ledger
from parvis.statuses import queries
from parvis.statuses.model import Status, Visibility
from parvis.text import language, mentions
from parvis.text.messages import words
from parvis.timelines import queries as timelines
from parvis.timelines.model import Choice
from parvis.views import account as people
from parvis.views import status as posts
from parvis.views.model import Around
from parvis.views.status import Eye
from parvis.views.thread import threads
from parvis.web import shapes
from parvis.web.site import Limit, Visit

ACTIVITY = ("application/activity+json", "application/ld+json")
REACH = (40, 60, 20)
SHOWN_ARTICLES = 6
POSTS = Limit("post", 300, 3 * 3600)


def _wants_activity(visit: Visit) -> bool:
    accept = visit.request.headers.get("accept", "")
    return any(kind in accept for kind in ACTIVITY) and "text/html" not in accept


def _linked(made: Response, uri: str) -> Response:
    made.headers["Link"] = f'<{uri}>; rel="alternate"; type="application/activity+json"'
    return made


async def front(visit: Visit) -> Response:
    """The square: what is written here, and what the city is deciding."""
    async with visit.app.db.read() as r:
        ids = await timelines.public(r, visit.viewer, visit.page(), local=True)
        articles = await charter.in_force(r)
        version = await charter.current_version(r)
        votes = await charter.proposals(r, None, 5, ["vote"])
        entries = await ledger.entries(r, None, 4, ["decision", "appeal", "charter"])
        return visit.show(
            "front.html", statuses=await visit.statuses(r, ids), next_url=visit.older(ids),
            composer=visit.me is not None,
            votes=[{"id": row.id, "title": row.title, "closes_at": row.closes_at} for row in votes],
            charter=shapes.summary(visit, version, articles, SHOWN_ARTICLES),
            register=[shapes.entry(visit, row) for row in entries],
        )


async def tag(visit: Visit) -> Response:
    """What carries a topic."""
    name = mentions.normal_tag(str(visit.request.path_params["tag"]))
    if not name:
        raise NotFound("tag")
    async with visit.app.db.read() as r:
        ids = await timelines.tagged(r, visit.viewer, visit.page(), ([name], [], []))
        return visit.show(
            "tag.html", tag=visit.request.path_params["tag"], statuses=await visit.statuses(r, ids),
            next_url=visit.older(ids),
        )


async def _person(r: Read, visit: Visit) -> Account:
    name, _, domain = str(visit.request.path_params["name"]).partition("@")
    own = not domain or domain.lower() == visit.settings.domain
    found = await accounts.by_handle(r, name, None if own else domain)
    if found is None:
        raise NotFound("account")
    if found.deleted_at:
        raise Gone("account")
    return found


async def profile(visit: Visit) -> Response:
    """A person; other programs are sent to the actor, and for people elsewhere the browser to their own page."""
    async with visit.app.db.read() as r:
        person = await _person(r, visit)
        if not person.local or _wants_activity(visit):
            return visit.go(person.uri if _wants_activity(visit) else person.url)
        if person.suspended_at:
            raise Forbidden("account_suspended")
        shown = (await people.accounts(r, visit.eye, [person.id]))[person.id]
        ids = await timelines.account(
            r, visit.viewer, person.id, visit.page(), Choice(exclude_replies=True)
        )
        pinned = [] if visit.query("max_id") else await timelines.pinned(r, visit.viewer, person.id)
        rest = [number for number in ids if number not in pinned]
        made = visit.show(
            "profile.html", account=msgspec.json.decode(shown), pinned=await visit.statuses(r, pinned),
            statuses=await visit.statuses(r, rest), next_url=visit.older(ids),
        )
        return _linked(made, person.uri)


async def collection(visit: Visit) -> Response:
    """People somebody recommends."""
    async with visit.app.db.read() as r:
        row = await collecting.collection(r, visit.viewer, visit.number("id"))
        wanted = list(dict.fromkeys([row.account_id, *(int(item["account_id"]) for item in row.items)]))
        found = await people.accounts(r, visit.eye, wanted)
    shown = [msgspec.json.decode(found[number]) for number in wanted if number in found]
    return visit.show(
        "collection.html", collection=row, owner=shown[0], people=[one for one in shown if int(one["id"]) in
        {int(item["account_id"]) for item in row.items}],
    )


async def _post(r: Read, visit: Visit, person: Account) -> Status:
    found = await queries.by_id(r, visit.number("id"))
    if found is None or found.account_id != person.id:
        raise NotFound("status")
    return found


async def status(visit: Visit) -> Response:
    """A post with what it answers and what answers it."""
    async with visit.app.db.read() as r:
        person = await _person(r, visit)
        row = await _post(r, visit, person)
        if _wants_activity(visit):
            return visit.go(row.uri)
        if row.deleted_at:
            raise Gone("status")
        await queries.visible(r, row.id, visit.viewer)
        around = Around(visit.viewer, row.id, *REACH)
        thread = (await threads(r, visit.app.shelf, visit.settings, [around])).get(around)
        if thread is None:
            raise NotFound("status")
        made = visit.show(
            "status.html", status=msgspec.json.decode(thread.status), **msgspec.json.decode(thread.entity),
            composer=visit.me is not None,
        )
        return _linked(made, row.uri)


# A post alone may be shown within any page; it runs no script, sends no form, and knows nobody.
FRAMED = (
    "default-src 'self'; img-src * data:; media-src *; style-src 'self'; script-src 'none'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors *"
)


async def embed(visit: Visit) -> Response:
    """One open post of this city to be shown within other pages, as somebody sees it who is not signed in."""
    async with visit.app.db.read() as r:
        row = await _post(r, visit, await _person(r, visit))
        if not row.local or row.deleted_at:
            raise NotFound("status")
        await queries.visible(r, row.id, None)
        shown = await posts.statuses(r, Eye(None, visit.app.shelf, visit.settings), [row.id])
    if row.id not in shown:
        raise NotFound("status")
    made = visit.show("embed.html", status=msgspec.json.decode(shown[row.id]))
    made.headers["Content-Security-Policy"] = FRAMED
    return made


def _visibility(text: str) -> Visibility:
    wanted: dict[str, Visibility] = {
        "public": "public", "unlisted": "unlisted", "private": "private", "direct": "direct",
    }
    return wanted.get(text, "public")


async def write(visit: Visit) -> Response:
    """Publish what was typed; a mistake is shown above the text, which is not lost."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    visit.count(POSTS)
    try:
        made = await _publish(visit, form)
    except Invalid as error:
        sentence = words.FIELD_ERRORS.get(f"ERR_{error.word.upper()}", words.FIELD_ERRORS["ERR_INVALID"])
        return visit.show("write.html", 422, form=form, error=visit.say(sentence), limit=error.params.get("limit"))
    return visit.go(made.url or "/" if form.get("in_reply_to_id") else f"/#post-{made.id}")


async def _publish(visit: Visit, form: dict[str, str]) -> Status:
    text = form.get("status", "").replace("\r\n", "\n").strip()
    spoiler = form.get("spoiler_text", "").strip()
    async with visit.app.db.write() as tx:
        me = await visit.account(tx)
        return await composing.publish(tx, await composing.author(tx, me.id), Wish(
            text=text, spoiler_text=spoiler, visibility=_visibility(form.get("visibility", "")),
            in_reply_to_id=parsed(form.get("in_reply_to_id", "")), language=language.valid(form.get("language", "")),
        ), City(visit.settings.base, visit.settings.domain))
