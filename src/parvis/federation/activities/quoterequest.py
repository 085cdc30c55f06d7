"""Someone elsewhere asks whether they may quote a post from here (FEP-044f)."""

from __future__ import annotations

from functools import partial

from parvis.base.db import Tx
from parvis.base.errors import Gone, Invalid
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld, vocabulary
from parvis.federation.activities.incoming import Deed, Incoming, nothing, post
from parvis.federation.fetch import Reading
from parvis.federation.vocabulary import Note
from parvis.quotes import actions as quotes
from parvis.quotes import policy
from parvis.quotes import queries as quoted
from parvis.statuses import queries as posts
from parvis.statuses.model import Status


async def fetched(job: Job, given: Incoming) -> Deed:
    """Find what is to be quoted, and read the quote if the sender may make it; what they cannot see is not answered."""
    async with job.db.read() as read:
        wanted = await post(read, given.activity.object, given.sender.id)
        if wanted is None or not wanted.local or wanted.reblog_of_id is not None:
            return nothing
        asker = await quoted.asker(read, wanted.account_id, given.sender.id)
    instrument = given.activity.instrument
    if not given.near(instrument):
        raise Invalid("instrument", "wrong_host")
    if policy.standing(wanted, given.sender.id, asker) != "automatic":
        return partial(refuse, given=given, wanted=wanted)
    found = await said(job, given, instrument or "")
    if found.attributed_to != given.sender.uri or not given.near(found.id):
        raise Invalid("instrument", "wrong_author")
    if found.quote != wanted.uri:
        return partial(refuse, given=given, wanted=wanted)
    read_note = await fetch.reading(job, given.sender, found)
    return partial(receive, given=given, wanted=wanted, read_note=read_note)


async def said(job: Job, given: Incoming, instrument: str) -> Note:
    """The quote as the sender writes it out, or as it is fetched."""
    written = given.activity.instrument_written
    if written is not None and jsonld.kind(written) in vocabulary.NOTE_TYPES:
        return vocabulary.note(written)
    return await fetch.note(job, instrument)


async def receive(tx: Tx, given: Incoming, wanted: Status, read_note: Reading) -> None:
    """Keep the quote and answer, as the author here has said beforehand."""
    try:
        status = await fetch.keep(tx, read_note)
    except Gone:
        return
    kept = await posts.by_id(tx, status.id)
    if kept is None or kept.removed_at is not None:
        return  # what is kept back asks nobody
    await quotes.ask(tx, given.sender, status, wanted, given.activity.id)


async def refuse(tx: Tx, given: Incoming, wanted: Status) -> None:
    """The answer is no."""
    await quotes.refuse(tx, given.sender, wanted, given.activity.id, given.activity.instrument or "")
