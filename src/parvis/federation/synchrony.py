"""Two servers agree on who follows whom (FEP-8fcf).

A follow that one of them has lost, or never heard of, would show followers-only posts to people who do not follow, or
to nobody. So what is for followers only carries a digest of those who live where it goes; where that is not the digest
of whom the other server knows of, it asks for the list, and both sides are mended.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import msgspec
import structlog

from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Forbidden, NotFound, Problem
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld, outbox, proofs, queries, signatures, threads, verbs
from parvis.federation.activities.incoming import person
from parvis.federation.intake import queries as intake
from parvis.federation.jsonld import Document
from parvis.federation.model import FollowersDiffer
from parvis.federation.signatures import BadSignature
from parvis.peers import policy as servers
from parvis.peers import queries as peers

log = structlog.get_logger()

HEADER = "collection-synchronization"
MOST = outbox.MOST_COMPARED
OFTEN, HOST_OFTEN = 3600, 60
"""The followers of one account are looked at once an hour at most, and of all of a server's one account's a minute."""
PAGES = 10
DISOWNED = 200
"""How many follows that we know nothing of are taken back in one go."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Said(msgspec.Struct, frozen=True):
    """What a delivery says of its sender's followers in this city: where they are listed, and their digest."""

    url: str
    digest: str


def origin(uri: str) -> str:
    """How the ids of a server begin: scheme, authority and the slash behind them; empty for what is no address."""
    near = jsonld.host(uri)
    return f"{urlsplit(uri).scheme}://{near}/" if near else ""


def digest(uris: Iterable[str]) -> str:
    """Of a set of ids: their SHA-256 put together by exclusive or, so that their order does not matter."""
    found = 0
    for uri in uris:
        found ^= int.from_bytes(hashlib.sha256(uri.encode()).digest())
    return f"{found:064x}"


def address(actor: str) -> str:
    """Where the followers of somebody here are listed, for each server its own."""
    return f"{actor}/followers_synchronization"


def said(value: str, sender: Account) -> Said | None:
    """What the header of a delivery says, if it speaks of its sender's own followers; others cannot speak of them."""
    try:
        found = signatures.pairs(value)
    except BadSignature:
        return None
    url, mark = found.get("url", ""), found.get("digest", "").lower()
    theirs = sender.followers_url and found.get("collectionId") == sender.followers_url
    if not theirs or origin(url) != origin(sender.uri) or not _DIGEST.fullmatch(mark):
        return None
    return Said(url, mark)


async def header(r: Read, account_id: int, actor: str, inbox: str) -> str:
    """What a delivery says of its sender's followers where it goes, at this moment."""
    there = await queries.followers_at(r, account_id, origin(inbox), MOST)
    return f'collectionId="{actor}/followers", url="{address(actor)}", digest="{digest(there)}"'


async def introduced(job: Job, headers: Mapping[str, str]) -> None:
    """Learn who asks: another server's own actor asks before anybody has met it. Once a minute for each server."""
    try:
        uri = proofs.shown(headers).key_id.partition("#")[0].removesuffix("/main-key")
    except BadSignature:
        return
    near = jsonld.host(uri)
    async with job.db.write() as tx:
        met = not near or await people.by_uri(tx, uri) or await peers.is_kept_out(tx, servers.above(near))
        if met or not await intake.first_time(tx, f"{near} introduced {int(tx.now.timestamp()) // HOST_OFTEN}"):
            return
    with contextlib.suppress(Problem):
        await fetch.actor(job, uri)


async def listed(r: Read, account: Account, asker: Account) -> list[str]:
    """Who follows somebody here and lives on the server of whoever asks. With very many followers nothing is listed."""
    if await peers.is_kept_out(r, servers.above(jsonld.host(asker.uri))):
        raise Forbidden("domain_blocked")
    if (await people.shown(r, [account.id]))[0].followers > MOST:
        raise NotFound("followers_synchronization")
    return await queries.followers_at(r, account.id, origin(asker.uri), MOST)


async def compare(tx: Tx, sender: Account, value: str | None, base: str) -> None:
    """Ask for the list of a sender's followers here, if their server counts others than we do; now and then."""
    told = said(value, sender) if value else None
    if told is None:
        return
    known = await queries.followers_at(tx, sender.id, origin(f"{base}/"), MOST + 1)
    if len(known) > MOST or digest(known) == told.digest:
        return
    now = int(tx.now.timestamp())
    mine, theirs = f"{sender.uri} followers {now // OFTEN}", f"{origin(sender.uri)} followers {now // HOST_OFTEN}"
    if not await intake.already(tx, mine) and await intake.first_time(tx, theirs):
        await intake.first_time(tx, mine)
        mark = verbs.mark(tx.now)
        await tx.emit(FollowersDiffer(sender.id, told.url, told.digest, digest(known), mark))


async def synchronise(job: Job, event: FollowersDiffer) -> None:
    """Go by the list of whom another server counts among the followers of one of its own.

    If it is not what was announced, or if somebody began or ceased to follow meanwhile, nothing is done: a later
    delivery will say how it stands.
    """
    async with job.db.read() as read:
        target = await people.by_id(read, event.account)
    if target is None or target.local or target.deleted_at or target.suspended_at:
        return
    try:
        listing = await theirs(job, target, event.url)
    except Problem as error:
        log.info("followers", actor=target.uri, failed=error.word)
        return
    if digest(listing) != event.listed:
        return
    async with job.db.write() as tx:
        ours = await queries.followers_at(tx, target.id, origin(f"{job.settings.base}/"), MOST + 1)
        if digest(ours) == event.known:
            await _agree(tx, target, (set(ours), listing), event.mark)


async def theirs(job: Job, target: Account, url: str) -> set[str]:
    """Everybody whom another server lists; of more pages than a few, only the first ones."""
    near = jsonld.host(target.uri)
    page = await threads.opened(job, near, url)
    found, onwards = _ids(page), page.get("first") or page.get("next")
    for _ in range(PAGES):
        if onwards is None:
            break
        page = await threads.opened(job, near, onwards)
        found |= _ids(page)
        onwards = page.get("next")
    return found


def _ids(page: Document) -> set[str]:
    shown = page.get("orderedItems") or page.get("items")
    return {one for one in shown if isinstance(one, str)} if isinstance(shown, list) else set()


async def _agree(tx: Tx, target: Account, sides: tuple[set[str], set[str]], mark: int) -> None:
    """Who is not listed there follows no more; who is and does not follow here is taken off the list."""
    ours, theirs = sides
    for uri in sorted(ours - theirs):
        follower = await person(tx, uri)
        if follower is not None:
            with contextlib.suppress(NotFound):
                await accounts.reject_follow(tx, target, follower)
    for uri in sorted(theirs - ours)[:DISOWNED]:
        follower = await person(tx, uri)
        if follower is None:
            continue
        if await people.follow_between(tx, follower.id, target.id):
            await accounts.accept_follow(tx, target, follower)  # they asked, and the answer was lost
        else:
            await outbox.disown_follow(tx, follower, target, mark)
