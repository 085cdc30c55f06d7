"""How many lists and hashtags one may have, and what they may be called. Pure."""

from __future__ import annotations

from parvis.base.errors import Invalid

LISTS = 50
TITLE = 256
FEATURED_TAGS = 10


def title(text: str) -> str:
    """A list has a name that can be read."""
    if not text.strip():
        raise Invalid("title", "blank")
    if len(text) > TITLE:
        raise Invalid("title", "too_long", limit=TITLE)
    return text.strip()


def may_have_another_list(count: int) -> None:
    """Fifty lists are enough."""
    if count >= LISTS:
        raise Invalid("lists", "too_many", limit=LISTS)


def may_feature_another_tag(count: int) -> None:
    """A profile shows at most ten hashtags."""
    if count >= FEATURED_TAGS:
        raise Invalid("featured_tags", "too_many", limit=FEATURED_TAGS)
