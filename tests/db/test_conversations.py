"""Direct conversations against a slow oracle; a mark that two move at once; what a blocked domain can still do."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import parvis
from conftest import Server
from parvis import wiring
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Profile
from parvis.base import db as database
from parvis.base.db import Db, Reactions
from parvis.base.errors import Conflict, Forbidden
from parvis.statuses import actions as statuses
from parvis.statuses.model import Draft, Revision
from parvis.timelines import actions, queries
from parvis.timelines.model import ConversationTouched

HERE, PEOPLE = 3, 4  # the last lives elsewhere
SCHEMA = Path(parvis.__file__).parent / "schema" / "0010_lists.sql"
BACKFILL = "INSERT INTO conversations" + SCHEMA.read_text().partition("INSERT INTO conversations")[2]

person = st.integers(0, PEOPLE - 1)
names = st.frozensets(person, max_size=2)


class Say(msgspec.Struct, frozen=True):
    by: int
    named: frozenset[int]
    answers: int | None


class Rename(msgspec.Struct, frozen=True):
    post: int
    named: frozenset[int]


class Delete(msgspec.Struct, frozen=True):
    post: int


class Read(msgspec.Struct, frozen=True):
    by: int


place = st.integers(0, 7)
deeds = st.lists(st.one_of(
    st.builds(Say, person, names, st.none() | place), st.builds(Say, person, names, st.none() | place),
    st.builds(Rename, place, names), st.builds(Delete, place), st.builds(Read, st.integers(0, HERE - 1)),
), min_size=1, max_size=14)

Row = tuple[int, int, frozenset[int]]  # whose, which conversation, with whom


class Oracle:
    """What was said, kept as a plain list; each change looks at all of it again."""

    def __init__(self) -> None:
        self.authors: list[int] = []
        self.circles: list[frozenset[int]] = []
        self.threads: list[int] = []
        self.gone: set[int] = set()
        self.unread: dict[Row, bool] = {}

    def say(self, deed: Say) -> int | None:
        """Which post it answers: one that its author takes part in and that is still there."""
        number, answers = len(self.authors), deed.answers
        if answers is None or answers >= number or answers in self.gone or deed.by not in self.circles[answers]:
            answers = None
        self.authors.append(deed.by)
        self.circles.append(deed.named | {deed.by})
        self.threads.append(number if answers is None else self.threads[answers])
        self.call(number)
        return answers

    def call(self, number: int) -> None:
        for who in self.circles[number]:
            row = (who, self.threads[number], self.circles[number] - {who})
            if who < HERE and self.last(row) == number:
                self.unread[row] = who != self.authors[number]

    def rename(self, deed: Rename) -> None:
        wider = self.circles[deed.post] | deed.named
        if wider != self.circles[deed.post]:
            self.circles[deed.post] = wider
            self.call(deed.post)

    def last(self, row: Row) -> int | None:
        who, thread, rest = row
        found = [n for n, circle in enumerate(self.circles)
                 if n not in self.gone and self.threads[n] == thread and circle == rest | {who}]
        return max(found, default=None)

    def rows(self) -> dict[Row, tuple[int, bool]]:
        for row in list(self.unread):
            if self.last(row) is None:
                del self.unread[row]
        return {row: (self.last(row) or 0, unread) for row, unread in self.unread.items()}


class Room:
    """A city with three people, who know one from elsewhere."""

    def __init__(self, db: Db, owner: asyncpg.Connection[Any]) -> None:
        self.db, self.owner = db, owner

    async def empty(self) -> None:
        for table in ("statuses", "users", "accounts", "pgqueuer"):
            await self.owner.execute(f"DELETE FROM {table}")
        await self.owner.executemany(
            "INSERT INTO accounts (id, username, domain, uri, url) VALUES ($1::bigint, 'p' || $1::bigint, $2, 'u' || $1::bigint, 'u')",
            [(n + 1, None if n < HERE else "far.example") for n in range(PEOPLE)],
        )
        await self.owner.executemany(
            "INSERT INTO users (account_id, email, password_hash, confirmed_at) VALUES ($1::bigint, 'p' || $1::bigint, 'x', now())",
            [(n + 1,) for n in range(HERE)],
        )
        self.ids: list[int] = []

    async def follow_oracle(self, oracle: Oracle, deed: Say | Rename | Delete | Read) -> None:
        """Do in the city what the oracle notes."""
        async with self.db.write() as tx:
            if isinstance(deed, Read):
                for row in await tx.values("SELECT id FROM conversations WHERE account_id = $1", deed.by + 1):
                    await actions.mark_conversation(tx, deed.by + 1, row, unread=False)
                oracle.unread |= {row: False for row in oracle.unread if row[0] == deed.by}
            elif isinstance(deed, Say):
                answers = oracle.say(deed)
                draft = Draft(
                    content="x", text="x", visibility="direct", mentions=tuple(n + 1 for n in deed.named),
                    in_reply_to_id=None if answers is None else self.ids[answers],
                    uri=None if deed.by < HERE else f"far/{len(self.ids)}",
                )
                by = await accounts.account(tx, deed.by + 1)
                self.ids.append((await statuses.publish(tx, by, draft)).id)
            elif deed.post < len(self.ids) and deed.post not in oracle.gone:
                by = await accounts.account(tx, oracle.authors[deed.post] + 1)
                if isinstance(deed, Delete):
                    oracle.gone.add(deed.post)
                    await statuses.delete(tx, by, self.ids[deed.post])
                else:
                    oracle.rename(deed)
                    named = tuple(n + 1 for n in deed.named)
                    await statuses.edit(tx, by, self.ids[deed.post], Revision(content="y", text="y", mentions=named))

    async def rows(self) -> dict[Row, tuple[int, bool]]:
        """The city's conversations in the oracle's words."""
        found = await self.owner.fetch(
            """SELECT c.*, s.conversation_id = c.conversation_id AS fits FROM conversations c JOIN statuses s ON s.id = last_status_id"""
        )
        assert all(row["fits"] for row in found)
        return {
            (row["account_id"] - 1, self.ids.index(row["conversation_id"]), frozenset(n - 1 for n in row["participants"])):
            (self.ids.index(row["last_status_id"]), row["unread"]) for row in found
        }


def test_everybody_has_a_conversation_for_each_circle_whatever_is_said_edited_and_deleted(server: Server) -> None:
    runner = asyncio.Runner()
    name = f"t_talk_{server.template[-8:]}"

    async def admin(sql: str) -> None:
        connection = await asyncpg.connect(server.url(server.superuser, "postgres"))
        await connection.execute(sql)
        await connection.close()

    runner.run(admin(f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner"))
    owner = runner.run(asyncpg.connect(server.url("parvis_owner", name)))
    db = runner.run(database.connect(server.url("parvis_app", name), size=1, reactions=wiring.REACTIONS))

    async def lived(done: list[Say | Rename | Delete | Read]) -> None:
        room, oracle = Room(db, owner), Oracle()
        await room.empty()
        for deed in done:
            await room.follow_oracle(oracle, deed)
            assert await room.rows() == oracle.rows(), deed
        await owner.execute("DELETE FROM conversations")
        await owner.execute(BACKFILL)
        assert await room.rows() == {row: (last, False) for row, (last, _) in oracle.rows().items()}

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(deeds)
    def check(done: list[Say | Rename | Delete | Read]) -> None:
        runner.run(lived(done))

    try:
        check()
    finally:
        runner.run(db.close())
        runner.run(owner.close())
        runner.run(admin(f"DROP DATABASE {name} WITH (FORCE)"))
        runner.close()


async def _settle(owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("INSERT INTO accounts (id, username, uri, url) VALUES (1, 'alice', 'u1', 'u1'), (2, 'bela', 'u2', 'u2')")
    await owner.execute("INSERT INTO users (account_id, email, password_hash) VALUES (1, 'a', 'x'), (2, 'b', 'x')")


async def test_of_two_who_move_a_mark_at_once_one_is_told_to_look_again(db: Db, owner: asyncpg.Connection[Any]) -> None:
    await _settle(owner)

    async def move(last: int) -> None:
        async with db.write() as tx:
            await actions.stop_reading(tx, 1, "home", last)

    for version in (1, 2):  # when there was no mark yet, and when there was
        async with db.write() as tx:
            await actions.stop_reading(tx, 1, "home", 10)
            late = asyncio.create_task(move(20))
            while not await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        with pytest.raises(Conflict):
            await late
        async with db.read() as r:
            assert [(mark.last_read_id, mark.version) for mark in await queries.markers(r, 1, ["home"])] == [(10, version)]
    await move(5)
    async with db.read() as r:
        assert [(mark.last_read_id, mark.version) for mark in await queries.markers(r, 1, ["home"])] == [(5, 3)]


async def test_every_change_of_a_conversation_is_told_once(server: Server, database_name: str, owner: asyncpg.Connection[Any]) -> None:
    told: list[ConversationTouched] = []

    async def note(tx: database.Tx, event: ConversationTouched) -> None:
        told.append(event)

    table = {**wiring.REACTIONS, ConversationTouched: Reactions(now=(note,))}
    db = await database.connect(server.url("parvis_app", database_name), size=1, reactions=table)
    await _settle(owner)
    async with db.write() as tx:
        alice, bela = await accounts.account(tx, 1), await accounts.account(tx, 2)
        said = await statuses.publish(tx, alice, Draft(content="x", text="x", visibility="direct", mentions=(2,)))
        assert sorted(one.account for one in told) == [1, 2]
        row = next(one.conversation for one in told if one.account == 2)
        told.clear()
        await statuses.publish(tx, alice, Draft(content="x", text="x", visibility="private", mentions=(2,)))
        await statuses.edit(tx, alice, said.id, Revision(content="y", text="y", mentions=(2,)))
        assert told == []
        for unread in (False, False, True):
            await actions.mark_conversation(tx, bela.id, row, unread)
        assert told == [ConversationTouched(row, 2)] * 2
        told.clear()
        answer = await statuses.publish(tx, bela, Draft(content="x", text="x", visibility="direct", mentions=(1,), in_reply_to_id=said.id))
        assert len(told) == 2
        await statuses.delete(tx, bela, answer.id)
        assert len(told) == 4
        told.clear()
        await statuses.delete(tx, alice, said.id)
        assert told == []
    await db.close()


async def test_nobody_follows_across_a_blocked_domain(db: Db, owner: asyncpg.Connection[Any]) -> None:
    await _settle(owner)
    db.reactions = wiring.REACTIONS
    async with db.write() as tx:
        far = await accounts.remember(tx, Profile(username="nora", domain="far.example", uri="https://far.example/n", url="n", inbox_url="i"))
        alice = await accounts.account(tx, 1)
        await accounts.follow(tx, alice, far)
        await accounts.accept_follow(tx, far, alice)
        await accounts.follow(tx, far, alice, uri="https://far.example/f")
        await accounts.block_domain(tx, alice, "far.example")
        assert await people.follow_between(tx, alice.id, far.id) is None
        assert await people.follow_between(tx, far.id, alice.id) is None
        shown = (await people.shown(tx, [1]))[0]
        assert (shown.followers, shown.following) == (0, 0)
        for by, target in ((alice, far), (far, alice)):
            with pytest.raises(Forbidden, match="blocked"):
                await accounts.follow(tx, by, target)
        await accounts.unblock_domain(tx, alice, "far.example")
        await accounts.follow(tx, far, alice, uri="https://far.example/f")
        await tx.flush()
        jobs = await tx.values("SELECT entrypoint FROM pgqueuer ORDER BY id")
        assert [re.sub(r".*\.", "", job) for job in jobs].count("unfollowed") == 1
        assert [re.sub(r".*\.", "", job) for job in jobs].count("follow_rejected") == 1
