"""Whom one recommends one follows, also when both change in one moment."""

from __future__ import annotations

import asyncio

from conftest import Person
from parvis.accounts import actions as accounts
from parvis.accounts import queries
from parvis.app import App


async def test_to_recommend_somebody_one_stops_following_that_moment_does_nothing(app: App, alice: Person, bela: Person) -> None:
    async with app.db.write() as tx:
        await accounts.follow(tx, alice.account, bela.account)

    async def recommend() -> bool:
        async with app.db.write() as tx:
            return await queries.put_endorsement(tx, alice.account.id, bela.account.id)

    async with app.db.write() as tx:
        await accounts.unfollow(tx, alice.account, bela.account)
        waiting = asyncio.create_task(recommend())
        await asyncio.wait([waiting], timeout=0.2)
    assert await waiting is False
    async with app.db.read() as r:
        shown = (await queries.relationships(r, alice.account.id, [bela.account.id]))[0]
    assert (shown.following, shown.endorsed) == (False, False)
