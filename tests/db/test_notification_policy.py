"""Who is told, who waits as a request and who is not heard: the SQL against a plain oracle, on generated worlds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import Server
from parvis.base.db import Tx
from parvis.notifications import queries

ALICE, BELA, STATUS = 1, 2, 100
ANSWERS = ("accept", "filter", "drop")
KINDS = ("mention", "status", "reblog", "follow", "follow_request", "favourite", "update", "quote")


class Post(msgspec.Struct, frozen=True):
    """A post above the one that is told of: who wrote it, and whether it names Bela."""

    by_alice: bool
    visibility: str
    names_bela: bool


class World(msgspec.Struct, frozen=True):
    """Alice is told something of Bela."""

    kind: str
    policy: tuple[str, str, str, str, str] | None
    permitted: bool
    follows: bool | None  # Alice follows Bela: accepted?
    followed_days: tuple[bool, float] | None  # Bela follows Alice: accepted, since how many days
    age_days: float
    limited: bool
    visibility: str
    above: tuple[Post, ...]
    blocked: bool
    muted: bool | None  # with notifications?


posts = st.builds(Post, st.booleans(), st.sampled_from(("public", "direct")), st.booleans())
days = st.sampled_from((0.1, 2.9, 3.1, 29.0, 31.0))
worlds = st.builds(
    World, st.sampled_from(KINDS) | st.just("mention"), st.none() | st.tuples(*[st.sampled_from(ANSWERS)] * 5),
    st.sampled_from((False, False, False, True)), st.none() | st.booleans(), st.none() | st.tuples(st.booleans(), days),
    days, st.booleans(), st.sampled_from(("public", "direct", "direct")), st.lists(posts, max_size=4).map(tuple),
    st.sampled_from((False, False, False, True)), st.sampled_from((None, None, None, True, False)),
)
QUIET = World("mention", None, False, None, None, 40.0, False, "direct", (), False, None)


def verdict(world: World) -> str:
    """The rule in words."""
    if world.blocked or world.muted:
        return "drop"
    if world.kind in ("status", "update") or world.permitted:
        return "accept"
    following, followers, new, private, limited = world.policy or ("accept", "accept", "accept", "filter", "filter")
    answers = []
    known = bool(world.follows)
    if not known:
        answers.append(following)
    if world.followed_days is None or not world.followed_days[0] or world.followed_days[1] < 3:
        answers.append(followers)
    if not known and world.age_days < 30:
        answers.append(new)
    if not known and world.limited:
        answers.append(limited)
    in_response = any(post.by_alice and post.visibility == "direct" and post.names_bela for post in world.above)
    if not known and world.kind == "mention" and world.visibility == "direct" and not in_response:
        answers.append(private)
    return "drop" if "drop" in answers else "filter" if "filter" in answers else "accept"


async def build(c: asyncpg.Connection[Any], world: World) -> None:
    now = datetime.now(UTC)
    await c.execute(
        """INSERT INTO accounts (id, username, uri, url, created_at, limited_at)
           VALUES ($1, 'alice', 'a', 'a', $3, NULL), ($2, 'bela', 'b', 'b', $4, $5)""",
        ALICE, BELA, now - timedelta(days=100), now - timedelta(days=world.age_days), now if world.limited else None,
    )
    await c.execute("INSERT INTO users (account_id, email, password_hash) VALUES ($1, 'a@example.org', 'x')", ALICE)
    if world.follows is not None:
        await c.execute("INSERT INTO follows (account_id, target_id, accepted) VALUES ($1, $2, $3)", ALICE, BELA, world.follows)
    if world.followed_days is not None:
        accepted, since = world.followed_days
        await c.execute(
            "INSERT INTO follows (account_id, target_id, accepted, created_at) VALUES ($2, $1, $3, $4)",
            ALICE, BELA, accepted, now - timedelta(days=since),
        )
    if world.blocked:
        await c.execute("INSERT INTO blocks (account_id, target_id) VALUES ($1, $2)", ALICE, BELA)
    if world.muted is not None:
        await c.execute("INSERT INTO mutes (account_id, target_id, notifications) VALUES ($1, $2, $3)", ALICE, BELA, world.muted)
    if world.permitted:
        await c.execute("INSERT INTO notification_permissions VALUES ($1, $2)", ALICE, BELA)
    if world.policy is not None:
        await c.execute("INSERT INTO notification_policies VALUES ($1, $2, $3, $4, $5, $6)", ALICE, *world.policy)
    parent: int | None = None
    thread = [*((ALICE if p.by_alice else BELA, p.visibility, p.names_bela) for p in world.above), (BELA, world.visibility, False)]
    for number, (author, visibility, named) in enumerate(thread):
        status = STATUS + number
        await c.execute(
            """INSERT INTO statuses (id, account_id, uri, local, visibility, conversation_id, in_reply_to_id)
               VALUES ($1::bigint, $2, 's' || $1::bigint, true, $3, $4, $5)""",
            status, author, visibility, STATUS, parent,
        )
        if named:
            await c.execute("INSERT INTO mentions (status_id, account_id) VALUES ($1, $2)", status, BELA)
        parent = status


async def outcome(c: asyncpg.Connection[Any], world: World) -> str:
    undone = c.transaction()
    await undone.start()
    try:
        return await _outcome(c, world)
    finally:
        await undone.rollback()


class One:
    """Lends the one connection whose transaction is undone afterwards."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection

    async def take(self) -> asyncpg.Connection[Any]:
        return self._connection


async def _outcome(c: asyncpg.Connection[Any], world: World) -> str:
    await build(c, world)
    tx = Tx(One(c), datetime.now(UTC), {})  # type: ignore[arg-type]  # one connection without a pool does the same
    about = None if world.kind.startswith("follow") else STATUS + len(world.above)
    told = await queries.tell(tx, world.kind, BELA, about, ALICE)
    rows = await c.fetch("SELECT id, filtered, group_key FROM notifications")
    requests = await c.fetchval("SELECT count(*) FROM notification_requests")
    assert len(rows) <= 1
    assert [one.notification for one in told] == [row["id"] for row in rows if not row["filtered"]]
    filtered = bool(rows and rows[0]["filtered"])
    assert requests == (filtered and world.kind in ("mention", "quote"))
    grouped = bool(rows) and not filtered and world.kind in ("favourite", "reblog", "follow")
    assert bool(rows and rows[0]["group_key"]) == grouped
    return "drop" if not rows else "filter" if filtered else "accept"


def test_the_policy_is_what_the_rule_says(server: Server) -> None:
    runner = asyncio.Runner()
    name = "t_policy_" + server.template[-8:]

    async def prepare() -> asyncpg.Connection[Any]:
        admin = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner")
        await admin.close()
        return await asyncpg.connect(server.url("parvis_owner", name))

    connection = runner.run(prepare())

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(worlds)
    @example(QUIET)
    @example(msgspec.structs.replace(QUIET, above=(Post(True, "direct", True), Post(False, "public", False))))
    @example(msgspec.structs.replace(QUIET, limited=True, visibility="public"))
    def check(world: World) -> None:
        assert runner.run(outcome(connection, world)) == verdict(world)

    try:
        check()
    finally:
        runner.run(connection.close())

        async def drop() -> None:
            admin = await asyncpg.connect(server.url(server.superuser, "postgres"))
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            await admin.close()

        runner.run(drop())
        runner.close()
