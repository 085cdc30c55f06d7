"""What a post of another server costs does not grow with what is here already."""

from __future__ import annotations

from typing import Any

import asyncpg

from parvis.base.db import Db
from parvis.federation.intake import queries as inbox
from parvis.statuses import queries


async def test_a_post_that_comes_reads_no_other_post(owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("SET enable_seqscan = off")
    far = "https://ailleurs.example/1"
    given = (1, far, far, False, "", "<p>x</p>", "", False, "public", None, None, None, None, None, "", None, None, None,
             [], [], "public", False, False, [], [])
    plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {queries.ADD}", *given))
    assert "statuses_reply_waiting" in plan
    assert "Seq Scan on statuses" not in plan


async def test_of_one_server_only_so_much_is_looked_at_at_one_moment(db: Db) -> None:
    async with db.write() as tx:
        for size in (600, 300, 300, 10, 10):
            await inbox.store(tx, "ailleurs.example", "/inbox", {}, b"x" * size)
        await inbox.store(tx, "ost.example", "/inbox", {}, b"y")
    async with db.read() as r:
        for most, size, wanted in ((9, 2_000, 5), (2, 2_000, 2), (9, 1_000, 3), (9, 900, 2), (9, 1, 1), (9, 1_205, 4)):
            found = await inbox.first_items(r, "ailleurs.example", most, size)
            assert [len(one.body) for one in found] == [600, 300, 300, 10, 10][:wanted]
