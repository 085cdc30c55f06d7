"""Who finds what at home and in a list: against a slow oracle in plain Python, on generated worlds; and how it is planned."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Server
from db.test_seeing import Post as Seen
from db.test_seeing import World as Seeing
from db.test_seeing import sees
from parvis.base import db as database
from parvis.base.ids import Page
from parvis.timelines import queries
from parvis.timelines.model import Choice

ME, PEOPLE = 0, 5
FAR = "far.example"
TAGS = ("velo", "lille")
LANGUAGES = (None, "fr", "de")
NOW = datetime.now(UTC)


class Post(msgspec.Struct, frozen=True):
    author: int
    visibility: str
    named: frozenset[int]
    deleted: bool
    language: str | None
    answers: int | None
    reblog_of: int | None
    tags: frozenset[int]


class Follow(msgspec.Struct, frozen=True):
    accepted: bool
    reblogs: bool
    languages: tuple[str, ...] | None


class World(msgspec.Struct, frozen=True):
    follows: dict[int, Follow]
    mutes: dict[int, bool]  # still in force?
    blocks: frozenset[tuple[int, int]]
    limited: frozenset[int]
    far: frozenset[int]
    far_blocked: bool
    tags: frozenset[int]
    lists: tuple[tuple[str, bool, frozenset[int]], ...]  # policy, exclusive, members
    posts: tuple[Post, ...]


others = st.integers(1, PEOPLE - 1)
person = st.integers(0, PEOPLE - 1)
rarely = st.sampled_from([False, False, False, True])


@st.composite
def said(draw: st.DrawFn) -> tuple[Post, ...]:
    posts: list[Post] = []
    for number in range(draw(st.integers(1, 12))):
        author = draw(person)
        earlier = draw(st.none() | st.integers(0, number - 1)) if number else None
        passed_on = earlier is not None and draw(st.booleans()) and posts[earlier].reblog_of is None and not any(
            (other.author, other.reblog_of) == (author, earlier) for other in posts)
        if passed_on:
            posts.append(Post(author, draw(st.sampled_from(("public", "private"))), frozenset(), draw(rarely), None, None,
                              earlier, frozenset()))
            continue
        posts.append(Post(
            author, draw(st.sampled_from(("public", "public", "unlisted", "private", "direct"))),
            draw(st.frozensets(person, max_size=1)), draw(rarely), draw(st.sampled_from(LANGUAGES)), earlier, None,
            draw(st.frozensets(st.integers(0, len(TAGS) - 1), max_size=2)),
        ))
    return tuple(posts)


follow = st.builds(Follow, rarely.map(lambda no: not no), st.booleans(), st.sampled_from((None, None, ("fr",), ("fr", "de"))))
lists = st.tuples(st.sampled_from(("list", "followed", "none")), st.booleans(), st.frozensets(person, max_size=3))
worlds = st.builds(
    World, st.dictionaries(others, follow, max_size=PEOPLE), st.dictionaries(others, st.booleans(), max_size=1),
    st.frozensets(st.tuples(person, person).filter(lambda pair: pair[0] != pair[1]), max_size=1),
    st.frozensets(others, max_size=1), st.frozensets(others, max_size=1), st.booleans(),
    st.frozensets(st.integers(0, len(TAGS) - 1)), st.tuples(lists, lists), said(),
)


class Oracle:
    """The rules in words."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.muted = {who for who, lasts in world.mutes.items() if lasts}
        self.followed = {who: follow for who, follow in world.follows.items() if follow.accepted}
        self.apart = {who for _, exclusive, members in world.lists if exclusive for who in members} - {ME}
        posts = tuple(Seen(p.author, p.visibility, p.named, p.deleted, False, p.reblog_of, local_only=False) for p in world.posts)
        follows = {(ME, who): follow.accepted for who, follow in world.follows.items()}
        self.seeing = Seeing(follows, world.blocks, frozenset(), frozenset(), frozenset(), posts)

    def authors(self, number: int) -> set[int]:
        post = self.world.posts[number]
        return {post.author} | ({self.world.posts[post.reblog_of].author} if post.reblog_of is not None else set())

    def shown(self, number: int) -> bool:
        """Nothing from or through somebody muted; nothing passed on from a domain that is blocked."""
        post = self.world.posts[number]
        through = self.world.far_blocked and post.reblog_of is not None and self.authors(number) & self.world.far
        return sees(self.seeing, ME, number) and not self.authors(number) & self.muted and not through

    def by_somebody_followed(self, number: int, answered: set[int]) -> bool:
        post = self.world.posts[number]
        if post.author != ME:
            follow = self.followed.get(post.author)
            if follow is None or (post.reblog_of is not None and not follow.reblogs):
                return False
            if follow.languages is not None and post.language is not None and post.language not in follow.languages:
                return False
        if post.answers is None or post.author == ME:
            return True
        parent = self.world.posts[post.answers].author
        return parent in answered | {ME, post.author}

    def with_followed_tag(self, number: int) -> bool:
        post = self.world.posts[number]
        if post.visibility != "public" or not post.tags & self.world.tags or post.author in self.apart:
            return False
        if post.author in self.world.far and self.world.far_blocked:
            return False
        return post.author not in self.world.limited or post.author in self.followed

    def at_home(self, number: int) -> bool:
        post = self.world.posts[number]
        near = set(self.followed) - self.muted
        mine = post.author not in self.apart and self.by_somebody_followed(number, near)
        return self.shown(number) and (mine or self.with_followed_tag(number))

    def in_list(self, place: int, number: int) -> bool:
        policy, _, members = self.world.lists[place]
        near = set(self.followed) - self.muted
        answered = {"list": set(members) & near, "followed": near, "none": set()}[policy]
        listed = self.world.posts[number].author in members
        return listed and self.shown(number) and self.by_somebody_followed(number, answered)


