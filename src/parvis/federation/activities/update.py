"""Someone elsewhere changed a post, or their profile."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from parvis.base.db import Tx
from parvis.base.errors import NotFound
from parvis.base.jobs import Job
from parvis.emojis import actions as emojis
from parvis.federation import fetch, vocabulary
from parvis.federation.activities import create
from parvis.federation.activities.incoming import Deed, Incoming, nothing
from parvis.federation.fetch import Reading
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts

RECENT = timedelta(days=1)


async def fetched(job: Job, given: Incoming) -> Deed:
    """Ask for the profile as it is now, or read the post as it is now."""
    activity = given.activity
    if activity.object == given.sender.uri:
        await fetch.actor(job, given.sender.uri, fresh=True)
        return nothing
    if activity.written is not None and vocabulary.kind(activity.written) in vocabulary.ACTOR_TYPES:
        return nothing
    found = await create.said(job, given)
    if found is None:
        return nothing
    async with job.db.read() as read:
        known, now = await posts.by_uri(read, found.id), read.now
    if known is None:
        recent = found.published is not None and found.published > now - RECENT
        return await create.fetched(job, given) if recent else nothing
    # Without `updated` only counts have changed, and those we keep ourselves.
    if found.updated is None or known.account_id != given.sender.id or known.deleted_at:
        return nothing
    read_note = await fetch.reading(job, given.sender, found, owner=given.owner)
    return partial(receive, read_note=read_note, status_id=known.id)


async def receive(tx: Tx, read_note: Reading, status_id: int) -> None:
    """Change the post, unless what we have is newer."""
    await emojis.learn(tx, read_note.author.domain, read_note.emojis)
    try:
        await statuses.edit(tx, read_note.author, status_id, fetch.revision(read_note, tx.now))
    except NotFound:
        return
