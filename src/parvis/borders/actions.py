"""The deeds at the city's borders: remind moderators of what is to be looked at again."""

from __future__ import annotations

from parvis.base.jobs import Job
from parvis.borders import queries
from parvis.borders.model import ReviewDue


async def remind(job: Job) -> int:
    """Remind the moderators of each decision whose day of review has come, once. How many there were."""
    async with job.db.read() as r:
        due = await queries.due(r)
    for decision_id in due:
        async with job.db.write() as tx:
            for moderator in await queries.remind(tx, decision_id):
                await tx.emit(ReviewDue(decision_id, moderator))
    return len(due)
