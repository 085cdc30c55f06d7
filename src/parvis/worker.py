"""Runs the jobs and the schedule of one city."""

from __future__ import annotations

import asyncio
import signal

import uvloop

from parvis import wiring
from parvis.api import limits
from parvis.base import jobs, log, process, pulse, settings
from parvis.base.jobs import Every, Job


async def beat(job: Job) -> bool:
    """Wake the streams: what comes within a moment is told together. True while more waits than could be told."""
    return await pulse.beat(job.db) == pulse.MOST


OWN: tuple[tuple[float, Every], ...] = ((0.05, beat), (3600.0, limits.forget))


async def run(job: Job, stop: asyncio.Event) -> None:
    """Work until told to stop: every later reaction, every deed of the schedule, the notifier of streams."""
    turning = [asyncio.create_task(jobs.repeat(job, every, deed)) for every, deed in (*wiring.SCHEDULE, *OWN)]
    turning.append(asyncio.create_task(jobs.ring(job.db)))
    await jobs.work(job, jobs.named(wiring.REACTIONS), stop)
    for task in turning:
        task.cancel()
    await asyncio.gather(*turning, return_exceptions=True)


async def main() -> None:
    """A worker process: settings from the environment; ends with its parent, on TERM and on INT."""
    given = settings.from_environment()
    log.start(json=given.log_json)
    job = await jobs.equipped(given, wiring.REACTIONS)
    clockwork = asyncio.create_task(job.db.follow_clock()) if given.dev else None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    try:
        await run(job, stop)
    finally:
        if clockwork:
            clockwork.cancel()
        await job.http.close()
        await job.db.close()


def work() -> None:
    """Run a worker until it is told to stop."""
    uvloop.run(main())


def start() -> None:
    """Run a worker that its parent started."""
    process.die_with_parent()
    work()
