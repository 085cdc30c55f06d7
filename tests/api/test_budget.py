"""A page costs at most four round trips to the database, the look-up of the token among them, however long it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from conftest import Client, Person, Server, settle_in
from parvis.app import App, build
from parvis.base.settings import Settings
from parvis.views.cards import Shelf

MOST = 4
KINDS = 3  # a search for everything asks one more question for each kind that it finds
LONG = 20
# asyncpg's own: when a connection goes back to its pool, and when it meets a type for the first time in its life.
HOUSEKEEPING = ("pg_advisory_unlock_all()", "typeinfo_tree", "set_config('jit'")


class Meter:
    """Counts the statements that an app of one connection sends."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.sent: list[str] = []

    async def start(self) -> None:
        """Listen on the only connection there is."""
        async with self.app.db.pool.acquire() as connection:
            connection.add_query_logger(self._note)

    def _note(self, record: Any) -> None:
        if not any(word in record.query for word in HOUSEKEEPING):
            self.sent.append(" ".join(record.query.split())[:90])

    async def cost(self, caller: Client, path: str, most: int = MOST) -> int:
        """How many statements one answer takes."""
        self.sent.clear()
        answer = await caller.get(path)
        assert answer.status == 200, answer.text
        assert len(self.sent) <= most, (path, self.sent)
        return len(self.sent)


@pytest.fixture
async def meter(server: Server, database_name: str, tmp_path: Path) -> AsyncIterator[Meter]:
    url = server.url("parvis_app", database_name)
    app = await build(Settings(data=tmp_path, origin="http://localhost", database_url=url, dev=True), pool=1)
    made = Meter(app)
    await made.start()
    yield made
    await app.close()


async def chatter(alice: Person, others: list[Person], root: str, times: int) -> list[str]:
    """The others reply to one of Alice's posts, favourite it and pass it on; she says more, and replies."""
    ids = []
    for number in range(times):
        other = others[number % len(others)]
        said = {"status": f"@alice reply {number} #topic", "in_reply_to_id": root}
        ids.append((await other.post("/api/v1/statuses", json=said)).json()["id"])
        wish = {"status": f"Number {number} #topic", "quoted_status_id": ids[-1] if number % 2 else root}
        mine = (await alice.post("/api/v1/statuses", json=wish)).json()["id"]
        ids.append(mine)
        assert (await other.post(f"/api/v1/statuses/{mine}/favourite")).status == 200
        assert (await other.post(f"/api/v1/statuses/{mine}/reblog")).status == 200
    return ids


async def arranged(alice: Person, others: list[Person]) -> str:
    """Alice puts the others in a list, follows a hashtag, and is spoken to directly; the list."""
    made = (await alice.post("/api/v1/lists", json={"title": "Others"})).json()["id"]
    members = {"account_ids": [str(one.account.id) for one in others]}
    assert (await alice.post(f"/api/v1/lists/{made}/accounts", json=members)).status == 200
    assert (await alice.post("/api/v1/tags/topic/follow")).status == 200
    for one in others:
        assert (await one.post("/api/v1/statuses", json={"status": "@alice psst", "visibility": "direct"})).status == 200
    return str(made)


def pages(alice: Person, root: str, ids: list[str], made: str) -> list[tuple[str, bool]]:
    """Each page that is asked for all the time, and whether a stranger may ask for it."""
    several = "&".join(f"id[]={number}" for number in ids[:LONG])
    return [
        ("/api/v1/timelines/home?limit=40", False),
        ("/api/v1/notifications?limit=80", False),
        ("/api/v2/notifications?limit=80", False),
        ("/api/v2/notifications?limit=80&expand_accounts=partial_avatars", False),
        ("/api/v1/favourites", False),
        (f"/api/v1/timelines/list/{made}?limit=40", False),
        (f"/api/v1/lists/{made}/accounts", False),
        ("/api/v1/conversations", False),
        ("/api/v1/timelines/public?limit=40", True),
        ("/api/v1/timelines/tag/topic?limit=40", True),
        (f"/api/v1/accounts/{alice.account.id}/statuses?limit=40", True),
        (f"/api/v1/accounts/{alice.account.id}/statuses?pinned=true", True),
        (f"/api/v1/accounts/{alice.account.id}", True),
        (f"/api/v1/accounts/{alice.account.id}/followers", True),
        (f"/api/v1/statuses/{root}", True),
        (f"/api/v1/statuses/{root}/context", True),
        (f"/api/v1/statuses/{root}/quotes?limit=40", True),
        (f"/api/v1/statuses?{several}", True),
        ("/api/v2/search?q=number&type=statuses", False),
        ("/api/v2/search?q=alice&type=accounts", True),
        ("/api/v1/directory", True),
    ]


