"""The lanes in which what goes to other servers, and what comes from them, is gone through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from parvis.base.jobs import Job
from parvis.federation.hosts import queries
from parvis.federation.hosts.queries import Lane

TURN = 0.05
LEFT: Mapping[Lane, int] = {"delivery": 100, "inbox": 1}
"""How many are left at once. What comes in is kept in no order of hosts: there, one at a time."""


async def through(job: Job, lane: Lane, most: int, go: Callable[[str], Awaitable[bool]]) -> bool:
    """Go through the lanes of the hosts that have waited longest, so many at once; False when none was waiting.

    `go` is True when the lane is to be left in good health. A host that is slow holds up nobody: others are taken while
    it is gone through.
    """
    going: dict[asyncio.Future[bool], str] = {}
    took = False
    try:
        while True:
            if len(going) < most:
                async with job.db.write() as tx:
                    hosts = await queries.lease(tx, lane, most - len(going))
                took = took or bool(hosts)
                going |= {asyncio.ensure_future(go(host)): host for host in hosts}
            if not going:
                return took
            done, _ = await asyncio.wait(going, timeout=TURN)
            left = [host for one, host in [(one, going.pop(one)) for one in done] if one.result()]
            for start in range(0, len(left), LEFT[lane]):
                async with job.db.write() as tx:
                    await queries.leave(tx, lane, left[start : start + LEFT[lane]])
    finally:
        for one in going:
            one.cancel()
        await asyncio.gather(*going, return_exceptions=True)
