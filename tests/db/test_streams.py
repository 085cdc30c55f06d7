"""A stream tells exactly what its timeline shows, on generated worlds; and finding out whom costs no reading of tables."""

from __future__ import annotations

import asyncio
import itertools
from random import Random
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Server
from parvis.base import db as database
from parvis.base.db import Read
from parvis.base.ids import Page
from parvis.base.settings import Settings
from parvis.streams import policy, queries
from parvis.streams.model import Ear, Wish
from parvis.timelines import queries as timelines
from parvis.views import crowd
from parvis.views import status as view
from parvis.views.cards import Shelf
from parvis.views.status import Eye

PEOPLE, POSTS = 5, 8
TAGS = ("bread", "roses")
RULES: tuple[list[str], ...] = ([], ["public"], ["followers"], ["following"], ["followers", "following"])
EVERYTHING = Page(limit=40)
CITY = Settings(origin="http://localhost", dev=True)


async def world(sql: asyncpg.Connection[Any], random: Random) -> None:
    """People who follow, mute, block and list each other, and what they say."""
    some = random.random
    people = range(1, PEOPLE + 1)
    await sql.execute("TRUNCATE accounts, statuses, tags, lists CASCADE")
    await sql.executemany(
        """INSERT INTO accounts (id, username, domain, uri, url, limited_at)
           VALUES ($1::bigint, 'p' || $1::bigint, $2, 'u' || $1::bigint, 'u' || $1::bigint, CASE WHEN $3 THEN parvis_now() END)""",
        [(n, "far.example" if n > 3 else None, some() < 0.2) for n in people],
    )
    pairs = [(a, b) for a, b in itertools.permutations(people, 2)]
    await sql.executemany(
        "INSERT INTO follows (account_id, target_id, accepted, show_reblogs, languages) VALUES ($1, $2, $3, $4, $5)",
        [(a, b, some() < 0.9, some() < 0.8, ["fr"] if some() < 0.2 else None) for a, b in pairs if some() < 0.6],
    )
    for table, chance in (("mutes", 0.1), ("blocks", 0.05)):
        await sql.executemany(
            f"INSERT INTO {table} (account_id, target_id) VALUES ($1, $2)", [pair for pair in pairs if some() < chance]
        )
    await sql.executemany(
        "INSERT INTO domain_blocks (account_id, domain) VALUES ($1, 'far.example')", [(n,) for n in people if some() < 0.2]
    )
    await sql.executemany("INSERT INTO tags (id, name, display_name) VALUES ($1, $2, $2)", list(enumerate(TAGS, 1)))
    await sql.executemany(
        "INSERT INTO tag_follows (account_id, tag_id) VALUES ($1, $2)",
        [(n, tag) for n in people for tag in (1, 2) if some() < 0.3],
    )
    await sql.executemany(
        "INSERT INTO lists (id, account_id, title, replies_policy, exclusive) VALUES ($1, $1, 'l', $2, $3)",
        [(n, random.choice(("list", "followed", "none")), some() < 0.3) for n in people],
    )
    await sql.executemany(
        "INSERT INTO list_accounts (list_id, account_id) VALUES ($1, $2)",
        [(a, b) for a, b in itertools.product(people, people) if some() < 0.4],
    )
    for number in range(1, POSTS + 1):
        await post(sql, random, number)


async def post(sql: asyncpg.Connection[Any], random: Random, number: int) -> None:
    """One post, perhaps an answer or a reblog of an earlier one."""
    author = random.randint(1, PEOPLE)
    before = await sql.fetch("SELECT id, account_id FROM statuses WHERE reblog_of_id IS NULL")
    parent = random.choice(before) if before and random.random() < 0.35 else None
    passed = random.choice(before) if before and parent is None and random.random() < 0.35 else None
    if passed and await sql.fetchval("SELECT 1 FROM statuses WHERE account_id = $1 AND reblog_of_id = $2", author, passed["id"]):
        passed = None
    await sql.execute(
        """INSERT INTO statuses (id, account_id, uri, local, visibility, conversation_id, language, in_reply_to_id,
               in_reply_to_account_id, reblog_of_id, deleted_at)
           VALUES ($1::bigint, $2::bigint, 's' || $1::bigint, $2::bigint <= 3, $3, $1, $4, $5, $6, $7,
                   CASE WHEN $8 THEN parvis_now() END)""",
        number, author, random.choices(("public", "unlisted", "private", "direct"), (6, 1, 2, 1))[0],
        random.choice((None, "fr", "en")) if passed is None else None, parent and parent["id"],
        parent and parent["account_id"], passed and passed["id"], random.random() < 0.1,
    )
    if random.random() < 0.3:
        await sql.execute("INSERT INTO mentions (status_id, account_id) VALUES ($1, $2)", number, random.randint(1, PEOPLE))
    if passed is None and random.random() < 0.5:
        await sql.execute("INSERT INTO status_tags (tag_id, status_id) VALUES ($1, $2)", random.randint(1, 2), number)
    if passed is None and random.random() < 0.3:
        await sql.execute(
            "INSERT INTO media (account_id, status_id, kind, content_type) VALUES ($1, $2, 'image', 'image/png')", author, number
        )


