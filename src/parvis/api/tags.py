"""Hashtags: what they are, which one follows, which one shows on a profile."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.accounts import actions as people
from parvis.api.call import Call, Nothing, Paged, delete, get, post
from parvis.base.errors import Invalid, NotFound
from parvis.statuses import queries as statuses
from parvis.text import mentions as words
from parvis.timelines import actions
from parvis.views import tag as view
from parvis.views.uses import queries as views

LATEST, SUGGESTED = 1000, 10


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A hashtag by its name, however it is spelled."""

    name: str


class NewFeatured(msgspec.Struct, frozen=True, kw_only=True):
    """A hashtag for one's profile."""

    name: str = ""


class NamedOrNumbered(msgspec.Struct, frozen=True, kw_only=True):
    """A hashtag by its name or its id: no hashtag is a number alone."""

    id: str


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One featured hashtag, or one account."""

    id: int


async def _shown(call: Call, name: str) -> dict[str, Any]:
    return (await view.tags(call.read, call.eye(), [name]))[0]


@get("/api/v1/tags/{name}", who="anyone")
async def show(call: Call, args: Named) -> dict[str, Any]:
    """One hashtag and its last days, also if nobody has used it yet."""
    return await _shown(call, words.normal_tag(actions.tag_spelled(args.name)))


@post("/api/v1/tags/{name}/follow", "write:follows")
async def follow(call: Call, args: Named) -> dict[str, Any]:
    """Have what is said openly with a hashtag in one's home timeline."""
    return await _shown(call, await actions.follow_tag(call.tx, call.me_id, args.name))


@post("/api/v1/tags/{name}/unfollow", "write:follows")
async def unfollow(call: Call, args: Named) -> dict[str, Any]:
    """Follow a hashtag no more."""
    return await _shown(call, await actions.unfollow_tag(call.tx, call.me_id, args.name))


@get("/api/v1/followed_tags", "read:follows")
async def followed(call: Call, args: Paged) -> list[dict[str, Any]]:
    """The hashtags one follows."""
    rows = await views.followed_tags(call.read, call.me_id, args.page(100))
    call.link([row.row_id for row in rows])
    return await view.tags_by_id(call.read, call.eye(), [row.tag_id for row in rows])


@get("/api/v1/featured_tags", "read:accounts")
async def featured(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """The hashtags on one's profile."""
    return [view.featured(call.eye(), row) for row in await views.featured_tags(call.read, call.me_id)]


@get("/api/v1/featured_tags/suggestions", "read:accounts")
async def suggestions(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """The hashtags one uses most and could show on one's profile."""
    ids = await views.featurable_tags(call.read, call.me_id, LATEST, SUGGESTED)
    return await view.tags_by_id(call.read, call.eye(), ids)


@post("/api/v1/featured_tags", "write:accounts")
async def feature(call: Call, args: NewFeatured) -> dict[str, Any]:
    """Show a hashtag on one's profile."""
    if not args.name.strip():
        raise Invalid("name", "missing")
    if words.tag_name(args.name) is None:
        raise Invalid("name", "invalid")
    name = await actions.feature_tag(call.tx, call.me_id, args.name)
    rows = await views.featured_tags(call.tx, call.me_id)
    return next(view.featured(call.eye(), row) for row in rows if row.name == name)


@delete("/api/v1/featured_tags/{id}", "write:accounts")
async def drop_featured(call: Call, args: One) -> dict[str, Any]:
    """Show a hashtag on one's profile no more."""
    await actions.drop_featured_tag(call.tx, call.me_id, args.id)
    return {}


@get("/api/v1/accounts/{id}/featured_tags", "read:accounts", who="anyone")
async def featured_by(call: Call, args: One) -> list[dict[str, Any]]:
    """The hashtags on somebody's profile."""
    rows = await views.featured_tags(call.read, args.id)
    if not rows:
        await people.account(call.read, args.id)
    return [view.featured(call.eye(), row) for row in rows]


async def _named(call: Call, text: str) -> str:
    """A hashtag's name; an id is looked up."""
    if not (text.isascii() and text.isdigit()):
        return text
    found = await statuses.tag_numbered(call.tx, int(text)) if len(text) < 19 else None
    if found is None:
        raise NotFound("tag")
    return found


@post("/api/v1/tags/{id}/feature", "write:accounts")
async def feature_named(call: Call, args: NamedOrNumbered) -> dict[str, Any]:
    """Show this hashtag on one's profile."""
    name = await _named(call, args.id)
    return await _shown(call, await actions.feature_tag(call.tx, call.me_id, name))


@post("/api/v1/tags/{id}/unfeature", "write:accounts")
async def unfeature_named(call: Call, args: NamedOrNumbered) -> dict[str, Any]:
    """Show this hashtag on one's profile no more."""
    name = await _named(call, args.id)
    return await _shown(call, await actions.unfeature_tag(call.tx, call.me_id, name))
