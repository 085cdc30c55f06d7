"""seen_by(viewer) against a slow oracle in plain Python, on generated worlds; and how PostgreSQL plans it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Server

PEOPLE = 4
NOW = datetime(2026, 11, 1, tzinfo=UTC)
VISIBILITIES = ("public", "unlisted", "private", "direct")


class Post(msgspec.Struct, frozen=True):
    author: int
    visibility: str
    named: frozenset[int]
    deleted: bool
    removed: bool
    reblog_of: int | None
    local_only: bool


class World(msgspec.Struct, frozen=True):
    follows: dict[tuple[int, int], bool]  # accepted?
    blocks: frozenset[tuple[int, int]]
    suspended: frozenset[int]
    gone: frozenset[int]
    elsewhere: frozenset[int]
    posts: tuple[Post, ...]


person = st.integers(0, PEOPLE - 1)
pair = st.tuples(person, person).filter(lambda p: p[0] != p[1])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    posts: list[Post] = []
    for number in range(draw(st.integers(1, 8))):
        original = draw(st.none() | st.integers(0, number - 1)) if number else None
        if original is not None and posts[original].reblog_of is not None:
            original = None
        posts.append(Post(
            draw(person), draw(st.sampled_from(VISIBILITIES)), draw(st.frozensets(person, max_size=2)),
            draw(st.booleans()) and draw(st.booleans()), draw(st.booleans()) and draw(st.booleans()), original,
            draw(st.booleans()) and draw(st.booleans()),
        ))
    once: set[tuple[int, int]] = set()
    kept = []
    for post in posts:
        key = (post.author, -1 if post.reblog_of is None else post.reblog_of)
        if post.reblog_of is not None and key in once:
            post = msgspec.structs.replace(post, reblog_of=None)
        once.add(key)
        kept.append(post)
    return World(
        draw(st.dictionaries(pair, st.booleans(), max_size=6)), draw(st.frozensets(pair, max_size=2)),
        draw(st.frozensets(person, max_size=1)), draw(st.frozensets(person, max_size=1)),
        draw(st.frozensets(person, max_size=2)), tuple(kept),
    )


def sees(world: World, viewer: int | None, number: int) -> bool:
    """The rule in words: alive author, alive post, addressed to the viewer, no block between them; a reblog needs both.

    What stays in the city is for those who live here.
    """
    post = world.posts[number]
    if post.deleted or post.author in world.suspended or post.author in world.gone:
        return False
    if post.removed and post.author != viewer:
        return False
    stays = post.local_only or (post.reblog_of is not None and world.posts[post.reblog_of].local_only)
    if stays and (viewer is None or viewer in world.elsewhere):
        return False
    if viewer is not None and world.blocks & {(viewer, post.author), (post.author, viewer)}:
        return False
    addressed = (
        post.visibility in ("public", "unlisted")
        or post.author == viewer
        or (post.visibility == "private" and world.follows.get((viewer, post.author), False))
        or viewer in post.named
    )
    if not addressed:
        return False
    if post.reblog_of is None:
        return True
    original = world.posts[post.reblog_of]
    if original.deleted or original.removed or original.author in world.suspended | world.gone:
        return False
    if viewer is not None and world.blocks & {(viewer, original.author), (original.author, viewer)}:
        return False
    return original.visibility in ("public", "unlisted") or original.author == post.author


async def build(connection: asyncpg.Connection[Any], world: World) -> dict[int, int]:
    await connection.execute("TRUNCATE accounts, statuses CASCADE")
    await connection.executemany(
        """INSERT INTO accounts (id, username, uri, url, suspended_at, deleted_at, domain)
           VALUES ($1::bigint, 'p' || $1::bigint, 'u' || $1::bigint, 'u' || $1::bigint, $2, $3, $4)""",
        [(n + 1, NOW if n in world.suspended else None, NOW if n in world.gone else None,
          "sued.example" if n in world.elsewhere else None) for n in range(PEOPLE)],
    )
    await connection.executemany(
        "INSERT INTO follows (account_id, target_id, accepted) VALUES ($1, $2, $3)",
        [(a + 1, b + 1, accepted) for (a, b), accepted in world.follows.items()],
    )
    await connection.executemany(
        "INSERT INTO blocks (account_id, target_id) VALUES ($1, $2)", [(a + 1, b + 1) for a, b in world.blocks]
    )
    for number, post in enumerate(world.posts, 1):
        await connection.execute(
            """INSERT INTO statuses (id, account_id, uri, local, visibility, conversation_id, deleted_at, removed_at, reblog_of_id,
                                     local_only)
               VALUES ($1::bigint, $2, 's' || $1::bigint, true, $3, $1, $4, $5, $6, $7)""",
            number, post.author + 1, post.visibility, NOW if post.deleted else None, NOW if post.removed else None,
            None if post.reblog_of is None else post.reblog_of + 1, post.local_only,
        )
        await connection.executemany(
            "INSERT INTO mentions (status_id, account_id) VALUES ($1, $2)", [(number, n + 1) for n in post.named]
        )
    seen = {}
    for viewer in (None, *range(PEOPLE)):
        rows = await connection.fetch("SELECT id FROM seen_by($1) ORDER BY id", None if viewer is None else viewer + 1)
        seen[-1 if viewer is None else viewer] = {row["id"] - 1 for row in rows}
    return seen


def test_everyone_sees_exactly_what_the_rule_says(server: Server) -> None:
    runner = asyncio.Runner()
    name = "t_seeing_" + server.template[-8:]

    async def prepare() -> asyncpg.Connection[Any]:
        admin = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner")
        await admin.close()
        return await asyncpg.connect(server.url("parvis_owner", name))

    connection = runner.run(prepare())

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(worlds())
    def check(world: World) -> None:
        found = runner.run(build(connection, world))
        for viewer in (None, *range(PEOPLE)):
            wanted = {number for number in range(len(world.posts)) if sees(world, viewer, number)}
            assert found[-1 if viewer is None else viewer] == wanted, viewer

    async def clean() -> None:
        await connection.close()
        admin = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()

    try:
        check()
    finally:
        runner.run(clean())
        runner.close()


async def test_no_plan_shows_a_function_scan(owner: asyncpg.Connection[Any]) -> None:
    """The planner must be able to see through seen_by, or every timeline would read every post."""
    for sql in (
        "SELECT v.id FROM seen_by(1) v WHERE v.id = 5",
        "SELECT v.id FROM seen_by(NULL) v WHERE v.visibility = 'public' ORDER BY v.id DESC LIMIT 20",
        "SELECT v.id FROM seen_by(1) v WHERE v.account_id = 3 ORDER BY v.id DESC LIMIT 20",
    ):
        plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {sql}"))
        assert "Function Scan" not in plan
        assert "seen_by" not in plan
