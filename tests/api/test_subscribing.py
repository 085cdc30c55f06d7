"""Somebody's posts by letter: the pages, as a browser without script gets them, and what is sent to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from api.test_contract_subscriptions import P, begin, body, letters, link, post_round
from api.test_web import Browser
from api.town import A, picture
from conftest import Client, Person, settle_in
from parvis.accounts import actions as accounts
from parvis.app import App
from parvis.notifications.channels import subscribers

VERA = "vera@visitor.example"


@pytest.fixture
async def hall(app: App) -> Person:
    """The town hall offers its posts by e-mail."""
    made = await settle_in(app, "hall")
    assert (await made.send("PATCH", P, json={"email_subscriptions": True})).status == 200
    return made


async def ahead(app: App, owner: asyncpg.Connection[Any], **by: float) -> None:
    app.clock.offset += timedelta(**by)
    await owner.execute("DELETE FROM clock_offset")
    await owner.execute("INSERT INTO clock_offset (ahead) VALUES ($1)", app.clock.offset)


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_visitor_subscribes_confirms_and_stops_without_script(app: App, hall: Person, alice: Person, language: str) -> None:
    browser = Browser(app)
    assert 'href="/@hall/subscribe"' in (await browser.see("/@hall", language)).text
    assert "/subscribe" not in (await browser.see("/@alice", language)).text
    assert (await browser.see("/@alice/subscribe", language)).status == 404
    assert (await browser.see("/@nobody/subscribe", language)).status == 404
    page = await browser.see("/@hall/subscribe", language)
    assert (page.status, f'<html lang="{language}">' in page.text, page.text.count("<h1")) == (200, True, 1)
    wrong = await browser.submit(page, "/@hall/subscribe", email="nonsense")
    assert (wrong.status, "aria-invalid" in wrong.text) == (422, True)
    form = {"email": VERA, "csrf": browser.cookies["parvis_csrf"]}
    sent = await browser.post("/@hall/subscribe", form=form, headers={"accept": "text/html", "accept-language": language})
    assert (sent.status, VERA in sent.text) == (200, False)
    await post_round(app)
    path = link(letters(app, VERA)[0], "confirm")
    looked = await browser.see(path, language)
    assert (looked.status, VERA in looked.text, looked.headers["referrer-policy"]) == (200, True, "no-referrer")
    await hall.post("/api/v1/statuses", json={"status": "Nobody reads this by letter"})
    await post_round(app)
    assert len(letters(app, VERA)) == 1  # looking confirms nothing
    assert (await Client(app).post("/@hall/subscribe", form=form, headers={"accept": "text/html"})).status == 403
    done = await Browser(app).post(path, form={}, headers={"accept": "text/html", "accept-language": language})
    assert (done.status, f'<html lang="{language}">' in done.text) == (200, True)
    again = await browser.see(path, language)
    assert (again.status, (await Client(app).post(path, form={})).status) == (422, 422)  # a link works once
    await hall.post("/api/v1/statuses", json={"status": "Now somebody does"})
    await post_round(app)
    letter = letters(app, VERA)[-1]
    stop = str(letter["List-Unsubscribe"]).strip("<>").removeprefix("http://localhost")
    assert stop == link(letter, "stop")
    assert (await browser.see(stop, language)).text.count(stop.split("?")[0]) >= 1
    await hall.post("/api/v1/statuses", json={"status": "Looking stops nothing"})
    await post_round(app)
    assert len(letters(app, VERA)) == 3
    clicked = await Client(app).post(stop, form={"List-Unsubscribe": "One-Click"}, headers={"sec-fetch-site": "cross-site"})
    assert clicked.status == 200
    await hall.post("/api/v1/statuses", json={"status": "Nobody again"})
    await post_round(app)
    assert len(letters(app, VERA)) == 3
    assert (await browser.see(stop, language)).status == (await Client(app).post(stop, form={})).status == 200
    assert (await Client(app).post(path, form={})).status == 422  # and the old link begins nothing anew


async def test_a_letter_is_a_public_post_in_the_accounts_language_and_stops_in_one_click(
    app: App, hall: Person, owner: asyncpg.Connection[Any]
) -> None:
    await owner.execute("UPDATE users SET locale = 'fr'")
    await begin(app, hall.account.id, VERA)
    media = (await hall.upload("/api/v2/media", picture(), description="Un étal de <fruits>")).json()
    said = (await hall.post("/api/v1/statuses", json={
        "status": "Le marché <b> ouvre\n\nà huit heures", "media_ids": [media["id"]], "language": "fr"})).json()
    await post_round(app)
    letter = letters(app, VERA)[1]
    assert str(letter["Subject"]) == "Hall – Le marché <b> ouvre à huit heures"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(letter["List-Unsubscribe"]).startswith("<http://localhost/subscriptions/stop?token=")
    plain, html = body(letter), body(letter, "html")
    for text in (plain, html):
        assert said["url"] in text
        assert "Vous recevez par courriel" in text
    assert "Le marché <b> ouvre" in plain
    assert "[Un étal de <fruits>]" in plain
    assert "Le marché &lt;b&gt; ouvre" in html
    assert 'lang="fr"' in html.partition("<blockquote")[2].partition(">")[0]
    assert VERA not in plain + html
    await hall.post("/api/v1/statuses", json={"status": "The inside of it", "spoiler_text": "A long story"})
    await post_round(app)
    assert ("A long story" in body(letters(app, VERA)[2]), "inside" in body(letters(app, VERA)[2])) == (True, False)


async def test_only_new_public_original_posts_are_sent_and_each_once(app: App, hall: Person, bela: Person) -> None:
    await begin(app, hall.account.id, VERA)
    await begin(app, hall.account.id, "otto@visitor.example")
    theirs = (await bela.post("/api/v1/statuses", json={"status": "@hall hello"})).json()
    first = (await hall.post("/api/v1/statuses", json={"status": "First"})).json()
    for visibility in ("unlisted", "private", "direct"):
        await hall.post("/api/v1/statuses", json={"status": f"Hidden {visibility}", "visibility": visibility})
    await hall.post("/api/v1/statuses", json={"status": "Hidden within the city", "local_only": True})
    await hall.post("/api/v1/statuses", json={"status": "@bela Hidden answer", "in_reply_to_id": theirs["id"]})
    await hall.post("/api/v1/statuses", json={"status": "Hidden thread", "in_reply_to_id": first["id"]})
    await hall.post(f"/api/v1/statuses/{theirs['id']}/reblog")
    gone = (await hall.post("/api/v1/statuses", json={"status": "Hidden since deleted"})).json()
    await hall.send("DELETE", f"/api/v1/statuses/{gone['id']}")
    await hall.send("PUT", f"/api/v1/statuses/{first['id']}", json={"status": "First, corrected"})
    await post_round(app)
    for reader in (VERA, "otto@visitor.example"):
        texts = [body(one) for one in letters(app, reader)[1:]]
        assert ["First, corrected" in text for text in texts] == [True], reader


async def test_a_measure_and_a_departure_end_the_letters(app: App, hall: Person, owner: asyncpg.Connection[Any]) -> None:
    await begin(app, hall.account.id, VERA)
    kept = (await hall.post("/api/v1/statuses", json={"status": "To be removed"})).json()
    await owner.execute("UPDATE statuses SET removed_at = now() WHERE id = $1", int(kept["id"]))
    await post_round(app)
    await hall.post("/api/v1/statuses", json={"status": "Of somebody suspended"})
    await owner.execute("UPDATE accounts SET suspended_at = now() WHERE id = $1", hall.account.id)
    await post_round(app)
    await owner.execute("UPDATE accounts SET suspended_at = NULL WHERE id = $1", hall.account.id)
    assert len(letters(app, VERA)) == 1
    await hall.post("/api/v1/statuses", json={"status": "Of somebody who leaves"})
    async with app.db.write() as tx:
        await accounts.close(tx, hall.account)
    await post_round(app)
    assert len(letters(app, VERA)) == 1
    for table in ("email_subscribers", "news_due"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_who_offers_them_no_more_keeps_no_address(app: App, hall: Person, owner: asyncpg.Connection[Any]) -> None:
    path = await begin(app, hall.account.id, VERA)
    await hall.post("/api/v1/statuses", json={"status": "On its way"})
    browser = Browser(app)
    await browser.sign_in("hall")
    page = await browser.see("/settings/profile")
    assert 'name="email_subscriptions" value="1" checked' in page.text
    assert (await browser.submit(page, "/settings/profile", display_name="Hall")).status == 303
    assert await owner.fetchval("SELECT count(*) FROM email_subscribers") == 0
    await post_round(app)
    assert len(letters(app, VERA)) == 1
    await hall.send("PATCH", P, json={"email_subscriptions": True})
    assert (await Client(app).post(path, form={})).status == 422
    await hall.send("PATCH", P, json={"display_name": "Town hall"})
    assert await owner.fetchval("SELECT email_subscriptions FROM accounts WHERE id = $1", hall.account.id)


async def test_a_token_that_is_not_ours_or_not_for_this_does_nothing(app: App, hall: Person, owner: asyncpg.Connection[Any]) -> None:
    await begin(app, hall.account.id, VERA)
    number, asked = await owner.fetchrow("SELECT id, asked_at FROM email_subscribers")
    confirming = subscribers.token(app.settings, "confirm", number, subscribers.stamped(asked))
    stopping = subscribers.token(app.settings, "stop", number)
    for wrong in ("", "x", stopping[:-4], stopping[:12] + "AAAA" + stopping[16:], confirming):
        for method in ("GET", "POST"):
            assert (await Client(app).send(method, f"/subscriptions/stop?token={wrong}", form={})).status == 422, wrong
    for wrong in ("", "x", stopping, confirming[:-4], subscribers.token(app.settings, "confirm", number + 1, 0)):
        for method in ("GET", "POST"):
            assert (await Client(app).send(method, f"/subscriptions/confirm?token={wrong}", form={})).status == 422, wrong
    assert await owner.fetchval("SELECT count(*) FROM email_subscribers WHERE confirmed_at IS NOT NULL") == 1


async def test_a_link_is_good_for_a_day_and_then_the_address_is_forgotten(app: App, hall: Person, owner: asyncpg.Connection[Any]) -> None:
    await Client(app).post(f"{A}/{hall.account.id}/email_subscriptions", json={"email": VERA})
    await post_round(app)
    path = link(letters(app, VERA)[0], "confirm")
    await subscribers.forget(app.job)
    assert (await Browser(app).see(path)).status == 200
    await ahead(app, owner, hours=24, minutes=1)
    assert (await Browser(app).see(path)).status == 422
    assert (await Client(app).post(path, form={})).status == 422
    await subscribers.forget(app.job)
    assert await owner.fetchval("SELECT count(*) FROM email_subscribers") == 0


async def test_an_address_is_asked_for_five_times_in_half_an_hour_from_one_place(app: App, hall: Person) -> None:
    app.limits.enforced = True
    codes = [(await Client(app).post(f"{A}/{hall.account.id}/email_subscriptions", json={"email": f"v{n}@visitor.example"})).status for n in range(7)]
    assert codes == [200] * 5 + [429] * 2
