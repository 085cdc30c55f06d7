"""What one does not want to read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from parvis.api.call import Call, Nothing, delete, get, post, put
from parvis.base.clock import mastodon_time
from parvis.base.errors import NotFound
from parvis.filters import actions, policy, queries
from parvis.filters.model import Action, Filter, FilteredStatus, Keyword, KeywordWish, Phrase, Wish

DEPRECATED = 1668384000


class One(msgspec.Struct, frozen=True, kw_only=True):
    """A filter, or a part of one."""

    id: int


class Within(msgspec.Struct, frozen=True, kw_only=True):
    """A filter, for its parts."""

    filter_id: int


class KeywordAttributes(msgspec.Struct, frozen=True, kw_only=True):
    """A word to add, or, with its id, to change or take out."""

    id: int | None = None
    keyword: str | None = None
    whole_word: bool | None = None
    destroy: bool = msgspec.field(default=False, name="_destroy")

    def wish(self) -> KeywordWish:
        """What is to become of the word."""
        return KeywordWish(id=self.id, keyword=self.keyword, whole_word=self.whole_word, destroy=self.destroy)


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter shall be; `expires_in` or `expires_at` without a value: for ever."""

    title: str | None = None
    context: list[str] | None = None
    filter_action: Action | None = None
    expires_in: int | msgspec.UnsetType | None = msgspec.UNSET
    expires_at: datetime | msgspec.UnsetType | None = msgspec.UNSET
    keywords_attributes: list[KeywordAttributes] = []

    def wish(self, now: datetime) -> Wish:
        """What is to become of the filter itself."""
        context = None if self.context is None else tuple(self.context)
        expires_at = _expiry(now, self.expires_in, self.expires_at)
        return Wish(title=self.title, context=context, action=self.filter_action, expires_at=expires_at)

    def words(self) -> list[KeywordWish]:
        """What is to become of its words."""
        return [one.wish() for one in self.keywords_attributes]


class ChangedFilter(Attributes, frozen=True, kw_only=True):
    """A filter, and what it shall be."""

    id: int


class NewKeyword(msgspec.Struct, frozen=True, kw_only=True):
    """A word for a filter."""

    filter_id: int
    keyword: str
    whole_word: bool | None = None


