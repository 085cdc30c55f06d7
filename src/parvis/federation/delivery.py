"""Carries what is written for other servers to them: host by host, in order, until it has arrived or a week is over."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from parvis.accounts import queries as people
from parvis.base.errors import Upstream
from parvis.base.jobs import Job
from parvis.base.seal import Seal
from parvis.federation import jsonld, queries, signatures, synchrony, wire
from parvis.federation.hosts import queries as health
from parvis.federation.queries import Delivery
from parvis.peers import actions as meeting
from parvis.peers import policy as servers
from parvis.peers import queries as peers

log = structlog.get_logger()

HOSTS = 20
BATCH = 50
PROBES = 5
PATIENCE = timedelta(seconds=12)
SECONDS = 10.0
"""A lease lasts 25 seconds: 12 of them to begin deliveries in, and the last has 10 to end."""
PASSING = frozenset((401, 403, 408, 429))
"""Refusals that may be over when one asks again: a server that does not know our key yet, or is busy."""


async def deliver(job: Job) -> bool:
    """Take the hosts that have waited longest and bring them what is theirs; false when none is waiting."""
    async with job.db.write() as tx:
        hosts = await health.lease(tx, "delivery", HOSTS)
    ends = await asyncio.gather(*(_drain(job, host) for host in hosts), return_exceptions=True)
    for host, end in zip(hosts, ends, strict=True):
        if isinstance(end, Exception):
            log.error("delivery", host=host, exc_info=end)
            async with job.db.write() as tx:
                await health.back_off(tx, host, random.uniform(0, 15))
    return bool(hosts)


async def _drain(job: Job, host: str) -> None:
    keys: dict[int, RSAPrivateKey] = {}
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE.total_seconds()
    arrived = False
    while loop.time() < until:
        async with job.db.read() as read:
            waiting = await queries.deliveries(read, host, BATCH)
            unwanted = await peers.is_kept_out(read, servers.above(host))
        if not waiting:
            break
        for delivery in waiting:
            if loop.time() >= until:
                break
            if not unwanted and not await _brought(job, delivery, keys):
                async with job.db.write() as tx:
                    await health.back_off(tx, host, random.uniform(0, 15), afresh=arrived)
                return
            arrived = not unwanted
            async with job.db.write() as tx:
                await queries.drop_delivery(tx, host, delivery.outgoing_id, delivery.inbox)
    async with job.db.write() as tx:
        await health.lock(tx, "delivery", host)
        if not await health.close_empty(tx, "delivery", host):
            await health.release_deliveries(tx, host)


async def _brought(job: Job, delivery: Delivery, keys: dict[int, RSAPrivateKey]) -> bool:
    """True when there is nothing more to do: it has arrived, or it is not wanted. False: try the host later."""
    key, actor = await _key(job, delivery.account_id, keys), delivery.actor or wire.instance_uri(job.settings.base)
    if key is None:
        return True
    headers = {"content-type": wire.CONTENT_TYPE}
    if delivery.compared and delivery.account_id:
        async with job.db.read() as read:
            headers[synchrony.HEADER] = await synchrony.header(read, delivery.account_id, actor, delivery.inbox)
    try:
        answer = await wire.knock(job, jsonld.host(delivery.inbox), (key, actor), lambda sign: (
            job.http.request(
                "POST", delivery.inbox, headers=headers, body=delivery.body, limit=100_000, seconds=SECONDS,
                redirects=1, sign=sign,
            )
        ))
    except Upstream as error:
        log.info("delivery", inbox=delivery.inbox, failed=error.word)
        return error.word not in wire.PASSING and error.word != "address_refused"
    if 400 <= answer.status < 500 and answer.status not in PASSING:
        log.info("delivery", inbox=delivery.inbox, refused=answer.status)
        return True
    return 200 <= answer.status < 300


async def _key(job: Job, account_id: int | None, keys: dict[int, RSAPrivateKey]) -> RSAPrivateKey | None:
    if account_id is None:
        return signatures.load_private(wire.instance_key(job.settings))
    if account_id not in keys:
        async with job.db.read() as read:
            sealed = await people.private_key(read, account_id)
        if sealed is None:
            return None
        keys[account_id] = signatures.load_private(Seal(job.settings.secrets).open(sealed))
    return keys[account_id]


async def probe(job: Job) -> bool:
    """Ask servers that are away whether they are there again; false when it is nobody's turn."""
    async with job.db.write() as tx:
        hosts = await peers.probed(tx, PROBES)
    await asyncio.gather(*(wire.lives(job, host) for host in hosts))
    return bool(hosts)


async def prune(job: Job) -> bool:
    """Forget deliveries of more than a week, and what only served to do things once.

    A server to which nothing could be brought in all that time is away from now on.
    """
    async with job.db.write() as tx:
        silent = await health.abandon(tx)
        await meeting.went_away(tx, silent)
        return bool(await queries.prune(tx) + await health.prune(tx))
