"""Someone elsewhere posts something."""

from __future__ import annotations

from functools import partial

from parvis.base.db import Read, Tx
from parvis.base.errors import Gone, Invalid, NotFound
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld, queries, vocabulary
from parvis.federation.activities.incoming import Deed, Incoming, nothing, person
from parvis.federation.fetch import Reading
from parvis.federation.vocabulary import Note
from parvis.polls import queries as polls
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts

KINDS = vocabulary.NOTE_TYPES | vocabulary.TITLED_TYPES


async def fetched(job: Job, given: Incoming) -> Deed:
    """Read the post, if it concerns this city, and find what it points at."""
    found = await said(job, given)
    if found is None:
        return nothing
    if found.choice:
        return partial(vote, given=given, found=found)
    async with job.db.read() as read:
        if not await concerns_us(read, given, found):
            return nothing
    read_note = await fetch.reading(job, given.sender, found, owner=given.owner)
    return partial(receive, read_note=read_note)


async def said(job: Job, given: Incoming) -> Note | None:
    """The post as its author's server says it: written out in the activity, or fetched. Only one's own posts count."""
    activity = given.activity
    if not given.near(activity.object):
        raise Invalid("object", "wrong_host")
    if activity.written is not None and jsonld.kind(activity.written) not in KINDS:
        return None
    try:
        found = vocabulary.note(activity.written) if activity.written else await fetch.note(job, activity.object or "")
    except (NotFound, Gone):
        return None
    if not given.near(found.id):
        raise Invalid("object", "wrong_host")
    if found.attributed_to != given.sender.uri:
        raise Invalid("attributedTo", "wrong_author")
    return found


async def concerns_us(r: Read, given: Incoming, found: Note) -> bool:
    """A city keeps what its people follow, what is addressed to them, and replies to either's posts; no more.

    What a relay brings is kept if it is for everybody: for that the relay was asked.
    """
    if given.relayed and vocabulary.PUBLIC in vocabulary.normal(found.to):
        return True
    if given.owner is not None or await queries.followed_here(r, given.sender.id):
        return True
    parent = await posts.by_uri(r, found.in_reply_to) if found.in_reply_to else None
    if parent and (parent.local or await queries.followed_here(r, parent.account_id)):
        return True
    for uri in dict.fromkeys([*found.to, *found.cc]):
        if await person(r, uri):
            return True
    return False


async def vote(tx: Tx, given: Incoming, found: Note) -> None:
    """Count an answer to a question of this city; what cannot be counted has no effect, and is no post either."""
    status = await posts.by_uri(tx, found.in_reply_to or "")
    poll = await polls.of_status(tx, status.id) if status and status.local else None
    if poll is None:
        return
    chosen = [option.choice for option in await polls.options(tx, poll.id) if option.title == found.choice]
    try:
        await statuses.vote(tx, given.sender, poll.id, chosen, found.id)
    except (Invalid, NotFound):
        return


async def receive(tx: Tx, read_note: Reading) -> None:
    """Keep it; what was deleted before it came is not made again."""
    try:
        await fetch.keep(tx, read_note)
    except Gone:
        return
