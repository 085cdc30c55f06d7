"""Filters cost no statement: not those who have none, and not those who have many."""

from __future__ import annotations

from api.test_budget import Meter, chatter, meter, pages
from conftest import settle_in
from parvis.base.db import Read
from parvis.views import looks
from parvis.views.cards import Shelf
from parvis.views.looks import Look
from parvis.views.stock import Stock

__all__ = ["meter"]


async def test_a_page_costs_as_many_statements_with_filters_as_without(meter: Meter) -> None:
    alice, bela, carol = [await settle_in(meter.app, name) for name in ("alice", "bela", "carol")]
    for one in (bela, carol):
        assert (await alice.post(f"/api/v1/accounts/{one.account.id}/follow")).status == 200
    root = (await alice.post("/api/v1/statuses", json={"status": "What do you think? #topic"})).json()["id"]
    ids = [root, *await chatter(alice, [bela, carol], root, 3)]

    made = (await alice.post("/api/v1/lists", json={"title": "x"})).json()["id"]

    async def costs() -> dict[tuple[str, str], int]:
        found = {}
        for path, _ in pages(alice, root, ids, made):
            meter.app.shelf = Shelf()
            found[(path, "cold")] = await meter.cost(alice, path)
            assert meter.app.shelf.card("words", int(ids[1]), 1) is None or filters
            found[(path, "warm")] = await meter.cost(alice, path)
        return found

    filters = False
    without = await costs()
    for number in range(20):
        words = [{"keyword": f"reply {n}"} for n in range(number, number + 5)]
        wanted = {"title": f"Filter {number}", "context": ["home", "notifications"], "keywords_attributes": words}
        assert (await alice.post("/api/v2/filters", json=wanted)).status == 200
    filters = True
    assert await costs() == without
    home = (await alice.get("/api/v1/timelines/home")).json()
    assert any(post["filtered"] for post in home)


async def sent(meter: Meter, r: Read, look: Look) -> bool:
    """Did the database send any filters for this look?"""
    return bool((await looks.look(r, Stock(Shelf(), meter.app.settings), [look]))[look.viewer].marks.get("filters"))


async def test_who_has_no_filters_is_sent_nothing_of_them(meter: Meter) -> None:
    """Filters come with posts, once for each viewer who has any."""
    alice, bela = [await settle_in(meter.app, name) for name in ("alice", "bela")]
    made = [await bela.post("/api/v1/statuses", json={"status": f"Number {n}"}) for n in range(3)]
    ids = tuple(int(answer.json()["id"]) for answer in made)
    async with meter.app.db.read() as r:
        assert not await sent(meter, r, Look(alice.account.id, ids))
    words = [{"keyword": "number"}]
    await alice.post("/api/v2/filters", json={"title": "T", "context": ["home"], "keywords_attributes": words})
    async with meter.app.db.read() as r:
        assert await sent(meter, r, Look(alice.account.id, ids))
        assert not await sent(meter, r, Look(None, ids))
        assert not await sent(meter, r, Look(alice.account.id, (), (bela.account.id,)))
