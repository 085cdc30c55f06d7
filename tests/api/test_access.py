"""Apps, tokens, sign-ups and limits, as far as the API goes."""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.facts import faults
from conftest import Answer, Client, Person, Server, settle_in
from parvis.access import actions as access
from parvis.access import queries as users
from parvis.access.model import Application
from parvis.api import limits
from parvis.app import App, build
from parvis.base.clock import Clock
from parvis.base.errors import TooMany
from parvis.base.settings import Settings

BACK = "https://tree.example/back"
VERIFIER = "a-verifier-that-is-long-enough-for-the-rfc-0123456789"
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Tree:
    """An app that somebody made."""

    def __init__(self, app: App, made: dict[str, Any]) -> None:
        self.client = Client(app)
        self.id, self.secret = made["client_id"], made["client_secret"]
        self.keys = {"client_id": self.id, "client_secret": self.secret}

    async def known(self) -> Application:
        """The same, as the city keeps it."""
        async with self.client.app.db.read() as r:
            return await access.client(r, self.id, self.secret)

    async def code(self, person: Person, challenge: str | None = None) -> str:
        """A person lets the app act."""
        found = await self.known()
        async with self.client.app.db.write() as tx:
            user = await users.user(tx, person.account.id)
            assert user is not None
            return await access.authorize(tx, user, found, BACK, ["read", "write:statuses"], challenge)

    async def redeem(self, code: str, **changed: str) -> Answer:
        """Trade a code for a token."""
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **self.keys} | changed
        return await self.client.post("/oauth/token", form=given)


async def plant(app: App, name: str = "Tree", scopes: str = "read write") -> Tree:
    sent = {"client_name": name, "redirect_uris": [BACK], "scopes": scopes}
    made = await Client(app).post("/api/v1/apps", json=sent)
    assert faults("CredentialApplication", made.json()) == []
    return Tree(app, made.json())


@pytest.fixture
async def tree(app: App) -> Tree:
    return await plant(app)


def said(answer: Answer) -> tuple[int, str]:
    """A refusal's code and word; it is one as RFC 6749 §5.2 wants it."""
    assert faults("Error", answer.json()) == []
    assert answer.headers["cache-control"] == "private, no-store" if answer.status == 200 else answer.json()["error_description"]
    return answer.status, answer.json()["error"]


async def test_a_code_is_traded_once_for_a_token_of_the_scopes_that_were_granted(tree: Tree, alice: Person) -> None:
    code = await tree.code(alice)
    answer = await tree.redeem(code)
    token = answer.json()
    assert faults("Token", token) == []
    assert (token["token_type"], token["scope"], answer.headers["cache-control"]) == ("Bearer", "read write:statuses", "private, no-store")
    phone = Client(alice.app, token["access_token"])
    assert (await phone.get("/api/v1/accounts/verify_credentials")).json()["id"] == str(alice.account.id)
    made = await phone.post("/api/v1/statuses", json={"status": "From the tree"})
    assert made.json()["application"] == {"name": "Tree", "website": None}
    assert (await phone.post(f"/api/v1/statuses/{made.json()['id']}/favourite")).status == 403
    assert said(await tree.redeem(code)) == (400, "invalid_grant")


async def test_a_code_made_with_a_challenge_asks_for_its_verifier(tree: Tree, alice: Person) -> None:
    code = await tree.code(alice, CHALLENGE)
    for given in ({}, {"code_verifier": VERIFIER[::-1]}, {"code_verifier": CHALLENGE}):
        assert said(await tree.redeem(code, **given)) == (400, "invalid_grant")
    assert (await tree.redeem(code, code_verifier=VERIFIER)).status == 200


async def test_a_code_is_for_its_app_its_address_and_ten_minutes(tree: Tree, alice: Person, app: App) -> None:
    other, code = await plant(app, "Other"), await tree.code(alice)
    assert said(await tree.redeem(code, redirect_uri=f"{BACK}/x")) == (400, "invalid_grant")
    assert said(await tree.redeem(code, **other.keys)) == (400, "invalid_grant")
    assert said(await tree.redeem("made-up")) == (400, "invalid_grant")
    assert said(await tree.redeem(code, client_secret="wrong")) == (401, "invalid_client")
    assert said(await tree.redeem(code, client_id="nobody")) == (401, "invalid_client")
    assert said(await tree.redeem(code, grant_type="password")) == (400, "unsupported_grant_type")
    assert (await tree.redeem(code)).status == 200


