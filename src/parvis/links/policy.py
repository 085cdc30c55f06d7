"""Which link of a post is previewed, and what a page's tags say. Pure, and safe against any page."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from yarl import URL

from parvis.base import http
from parvis.base.errors import Upstream
from parvis.links.model import Page
from parvis.text import html, language
from parvis.text.page import Tag, tags

ADDRESS = 2_000
"""No address is longer: an index entry of PostgreSQL could not hold it."""
TITLE = 500
DESCRIPTION = 1_000
NAME = 250
ALT = 1_500
LARGEST = 100_000
TRIES = 4
_OURS = frozenset(("mention", "hashtag", "u-url", "quote-inline"))
_HEAD = frozenset(("html", "meta", "link", "title"))


def normal(address: str) -> str | None:
    """A web address without its fragment, its host in lower case; None when it is none that may be fetched."""
    try:
        found = http.parsed(address)
    except Upstream:
        return None
    text = str(found.with_path("/") if found.raw_path == "" else found)
    return text if found.scheme in ("http", "https") and len(text) <= ADDRESS else None


def first_link(content: str, own: str, people: Collection[str]) -> str | None:
    """The first link of a post's HTML that leads out of this city and is no person, hashtag or quoted post."""
    quoted = False
    for tag in tags(content, frozenset(("a", "p", "span"))):
        if tag.name != "a":
            quoted = "quote-inline" in tag.words("class")
            continue
        address = tag.attributes.get("href", "")
        if quoted or _OURS & set(tag.words("class")) or "tag" in tag.words("rel") or address in people:
            continue
        found = normal(address)
        if found is not None and URL(found, encoded=True).raw_authority != own:
            return found
    return None


def delay(tries: int, asked: str | None) -> timedelta:
    """How long a page that failed is left alone: longer each time, and as long as it asks, but at most a day."""
    wished = int(asked) if asked and asked.isascii() and asked.isdigit() and len(asked) < 7 else 0
    return timedelta(seconds=min(86_400, max(wished, 60 * 5 ** (tries - 1))))


def page(text: str, address: str) -> Page | None:
    """What a page that was found at an address says about itself; None when it has no title."""
    head = list(tags(text, _HEAD, last="body"))
    said = _said(head)
    titles = (tag.text for tag in head if tag.name == "title")
    title = _first(TITLE, said.get("og:title"), said.get("twitter:title"), next(titles, None))
    if not title:
        return None
    own = _own_address(head, address)
    image = next(filter(None, (_absolute(said.get(name), address) for name in _IMAGES)), None)
    author = said.get("article:author") or said.get("og:article:author") or ""
    origin = str(URL(address, encoded=True).origin())
    return Page(
        url=own, canonical=own == address, title=title,
        description=_first(DESCRIPTION, said.get("og:description"), said.get("twitter:description"),
                           said.get("description")),
        language=_language(head, said), author_name=_author(said, author),
        author_url=_absolute(author, address) or "" if author.startswith(("http://", "https://")) else "",
        provider_name=_first(NAME, said.get("og:site_name")) or (URL(address, encoded=True).host or ""),
        provider_url=f"{origin}/", image_url=image,
        image_description=_first(ALT, said.get("og:image:alt"), said.get("twitter:image:alt")) if image else "",
        width=_size(said.get("og:image:width")) if image else 0,
        height=_size(said.get("og:image:height")) if image else 0,
        published_at=_moment(said.get("article:published_time") or said.get("og:article:published_time")),
    )


_IMAGES = ("og:image:secure_url", "og:image:url", "og:image", "twitter:image", "twitter:image:src")


def _said(head: Iterable[Tag]) -> dict[str, str]:
    """The page's statements by name: the first of each counts."""
    found: dict[str, str] = {}
    for tag in head:
        name = tag.attributes.get("property") or tag.attributes.get("name") or ""
        content = tag.attributes.get("content", "")
        if tag.name == "meta" and name and content.strip():
            found.setdefault(name.strip().lower(), content.strip())
    return found


def _first(limit: int, *values: str | None) -> str:
    """The first that says something, as plain text on one line."""
    return next((shown for value in values if value and (shown := html.plain_name(value, limit))), "")


def _own_address(head: Iterable[Tag], address: str) -> str:
    """The address a page prefers for itself; one on another server would speak for that server."""
    for tag in head:
        if tag.name == "link" and "canonical" in tag.words("rel"):
            found = _absolute(tag.attributes.get("href"), address)
            if found and URL(found, encoded=True).origin() == URL(address, encoded=True).origin():
                return found
    return address


def _absolute(value: str | None, address: str) -> str | None:
    """An address of the page, however it is written there."""
    if not value or len(value) > ADDRESS:
        return None
    try:
        return normal(str(http.parsed(value.strip(), URL(address, encoded=True))))
    except Upstream:
        return None


def _author(said: dict[str, str], author: str) -> str:
    named = None if author.startswith(("http://", "https://")) else author
    return _first(NAME, named, said.get("author"), said.get("dc.creator"), said.get("twitter:data1")
                  if said.get("twitter:label1", "").lower() in ("written by", "écrit par") else None)


def _language(head: Iterable[Tag], said: dict[str, str]) -> str | None:
    given = next((tag.attributes.get("lang", "") for tag in head if tag.name == "html"), "")
    return language.valid(given or said.get("og:locale", ""))


def _size(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else 0


def _moment(value: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat((value or "").strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
