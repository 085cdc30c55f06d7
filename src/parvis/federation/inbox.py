"""What other servers sent: each request is verified, dated, understood, and takes effect once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeVar

import asyncpg
import structlog

from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Gone, NotFound, Problem, Upstream
from parvis.base.ids import parsed
from parvis.base.jobs import Job
from parvis.federation import (
    carrying,
    fetch,
    forwarding,
    jsonld,
    keyring,
    policy,
    proofs,
    synchrony,
    vocabulary,
    wire,
)
from parvis.federation.activities import (
    accept,
    add,
    announce,
    block,
    create,
    delete,
    flag,
    follow,
    like,
    move,
    quoterequest,
    reject,
    remove,
    undo,
    update,
)
from parvis.federation.activities.incoming import Deed, Incoming
from parvis.federation.hosts import lanes
from parvis.federation.hosts import queries as health
from parvis.federation.intake import queries as intake
from parvis.federation.intake.queries import Item
from parvis.federation.model import UNKNOWN_DROPPED, KeyDoubted
from parvis.federation.proofs import Proof
from parvis.federation.signatures import BadSignature
from parvis.federation.vocabulary import Activity
from parvis.peers import actions as peers
from parvis.peers import queries as servers
from parvis.peers.policy import above

log = structlog.get_logger()

PATIENCE = 10.0
ITEM = 20.0
"""A lease lasts 35 seconds: 10 of them to begin items in, and the last has 20 to end."""
LANES = 8
RUN = 32
RUN_BYTES = 500_000
"""So many servers are heard at once, and of each so many activities, if they are short: they are looked up and kept
together."""
TRIES = 6
FRESH = timedelta(minutes=1)

T = TypeVar("T")
Fetch = Callable[[Job, Incoming], Awaitable[Deed]]


def at_once(receive: Callable[[Tx, Incoming], Awaitable[None]]) -> Fetch:
    """For an activity that needs nothing from elsewhere."""

    async def fetch_nothing(job: Job, given: Incoming) -> Deed:
        async def deed(tx: Tx) -> None:
            await receive(tx, given)

        return deed

    return fetch_nothing


ACTIVITIES: Mapping[str, Fetch] = {
    "Accept": at_once(accept.receive),
    "Add": add.fetched,
    "Announce": announce.fetched,
    "Block": at_once(block.receive),
    "Create": create.fetched,
    "Delete": at_once(delete.receive),
    "EmojiReact": at_once(like.receive),
    "Flag": at_once(flag.receive),
    "Follow": at_once(follow.receive),
    "Like": at_once(like.receive),
    "Move": move.fetched,
    "QuoteRequest": quoterequest.fetched,
    "Reject": at_once(reject.receive),
    "Remove": at_once(remove.receive),
    "Undo": at_once(undo.receive),
    "Update": update.fetched,
}


class NotUsedError(Exception):
    """A request that is not worth another look; the reason is a stable word."""


async def receive(job: Job) -> bool:
    """Take the lanes that have waited longest, go through each in order; false when none is waiting."""

    async def go(lane: str) -> bool:
        try:
            await _go_through(job, lane)
        except Exception:
            log.exception("inbox", lane=lane)
        return True

    return await lanes.through(job, "inbox", LANES, go)


async def _go_through(job: Job, lane: str) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while loop.time() < until:
        async with job.db.read() as read:
            items = await intake.first_items(read, lane, RUN, RUN_BYTES)
        if not items:
            break
        said = [_said(item) for item in items]
        first = list(zip(items, said, strict=True))[: policy.side_by_side(said)]
        deeds = await asyncio.gather(*(_guarded(job, item, _understood(job, item, one)) for item, one in first))
        # Kept in the order in which they came, whichever was understood first.
        await asyncio.gather(*(
            _guarded(job, item, _keep(job, item, deed)) for (item, _), deed in zip(first, deeds, strict=True) if deed
        ))


def _read(item: Item) -> Activity:
    return vocabulary.activity(jsonld.document(item.body))


def _said(item: Item) -> Activity | None:
    try:
        return _read(item)
    except Problem:
        return None


async def _guarded(job: Job, item: Item, work: Awaitable[T]) -> T | None:
    """Do something with an item, or see to it that it is refused or tried again."""
    try:
        async with asyncio.timeout(ITEM):
            return await work
    except Upstream as error:
        await (_later if error.word in wire.PASSING else _refuse)(job, item, error.word)
    except (NotUsedError, BadSignature) as error:
        await _refuse(job, item, str(error))
    except Problem as error:
        await _refuse(job, item, error.word)
    except TimeoutError:
        await _later(job, item, "too_slow")
    except Exception:
        log.exception("inbox", item=item.id, host=item.host)
        await _later(job, item, "error")
    return None


async def _understood(job: Job, item: Item, said: Activity | None) -> Deed | None:
    """What is to be kept of an item; None when it was dealt with."""
    activity = said or _read(item)  # which raises what is wrong with it
    near = jsonld.host(activity.actor)
    if jsonld.host(activity.id) != near:
        raise NotUsedError("wrong_host")
    rationed = job.rationed(fetch.REQUESTS)
    async with job.db.read() as read:
        if await servers.is_kept_out(read, above(near)):
            raise NotUsedError("domain_blocked")
    sender = await _sender(rationed, item, activity)
    if sender is None or activity.type not in ACTIVITIES:
        await _forget(job, item)
        return None
    if sender.suspended_at:
        raise NotUsedError("suspended")
    bearer = jsonld.host(proofs.shown(item.headers).key_id)
    key = _key_of(activity, item)
    async with job.db.read() as read:
        owner = await _owner(read, item.path) if bearer == near else None
        relayed = bearer != near and await carrying.by_relay(read, item.headers)
        news, known = await health.is_news(read, bearer), await intake.already(read, key)
    given = Incoming(sender=sender, activity=activity, base=job.settings.base, owner=owner, relayed=relayed)
    deed = None if known else await ACTIVITIES[activity.type](rationed, given)

    async def kept(tx: Tx) -> None:
        intake.drop_item(tx, item.id)
        if news:
            await peers.heard_from(tx, bearer)
            await health.heard(tx, bearer)
        if bearer == near:
            await synchrony.compare(tx, sender, item.headers.get(synchrony.HEADER), job.settings.base)
        if deed:
            intake.done(tx, key)
            await forwarding.done(tx, given, item.body, deed)

    return kept


async def _keep(job: Job, item: Item, kept: Deed) -> None:
    """Let it take effect, once: of two that are the same the second is forgotten."""
    try:
        await job.db.write_together(kept)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != intake.DONE:
            raise
        await _forget(job, item)


def _key_of(activity: Activity, item: Item) -> str:
    """What makes an activity the same one: its id. Some servers use one id for each Follow of the same person."""
    if activity.type != "Follow":
        return activity.id
    return f"{activity.id} {hashlib.sha256(item.headers['signature'].encode()).hexdigest()[:16]}"


async def _owner(r: Read, path: str) -> int | None:
    """Whose own inbox a request came to: someone of this city who is here."""
    parts = path.partition("?")[0].strip("/").split("/")
    number = parsed(parts[2]) if len(parts) == 4 and parts[:2] == ["ap", "users"] and parts[3] == "inbox" else None
    found = None if number is None else await people.by_id(r, number)
    return found.id if found and found.local and not found.deleted_at else None


async def _sender(job: Job, item: Item, activity: Activity) -> Account | None:
    """Who proved to have sent this; None for someone never met who only says that something unknown is gone.

    The key we know is tried, and when it does not fit, the one that the actor has now. What somebody else brought, whom
    the door knew, is its author's by the proof in it alone.
    """
    proof = proofs.shown(item.headers)
    proof.check_digest(item.headers, item.body)
    if jsonld.host(proof.key_id) != jsonld.host(activity.actor):
        return await carrying.author(job, activity, item.headers, item.received_at)
    async with job.db.read() as read:
        known, now = await people.by_uri(read, activity.actor), read.now
    if known is None and activity.type in UNKNOWN_DROPPED:
        return None
    if known is not None and known.deleted_at:
        raise NotUsedError("deleted")
    sender = known or await _met(job, activity.actor)
    try:
        await _verify(job, sender, item, proof)
    except BadSignature as error:
        lately = known is None or (known.fetched_at and known.fetched_at > now - FRESH)
        if error.reason not in ("signature", "key") or lately:
            raise
        sender = await fetch.actor(job, activity.actor, fresh=True)
        await _verify(job, sender, item, proof)
    return sender


async def renew_key(job: Job, event: KeyDoubted) -> None:
    """Ask for an actor whose key no longer fits; when its server tries again, the new key is known."""
    try:
        await fetch.actor(job, event.actor, fresh=True)
    except Problem as error:
        log.info("renew_key", actor=event.actor, failed=error.word)


async def _met(job: Job, uri: str) -> Account:
    try:
        return await fetch.actor(job, uri)
    except (NotFound, Gone) as error:
        raise NotUsedError("no_actor") from error


async def _verify(job: Job, sender: Account, item: Item, proof: Proof) -> None:
    """A key of the sender's made this signature, or BadSignature."""
    key = await keyring.at_door(job.db, sender, proof)
    if not key or sender.local:
        raise BadSignature("key")
    asked = (item.method, job.settings.base, item.path)
    proof.verify(key, asked, item.headers, item.received_at)


async def _forget(job: Job, item: Item) -> None:
    async with job.db.write() as tx:
        intake.drop_item(tx, item.id)


async def _refuse(job: Job, item: Item, reason: str) -> None:
    async with job.db.write() as tx:
        intake.drop_item(tx, item.id)
        await intake.refuse(tx, item.host.partition("~")[0], reason, item.body)


async def _later(job: Job, item: Item, reason: str) -> None:
    """Try again after n to the fourth and 15 seconds, in a lane where this holds up nobody; six times at most."""
    if item.tries + 1 >= TRIES:
        await _refuse(job, item, reason)
        return
    lane = f"{item.host.partition('~')[0]}~{item.tries + 1}"
    async with job.db.write() as tx:
        await intake.move_item(tx, item.id, lane)
        await intake.wake_inbox(tx, lane, tx.now + timedelta(seconds=(item.tries + 1) ** 4 + 15))
