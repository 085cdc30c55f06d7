"""Examples of receiving somebody's posts by letter, without an account."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from api.contract import covers
from api.town import A, Town
from conftest import Client
from parvis import wiring
from parvis.app import App
from parvis.base import jobs

P = "/api/v1/profile"


async def post_round(app: App) -> None:
    await jobs.drain(app.job, jobs.named(wiring.REACTIONS))


def letters(app: App, to: str) -> list[EmailMessage]:
    """All letters to an address, in the order of their sending."""
    paths = sorted(app.settings.mails.iterdir(), key=lambda one: one.stat().st_mtime_ns) if app.settings.mails.exists() else []
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]
    return [one for one in found if one["To"] == to]  # type: ignore[misc]  # the policy says which


def body(letter: EmailMessage, kind: str = "plain") -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link(letter: EmailMessage, step: str) -> str:
    found = re.search(rf"http://localhost(/subscriptions/{step}\?token=\S+)", body(letter))
    assert found
    return found[1]


async def begin(app: App, account_id: int, email: str) -> str:
    """Subscribe and confirm; the path that stops it stands in each letter."""
    assert (await Client(app).post(f"{A}/{account_id}/email_subscriptions", json={"email": email})).json() == {}
    await post_round(app)
    path = link(letters(app, email)[-1], "confirm")
    assert (await Client(app).post(path, form={}, headers={"accept": "text/html"})).status == 200
    return path


@covers(f"POST {A}/{{id}}/email_subscriptions", f"PATCH {P}", f"GET {P}", f"GET {A}/{{id}}", f"PATCH {A}/update_credentials")
async def test_a_visitor_subscribes_to_whoever_offers_it(town: Town) -> None:
    hall, other = await town.people("hall", "other")
    path = f"{A}/{hall.account.id}/email_subscriptions"
    code, words = await town.stranger.refusal("POST", path, json={"email": "vera@visitor.example"})
    assert (code, words) == (404, "This account does not offer its posts by e-mail")
    assert (await town.stranger.ask("Account", "GET", f"{A}/{hall.account.id}"))["email_subscriptions"] is False
    assert (await hall.ask("Profile", "GET", P))["email_subscriptions"] is False
    assert (await hall.ask("Profile", "PATCH", P, json={"email_subscriptions": True}))["email_subscriptions"] is True
    assert (await town.stranger.ask("Account", "GET", f"{A}/{hall.account.id}"))["email_subscriptions"] is True
    made = await town.stranger.post(path, json={"email": " vera@visitor.example "}, headers={"accept-language": "fr"})
    assert (made.status, made.json(), made.headers["x-ratelimit-limit"]) == (200, {}, "5")
    await hall.say("Too early for Vera")
    await post_round(town.app)
    asked = letters(town.app, "vera@visitor.example")
    assert len(asked) == 1
    assert "Recevoir les messages de" in str(asked[0]["Subject"])
    confirm = await town.stranger.post(link(asked[0], "confirm"), form={}, headers={"accept": "text/html"})
    assert confirm.status == 200
    said = await hall.say("The market opens at eight")
    await post_round(town.app)
    news = letters(town.app, "vera@visitor.example")[1:]
    assert [(said["url"] in body(one), "The market opens at eight" in body(one)) for one in news] == [(True, True)]
    again = await town.stranger.ask(None, "POST", path, form={"email": "Vera@Visitor.example"})
    assert again == {}
    signed_in = await other.ask(None, "POST", path, json={"email": "other@visitor.example"})
    assert signed_in == {}
    changed = await hall.ask("CredentialAccount", "PATCH", f"{A}/update_credentials", form={"email_subscriptions": "false"})
    assert changed["email_subscriptions"] is False
    assert await town.owner.fetchval("SELECT count(*) FROM email_subscribers WHERE account_id = $1", hall.account.id) == 0


@covers()
async def test_what_nobody_can_subscribe_to_is_refused_with_a_reason(town: Town) -> None:
    hall = await town.person("hall")
    await hall.ask("Profile", "PATCH", P, json={"email_subscriptions": True})
    path = f"{A}/{hall.account.id}/email_subscriptions"
    for wrong in ("", "vera", "vera@", "a b@visitor.example", "vera@visitor.example\nBcc: x@y.example", "x" * 250 + "@visitor.example"):
        assert (await town.stranger.refusal("POST", path, json={"email": wrong}))[0] == 422, wrong
    assert (await town.stranger.refusal("POST", path, json={}))[0] == 400
    away = await town.owner.fetchval(
        "INSERT INTO accounts (username, domain, uri, url) VALUES ('remy', 'far.example', 'https://far.example/u', 'https://far.example/@u') RETURNING id")
    code, words = await town.stranger.refusal("POST", f"{A}/{away}/email_subscriptions", json={"email": "vera@visitor.example"})
    assert (code, words) == (422, "Validation failed: Account lives on another server, which is to be asked")
    assert (await town.stranger.refusal("POST", f"{A}/1/email_subscriptions", json={"email": "vera@visitor.example"}))[0] == 404
    assert "email_subscriptions" not in await town.stranger.ask("Account", "GET", f"{A}/{away}")
    await town.owner.execute("UPDATE accounts SET suspended_at = now() WHERE id = $1", hall.account.id)
    assert (await town.stranger.refusal("POST", path, json={"email": "vera@visitor.example"}))[0] == 404
    assert (await town.stranger.ask("Account", "GET", f"{A}/{hall.account.id}"))["email_subscriptions"] is False
    assert await town.owner.fetchval("SELECT count(*) FROM email_subscribers WHERE account_id = $1", hall.account.id) == 0
