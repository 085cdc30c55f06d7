"""What keeps an account shut for others, and what people set for themselves: as a browser without any script gets it."""

from __future__ import annotations

import hashlib
import re
import secrets
import struct
from datetime import timedelta
from email import message_from_bytes, policy
from html import unescape
from typing import Any

import cbor2
import msgspec
import pyotp
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from api.test_web import PASSWORD, Browser
from conftest import Person
from parvis import wiring
from parvis.access import actions as access
from parvis.access import queries as users
from parvis.app import App
from parvis.base import jobs

ORIGIN = "http://localhost"


@pytest.fixture
async def browser(app: App, alice: Person) -> Browser:
    made = Browser(app)
    await made.sign_in("alice")
    return made


async def letter(app: App, pattern: str) -> str:
    """The path of the link in the last letter."""
    await jobs.drain(app.job, jobs.named(wiring.REACTIONS))
    found = []
    for path in sorted(app.settings.mails.iterdir(), key=lambda one: one.stat().st_mtime_ns):
        body = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",))
        found += re.findall(rf"http://localhost({pattern}\?token=\S+)", body.get_content() if body else "")
    return str(found[-1])


PAGES = ("/settings", "/settings/profile", "/settings/security", "/settings/applications")


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_settings_are_shown_to_their_owner_in_both_languages(app: App, browser: Browser, language: str) -> None:
    for path in PAGES:
        page = await browser.see(path, language)
        assert (page.status, page.text.count("<h1")) == (200, 1), path
        assert f'<html lang="{language}">' in page.text
        assert page.headers["cache-control"] == "private, no-store"
        assert (await Browser(app).see(path)).headers["location"].startswith("/auth/sign_in?next=")


async def test_a_profile_is_changed_without_script(browser: Browser) -> None:
    page = await browser.see("/settings/profile")
    sent = await browser.submit(page, "/settings/profile", display_name="Alice", note="I write.\n\n#Paris", field_name_0="Site",
                                field_value_0="https://alice.example", domains="blog.example", discoverable="1")
    assert sent.headers["location"] == "/settings/profile?done=1"
    shown = await browser.see("/@alice")
    assert "https://alice.example" in shown.text
    assert 'rel="me nofollow noopener"' in shown.text
    again = await browser.see("/settings/profile")
    assert "I write." in again.text
    wrong = await browser.submit(again, "/settings/profile", domains="no-domain", note="Other")
    assert wrong.status == 422
    assert "This is not written as expected" in wrong.text
    assert "I write." in (await browser.see("/settings/profile")).text


def current(page_text: str) -> str:
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page_text)
    assert found
    return found[1]


async def _with_codes(app: App, browser: Browser) -> tuple[str, list[str]]:
    page = await browser.see("/settings/security")
    await browser.submit(page, "/settings/security/codes", current=PASSWORD, wanted="begin")
    page = await browser.see("/settings/security")
    assert "<svg" in page.text
    secret = current(page.text)
    code = pyotp.TOTP(secret).at(app.clock.now())
    made = await browser.submit(page, "/settings/security/codes", code=code, wanted="prove")
    assert made.status == 200
    return secret, re.findall(r"<code>([0-9a-f]{8}-[0-9a-f]{8})</code>", made.text)


async def test_with_codes_a_password_alone_opens_nothing_and_each_code_works_once(app: App, browser: Browser) -> None:
    secret, recovery = await _with_codes(app, browser)
    assert len(recovery) == 10
    thief = Browser(app)
    asked = await thief.sign_in("alice")
    assert (asked.status, "One more step" in asked.text) == (200, True)
    assert "parvis_session" not in thief.cookies
    assert (await thief.see("/settings")).status == 303
    used = pyotp.TOTP(secret).at(app.clock.now())
    assert (await thief.submit(asked, "/auth/code", code=used)).status == 422  # the code that proved the secret is used up
    app.clock.offset += timedelta(seconds=60)
    fresh = pyotp.TOTP(secret).at(app.clock.now())
    assert (await thief.submit(asked, "/auth/code", code=f" {fresh[:3]} {fresh[3:]}")).headers["location"] == "/"
    assert (await thief.see("/settings")).status == 200
    other = Browser(app)
    asked = await other.sign_in("alice")
    assert (await other.submit(asked, "/auth/code", code=fresh)).status == 422
    assert (await other.submit(asked, "/auth/code", code=recovery[0].upper())).status == 303
    third = Browser(app)
    asked = await third.sign_in("alice")
    assert (await third.submit(asked, "/auth/code", code=recovery[0])).status == 422
    for _ in range(4):
        assert (await third.submit(asked, "/auth/code", code="000000")).status == 422
    late = await third.submit(asked, "/auth/code", code=recovery[1])
    assert late.headers["location"].startswith("/auth/sign_in")
    assert "parvis_session" not in third.cookies