async def test_a_late_code_is_worth_nothing(tree: Tree, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    code = await tree.code(alice)
    await owner.execute("INSERT INTO clock_offset (ahead) VALUES (interval '11 minutes')")
    assert said(await tree.redeem(code)) == (400, "invalid_grant")


async def test_an_app_has_a_token_of_its_own_that_is_nobodys(tree: Tree) -> None:
    basic = b64encode(f"{tree.id}:{tree.secret}".encode()).decode()
    answer = await tree.client.post(
        "/oauth/token", json={"grant_type": "client_credentials", "scope": "read:accounts"}, headers={"authorization": f"Basic {basic}"}
    )
    assert (faults("Token", answer.json()), answer.json()["scope"]) == ([], "read:accounts")
    itself = Client(tree.client.app, answer.json()["access_token"])
    assert (await itself.get("/api/v1/apps/verify_credentials")).json()["name"] == "Tree"
    for path, refusal in (
        ("/api/v1/accounts/verify_credentials", (422, "This method requires an authenticated user")),
        ("/api/v1/timelines/home", (403, "This action is outside the authorized scopes")),
    ):
        refused = await itself.get(path)
        assert (refused.status, refused.json()["error"]) == refusal
    wider = await tree.client.post("/oauth/token", form={"grant_type": "client_credentials", "scope": "push", **tree.keys})
    assert said(wider) == (400, "invalid_scope")


async def test_a_token_is_revoked_by_its_own_app_only_and_twice_is_as_once(tree: Tree, alice: Person, app: App) -> None:
    token = (await tree.redeem(await tree.code(alice))).json()["access_token"]
    other, phone = await plant(app, "Other"), Client(app, token)
    assert said(await other.client.post("/oauth/revoke", form={**other.keys, "token": token})) == (403, "unauthorized_client")
    assert said(await tree.client.post("/oauth/revoke", form={"client_id": tree.id, "token": token})) == (401, "invalid_client")
    assert (await phone.get("/api/v1/preferences")).status == 200
    for _ in range(2):
        ended = await tree.client.post("/oauth/revoke", form={**tree.keys, "token": token})
        assert (ended.status, ended.json()) == (200, {})
    assert (await phone.get("/api/v1/preferences")).status == 401


class Still(Clock):
    """A clock that stands."""

    def now(self) -> datetime:
        """Always the same moment."""
        return datetime(2030, 1, 1, 12, 1, tzinfo=UTC)


@pytest.fixture
async def city(server: Server, database_name: str, tmp_path: Path) -> AsyncIterator[App]:
    """A city that is no --dev city: limits hold, addresses are confirmed by letter."""
    url = server.url("parvis_app", database_name)
    made = await build(Settings(data=tmp_path, origin="http://localhost", database_url=url), clock=Still(), pool=3)
    yield made
    await made.close()


NEW = {"username": "dora", "email": "dora@example.org", "password": "correct horse", "agreement": "true", "locale": "en"}


async def test_an_app_signs_somebody_up_who_acts_once_their_address_is_confirmed(
    city: App, owner: asyncpg.Connection[Any]
) -> None:
    tree = await plant(city)
    own = (await tree.client.post("/oauth/token", form={"grant_type": "client_credentials", "scope": "read write", **tree.keys})).json()
    app = Client(city, own["access_token"])
    made = await app.post("/api/v1/accounts", form=NEW)
    assert (faults("Token", made.json()), made.json()["scope"]) == ([], "read write")
    dora = Client(city, made.json()["access_token"])
    for method, path in (("GET", "/api/v1/accounts/verify_credentials"), ("POST", "/api/v1/statuses")):
        refused = await dora.send(method, path, json={"status": "x"})
        assert (refused.status, refused.json()["error"]) == (403, "Your login is missing a confirmed e-mail address")
    async with city.db.write() as tx:
        shown = await users.user_by_login(tx, "dora")
        assert shown is not None
        assert await access.confirm(tx, city.settings, access.confirmation_token(city.settings, shown, tx.now))
    assert (await dora.get("/api/v1/accounts/verify_credentials")).json()["username"] == "dora"
    await owner.execute("UPDATE users SET disabled_at = parvis_now()")
    refused = await dora.get("/api/v1/accounts/verify_credentials")
    assert (refused.status, refused.json()["error"]) == (403, "Your login is currently disabled")
    assert (await dora.get("/api/v1/timelines/public")).status == 403
    assert (await Client(city).post("/api/v1/accounts", form=NEW)).status == 401
    assert (await dora.post("/api/v1/accounts", form=NEW)).status == 403


async def test_a_wrong_sign_up_names_each_field_and_its_cause(app: App, alice: Person) -> None:
    tree = await plant(app)
    own = (await tree.client.post("/oauth/token", form={"grant_type": "client_credentials", "scope": "write", **tree.keys})).json()
    phone = Client(app, own["access_token"])
    for field, value, word in (
        ("username", "alice", "ERR_TAKEN"), ("username", "ALICE", "ERR_TAKEN"), ("username", "a b", "ERR_INVALID"),
        ("username", "admin", "ERR_RESERVED"), ("email", "Alice@example.org", "ERR_TAKEN"), ("email", "nowhere", "ERR_INVALID"),
        ("password", "short", "ERR_TOO_SHORT"), ("agreement", "false", "ERR_ACCEPTED"),
    ):
        answer = await phone.post("/api/v1/accounts", form={**NEW, field: value})
        told = answer.json()
        assert (answer.status, list(told["details"])) == (422, [field]), told
        assert [cause["error"] for cause in told["details"][field]] == [word]
        assert told["error"].startswith("Validation failed: ")
        assert told["details"][field][0]["description"]
    assert (await phone.post("/api/v1/accounts", form=NEW)).status == 200
    mine = await alice.post("/api/v1/accounts", form=NEW)
    assert (mine.status, mine.json()["error"]) == (403, "This method requires a client credentials token")


RESET = "2030-01-01T12:05:00.000000Z"


def left(answer: Answer) -> tuple[str, ...]:
    """What an answer says of its limit."""
    return tuple(answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset"))


async def test_whoever_asks_too_much_is_told_when_to_come_back(city: App) -> None:
    stranger, now = Client(city), city.clock.now()
    assert left(await stranger.get("/api/v2/instance")) == ("300", "299", RESET)
    assert left(await stranger.get("/api/v1/statuses/1")) == ("300", "298", RESET)
    for _ in range(298):
        city.limits.count(limits.PER_ADDRESS, "127.0.0.1", now)
    refused = await stranger.get("/api/v2/instance")
    assert (refused.status, refused.json()) == (429, {"error": "Too many requests"})
    assert left(refused) == ("300", "0", RESET)
    alice = await settle_in(city, "alice")
    assert left(await alice.get("/api/v1/timelines/home")) == ("300", "299", RESET)
    posted = await alice.post("/api/v1/statuses", json={"status": "x"})
    assert left(posted) == ("300", "299", "2030-01-01T15:00:00.000000Z")
    for _ in range(298):
        city.limits.count(limits.PER_TOKEN, await token_id(city, alice), now)
    assert (await alice.get("/api/v1/timelines/home")).status == 429


async def token_id(city: App, person: Person) -> str:
    async with city.db.read() as r:
        shown = access.fingerprint(person.token or "")
        found = (await users.bearers(r, [shown])).get(shown)
    assert found is not None
    return str(found.token_id)


async def test_limits_are_shared_between_workers(city: App) -> None:
    now, one, other = city.clock.now(), limits.Limits(enforced=True), limits.Limits(enforced=True)
    small = limits.Limit("test", 10, 300)
    for _ in range(6):
        one.count(small, "x", now)
    await one.share(city.db)
    for _ in range(4):
        other.count(small, "x", now)
    await other.share(city.db)
    with pytest.raises(TooMany):
        other.count(small, "x", now)
    assert one.count(small, "x", now) == limits.Left(10, 3, int(datetime(2030, 1, 1, 12, 5, tzinfo=UTC).timestamp()))
    await one.share(city.db)
    with pytest.raises(TooMany):
        one.count(small, "x", now)
    assert one.count(small, "y", now) is not None


async def test_nobody_signs_up_or_registers_apps_by_the_dozen(city: App) -> None:
    codes = [(await Client(city).post("/api/v1/apps", json={"client_name": "A", "redirect_uris": [BACK]})).status for _ in range(6)]
    assert codes == [200] * 5 + [429]


def test_an_address_is_counted_by_its_network_where_people_have_many() -> None:
    assert limits.address_key("2001:db8:1:2:3::4") == limits.address_key("2001:db8:1:2::") == "2001:db8:1:2::"
    assert limits.address_key("::ffff:192.0.2.1") != limits.address_key("::ffff:192.0.2.2")
    assert (limits.address_key("192.0.2.1"), limits.address_key("unix")) == ("192.0.2.1", "unix")