async def settle(connection: asyncpg.Connection[Any], world: World) -> None:
    """Make the world."""
    for table in ("lists", "statuses", "tag_follows", "tags", "accounts"):  # faster than TRUNCATE, for so few rows
        await connection.execute(f"DELETE FROM {table}")
    await connection.executemany(
        """INSERT INTO accounts (id, username, domain, uri, url, limited_at)
           VALUES ($1::bigint, 'p' || $1::bigint, $2, 'u' || $1::bigint, 'u' || $1::bigint, $3)""",
        [(n + 1, FAR if n in world.far else None, NOW if n in world.limited else None) for n in range(PEOPLE)],
    )
    await connection.executemany(
        "INSERT INTO follows (account_id, target_id, accepted, show_reblogs, languages) VALUES (1, $1, $2, $3, $4)",
        [(n + 1, f.accepted, f.reblogs, f.languages) for n, f in world.follows.items()],
    )
    await connection.executemany(
        "INSERT INTO mutes (account_id, target_id, until) VALUES (1, $1, $2)",
        [(n + 1, None if lasts else NOW - timedelta(days=1)) for n, lasts in world.mutes.items()],
    )
    await connection.executemany(
        "INSERT INTO blocks (account_id, target_id) VALUES ($1, $2)", [(a + 1, b + 1) for a, b in world.blocks]
    )
    if world.far_blocked:
        await connection.execute("INSERT INTO domain_blocks (account_id, domain) VALUES (1, $1)", FAR)
    await connection.executemany("INSERT INTO tags (id, name, display_name) VALUES ($1, $2, $2)", list(enumerate(TAGS)))
    await connection.executemany("INSERT INTO tag_follows (account_id, tag_id) VALUES (1, $1)", [(n,) for n in world.tags])
    for number, (policy, exclusive, members) in enumerate(world.lists):
        await connection.execute(
            "INSERT INTO lists (id, account_id, title, replies_policy, exclusive) VALUES ($1, 1, 'x', $2, $3)",
            number, policy, exclusive,
        )
        await connection.executemany(
            "INSERT INTO list_accounts (list_id, account_id) VALUES ($1, $2)", [(number, n + 1) for n in members]
        )
    await publish(connection, world.posts)


async def publish(connection: asyncpg.Connection[Any], posts: tuple[Post, ...]) -> None:
    for number, post in enumerate(posts, 1):
        await connection.execute(
            """INSERT INTO statuses (id, account_id, uri, local, visibility, language, conversation_id, deleted_at, reblog_of_id,
                                     in_reply_to_id, in_reply_to_account_id)
               VALUES ($1::bigint, $2, 's' || $1::bigint, true, $3, $4, $1, $5, $6, $7, $8)""",
            number, post.author + 1, post.visibility, post.language, NOW if post.deleted else None,
            None if post.reblog_of is None else post.reblog_of + 1, None if post.answers is None else post.answers + 1,
            None if post.answers is None else posts[post.answers].author + 1,
        )
        await connection.executemany(
            "INSERT INTO mentions (status_id, account_id) VALUES ($1, $2)", [(number, n + 1) for n in post.named]
        )
        await connection.executemany(
            "INSERT INTO status_tags (status_id, tag_id) VALUES ($1, $2)", [(number, n) for n in post.tags]
        )


