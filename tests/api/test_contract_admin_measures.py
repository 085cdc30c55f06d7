"""What moderators see counted: examples, and that the numbers are those of what was done."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from api.contract import covers
from api.test_contract_admin_domains import stranger_at
from api.town import A, S, Town

ADMIN = "/api/v1/admin"
CITY = ("active_users", "new_users", "interactions", "opened_reports", "resolved_reports")
INSTANCE = ("accounts", "media_attachments", "reports", "statuses", "follows", "followers")


def period(town: Town, days: int = 3) -> dict[str, str]:
    today = town.app.db.clock.now().date()
    return {"start_at": (today - timedelta(days=days - 1)).isoformat(), "end_at": f"{today.isoformat()}T10:00:00Z"}


def totals(rows: list[Any]) -> dict[str, int]:
    return {row["key"]: int(row["total"]) for row in rows}


@covers(f"POST {ADMIN}/measures")
async def test_what_is_done_is_counted(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    asked = {"keys": [*CITY, "unheard_of"], **period(town)}
    before = await mona.ask("[Admin_Measure]", "POST", f"{ADMIN}/measures", json=asked)
    assert [row["key"] for row in before] == list(CITY)
    assert {len(row["data"]) for row in before} == {3}
    bela = await town.person("bela")
    said = await bela.say("Hello")
    await alice.ask("Status", "POST", f"{S}/{said['id']}/favourite")
    await alice.ask("Status", "POST", f"{S}/{said['id']}/reblog")
    await alice.ask("Report", "POST", "/api/v1/reports", json={"account_id": str(bela.account.id), "comment": "x"})
    after = await mona.ask("[Admin_Measure]", "POST", f"{ADMIN}/measures", json=asked)
    more = {key: totals(after)[key] - totals(before)[key] for key in CITY}
    assert more == {"active_users": 2, "new_users": 1, "interactions": 2, "opened_reports": 1, "resolved_reports": 0}
    assert int(after[1]["data"][-1]["value"]) == totals(after)["new_users"]
    assert {row["previous_total"] for row in after} == {"0"}
    assert (await alice.refusal("POST", f"{ADMIN}/measures", json=asked))[0] == 403
    narrow = await town.with_scopes("read", "admin:read:accounts")
    assert (await narrow.refusal("POST", f"{ADMIN}/measures", json=asked))[1] == "This action is outside the authorized scopes"
    for wrong in ({"start_at": "2020-01-01"}, {"start_at": "soon"}, {"end_at": "1999-01-01"}):
        assert (await mona.refusal("POST", f"{ADMIN}/measures", json=asked | wrong))[0] == 422
    assert (await mona.refusal("POST", f"{ADMIN}/measures", json={**period(town), "keys": ["tag_uses"]}))[0] == 400


@covers(f"POST {ADMIN}/measures", f"POST {ADMIN}/dimensions")
async def test_hashtags_and_servers_are_counted(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    word, domain = "tag" + uuid.uuid4().hex[:8], f"{uuid.uuid4().hex[:8]}.example"
    for _ in range(2):
        await alice.say(f"So #{word}", language="fr")
    tag = await town.owner.fetchval("SELECT id FROM tags WHERE name = $1", word)
    stan = await stranger_at(town, domain)
    await alice.ask("Relationship", "POST", f"{A}/{stan}/follow")
    form = {f"instance_{what}[domain]": domain for what in INSTANCE} | {
        f"tag_{what}[id]": str(tag) for what in ("accounts", "uses", "servers")} | period(town)
    keys = [f"instance_{what}" for what in INSTANCE] + ["tag_accounts", "tag_uses", "tag_servers"]
    rows = await mona.ask("[Admin_Measure]", "POST", f"{ADMIN}/measures?" + "&".join(f"keys[]={key}" for key in keys), form=form)
    assert totals(rows) == {
        "instance_accounts": 1, "instance_media_attachments": 0, "instance_reports": 0, "instance_statuses": 0,
        "instance_follows": 1, "instance_followers": 0, "tag_accounts": 1, "tag_uses": 2, "tag_servers": 1}
    shared = await mona.ask("[Admin_Dimension]", "POST", f"{ADMIN}/dimensions", json={
        "keys": ["languages", "sources", "servers", "space_usage", "software_versions", "tag_servers", "tag_languages",
                 "instance_accounts", "instance_languages"],
        "tag_servers": {"id": str(tag)}, "tag_languages": {"id": str(tag)}, "instance_accounts": {"domain": domain},
        "instance_languages": {"domain": domain}})
    found = {row["key"]: {one["key"]: one["value"] for one in row["data"]} for row in shared}
    assert found["tag_languages"] == {"fr": "2"}
    assert found["instance_accounts"] == {"stan": "0"}
    assert int(found["sources"]["web"]) >= 2
    assert int(found["servers"][""]) >= 2
    assert int(found["space_usage"]["postgresql"]) > 1_000_000
    assert "parvis" in found["software_versions"]
    assert (await alice.refusal("POST", f"{ADMIN}/dimensions", json={"keys": []}))[0] == 403


@covers(f"POST {ADMIN}/retention")
async def test_who_came_and_stayed_is_counted(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    asked = {**period(town, 2), "frequency": "day"}
    cohorts = await mona.ask("[Admin_Cohort]", "POST", f"{ADMIN}/retention", json=asked)
    assert [len(row["data"]) for row in cohorts] == [2, 1]
    here = await town.owner.fetchval("SELECT count(*) FROM users")
    assert (cohorts[1]["data"][0]["value"], cohorts[1]["data"][0]["rate"]) == (str(here), 1.0)
    assert (cohorts[0]["data"][1]["value"], cohorts[0]["data"][1]["rate"]) == ("0", 0.0)
    months = await mona.ask("[Admin_Cohort]", "POST", f"{ADMIN}/retention", json={**asked, "frequency": "month"})
    assert months[-1]["frequency"] == "month"
    assert (await mona.refusal("POST", f"{ADMIN}/retention", json={**asked, "frequency": "hour"}))[0] == 422
    assert (await alice.refusal("POST", f"{ADMIN}/retention", json=asked))[0] == 403
