"""What reaches somebody who is not looking: push messages and letters, as they arrive."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import asyncpg
import http_ece
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conftest import Client, Person, Server, settle_in
from parvis import wiring
from parvis.access import actions as access
from parvis.app import App, build
from parvis.base import jobs, webpush
from parvis.base.errors import Upstream
from parvis.base.http import Request, Response
from parvis.base.settings import Settings
from parvis.notifications.channels import mail, push, queries
from parvis.notifications.model import LetterDue, PushDue

P = "/api/v1/push/subscription"


class Services:
    """All push services of the world: they keep what they get and answer as they are told."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.answers: dict[str, int] = {}

    async def send(self, request: Request) -> Response:
        """One message."""
        if self.answers.get(request.url) == 0:
            raise OSError("down")
        self.sent.append(request)
        return Response(self.answers.get(request.url, 201), request.url, {}, b"")


class Device:
    """An app with keys of its own."""

    def __init__(self, endpoint: str, standard: bool) -> None:
        self.endpoint, self.standard = endpoint, standard
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"

    async def listen(self, person: Person, *alerts: str, whose: str = "all") -> None:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        made = await person.post(P, json={
            "subscription": {"endpoint": self.endpoint, "standard": self.standard,
                             "keys": {"p256dh": webpush.text(point), "auth": webpush.text(self.auth)}},
            "data": {"alerts": dict.fromkeys(alerts, True), "policy": whose}})
        assert made.status == 200, made.text

    def read(self, request: Request) -> dict[str, Any]:
        """What the app makes of a message."""
        headers, body = request.headers, request.body
        if headers["content-encoding"] == "aes128gcm":
            assert "crypto-key" not in headers
            plain = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        else:
            dh = webpush.raw(headers["crypto-key"].split(";")[0].removeprefix("dh="), "dh", 65)
            salt = webpush.raw(headers["encryption"].removeprefix("salt="), "salt", 16)
            plain = http_ece.decrypt(body, salt=salt, private_key=self.key, dh=dh, auth_secret=self.auth, version="aesgcm")
        return msgspec.json.decode(plain, type=dict[str, Any])


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
async def app(server: Server, database_name: str, tmp_path: Path, services: Services) -> AsyncIterator[App]:
    url = server.url("parvis_app", database_name)
    made = await build(Settings(data=tmp_path, origin="http://localhost", database_url=url, dev=True), transport=services, pool=5)
    yield made
    await made.close()


async def work(app: App) -> None:
    await jobs.drain(app.job, jobs.named(wiring.REACTIONS))


def letters(app: App) -> list[EmailMessage]:
    paths = sorted(app.settings.mails.iterdir(), key=lambda one: one.stat().st_mtime_ns) if app.settings.mails.exists() else []
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]  # type: ignore[misc]  # the policy says which


async def ahead(app: App, owner: asyncpg.Connection[Any], **by: float) -> None:
    app.clock.offset += timedelta(**by)
    await owner.execute("DELETE FROM clock_offset")
    await owner.execute("INSERT INTO clock_offset (ahead) VALUES ($1)", app.clock.offset)


@pytest.mark.parametrize("standard", [True, False])
async def test_an_app_reads_what_was_pushed_to_it(app: App, services: Services, alice: Person, bela: Person, standard: bool) -> None:
    device = Device("https://push.example/alice", standard)
    await device.listen(alice, "mention")
    said = await bela.post("/api/v1/statuses", json={"status": f"@alice <b>Shall</b> we go? {'x' * 300}"})
    await bela.post(f"/api/v1/accounts/{alice.account.id}/follow")
    await work(app)
    assert [request.url for request in services.sent] == ["https://push.example/alice"]
    sent = services.sent[0]
    assert (sent.method, sent.headers["ttl"], sent.headers["urgency"]) == ("POST", "172800", "normal")
    told = (await alice.get("/api/v1/notifications?types[]=mention")).json()[0]
    read = device.read(sent)
    assert len(read["body"]) == 140
    assert read["body"].startswith("@alice <b>Shall</b> we go? xxx")
    assert {**read, "body": ""} == {
        "access_token": alice.token, "preferred_locale": "en", "notification_id": int(told["id"]), "notification_type": "mention",
        "icon": "http://localhost/static/avatar.png", "title": "Bela mentioned you", "body": "",
    }
    assert told["status"]["id"] == said.json()["id"]