async def marks(sql: asyncpg.Connection[Any], random: Random) -> None:
    """What people do with posts, and all else by which one post is not the same for two of them."""
    some, people, posts = random.random, range(1, PEOPLE + 1), range(1, POSTS + 1)
    for table in ("favourites", "bookmarks", "pins"):
        await sql.executemany(
            f"INSERT INTO {table} (account_id, status_id) VALUES ($1, $2)",
            [(n, number) for n in people for number in posts if some() < 0.1],
        )
    await sql.executemany(
        "INSERT INTO conversation_mutes (account_id, conversation_id) VALUES ($1, $2)",
        [(n, number) for n in people for number in posts if some() < 0.05],
    )
    await sql.executemany(
        "UPDATE statuses SET quote_automatic = $2, quote_manual = $3, content = $4 WHERE id = $1",
        [(n, random.choice(RULES), random.choice(RULES), random.choice(("fresh bread", "roses"))) for n in posts],
    )
    passed = {row["id"] for row in await sql.fetch("SELECT id FROM statuses WHERE reblog_of_id IS NOT NULL")}
    pairs = [(a, b) for b, a in itertools.combinations(posts, 2) if not {a, b} & passed and some() < 0.2]
    await sql.executemany(
        """INSERT INTO quotes (status_id, account_id, quoted_id, quoted_uri, state)
           SELECT $1, account_id, $2, 'q', $3 FROM statuses WHERE id = $1 ON CONFLICT DO NOTHING""",
        [(a, b, "accepted" if some() < 0.8 else "pending") for a, b in pairs],
    )
    for number in posts:
        if some() < 0.2 and number not in passed:
            await sql.execute(
                """WITH p AS (INSERT INTO polls (id, status_id, account_id, local, multiple, hide_totals)
                              SELECT id, id, account_id, true, false, false FROM statuses WHERE id = $1 RETURNING id)
                   INSERT INTO poll_options (poll_id, choice, title) SELECT id, c, 'c' FROM p, generate_series(0, 1) c""", number
            )
            await sql.executemany(
                "INSERT INTO poll_votes (poll_id, account_id, choice) VALUES ($1, $2, 1)", [(number, n) for n in people if some() < 0.3]
            )
    for n in people:
        if some() < 0.2:
            await sql.execute("INSERT INTO filters (id, account_id, title, context, action) VALUES ($1, $1, 'f', '{home}', 'hide')", n)
            await sql.execute("INSERT INTO filter_keywords (filter_id, keyword, whole_word) VALUES ($1, 'bread', true)", n)


def wishes(viewer: int) -> list[Wish]:
    """Every stream there is, but for those that tell no posts."""
    plain = [Wish(name) for name in policy.STREAMS if name == "user" or name.startswith("public")]
    tags = [Wish(name, tag=tag) for name in ("hashtag", "hashtag:local") for tag in TAGS]
    return [*plain, *tags, Wish("list", list_id=viewer), Wish("list", list_id=viewer % PEOPLE + 1)]


async def timeline(r: Read, ear: Ear) -> set[int]:
    """What the timeline of a stream shows."""
    wish, viewer = ear.wish, ear.viewer
    if wish.stream == "user":
        return set(await timelines.home(r, viewer, EVERYTHING))
    if wish.list_id is not None:
        return set(await timelines.of_list(r, viewer, wish.list_id, EVERYTHING))
    local = True if ":local" in wish.stream else False if ":remote" in wish.stream else None
    if wish.tag is not None:
        return set(await timelines.tagged(r, viewer, EVERYTHING, ([wish.tag], [], []), local))
    return set(await timelines.public(r, viewer, EVERYTHING, local, wish.stream.endswith(":media")))


