"""Someone elsewhere shows a post or a hashtag at the top of their profile."""

from __future__ import annotations

from functools import partial

from parvis.base.db import Tx
from parvis.base.errors import Gone, NotFound
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld, queries
from parvis.federation.activities import create
from parvis.federation.activities.incoming import Deed, Incoming, nothing
from parvis.federation.fetch import Reading
from parvis.federation.jsonld import Document
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.timelines import actions as timelines


def to_own_profile(given: Incoming) -> bool:
    """Is it the sender's own collection that this is about? What is in other people's is not theirs to say."""
    target = jsonld.reference(given.activity.said.get("target"))
    return target is not None and target == given.sender.featured_url


def hashtag(written: Document | None) -> str | None:
    """The hashtag that is written out."""
    name = jsonld.text(written.get("name")) if written and jsonld.kind(written) == "Hashtag" else ""
    return name.removeprefix("#") or None


async def fetched(job: Job, given: Incoming) -> Deed:
    """Find the post, which must be the sender's. An unknown one is only asked for when someone here follows them."""
    if not to_own_profile(given):
        return nothing
    if jsonld.kind(given.activity.written or {}) == "Hashtag":
        return partial(feature, given=given)
    async with job.db.read() as read:
        known = await posts.by_uri(read, given.activity.object or "")
        followed = await queries.followed_here(read, given.sender.id)
    if known is not None:
        return partial(pin, given=given, status_id=known.id)
    found = await create.said(job, given) if followed else None
    if found is None or found.choice:
        return nothing
    return partial(keep, given=given, read_note=await fetch.reading(job, given.sender, found, owner=given.owner))


async def keep(tx: Tx, given: Incoming, read_note: Reading) -> None:
    """Keep a post that was not known here, and show it there; not one that is deleted."""
    try:
        status = await fetch.keep(tx, read_note)
    except Gone:
        return
    await pin(tx, given, status.id)


async def pin(tx: Tx, given: Incoming, status_id: int) -> None:
    """Show a post of the sender's at the top of their profile here, too."""
    try:
        await statuses.pin(tx, given.sender, status_id)
    except NotFound:
        return


async def feature(tx: Tx, given: Incoming) -> None:
    """Show a hashtag on the sender's profile here, too."""
    name = hashtag(given.activity.written)
    if name is not None:
        await timelines.feature_tag(tx, given.sender.id, name)
