"""The SQL of the face itself: shared rate limits."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parvis.base.db import Read, Tx


class RateCount(msgspec.Struct, frozen=True):
    """How often something was done in a window, by all workers."""

    key: str
    window_start: int
    used: int


async def add_rate_counts(tx: Tx, keys: Sequence[str], windows: Sequence[int], used: Sequence[int]) -> list[RateCount]:
    """Add a worker's counts; the sums."""
    return await tx.all(
        RateCount,
        """INSERT INTO rate_counts (key, window_start, used)
           SELECT * FROM unnest($1::text[], $2::bigint[], $3::int[]) w(key, window_start, used)
           ORDER BY key, window_start
           ON CONFLICT (key, window_start) DO UPDATE SET used = rate_counts.used + EXCLUDED.used
           RETURNING key, window_start, used""",
        list(keys), list(windows), list(used),
    )


async def drop_rate_counts(tx: Tx, before: int) -> int:
    """Forget windows that are over."""
    return await tx.run("DELETE FROM rate_counts WHERE window_start < $1", before)


async def answers(r: Read) -> bool:
    """Does the database answer?"""
    return bool(await r.value("SELECT true"))
