"""A year is made by a worker."""

from __future__ import annotations

from parvis.base.jobs import Job
from parvis.years import policy, queries
from parvis.years.model import YearAsked


async def make(job: Job, event: YearAsked) -> None:
    """Look back on a year for whoever asked; nothing when it is made, or they have left."""
    whose, year = event.account, event.year
    async with job.db.read() as r:
        found = await queries.report(r, whose, year)
        if found is None or found.data is not None:
            return
        months = await queries.months(r, whose, year)
        post, tag = await queries.most_passed_on(r, whose, year), await queries.most_used_tag(r, whose, year)
    async with job.db.write() as tx:
        await queries.keep(tx, whose, year, policy.written(months, post, tag))
