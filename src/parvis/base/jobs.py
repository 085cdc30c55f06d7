"""Later reactions and the schedule: what a worker does, at least once, outside any transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, get_type_hints

import msgspec
import structlog
from pgqueuer.domain.settings import DBSettings
from pgqueuer.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.models import Job as Row
from pgqueuer.models import TableChangedEvent
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from parvis.base import db as database
from parvis.base import files
from parvis.base import settings as deployment
from parvis.base.clock import Clock
from parvis.base.db import AWAY, FAILING, JOBS, Db, Reactions, job_name
from parvis.base.files import Files
from parvis.base.http import Http, Transport
from parvis.base.settings import Settings
from parvis.base.workshop import Workshop

log = structlog.get_logger()

HEARTBEAT = timedelta(seconds=5)
MOMENT = 0.02
PAUSE = 0.5


class Job(msgspec.Struct, frozen=True, dict=True):
    """What a later reaction works with. It opens its own transactions and re-reads what its event names."""

    db: Db
    http: Http
    settings: Settings

    def rationed(self, most: int) -> Job:
        """The same, but for one errand that may send only so many requests."""
        return msgspec.structs.replace(self, http=self.http.rationed(most))

    @cached_property
    def files(self) -> Files:
        """Where uploaded files are kept."""
        return files.opened(self.settings)

    @cached_property
    def workshop(self) -> Workshop:
        """Where foreign pictures, films and sounds are decoded."""
        return Workshop(self.settings.scratch)


async def equipped(
    given: Settings, reactions: Mapping[type, Reactions], *, transport: Transport | None = None,
    clock: Clock | None = None, pool: int = 10,
) -> Job:
    """Open the database and the outbound client that a process of this city works with."""
    db = await database.connect(given.database_url, clock=clock, reactions=reactions, size=pool)
    loopback = deployment.networks("127.0.0.0/8,::1/128") if given.dev else []
    http = Http(
        transport=transport, allow_networks=[*loopback, *deployment.networks(given.allow_networks)],
        allow_plain_http=given.dev, user_agent=f"Parvis (+{given.base}/)", busy=database.busy,
    )
    return Job(db, http, given)


Later = Callable[[Job, Any], Awaitable[None]]
Every = Callable[[Job], Awaitable[object]]


def named(reactions: Mapping[type, Reactions], extra: tuple[Later, ...] = ()) -> dict[str, tuple[Later, type]]:
    """Each later reaction under its job's name, with the event its second parameter takes."""
    found: dict[str, tuple[Later, type]] = {}
    for reaction in [*(later for row in reactions.values() for later in row.later), *extra]:
        hints = [hint for name, hint in get_type_hints(reaction).items() if name != "return"]
        found[job_name(reaction)] = (reaction, hints[1])
    return found


def manager(job: Job, reactions: Mapping[str, tuple[Later, type]]) -> QueueManager:
    """A queue manager that knows every later reaction; a job that keeps failing is held, never deleted."""
    queue = QueueManager(Queries.from_asyncpg_pool(job.db.pool))

    def register(name: str, reaction: Later, shape: type) -> None:
        async def run(row: Row) -> None:
            event: Any = msgspec.json.decode(row.payload or b"null", type=shape)
            with structlog.contextvars.bound_contextvars(job=name):
                await reaction(job, event)

        queue.entrypoint(
            name, accepts_context=False, on_failure="hold",
            executor_factory=lambda given: DatabaseRetryEntrypointExecutor(
                parameters=given, max_attempts=8, initial_delay=timedelta(seconds=1), max_delay=timedelta(hours=1)
            ),
        )(run)

    for name, (reaction, shape) in reactions.items():
        register(name, reaction, shape)
    return queue


async def ring(db: Db) -> None:
    """Tell the workers that jobs wait, at most fifty times a second, for as long as this process lives.

    NOTIFY takes a global lock at commit: it has a transaction of its own. What is not heard is found a moment later.
    """
    names = DBSettings()
    while True:
        await _rung(db, JOBS)
        told = TableChangedEvent(
            channel=names.channel, operation="insert", sent_at=db.clock.now(), table=names.queue_table,
            type="table_changed_event",
        )
        try:
            async with db.read() as r:
                await r.value("SELECT pg_notify($1, $2)", names.channel, told.model_dump_json())
        except FAILING:
            log.exception("workers are not told of jobs at the moment")
        await asyncio.sleep(MOMENT)


async def work(job: Job, reactions: Mapping[str, tuple[Later, type]], stop: asyncio.Event) -> None:
    """Run jobs until told to stop. The table is looked at ten times a second, and on call.

    While the database is away nothing is run; jobs that were running then are taken up again when it is back.
    """
    while not stop.is_set():
        queue = manager(job, reactions)
        stopping = asyncio.create_task(_shut(queue, stop))
        try:
            await queue.run(
                dequeue_timeout=timedelta(milliseconds=100), batch_size=20, heartbeat_timeout=HEARTBEAT,
                log_aggregation_interval=timedelta(minutes=5),
            )
        except Exception:
            log.exception("jobs are not run at the moment")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE)
        finally:
            stopping.cancel()


async def _shut(queue: QueueManager, stop: asyncio.Event) -> None:
    await stop.wait()
    queue.shutdown.set()


async def drain(job: Job, reactions: Mapping[str, tuple[Later, type]]) -> None:
    """Run jobs until none is left: how tests let a city settle."""
    await manager(job, reactions).run(
        mode=QueueExecutionMode.drain, batch_size=50, dequeue_timeout=timedelta(milliseconds=20),
        log_aggregation_interval=timedelta(0),
    )


async def repeat(job: Job, every: float, deed: Every) -> None:
    """Do one thing of the schedule again and again; a failure is logged and the next turn tries again.

    A deed that answers a true value had work and is called again at once, and more often for some turns after that:
    what comes does not come alone. What this process itself left for it (`Tx.ring`) it does at once.
    """
    name, pause = job_name(deed), every
    while True:
        more: object = False
        try:
            more = await deed(job)
        except asyncio.CancelledError:
            raise
        except AWAY as error:  # many say so many times a second: a sentence each, no more
            log.warning("the database cannot be reached", deed=name, error=str(error))
        except Exception:
            log.exception("schedule", deed=name)
        pause = every / 10 if more else min(every, pause * 1.1)
        if not more:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_rung(job.db, name), pause)


async def _rung(db: Db, name: str) -> None:
    await db.bells[name].wait()
    db.bells[name].clear()
