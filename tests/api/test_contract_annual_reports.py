"""Examples of looking back on a year: one's own, asked for by oneself, told to oneself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg

from api.contract import covers
from api.facts import faults
from api.town import Caller, Town
from conftest import Client, Person, settle_in
from parvis import wiring
from parvis.accounts import actions as people
from parvis.app import App
from parvis.base import jobs

Y = "/api/v1/annual_reports"
R = "/api/v1_alpha/async_refreshes"


async def said(owner: asyncpg.Connection[Any], whose: int, day: str, visibility: str = "public", **more: Any) -> int:
    """A post of another year."""
    given = {"account_id": whose, "visibility": visibility, "local": True, "conversation_id": 1, "content": "<p>Then</p>", **more}
    names = ", ".join(given)
    marks = ", ".join(f"${n}" for n in range(2, len(given) + 2))
    found: int = await owner.fetchval(
        f"""INSERT INTO statuses (id, uri, created_at, {names})
            SELECT n, 'http://localhost/then/' || n, $1::text::timestamptz, {marks} FROM parvis_id() n RETURNING id""",
        day, *given.values())
    return found


async def work(app: App) -> None:
    await jobs.drain(app.job, jobs.named(wiring.REACTIONS))


@covers(f"GET {Y}/{{year}}/state", f"POST {Y}/{{year}}/generate", f"GET {Y}/{{year}}", f"GET {Y}", f"POST {Y}/{{year}}/read", f"GET {R}/{{id}}")
async def test_a_year_is_made_when_its_owner_asks_and_shown_to_nobody_else(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    me = alice.account.id
    assert await alice.ask(None, "GET", f"{Y}/2025/state") == {"state": "ineligible"}
    assert (await alice.refusal("POST", f"{Y}/2025/generate"))[0] == 422
    best = await said(town.owner, me, "2025-03-31 23:59:59+00")
    await said(town.owner, me, "2025-04-01 00:00+00", "private")
    await said(town.owner, me, "2025-04-02 00:00+00", "direct")
    await said(town.owner, me, "2024-12-31 23:59:59+00")
    await bela.ask("Status", "POST", f"/api/v1/statuses/{best}/reblog")
    assert await alice.ask(None, "GET", f"{Y}/2025/state") == {"state": "eligible"}
    assert (await alice.refusal("GET", f"{Y}/2025"))[0] == 404
    assert (await alice.refusal("POST", f"{Y}/2025/read"))[0] == 404
    asked = await alice.post(f"{Y}/2025/generate")
    assert (asked.status, asked.json(), asked.headers["mastodon-async-refresh"]) == (202, {}, 'id="annual_report-2025", retry=2')
    assert (await alice.post(f"{Y}/2025/generate")).status == 202
    shown = await alice.get(f"{Y}/2025/state")
    assert (shown.json(), shown.headers["mastodon-async-refresh"]) == ({"state": "generating"}, 'id="annual_report-2025", retry=2')
    refresh = {"id": "annual_report-2025", "status": "running", "result_count": None}
    assert await alice.ask(None, "GET", f"{R}/annual_report-2025") == {"async_refresh": refresh}
    assert (await alice.ask("WrappedAnnualReports", "GET", Y))["annual_reports"] == []
    assert (await alice.refusal("GET", f"{Y}/2025"))[0] == 404
    waiting = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'years.reactions.make' AND convert_from(payload, 'UTF8') LIKE '%' || $1 || '%'"
    assert await town.owner.fetchval(waiting, str(me)) == 1
    await work(town.app)
    assert (await alice.ask(None, "GET", f"{R}/annual_report-2025"))["async_refresh"] == {**refresh, "status": "finished"}
    done = await alice.get(f"{Y}/2025/state")
    assert (done.json(), "mastodon-async-refresh" in done.headers) == ({"state": "available"}, False)
    assert await alice.ask(None, "POST", f"{Y}/2025/generate") == {}
    assert await town.owner.fetchval(waiting, str(me)) == 0
    made = await alice.ask("WrappedAnnualReports", "GET", f"{Y}/2025")
    report = made["annual_reports"][0]
    assert (report["year"], report["schema_version"], report["share_url"], report["account_id"]) == (2025, 2, None, str(me))
    assert set(report["data"]) == {"archetype", "time_series", "top_hashtags", "top_statuses"}
    assert [(m["month"], m["statuses"]) for m in report["data"]["time_series"] if m["statuses"]] == [(3, 1), (4, 1)]
    assert report["data"]["top_statuses"] == {"by_reblogs": str(best), "by_favourites": None, "by_replies": None}
    assert ([s["id"] for s in made["statuses"]], [a["id"] for a in made["accounts"]]) == ([str(best)], [str(me)])
    assert await alice.ask("WrappedAnnualReports", "GET", Y) == made
    assert await alice.ask(None, "POST", f"{Y}/2025/read") == {}
    assert await alice.ask(None, "POST", f"{Y}/2025/read") == {}
    assert await town.owner.fetchval("SELECT read_at IS NOT NULL FROM annual_reports WHERE account_id = $1", me)
    assert (await bela.refusal("GET", f"{Y}/2025"))[0] == 404
    assert (await bela.ask("WrappedAnnualReports", "GET", Y)) == {"annual_reports": [], "accounts": [], "statuses": []}
    await alice.ask("Status", "DELETE", f"/api/v1/statuses/{best}")
    later = await alice.ask("WrappedAnnualReports", "GET", f"{Y}/2025")
    assert (later["statuses"], later["annual_reports"][0]["data"]["top_statuses"]["by_reblogs"]) == ([], None)


async def _of(caller: Caller | Client, *paths: tuple[str, str]) -> list[int]:
    return [(await caller.send(method, path)).status for method, path in paths]


@covers(f"GET {Y}")
async def test_only_a_person_with_the_scope_may_ask(town: Town) -> None:
    reading = [("GET", Y), ("GET", f"{Y}/2025"), ("GET", f"{Y}/2025/state")]
    writing = [("POST", f"{Y}/2025/generate"), ("POST", f"{Y}/2025/read")]
    assert await _of(Client(town.app), *reading, *writing) == [401] * 5
    assert await _of(await town.with_scopes("read:accounts"), *reading, *writing) == [200, 404, 200, 403, 403]
    assert await _of(await town.with_scopes("write:accounts"), *reading, *writing) == [403, 403, 403, 422, 404]
    alice = await town.person("alice")
    await alice.ask("WrappedAnnualReports", "GET", Y)
    absurd = [("GET", f"{Y}/{year}") for year in ("0", "99999999999", "99999999999999999999", "x")]
    assert await _of(alice, *absurd) == [404] * 4
    assert await alice.ask(None, "GET", f"{Y}/99999999999/state") == {"state": "ineligible"}
    assert await alice.ask(None, "GET", f"{Y}/-5/state") == {"state": "ineligible"}
    assert (await alice.refusal("GET", f"{R}/annual_report-2025"))[0] == 404
    assert (await alice.refusal("GET", f"{R}/annual_report-x"))[0] == 404


async def test_apps_offer_it_in_december_and_what_is_counted_are_ones_own_posts(
    app: App, client: Client, alice: Person, bela: Person, owner: asyncpg.Connection[Any]
) -> None:
    for _ in range(14):
        await said(owner, bela.account.id, "2026-02-01 12:00+00")
    await alice.post(f"/api/v1/accounts/{bela.account.id}/follow")
    for moment, told in (("2026-12-09 23:59+00", None), ("2026-12-10 00:00+00", "2026"), ("2026-12-31 23:59+00", "2026"), ("2027-01-01 00:00+00", None)):
        offset: timedelta = await owner.fetchval("SELECT $1::text::timestamptz - now()", moment)
        app.clock.offset = offset
        await owner.execute("DELETE FROM clock_offset")
        await owner.execute("INSERT INTO clock_offset (ahead) VALUES ($1)", offset)
        assert (await client.get("/api/v2/instance")).json()["wrapstodon"] == told, moment
        state = (await bela.get(f"{Y}/2026/state")).json()["state"]
        assert state == ("ineligible" if moment.startswith("2026-12-09") else "eligible"), moment
    await bela.post(f"{Y}/2026/generate")
    await work(app)
    report = (await bela.get(f"{Y}/2026")).json()
    assert faults("WrappedAnnualReports", report) == []
    assert report["annual_reports"][0]["data"]["archetype"] == "oracle"


async def test_who_leaves_takes_their_years_along(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    ines = await settle_in(app, "ines")
    for one in (alice, ines):
        await said(owner, one.account.id, "2025-05-05 12:00+00")
        await one.post(f"{Y}/2025/generate")
    await work(app)
    assert await owner.fetchval("SELECT count(*) FROM annual_reports WHERE data IS NOT NULL") == 2
    async with app.db.write() as tx:
        await people.close(tx, ines.account)
    await work(app)
    assert [row["account_id"] for row in await owner.fetch("SELECT account_id FROM annual_reports")] == [alice.account.id]
