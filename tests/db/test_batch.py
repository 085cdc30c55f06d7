"""Who asks at one moment is answered by one look, begun after each of them asked; nobody waits for a connection that another holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from conftest import Server
from parvis.base import db as database
from parvis.base.batch import AT_ONCE, PATIENCE, Batch
from parvis.base.db import Db, Read
from parvis.base.errors import Refused


class Looks:
    """Answers with how often it looked, as slowly as it is told to, and remembers what it was asked at once."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked: list[list[int]] = []
        self.seconds = seconds

    async def __call__(self, r: Read, asked: Sequence[int]) -> dict[int, int]:
        self.asked.append(list(asked))
        if -1 in asked:
            raise Refused("never")
        look = len(self.asked)
        await r.value("SELECT pg_sleep($1)", self.seconds)
        return {number: look for number in asked if number}


async def test_those_who_ask_together_share_a_look_and_those_who_come_during_it_share_the_next(db: Db) -> None:
    looks = Looks()
    batch = Batch(db.read, looks)

    async def late() -> int | None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await batch.of(3)

    assert await asyncio.gather(batch.of(1), batch.of(2), batch.of(1), batch.of(0), late()) == [1, 1, 1, None, 2]
    assert looks.asked == [[1, 2, 0], [3]]


async def test_whoever_asks_in_the_moment_when_a_look_ends_is_answered(db: Db) -> None:
    batch = Batch(db.read, Looks())
    for number in range(1, 50):
        one = asyncio.create_task(batch.of(number))
        while not one.done():
            await asyncio.sleep(0)
        assert await asyncio.wait_for(batch.of(number), 5)
        assert await asyncio.wait_for(asyncio.gather(one, batch.of(number)), 5)


async def test_an_error_is_told_to_all_who_share_the_look_and_to_nobody_else(db: Db) -> None:
    batch = Batch(db.read, Looks())
    told = await asyncio.gather(batch.of(-1), batch.of(5), return_exceptions=True)
    assert [type(one) for one in told] == [Refused, Refused]
    assert await batch.of(5) == 2


async def test_what_is_told_was_read_after_it_was_asked_for(db: Db) -> None:
    async def count(r: Read, asked: Sequence[str]) -> dict[str, int]:
        found = int(await r.value("SELECT count(*) FROM peers"))
        await asyncio.sleep(0.001)
        return dict.fromkeys(asked, found)

    batch = Batch(db.read, count)
    for number in range(20):
        first = asyncio.create_task(batch.of("busy"))
        await asyncio.sleep(0)
        async with db.write() as tx:
            await tx.run("INSERT INTO peers (domain) VALUES ($1)", f"s{number}.example")
        assert await batch.of("mine") == number + 1
        await first


async def test_a_slow_look_does_not_hold_up_those_who_come_later(db: Db) -> None:
    looks = Looks(0.3)
    batch = Batch(db.read, looks)
    slow = asyncio.create_task(batch.of(1))
    await asyncio.sleep(PATIENCE * 4)
    looks.seconds = 0.0
    assert await batch.of(2) == 2
    assert not slow.done()
    assert await slow == 1
    assert AT_ONCE > 1


async def test_one_who_leaves_takes_nothing_from_the_others(db: Db) -> None:
    batch = Batch(db.read, Looks(0.02))
    gone, stays = asyncio.create_task(batch.of(1)), asyncio.create_task(batch.of(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 1
    with pytest.raises(asyncio.CancelledError):
        await gone


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_connections_go_from_hand_to_hand_and_all_who_wait_get_one(
    server: Server, database_name: str, size: int
) -> None:
    opened = await database.connect(server.url("parvis_app", database_name), size=size)
    most, held = 0, 0

    async def ask(number: int) -> int:
        nonlocal most, held
        async with opened.write() if number % 3 else opened.read() as r:
            await r.value("SELECT 1")
            held += 1
            most = max(most, held)
            got = int(await r.value("SELECT $1::int", number))
            held -= 1
        return got

    for _ in range(3):
        assert await asyncio.wait_for(asyncio.gather(*(ask(number) for number in range(40))), 20) == list(range(40))
    async with opened.pool.acquire() as connection:  # whoever takes one past them is not locked out
        assert await connection.fetchval("SELECT 1") == 1
    assert 1 <= most <= size
    await opened.close()


async def test_a_connection_left_in_a_transaction_is_not_handed_on(db: Db) -> None:
    async with db.read() as r:
        await r.value("SELECT 1")
        connection = r._taken
        assert connection is not None
        await connection.execute("BEGIN")
    async with db.read() as r:
        await r.value("SELECT 1")
        assert r._taken is not None
        assert not r._taken.is_in_transaction()


@pytest.mark.parametrize("opening", ["read", "write"])
async def test_who_leaves_in_the_middle_of_a_look_leaves_no_broken_connection(db: Db, opening: str) -> None:
    async def sleep() -> None:
        async with db.read() if opening == "read" else db.write() as r:
            await r.value("SELECT pg_sleep(5)")

    for _ in range(6):
        gone = asyncio.create_task(sleep())
        await asyncio.sleep(0.02)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        async with db.read() as r:
            assert await asyncio.wait_for(r.value("SELECT 1"), 3) == 1
