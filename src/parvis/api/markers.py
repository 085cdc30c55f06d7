"""Where one stopped reading."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.api import entities
from parvis.api.call import Call, get, post
from parvis.timelines import actions, queries
from parvis.timelines.model import Place


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """For which timelines."""

    timeline: list[str] = []


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """The last thing that was read."""

    last_read_id: int


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Where one stopped in which timeline."""

    home: Position | None = None
    notifications: Position | None = None


@get("/api/v1/markers", "read:statuses")
async def markers(call: Call, args: Wanted) -> dict[str, Any]:
    """Where one stopped in the timelines that are named; those never marked are left out."""
    rows = await queries.markers(call.read, call.me_id, args.timeline)
    return {row.timeline: entities.marker(row) for row in rows}


@post("/api/v1/markers", "write:statuses")
async def move(call: Call, args: Moved) -> dict[str, Any]:
    """Note where one stopped reading, in one timeline or both."""
    wanted: list[tuple[Place, Position | None]] = [("home", args.home), ("notifications", args.notifications)]
    return {
        place: entities.marker(await actions.stop_reading(call.tx, call.me_id, place, position.last_read_id))
        for place, position in wanted if position is not None
    }
