"""Public posts as RSS 2.0 and Atom (RFC 4287), for readers that know neither us nor each other."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
from starlette.responses import Response

from parvis.accounts import queries as accounts
from parvis.base.db import Read
from parvis.base.errors import Forbidden, Gone, NotFound
from parvis.base.ids import Page
from parvis.text import html, mentions
from parvis.timelines import queries as timelines
from parvis.timelines.model import Choice
from parvis.views import account as people
from parvis.views import status as posts
from parvis.views.status import Eye
from parvis.web.press import TYPES
from parvis.web.site import Visit

ATOM = "http://www.w3.org/2005/Atom"
SIZE, TITLE = 20, 80
UNFIT = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Feed(msgspec.Struct, frozen=True):
    """What a feed says: of whom or what, where its page is, and its posts."""

    title: str
    about: str
    page: str
    posts: list[dict[str, Any]]


async def _shown(r: Read, visit: Visit, ids: list[int]) -> list[dict[str, Any]]:
    """The posts that anybody may read, as somebody sees them who is not signed in."""
    found = await posts.statuses(r, Eye(None, visit.app.shelf, visit.settings), ids)
    rows = [msgspec.json.decode(found[number]) for number in ids if number in found]
    return [row for row in rows if row["visibility"] == "public" and not row["reblog"]]


async def _profile(visit: Visit) -> Feed:
    """What a person of this city writes, without replies and what they pass on."""
    async with visit.app.db.read() as r:
        person = await accounts.by_handle(r, str(visit.request.path_params["name"]), None)
        if person is None:
            raise NotFound("account")
        if person.deleted_at:
            raise Gone("account")
        if person.suspended_at:
            raise Forbidden("account_suspended")
        choice = Choice(exclude_replies=True, exclude_reblogs=True)
        ids = await timelines.account(r, None, person.id, Page(limit=SIZE), choice)
        shown = msgspec.json.decode((await people.accounts(r, Eye(None, visit.app.shelf, visit.settings), [person.id]))[
            person.id])
        name = f"{shown['display_name'] or person.username} (@{person.username}@{visit.settings.domain})"
        return Feed(name, html.plain(shown["note"]), person.url, await _shown(r, visit, ids))


async def _tag(visit: Visit) -> Feed:
    """What carries a hashtag."""
    name = mentions.normal_tag(str(visit.request.path_params["tag"]))
    if not name:
        raise NotFound("tag")
    async with visit.app.db.read() as r:
        ids = await timelines.tagged(r, None, Page(limit=SIZE), ([name], [], []))
        page = f"{visit.settings.base}/tags/{name}"
        return Feed(f"#{name} – {visit.settings.city_name}", f"#{name}", page, await _shown(r, visit, ids))


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 has no place for."""
    return UNFIT.sub("", text)


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, name, {key: _clean(value) for key, value in attributes.items()})
    made.text = _clean(text) or None
    return made


def _headline(post: dict[str, Any]) -> str:
    """A title for readers that need one: the warning, else how the text begins."""
    said = " ".join((post["spoiler_text"] or html.plain(post["content"])).split())
    return said if len(said) <= TITLE else f"{said[: TITLE - 1]}…"


def _body(post: dict[str, Any]) -> str:
    return str(post["content"])


def _kind(url: str) -> str:
    return TYPES.get(url.rpartition(".")[2], "application/octet-stream")


def _answer(visit: Visit, root: ET.Element, kind: str) -> Response:
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return visit.finish(Response(body, 200, media_type=f"application/{kind}+xml"))


def _self(visit: Visit) -> str:
    return f"{visit.settings.base}{visit.request.url.path}"


def _rss(visit: Visit, feed: Feed) -> Response:
    ET.register_namespace("atom", ATOM)
    root = ET.Element("rss", {"version": "2.0"})
    channel = _add(root, "channel")
    for name, text in (("title", feed.title), ("description", feed.about), ("link", feed.page)):
        _add(channel, name, text)
    _add(channel, f"{{{ATOM}}}link", rel="self", type="application/rss+xml", href=_self(visit))
    if feed.posts:
        newest = max(datetime.fromisoformat(post["created_at"]) for post in feed.posts)
        _add(channel, "lastBuildDate", format_datetime(newest.astimezone(UTC)))
    for post in feed.posts:
        item = _add(channel, "item")
        _add(item, "guid", post["uri"], isPermaLink="false")
        _add(item, "link", post["url"] or post["uri"])
        _add(item, "title", _headline(post))
        _add(item, "pubDate", format_datetime(datetime.fromisoformat(post["created_at"]).astimezone(UTC)))
        _add(item, "description", _body(post))
        for file in post["media_attachments"]:
            if file["url"]:
                _add(item, "enclosure", url=file["url"], type=_kind(file["url"]), length="0")
        for tag in post["tags"]:
            _add(item, "category", tag["name"])
    return _answer(visit, root, "rss")


async def profile_rss(visit: Visit) -> Response:
    """A person's public posts as RSS."""
    return _rss(visit, await _profile(visit))


async def tag_rss(visit: Visit) -> Response:
    """A hashtag's public posts as RSS."""
    return _rss(visit, await _tag(visit))


async def profile_atom(visit: Visit) -> Response:
    """A person's public posts as Atom."""
    feed = await _profile(visit)
    root = ET.Element("feed", {"xmlns": ATOM})
    _add(root, "id", feed.page)
    _add(root, "title", feed.title)
    _add(root, "link", rel="self", type="application/atom+xml", href=_self(visit))
    _add(root, "link", rel="alternate", type="text/html", href=feed.page)
    moments = [post["edited_at"] or post["created_at"] for post in feed.posts]
    _add(root, "updated", max(moments, default="1970-01-01T00:00:00Z"))
    _add(_add(root, "author"), "name", feed.title)
    for post in feed.posts:
        entry = _add(root, "entry")
        _add(entry, "id", post["uri"])
        _add(entry, "title", _headline(post))
        _add(entry, "published", post["created_at"])
        _add(entry, "updated", post["edited_at"] or post["created_at"])
        _add(entry, "link", rel="alternate", type="text/html", href=post["url"] or post["uri"])
        for file in post["media_attachments"]:
            if file["url"]:
                _add(entry, "link", rel="enclosure", type=_kind(file["url"]), href=file["url"])
        _add(entry, "content", _body(post), type="html")
    return _answer(visit, root, "atom")
