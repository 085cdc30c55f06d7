"""Posts that wait for their hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from parvis.api import entities, errors
from parvis.api.call import Call, Paged, delete, get, put
from parvis.base.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Problem, Refused
from parvis.composing import actions as composing
from parvis.composing import queries
from parvis.composing.model import Refusal, Scheduled
from parvis.media import queries as files

KINDS: tuple[type[Problem], ...] = (NotFound, Gone, Forbidden, Refused, Conflict)


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One of one's own."""

    id: int


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """One of one's own, and its new date."""

    id: int
    scheduled_at: str = ""


async def all_waiting(call: Call, rows: Sequence[Scheduled]) -> list[dict[str, Any]]:
    """ScheduledStatus entities."""
    kept = {file.id: file for file in await files.held(call.read, [row.id for row in rows])} if rows else {}
    return [entities.scheduled(row, kept, _told(row), call.settings) for row in rows]


async def waiting(call: Call, row: Scheduled) -> dict[str, Any]:
    """A ScheduledStatus."""
    return (await all_waiting(call, [row]))[0]


def _told(row: Scheduled) -> str | None:
    """Why it could not be published, in the words that a client would have got."""
    if row.refusal is None:
        return None
    why = msgspec.convert(row.refusal, Refusal)
    kind = next((kind for kind in KINDS if kind.__name__ == why.kind), Refused)
    problem = Invalid(why.field, why.word) if why.kind == "Invalid" else kind(why.word)
    return str(errors.told(problem)[1]["error"])


@get("/api/v1/scheduled_statuses", "read:statuses")
async def listed(call: Call, args: Paged) -> list[dict[str, Any]]:
    """What one wants to publish later, with what could not be published and why."""
    rows = await queries.page(call.read, call.me_id, args.page())
    call.link([row.id for row in rows])
    return await all_waiting(call, rows)


@get("/api/v1/scheduled_statuses/{id}", "read:statuses")
async def show(call: Call, args: One) -> dict[str, Any]:
    """Look at one."""
    return await waiting(call, await composing.own(call.read, call.me_id, args.id))


@put("/api/v1/scheduled_statuses/{id}", "write:statuses")
async def postpone(call: Call, args: Later) -> dict[str, Any]:
    """Give one another date."""
    if not args.scheduled_at.strip():
        return await waiting(call, await composing.own(call.read, call.me_id, args.id))
    at = composing.moment(args.scheduled_at)
    return await waiting(call, await composing.postpone(call.tx, await call.me(), args.id, at))


@delete("/api/v1/scheduled_statuses/{id}", "write:statuses")
async def cancel(call: Call, args: One) -> dict[str, Any]:
    """Do not publish one."""
    await composing.cancel(call.tx, await call.me(), args.id)
    return {}
