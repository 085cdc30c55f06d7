"""What a page says about itself."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page and its own words for itself. `canonical` is false where another address is the page's own."""

    url: str
    canonical: bool
    title: str
    description: str = ""
    language: str | None = None
    author_name: str = ""
    author_url: str = ""
    provider_name: str = ""
    provider_url: str = ""
    image_url: str | None = None
    image_description: str = ""
    width: int = 0
    height: int = 0
    published_at: datetime | None = None


class Wanted(msgspec.Struct, frozen=True):
    """A page that is to be fetched, and how often that was tried, this time included."""

    url: str
    tries: int
