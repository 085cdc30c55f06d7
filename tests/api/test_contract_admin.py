"""What moderators do about people and reports: examples, what residents may not, and what waits for what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec

from api.contract import covers
from api.town import A, Caller, Town
from conftest import Answer
from parvis.app import build

ADMIN = "/api/v1/admin"
PEOPLE, V2, REPORTS = f"{ADMIN}/accounts", "/api/v2/admin/accounts", f"{ADMIN}/reports"
PENDING = "Your login is currently pending approval"


async def severe(town: Town, least: int = 6) -> str:
    """An article in force under which much can be done."""
    whole = await town.stranger.ask(None, "GET", "/api/v1/charter")
    return next(str(a["id"]) for a in whole["articles"] if a["ceiling"] >= least)


def ids(rows: list[Any]) -> list[str]:
    return [row["id"] for row in rows]


@asynccontextmanager
async def choosy(town: Town, registrations: str) -> AsyncIterator[Caller]:
    """An app of the same city while it lets in only some."""
    app = await build(msgspec.structs.replace(town.app.settings, registrations=registrations), pool=2)
    try:
        client = Caller(app, town.succeeded)
        made = await client.ask(None, "POST", "/api/v1/apps", json={
            "client_name": "phone", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write"})
        own = await client.post("/oauth/token", form={
            "grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"],
            "scope": "read write"})
        client.token = own.json()["access_token"]
        yield client
    finally:
        await app.close()


async def knock(phone: Caller, name: str, **more: str) -> Answer:
    return await phone.post("/api/v1/accounts", json={
        "username": name, "email": f"{name}@example.net", "password": "correct horse", "agreement": True, "locale": "en", **more})


@covers(f"POST {PEOPLE}/{{id}}/approve", f"POST {PEOPLE}/{{id}}/reject", f"GET {V2}", f"GET {PEOPLE}")
async def test_whoever_waits_is_let_in_or_not(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    async with choosy(town, "approval") as phone:
        told = (await phone.get("/api/v2/instance")).json()["registrations"]
        assert (told["enabled"], told["approval_required"], told["reason_required"]) == (True, True, True)
        assert (await phone.get("/api/v1/instance")).json()["approval_required"] is True
        assert (await knock(phone, "dora")).json()["details"] == {
            "reason": [{"error": "ERR_BLANK", "description": "can't be blank"}]}
        made = [await knock(phone, name, reason="I live in the Rue Longue.") for name in ("dora", "emil")]
        dora, emil = [Caller(phone.app, town.succeeded, answer.json()["access_token"]) for answer in made]
        assert await dora.refusal("GET", f"{A}/verify_credentials") == (403, PENDING)
        listed = await mona.ask("[Admin_Account]", "GET", f"{V2}?status=pending&origin=local")
        waiting = [row for row in listed if row["username"] != "silent"]
        assert [(row["username"], row["approved"], row["invite_request"]) for row in waiting] == [
            ("emil", False, "I live in the Rue Longue."), ("dora", False, "I live in the Rue Longue.")]
        assert ids(await mona.ask("[Admin_Account]", "GET", f"{PEOPLE}?pending=true")) == ids(listed)
        assert await alice.refusal("POST", f"{PEOPLE}/{waiting[1]['id']}/approve") == (
            403, "This action is not allowed (not_a_moderator)")
        let_in = await mona.ask("Admin_Account", "POST", f"{PEOPLE}/{waiting[1]['id']}/approve")
        assert let_in["approved"] is True
        assert (await dora.get(f"{A}/verify_credentials")).json()["username"] == "dora"
        assert (await mona.refusal("POST", f"{PEOPLE}/{waiting[1]['id']}/approve"))[0] == 403
        assert (await mona.refusal("POST", f"{PEOPLE}/{waiting[1]['id']}/reject"))[0] == 403
        await mona.ask("Admin_Account", "POST", f"{PEOPLE}/{waiting[0]['id']}/reject")
        assert (await emil.refusal("GET", f"{A}/verify_credentials"))[0] == 401
        assert (await mona.refusal("GET", f"{PEOPLE}/{waiting[0]['id']}"))[0] == 404
        assert waiting[0]["id"] not in ids(await mona.ask("[Admin_Account]", "GET", f"{V2}?status=pending"))
    async with choosy(town, "closed") as phone:
        assert (await knock(phone, "fritz")).status == 403
        assert (await phone.get("/api/v2/instance")).json()["registrations"]["enabled"] is False


@covers(f"GET {PEOPLE}")
async def test_nobody_sees_or_writes_to_whoever_waits(town: Town) -> None:
    async with choosy(town, "approval") as phone:
        await knock(phone, "silent", reason="I live here.")
    silent = await town.owner.fetchval("SELECT id FROM accounts WHERE username = 'silent'")
    assert (await town.stranger.refusal("GET", f"{A}/{silent}"))[0] == 404
    mona = await town.person("mona", "moderator")
    assert ids(await mona.ask("[Admin_Account]", "GET", f"{PEOPLE}?username=silent")) == [str(silent)]
    assert (await mona.refusal("POST", f"{A}/{silent}/follow"))[0] == 404
    assert (await town.stranger.refusal("GET", f"{A}/lookup?acct=silent"))[0] == 404
    assert (await town.stranger.get(f"/.well-known/webfinger?resource=acct:silent@{town.app.settings.domain}")).status == 404


@covers(f"GET {V2}", f"GET {PEOPLE}")
async def test_moderators_find_accounts(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    name = alice.account.username
    for query in (f"username={name}", f"email={name}@", f"display_name={name.capitalize()}&origin=local",
                  f"username={name}&status=active&role_ids[]=-99"):
        assert ids(await mona.ask("[Admin_Account]", "GET", f"{V2}?{query}")) == [str(alice.account.id)], query
    for query in (f"username={name}&origin=remote", f"username={name}&permissions=staff", f"username={name}&status=suspended",
                  "ip=192.0.2.1", f"invited_by={mona.account.id}", f"username={name}&role_ids[]=1"):
        assert await mona.ask("[Admin_Account]", "GET", f"{V2}?{query}") == [], query
    assert ids(await mona.ask("[Admin_Account]", "GET", f"{PEOPLE}?staff=true&username={mona.account.username}")) == [
        str(mona.account.id)]
    assert ids(await mona.ask("[Admin_Account]", "GET", f"{PEOPLE}?local=true&active=true&username={name}")) == [str(alice.account.id)]
    await town.people("carol", "dora")
    first = await mona.send("GET", f"{V2}?limit=2")
    second = await mona.ask("[Admin_Account]", "GET", f"{V2}?limit=2&max_id={first.json()[-1]['id']}")
    assert len({*ids(first.json()), *ids(second)}) == 4
    assert "rel=\"next\"" in first.headers["link"]
    back = await mona.ask("[Admin_Account]", "GET", f"{V2}?limit=2&min_id={second[0]['id']}")
    assert ids(back) == ids(first.json())
    assert (await alice.refusal("GET", V2))[0] == 403
    narrow = await town.with_scopes("read", "write", "admin:read:reports")
    assert (await narrow.refusal("GET", V2))[1] == "This action is outside the authorized scopes"


@covers(f"PUT {REPORTS}/{{id}}", f"POST {REPORTS}/{{id}}/assign_to_self", f"POST {REPORTS}/{{id}}/unassign",
        f"POST {REPORTS}/{{id}}/reopen", f"GET {REPORTS}")
async def test_a_report_is_taken_seen_otherwise_settled_and_looked_at_again(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    mona = await town.person("mona", "moderator")
    rule = await severe(town)
    said = (await bela.say("Buy!"))["id"]
    made = await alice.ask("Report", "POST", "/api/v1/reports", json={
        "account_id": str(bela.account.id), "status_ids": [said], "comment": "Look"})
    place = f"{REPORTS}/{made['id']}"
    seen = await mona.ask("Admin_Report", "PUT", place, json={"category": "violation", "rule_ids": [rule]})
    assert (seen["category"], ids(seen["rules"]), seen["comment"]) == ("violation", [rule], "Look")
    assert (await mona.ask("Admin_Report", "PUT", place, json={"category": "spam"}))["category"] == "spam"
    assert (await mona.refusal("PUT", place, json={"category": "boring"}))[0] == 422
    assert (await mona.refusal("PUT", place, json={"rule_ids": ["1"]}))[0] == 422
    taken = await mona.ask("Admin_Report", "POST", f"{place}/assign_to_self")
    assert taken["assigned_account"]["id"] == str(mona.account.id)
    assert (await mona.ask("Admin_Report", "POST", f"{place}/unassign"))["assigned_account"] is None
    settled = await mona.ask("Admin_Report", "POST", f"{REPORTS}/{made['id']}/resolve", json={"article_ids": [rule]})
    assert (settled["action_taken"], settled["action_taken_by_account"]["id"]) == (True, str(mona.account.id))
    again = await mona.ask("Admin_Report", "POST", f"{place}/reopen")
    assert (again["action_taken"], again["action_taken_by_account"], again["case_id"] == settled["case_id"]) == (False, None, False)
    mine = f"account_id={alice.account.id}&target_account_id={bela.account.id}"
    assert ids(await mona.ask("[Admin_Report]", "GET", f"{REPORTS}?{mine}")) == [made["id"]]
    assert await mona.ask("[Admin_Report]", "GET", f"{REPORTS}?{mine}&resolved=true") == []
    assert await mona.ask("[Admin_Report]", "GET", f"{REPORTS}?{mine}&by_target_domain=a.example") == []
    decided = await mona.ask(None, "POST", f"{PEOPLE}/{bela.account.id}/action", json={
        "type": "delete", "report_id": made["id"], "article_ids": [rule], "text": "On second thoughts."})
    assert (decided["case_id"], decided["status_ids"]) == (again["case_id"], [said])
    appealed = await alice.ask(None, "POST", f"/api/v1/decisions/{decided['id']}/appeal", json={"text": "More is needed."})
    assert appealed["decision_id"] == decided["id"]  # who reported is a party to the second decision, too
    for deed in ("assign_to_self", "unassign", "reopen"):
        assert (await alice.refusal("POST", f"{place}/{deed}"))[0] == 403
        assert (await mona.refusal("POST", f"{REPORTS}/12/{deed}"))[0] == 404
    narrow = await town.with_scopes("read", "write", "admin:read", "admin:write:accounts")
    assert (await narrow.refusal("PUT", place, json={}))[1] == "This action is outside the authorized scopes"


@covers(f"POST {PEOPLE}/{{id}}/enable", f"POST {PEOPLE}/{{id}}/unsilence", f"POST {PEOPLE}/{{id}}/unsuspend",
        f"POST {PEOPLE}/{{id}}/unsensitive")
async def test_a_moderator_ends_measures_before_their_time(town: Town) -> None:
    bela, noor = await town.person("bela"), await town.person("noor", "moderator")
    mona = await town.person("mona", "moderator")
    rule, place = await severe(town), f"{PEOPLE}/{bela.account.id}"
    said = (await bela.say("Something"))["id"]
    for kind, state, deed in (("disable", "disabled", "enable"), ("silence", "silenced", "unsilence"),
                              ("suspend", "suspended", "unsuspend"), ("sensitive", "sensitized", "unsensitive")):
        made = await mona.ask(None, "POST", f"{place}/action", json={
            "type": kind, "article_ids": [rule], "text": "It is so.", "status_ids": [said]})
        if kind == "suspend":
            await noor.ask(None, "POST", f"{ADMIN}/decisions/{made['id']}/confirm")
        await town.turn()
        assert (await mona.ask("Admin_Account", "GET", place))[state] is True
        assert (await bela.refusal("POST", f"{place}/{deed}"))[0] == 403
        await mona.ask("Admin_Account", "POST", f"{place}/{deed}", json={"text": f"Enough of {kind}."})
        assert (await mona.refusal("POST", f"{place}/{deed}"))[0] == 409
        await town.turn()
        assert (await mona.ask("Admin_Account", "GET", place))[state] is False
        assert (await mona.ask("Admin_Account", "POST", f"{place}/{deed}"))[state] is False  # nothing to lift any more
        entries = (await town.stranger.ask(None, "GET", "/api/v1/register"))["entries"]
        assert ("lifting", f"Enough of {kind}.") in [(row["kind"], row["reasons"]) for row in entries]
    narrow = await town.with_scopes("read", "write", "admin:read", "admin:write:reports")
    assert (await narrow.refusal("POST", f"{place}/enable"))[1] == "This action is outside the authorized scopes"


@covers(f"DELETE {PEOPLE}/{{id}}")
async def test_an_account_is_deleted_only_when_nobody_can_appeal_any_more(town: Town) -> None:
    bela, noor = await town.person("bela"), await town.person("noor", "moderator")
    mona, place = await town.person("mona", "moderator"), f"{PEOPLE}/{bela.account.id}"
    assert (await mona.refusal("DELETE", place)) == (422, "A rule of this city does not allow this (not_suspended)")
    made = await mona.ask(None, "POST", f"{place}/action", json={
        "type": "exclude", "article_ids": [await severe(town, 7)], "text": "A swindler."})
    await noor.ask(None, "POST", f"{ADMIN}/decisions/{made['id']}/confirm")
    await town.turn()
    assert (await mona.refusal("DELETE", place)) == (422, "A rule of this city does not allow this (appeal_possible)")
    assert (await bela.refusal("DELETE", place))[0] == 403
    await town.owner.execute("INSERT INTO clock_offset (ahead) VALUES ('200 days')")
    town.app.db.clock.offset = timedelta(days=200)
    assert (await mona.ask("Admin_Account", "DELETE", place))["suspended"] is True
    assert (await mona.refusal("GET", place))[0] == 404
    await town.owner.execute("DELETE FROM clock_offset")
    town.app.db.clock.offset = timedelta(0)
