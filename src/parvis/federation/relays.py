"""Relays: servers that pass open posts on to those who asked them to.

What a relay passes on is a hint where a post is, and no more: the post is taken from its own server, whoever signed it.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Db, Tx
from parvis.base.errors import Conflict, Invalid, NotFound, Problem
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld, outbox, queries, wire
from parvis.federation.model import RelayPassed, RelayWanted
from parvis.federation.proofs import Proof
from parvis.federation.relaying import queries as relaying
from parvis.federation.signatures import BadSignature
from parvis.federation.vocabulary import Activity
from parvis.peers import policy as servers
from parvis.peers import queries as peers

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


async def sender(db: Db, proof: Proof) -> Account:
    """The relay that signed what somebody else says; BadSignature for whoever is none that agreed."""
    async with db.read() as read:
        known = await people.by_uri(read, proof.key_id.partition("#")[0].removesuffix("/main-key"))
        if known is None or known.suspended_at or not await relaying.agreed(read, known.id):
            raise BadSignature("owner")
        if await peers.is_kept_out(read, servers.above(jsonld.host(known.uri))):
            raise BadSignature("owner")
    return known


async def hear(
    db: Db, relay: Account, activity: Activity, proof: Proof, request: tuple[tuple[str, str, str], Mapping[str, str]]
) -> None:
    """What a relay passes on as somebody else wrote it: nothing of that is believed but where the post is."""
    async with db.write() as tx:
        proof.verify(relay.public_key or "", *request, tx.now)
        uri = activity.object
        if activity.type in PASSED and uri and await queries.first_time(tx, f"{uri} passed on"):
            await tx.emit(RelayPassed(uri))


async def take(job: Job, event: RelayPassed) -> None:
    """Ask a post's own server for what a relay spoke of."""
    if wire.ours(job.settings, event.status):
        return
    try:
        await fetch.status(job, event.status)
    except Problem as error:
        log.info("relay", status=event.status, failed=error.word)
