"""The deeds on filters: each change is told once, and two at a time do not pass the bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from conftest import settle_in
from parvis.accounts.model import Account
from parvis.app import App
from parvis.base.db import Reactions
from parvis.base.errors import Invalid, NotFound
from parvis.filters import actions, policy, queries
from parvis.filters.model import FiltersChanged, KeywordWish, Wish

HOME = Wish(title="Home", context=("home",))
WORD = KeywordWish(keyword="word")


@pytest.fixture
async def alice(app: App) -> Account:
    return (await settle_in(app, "alice")).account


@pytest.fixture
def told(app: App, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What those who listen are told."""
    heard: list[object] = []

    async def note(_: object, event: object) -> None:
        heard.append(event)

    monkeypatch.setattr(app.db, "reactions", {**app.db.reactions, FiltersChanged: Reactions(now=(note,))})
    return heard


async def done(app: App, deed: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    async with app.db.write() as tx:
        return await deed(tx, *args)


async def test_each_change_is_told_once(app: App, alice: Account, told: list[object]) -> None:
    status = int((await settle_in(app, "bela")).account.id)
    made = await done(app, actions.create, alice, HOME, [WORD, WORD])
    word = await done(app, actions.add_keyword, alice, made.id, WORD)
    steps: list[tuple[Callable[..., Awaitable[Any]], tuple[Any, ...]]] = [
        (actions.change, (made.id, Wish(action="hide"), [KeywordWish(id=word.id, whole_word=False)])),
        (actions.change_keyword, (word.id, KeywordWish(keyword="other"))),
        (actions.change_phrase, (word.id, Wish(context=("home",)), KeywordWish(keyword="another"))),
        (actions.remove_keyword, (word.id,)),
        (actions.create_phrase, (Wish(title="p", context=("home",)), KeywordWish(keyword="p"))),
        (actions.remove, (made.id,)),
    ]
    for number, (deed, args) in enumerate(steps, start=3):
        await done(app, deed, alice, *args)
        assert told == [FiltersChanged(alice.id)] * number
    with pytest.raises(NotFound):
        await done(app, actions.remove, alice, made.id)
    with pytest.raises(NotFound):
        await done(app, actions.add_status, alice, made.id, status)
    assert len(told) == 8


async def test_naming_a_post_twice_is_told_once(app: App, told: list[object]) -> None:
    person = await settle_in(app, "bela")
    status = int((await person.post("/api/v1/statuses", json={"status": "Hello"})).json()["id"])
    made = await done(app, actions.create, person.account, HOME, [])
    first = await done(app, actions.add_status, person.account, made.id, status)
    assert await done(app, actions.add_status, person.account, made.id, status) == first
    assert len(told) == 2
    assert await done(app, actions.remove_status, person.account, first.id) == first
    assert len(told) == 3


async def test_two_at_a_time_do_not_pass_the_bounds(app: App, alice: Account) -> None:
    made = await done(app, actions.create, alice, HOME, [WORD] * (policy.KEYWORDS - 2))
    results = await asyncio.gather(
        *(done(app, actions.add_keyword, alice, made.id, WORD) for _ in range(4)), return_exceptions=True)
    assert [type(one) for one in results].count(Invalid) == 2
    async with app.db.read() as r:
        assert (await queries.totals(r, alice.id)).keywords == policy.KEYWORDS


async def test_the_tables_hold_no_filter_that_applies_nowhere(app_sql: asyncpg.Connection[Any], app: App, alice: Account) -> None:
    for context, action in (([], "warn"), (["kitchen"], "warn"), (["home"], "burn")):
        with pytest.raises(asyncpg.CheckViolationError):
            await app_sql.execute(
                "INSERT INTO filters (account_id, title, context, action) VALUES ($1, 'T', $2, $3)", alice.id, context, action)


