"""What one is told."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.api.call import Call, Nothing, Paged, get, post
from parvis.base.errors import NotFound
from parvis.notifications import queries
from parvis.views import notification as view


class Wanted(Paged, frozen=True, kw_only=True):
    """Which notifications."""

    types: list[str] = []
    exclude_types: list[str] = []
    account_id: int | None = None
    include_filtered: bool = False


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One notification."""

    id: int


@get("/api/v1/notifications", "read:notifications")
async def several(call: Call, args: Wanted) -> bytes:
    """The newest first."""
    rows = await queries.page(
        call.read, call.me_id, args.page(40), args.types, args.exclude_types, args.account_id
    )
    call.link([row.id for row in rows])
    return b"[%s]" % b",".join(await view.notifications(call.read, call.eye(), rows))


@get("/api/v1/notifications/unread_count", "read:notifications")
async def unread_count(call: Call, _: Nothing) -> dict[str, int]:
    """How many there are, up to a hundred."""
    return {"count": await queries.unread(call.read, call.me_id, 100)}


@get("/api/v1/notifications/{id}", "read:notifications")
async def show(call: Call, args: One) -> bytes:
    """One of them."""
    row = await queries.one(call.read, call.me_id, args.id)
    found = await view.notifications(call.read, call.eye(), [row]) if row else []
    if not found:
        raise NotFound("notification")
    return found[0]


@post("/api/v1/notifications/clear", "write:notifications")
async def clear(call: Call, _: Nothing) -> dict[str, Any]:
    """Take all away."""
    await queries.clear(call.tx, call.me_id)
    return {}


@post("/api/v1/notifications/{id}/dismiss", "write:notifications")
async def dismiss(call: Call, args: One) -> dict[str, Any]:
    """Take one away."""
    if not await queries.dismiss(call.tx, call.me_id, args.id):
        raise NotFound("notification")
    return {}
