"""What a hostile caller tries: scopes, hidden posts, odd bytes, races, and counts that must stay true."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.test_access import BACK
from api.town import picture
from conftest import Client, Person, settle_in
from parvis.access import actions as access
from parvis.access import queries as users
from parvis.app import App
from parvis.base.errors import Invalid, Unauthenticated

S, A = "/api/v1/statuses", "/api/v1/accounts"


async def say(person: Client, text: str = "Hello", **more: object) -> dict[str, Any]:
    """Publish something."""
    answer = await person.post(S, json={"status": text, **more})
    assert answer.status == 200, answer.text
    return dict(answer.json())


async def counts(person: Person) -> int:
    """How many posts somebody's profile says they have."""
    return int((await person.get(f"{A}/{person.account.id}")).json()["statuses_count"])


@pytest.mark.parametrize("path", ["", "/context", "/favourited_by", "/reblogged_by", "/history"])
async def test_a_token_without_the_scope_reads_nothing_as_its_person(alice: Person, path: str) -> None:
    said = await say(alice, "For my followers", visibility="private")
    async with alice.app.db.write() as tx:
        narrow, _ = await access.issue(tx, alice.account.id, ["write:media"], None)
    answer = await Client(alice.app, narrow).get(f"{S}/{said['id']}{path}")
    assert (answer.status, answer.json()["error"]) == (403, "This action is outside the authorized scopes")
    assert (await alice.get(f"{S}/{said['id']}{path}")).status == 200


async def test_a_report_names_only_posts_that_its_author_sees(alice: Person, bela: Person, mona: Person) -> None:
    said = await say(alice, "Between us", visibility="direct")
    for reporter in (bela, mona):
        sent = {"account_id": str(alice.account.id), "status_ids": [said["id"]], "comment": "?"}
        answer = await reporter.post("/api/v1/reports", json=sent)
        assert answer.status == 404, answer.text
    assert "Between us" not in (await mona.get("/api/v1/admin/reports")).text


async def test_followers_are_hidden_from_whom_somebody_blocks_and_with_a_suspension(
    alice: Person, bela: Person, client: Client, owner: asyncpg.Connection[Any]
) -> None:
    chloe = await settle_in(alice.app, "chloe")
    await chloe.post(f"{A}/{alice.account.id}/follow")
    await alice.post(f"{A}/{chloe.account.id}/follow")
    await alice.post(f"{A}/{bela.account.id}/block")
    for name in ("followers", "following"):
        assert len((await client.get(f"{A}/{alice.account.id}/{name}")).json()) == 1
        assert (await bela.get(f"{A}/{alice.account.id}/{name}")).json() == []
    await owner.execute("UPDATE accounts SET suspended_at = now() WHERE id = $1", alice.account.id)
    for name in ("followers", "following"):
        assert (await client.get(f"{A}/{alice.account.id}/{name}")).json() == []


async def test_who_passed_a_post_on_for_followers_only_is_not_named_to_everybody(
    alice: Person, bela: Person, client: Client
) -> None:
    said = await say(alice)
    await bela.post(f"{S}/{said['id']}/reblog", json={"visibility": "private"})
    assert (await client.get(f"{S}/{said['id']}/reblogged_by")).json() == []


async def test_deleting_a_reblog_or_its_post_keeps_every_count_true(alice: Person, bela: Person) -> None:
    said = await say(alice)
    wrapper = (await bela.post(f"{S}/{said['id']}/reblog")).json()
    assert (await bela.send("DELETE", f"{S}/{wrapper['id']}")).status == 200
    assert (await alice.get(f"{S}/{said['id']}")).json()["reblogs_count"] == 0
    assert await counts(bela) == 0
    kinds = [row["type"] for row in (await alice.get("/api/v1/notifications")).json()]
    assert "reblog" not in kinds
    await bela.post(f"{S}/{said['id']}/reblog")
    assert (await alice.send("DELETE", f"{S}/{said['id']}")).status == 200
    assert (await counts(alice), await counts(bela)) == (0, 0)


async def test_a_reblog_has_no_words_to_change(alice: Person, bela: Person) -> None:
    said = await say(alice)
    wrapper = (await bela.post(f"{S}/{said['id']}/reblog")).json()
    assert (await bela.send("PUT", f"{S}/{wrapper['id']}", json={"status": "Mine now"})).status == 404


async def test_one_follows_once_however_often_at_the_same_moment(alice: Person, bela: Person) -> None:
    answers = await asyncio.gather(*(alice.post(f"{A}/{bela.account.id}/follow") for _ in range(4)))
    assert {answer.status for answer in answers} == {200}
    assert (await bela.get(f"{A}/{bela.account.id}")).json()["followers_count"] == 1


async def test_a_picture_in_a_post_is_described_by_editing_the_post(alice: Person) -> None:
    file = (await alice.upload("/api/v2/media", picture())).json()
    said = await say(alice, media_ids=[file["id"]])
    assert (await alice.send("PUT", f"/api/v1/media/{file['id']}", json={"description": "Quietly"})).status == 404
    assert (await alice.get(f"{S}/{said['id']}")).json()["media_attachments"][0]["description"] is None


async def test_files_deleted_with_their_post_are_gone(alice: Person, app: App) -> None:
    file = (await alice.upload("/api/v2/media", picture())).json()
    said = await say(alice, media_ids=[file["id"]])
    assert (await alice.get(file["url"].removeprefix("http://localhost"))).status == 200
    assert (await alice.send("DELETE", f"{S}/{said['id']}?delete_media=true")).status == 200
    for url in (file["url"], file["preview_url"]):
        assert (await alice.get(url.removeprefix("http://localhost"))).status == 404
    assert [path for path in Path(app.settings.files).rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["avatar_description", "header_description"])
