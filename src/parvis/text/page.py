"""Reads the tags of somebody else's page: huge, broken, in a wrong charset; in time that is linear in its length."""

from __future__ import annotations

import codecs
import html as entities
import re
from collections.abc import Collection, Iterator
from urllib.parse import urljoin

import msgspec

MOST = 500_000
"""What a page says about itself stands at its beginning; more of it is not read."""
VALUE = 4_000
"""Longer values are cut before their entities are resolved: a number of more digits would be refused by int()."""
ATTRIBUTES = 30
HTML = frozenset(("text/html", "application/xhtml+xml"))
_LINKS = frozenset(("a", "link"))

_OPENING = re.compile(r"<(?:!--|([a-zA-Z][a-zA-Z0-9:-]{0,30}))")
_SPACE_OR_SLASH = re.compile(r"[\s/]*")
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[^\s>/=]+")
_BARE = re.compile(r"[^\s>]*")
# What stands inside these is text, whatever it looks like.
_ENDS = {
    name: re.compile(f"</{name}", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "template", "noscript", "iframe", "svg", "xmp")
}
_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Only these: Python knows codecs that unpack, execute or need quadratic time.
_KNOWN = frozenset((
    "utf-8", "utf-16-le", "utf-16-be", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
    "cp1258", "cp874", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8",
    "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "koi8-r", "koi8-u", "mac-roman", "shift_jis",
    "cp932", "euc_jp", "iso2022_jp", "gbk", "gb18030", "gb2312", "big5", "big5hkscs", "euc_kr",
))
_LATIN = frozenset(("iso8859-1", "ascii"))


class Tag(msgspec.Struct, frozen=True):
    """An opening tag with its attributes, and its text where it holds nothing else."""

    name: str
    attributes: dict[str, str]
    text: str = ""

    def words(self, attribute: str) -> list[str]:
        """The words of an attribute, in lower case."""
        return self.attributes.get(attribute, "").lower().split()


def decoded(body: bytes, content_type: str) -> str:
    """The text of a page: the charset is that of its mark, its header or its own declaration, else UTF-8."""
    body = body[:MOST]
    mark = next((name for start, name in _MARKS if body.startswith(start)), None)
    header = _CHARSET.search(content_type)
    declared = _DECLARED.search(body[:4096])
    label = mark or (header and header[1]) or (declared and declared[1].decode("ascii", "replace")) or "utf-8"
    return body.decode(_codec(label), "replace").lstrip("\ufeff")


def _codec(label: str) -> str:
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return "utf-8"
    if name in _LATIN:  # what calls itself Latin-1 is Windows-1252 (WHATWG Encoding §4.2)
        return "cp1252"
    return name if name in _KNOWN else "utf-8"


def tags(html: str, wanted: frozenset[str], last: str = "") -> Iterator[Tag]:
    """The opening tags of these names in their order, up to the first `last`; what is never closed ends the page."""
    place = 0
    while (opening := _OPENING.search(html, place)) is not None:
        place = opening.end()
        if opening[1] is None:
            place = html.find("-->", place) + 3
            if place < 3:
                return
            continue
        name = opening[1].lower()
        attributes, place = _attributes(html, place)
        if place < 0 or name == last:
            return
        text = ""
        if name in _ENDS:
            end = _ENDS[name].search(html, place)
            if end is None:
                return
            text, place = html[place : min(end.start(), place + VALUE)], end.end()
        if name in wanted:
            resolved = {key: entities.unescape(value) for key, value in attributes.items()}
            yield Tag(name, resolved, entities.unescape(text))


def says_me(html: str, base: str, own: Collection[str]) -> bool:
    """Does a page say, by a link with rel="me", that one of these addresses is its author's?"""
    wanted = {address.rstrip("/").lower() for address in own}
    return any(
        "me" in tag.words("rel") and _absolute(base, tag.attributes.get("href", "")).rstrip("/").lower() in wanted
        for tag in tags(html, _LINKS)
    )


def _absolute(base: str, href: str) -> str:
    try:
        return urljoin(base, href.strip())
    except ValueError:
        return ""


def _attributes(html: str, place: int) -> tuple[dict[str, str], int]:
    """The attributes from here to the end of the tag, and where that is; -1 when it has none."""
    found: dict[str, str] = {}
    while True:
        place = _after(_SPACE_OR_SLASH, html, place)
        if place >= len(html):
            return found, -1
        if html[place] == ">":
            return found, place + 1
        name = _NAME.match(html, place)
        if name is None:  # a lone equals sign
            place += 1
            continue
        value, place = _value(html, _after(_SPACE, html, name.end()))
        if place < 0:
            return found, -1
        if len(found) < ATTRIBUTES:
            found.setdefault(name[0][:50].lower(), value)


def _value(html: str, place: int) -> tuple[str, int]:
    if not html.startswith("=", place):
        return "", place
    place = _after(_SPACE, html, place + 1)
    quote = html[place : place + 1]
    if quote in ("'", '"'):
        end = html.find(quote, place + 1)
        return html[place + 1 : min(end, place + 1 + VALUE)], end + 1 if end >= 0 else -1
    end = _after(_BARE, html, place)
    return html[place : min(end, place + VALUE)], end


def _after(pattern: re.Pattern[str], html: str, place: int) -> int:
    match = pattern.match(html, place)
    return match.end() if match else place
