"""What can be found follows what was said, in the same transaction: reading a post costs it 0.1 ms, a job 0.5."""

from __future__ import annotations

from parvis.accounts.model import AccountDeleted
from parvis.base.db import Tx
from parvis.base.jobs import Job
from parvis.search import queries
from parvis.statuses.model import Deleted, Edited, Posted


async def posted(tx: Tx, event: Posted) -> None:
    """A new post is read."""
    await queries.keep_words(tx, event.status)


async def edited(tx: Tx, event: Edited) -> None:
    """A changed post is read anew."""
    await queries.keep_words(tx, event.status)


async def deleted(tx: Tx, event: Deleted) -> None:
    """What a post said that is gone is forgotten."""
    await queries.drop_words(tx, event.status)


async def account_deleted(job: Job, event: AccountDeleted) -> None:
    """So is, a little later, all that somebody said who left."""
    async with job.db.write() as tx:
        await queries.drop_words_of(tx, event.account)
