"""The SQL of hosts, and of their health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from parvis.base.db import Read, Tx

Lane = Literal["delivery", "inbox"]
# What waits for a host, and what waits from it: taken for so many seconds that whoever began can end.
LASTS: Mapping[Lane, int] = {"delivery": 25, "inbox": 35}
LEASE = {
    lane: f"""UPDATE {lane}_hosts SET lease_until = parvis_now() + interval '{seconds} seconds'
        WHERE host IN (SELECT host FROM {lane}_hosts
                       WHERE due_at <= parvis_now() AND (lease_until IS NULL OR lease_until < parvis_now())
                       ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING host"""
    for lane, seconds in LASTS.items()
}
LEAVE = {lane: f"SELECT leave_{lane}(host) FROM (SELECT unnest($1::text[]) AS host ORDER BY 1) w" for lane in LASTS}


async def lease(tx: Tx, lane: Lane, most: int) -> list[str]:
    """Take the hosts that have waited longest; nobody else gets them for half a minute."""
    return await tx.values(LEASE[lane], most)


async def leave(tx: Tx, lane: Lane, hosts: Sequence[str]) -> None:
    """Forget hosts for which, or from which, nothing waits; give back those for which more does.

    Their rows are held one after the other by name: whoever writes to several holds them in the same order.
    """
    await tx.values(LEAVE[lane], list(hosts))


async def back_off(tx: Tx, host: str, jitter: float, afresh: bool = False) -> int:
    """Leave a host that fails alone for a while: n to the fourth, 15 seconds, and some chance.

    `afresh`: something had just arrived there, so that it has begun to fail only now.
    """
    return await tx.run(
        """UPDATE delivery_hosts d SET failures = n.failures, lease_until = NULL,
               failing_since = CASE WHEN n.failures > 1 THEN d.failing_since ELSE parvis_now() END,
               due_at = parvis_now() + make_interval(secs => power(n.failures, 4) + 15 + $2::double precision)
           FROM (SELECT CASE WHEN $3::boolean THEN 1 ELSE failures + 1 END AS failures
                 FROM delivery_hosts WHERE host = $1) n
           WHERE d.host = $1""",
        host, jitter, afresh,
    )


async def is_news(r: Read, host: str) -> bool:
    """Does it change anything that a host speaks? Not when it was heard this minute, and nothing to it has failed."""
    return bool(await r.shared_value(
        """SELECT NOT EXISTS (SELECT FROM peers WHERE domain = $1 AND away_since IS NULL
                                  AND heard_at >= parvis_now() - interval '1 minute')
                  OR EXISTS (SELECT FROM silent_hosts WHERE host = $1)
                  OR EXISTS (SELECT FROM delivery_hosts WHERE host = $1 AND failures > 0)""",
        host,
    ))


async def heard(tx: Tx, host: str) -> int:
    """A host that speaks to us is there, and is tried again at once: but one that still fails, every five minutes."""
    return await tx.run(
        """WITH spoken AS (DELETE FROM silent_hosts WHERE host = $1)
           UPDATE delivery_hosts SET due_at = parvis_now(), woken_at = parvis_now()
           WHERE host = $1 AND failures > 0 AND due_at > parvis_now()
             AND (woken_at IS NULL OR woken_at < parvis_now() - interval '5 minutes')""",
        host,
    )


async def abandon(tx: Tx) -> list[str]:
    """Forget what waits for hosts to which nothing could be brought for seven days; their names."""
    return await tx.values(
        """WITH silent AS (DELETE FROM delivery_hosts
                           WHERE failing_since <= parvis_now() - interval '7 days'
                             AND (lease_until IS NULL OR lease_until < parvis_now()) RETURNING host),
                lost AS (DELETE FROM deliveries d USING silent s WHERE d.host = s.host)
           SELECT host FROM silent ORDER BY host"""
    )


async def silences(r: Read, host: str) -> int:
    """How often in a row a host did not answer our questions, of late."""
    return int(await r.shared_value("SELECT coalesce(max(failures), 0) FROM silent_hosts WHERE host = $1", host))


async def turn(tx: Tx, host: str) -> bool:
    """True for whoever may ask a host that is left alone: one, every five minutes."""
    return bool(await tx.run(
        """UPDATE silent_hosts SET until = parvis_now() + interval '5 minutes'
           WHERE host = $1 AND until <= parvis_now()""",
        host,
    ))


async def note_silence(tx: Tx, host: str) -> int:
    """A host did not answer."""
    return await tx.run(
        """INSERT INTO silent_hosts (host, failures, until) VALUES ($1, 1, parvis_now() + interval '5 minutes')
           ON CONFLICT (host) DO UPDATE SET until = EXCLUDED.until,
               failures = CASE WHEN silent_hosts.until < parvis_now() - interval '1 hour' THEN 1
                               ELSE silent_hosts.failures + 1 END""",
        host,
    )


async def end_silence(tx: Tx, host: str) -> int:
    """A host has answered."""
    return await tx.run("DELETE FROM silent_hosts WHERE host = $1", host)


async def prune(tx: Tx) -> int:
    """Forget hosts that nobody has asked for a day."""
    return await tx.run("DELETE FROM silent_hosts WHERE until < parvis_now() - interval '1 day'")