async def walked(r: database.Read, place: int | None, size: int) -> list[list[int]]:
    """The whole timeline at once; page by page downwards; and page by page upwards."""
    async def look(page: Page) -> list[int]:
        if place is None:
            return await queries.home(r, ME + 1, page)
        return await queries.of_list(r, ME + 1, place, page)

    down: list[int] = []
    while page := await look(Page(max_id=down[-1] if down else None, limit=size)):
        down += page
    up: list[int] = []
    while page := await look(Page(min_id=up[0] if up else 0, limit=size)):
        up = page + up
    return [await look(Page(limit=40)), down, up]


Ask = Callable[[database.Read], Awaitable[object]]


def asked(people: int) -> Iterator[Ask]:
    """Pages that many ask for at one moment, each of their own."""
    for viewer in range(1, people + 1):
        for page in (Page(limit=3), Page(max_id=4, limit=2), Page(min_id=2, limit=2)):
            yield lambda r, viewer=viewer, page=page: queries.home(r, viewer, page)
            yield lambda r, viewer=viewer, page=page: queries.public(r, viewer, page)
            yield lambda r, viewer=viewer, page=page: queries.account(r, viewer, 1 + viewer % people, page, Choice())


@pytest.mark.parametrize(("spare", "window"), [(0, 1), (0, 6), (queries.SPARE, queries.WINDOW)])
def test_everyone_finds_at_home_and_in_lists_exactly_what_the_rules_say(
    server: Server, monkeypatch: pytest.MonkeyPatch, spare: int, window: int
) -> None:
    monkeypatch.setattr(queries, "SPARE", spare)
    monkeypatch.setattr(queries, "WINDOW", window)
    monkeypatch.setattr(queries, "ROUNDS", 20)
    runner = asyncio.Runner()
    name = f"t_home_{window}_{server.template[-8:]}"

    async def admin(sql: str) -> None:
        connection = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await connection.execute(sql)
        await connection.close()

    runner.run(admin(f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner"))
    owner = runner.run(asyncpg.connect(server.url("parvis_owner", name)))
    db = runner.run(database.connect(server.url("parvis_app", name), size=1))

    async def found(world: World, place: int | None) -> list[list[int]]:
        async with db.read() as r:
            return await walked(r, place, 2)

    async def looking(ask: Ask) -> object:
        async with db.read() as r:
            return await ask(r)

    async def alone_and_together() -> tuple[list[object], list[object]]:
        asks = [*asked(PEOPLE)]
        return [await looking(ask) for ask in asks], await asyncio.gather(*map(looking, asks))

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(worlds)
    def check(world: World) -> None:
        runner.run(settle(owner, world))
        if spare:  # many who look at one moment see what each sees alone
            alone, together = runner.run(alone_and_together())
            assert alone == together
        oracle, posts = Oracle(world), range(len(world.posts) - 1, -1, -1)
        wanted = [number + 1 for number in posts if oracle.at_home(number)]
        assert runner.run(found(world, None)) == [wanted] * 3
        for place in range(len(world.lists)):
            wanted = [number + 1 for number in posts if oracle.in_list(place, number)]
            assert runner.run(found(world, place)) == [wanted] * 3, place

    try:
        check()
    finally:
        runner.run(db.close())
        runner.run(owner.close())
        runner.run(admin(f"DROP DATABASE {name} WITH (FORCE)"))
        runner.close()


async def test_no_timeline_reads_every_post(owner: asyncpg.Connection[Any]) -> None:
    """Each branch must have an index that gives the newest first, or it would read all that was ever said."""
    await owner.execute("SET enable_seqscan = off")
    for name, more in (("recent", [2_000]), ("home", []), ("list", [7])):
        for sql in queries.MIXED[name]:
            rows = await owner.fetch(f"EXPLAIN {sql}", 1, 0, 2**62, 20, *more)
            plan = "\n".join(row[0] for row in rows)
            assert "Function Scan" not in plan
            many = database.for_many(sql, ["bigint"] * (4 + len(more)))
            rows = await owner.fetch(f"EXPLAIN {many}", [1, 2], [0, 0], [2**62] * 2, [20, 20], *([one] * 2 for one in more))
            plan += "\n".join(row[0] for row in rows)
            assert "Seq Scan" not in plan
            assert "seen_by" not in plan
            if name != "list":
                assert re.search(r"Index (Only )?Scan (Backward )?using status_tags_pkey", plan)
