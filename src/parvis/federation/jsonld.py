"""The values of a document, in whatever shape servers send them: alone or in a list, named or written out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from parvis.base import http
from parvis.base.errors import Invalid, Upstream

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_ITEMS = 500
URL_LENGTH = 2_048  # bytes: no index could hold a longer one
Document = dict[str, Any]


def document(body: bytes) -> Document:
    """A JSON object within the limits of size and depth, or Invalid."""
    if len(body) > MAX_BYTES:
        raise Invalid("body", "too_large", limit=MAX_BYTES)
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Invalid("body", "not_json") from error
    if not isinstance(found, dict):
        raise Invalid("body", "not_an_object")
    if _deeper(found, MAX_DEPTH):
        raise Invalid("body", "too_deep", limit=MAX_DEPTH)
    return found


def _deeper(value: object, left: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner: Iterable[object] = value.values() if isinstance(value, dict) else value
    return left == 0 or any(_deeper(one, left - 1) for one in inner)


# As nearly every address is written: what this takes, `http.parsed` takes too and reads alike, ten times slower.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_PLAIN = re.compile(
    rf"(https?)://({_OCTET}(?:\.{_OCTET}){{3}}|(?=[^/:]{{1,253}}(?:[/:]|\Z))(?:[a-z0-9_-]{{1,63}}\.)*[a-z][a-z0-9_-]{{0,62}})"
    r"(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}))?(?:/[!-~]{0,2000})?"
)
_USUAL = {("http", "80"), ("https", "443")}


def host(uri: str) -> str:
    """The server an address belongs to, with its port when that is not the usual one; empty when it is no address."""
    plain = _PLAIN.fullmatch(uri)
    if plain is not None:
        scheme, name, port = plain.groups()
        return name if port is None or (scheme, port) in _USUAL else f"{name}:{port}"
    if not uri.startswith(("https://", "http://")):
        return ""
    try:
        return http.parsed(uri).raw_authority
    except Upstream:
        return ""


def count(value: object) -> int | None:
    """A number of things, if it can be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def size(value: object) -> int | None:
    """A length in pixels, if it can be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000 else None


def kind(found: Mapping[str, Any]) -> str:
    """The type, of several the first; without its prefix."""
    types = [one for one in items(found.get("type")) if isinstance(one, str)]
    return types[0].removeprefix("as:").removeprefix("litepub:").removeprefix("toot:") if types else ""


def items(value: object) -> list[Any]:
    """What stands alone, as a list of one; nothing, as an empty one."""
    if isinstance(value, list):
        return value[:MAX_ITEMS]
    return [] if value is None else [value]


def text(value: object) -> str:
    """A string, or the first one of a list; anything else is empty."""
    return next((one for one in items(value) if isinstance(one, str)), "")


def reference(value: object) -> str | None:
    """The id of what is named or written out."""
    return next(iter(references(value)), None)


def references(value: object) -> tuple[str, ...]:
    """The ids of everything named or written out."""
    ids = (one.get("id") if isinstance(one, dict) else one for one in items(value))
    return tuple(one for one in ids if isinstance(one, str) and 0 < len(one.encode()) <= URL_LENGTH)


def address(value: object) -> str | None:
    """The id of what is named, when it is a web address."""
    found = reference(value)
    return found if found is not None and host(found) else None


def page(value: object) -> str | None:
    """The page people read: of several links the one to HTML, else the first."""
    links = items(value)
    html = [one for one in links if isinstance(one, dict) and text(one.get("mediaType")) == "text/html"]
    return picture({"url": [*html, *links]})


def picture(value: object) -> str | None:
    """Where an image or file is: written out, linked, or only named."""
    for one in items(value):
        found = one.get("url") or one.get("href") if isinstance(one, dict) else one
        for link in items(found):
            url = link.get("href") or link.get("url") if isinstance(link, dict) else link
            if isinstance(url, str) and len(url.encode()) <= URL_LENGTH and host(url):
                return url
    return None


def moment(value: object) -> datetime | None:
    """A time in UTC; one without a zone is taken for UTC."""
    try:
        found = datetime.fromisoformat(text(value))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def needed(found: Document, name: str) -> str:
    """The id that must be there, or Invalid."""
    value = reference(found.get(name))
    if value is None or not host(value):
        raise Invalid(name, "missing")
    return value