async def test_only_what_is_wanted_by_whom_is_wanted_is_pushed(app: App, services: Services, alice: Person, bela: Person) -> None:
    carol = await settle_in(app, "carol")
    device = Device("https://push.example/alice", True)
    said = (await alice.post("/api/v1/statuses", json={"status": "Look"})).json()["id"]
    await alice.post(f"/api/v1/accounts/{bela.account.id}/follow")
    await carol.post(f"/api/v1/accounts/{alice.account.id}/follow")
    await work(app)
    for whose, wanted in (("all", 2), ("followed", 1), ("follower", 1), ("none", 0)):
        await device.listen(alice, "favourite", whose=whose)
        services.sent.clear()
        for one in (bela, carol):
            await one.post(f"/api/v1/statuses/{said}/unfavourite")
            await one.post(f"/api/v1/statuses/{said}/favourite")
            await one.post(f"/api/v1/statuses/{said}/unreblog")
            await one.post(f"/api/v1/statuses/{said}/reblog")
        await work(app)
        assert len(services.sent) == wanted, whose
        assert all(request.headers["urgency"] == "low" for request in services.sent)
    await device.listen(alice, "favourite")
    await alice.send("PATCH", "/api/v2/notifications/policy", json={"for_not_following": "filter"})
    await carol.post(f"/api/v1/statuses/{said}/unfavourite")
    await carol.post(f"/api/v1/statuses/{said}/favourite")
    await work(app)
    assert services.sent == []


async def test_a_revoked_token_sends_nothing(app: App, services: Services, alice: Person, bela: Person, owner: asyncpg.Connection[Any]) -> None:
    await Device("https://push.example/alice", True).listen(alice, "mention")
    await bela.post("/api/v1/statuses", json={"status": "@alice hello"})
    await owner.execute("UPDATE tokens SET revoked_at = now() WHERE token_hash = $1", access.fingerprint(alice.token or ""))
    await work(app)
    await bela.post("/api/v1/statuses", json={"status": "@alice hello?"})
    await work(app)
    subscription, notification = await owner.fetchval("SELECT id FROM push_subscriptions"), await owner.fetchval("SELECT min(id) FROM notifications")
    await push.deliver(app.job, PushDue(subscription, notification))
    assert services.sent == []
    await push.prune(app.job)
    assert await owner.fetchval("SELECT count(*) FROM push_subscriptions") == 0


