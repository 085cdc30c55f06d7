"""What a year was: counted from one's own posts, and made once."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from api.test_contract_annual_reports import said, work
from conftest import Person, settle_in
from parvis.app import App
from parvis.base.errors import Invalid
from parvis.years import actions, queries, reactions
from parvis.years.model import Hashtag, YearAsked


async def test_a_year_counts_what_its_owner_said_in_it_and_nothing_of_others(
    app: App, alice: Person, bela: Person, owner: asyncpg.Connection[Any]
) -> None:
    me, other = alice.account.id, bela.account.id
    first = await said(owner, me, "2025-01-01 00:00+00")
    await said(owner, me, "2025-01-02 00:00+00", in_reply_to_id=first, in_reply_to_account_id=me)
    theirs = await said(owner, other, "2025-01-03 00:00+00")
    await said(owner, me, "2025-02-01 00:00+00", in_reply_to_id=theirs, in_reply_to_account_id=other)
    await said(owner, me, "2025-02-02 00:00+00", reblog_of_id=theirs)
    asked = await said(owner, me, "2025-12-31 23:59:59+00", "unlisted")
    await owner.execute("INSERT INTO polls (status_id, account_id, local, multiple, hide_totals) VALUES ($1, $2, true, false, false)", asked, me)
    await said(owner, me, "2025-06-01 00:00+00", "direct")
    for column in ("deleted_at", "removed_at"):
        post = await said(owner, me, "2025-06-01 00:00+00")
        await owner.execute(f"UPDATE statuses SET {column} = now() WHERE id = $1", post)
    await owner.execute("INSERT INTO follows (account_id, target_id, accepted, created_at) VALUES ($1, $2, true, '2025-07-01')", other, me)
    async with app.db.read() as r:
        months = await queries.months(r, me, 2025)
        assert [m.month for m in months] == list(range(1, 13))
        assert {m.month: (m.posts, m.replies, m.reblogs, m.polls, m.followers) for m in months if any(
            (m.posts, m.replies, m.reblogs, m.polls, m.followers))} == {1: (2, 0, 0, 0, 0), 2: (0, 1, 1, 0, 0), 7: (0, 0, 0, 0, 1), 12: (1, 0, 0, 1, 0)}
        assert not await queries.posted(r, me, 2024)
        assert await queries.most_passed_on(r, me, 2025) is None
        assert await queries.most_used_tag(r, me, 2025) is None


async def test_the_post_passed_on_most_is_an_open_one_and_the_hashtag_the_most_used(
    app: App, alice: Person, bela: Person, owner: asyncpg.Connection[Any]
) -> None:
    me = alice.account.id
    once = await said(owner, me, "2025-01-01 00:00+00")
    twice = await said(owner, me, "2025-02-01 00:00+00", "unlisted")
    private = await said(owner, me, "2025-03-01 00:00+00", "private")
    ines = await settle_in(app, "ines")
    for who, post in ((bela, once), (bela, twice), (ines, twice)):
        assert (await who.post(f"/api/v1/statuses/{post}/reblog")).status == 200
    await owner.execute("INSERT INTO status_counts (status_id, reblogs) VALUES ($1, 9)", private)
    for name, posts in (("Market", (once,)), ("Trees", (once, twice))):
        tag = await owner.fetchval("INSERT INTO tags (name, display_name) VALUES (lower($1), $1) RETURNING id", name)
        for post in posts:
            await owner.execute("INSERT INTO status_tags (tag_id, status_id) VALUES ($1, $2)", tag, post)
    async with app.db.read() as r:
        assert await queries.most_passed_on(r, me, 2025) == twice
        assert await queries.most_used_tag(r, me, 2025) == Hashtag("Trees", 2)
        assert await queries.most_passed_on(r, me, 2026) is None


async def test_a_year_is_made_once_and_asked_for_again_only_when_its_job_seems_lost(
    app: App, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    me = alice.account.id
    await said(owner, me, "2025-01-01 00:00+00")
    jobs = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'years.reactions.make'"
    for _ in range(3):
        async with app.db.write() as tx:
            assert await actions.ask(tx, me, 2025) == "generating"
    assert await owner.fetchval(jobs) == 1
    await owner.execute("UPDATE annual_reports SET asked_at = asked_at - interval '11 minutes'")
    async with app.db.write() as tx:
        assert await actions.ask(tx, me, 2025) == "generating"
    assert await owner.fetchval(jobs) == 2
    await work(app)
    made = await owner.fetchval("SELECT data::text FROM annual_reports")
    await said(owner, me, "2025-01-02 00:00+00")
    await reactions.make(app.job, YearAsked(me, 2025))
    assert await owner.fetchval("SELECT data::text FROM annual_reports") == made
    async with app.db.write() as tx:
        assert await actions.ask(tx, me, 2025) == "available"
        with pytest.raises(Invalid):
            await actions.ask(tx, me, 2024)
    await reactions.make(app.job, YearAsked(7, 2025))  # who left meanwhile
