"""Asking others in by a page, and coming in by it: as a browser without any script gets it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest

from api.test_settings import letter
from api.test_web import PASSWORD, Browser
from conftest import Client, Person
from parvis.access import actions as access
from parvis.app import App, build
from parvis.portability import policy

PAGE = "/settings/invitations"
A = "/api/v1/accounts"


@pytest.fixture
async def choosy(app: App) -> AsyncIterator[App]:
    """The same city where only those come whom a resident invites, and who are sixteen."""
    made = await build(msgspec.structs.replace(app.settings, registrations="invitation", min_age=16), pool=3)
    yield made
    await made.close()


@pytest.fixture
async def browser(choosy: App, alice: Person) -> Browser:
    made = Browser(choosy)
    await made.sign_in("alice")
    return made


async def link(browser: Browser, **given: str) -> str:
    """The path of a fresh invitation."""
    sent = await browser.submit(await browser.see(PAGE), PAGE, **given)
    assert sent.headers["location"] == f"{PAGE}?done=made"
    found = re.search(r"http://localhost(/invite/[\w-]+)", (await browser.see(PAGE)).text)
    assert found
    return found[1]


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_pages_are_shown_in_both_languages(choosy: App, browser: Browser, language: str) -> None:
    path = await link(browser, most_uses="5", expires_in="3600", follow="1")
    for one, who in ((PAGE, browser), (path, Browser(choosy))):
        page = await who.see(one, language)
        assert (page.status, page.text.count("<h1")) == (200, 1), one
        assert f'<html lang="{language}">' in page.text
        assert page.headers["cache-control"] == "private, no-store"
    assert (await Browser(choosy).see(PAGE)).headers["location"].startswith("/auth/sign_in?next=")
    assert (await browser.see(path)).headers["location"] == "/"


async def test_somebody_comes_by_an_invitation_and_follows_once_the_address_is_confirmed(
    choosy: App, browser: Browser, alice: Person
) -> None:
    path, new = await link(browser, most_uses="1", follow="1"), Browser(choosy)
    page = await new.see(path)
    assert "Alice (@alice) invites you." in page.text
    assert "You will follow them from the start" in page.text
    given = {"username": "celia", "email": "celia@example.org", "password": PASSWORD, "agreement": "1"}
    for born, told in (("", "This answer is missing"), ("2025-01-01", "You are too young"), ("soon", "not written as expected")):
        wrong = await new.submit(page, "/auth/sign_up", **given, date_of_birth=born)
        assert (wrong.status, told in wrong.text, "invites you." in wrong.text) == (422, True, True)
    sent = await new.submit(wrong, "/auth/sign_up", **given, date_of_birth="1990-05-06")
    assert (sent.status, "celia@example.org" in sent.text) == (200, True)
    assert (await alice.get(f"{A}/{alice.account.id}/followers")).json() == []
    assert (await new.see(await letter(choosy, "/auth/confirm"))).status == 200
    assert [one["acct"] for one in (await alice.get(f"{A}/{alice.account.id}/followers")).json()] == ["celia"]
    told = (await alice.get("/api/v1/notifications?types[]=follow")).json()
    assert [one["account"]["acct"] for one in told] == ["celia"]
    shown = (await browser.see(PAGE)).text
    assert "1 of 1 came" in shown
    assert "over" in shown
    late = await Browser(choosy).see(path)
    assert (late.status, "This invitation is over" in late.text) == (401, True)


async def test_who_must_wait_for_a_moderator_follows_only_when_let_in(
    choosy: App, browser: Browser, alice: Person, mona: Person, owner: asyncpg.Connection[Any]
) -> None:
    await mona.post("/api/v1/admin/ip_blocks", json={"ip": "127.0.0.0/8", "severity": "sign_up_requires_approval", "comment": "Many came."})
    path, new = await link(browser, follow="1"), Browser(choosy)
    await new.submit(await new.see(path), "/auth/sign_up", username="dora", email="dora@example.org", password=PASSWORD,
                     agreement="1", date_of_birth="1990-05-06")
    await new.see(await letter(choosy, "/auth/confirm"))
    assert (await alice.get(f"{A}/{alice.account.id}/followers")).json() == []
    number = await owner.fetchval("SELECT id FROM accounts WHERE username = 'dora'")
    async with choosy.db.write() as tx:
        await access.approve(tx, number)
    assert [one["acct"] for one in (await alice.get(f"{A}/{alice.account.id}/followers")).json()] == ["dora"]


async def test_without_an_invitation_the_door_says_why_it_is_shut(choosy: App, browser: Browser) -> None:
    stranger = Browser(choosy)
    assert 'href="/auth/sign_up"' not in (await stranger.see("/")).text
    shut = await stranger.see("/auth/sign_up")
    assert (shut.status, "You need an invitation" in shut.text) == (403, True)
    page = await stranger.see(await link(browser, most_uses="1"))
    sent = await stranger.submit(page, "/auth/sign_up", username="emil", email="emil@example.org", password=PASSWORD, agreement="1",
                                 date_of_birth="1990-05-06", invite_code="made-up")
    assert (sent.status, "You need an invitation" in sent.text) == (403, True)
    assert (await stranger.see("/invite/made-up")).status == 404


async def test_an_invitation_is_withdrawn_by_its_maker_alone(choosy: App, browser: Browser, bela: Person) -> None:
    path = await link(browser)
    number = re.findall(r'name="withdraw" value="(\d+)"', (await browser.see(PAGE)).text)
    other = Browser(choosy)
    await other.sign_in("bela")
    foreign = await other.submit(await other.see(PAGE), PAGE, withdraw=number[0])
    assert foreign.status == 404
    assert (await Client(choosy).get(path)).status == 200
    assert (await browser.submit(await browser.see(PAGE), PAGE, withdraw=number[0])).status == 303
    assert (await Client(choosy).get(path)).status == 401
    assert path not in (await browser.see(PAGE)).text
    for wrong in ({"most_uses": "101"}, {"most_uses": "many"}, {"expires_in": "-1"}, {"expires_in": "99999999999"}):
        sent = await browser.submit(await browser.see(PAGE), PAGE, **wrong)
        assert (sent.status, "not written as expected" in sent.text) == (422, True), wrong


async def test_who_is_under_a_measure_or_has_many_invites_no_more(
    choosy: App, browser: Browser, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    for _ in range(policy.STANDING):
        await link(browser)
    full = await browser.submit(await browser.see(PAGE), PAGE)
    assert (full.status, "Twenty of your invitations count already" in full.text) == (422, True)
    await owner.execute("UPDATE invitations SET due_at = parvis_now() WHERE account_id = $1", alice.account.id)
    path = await link(browser)
    assert (await Client(choosy).get(path)).status == 200
    await owner.execute(
        """WITH new AS (INSERT INTO accounts (username, domain, uri, url) VALUES ('alice', 'sued.example', 'https://sued.example/a', '')
                        RETURNING id)
           UPDATE accounts SET moved_to_id = new.id FROM new WHERE accounts.id = $1""", alice.account.id)
    sent = await browser.submit(await browser.see(PAGE), PAGE)
    assert (sent.status, "who has moved away" in sent.text) == (422, True)
    await owner.execute("ALTER TABLE accounts DISABLE TRIGGER USER")
    await owner.execute("UPDATE accounts SET moved_to_id = NULL, limited_at = parvis_now() WHERE id = $1", alice.account.id)
    assert (await Client(choosy).get(path)).status == 401
    assert (await browser.submit(await browser.see(PAGE), PAGE)).status == 422