async def test_a_page_costs_at_most_four_round_trips_whether_it_is_short_or_long(meter: Meter) -> None:
    alice, bela, carol = [await settle_in(meter.app, name) for name in ("alice", "bela", "carol")]
    for one in (bela, carol):
        assert (await alice.post(f"/api/v1/accounts/{one.account.id}/follow")).status == 200
        assert (await one.post(f"/api/v1/accounts/{alice.account.id}/follow")).status == 200
    root = (await alice.post("/api/v1/statuses", json={"status": "What do you think? #topic"})).json()["id"]
    assert (await alice.post(f"/api/v1/statuses/{root}/favourite")).status == 200
    assert (await alice.post(f"/api/v1/statuses/{root}/pin")).status == 200
    made = await arranged(alice, [bela, carol])
    ids = [root, *await chatter(alice, [bela, carol], root, 1)]
    costs: list[dict[tuple[str, str, str], int]] = []
    for times in (0, LONG):
        ids += await chatter(alice, [bela, carol], root, times)
        found: dict[tuple[str, str, str], int] = {}
        for path, open_to_all in pages(alice, root, ids, made):
            name = path.partition("?id")[0]
            for caller in [alice, Client(meter.app)] if open_to_all else [alice]:
                meter.app.shelf = Shelf()
                found[(name, "cold", caller.token or "")] = await meter.cost(caller, path)
                found[(name, "warm", caller.token or "")] = await meter.cost(caller, path)
        costs.append(found)
    assert costs[0] == costs[1]
    # What cards are made from comes with a viewer's marks; where there are none it is asked for alone.
    spared = {cost - costs[0][(name, "warm", who)] for (name, state, who), cost in costs[0].items() if state == "cold"}
    assert spared == {0, 1}


async def test_a_search_for_everything_costs_one_more_for_each_kind(meter: Meter) -> None:
    alice, topic = [await settle_in(meter.app, name) for name in ("alice", "topic")]
    for number in range(LONG):
        assert (await alice.post("/api/v1/statuses", json={"status": f"Topic {number} #topic #topic{number}"})).status == 200
    meter.app.shelf = Shelf()
    assert await meter.cost(topic, "/api/v2/search?q=topic", MOST + KINDS) > MOST
    found = (await alice.get("/api/v2/search?q=topic")).json()
    assert (len(found["accounts"]), len(found["statuses"]), len(found["hashtags"])) == (1, LONG, LONG)


async def test_a_long_ranking_costs_no_more_than_a_short_one(meter: Meter, owner: asyncpg.Connection[Any]) -> None:
    alice = await settle_in(meter.app, "alice")
    for number in range(LONG):
        assert (await alice.post("/api/v1/statuses", json={"status": f"Number {number} #topic{number}"})).status == 200
    await owner.execute("INSERT INTO trends SELECT 'tag', '', id, 1, row_number() OVER () FROM tags")
    await owner.execute(
        """INSERT INTO preview_cards (url, title, description, author_name, author_url, provider_name, provider_url,
                                      image_description, width, height)
           SELECT 'https://p.example/' || id, '', '', '', '', '', '', '', 0, 0 FROM tags""")
    await owner.execute("INSERT INTO trends SELECT 'link', '', id, 1, row_number() OVER () FROM preview_cards")
    await owner.execute("INSERT INTO trends SELECT 'status', '', id, 1, row_number() OVER () FROM statuses")
    for number in range(LONG):
        await owner.execute(
            "INSERT INTO accounts (username, uri, url, discoverable) VALUES ('x' || $1, 'x' || $1, 'x' || $1, true)", str(number))
    await owner.execute("INSERT INTO account_counts (account_id, followers) SELECT id, 1 FROM accounts WHERE uri LIKE 'x%'")
    costs = [await meter.cost(alice, f"/api/v2/suggestions?limit={limit}") for limit in (1, LONG, LONG)]
    assert costs[0] == costs[1] == costs[2] + 1
    for caller in (alice, Client(meter.app)):
        for path in ("/api/v1/trends/tags", "/api/v1/trends/statuses", "/api/v1/trends/links"):
            meter.app.shelf = Shelf()
            costs = [await meter.cost(caller, f"{path}?limit={limit}") for limit in (1, LONG)]
            assert len((await caller.get(f"{path}?limit={LONG}")).json()) == LONG
            assert costs[0] == costs[1]