async def compared(sql: asyncpg.Connection[Any], db: database.Db, random: Random) -> None:
    """One world: every ear of everybody against its timeline, and whoever heard of a post hears that it is gone."""
    await world(sql, random)
    ears = [Ear(viewer, wish) for viewer in range(1, PEOPLE + 1) for wish in wishes(viewer)]
    everything = list(range(1, POSTS + 1))
    async with db.read() as r:
        rows = await queries.audience(r, everything, [], ears)
        assert rows == await queries.audience(r, [], everything, ears)
        heard: dict[Ear, set[int]] = {ear: set() for ear in ears}
        for row in rows:
            assert len(set(row.ears)) == len(row.ears)
            for place in row.ears:
                heard[ears[place]].add(row.status_id)
        for ear in ears:
            assert heard[ear] == await timeline(r, ear), ear
    await alike(sql, db, random, [(ears[place].viewer, row.status_id) for row in rows for place in row.ears])
    await sql.execute("UPDATE statuses SET deleted_at = parvis_now() WHERE deleted_at IS NULL")
    async with db.read() as r:
        mourning = {row.status_id: set(row.ears) for row in await queries.mourners(r, everything, ears)}
    assert all(set(row.ears) <= mourning[row.status_id] for row in rows)


async def alike(sql: asyncpg.Connection[Any], db: database.Db, random: Random, looks: list[tuple[int, int]]) -> None:
    """What many are shown at once is to the letter what each would be shown alone."""
    await marks(sql, random)
    looks = sorted(set(looks))
    eye = Eye(None, Shelf(), CITY)
    async with db.read() as r:
        told = await crowd.to_all(r, eye, looks)
        for viewer, group in itertools.groupby(looks, key=lambda look: look[0]):
            numbers = [number for _, number in group]
            alone = await view.statuses(r, Eye(viewer, eye.shelf, CITY), numbers)
            assert {number: told.get((viewer, number)) for number in numbers} == {number: alone.get(number) for number in numbers}


def test_a_stream_tells_what_its_timeline_shows(server: Server) -> None:
    runner = asyncio.Runner()
    name = "t_streams_" + server.template[-8:]

    async def prepare() -> tuple[asyncpg.Connection[Any], database.Db]:
        admin = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner")
        await admin.close()
        opened = await database.connect(server.url("parvis_app", name), size=1)
        return await asyncpg.connect(server.url("parvis_owner", name)), opened

    sql, db = runner.run(prepare())

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**32))
    def check(seed: int) -> None:
        runner.run(compared(sql, db, Random(seed)))

    async def clean() -> None:
        await sql.close()
        await db.close()
        admin = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()

    try:
        check()
    finally:
        runner.run(clean())
        runner.close()


async def test_who_hears_is_found_by_indexes(owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("INSERT INTO accounts (id, username, uri, url) SELECT n, 'p' || n, 'u' || n, 'u' FROM generate_series(1, 5000) n")
    await owner.execute(
        """INSERT INTO statuses (id, account_id, uri, local, visibility, conversation_id)
           SELECT n, 1 + n % 5000, 's' || n, true, 'public', n FROM generate_series(1, 25000) n"""
    )
    await owner.execute(
        """INSERT INTO follows (account_id, target_id, accepted)
           SELECT n, 1 + (n + k) % 5000, true FROM generate_series(1, 5000) n, generate_series(1, 4) k"""
    )
    await owner.execute("ANALYZE")
    ears = [Ear(viewer, Wish(name)) for viewer in range(1, 501) for name in ("user", "public")]
    asked: list[tuple[str, tuple[object, ...]]] = []

    class Noted:
        async def all(self, _: type, sql: str, *args: object) -> list[object]:
            asked.append((sql, args))
            return []

    noted: Any = Noted()
    await queries.audience(noted, [7, 8], [9], ears)
    await queries.mourners(noted, [7], ears)
    await queries.unlike(noted, [7, 8], list(range(1, 501)))
    for sql, args in asked:
        plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {sql}", *args))
        assert not [table for table in ("statuses", "follows", "accounts") if f"Seq Scan on {table}" in plan], plan
        assert "seen_by" not in plan
