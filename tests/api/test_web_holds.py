"""What the pages say of posts that are kept back, and of the numbers by which they are."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

from api.test_web import Browser, browser, city
from conftest import Person
from parvis.app import App
from parvis.screening import actions as screening

__all__ = ["browser", "city"]


async def test_an_author_reads_why_a_post_is_kept_back_and_appeals_and_nobody_else_sees_it(
    browser: Browser, city: dict[str, str], app: App, alice: Person, bela: Person, mona: Person, owner: asyncpg.Connection[Any]
) -> None:
    await owner.execute("UPDATE article_versions SET parameters = parameters || $1 WHERE number = 'I.9'", json.dumps({"naming_young_from": 0}))
    await alice.post("/api/v1/statuses", json={"status": "@bela The club meets"})
    found = (await alice.get("/api/v1/holds")).json()[0]
    place = f"/holds/{found['id']}"
    assert found["url"].endswith(place)
    assert "The club meets" not in (await browser.see("/")).text
    other = Browser(app)
    await other.sign_in("bela")
    assert (await other.see(place)).status == 404
    await browser.sign_in("alice")
    page = await browser.see(place)
    for words in ("Your post is kept back", "The club meets", "named very many people", "I.8", "Comes out by itself"):
        assert words in page.text
    assert (await browser.submit(page, place, text=" ")).status == 422
    assert (await browser.submit(page, place, text="It is our club.")).status == 303
    assert "Your appeal is recorded" in (await browser.see(place)).text
    assert (await browser.submit(page, place, text="Again.")).status == 303
    async with app.db.write() as tx:
        await screening.release(tx, mona.account, int(found["id"]), "A club, indeed.")
    page = await browser.see(place, "fr")
    assert "Votre message est sorti" in page.text
    assert "A club, indeed." in page.text


async def test_residents_propose_other_numbers_and_everybody_sees_which(browser: Browser, city: dict[str, str], alice: Person) -> None:
    article = await browser.see("/charter/articles/I.8")
    assert "alike_mode" in article.text
    wished = {"title": "Act", "text": "Likeness acts.", "scope": "procedure", "ceiling": 0, "article": "I.8"}
    made = (await alice.post("/api/v1/charter/proposals", json=wished | {"parameters": {"alike_mode": "2", "hold_time": "2d"}})).json()
    assert made["parameters"] == {"alike_mode": 2, "hold_time": "2d"}
    shown = await browser.see(f"/proposals/{made['id']}")
    assert "<del>1</del> 2" in shown.text
    assert "<del>3d</del> 2d" in shown.text
    for wrong in ({"alike_mode": "3"}, {"alike_mode": "soon"}, {"nothing": "1"}, {"hold_time": "2"}, {"hold_score": "-1"}):
        assert (await alice.post("/api/v1/charter/proposals", json=wished | {"parameters": wrong})).status == 422
    await browser.sign_in("alice")
    new = await browser.see("/proposals/new?article=I.8")
    form = {name: str(value) for name, value in wished.items()}
    for typed in ("alike_mode", "alike_mode = 3", "nothing = 1"):
        wrong_page = await browser.submit(new, "/proposals/new", parameters=typed, **form)
        assert (wrong_page.status, typed in wrong_page.text) == (422, True)
    sent = await browser.submit(new, "/proposals/new", parameters="alike_mode = 2\n\nhold_score=4", **form)
    assert sent.status == 303
    shown = await browser.see(sent.headers["location"])
    assert "<del>5</del> 4" in shown.text
