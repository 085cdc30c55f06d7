"""Rate limits: counted in each worker's memory, shared through an unlogged table in batches, never on the hot path."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

import msgspec
import structlog

from parvis.api import queries
from parvis.base.db import FAILING, Db
from parvis.base.errors import TooMany
from parvis.base.jobs import Job

log = structlog.get_logger()


class Limit(msgspec.Struct, frozen=True):
    """So many in so many seconds."""

    family: str
    most: int
    seconds: int


PER_USER = Limit("user", 1500, 300)
PER_TOKEN = Limit("token", 300, 300)
PER_ADDRESS = Limit("address", 300, 300)
TRANSLATE = Limit("translate", 60, 600)
MEDIA = Limit("media", 30, 1800)
DELETE = Limit("delete", 30, 1800)
SIGN_UP = Limit("sign_up", 5, 1800)
SIGN_IN = Limit("sign_in", 25, 300)
APPS = Limit("apps", 5, 600)
POST = Limit("post", 300, 3 * 3600)
PASSWORD = Limit("password", 20, 900)
FOLLOW = Limit("follow", 400, 24 * 3600)


class Left(msgspec.Struct, frozen=True):
    """What is left of a limit, and the second at which it opens again."""

    most: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """What the client is told of it."""
        return {
            "X-RateLimit-Limit": str(self.most), "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(self.reset)),
        }


async def forget(job: Job) -> int:
    """Drop the shared counts of yesterday: their keys hold addresses."""
    async with job.db.write() as tx:
        return await queries.drop_rate_counts(tx, int(tx.now.timestamp()) - 86_400)


def address_key(text: str) -> str:
    """An address as it is counted: IPv6 by its /64."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address)


class Limits:
    """This worker's counts, and what it knows of the others'."""

    def __init__(self, *, enforced: bool) -> None:
        self.enforced = enforced
        self._used: dict[tuple[str, int], int] = {}
        self._fresh: dict[tuple[str, int], int] = {}

    def count(self, limit: Limit, who: str, now: datetime) -> Left:
        """One more; TooMany beyond the limit. A --dev city counts and tells, but never refuses."""
        moment = int(now.timestamp())
        window = moment - moment % limit.seconds
        key = (f"{limit.family}:{who}", window)
        used = self._used.get(key, 0) + 1
        if used > limit.most and self.enforced:
            raise TooMany(datetime.fromtimestamp(window + limit.seconds, UTC), most=limit.most)
        self._used[key] = used
        self._fresh[key] = self._fresh.get(key, 0) + 1
        return Left(limit.most, max(0, limit.most - used), window + limit.seconds)

    def allow(self, family: str, most: int, seconds: int, who: str, now: datetime) -> None:
        """The same for the pages, which name their own limits."""
        self.count(Limit(family, most, seconds), address_key(who), now)

    async def share(self, db: Db) -> None:
        """Add this worker's fresh counts to the table and learn the sums; drop windows that are over."""
        fresh = dict(self._fresh)
        moment = int(db.clock.now().timestamp())
        if fresh:
            async with db.write() as tx:
                keys, windows = [key for key, _ in fresh], [window for _, window in fresh]
                sums = await queries.add_rate_counts(tx, keys, windows, list(fresh.values()))
            self._fresh = {key: more for key, many in self._fresh.items() if (more := many - fresh.get(key, 0))}
            for row in sums:
                self._used[(row.key, row.window_start)] = row.used + self._fresh.get((row.key, row.window_start), 0)
        self._used = {key: used for key, used in self._used.items() if key[1] > moment - 86_400}

    async def keep_sharing(self, db: Db, every: float = 1.0) -> None:
        """Share again and again for as long as the worker lives."""
        while True:
            await asyncio.sleep(every)
            try:
                await self.share(db)
            except FAILING:
                log.exception("rate limits are not shared at the moment")
