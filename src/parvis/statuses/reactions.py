"""Who leaves for good takes along what they wrote."""

from __future__ import annotations

from parvis.accounts.model import AccountDeleted
from parvis.base.jobs import Job
from parvis.statuses import queries


async def account_deleted(job: Job, event: AccountDeleted) -> None:
    """Their posts are gone, with their words and earlier states, and with what others passed on of them."""
    async with job.db.write() as tx:
        await queries.erase_all(tx, event.account)
