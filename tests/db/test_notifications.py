"""Groups in time, and what raw rows become."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg

from conftest import Person, settle_in
from parvis.app import App
from parvis.base.ids import Page
from parvis.notifications import actions, queries
from parvis.notifications.model import GROUPED, Choice


async def ahead(app: App, owner: asyncpg.Connection[Any], hours: float) -> None:
    await owner.execute("DELETE FROM clock_offset")
    await owner.execute("INSERT INTO clock_offset (ahead) VALUES ($1)", timedelta(hours=hours))
    app.clock.offset = timedelta(hours=hours)


async def test_a_group_is_open_for_twelve_hours_from_its_first(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    said = (await alice.post("/api/v1/statuses", json={"status": "Look"})).json()["id"]
    hour = await owner.fetchval("SELECT floor(extract(epoch FROM now()) / 3600)::bigint")
    for number, hours in enumerate((0, 6, 11, 12, 20, 24)):
        await ahead(app, owner, hours)
        fan = await settle_in(app, f"fan{number}")
        assert (await fan.post(f"/api/v1/statuses/{said}/favourite")).status == 200
    async with app.db.read() as r:
        groups = await queries.groups(r, alice.account.id, Page(), Choice(grouped=list(GROUPED)))
    assert [(g.group_key, g.total) for g in groups] == [
        (f"favourite-{said}-{hour + 24}", 1), (f"favourite-{said}-{hour + 12}", 2), (f"favourite-{said}-{hour}", 3),
    ]


async def test_a_thousand_make_one_group_of_eight_faces(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    said = int((await alice.post("/api/v1/statuses", json={"status": "Look"})).json()["id"])
    await owner.execute(
        "INSERT INTO accounts (id, username, domain, uri, url) SELECT n, 'p' || n, 'far', 'u' || n, 'u' || n FROM generate_series(1, 1000) n")
    async with app.db.write() as tx:
        for number in range(1, 1001):
            await queries.tell(tx, "favourite", number, said, alice.account.id)
    async with app.db.read() as r:
        groups = await queries.groups(r, alice.account.id, Page(), Choice(grouped=list(GROUPED)))
    assert [(g.total, g.people) for g in groups] == [(1000, list(range(1000, 992, -1)))]
    await owner.execute("UPDATE accounts SET suspended_at = now() WHERE id BETWEEN 991 AND 1000")
    async with app.db.read() as r:
        groups = await queries.groups(r, alice.account.id, Page(), Choice(grouped=list(GROUPED)))
    assert groups[0].people == list(range(990, 982, -1))


async def test_lost_follows_are_told_with_their_number(app: App, alice: Person) -> None:
    async with app.db.write() as tx:
        await actions.tell_severed(tx, alice.account.id, "user_domain_block", "far.example", (2, 1))
        await actions.tell_severed(tx, alice.account.id, "user_domain_block", "nobody.example", (0, 0))
    told = (await alice.get("/api/v1/notifications")).json()
    assert [(n["type"], n["event"]["target_name"], n["event"]["followers_count"]) for n in told] == [
        ("severed_relationships", "far.example", 2)]
