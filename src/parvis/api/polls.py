"""Polls."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec

from parvis.api.call import Call, get, post
from parvis.base.errors import NotFound
from parvis.federation import fetch
from parvis.polls import queries
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.views import poll as view

PATIENCE = 5.0


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One poll."""

    id: int


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """A poll, and the places of the answers that are chosen."""

    id: int
    choices: list[int] = []


@get("/api/v1/polls/{id}", "read:statuses", who="anyone", tx="none")
async def show(call: Call, args: One) -> dict[str, Any]:
    """Look at a poll. That of another server is asked for its counts when somebody who lives here looks."""
    async with call.opening("read"):
        poll = await queries.by_id(call.read, args.id)
        if poll is None:
            raise NotFound("poll")
        await posts.visible(call.read, poll.status_id, call.viewer)
        if poll.local or call.viewer is None:
            return await view.poll(call.read, call.viewer, args.id, call.settings)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await fetch.poll(call.job, poll.status_id)
    async with call.opening("read"):
        return await view.poll(call.read, call.viewer, args.id, call.settings)


@post("/api/v1/polls/{id}/votes", "write:statuses")
async def vote(call: Call, args: Vote) -> dict[str, Any]:
    """Answer a poll, once."""
    await statuses.vote(call.tx, await call.me(), args.id, args.choices)
    return await view.poll(call.read, call.viewer, args.id, call.settings)
