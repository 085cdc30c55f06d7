"""Someone elsewhere changed a post, or their profile."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from parvis.accounts import queries as people
from parvis.base.db import Tx
from parvis.base.errors import NotFound
from parvis.base.jobs import Job
from parvis.emojis import actions as emojis
from parvis.federation import fetch, jsonld, vocabulary
from parvis.federation.activities import create
from parvis.federation.activities.incoming import Deed, Incoming, nothing
from parvis.federation.fetch import Reading
from parvis.polls import actions as polls
from parvis.quotes import actions as quoting
from parvis.quotes import queries as quotes
from parvis.screening import actions as screening
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Status

RECENT = timedelta(days=1)


async def fetched(job: Job, given: Incoming) -> Deed:
    """Ask for the profile as it is now, or read the post as it is now."""
    activity = given.activity
    if activity.object == given.sender.uri:
        await fetch.actor(job, given.sender.uri, fresh=True)
        return nothing
    if activity.written is not None and jsonld.kind(activity.written) in vocabulary.ACTOR_TYPES:
        return nothing
    found = await create.said(job, given)
    if found is None:
        return nothing
    async with job.db.read() as read:
        known, now = await posts.by_uri(read, found.id), read.now
    if known is None:
        recent = found.published is not None and found.published > now - RECENT
        return await create.fetched(job, given) if recent else nothing
    if known.account_id != given.sender.id or known.deleted_at:
        return nothing
    read_note = await fetch.reading(job, given.sender, found, owner=given.owner)
    return partial(receive, read_note=read_note, status_id=known.id, withdrawn=await _withdrawn(job, known, read_note))


async def _withdrawn(job: Job, known: Status, read_note: Reading) -> bool:
    """A quote that comes without its author's agreement, although there was one: has it been taken back?"""
    async with job.db.read() as read:
        quote = await quotes.of(read, known.id)
        author = await people.by_id(read, quote.quoted_account_id) if quote and quote.quoted_account_id else None
    if quote is None or quote.approval_uri is None or author is None or author.local:
        return False
    if read_note.quoting and read_note.quoting.approval == quote.approval_uri:
        return False
    return not await fetch.agreement(job, quote.approval_uri, author.uri, known.uri, quote.quoted_uri)


async def receive(tx: Tx, read_note: Reading, status_id: int, withdrawn: bool) -> None:
    """Change the post, unless what we have is newer; without `updated`, only who may quote or answer it, and totals."""
    await emojis.learn(tx, read_note.author.domain, read_note.emojis)
    try:
        if read_note.note.updated is not None:
            await screening.edit(tx, read_note.author, status_id, fetch.revision(read_note, tx.now))
        counted = fetch.asked(read_note.note.question, tx.now)
        if counted is not None:
            await polls.recount(tx, status_id, counted)
        await statuses.open_to(tx, read_note.author, status_id, read_note.openness)
        if withdrawn:
            await quoting.withdraw(tx, status_id)
        elif read_note.quoting is not None:
            status = await posts.visible(tx, status_id, read_note.author.id)
            if status.removed_at is None:
                await quoting.arrive(tx, read_note.author, status, read_note.quoting)
    except NotFound:
        return
