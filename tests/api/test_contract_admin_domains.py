"""Servers kept out by decisions, and the doors of sign-up: examples, and what residents may not."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from api.contract import covers
from api.test_contract_admin import choosy, ids, knock, severe
from api.town import A, Caller, Town

ADMIN = "/api/v1/admin"
BLOCKS, ALLOWS, IPS = f"{ADMIN}/domain_blocks", f"{ADMIN}/domain_allows", f"{ADMIN}/ip_blocks"
PROVIDERS, EMAILS = f"{ADMIN}/email_domain_blocks", f"{ADMIN}/canonical_email_blocks"
PUBLIC = "/api/v1/instance/domain_blocks"
OUTSIDE = "This action is outside the authorized scopes"


async def stranger_at(town: Town, domain: str) -> int:
    """Somebody of another server, whom this city met."""
    uri = f"https://{domain}/users/{uuid.uuid4().hex[:8]}"
    made: int = await town.owner.fetchval(
        "INSERT INTO accounts (username, domain, uri, url, inbox_url) VALUES ($3, $1, $2, $2, $2 || '/inbox') RETURNING id",
        domain, uri, "stan")
    return made


async def shown(who: Caller, account: int) -> Any:
    return await who.ask("Account", "GET", f"{A}/{account}")


@covers(f"GET {BLOCKS}", f"GET {BLOCKS}/{{id}}", f"POST {BLOCKS}", f"PUT {BLOCKS}/{{id}}", f"DELETE {BLOCKS}/{{id}}",
        f"POST {BLOCKS}/{{id}}/confirm", f"GET {PUBLIC}")
async def test_a_server_is_limited_kept_out_and_let_in_again(town: Town) -> None:
    mona, noor = await town.person("mona", "moderator"), await town.person("noor", "moderator")
    alice, rule = await town.person("alice"), await severe(town)
    domain = f"{uuid.uuid4().hex[:8]}.bad.example"
    stan = await stranger_at(town, f"social.{domain}")
    await town.owner.execute("INSERT INTO follows (account_id, target_id, accepted) VALUES ($1, $2, true)", alice.account.id, stan)
    made = await mona.ask("Admin_DomainBlock", "POST", BLOCKS, json={
        "domain": domain.upper(), "severity": "silence", "article_ids": [rule], "text": "They flood us.",
        "public_comment": "Spam", "private_comment": "See the case", "reject_media": True})
    place = f"{BLOCKS}/{made['id']}"
    assert (made["domain"], made["severity"], made["in_effect_since"]) == (domain, "silence", None)
    assert (await mona.refusal("POST", BLOCKS, json={"domain": domain, "article_ids": [rule], "text": "x"}))[1] == (
        "Validation failed: Domain has already been taken")
    assert await town.stranger.ask("[DomainBlock]", "GET", PUBLIC) == []  # the record comes first
    await town.turn()
    digest = hashlib.sha256(domain.encode()).hexdigest()
    assert made["review_at"] == made["ends_at"]
    assert await town.stranger.ask("[DomainBlock]", "GET", PUBLIC) == [
        {"domain": domain, "digest": digest, "severity": "silence", "comment": "Spam", "review_at": made["review_at"],
         "review_due": False}]
    assert (await shown(alice, stan))["limited"] is True
    entries = (await town.stranger.ask(None, "GET", "/api/v1/register"))["entries"]
    assert ("domain", "They flood us.", digest) in [(row["kind"], row["reasons"], row["subject"]) for row in entries]

    said = await mona.ask("Admin_DomainBlock", "PUT", place, json={"public_comment": "Much spam", "obfuscate": True})
    assert (said["decision_id"], said["public_comment"], said["private_comment"]) == (made["decision_id"], "Much spam", "See the case")
    told = (await town.stranger.ask("[DomainBlock]", "GET", PUBLIC))[0]
    assert (told["digest"], told["comment"], told["domain"] == domain, "*" in told["domain"]) == (digest, "Much spam", False, True)

    worse = await mona.ask("Admin_DomainBlock", "PUT", place, json={"severity": "suspend", "text": "They go on."})
    assert (worse["id"], worse["measure"], worse["decision_id"] == made["decision_id"]) == (made["id"], "suspension", False)
    await town.turn()
    assert (await town.stranger.ask("[DomainBlock]", "GET", PUBLIC))[0]["severity"] == "silence"  # one moderator is not enough
    assert (await mona.refusal("POST", f"{place}/confirm"))[1].endswith("(took_part)")
    assert (await alice.refusal("POST", f"{place}/confirm"))[0] == 403
    await noor.ask("Admin_DomainBlock", "POST", f"{place}/confirm")
    assert (await noor.refusal("POST", f"{place}/confirm"))[0] == 409
    await town.turn()
    assert [row["severity"] for row in await town.stranger.ask("[DomainBlock]", "GET", PUBLIC)] == ["suspend"]
    assert (await shown(alice, stan))["suspended"] is True
    later = await stranger_at(town, f"other.{domain}")
    assert (await shown(alice, later))["suspended"] is True  # whoever is met later is kept out as well
    assert made["id"] in ids(await mona.ask("[Admin_DomainBlock]", "GET", BLOCKS))
    assert (await mona.ask("Admin_DomainBlock", "GET", place))["in_effect_since"] is not None

    await mona.ask(None, "DELETE", place, json={"text": "They stopped."})
    await town.turn()
    assert await town.stranger.ask("[DomainBlock]", "GET", PUBLIC) == []
    assert (await mona.refusal("GET", place))[0] == 404
    again = await shown(alice, stan)
    assert (again.get("suspended"), again.get("limited")) == (None, None)
    assert (await alice.ask("[Relationship]", "GET", f"{A}/relationships?id[]={stan}"))[0]["following"] is True
    for method, path in (("GET", BLOCKS), ("GET", place), ("PUT", place), ("DELETE", place)):
        assert (await alice.refusal(method, path))[0] == 403
    narrow = await town.with_scopes("read", "write", "admin:read:accounts", "admin:write:accounts")
    for method, path in (("GET", BLOCKS), ("POST", BLOCKS), ("DELETE", place)):
        assert (await narrow.refusal(method, path, json={"domain": "x.example"}))[1] == OUTSIDE


@covers(f"GET {BLOCKS}")
async def test_a_block_wants_a_ground_and_a_moderator(town: Town) -> None:
    mona, alice, rule = await town.person("mona", "moderator"), await town.person("alice"), await severe(town)
    domain = f"{uuid.uuid4().hex[:8]}.bad.example"
    refused = await mona.send("POST", BLOCKS, json={"domain": domain, "text": "Spam."})
    assert (refused.status, refused.json()["rule"]) == (422, "ground_required")
    assert rule in ids(refused.json()["articles"])
    assert (await mona.refusal("POST", BLOCKS, json={"domain": domain, "article_ids": [rule]}))[1] == (
        "Validation failed: Text can't be blank")
    assert (await alice.refusal("POST", BLOCKS, json={"domain": domain, "article_ids": [rule], "text": "x"}))[0] == 403
    assert (await mona.refusal("POST", BLOCKS, json={"domain": "localhost", "article_ids": [rule], "text": "x"}))[0] == 422
    assert domain not in [row["domain"] for row in await mona.ask("[Admin_DomainBlock]", "GET", BLOCKS)]


@covers(f"POST {BLOCKS}")
async def test_a_block_stays_below_the_ceiling_of_its_article(town: Town) -> None:
    mona = await town.person("mona", "moderator")
    whole = await town.stranger.ask(None, "GET", "/api/v1/charter")
    mild = next(str(a["id"]) for a in whole["articles"] if a["ceiling"] == 2)
    asked: dict[str, Any] = {"domain": f"{uuid.uuid4().hex[:8]}.example", "article_ids": [mild], "text": "Pictures."}
    assert (await mona.refusal("POST", BLOCKS, json={**asked, "severity": "suspend"}))[1].endswith("(above_ceiling)")
    assert (await mona.refusal("POST", BLOCKS, json={**asked, "severity": "noop", "reject_media": True}))[1].endswith("(above_ceiling)")
    assert (await mona.ask("Admin_DomainBlock", "POST", BLOCKS, json={**asked, "severity": "noop"}))["measure"] == "warning"
    longer = {**asked, "domain": "far.example", "severity": "silence", "article_ids": [await severe(town)], "duration": 60 * 86400}
    assert (await mona.refusal("POST", BLOCKS, json=longer))[1].endswith("(too_long)")


@covers(f"GET {ALLOWS}", f"GET {ALLOWS}/{{id}}", f"POST {ALLOWS}", f"DELETE {ALLOWS}/{{id}}")
async def test_a_server_is_said_to_be_welcome(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    made = await mona.ask("Admin_DomainAllow", "POST", ALLOWS, json={"domain": "Good.example"})
    assert made["domain"] == "good.example"
    assert await mona.ask("Admin_DomainAllow", "POST", ALLOWS, json={"domain": "good.example"}) == made
    assert await mona.ask("[Admin_DomainAllow]", "GET", ALLOWS) == [made]
    assert await mona.ask("Admin_DomainAllow", "GET", f"{ALLOWS}/{made['id']}") == made
    assert (await alice.refusal("GET", ALLOWS))[0] == 403
    assert (await (await town.with_scopes("admin:read:accounts")).refusal("GET", ALLOWS))[1] == OUTSIDE
    await mona.ask("Admin_DomainAllow", "DELETE", f"{ALLOWS}/{made['id']}")
    assert (await mona.refusal("DELETE", f"{ALLOWS}/{made['id']}"))[0] == 404


@covers(f"GET {IPS}", f"GET {IPS}/{{id}}", f"POST {IPS}", f"PUT {IPS}/{{id}}", f"DELETE {IPS}/{{id}}")
async def test_addresses_are_kept_out(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    assert (await mona.refusal("POST", IPS, json={"ip": "192.0.2.0/24", "severity": "no_access"}))[1] == (
        "Validation failed: Comment can't be blank")
    for wrong in ("0.0.0.0/0", "nowhere", "::/0", "192.0.2.1/99"):
        assert (await mona.refusal("POST", IPS, json={"ip": wrong, "severity": "no_access", "comment": "x"}))[0] == 422
    made = await mona.ask("Admin_IpBlock", "POST", IPS, json={
        "ip": "127.0.0.1", "severity": "sign_up_requires_approval", "comment": "Bots", "expires_in": 86400})
    place = f"{IPS}/{made['id']}"
    assert (made["ip"], made["comment"], made["expires_at"] is None) == ("127.0.0.1/32", "Bots", False)
    assert (await mona.refusal("POST", IPS, json={"ip": "127.0.0.1", "severity": "no_access", "comment": "x"}))[0] == 422
    async with choosy(town, "open") as phone:
        waits = Caller(phone.app, town.succeeded, (await knock(phone, "gina")).json()["access_token"])
        assert (await waits.refusal("GET", f"{A}/verify_credentials"))[1] == "Your login is currently pending approval"
        changed = await mona.ask("Admin_IpBlock", "PUT", place, json={"severity": "no_access"})
        assert (changed["severity"], changed["comment"], changed["expires_at"]) == ("no_access", "Bots", None)
        assert (await knock(phone, "hans")).status == 403
        page = await phone.get("/auth/sign_in")
        csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
        entering = await phone.post("/auth/sign_in", form={
            "csrf": csrf, "email": alice.account.username, "password": "correct horse"})
        assert entering.status == 422
    assert await mona.ask("[Admin_IpBlock]", "GET", IPS) == [changed]
    assert await mona.ask("Admin_IpBlock", "GET", place) == changed
    assert (await alice.refusal("GET", IPS))[0] == 403
    assert (await (await town.with_scopes("admin:read:accounts")).refusal("GET", IPS))[1] == OUTSIDE
    await mona.ask(None, "DELETE", place)
    assert (await mona.refusal("DELETE", place))[0] == 404
    await town.turn()
    entries = (await town.stranger.ask(None, "GET", "/api/v1/register"))["entries"]
    assert len([row for row in entries if row["kind"] == "protection"]) >= 3
    assert "127.0.0.1" not in str(entries)


@covers(f"GET {PROVIDERS}", f"GET {PROVIDERS}/{{id}}", f"POST {PROVIDERS}", f"DELETE {PROVIDERS}/{{id}}")
async def test_a_provider_of_throw_away_addresses_is_kept_out(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    assert (await mona.refusal("POST", PROVIDERS, json={"domain": "example.net"}))[0] == 422
    made = await mona.ask("Admin_EmailDomainBlock", "POST", PROVIDERS, json={"domain": "Example.net", "comment": "Throw-away"})
    place = f"{PROVIDERS}/{made['id']}"
    assert (made["domain"], [day["uses"] for day in made["history"]]) == ("example.net", ["0"] * 7)
    async with choosy(town, "open") as phone:
        answer = await knock(phone, "ivan")
        assert (answer.status, answer.json()["details"]["email"][0]["error"]) == (422, "ERR_BLOCKED")
        assert (await knock(phone, "ivan", email="ivan@mail.example.net")).status == 422
    assert (await mona.ask("Admin_EmailDomainBlock", "GET", place))["history"][0]["uses"] == "2"
    assert ids(await mona.ask("[Admin_EmailDomainBlock]", "GET", PROVIDERS)) == [made["id"]]
    assert (await alice.refusal("GET", PROVIDERS))[0] == 403
    assert (await (await town.with_scopes("admin:read:accounts")).refusal("GET", PROVIDERS))[1] == OUTSIDE
    await mona.ask(None, "DELETE", place)
    assert (await mona.refusal("GET", place))[0] == 404


@covers(f"GET {EMAILS}", f"GET {EMAILS}/{{id}}", f"POST {EMAILS}", f"POST {EMAILS}/test", f"DELETE {EMAILS}/{{id}}")
async def test_one_address_is_kept_out_however_it_is_written(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    made = await mona.ask("Admin_CanonicalEmailBlock", "POST", EMAILS, json={"email": "J.oe+x@Example.com", "comment": "Troll"})
    assert made["canonical_email_hash"] == hashlib.sha256(b"joe@example.com").hexdigest()
    assert await mona.ask("[Admin_CanonicalEmailBlock]", "POST", f"{EMAILS}/test", json={"email": "jo.e@example.com"}) == [made]
    assert await mona.ask("[Admin_CanonicalEmailBlock]", "POST", f"{EMAILS}/test", json={"email": "jim@example.com"}) == []
    async with choosy(town, "open") as phone:
        assert (await knock(phone, "joe", email="joe+new@example.com")).json()["details"]["email"][0]["error"] == "ERR_BLOCKED"
    assert (await mona.refusal("POST", EMAILS, json={"canonical_email_hash": "abc", "comment": "x"}))[0] == 422
    assert await mona.ask("[Admin_CanonicalEmailBlock]", "GET", EMAILS) == [made]
    assert await mona.ask("Admin_CanonicalEmailBlock", "GET", f"{EMAILS}/{made['id']}") == made
    assert (await alice.refusal("GET", EMAILS))[0] == 403
    assert (await (await town.with_scopes("admin:read:accounts")).refusal("GET", EMAILS))[1] == OUTSIDE
    await mona.ask(None, "DELETE", f"{EMAILS}/{made['id']}")
    assert (await mona.refusal("GET", f"{EMAILS}/{made['id']}"))[0] == 404