class ChangedKeyword(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a filter, and what it shall be."""

    id: int
    keyword: str
    whole_word: bool | None = None


class NewStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A post for a filter."""

    filter_id: int
    status_id: int


class NewPhrase(msgspec.Struct, frozen=True, kw_only=True):
    """A filter as older clients make it."""

    phrase: str
    context: list[str]
    irreversible: bool | None = None
    whole_word: bool | None = None
    expires_in: int | msgspec.UnsetType | None = msgspec.UNSET

    def wish(self, now: datetime, title: str | None = None) -> Wish:
        """What is to become of the filter around the phrase."""
        action: Action | None = None if self.irreversible is None else "hide" if self.irreversible else "warn"
        expires_at = _expiry(now, self.expires_in, msgspec.UNSET)
        return Wish(title=title, context=tuple(self.context), action=action, expires_at=expires_at)


class ChangedPhrase(NewPhrase, frozen=True, kw_only=True):
    """A phrase, and what it shall be."""

    id: int


def _expiry(
    now: datetime, seconds: int | msgspec.UnsetType | None, moment: datetime | msgspec.UnsetType | None
) -> datetime | msgspec.UnsetType | None:
    """When a filter runs out; unset where nothing is said of it."""
    if isinstance(seconds, msgspec.UnsetType):
        return moment if isinstance(moment, msgspec.UnsetType) else policy.expiry(now, None, moment)
    return policy.expiry(now, seconds, None if isinstance(moment, msgspec.UnsetType) else moment)


def _time(moment: datetime | None) -> str | None:
    return mastodon_time(moment) if moment else None


def _filter(row: Filter) -> dict[str, Any]:
    return {
        "id": str(row.id), "title": row.title, "context": row.context, "expires_at": _time(row.expires_at),
        "filter_action": row.action,
        "keywords": [
            {"id": str(one["id"]), "keyword": one["keyword"], "whole_word": one["whole_word"]} for one in row.keywords
        ],
        "statuses": [{"id": str(one["id"]), "status_id": str(one["status_id"])} for one in row.statuses],
    }


def _keyword(row: Keyword) -> dict[str, Any]:
    return {"id": str(row.id), "keyword": row.keyword, "whole_word": row.whole_word}


def _status(row: FilteredStatus) -> dict[str, Any]:
    return {"id": str(row.id), "status_id": str(row.status_id)}


def _phrase(row: Phrase) -> dict[str, Any]:
    return {
        "id": str(row.id), "phrase": row.keyword, "context": row.context, "whole_word": row.whole_word,
        "expires_at": _time(row.expires_at), "irreversible": row.action == "hide",
    }


@get("/api/v2/filters", "read:filters")
async def several(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """All of one's filters, those that have run out among them."""
    return [_filter(row) for row in await queries.all_of(call.read, call.me_id)]


@post("/api/v2/filters", "write:filters")
async def create(call: Call, args: Attributes) -> dict[str, Any]:
    """Make a filter."""
    return _filter(await actions.create(call.tx, await call.me(), args.wish(call.now), args.words()))


@get("/api/v2/filters/{id}", "read:filters")
async def show(call: Call, args: One) -> dict[str, Any]:
    """One of one's filters."""
    found = await queries.one(call.read, call.me_id, args.id)
    if found is None:
        raise NotFound("filter")
    return _filter(found)


@put("/api/v2/filters/{id}", "write:filters")
async def change(call: Call, args: ChangedFilter) -> dict[str, Any]:
    """Change a filter and its words; what is not said stays."""
    return _filter(await actions.change(call.tx, await call.me(), args.id, args.wish(call.now), args.words()))


@delete("/api/v2/filters/{id}", "write:filters")
async def destroy(call: Call, args: One) -> dict[str, Any]:
    """Take a filter away."""
    await actions.remove(call.tx, await call.me(), args.id)
    return {}


@get("/api/v2/filters/{filter_id}/keywords", "read:filters")
async def keywords(call: Call, args: Within) -> list[dict[str, Any]]:
    """The words of a filter."""
    found = await queries.keywords(call.read, call.me_id, args.filter_id)
    if not found and await queries.one(call.read, call.me_id, args.filter_id) is None:
        raise NotFound("filter")
    return [_keyword(row) for row in found]


@post("/api/v2/filters/{filter_id}/keywords", "write:filters")
async def add_keyword(call: Call, args: NewKeyword) -> dict[str, Any]:
    """Look for one word more."""
    word = KeywordWish(keyword=args.keyword, whole_word=args.whole_word)
    return _keyword(await actions.add_keyword(call.tx, await call.me(), args.filter_id, word))


@get("/api/v2/filters/keywords/{id}", "read:filters")
async def keyword(call: Call, args: One) -> dict[str, Any]:
    """One word of one's filters."""
    found = await queries.keyword(call.read, call.me_id, args.id)
    if found is None:
        raise NotFound("keyword")
    return _keyword(found)


@put("/api/v2/filters/keywords/{id}", "write:filters")
async def change_keyword(call: Call, args: ChangedKeyword) -> dict[str, Any]:
    """Look for another word instead."""
    word = KeywordWish(keyword=args.keyword, whole_word=args.whole_word)
    return _keyword(await actions.change_keyword(call.tx, await call.me(), args.id, word))


@delete("/api/v2/filters/keywords/{id}", "write:filters")
async def remove_keyword(call: Call, args: One) -> dict[str, Any]:
    """Look for a word no longer."""
    await actions.remove_keyword(call.tx, await call.me(), args.id)
    return {}


@get("/api/v2/filters/{filter_id}/statuses", "read:filters")
async def statuses(call: Call, args: Within) -> list[dict[str, Any]]:
    """The posts that a filter names itself."""
    found = await queries.statuses(call.read, call.me_id, args.filter_id)
    if not found and await queries.one(call.read, call.me_id, args.filter_id) is None:
        raise NotFound("filter")
    return [_status(row) for row in found]


@post("/api/v2/filters/{filter_id}/statuses", "write:filters")
async def add_status(call: Call, args: NewStatus) -> dict[str, Any]:
    """Filter one post."""
    return _status(await actions.add_status(call.tx, await call.me(), args.filter_id, args.status_id))


@get("/api/v2/filters/statuses/{id}", "read:filters")
async def status(call: Call, args: One) -> dict[str, Any]:
    """One of the posts that one's filters name."""
    found = await queries.status(call.read, call.me_id, args.id)
    if found is None:
        raise NotFound("filter")
    return _status(found)


@delete("/api/v2/filters/statuses/{id}", "write:filters")
async def remove_status(call: Call, args: One) -> dict[str, Any]:
    """Filter one post no longer; what is taken away is the answer."""
    return _status(await actions.remove_status(call.tx, await call.me(), args.id))


@get("/api/v1/filters", "read:filters", deprecated=DEPRECATED)
async def phrases(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """Each word of one's filters, as older clients see filters."""
    return [_phrase(row) for row in await queries.phrases(call.read, call.me_id)]


@get("/api/v1/filters/{id}", "read:filters", deprecated=DEPRECATED)
async def phrase(call: Call, args: One) -> dict[str, Any]:
    """One word of one's filters, by the word's id."""
    found = await queries.phrase(call.read, call.me_id, args.id)
    if found is None:
        raise NotFound("filter")
    return _phrase(found)


@post("/api/v1/filters", "write:filters", deprecated=DEPRECATED)
async def create_phrase(call: Call, args: NewPhrase) -> dict[str, Any]:
    """Make a filter of a single phrase."""
    word = KeywordWish(keyword=args.phrase, whole_word=bool(args.whole_word))
    return _phrase(await actions.create_phrase(call.tx, await call.me(), args.wish(call.now, args.phrase), word))


@put("/api/v1/filters/{id}", "write:filters", deprecated=DEPRECATED)
async def change_phrase(call: Call, args: ChangedPhrase) -> dict[str, Any]:
    """Change a phrase, and its filter if it has no other."""
    word = KeywordWish(keyword=args.phrase, whole_word=args.whole_word)
    return _phrase(await actions.change_phrase(call.tx, await call.me(), args.id, args.wish(call.now), word))


@delete("/api/v1/filters/{id}", "write:filters", deprecated=DEPRECATED)
async def destroy_phrase(call: Call, args: One) -> dict[str, Any]:
    """Look for a phrase no longer; its filter stays."""
    await actions.remove_keyword(call.tx, await call.me(), args.id)
    return {}
