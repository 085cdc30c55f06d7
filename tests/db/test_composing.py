"""What waits for its hour is published exactly once, whatever dies while it is published."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from conftest import Person, Server
from parvis import wiring
from parvis.app import App
from parvis.base import db as database
from parvis.base.db import Reactions, Tx
from parvis.base.errors import Refused
from parvis.base.jobs import Job
from parvis.composing import actions as composing
from parvis.composing import queries
from parvis.composing.model import City, Scheduled, Wish
from parvis.statuses.model import Posted

CITY = City("http://localhost", "localhost")


async def waiting(app: App, by: Person, owner: asyncpg.Connection[Any], text: str = "Once") -> Scheduled:
    """Something whose hour has come."""
    async with app.db.write() as tx:
        made = await composing.schedule(tx, await composing.author(tx, by.account.id), Wish(text=text), CITY, tx.now + timedelta(hours=1))
    await due(owner)
    return made


async def due(owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("UPDATE scheduled_statuses SET due_at = parvis_now() WHERE due_at IS NOT NULL")


async def said(owner: asyncpg.Connection[Any]) -> list[str]:
    return [row[0] for row in await owner.fetch("SELECT text FROM statuses ORDER BY id")]


async def left(owner: asyncpg.Connection[Any]) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM scheduled_statuses"))


async def with_reaction(server: Server, app: App, name: str, reaction: Any) -> Job:
    """The same city, where something happens at the end of each post's transaction."""
    before = wiring.REACTIONS[Posted]
    rows: Mapping[type, Reactions] = {**wiring.REACTIONS, Posted: Reactions((*before.now, reaction), before.later)}
    return msgspec.structs.replace(app.job, db=await database.connect(server.url("parvis_app", name), reactions=rows, size=2))


async def test_a_killed_connection_publishes_nothing_and_later_once(
    server: Server, database_name: str, app: App, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    async def kill(tx: Tx, _: Posted) -> None:
        await tx.value("SELECT pg_terminate_backend(pg_backend_pid())")

    await waiting(app, alice, owner)
    broken = await with_reaction(server, app, database_name, kill)
    assert await composing.publish_due(broken)
    await broken.db.close()
    assert (await said(owner), await left(owner)) == ([], 1)
    assert not await composing.publish_due(app.job)  # left alone for a while, so that others come first
    await due(owner)
    assert await composing.publish_due(app.job)
    assert not await composing.publish_due(app.job)
    assert (await said(owner), await left(owner)) == (["Once"], 0)


async def test_a_worker_that_dies_half_way_leaves_it_to_the_next(
    server: Server, database_name: str, app: App, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    reached = asyncio.Event()

    async def hang(_: Tx, __: Posted) -> None:
        reached.set()
        await asyncio.Event().wait()

    await waiting(app, alice, owner)
    broken = await with_reaction(server, app, database_name, hang)
    dying = asyncio.create_task(composing.publish_due(broken))
    await reached.wait()
    assert not await composing.publish_due(app.job)  # it is in other hands
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    await broken.db.close()
    assert await composing.publish_due(app.job)
    assert (await said(owner), await left(owner)) == (["Once"], 0)


async def test_many_workers_publish_each_once(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    for number in range(6):
        await waiting(app, alice, owner, f"Number {number}")
    for _ in range(4):
        await asyncio.gather(*(composing.publish_due(app.job) for _ in range(4)))
    assert (sorted(await said(owner)), await left(owner)) == ([f"Number {number}" for number in range(6)], 0)


async def test_a_rule_that_refuses_is_kept_with_the_row_and_does_not_hold_up_others(
    server: Server, database_name: str, app: App, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    async def freeze(_: Tx, __: Posted) -> None:
        raise Refused("posting_frozen")

    made = await waiting(app, alice, owner)
    frozen = await with_reaction(server, app, database_name, freeze)
    assert await composing.publish_due(frozen)
    assert not await composing.publish_due(frozen)
    await frozen.db.close()
    async with app.db.read() as r:
        kept = await queries.one(r, alice.account.id, made.id)
    assert kept is not None
    assert kept.refusal == {"kind": "Refused", "word": "posting_frozen", "field": ""}
    assert await said(owner) == []
