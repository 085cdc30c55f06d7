"""Carries what is written for other servers to them: host by host, in order, until it has arrived or a week is over."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from functools import partial

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from parvis.accounts import queries as people
from parvis.base.db import Tx
from parvis.base.errors import Upstream
from parvis.base.jobs import Job
from parvis.base.seal import Seal
from parvis.federation import jsonld, queries, signatures, synchrony, wire
from parvis.federation.hosts import lanes
from parvis.federation.hosts import queries as health
from parvis.federation.queries import Delivery
from parvis.peers import actions as meeting
from parvis.peers import policy as servers
from parvis.peers import queries as peers

log = structlog.get_logger()

HOSTS = 100
KEYS = 500
BATCH = 50
PROBES = 5
PATIENCE = timedelta(seconds=12)
SECONDS = 10.0
"""A lease lasts 25 seconds: 12 of them to begin deliveries in, and the last has 10 to end."""
PASSING = frozenset((401, 403, 408, 429))
"""Refusals that may be over when one asks again: a server that does not know our key yet, or is busy."""


class Keys:
    """The private keys that deliveries are signed with, each opened once for all hosts it is needed for."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._opened: dict[int | None, asyncio.Task[RSAPrivateKey | None]] = {}

    async def of(self, account_id: int | None) -> RSAPrivateKey | None:
        """The key of somebody of this city, or of the city; None for somebody who has none any more."""
        if account_id not in self._opened:
            if len(self._opened) >= KEYS:
                self._opened.clear()
            self._opened[account_id] = asyncio.create_task(self._open(account_id))
        return await self._opened[account_id]

    async def _open(self, account_id: int | None) -> RSAPrivateKey | None:
        if account_id is None:
            return signatures.load_private(wire.instance_key(self._job.settings))
        async with self._job.db.read() as read:
            sealed = await people.private_key(read, account_id)
        return signatures.load_private(Seal(self._job.settings.secrets).open(sealed)) if sealed else None


async def deliver(job: Job) -> bool:
    """Take the hosts that have waited longest and bring them what is theirs; false when none is waiting."""
    keys = Keys(job)

    async def go(host: str) -> bool:
        try:
            return await _drain(job, host, keys)
        except Exception:
            log.exception("delivery", host=host)
            async with job.db.write() as tx:
                await health.back_off(tx, host, random.uniform(0, 15))
            return False

    return await lanes.through(job, "delivery", HOSTS, go)


async def _drain(job: Job, host: str, keys: Keys) -> bool:
    """Bring a host what is its own; False when it failed, and is left alone from now on."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE.total_seconds()
    arrived = False
    while loop.time() < until:
        async with job.db.read() as read:
            waiting = await queries.deliveries(read, host, BATCH)
            unwanted = bool(waiting) and await peers.is_kept_out(read, servers.above(host))
        for delivery in waiting:
            if loop.time() >= until:
                break
            if not unwanted and not await _brought(job, delivery, keys):
                async with job.db.write() as tx:
                    await health.back_off(tx, host, random.uniform(0, 15), afresh=arrived)
                return False
            arrived = not unwanted
            await job.db.write_together(partial(_done, host=host, delivery=delivery))
        if len(waiting) < BATCH:
            break
    return True


async def _done(tx: Tx, host: str, delivery: Delivery) -> None:
    queries.drop_delivery(tx, host, delivery.outgoing_id, delivery.inbox)


async def _brought(job: Job, delivery: Delivery, keys: Keys) -> bool:
    """True when there is nothing more to do: it has arrived, or it is not wanted. False: try the host later."""
    key, actor = await keys.of(delivery.account_id), delivery.actor or wire.instance_uri(job.settings.base)
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
