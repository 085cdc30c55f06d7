"""What somebody looks for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

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


Source = Literal["friends_of_friends", "similar_to_recently_followed", "most_interactions", "most_followed"]


class Candidate(msgspec.Struct, frozen=True):
    """Somebody to follow, as one source knows them: its first, its second, ..."""

    source: Source
    account_id: int
    place: int


class Suggestion(msgspec.Struct, frozen=True):
    """Somebody to follow, and every source that named them, the one that counts most first."""

    account_id: int
    sources: tuple[Source, ...]


class File(msgspec.Struct, frozen=True):
    """What moderators know of an account. Addresses of machines are not among it: they are not kept."""

    id: int
    username: str
    domain: str | None
    created_at: datetime
    email: str | None
    locale: str | None
    role: str | None
    confirmed: bool
    approved: bool
    disabled: bool
    sensitized: bool
    silenced: bool
    suspended: bool
    reason: str | None
    application_id: int | None
    invited_by_id: int | None


class FileFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts somebody looks for."""

    local: bool | None = None
    status: str | None = None
    roles: list[str] | None = None
    username: str = ""
    display_name: str = ""
    domain: str = ""
    email: str = ""
    invited_by: int | None = None
