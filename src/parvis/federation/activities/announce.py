"""Someone elsewhere passes a post on."""

from __future__ import annotations

from functools import partial

from parvis.base.db import Tx
from parvis.base.errors import Forbidden, Gone, NotFound
from parvis.base.jobs import Job
from parvis.federation import fetch, queries, vocabulary
from parvis.federation.activities.incoming import Deed, Incoming, inner, nothing
from parvis.federation.relaying import queries as relaying
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Status


async def fetched(job: Job, given: Incoming) -> Deed:
    """Find the post. One that is unknown is only asked for when someone here follows the sender, or a relay sent it."""
    kind, wrapped = inner(given)
    uri = wrapped if kind in ("Create", "Update") else given.activity.object
    if uri is None:
        return nothing
    async with job.db.read() as read:
        known = await posts.by_uri(read, uri)
        followed = await queries.followed_here(read, given.sender.id)
        relay = await relaying.agreed(read, given.sender.id)
    if known is None and not (followed or relay):
        return nothing
    try:
        original = await fetch.status(job, uri)
    except (NotFound, Gone):
        return nothing
    return nothing if relay else partial(receive, given=given, original=original)


async def receive(tx: Tx, given: Incoming, original: Status) -> None:
    """Pass it on here, too; what the sender may not see or pass on stays where it is."""
    activity = given.activity
    if await queries.unbury(tx, activity.id) or await posts.seen(tx, original.id, given.sender.id) is None:
        return
    visibility = vocabulary.addressing(activity.to, activity.cc, given.sender.followers_url, False)
    when = min(activity.published, tx.now) if activity.published else None
    try:
        await statuses.reblog(tx, given.sender, original.id, visibility, activity.id, when)
    except Forbidden:
        return
