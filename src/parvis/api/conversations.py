"""What one and others say to each other directly."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.api.call import Call, Paged, delete, get, post
from parvis.base.errors import NotFound
from parvis.timelines import actions
from parvis.views import conversation as view
from parvis.views import queries as views


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation."""

    id: int


@get("/api/v1/conversations", "read:statuses")
async def several(call: Call, args: Paged) -> bytes:
    """One's conversations, that with the newest post first."""
    rows = await views.conversations(call.read, call.me_id, args.page())
    call.link([row.last_status_id for row in rows])
    return b"[%s]" % b",".join(await view.conversations(call.read, call.eye(), rows))


@delete("/api/v1/conversations/{id}", "write:conversations")
async def drop(call: Call, args: One) -> dict[str, Any]:
    """Take a conversation away; its posts stay."""
    await actions.drop_conversation(call.tx, call.me_id, args.id)
    return {}


async def _marked(call: Call, row_id: int, unread: bool) -> bytes:
    await actions.mark_conversation(call.tx, call.me_id, row_id, unread)
    found = await view.conversation(call.tx, call.eye(), row_id)
    if found is None:
        raise NotFound("conversation")
    return found


@post("/api/v1/conversations/{id}/read", "write:conversations")
async def read(call: Call, args: One) -> bytes:
    """One has read it."""
    return await _marked(call, args.id, unread=False)


@post("/api/v1/conversations/{id}/unread", "write:conversations")
async def unread(call: Call, args: One) -> bytes:
    """One wants to read it again."""
    return await _marked(call, args.id, unread=True)