async def test_the_token_is_sealed_in_the_database(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    await Device("https://push.example/alice", True).listen(alice, "mention")
    kept = await owner.fetchval("SELECT token_sealed FROM push_subscriptions")
    assert (alice.token or "").encode() not in kept


@pytest.mark.parametrize(("answer", "kept", "again"), [
    (201, True, False), (404, False, False), (410, False, False), (403, False, False), (429, True, True), (500, True, True), (503, True, True), (0, True, True)])
async def test_what_a_push_service_answers_counts(
    app: App, services: Services, alice: Person, bela: Person, owner: asyncpg.Connection[Any], answer: int, kept: bool, again: bool
) -> None:
    await Device("https://push.example/alice", True).listen(alice, "mention")
    services.answers["https://push.example/alice"] = answer
    await bela.post("/api/v1/statuses", json={"status": "@alice hello"})
    due = PushDue(await owner.fetchval("SELECT id FROM push_subscriptions"), await owner.fetchval("SELECT id FROM notifications"))
    if again:
        with pytest.raises(Upstream):
            await push.deliver(app.job, due)
        await ahead(app, owner, minutes=5)
    await push.deliver(app.job, due)
    assert await owner.fetchval("SELECT count(*) FROM push_subscriptions") == kept


async def test_an_address_inside_the_house_is_never_pushed_to(app: App, services: Services, alice: Person, bela: Person, owner: asyncpg.Connection[Any]) -> None:
    await Device("https://10.0.0.1/x", True).listen(alice, "mention")
    await bela.post("/api/v1/statuses", json={"status": "@alice hello"})
    await work(app)
    assert services.sent == []
    assert await owner.fetchval("SELECT count(*) FROM push_subscriptions") == 0


async def test_who_is_away_is_written_to_once_an_hour(app: App, alice: Person, bela: Person, owner: asyncpg.Connection[Any]) -> None:
    await bela.post("/api/v1/statuses", json={"status": "@alice are you here?"})
    await work(app)
    assert letters(app) == []
    await ahead(app, owner, days=3)
    for text in ("one", "two"):
        await bela.post("/api/v1/statuses", json={"status": f"@alice <{text}>"})
        await work(app)
    letter, = letters(app)
    assert (letter["To"], letter["Subject"]) == ("alice@example.org", "Bela mentioned you – Parvis")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, rich = [part.get_content() for part in letter.iter_parts()]
    assert "@alice <one>" in text
    assert "&lt;one&gt;" in rich
    assert "http://localhost/@bela/" in text
    await ahead(app, owner, hours=2)
    await bela.post("/api/v1/statuses", json={"status": "@alice psst", "visibility": "direct"})
    await work(app)
    assert len(letters(app)) == 1  # it was filtered: she does not follow Bela
    async with app.db.write() as tx:
        await tx.run("INSERT INTO notification_permissions VALUES ($1, $2)", alice.account.id, bela.account.id)
    await bela.post("/api/v1/statuses", json={"status": "@alice psst", "visibility": "direct"})
    await work(app)
    assert len(letters(app)) == 2
    assert "psst" not in letters(app)[1].as_string()


async def test_letters_come_as_chosen_and_to_confirmed_addresses_only(app: App, alice: Person, bela: Person, owner: asyncpg.Connection[Any]) -> None:
    await alice.send("PATCH", "/api/v1/letters", json={"follow": "always", "mention": "never"})
    await bela.post(f"/api/v1/accounts/{alice.account.id}/follow")
    await work(app)
    assert [letter["Subject"] for letter in letters(app)] == ["Bela follows you now – Parvis"]
    await ahead(app, owner, days=3)
    await bela.post("/api/v1/statuses", json={"status": "@alice hello"})
    await owner.execute("UPDATE users SET confirmed_at = NULL WHERE account_id = $1", alice.account.id)
    await bela.post(f"/api/v1/accounts/{alice.account.id}/unfollow")
    await bela.post(f"/api/v1/accounts/{alice.account.id}/follow")
    await work(app)
    await mail.tell(app.job, LetterDue(await owner.fetchval("SELECT max(id) FROM notifications")))
    assert len(letters(app)) == 1


async def test_a_digest_comes_after_a_week_and_not_again_without_news(app: App, alice: Person, bela: Person, owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("UPDATE users SET locale = 'fr' WHERE account_id = $1", alice.account.id)
    await alice.send("PATCH", "/api/v1/letters", json={"mention": "never"})
    await ahead(app, owner, days=5)
    for number in range(12):
        await bela.post("/api/v1/statuses", json={"status": f"@alice hello {number}."})
    await mail.note_digests(app.job)
    await work(app)
    assert letters(app) == []
    await ahead(app, owner, days=3)
    for _ in range(2):
        await mail.note_digests(app.job)
        await work(app)
    letter, = letters(app)
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it has one
    assert letter["Subject"] == "En votre absence – Parvis"
    assert [n for n in range(12) if f"hello {n}." in text] == list(range(10))
    assert "Et d’autres encore." in text
    await ahead(app, owner, days=8)
    await mail.note_digests(app.job)
    await work(app)
    assert len(letters(app)) == 1
    await bela.post("/api/v1/statuses", json={"status": "@alice at last."})
    await mail.note_digests(app.job)
    await work(app)
    assert "hello" not in letters(app)[1].as_string()


def stop(letter: EmailMessage) -> str:
    return str(letter["List-Unsubscribe"]).strip("<>").removeprefix("http://localhost")


async def test_a_letter_is_stopped_from_the_letter_itself(app: App, alice: Person, bela: Person) -> None:
    await alice.send("PATCH", "/api/v1/letters", json={"follow": "always", "reblog": "always"})
    await bela.post(f"/api/v1/accounts/{alice.account.id}/follow")
    await work(app)
    path, browser = stop(letters(app)[0]), Client(app)
    shown = await browser.get(path, accept="text/html")
    assert (shown.status, shown.headers["referrer-policy"]) == (200, "no-referrer")
    assert (await alice.get("/api/v1/letters")).json()["follow"] == "always"  # looking stops nothing
    done = await Client(app).send("POST", path, form={"List-Unsubscribe": "One-Click"}, headers={"sec-fetch-site": "cross-site"})
    assert done.status == 200
    now = (await alice.get("/api/v1/letters")).json()
    assert (now["follow"], now["reblog"], now["mention"], now["digest"]) == ("never", "always", "away", True)
    action = html.unescape(re.search(r'<form method="post" action="(/unsubscribe[^"]*)"', shown.text)[1])  # type: ignore[index]  # it stands there
    assert (await browser.send("POST", action, form={"every": "1"})).status == 200
    assert set((await alice.get("/api/v1/letters")).json().values()) == {"never", False}


async def test_a_link_that_we_did_not_sign_stops_nothing(app: App, alice: Person) -> None:
    token = mail.unsubscribe_token(app.settings, alice.account.id, "mention")
    for wrong in ("", "x", "é", token[:-4], token[:-6] + "AAAA" + token[-2:], mail.unsubscribe_token(app.settings, 1, "mention")[:20] + token[20:]):
        for method in ("GET", "POST"):
            answer = await Client(app).send(method, "/unsubscribe?token=" + wrong.encode().hex() if wrong == "é" else f"/unsubscribe?token={wrong}", form={"every": "1"})
            assert answer.status == 422, wrong
    gone = mail.unsubscribe_token(app.settings, 7, "mention")
    assert (await Client(app).send("POST", f"/unsubscribe?token={gone}", form={})).status == 200
    async with app.db.read() as r:
        found = await queries.letter_preferences(r, alice.account.id)
    assert found is not None
    assert found.mention == "away"
