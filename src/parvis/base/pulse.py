"""Wakes streams: topics are rows of the transaction that changed them; one notifier wakes all listeners in batches.

NOTIFY takes a global lock at commit, so no transaction of ours does it; and rows are deleted, never read behind a
cursor, because a lower id may commit later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec

from parvis.base.db import Db, Tx

CHANNEL = "parvis"
LARGEST_PAYLOAD = 7000


async def touch(tx: Tx, topic: str) -> None:
    """Say, when this transaction commits, that a topic has changed."""
    await tx.run("INSERT INTO pulses (topic) VALUES ($1)", topic)


async def beat(db: Db) -> int:
    """Take waiting topics and wake the listeners once; how many rows were taken."""
    async with db.write() as tx:
        topics = await tx.values(
            """DELETE FROM pulses WHERE id IN (SELECT id FROM pulses ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED)
               RETURNING topic"""
        )
        batch: list[str] = []
        for topic in dict.fromkeys(topics):
            if sum(len(part) + 3 for part in batch) + len(topic) > LARGEST_PAYLOAD:
                await tx.value("SELECT pg_notify($1, $2)", CHANNEL, msgspec.json.encode(batch).decode())
                batch = []
            batch.append(topic)
        if batch:
            await tx.value("SELECT pg_notify($1, $2)", CHANNEL, msgspec.json.encode(batch).decode())
        return len(topics)


async def listen(db: Db, wake: Callable[[list[str]], Awaitable[None]]) -> None:
    """Hear of topics until cancelled: `wake` gets each batch."""
    waiting: asyncio.Queue[list[str]] = asyncio.Queue()
    async with db.pool.acquire() as connection:

        def heard(_: asyncpg.Connection[Any], __: int, ___: str, payload: object) -> None:
            waiting.put_nowait(msgspec.json.decode(str(payload), type=list[str]))

        await connection.add_listener(CHANNEL, heard)
        try:
            while True:
                await wake(await waiting.get())
        finally:
            await connection.remove_listener(CHANNEL, heard)
