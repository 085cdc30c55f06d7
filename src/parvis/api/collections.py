"""Collections of people."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.accounts import actions as accounts
from parvis.api import offsets
from parvis.api.call import Call, delete, get, patch, post
from parvis.api.offsets import Offset
from parvis.base.errors import Invalid, NotFound
from parvis.collections import actions, queries
from parvis.collections.model import Collection, Wish
from parvis.text import language
from parvis.views import account as people
from parvis.views import collection as view

DEFAULT = 40


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One collection."""

    id: int


class NewCollection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection about to be made."""

    name: str = ""
    description: str = ""
    language: str | None = None
    sensitive: bool = False
    discoverable: bool = True
    tag_name: str | None = None
    account_ids: list[int] = []


class ChangedCollection(msgspec.Struct, frozen=True, kw_only=True):
    """What is changed of a collection."""

    id: int
    name: str | None = None
    description: str | None = None
    language: str | None = None
    sensitive: bool | None = None
    discoverable: bool | None = None
    tag_name: str | None = None


class Whose(Offset, frozen=True, kw_only=True):
    """Somebody's collections."""

    account_id: int


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to put in which collection."""

    collection_id: int
    account_id: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a collection."""

    collection_id: int
    id: int


def _wish(args: NewCollection | ChangedCollection) -> Wish:
    given: dict[str, Any] = {
        name: value for name in ("name", "description", "sensitive", "discoverable")
        if (value := getattr(args, name)) is not None
    }
    if args.language is not None:
        given["language"] = language.valid(args.language)
        if args.language and given["language"] is None:
            raise Invalid("language", "invalid")
    if args.tag_name is not None:
        written = args.tag_name.strip().removeprefix("#")
        given["tag"] = written or None
    return Wish(**given)


async def _wrapped(call: Call, collection_id: int) -> dict[str, Any]:
    row = await actions.collection(call.read, call.viewer, collection_id)
    return {"collection": view.entity(row, call.settings)}


def _several(call: Call, stretch: tuple[int, int], rows: list[Collection]) -> dict[str, Any]:
    offsets.link(call, stretch, len(rows))
    return {"collections": [view.entity(row, call.settings) for row in rows]}


@post("/api/v1/collections", "write:collections")
async def create(call: Call, args: NewCollection) -> dict[str, Any]:
    """Make a collection of at most 25 people; one has at most ten."""
    return await _wrapped(call, await actions.create(call.tx, await call.me(), _wish(args), args.account_ids))


@get("/api/v1/collections/{id}", "read:collections", who="anyone")
async def show(call: Call, args: One) -> dict[str, Any]:
    """Look at a collection and at who is in it."""
    row = await actions.collection(call.read, call.viewer, args.id)
    wanted = [row.account_id, *(int(item["account_id"]) for item in row.items)]
    found = await people.accounts(call.read, call.eye(), list(dict.fromkeys(wanted)))
    return {
        "collection": view.entity(row, call.settings),
        "accounts": [msgspec.Raw(found[number]) for number in dict.fromkeys(wanted) if number in found],
    }


@patch("/api/v1/collections/{id}", "write:collections")
async def change(call: Call, args: ChangedCollection) -> dict[str, Any]:
    """Let a collection of one's own say something else."""
    await actions.change(call.tx, await call.me(), args.id, _wish(args))
    return await _wrapped(call, args.id)


@delete("/api/v1/collections/{id}", "write:collections")
async def drop(call: Call, args: One) -> dict[str, Any]:
    """Do away with a collection of one's own."""
    await actions.drop(call.tx, await call.me(), args.id)
    return {}


@get("/api/v1/accounts/{account_id}/collections", "read:collections", who="anyone")
async def collections(call: Call, args: Whose) -> dict[str, Any]:
    """Somebody's collections."""
    stretch = args.stretch(DEFAULT)
    rows = await queries.of_account(call.read, call.viewer, args.account_id, *stretch)
    if not rows:
        await accounts.account(call.read, args.account_id)
    return _several(call, stretch, rows)


@get("/api/v1/accounts/{account_id}/in_collections", "read:collections")
async def in_collections(call: Call, args: Whose) -> dict[str, Any]:
    """In which collections one is; of others nobody is told."""
    if args.account_id != call.me_id:
        raise NotFound("account")
    stretch = args.stretch(DEFAULT)
    return _several(call, stretch, await queries.holding(call.read, call.me_id, *stretch))


@post("/api/v1/collections/{collection_id}/items", "write:collections")
async def put(call: Call, args: NewItem) -> dict[str, Any]:
    """Put somebody in a collection of one's own."""
    made = await actions.put(call.tx, await call.me(), args.collection_id, args.account_id)
    return {"collection_item": view.item(made)}


@delete("/api/v1/collections/{collection_id}/items/{id}", "write:collections")
async def take_out(call: Call, args: Place) -> dict[str, Any]:
    """Take somebody out of a collection of one's own."""
    await actions.take_out(call.tx, await call.me(), args.collection_id, args.id)
    return {}


@post("/api/v1/collections/{collection_id}/items/{id}/revoke", "write:collections")
async def revoke(call: Call, args: Place) -> dict[str, Any]:
    """Take oneself out of somebody's collection, for good."""
    await actions.revoke(call.tx, await call.me(), args.collection_id, args.id)
    return {}
