"""Counts of a poll are those of its votes, whatever happens at the same moment: votes, folding, an edit, its end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg

from conftest import Person, settle_in
from parvis.app import App
from parvis.base.errors import Problem
from parvis.polls import actions as polls
from parvis.polls import queries
from parvis.polls.model import NewPoll
from parvis.statuses import actions as statuses
from parvis.statuses.model import Draft, Revision, Status

FIRST = NewPoll(options=("a", "b", "c"), multiple=True)
OTHER = NewPoll(options=("d", "e"), multiple=True)


async def asked(app: App, by: Person, poll: NewPoll) -> tuple[Status, int]:
    async with app.db.write() as tx:
        said = await statuses.publish(tx, by.account, Draft(content="<p>?</p>", text="?", visibility="public", poll=poll))
        found = await queries.of_status(tx, said.id)
    assert found is not None
    return said, found.id


async def vote(app: App, by: Person, poll_id: int, *chosen: int) -> bool:
    try:
        async with app.db.write() as tx:
            await statuses.vote(tx, by.account, poll_id, chosen)
    except Problem:
        return False
    return True


async def balance(app: App, owner: asyncpg.Connection[Any], poll_id: int) -> list[int]:
    """What is shown, which must be what was cast."""
    async with app.db.read() as r:
        shown = [option.votes for option in await queries.options(r, poll_id)]
        voters = await queries.voters(r, poll_id)
    cast = [
        await owner.fetchval("SELECT count(*) FROM poll_votes WHERE poll_id = $1 AND choice = $2", poll_id, choice)
        for choice in range(len(shown))
    ]
    assert shown == cast
    assert voters == await owner.fetchval("SELECT count(DISTINCT account_id) FROM poll_votes WHERE poll_id = $1", poll_id)
    return shown


async def test_who_votes_twice_at_once_has_voted_once(app: App, alice: Person, bela: Person, owner: asyncpg.Connection[Any]) -> None:
    _, poll_id = await asked(app, alice, NewPoll(options=("a", "b")))
    took = await asyncio.gather(*(vote(app, bela, poll_id, number % 2) for number in range(5)))
    assert sum(took) == 1
    assert sum(await balance(app, owner, poll_id)) == 1


async def test_votes_folding_and_an_edit_at_once_lose_and_invent_nothing(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    people = [await settle_in(app, f"voter{number}") for number in range(8)]
    said, poll_id = await asked(app, alice, FIRST)

    async def edit() -> None:
        await asyncio.sleep(0.02)
        async with app.db.write() as tx:
            await statuses.edit(tx, alice.account, said.id, Revision(content="<p>!</p>", text="!", poll=OTHER))

    async def fold() -> None:
        for _ in range(6):
            await polls.fold_counts(app.job)
            await polls.sweep(app.job)

    await asyncio.gather(*(vote(app, one, poll_id, 0, number % 3) for number, one in enumerate(people)), fold(), edit(), fold())
    assert len(await balance(app, owner, poll_id)) == 2
    for one in people:
        await vote(app, one, poll_id, 1)
    while await polls.fold_counts(app.job):
        pass
    assert sum(await balance(app, owner, poll_id)) >= len(people)
    assert await owner.fetchval("SELECT count(*) FROM poll_count_deltas") == 0


async def test_other_servers_are_told_once_for_all_votes_of_three_minutes(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    _, poll_id = await asked(app, alice, FIRST)
    people = [await settle_in(app, f"voter{number}") for number in range(3)]
    for one in people:
        assert await vote(app, one, poll_id, 0)
    due = await owner.fetchval("SELECT tally_due_at - parvis_now() FROM polls WHERE id = $1", poll_id)
    assert timedelta(minutes=2) < due <= timedelta(minutes=3)
    await owner.execute("UPDATE polls SET tally_due_at = parvis_now()")
    for _ in range(3):
        await polls.sweep(app.job)
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'federation.outbox.poll_tallied'") == 1


async def test_a_poll_ends_once_and_again_when_it_is_held_anew(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    said, poll_id = await asked(app, alice, FIRST)
    ended = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'federation.outbox.poll_ended'"
    for wanted in (1, 2):
        async with app.db.write() as tx:
            poll = NewPoll(options=FIRST.options, multiple=True, expires_at=tx.now + timedelta(minutes=10))
            await statuses.edit(tx, alice.account, said.id, Revision(content="<p>?</p>", text="?", poll=poll))
        await owner.execute("UPDATE polls SET expires_at = parvis_now(), ends_due_at = parvis_now() WHERE id = $1", poll_id)
        for _ in range(3):
            await polls.sweep(app.job)
        assert await owner.fetchval(ended) == wanted
