"""What follows an upload that takes a while: a worker makes it ready, and another one if that one dies over it."""

from __future__ import annotations

import tempfile

import structlog

from parvis.accounts.model import AccountDeleted
from parvis.base.jobs import Job
from parvis.base.works import Unfit
from parvis.media import actions, policy, queries
from parvis.media.model import Media, Uploaded

log = structlog.get_logger()


async def make(job: Job, event: Uploaded) -> None:
    """Make a waiting upload ready, or mark it as failed with the reason; either way what came in goes."""
    async with job.db.read() as r:
        media = await queries.waiting(r, event.media)
    if media is None or media.raw_file is None:
        return
    try:
        await _make(job, media, media.raw_file)
    except (Unfit, FileNotFoundError) as error:
        word = error.word if isinstance(error, Unfit) else "lost"
        log.info("an upload failed", media=media.id, why=word)
        async with job.db.write() as tx:
            await queries.fail(tx, media.id, word)
    await actions.discard(job.files, [media.raw_file])


async def _make(job: Job, media: Media, raw: str) -> None:
    job.settings.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=job.settings.scratch) as source:
        await job.files.fetch(raw, source)
        async with job.workshop.worked(source, policy.order()) as (folder, work):
            # The names follow from the raw one: whoever does it again writes over what is there.
            kept = await actions.store(job, f"uploads/{raw.rpartition('/')[2]}", folder, work)
    async with job.db.write() as tx:
        done = await queries.finish(tx, media.id, kept)
    if not done:
        await actions.discard(job.files, [name for name in (kept.file, kept.preview_file) if name])


async def account_deleted(job: Job, event: AccountDeleted) -> None:
    """Who leaves for good takes along what they showed."""
    async with job.db.write() as tx:
        await queries.drop_all(tx, event.account)
