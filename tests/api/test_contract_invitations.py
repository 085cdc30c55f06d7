"""Who comes by invitation, who is old enough, and what apps are told of both."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from api.contract import covers
from api.town import A, Caller, Town
from conftest import Answer
from parvis.app import build
from parvis.portability import actions as coming
from parvis.portability import queries
from parvis.portability.model import InvitationWish

NOT_INVITED = (403, "Only people whom a resident invites can settle here, and this is no invitation that counts")
OVER = (401, "This invitation does not count any more")


@asynccontextmanager
async def door(town: Town, **given: Any) -> AsyncIterator[Caller]:
    """A phone at the door of the same city, which is choosy in this way."""
    app = await build(msgspec.structs.replace(town.app.settings, **given), pool=6)
    try:
        phone = Caller(app, town.succeeded)
        made = await phone.ask(None, "POST", "/api/v1/apps", json={
            "client_name": "phone", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write"})
        own = await phone.post("/oauth/token", form={
            "grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"],
            "scope": "read write"})
        phone.token = own.json()["access_token"]
        yield phone
    finally:
        await app.close()


async def settle(phone: Caller, **more: str) -> Answer:
    name = more.pop("username", f"new_{uuid.uuid4().hex[:12]}")
    return await phone.post(A, json={
        "username": name, "email": f"{name}@example.net", "password": "correct horse", "agreement": True, "locale": "en", **more})


async def invited(town: Town, by: Caller, **wish: Any) -> str:
    async with town.app.db.write() as tx:
        return await coming.invite(tx, by.account, InvitationWish(**wish), "open")


async def uses(town: Town, by: Caller) -> list[int]:
    async with town.app.db.read() as r:
        return [one.uses for one in await queries.invitations(r, by.account.id)]


@covers(f"POST {A}", "GET /api/v1/instance", "GET /api/v2/instance")
async def test_where_residents_invite_nobody_else_comes(town: Town) -> None:
    alice, mona = await town.person("alice"), await town.person("mona", "moderator")
    code = await invited(town, alice, most_uses=2, follow=True)
    async with door(town, registrations="invitation") as phone:
        told = (await phone.ask("Instance", "GET", "/api/v2/instance"))["registrations"]
        assert (told["enabled"], told["approval_required"], told["reason_required"], told["min_age"]) == (False, False, False, None)
        older = await phone.ask("V1_Instance", "GET", "/api/v1/instance")
        assert (older["registrations"], older["approval_required"], older["invites_enabled"]) == (False, False, True)
        assert (await phone.get("/nodeinfo/2.1")).json()["openRegistrations"] is False
        for wrong in ({}, {"invite_code": "made-up"}, {"invite_code": ""}):
            refused = await settle(phone, **wrong)
            assert (refused.status, refused.json()["error"]) == NOT_INVITED
        token = (await settle(phone, invite_code=code)).json()["access_token"]
        bela = Caller(phone.app, town.succeeded, token)
        me = await bela.ask("CredentialAccount", "GET", f"{A}/verify_credentials")
    assert await uses(town, alice) == [1]
    follows = await alice.ask("[Account]", "GET", f"{A}/{alice.account.id}/followers")
    assert [one["id"] for one in follows] == [me["id"]]
    found = await mona.ask("[Admin_Account]", "GET", f"/api/v2/admin/accounts?invited_by={alice.account.id}")
    assert [(one["id"], one["invited_by_account_id"]) for one in found] == [(me["id"], str(alice.account.id))]


@covers(f"POST {A}")
async def test_who_is_invited_waits_for_no_moderator_and_gives_no_reason(town: Town) -> None:
    alice = await town.person("alice")
    code = await invited(town, alice, most_uses=1)
    async with door(town, registrations="approval") as phone:
        assert (await phone.get("/nodeinfo/2.0")).json()["openRegistrations"] is True
        older = (await phone.get("/api/v1/instance")).json()
        assert (older["registrations"], older["approval_required"], older["invites_enabled"]) == (True, True, True)
        bela = Caller(phone.app, town.succeeded, (await settle(phone, invite_code=code)).json()["access_token"])
        assert (await bela.get(f"{A}/verify_credentials")).status == 200
        late = await settle(phone, invite_code=code)
        assert late.json()["details"] == {"reason": [{"error": "ERR_BLANK", "description": "can't be blank"}]}
        carol = (await settle(phone, invite_code=code, reason="I live in the Rue Longue.")).json()["access_token"]
        waiting = Caller(phone.app, town.succeeded, carol)
        assert await waiting.refusal("GET", f"{A}/verify_credentials") == (403, "Your login is currently pending approval")
    assert await alice.ask("[Account]", "GET", f"{A}/{alice.account.id}/followers") == []


@covers(f"POST {A}")
async def test_of_many_who_come_at_once_for_the_last_use_exactly_one_has_it(town: Town) -> None:
    alice = await town.person("alice")
    for most in (1, 5):
        code = await invited(town, alice, most_uses=most)
        async with door(town, registrations="invitation") as phone:
            answers = await asyncio.gather(*(settle(phone, invite_code=code) for _ in range(most + 4)))
        assert sorted(answer.status for answer in answers) == [200] * most + [403] * 4
        assert {answer.json()["error"] for answer in answers if answer.status == 403} == {NOT_INVITED[1]}
        assert (await uses(town, alice))[0] == most
        assert await town.owner.fetchval(
            "SELECT count(*) FROM invited w JOIN invitations i ON i.id = w.invitation_id WHERE i.code = $1", code) == most


@covers(f"POST {A}")
async def test_who_fails_to_settle_uses_nothing_up(town: Town) -> None:
    alice = await town.person("alice")
    code = await invited(town, alice, most_uses=1)
    async with door(town, registrations="invitation") as phone:
        taken = await settle(phone, invite_code=code, username=alice.account.username)
        assert taken.json()["details"]["username"][0]["error"] == "ERR_TAKEN"
        assert await uses(town, alice) == [0]
        assert (await settle(phone, invite_code=code)).status == 200
    async with door(town, registrations="closed") as phone:
        code = await invited(town, alice)
        assert (await settle(phone, invite_code=code)).status == 403
        assert await phone.refusal("GET", f"/invite/{code}") == (403, "This action is not allowed")
        assert (await phone.get("/api/v1/instance")).json()["invites_enabled"] is False
        assert (await phone.get("/nodeinfo/2.0")).json()["openRegistrations"] is False


@pytest.mark.asyncio(loop_scope="module")
async def test_an_app_learns_where_an_invitation_leads_while_it_counts(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    code = await invited(town, alice, most_uses=1, expires_in=3600)
    answer = await town.stranger.get(f"/invite/{code}")
    assert answer.json() == {"invite_code": code, "instance_api_url": "http://localhost/api/v2/instance"}
    assert answer.headers["content-type"].startswith("application/json")
    assert await town.stranger.refusal("GET", "/invite/made-up") == (404, "Record not found")
    await town.owner.execute("UPDATE invitations SET uses = 1 WHERE code = $1", code)
    assert await town.stranger.refusal("GET", f"/invite/{code}") == OVER
    await town.owner.execute("UPDATE invitations SET uses = 0, due_at = parvis_now() WHERE code = $1", code)
    assert await town.stranger.refusal("GET", f"/invite/{code}") == OVER
    code, other = await invited(town, bela), await invited(town, alice)
    await town.owner.execute("UPDATE users SET disabled_at = parvis_now() WHERE account_id = $1", bela.account.id)
    assert await town.stranger.refusal("GET", f"/invite/{code}") == OVER
    async with town.app.db.read() as r:
        number = (await queries.invitations(r, alice.account.id))[0].id
    async with town.app.db.write() as tx:
        await coming.withdraw(tx, alice.account, number)
    assert await town.stranger.refusal("GET", f"/invite/{other}") == OVER


@covers(f"POST {A}", "GET /api/v2/instance")
async def test_whoever_settles_is_old_enough_and_the_date_is_kept_nowhere(town: Town) -> None:
    async with door(town, min_age=16) as phone:
        assert (await phone.get("/api/v2/instance")).json()["registrations"]["min_age"] == 16
        today = phone.app.clock.now().date()
        young = today - timedelta(days=16 * 365)
        for born, word, said in (
            (None, "ERR_BLANK", "can't be blank"), ("soon", "ERR_INVALID", "is invalid"), ("2001-02-30", "ERR_INVALID", "is invalid"),
            ("1799-01-01", "ERR_INVALID", "is invalid"), ("9999-01-01", "ERR_INVALID", "is invalid"),
            (young.isoformat(), "ERR_BELOW_LIMIT", "is below the age limit"),
        ):
            refused = await settle(phone, **({} if born is None else {"date_of_birth": born}))
            assert refused.status == 422
            assert refused.json() == {
                "error": f"Validation failed: Date of birth {said}",
                "details": {"date_of_birth": [{"error": word, "description": said}]}}
        assert (await settle(phone, date_of_birth="1987-03-14")).status == 200
    tables = await town.owner.fetch(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND n.nspname IN ('public', 'residency')")
    for table, in tables:
        assert not await town.owner.fetchval(f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text LIKE '%1987-03-14%')"), table
    async with door(town) as phone:
        assert (await settle(phone, date_of_birth="not asked")).status == 200
