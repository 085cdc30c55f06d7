"""What a post of another server costs does not grow with what is here already."""

from __future__ import annotations

from typing import Any

import asyncpg

from parvis.statuses import queries


async def test_a_post_that_comes_reads_no_other_post(owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("SET enable_seqscan = off")
    far = "https://ailleurs.example/1"
    given = (1, far, far, False, "", "<p>x</p>", "", False, "public", None, None, None, None, None, "", None, None, None,
             [], [], "public", False, False, [], [])
    plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {queries.ADD}", *given))
    assert "statuses_reply_waiting" in plan
    assert "Seq Scan on statuses" not in plan
