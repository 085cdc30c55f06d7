"""A post that is made or changed may point to a page."""

from __future__ import annotations

from parvis.base.jobs import Job
from parvis.links import actions
from parvis.statuses.model import Edited, Linked


async def linked(job: Job, event: Linked) -> None:
    """Look for the link of a new post."""
    async with job.db.write() as tx:
        await actions.look(tx, event.status, actions.own_host(job))


async def edited(job: Job, event: Edited) -> None:
    """Look again: it may be another link now, or none."""
    async with job.db.write() as tx:
        await actions.look(tx, event.status, actions.own_host(job))
