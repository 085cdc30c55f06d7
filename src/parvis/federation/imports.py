"""Working through what somebody brought from elsewhere: whom or what a row names may have to be fetched."""

from __future__ import annotations

import structlog

from parvis.accounts import actions as people
from parvis.accounts.model import Account
from parvis.base.errors import Conflict, Problem
from parvis.base.jobs import Job
from parvis.federation import fetch
from parvis.portability import actions, queries
from parvis.portability.model import Waiting
from parvis.statuses.model import Status

log = structlog.get_logger()

AT_ONCE = 20


async def work(job: Job) -> bool:
    """Do the next rows; true while there may be more. A row done twice, after a crash, is the same as once."""
    async with job.db.read() as r:
        rows = await queries.waiting(r, AT_ONCE)
    for row in rows:
        problem = await _tried(job, row)
        async with job.db.write() as tx:
            await queries.done(tx, row.import_id, row.place, problem)
    return len(rows) == AT_ONCE


async def _tried(job: Job, row: Waiting) -> str | None:
    """Do a row; the word of what stood in its way."""
    try:
        found = await _named(job, row)
        async with job.db.write() as tx:
            await actions.take(tx, await people.account(tx, row.account_id), row.kind, row.row, found)
    except Conflict as error:
        return None if error.word != "try_again" else error.word
    except Problem as error:
        if row.kind == "lists" and error.word == "ERR_TAKEN":
            return None
        return error.word
    return None


async def _named(job: Job, row: Waiting) -> Account | Status | None:
    if row.kind == "domain_blocks":
        return None
    text = row.row[1] if row.kind == "lists" else row.row[0]
    if row.kind == "bookmarks":
        return await fetch.status(job.rationed(fetch.REQUESTS), text)
    async with job.db.write() as tx:
        here = await actions.known(tx, text, job.settings.domain)
    return here or await fetch.resolve(job, f"@{text}")
