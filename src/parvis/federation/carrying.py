"""What one server brings of another's: whose word it is by the proof in it, whoever's signature is on the request.

Only creations, changes and deletions are taken so, and only where the actor, the key and the thing itself are of one
server (FEP-fe34). What comes without such a proof is not believed; of a relay, it is a hint where a post is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Db, Read
from parvis.base.errors import Gone
from parvis.base.jobs import Job
from parvis.federation import fetch, integrity, jsonld, proofs, relays
from parvis.federation.keys import queries as keys
from parvis.federation.model import UNKNOWN_DROPPED
from parvis.federation.proofs import Proof
from parvis.federation.relaying import queries as relaying
from parvis.federation.signatures import BadSignature
from parvis.federation.vocabulary import Activity
from parvis.peers import policy as servers
from parvis.peers import queries as peers

CARRIED = frozenset(("Create", "Update", "Delete"))
"""What concerns everybody who has a post. Whatever is said to one server only comes from who says it."""
FRESH = timedelta(minutes=1)


def vouched(activity: Activity) -> bool:
    """Does this carry a proof of whose word it is, and is all of it of one server? The proof may still be a bad one."""
    near = jsonld.host(activity.actor)
    alike = near == jsonld.host(activity.id) == jsonld.host(activity.object or "")
    return activity.type in CARRIED and alike and integrity.shown(activity.said, activity.actor) is not None


async def bearer(db: Db, activity: Activity, proof: Proof) -> Account:
    """Who brings what somebody else says: anybody known here, if it carries a proof; or a relay that agreed."""
    async with db.read() as read:
        known = await people.by_uri(read, _actor(proof))
        if known is None or known.local or known.suspended_at or known.deleted_at:
            raise BadSignature("owner")
        if not vouched(activity) and not await relaying.agreed(read, known.id):
            raise BadSignature("owner")
        if await peers.is_kept_out(read, servers.above(jsonld.host(known.uri))):
            raise BadSignature("owner")
    return known


async def is_hint(db: Db, activity: Activity) -> bool:
    """Is what a relay brings without a proof? Then where the post is is all that is taken of it."""
    if vouched(activity):
        return False
    await relays.hear(db, activity)
    return True


def _actor(proof: Proof) -> str:
    return proof.key_id.partition("#")[0].removesuffix("/main-key")


async def by_relay(r: Read, headers: Mapping[str, str]) -> bool:
    """Was this request signed by a relay that agreed?"""
    known = await people.by_uri(r, _actor(proofs.shown(headers)))
    return known is not None and await relaying.agreed(r, known.id)


async def author(job: Job, activity: Activity, headers: Mapping[str, str], received_at: datetime) -> Account | None:
    """Whose word it is that somebody else brought; None where there is nothing to do, or nothing but a hint."""
    try:
        return await _proved(job, activity, received_at)
    except BadSignature:
        async with job.db.read() as read:
            hinted = await by_relay(read, headers)
        if not hinted:
            raise
        await relays.hear(job.db, activity)
        return None


async def _proved(job: Job, activity: Activity, received_at: datetime) -> Account | None:
    """The actor, if a key of theirs made the proof: one we know, or, if that does not fit, one they have now."""
    claim = integrity.shown(activity.said, activity.actor)
    if claim is None or not vouched(activity):
        raise BadSignature("owner")
    async with job.db.read() as read:
        known, now = await people.by_uri(read, activity.actor), read.now
        key = await keys.public(read, known.id, claim.method) if known else None
    if known is None and activity.type in UNKNOWN_DROPPED:
        return None
    if known is not None and known.deleted_at:
        raise Gone("account")
    if known is not None:
        try:
            integrity.verify(activity.said, claim, key or "", received_at)
        except BadSignature as error:
            lately = known.fetched_at is not None and known.fetched_at > now - FRESH
            if error.reason not in ("signature", "key") or lately:
                raise
        else:
            return known
    met = await fetch.actor(job, activity.actor, fresh=True)
    async with job.db.read() as read:
        key = await keys.public(read, met.id, claim.method)
    integrity.verify(activity.said, claim, key or "", received_at)
    return met
