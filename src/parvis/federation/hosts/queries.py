"""The SQL of hosts, and of their health."""

from __future__ import annotations

from typing import Literal

from parvis.base.db import Read, Tx

Lane = Literal["delivery", "inbox"]
# What waits for a host, and what waits from it: rows of a host, taken for so long that whoever began can end.
WAITING: tuple[tuple[Lane, str, int], ...] = (("delivery", "deliveries", 25), ("inbox", "inbox_items", 35))
LEASE = {
    lane: f"""UPDATE {lane}_hosts SET lease_until = parvis_now() + interval '{seconds} seconds'
        WHERE host IN (SELECT host FROM {lane}_hosts
                       WHERE due_at <= parvis_now() AND (lease_until IS NULL OR lease_until < parvis_now())
                       ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING host"""
    for lane, _, seconds in WAITING
}
LOCK = {lane: f"SELECT FROM {lane}_hosts WHERE host = $1 FOR UPDATE" for lane, _, _ in WAITING}
CLOSE = {
    lane: f"DELETE FROM {lane}_hosts WHERE host = $1 AND NOT EXISTS (SELECT FROM {items} WHERE host = $1)"
    for lane, items, _ in WAITING
}


async def lease(tx: Tx, lane: Lane, most: int) -> list[str]:
    """Take the hosts that have waited longest; nobody else gets them for half a minute."""
    return await tx.values(LEASE[lane], most)


async def lock(tx: Tx, lane: Lane, host: str) -> int:
    """Hold a host's row: whoever is adding to it has finished, whoever comes now waits."""
    return await tx.run(LOCK[lane], host)


async def close_empty(tx: Tx, lane: Lane, host: str) -> int:
    """Forget a host for which, or from which, nothing waits."""
    return await tx.run(CLOSE[lane], host)


async def release_inbox(tx: Tx, host: str) -> int:
    """Give a lane back."""
    return await tx.run("UPDATE inbox_hosts SET lease_until = NULL WHERE host = $1", host)


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


async def heard(tx: Tx, host: str) -> int:
    """A host that speaks to us is there, and is tried again at once: but one that still fails, every five minutes."""
    return await tx.run(
        """WITH spoken AS (DELETE FROM silent_hosts WHERE host = $1)
           UPDATE delivery_hosts SET due_at = parvis_now(), woken_at = parvis_now()
           WHERE host = $1 AND failures > 0 AND due_at > parvis_now()
             AND (woken_at IS NULL OR woken_at < parvis_now() - interval '5 minutes')""",
        host,
    )


async def release_deliveries(tx: Tx, host: str) -> int:
    """Give a host back, in good health."""
    return await tx.run(
        "UPDATE delivery_hosts SET lease_until = NULL, failures = 0, failing_since = NULL WHERE host = $1", host
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
    return int(await r.value("SELECT coalesce(max(failures), 0) FROM silent_hosts WHERE host = $1", host))


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
