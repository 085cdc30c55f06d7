"""Counting and ranking on a real database, against a slow sum in plain Python."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Server
from parvis.base import db as database
from parvis.base.db import Db
from parvis.trends import actions, policy, queries
from parvis.views.uses import queries as views

PEOPLE, TAGS = 6, 3


class Use(msgspec.Struct, frozen=True):
    """A public post by a person with a hashtag, some days ago."""

    person: int
    tag: int
    days: int
    language: str
    visibility: str = "public"


class Job:
    def __init__(self, db: Db) -> None:
        self.db = db


uses = st.lists(st.builds(
    Use, person=st.integers(1, PEOPLE), tag=st.integers(1, TAGS), days=st.integers(0, 1), language=st.sampled_from(["fr", "de"]),
    visibility=st.sampled_from(["public", "public", "public", "unlisted"]),
), max_size=40)


async def write(owner: asyncpg.Connection[Any], db: Db, found: list[Use], between: list[bool]) -> None:
    await owner.execute("TRUNCATE accounts, statuses, tags, use_deltas, uses, use_days, trends CASCADE")
    now = datetime.now(UTC)
    await owner.executemany(
        "INSERT INTO accounts (id, username, uri, url, created_at, bot, discoverable) VALUES ($1::bigint, 'p' || $1::bigint, 'u' || $1::bigint, 'u', $2, $3, true)",
        [(n, now - timedelta(days=0 if n == 1 else 30), n == 2) for n in range(1, PEOPLE + 1)],
    )
    await owner.executemany("INSERT INTO tags (id, name, display_name) VALUES ($1::bigint, 't' || $1::bigint, '')", [(n,) for n in range(1, TAGS + 1)])
    for number, use in enumerate(found, 1):
        at = now if use.days == 0 else datetime.combine(now.date(), datetime.min.time(), UTC) - timedelta(minutes=1)
        await owner.execute(
            """INSERT INTO statuses (id, account_id, uri, local, visibility, conversation_id, created_at, language)
               VALUES ($1::bigint, $2, 's' || $1::bigint, true, $3, $1, $4, $5)""", number, use.person, use.visibility, at, use.language)
        await owner.execute("INSERT INTO status_tags (status_id, tag_id) VALUES ($1, $2)", number, use.tag)
        async with db.write() as tx:
            await queries.count_post(tx, number)
        if between[number % len(between)]:
            await actions.fold_uses(Job(db))  # type: ignore[arg-type]


def expected(found: list[Use], counting: set[int]) -> dict[tuple[str, int], float]:
    """The formula in the plainest words."""
    public = [use for use in found if use.visibility == "public" and use.person in counting]
    scores: dict[tuple[str, int], float] = {}
    firsts: dict[tuple[int, int, int], str] = {}
    for use in public:
        firsts.setdefault((use.person, use.tag, use.days), use.language)
    for tag in range(1, TAGS + 1):
        for language in ("", "fr", "de"):
            people_in_all, score = 0, 0.0
            for days in (0, 1):
                people = {p for (p, t, d), first in firsts.items() if (t, d) == (tag, days) and language in ("", first)}
                spoken = sum(1 for use in public if use.tag == tag and use.days == days and use.person in people)
                people_in_all += len(people)
                score += policy.points(len(people), spoken) * 0.5**days
            if people_in_all >= 3:
                scores[(language, tag)] = score
    return scores


def test_the_ranking_is_the_sum_that_is_published(server: Server) -> None:
    runner = asyncio.Runner()
    name = "t_trends_" + server.template[-8:]

    async def prepare() -> tuple[asyncpg.Connection[Any], Db]:
        admin = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner")
        await admin.close()
        return await asyncpg.connect(server.url("parvis_owner", name)), await database.connect(server.url("parvis_app", name), size=2)

    owner, db = runner.run(prepare())

    async def look(found: list[Use], between: list[bool]) -> None:
        await write(owner, db, found, between)
        public = [use for use in found if use.visibility == "public"]
        async with db.read() as r:
            waiting = await views.tags(r, None, [f"t{n}" for n in range(1, TAGS + 1)])
        await actions.fold_uses(Job(db))  # type: ignore[arg-type]
        async with db.read() as r:
            folded = await views.tags(r, None, [f"t{n}" for n in range(1, TAGS + 1)])
        assert sorted(waiting, key=lambda tag: tag.id) == sorted(folded, key=lambda tag: tag.id)
        for tag in folded:
            same = [[use.person for use in public if use.tag == tag.id and use.days == ago] for ago in range(7)]
            assert (tag.uses, tag.accounts) == ([len(one) for one in same], [len(set(one)) for one in same])
        await actions.rank(Job(db))  # type: ignore[arg-type]
        rows = await owner.fetch("SELECT language, thing_id, score, rank FROM trends WHERE kind = 'tag' ORDER BY language, rank")
        wanted = expected(found, set(range(3, PEOPLE + 1)))
        assert {(row[0], row[1]): pytest.approx(row[2]) for row in rows} == wanted
        for language in ("", "fr", "de"):
            assert [row[3] for row in rows if row[0] == language] == list(range(1, sum(1 for key in wanted if key[0] == language) + 1))

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(uses, st.lists(st.booleans(), min_size=1, max_size=5))
    def check(found: list[Use], between: list[bool]) -> None:
        runner.run(look(found, between))

    async def clean() -> None:
        await owner.close()
        await db.close()
        admin = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()

    try:
        check()
    finally:
        runner.run(clean())
        runner.close()


async def test_who_used_what_is_forgotten_and_how_many_is_kept(db: Db, owner: asyncpg.Connection[Any]) -> None:
    today = datetime.now(UTC).date()
    for days in (0, 9, 10, 366, 367):
        day: date = today - timedelta(days=days)
        await owner.execute("INSERT INTO uses (kind, thing_id, day, account_id, uses) VALUES ('tag', 1, $1, 1, 1)", day)
        await owner.execute("INSERT INTO use_days (kind, thing_id, day, uses, accounts) VALUES ('tag', 1, $1, 1, 1)", day)
    await actions.forget(Job(db))  # type: ignore[arg-type]
    assert await owner.fetchval("SELECT count(*) FROM uses") == 2
    assert await owner.fetchval("SELECT count(*) FROM use_days") == 4


async def test_a_review_is_never_unwritten(db: Db, app_sql: asyncpg.Connection[Any], owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("INSERT INTO accounts (id, username, uri, url) VALUES (1, 'a', 'a', 'a')")
    await app_sql.execute("INSERT INTO trend_reviews (kind, thing_id, approved, account_id) VALUES ('tag', 1, false, 1)")
    for statement in ("DELETE FROM trend_reviews", "UPDATE trend_reviews SET approved = true", "TRUNCATE trend_reviews"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_sql.execute(statement)


async def test_old_posts_that_arrive_late_do_not_trend(db: Db, owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("INSERT INTO accounts (id, username, uri, url) VALUES (1, 'a', 'a', 'a')")
    await owner.execute("INSERT INTO tags (id, name, display_name) VALUES (1, 'x', 'x')")
    await owner.execute("INSERT INTO statuses (id, account_id, uri, local, visibility, conversation_id, created_at) VALUES (1, 1, 's', false, 'public', 1, now() - interval '3 days')")
    await owner.execute("INSERT INTO status_tags (status_id, tag_id) VALUES (1, 1)")
    async with db.write() as tx:
        await queries.count_post(tx, 1)
    assert await owner.fetchval("SELECT count(*) FROM use_deltas") == 0