async def test_every_text_of_a_profile_has_a_limit(alice: Person, name: str) -> None:
    answer = await alice.send("PATCH", f"{A}/update_credentials", json={name: "x" * 151})
    assert answer.status == 422


async def test_a_text_of_a_megabyte_is_refused_before_it_is_read(alice: Person) -> None:
    began = time.monotonic()
    answer = await alice.post(S, json={"status": "@a@b.c " * 130_000})
    assert (answer.status, time.monotonic() - began < 1.0) == (422, True)


@pytest.mark.parametrize("website", ["javascript:alert(1)", "data:text/html,x", "https://"])
async def test_the_site_of_an_app_is_a_web_address(client: Client, website: str) -> None:
    sent = {"client_name": "Tree", "redirect_uris": [BACK], "website": website}
    assert (await client.post("/api/v1/apps", json=sent)).status == 422


@pytest.mark.parametrize("uri", ["https://[", "http://[::1", "https://a]b"])
async def test_a_redirect_address_that_is_none_is_refused(client: Client, uri: str) -> None:
    answer = await client.post("/api/v1/apps", json={"client_name": "Tree", "redirect_uris": [uri]})
    assert answer.status == 422


def test_a_challenge_is_written_in_base64url() -> None:
    with pytest.raises(Invalid):
        access.policy.challenge("é" * 43, "S256")
    assert access.policy.challenge("a" * 43, "S256") == "a" * 43


@pytest.mark.parametrize("path", [
    "/.well-known/webfinger?resource=acct:a%00b@localhost", "/.well-known/webfinger?resource=https://localhost/%00",
    "/@a%00b", "/tags/%00", "/charter/articles/%00", "/oauth/authorize?client_id=%00",
    "/auth/confirm?token=" + urlsafe_b64encode(b"99999999999999999999.1.x").decode(),
    "/register/99999999999999999999", "/proposals/99999999999999999999", "/decisions/99999999999999999999",
    "/api/v1/charter/articles/1?at=0001-01-01T00:00:00%2B12:00", "/ap/users/1/statuses/9999999999999999999",
])
async def test_odd_addresses_are_refused_not_stumbled_over(alice: Person, path: str) -> None:
    for accept in ("text/html", "application/json"):
        answer = await alice.get(path, accept=accept)
        assert answer.status < 500, (path, accept, answer.text[:200])


async def test_odd_credentials_are_refused_not_stumbled_over(client: Client) -> None:
    basic = b64encode(b"%00:%00").decode()
    answer = await client.post(
        "/oauth/token", form={"grant_type": "client_credentials"}, headers={"authorization": f"Basic {basic}"}
    )
    assert answer.status in (400, 401, 422)


@pytest.mark.parametrize("body", [
    '{"status": ' + "[" * 700 + "]" * 700 + "}", '{"status": ' + '{"a":' * 450 + "1" + "}" * 450 + "}",
    '{"fields_attributes": {"' + "1" * 5000 + '": {"name": "x"}}}',
])
async def test_odd_bodies_are_refused_not_stumbled_over(alice: Person, body: str) -> None:
    for method, path in (("POST", S), ("PATCH", f"{A}/update_credentials")):
        answer = await alice.call(method, path, headers={"content-type": "application/json"}, body=body.encode())
        assert answer.status < 500, answer.text


async def test_an_actor_with_a_zero_byte_is_refused(client: Client) -> None:
    sent = {"id": "https://x.example/1", "type": "Like", "actor": "https://x.example/\x00", "object": "https://x.example/"}
    assert (await client.post("/inbox", json=sent)).status in (400, 401, 422)


async def test_a_wrong_token_counts_against_its_address(app: App) -> None:
    app.limits.enforced = True
    stranger = Client(app, "made-up")
    answers = [(await stranger.get(f"{A}/verify_credentials")).status for _ in range(302)]
    assert (answers[0], answers[-1]) == (401, 429)


async def test_nobody_learns_from_the_clock_whether_a_name_is_taken(app: App, alice: Person) -> None:
    hashed: list[str] = []

    class Watched(access.PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            hashed.append("hash")
            return super().hash(password, salt=salt)

        def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002  # the library's own word
            hashed.append("verify")
            return super().verify(hash, password)

    argon = Watched(time_cost=1, memory_cost=1024, parallelism=1)
    async with app.db.read() as r:
        known, nobody = await users.user_by_login(r, "alice"), await users.user_by_login(r, "nobody")
    for user in (known, nobody):
        hashed.clear()
        with pytest.raises(Unauthenticated):
            await access.proved(user, "wrong", argon)
        assert len(hashed) == 1
    assert (await access.proved(known, "correct horse", argon)).account_id == alice.account.id


async def test_signing_in_holds_no_connection_while_the_password_is_tried(app: App, alice: Person) -> None:
    async with app.db.read() as r:
        known = await users.user_by_login(r, "alice")
    assert (await access.proved(known, "correct horse", access.hasher(app.settings))).account_id == alice.account.id
    browser = Client(app)
    await browser.get("/auth/sign_in", accept="text/html")
    held = [await app.db.pool.acquire() for _ in range(4)]  # one of the five is left
    try:
        form = {"email": "alice", "password": "correct horse", "csrf": browser.cookies["parvis_csrf"]}
        answer = await asyncio.wait_for(browser.post("/auth/sign_in", form=form), 10)
    finally:
        for connection in held:
            await app.db.pool.release(connection)
    assert answer.status == 303
