"""Wakes streams: topics are rows of the transaction that changed them; one notifier wakes all listeners in batches.

NOTIFY takes a global lock at commit, so no transaction of ours does it; and rows are deleted, never read behind a
cursor, because a lower id may commit later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

import asyncpg
import msgspec
import structlog

from parvis.base.db import FAILING, Db, Tx

log = structlog.get_logger()

CHANNEL = "parvis"
LARGEST_PAYLOAD = 7000  # PostgreSQL takes less than 8000 bytes
MOST = 1000
PAUSE = 0.5
QUIET = 15.0


TOUCHED = "INSERT INTO pulses (topic) SELECT topic FROM unnest($1::text[]) WITH ORDINALITY t(topic, n) ORDER BY n"


async def touch(tx: Tx, topic: str) -> None:
    """Say, when this transaction commits, that a topic has changed."""
    tx.last(TOUCHED, topic)


async def touch_all(tx: Tx, topics: Sequence[str]) -> None:
    """Say the same of several topics, in their order."""
    for topic in topics:
        tx.last(TOUCHED, topic)


async def beat(db: Db) -> int:
    """Take waiting topics, oldest first, and wake the listeners once; how many rows were taken.

    One notifier at a time: two would let a post's end overtake its beginning.
    """
    async with db.write() as tx:
        if not await tx.value("SELECT pg_try_advisory_xact_lock(hashtextextended('pulses', 0))"):
            return 0
        topics = await tx.values(
            """WITH taken AS (DELETE FROM pulses
                              WHERE id <= (SELECT max(id) FROM (SELECT id FROM pulses ORDER BY id LIMIT $1) f)
                              RETURNING id, topic)
               SELECT topic FROM taken ORDER BY id""",
            MOST,
        )
        payloads = [msgspec.json.encode(batch).decode() for batch in _batches(dict.fromkeys(topics))]
        if payloads:
            await tx.values(
                "SELECT pg_notify($1, p) FROM unnest($2::text[]) WITH ORDINALITY t(p, n) ORDER BY n", CHANNEL, payloads
            )
        return len(topics)


def _batches(topics: Iterable[str]) -> Iterator[list[str]]:
    """Topics in their order, as many together as one NOTIFY can carry."""
    batch: list[str] = []
    size = 2
    for topic in topics:
        length = len(msgspec.json.encode(topic)) + 1
        if batch and size + length > LARGEST_PAYLOAD:
            yield batch
            batch, size = [], 2
        batch.append(topic)
        size += length
    if batch:
        yield batch


async def listen(
    db: Db, wake: Callable[[list[str]], Awaitable[None]], again: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Hear of topics until cancelled: `wake` gets, in order, all that was said since it was last called.

    A connection that breaks is made anew; what was said meanwhile is lost, and `again` is called, also at the start.
    """
    while True:
        try:
            await _heed(db, wake, again)
        except FAILING:
            log.exception("streams hear nothing at the moment")
        await asyncio.sleep(PAUSE)


async def _heed(
    db: Db, wake: Callable[[list[str]], Awaitable[None]], again: Callable[[], Awaitable[None]] | None
) -> None:
    """Listen on one connection for as long as it holds."""
    waiting: asyncio.Queue[str | None] = asyncio.Queue()
    async with db.pool.acquire() as connection:

        def heard(_: asyncpg.Connection[Any], __: int, ___: str, payload: object) -> None:
            waiting.put_nowait(str(payload))

        def broken(_: asyncpg.Connection[Any]) -> None:
            waiting.put_nowait(None)

        connection.add_termination_listener(broken)
        await connection.add_listener(CHANNEL, heard)
        try:
            if again is not None:
                await again()
            while True:
                payloads = await _all(waiting)
                if payloads is None:
                    return
                if not payloads:  # a connection that nothing answers on any more breaks here
                    await connection.execute("SELECT 1")
                await wake([topic for one in payloads for topic in msgspec.json.decode(one, type=list[str])])
        finally:
            connection.remove_termination_listener(broken)
            if not connection.is_closed():
                await connection.remove_listener(CHANNEL, heard)


async def _all(waiting: asyncio.Queue[str | None]) -> list[str] | None:
    """Every payload that waits, none when it has been quiet for long; None when no more can come."""
    try:
        found = [await asyncio.wait_for(waiting.get(), QUIET)]
    except TimeoutError:
        return []
    while not waiting.empty():
        found.append(waiting.get_nowait())
    payloads = [one for one in found if one is not None]
    return payloads if len(payloads) == len(found) else None
