"""Lists of people one follows."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.accounts import actions as people
from parvis.api import entities
from parvis.api.call import Call, Nothing, Paged, delete, get, post, put
from parvis.base.ids import LARGEST, Page
from parvis.timelines import actions, queries
from parvis.timelines.model import RepliesPolicy
from parvis.views import account as view
from parvis.views import queries as views


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One list, or one account."""

    id: int


class NewList(msgspec.Struct, frozen=True, kw_only=True):
    """A list about to be made."""

    title: str = ""
    replies_policy: RepliesPolicy = "list"
    exclusive: bool = False


class ChangedList(msgspec.Struct, frozen=True, kw_only=True):
    """What is changed of a list."""

    id: int
    title: str | None = None
    replies_policy: RepliesPolicy | None = None
    exclusive: bool | None = None


class Members(Paged, frozen=True, kw_only=True):
    """Who is in a list; with a limit of 0, all of them."""

    id: int

    def stretch(self) -> Page:
        """The stretch asked for."""
        page = self.page(40)
        return msgspec.structs.replace(page, limit=LARGEST) if self.limit == 0 else page


class Some(msgspec.Struct, frozen=True, kw_only=True):
    """A list and some people."""

    id: int
    account_ids: list[int] = []


@get("/api/v1/lists", "read:lists")
async def several(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """One's lists."""
    return [entities.list_of_people(row) for row in await queries.lists(call.read, call.me_id)]


@get("/api/v1/lists/{id}", "read:lists")
async def show(call: Call, args: One) -> dict[str, Any]:
    """One of them."""
    return entities.list_of_people(await actions.own_list(call.read, call.me_id, args.id))


@post("/api/v1/lists", "write:lists")
async def make(call: Call, args: NewList) -> dict[str, Any]:
    """Make a list."""
    made = await actions.make_list(call.tx, call.me_id, args.title, args.replies_policy, args.exclusive)
    return entities.list_of_people(made)


@put("/api/v1/lists/{id}", "write:lists")
async def change(call: Call, args: ChangedList) -> dict[str, Any]:
    """Change a list; what is not given stays."""
    wish = (args.title, args.replies_policy, args.exclusive)
    return entities.list_of_people(await actions.change_list(call.tx, call.me_id, args.id, *wish))


@delete("/api/v1/lists/{id}", "write:lists")
async def drop(call: Call, args: One) -> dict[str, Any]:
    """Have a list no more."""
    await actions.drop_list(call.tx, call.me_id, args.id)
    return {}


@get("/api/v1/lists/{id}/accounts", "read:lists")
async def members(call: Call, args: Members) -> bytes:
    """Who is in a list."""
    rows = await views.listed(call.read, "members", args.id, args.stretch(), call.me_id)
    if not rows:
        await actions.own_list(call.read, call.me_id, args.id)
    if args.limit != 0:
        call.link([row.row_id for row in rows])
    return await view.page(call.read, call.eye(), [row.account_id for row in rows])


@post("/api/v1/lists/{id}/accounts", "write:lists")
async def enlist(call: Call, args: Some) -> dict[str, Any]:
    """Put people one follows in a list."""
    await actions.enlist(call.tx, call.me_id, args.id, args.account_ids)
    return {}


@delete("/api/v1/lists/{id}/accounts", "write:lists")
async def delist(call: Call, args: Some) -> dict[str, Any]:
    """Take people out of a list."""
    await actions.delist(call.tx, call.me_id, args.id, args.account_ids)
    return {}


@get("/api/v1/accounts/{id}/lists", "read:lists")
async def with_account(call: Call, args: One) -> list[dict[str, Any]]:
    """Those of one's lists that somebody is in."""
    rows = await queries.lists(call.read, call.me_id, args.id)
    if not rows:
        await people.account(call.read, args.id)
    return [entities.list_of_people(row) for row in rows]
