"""Relays: servers that pass open posts on to those who asked them to.

What a relay passes on without its author's proof is a hint where a post is, and no more: the post is taken from its own
server, whoever signed it. With a proof it is its author's word (carrying).
"""

from __future__ import annotations

import structlog

from parvis.accounts import queries as people
from parvis.base.db import Db, Tx
from parvis.base.errors import Conflict, Invalid, NotFound, Problem
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld, outbox, wire
from parvis.federation.intake import queries as intake
from parvis.federation.model import RelayPassed, RelayWanted
from parvis.federation.relaying import queries as relaying
from parvis.federation.vocabulary import Activity

log = structlog.get_logger()

PASSED = frozenset(("Announce", "Create"))


async def add(tx: Tx, actor: str) -> None:
    """Ask a relay to pass open posts on to this city, and ours to others. Conflict when it has been asked."""
    if not jsonld.host(actor):
        raise Invalid("relay", "invalid")
    made = await relaying.ask(tx, actor)
    if made is None:
        raise Conflict("relay_known")
    await tx.emit(RelayWanted(made))


async def remove(tx: Tx, actor: str, base: str) -> None:
    """Have nothing more to do with a relay. NotFound when it was not asked."""
    gone = await relaying.leave(tx, actor)
    if gone is None:
        raise NotFound("relay")
    met = await people.by_id(tx, gone.account_id) if gone.account_id else None
    if met is not None:
        await outbox.relay_left(tx, base, gone.id, met)


async def subscribe(job: Job, event: RelayWanted) -> None:
    """Get to know a relay and follow everybody there: that is how one asks it."""
    async with job.db.read() as read:
        relay = await relaying.by_id(read, event.relay)
    if relay is None or relay.account_id:
        return
    met = await fetch.actor(job, relay.actor)
    async with job.db.write() as tx:
        if await relaying.meet(tx, relay.id, met.id):
            await outbox.relay_asked(tx, job.settings.base, relay.id, met)


async def hear(db: Db, activity: Activity) -> None:
    """What a relay passes on as somebody else wrote it, without a proof: only where the post is is believed."""
    async with db.write() as tx:
        uri = activity.object
        if activity.type in PASSED and uri and await intake.first_time(tx, f"{uri} passed on"):
            await tx.emit(RelayPassed(uri))


async def take(job: Job, event: RelayPassed) -> None:
    """Ask a post's own server for what a relay spoke of."""
    if wire.ours(job.settings, event.status):
        return
    try:
        await fetch.status(job, event.status)
    except Problem as error:
        log.info("relay", status=event.status, failed=error.word)
