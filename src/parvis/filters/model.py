"""What a filter is, and what it says of a post."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Action = Literal["warn", "hide", "blur"]
CONTEXTS = ("home", "notifications", "public", "thread", "account")


class Filter(msgspec.Struct, frozen=True):
    """Words and posts somebody does not want to read, where, until when, and what is done instead."""

    id: int
    title: str
    context: list[str]
    action: Action
    expires_at: datetime | None
    keywords: list[dict[str, Any]]
    statuses: list[dict[str, Any]]


class Keyword(msgspec.Struct, frozen=True):
    """A word or phrase of a filter."""

    id: int
    filter_id: int
    keyword: str
    whole_word: bool


class FilteredStatus(msgspec.Struct, frozen=True):
    """A post that a filter names itself."""

    id: int
    filter_id: int
    status_id: int


class Phrase(msgspec.Struct, frozen=True):
    """A word of a filter with the filter around it: what the first version of the API calls a filter."""

    id: int
    filter_id: int
    keyword: str
    whole_word: bool
    context: list[str]
    action: Action
    expires_at: datetime | None
    siblings: int


class Totals(msgspec.Struct, frozen=True):
    """How much somebody's filters hold."""

    filters: int
    keywords: int
    statuses: int


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter shall be; None leaves a part as it is."""

    title: str | None = None
    context: tuple[str, ...] | None = None
    action: Action | None = None
    expires_at: datetime | msgspec.UnsetType | None = msgspec.UNSET


class KeywordWish(msgspec.Struct, frozen=True, kw_only=True):
    """A word to add, or, with an id, to change or take out."""

    id: int | None = None
    keyword: str | None = None
    whole_word: bool | None = None
    destroy: bool = False


class LiveKeyword(msgspec.Struct, frozen=True):
    """A word that is looked for."""

    keyword: str
    whole_word: bool


class Live(msgspec.Struct, frozen=True):
    """A filter that has not run out, as posts are held against it; of the posts it names, those at hand."""

    id: int
    title: str
    context: list[str]
    action: Action
    expires_at: datetime | None
    keywords: list[LiveKeyword]
    statuses: list[int]


class Needle(msgspec.Struct, frozen=True):
    """A keyword made ready to be looked for: as it was typed, and in the form in which texts are compared."""

    typed: str
    folded: str
    whole_word: bool


class Sieve(msgspec.Struct, frozen=True):
    """A live filter made ready for a page of posts."""

    filter: Live
    needles: tuple[Needle, ...]


class Match(msgspec.Struct, frozen=True):
    """What a filter found in a post."""

    filter: Live
    keywords: tuple[str, ...]
    statuses: tuple[int, ...]


class FiltersChanged(msgspec.Struct, frozen=True):
    """Somebody's filters are not what they were."""

    account: int
