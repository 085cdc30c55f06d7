"""What every room stands on: transactions with their jobs, time and ids from SQL, migrations, the notifier of streams."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from pgqueuer.domain.settings import DBSettings
from pgqueuer.models import AnyEvent

from conftest import Server
from parvis import wiring
from parvis.api import limits
from parvis.base import jobs, pulse, schema
from parvis.base.clock import Clock
from parvis.base.db import Db, Reactions, Tx, busy, connect, job_name
from parvis.base.http import Http
from parvis.base.jobs import Job
from parvis.base.settings import Settings
from parvis.federation import queries


class Rung(msgspec.Struct, frozen=True):
    """A bell was rung."""

    times: int


HEARD: list[int] = []


async def note(tx: Tx, event: Rung) -> None:
    await pulse.touch(tx, f"bell {event.times}")


async def refuse(_: Tx, __: Rung) -> None:
    raise ValueError("not now")


async def hear(_: Job, event: Rung) -> None:
    HEARD.append(event.times)


async def fail(_: Job, __: Rung) -> None:
    raise ValueError("broken")


async def opened(server: Server, name: str, **rows: Any) -> Db:
    return await connect(server.url("parvis_app", name), reactions={Rung: Reactions(**rows)}, size=3)


def job_of(db: Db) -> Job:
    return Job(db, Http(user_agent="test"), Settings(dev=True))


async def test_an_event_runs_its_now_and_queues_its_later(server: Server, database_name: str) -> None:
    db = await opened(server, database_name, now=(note,), later=(hear,))
    HEARD.clear()
    async with db.write() as tx:
        await tx.emit(Rung(3))
    async with db.read() as r:
        assert await r.values("SELECT topic FROM pulses") == ["bell 3"]
        assert await r.value("SELECT count(*) FROM pgqueuer") == 1
    await jobs.drain(job_of(db), jobs.named(db.reactions))
    assert HEARD == [3]
    await db.close()


async def test_what_is_rolled_back_leaves_no_job_and_no_trace(server: Server, database_name: str) -> None:
    db = await opened(server, database_name, now=(note, refuse), later=(hear,))
    with pytest.raises(ValueError, match="not now"):
        async with db.write() as tx:
            await tx.emit(Rung(1))
    async with db.read() as r:
        assert await r.value("SELECT count(*) FROM pgqueuer") == 0
        assert await r.value("SELECT count(*) FROM pulses") == 0
    await db.close()


async def test_what_is_left_for_last_is_one_statement_in_the_order_it_was_said(db: Db) -> None:
    sent: list[str] = []
    async with db.write() as tx:
        await tx.value("SELECT 1")
        assert tx._taken is not None
        tx._taken.add_query_logger(lambda record: sent.append(record.query))
        for number in range(12):
            await pulse.touch(tx, f"bell {number}")
            tx.last("INSERT INTO peers (domain) SELECT d || '.' || e FROM unnest($1::text[], $2::text[]) x(d, e)", f"d{number}", "example")
        assert await tx.value("SELECT count(*) FROM peers") == 0
    assert [query.split("(")[0] for query in sent if query.startswith(("WITH", "INSERT"))] == ["WITH l0 AS "]
    async with db.read() as r:
        assert await r.values("SELECT topic FROM pulses ORDER BY id") == [f"bell {number}" for number in range(12)]
        assert await r.values("SELECT domain FROM peers ORDER BY domain") == sorted(f"d{number}.example" for number in range(12))


async def test_an_event_that_nobody_listed_is_a_mistake(db: Db) -> None:
    with pytest.raises(LookupError, match="Rung"):
        async with db.write() as tx:
            await tx.emit(Rung(1))


async def test_a_job_that_fails_waits_for_its_next_try_and_is_not_lost(server: Server, database_name: str) -> None:
    db = await opened(server, database_name, later=(fail,))
    async with db.write() as tx:
        await tx.emit(Rung(1))
    stop = asyncio.Event()
    working = asyncio.create_task(jobs.work(job_of(db), jobs.named(db.reactions), stop))
    async with asyncio.timeout(10):
        while True:
            async with db.read() as r:
                if await r.value("SELECT max(attempts) FROM pgqueuer"):
                    break
            await asyncio.sleep(0.05)
    stop.set()
    await working
    async with db.read() as r:
        assert await r.values("SELECT status::text FROM pgqueuer") == ["queued"]
    await db.close()


async def test_ids_sort_by_time_and_follow_the_moved_clock(db: Db, owner: asyncpg.Connection[Any]) -> None:
    first = await owner.fetchval("SELECT parvis_id()")
    second = await owner.fetchval("SELECT parvis_id()")
    assert first < second
    await owner.execute("INSERT INTO clock_offset (ahead) VALUES ('8 days')")
    third = await owner.fetchval("SELECT parvis_id()")
    assert ((third >> 16) - (second >> 16)) // 86_400_000 == 8
    following = asyncio.create_task(db.follow_clock(0.01))
    async with asyncio.timeout(5):
        while db.clock.offset != timedelta(days=8):
            await asyncio.sleep(0.01)
    following.cancel()
    async with db.read() as r:
        assert abs((r.now - await r.value("SELECT parvis_now()")).total_seconds()) < 5


async def test_migrating_twice_changes_nothing(server: Server, database_name: str) -> None:
    assert await schema.migrate(server.url("parvis_owner", database_name)) == []


async def test_the_owner_may_not_serve_and_the_application_may(server: Server, database_name: str) -> None:
    await schema.check(server.url("parvis_app", database_name))
    with pytest.raises(schema.SchemaMismatch, match="parvis_app"):
        await schema.check(server.url("parvis_owner", database_name))


async def test_a_migration_with_another_text_is_refused(
    server: Server, database_name: str, owner: asyncpg.Connection[Any]
) -> None:
    await owner.execute("UPDATE migrations SET fingerprint = 'other' WHERE name LIKE '0001%'")
    with pytest.raises(schema.SchemaMismatch, match=r"0001_base\.sql"):
        await schema.migrate(server.url("parvis_owner", database_name))


async def test_the_notifier_wakes_its_listeners_once_for_a_batch(db: Db) -> None:
    woken: list[list[str]] = []
    heard = asyncio.Event()

    async def wake(topics: list[str]) -> None:
        woken.append(topics)
        heard.set()

    listening = asyncio.create_task(pulse.listen(db, wake))
    try:
        await asyncio.sleep(0.1)
        async with db.write() as tx:
            for topic in ("home 1", "home 2", "home 1"):
                await pulse.touch(tx, topic)
        assert await pulse.beat(db) == 3
        async with asyncio.timeout(5):
            await heard.wait()
    finally:
        listening.cancel()
    assert [sorted(topics) for topics in woken] == [["home 1", "home 2"]]
    assert await pulse.beat(db) == 0


async def test_an_open_transaction_keeps_the_outbound_client_shut(db: Db) -> None:
    http = Http(user_agent="test", busy=busy)
    async with db.read():
        with pytest.raises(RuntimeError):
            await http.request("GET", "https://example.org/")
    await http.close()


def test_the_clock_has_an_offset_only_where_it_is_moved() -> None:
    assert abs((Clock(timedelta(days=1)).now() - Clock().now()).total_seconds() - 86_400) < 1


async def test_what_a_process_leaves_for_a_deed_is_done_at_once(db: Db) -> None:
    done: list[Job] = []

    async def deed(job: Job) -> None:
        done.append(job)

    turning = asyncio.create_task(jobs.repeat(job_of(db), 60.0, deed))
    async with asyncio.timeout(10):
        while not done:
            await asyncio.sleep(0.01)
        async with db.write() as tx:
            tx.ring(job_name(deed))
        while len(done) < 2:
            await asyncio.sleep(0.01)
    turning.cancel()
    assert [one.db for one in done] == [db, db]  # its next turn of its own would be in a minute


async def test_workers_are_told_of_jobs_once_they_are_there(server: Server, database_name: str) -> None:
    db = await opened(server, database_name, later=(hear,))
    told: list[object] = []
    ringing = asyncio.create_task(jobs.ring(db))
    async with db.pool.acquire() as ear, asyncio.timeout(10):
        await ear.add_listener(DBSettings().channel, lambda *heard: told.append(heard[-1]))
        with pytest.raises(ZeroDivisionError):
            async with db.write() as tx:
                await tx.emit(Rung(1))
                raise ZeroDivisionError
        async with db.write() as tx:
            await tx.emit(Rung(2))
        while not told:
            await asyncio.sleep(0.01)
        assert [AnyEvent.model_validate_json(str(one)).root.type for one in told] == ["table_changed_event"]
        await ear.reset()
    ringing.cancel()
    await db.close()


def test_whoever_is_rung_for_is_a_deed_of_the_schedule() -> None:
    assert queries.DELIVER in {job_name(deed) for _, deed in wiring.SCHEDULE}


async def test_counts_are_shared_once_the_database_takes_them_again(db: Db, owner: asyncpg.Connection[Any]) -> None:
    counts, wanted = limits.Limits(enforced=True), "SELECT sum(used) FROM rate_counts"
    await owner.execute("REVOKE ALL ON rate_counts FROM parvis_app")
    counts.count(limits.Limit("test", 10, 300), "x", db.clock.now())
    sharing = asyncio.create_task(counts.keep_sharing(db, 0.01))
    await asyncio.sleep(0.1)
    assert not sharing.done()
    await owner.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rate_counts TO parvis_app")
    async with asyncio.timeout(10):
        while not await owner.fetchval(wanted):
            await asyncio.sleep(0.01)
    sharing.cancel()
    assert await owner.fetchval(wanted) == 1
