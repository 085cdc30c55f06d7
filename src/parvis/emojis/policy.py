"""What may be an emoji. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from parvis.base.errors import Invalid
from parvis.emojis.model import Heard

BYTES = 256 * 1024
PIXELS = 4_000_000
SIDE = 256
CATEGORY = 100
HEARD = 50
"""How many emoji of one document are learnt."""
SHORTCODE = re.compile(r"[A-Za-z0-9_]{2,100}", re.ASCII)


def shortcode(text: str) -> str:
    """A name has letters, digits and underscores, at least two; colons around it are only how it is written."""
    name = text.removeprefix(":").removesuffix(":")
    if not SHORTCODE.fullmatch(name):
        raise Invalid("shortcode", "invalid")
    return name


def category(text: str | None) -> str | None:
    """Under what it stands among the others; blanks are nothing."""
    if text is None or not text.strip():
        return None
    if len(text) > CATEGORY:
        raise Invalid("category", "too_long", limit=CATEGORY)
    return text.strip()


def may_draw(size: int) -> None:
    """An emoji's file has at most 256 KB."""
    if size > BYTES:
        raise Invalid("file", "too_large", limit=BYTES)


def learnable(heard: Iterable[Heard], plain_http: bool) -> list[Heard]:
    """Of what a document shows, what may be kept: a usable name each, over https, not too many."""
    schemes = ("https://", "http://") if plain_http else ("https://",)
    fit = {
        one.shortcode: one for one in heard
        if SHORTCODE.fullmatch(one.shortcode) and one.url.lower().startswith(schemes)
    }
    return list(fit.values())[:HEARD]