async def test_codes_end_only_with_the_password(app: App, browser: Browser) -> None:
    await _with_codes(app, browser)
    page = await browser.see("/settings/security")
    wrong = await browser.submit(page, "/settings/security/codes", current="wrong horse", wanted="end")
    assert (wrong.status, "This is not your password" in wrong.text) == (422, True)
    assert "One more step" in (await Browser(app).sign_in("alice")).text
    renewed = await browser.submit(page, "/settings/security/codes", current=PASSWORD, wanted="renew")
    assert len(re.findall(r"<code>[0-9a-f]{8}-[0-9a-f]{8}</code>", renewed.text)) == 10
    await browser.submit(page, "/settings/security/codes", current=PASSWORD, wanted="end")
    assert (await Browser(app).sign_in("alice")).status == 303


class Device:
    """An authenticator that asks its owner for a finger (WebAuthn level 2 §6)."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(16)
        self.count = 0

    def _data(self, flags: int) -> bytes:
        self.count += 1
        return hashlib.sha256(b"localhost").digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _answer(self, kind: str, challenge: str, origin: str, **more: bytes) -> str:
        said = msgspec.json.encode({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False})
        response = {"clientDataJSON": said, **more}
        if kind == "webauthn.get":
            digest = hashlib.sha256(said).digest()
            response["signature"] = self.key.sign(more["authenticatorData"] + digest, ec.ECDSA(hashes.SHA256()))
        name = bytes_to_base64url(self.credential_id)
        return msgspec.json.encode({
            "id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {},
            "response": {key: bytes_to_base64url(value) for key, value in response.items()}}).decode()

    def create(self, options: dict[str, Any], origin: str = ORIGIN) -> str:
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        data = self._data(0x45) + bytes(16) + struct.pack(">H", 16) + self.credential_id + public
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer("webauthn.create", options["challenge"], origin, attestationObject=made)

    def get(self, options: dict[str, Any], flags: int = 0x05, origin: str = ORIGIN) -> str:
        return self._answer("webauthn.get", options["challenge"], origin, authenticatorData=self._data(flags))


def options(page_text: str) -> dict[str, Any]:
    found = re.search(r'data-options="([^"]+)"', page_text)
    assert found
    return dict(msgspec.json.decode(unescape(found[1])))


async def test_a_passkey_opens_the_account_without_password_and_its_answer_works_once(app: App, browser: Browser) -> None:
    device = Device()
    page = await browser.see("/settings/security")
    made = await browser.submit(page, "/settings/security/passkeys", credential=device.create(options(page.text)), name="My key")
    assert made.headers["location"] == "/settings/security?done=passkeys#passkeys"
    page = await browser.see("/settings/security")
    assert "My key" in page.text
    assert (await browser.submit(page, "/settings/security/passkeys", credential="{}", name="x")).status == 422
    stranger = Browser(app)
    door = await stranger.see("/auth/sign_in")
    for bad in (device.get(options(door.text), flags=0x01), device.get(options(door.text), origin="https://evil.example"),
                device.get({"challenge": bytes_to_base64url(bytes(56))}), Device().get(options(door.text)), "", "[]", "{"):
        door = await stranger.see("/auth/sign_in")
        assert (await stranger.submit(door, "/auth/passkey", credential=bad)).status == 422
    door = await stranger.see("/auth/sign_in")
    answer = device.get(options(door.text))
    assert (await stranger.submit(door, "/auth/passkey", credential=answer)).status == 303
    assert (await stranger.see("/settings")).status == 200
    other = Browser(app)
    door = await other.see("/auth/sign_in")
    assert (await other.submit(door, "/auth/passkey", credential=answer)).status == 422
    drop = re.search(r'name="drop" value="(\d+)"', page.text)
    assert drop
    await browser.submit(page, "/settings/security/passkeys", drop=drop[1])
    door = await other.see("/auth/sign_in")
    assert (await other.submit(door, "/auth/passkey", credential=device.get(options(door.text)))).status == 422


async def test_another_password_signs_all_others_out(app: App, browser: Browser, alice: Person) -> None:
    other = Browser(app)
    await other.sign_in("alice")
    page = await browser.see("/settings/security")
    for given, told in (({"current": "wrong", "password": "long enough"}, "This is not your password"),
                        ({"current": PASSWORD, "password": "short"}, "too short")):
        wrong = await browser.submit(page, "/settings/security/password", **given)
        assert (wrong.status, told in wrong.text) == (422, True)
    await browser.submit(page, "/settings/security/password", current=PASSWORD, password="another horse")
    assert (await browser.see("/settings")).status == 200
    assert (await other.see("/settings")).status == 303
    assert (await alice.get("/api/v1/accounts/verify_credentials")).status == 401
    assert (await Browser(app).sign_in("alice")).status == 422
    assert (await Browser(app).sign_in("alice", "another horse")).status == 303


async def test_a_forgotten_password_is_replaced_by_a_letter_that_works_once_for_an_hour(app: App, alice: Person) -> None:
    lost = Browser(app)
    for login in ("nobody", "alice"):
        sent = await lost.submit(await lost.see("/auth/forgot"), "/auth/forgot", email=login)
        assert "on its way" in sent.text
    link = await letter(app, "/auth/reset")
    assert len(list(app.settings.mails.iterdir())) == 1
    page = await lost.see(link)
    assert (await lost.submit(page, "/auth/reset", password="short")).status == 422
    assert (await lost.submit(page, "/auth/reset", password="another horse")).status == 303
    assert (await lost.see(link)).status == 400
    assert (await lost.submit(page, "/auth/reset", password="third horse")).status == 400
    assert (await lost.sign_in("alice", "another horse")).status == 303
    stranger = Browser(app)
    await stranger.submit(await stranger.see("/auth/forgot"), "/auth/forgot", email="alice@example.org")
    link = await letter(app, "/auth/reset")
    app.clock.offset += timedelta(seconds=3601)
    assert (await stranger.see(link)).status == 400
    for token in ("", "x", "YWJj", "w6k="):
        assert (await stranger.see(f"/auth/reset?token={token}")).status == 400


async def test_an_address_changes_once_its_letter_is_answered(app: App, browser: Browser, bela: Person) -> None:
    page = await browser.see("/settings/security")
    assert (await browser.submit(page, "/settings/security/address", email="no address", current=PASSWORD)).status == 422
    await browser.submit(page, "/settings/security/address", email="bela@example.org", current=PASSWORD)
    assert (await browser.see(await letter(app, "/auth/address"))).status == 400
    await browser.submit(page, "/settings/security/address", email="new@example.org", current=PASSWORD)
    link = await letter(app, "/auth/address")
    assert "alice@example.org" in (await browser.see("/settings/security")).text
    assert (await Browser(app).see(link)).status == 200
    assert "new@example.org" in (await browser.see("/settings/security")).text
    assert (await Browser(app).see(link)).status == 400


async def test_browsers_and_applications_are_signed_out_one_by_one(app: App, browser: Browser, alice: Person) -> None:
    other = Browser(app)
    await other.sign_in("alice")
    page = await browser.see("/settings/security")
    session = re.search(r'name="session" value="(\d+)"', page.text)
    assert session
    await browser.submit(page, "/settings/security/browsers", session=session[1])
    assert (await other.see("/settings")).status == 303
    assert (await browser.see("/settings")).status == 200
    async with app.db.write() as tx:
        made = await access.register_application(tx, "Tusk", None, [access.policy.OOB], "read write")
        token, _ = await access.issue(tx, alice.account.id, ["read"], made.application.id)
    mine = alice.token
    alice.token = token
    assert (await alice.get("/api/v1/accounts/verify_credentials")).status == 200
    page = await browser.see("/settings/applications")
    assert "Tusk" in page.text
    await browser.submit(page, "/settings/applications", application=str(made.application.id))
    assert (await alice.get("/api/v1/accounts/verify_credentials")).status == 401
    alice.token = mine
    assert (await alice.get("/api/v1/accounts/verify_credentials")).status == 200
    assert "Tusk" not in (await browser.see("/settings/applications")).text
    async with app.db.read() as r:
        assert await users.authorised(r, alice.account.id) == []
