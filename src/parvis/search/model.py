"""What somebody looks for."""

from __future__ import annotations

from datetime import date

import msgspec

ME = ("", "")
"""The handle that `from:me` stands for."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A search as it was understood: all of the words, any of the authors and languages, every mark."""

    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    authors: tuple[tuple[str, str], ...] = ()
    not_authors: tuple[tuple[str, str], ...] = ()
    marks: frozenset[str] = frozenset()
    not_marks: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    not_languages: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None
    not_on: frozenset[date] = frozenset()

    @property
    def asks(self) -> bool:
        """Does it ask for anything? What it does not want is not enough."""
        return bool(self.words or self.authors or self.marks or self.languages or self.since or self.until)


class Named(msgspec.Struct, frozen=True):
    """A name as it was typed, and the handle it is when it is one; domain '' for this city."""

    text: str
    username: str
    domain: str


class Stretch(msgspec.Struct, frozen=True):
    """Which of the results: a number of them, after some."""

    limit: int = 20
    offset: int = 0
