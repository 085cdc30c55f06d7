"""Reading what was written before."""

from __future__ import annotations

from parvis.base.jobs import Job
from parvis.search import queries

STEP = 500


async def catch_up(job: Job) -> bool:
    """Read the next posts of the backlog; true while there may be more."""
    async with job.db.read() as r:
        below = await queries.backlog(r)
    if not below:
        return False
    async with job.db.write() as tx:
        return await queries.keep_words_below(tx, below, STEP) > 0
