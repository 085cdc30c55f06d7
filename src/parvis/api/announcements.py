"""What the city tells everybody on it."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.announcements import actions, queries
from parvis.api.call import Call, delete, get, post, put
from parvis.views import announcement as view


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which announcements."""

    with_dismissed: bool = False


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One announcement."""

    id: int


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement, and an emoji: of Unicode, or the name of one of the city's."""

    id: int
    name: str


@get("/api/v1/announcements", who="user")
async def several(call: Call, args: Wanted) -> list[dict[str, Any]]:
    """What is announced at this moment; what one has read only on request."""
    found = await queries.current(call.read, call.me_id, args.with_dismissed)
    return [view.announcement(row, call.me_id, call.settings) for row in found]


@post("/api/v1/announcements/{id}/dismiss", "write:accounts")
async def dismiss(call: Call, args: One) -> dict[str, Any]:
    """Have read one."""
    await actions.dismiss(call.tx, await call.me(), args.id)
    return {}


@put("/api/v1/announcements/{id}/reactions/{name}", "write:favourites")
async def react(call: Call, args: Reaction) -> dict[str, Any]:
    """Put an emoji under one; at most eight different ones stand there."""
    await actions.react(call.tx, await call.me(), args.id, args.name)
    return {}


@delete("/api/v1/announcements/{id}/reactions/{name}", "write:favourites")
async def unreact(call: Call, args: Reaction) -> dict[str, Any]:
    """Take one's emoji back."""
    await actions.unreact(call.tx, await call.me(), args.id, args.name)
    return {}
