"""What the city tells about itself, and a post of it within another page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

import pytest

from api.contract import covers
from api.town import S, Town
from parvis.access import actions as access
from parvis.access import queries as users
from parvis.trends import actions as trends

I = "/api/v1/instance"  # noqa: E741


@covers(f"GET {I}/activity")
async def test_activity_counts_posts_and_people_by_the_week(town: Town) -> None:
    async def now() -> tuple[int, int, int]:
        rows = await town.stranger.ask(None, "GET", f"{I}/activity")
        assert [int(rows[0]["week"]) - int(row["week"]) for row in rows] == [n * 7 * 86400 for n in range(12)]
        monday = datetime.fromtimestamp(int(rows[0]["week"]), UTC)
        assert (monday.weekday(), monday.hour) == (0, 0)
        assert timedelta(0) <= datetime.now(UTC) - monday < timedelta(days=7)
        return int(rows[0]["statuses"]), int(rows[0]["logins"]), int(rows[0]["registrations"])

    before = await now()
    alice, bela = await town.people("alice", "bela")
    await alice.say("One")
    await bela.say("Two", visibility="private")
    for one in (alice, alice, bela):
        async with town.app.db.write() as tx:
            user = await users.user(tx, one.account.id)
            assert user
            await access.open_session(tx, user)
    assert await now() == (before[0] + 2, before[1] + 2, before[2])
    await trends.fold_uses(town.app.job)
    assert await now() == (before[0] + 2, before[1] + 2, before[2])
    async with town.app.db.write() as tx:
        user = await users.user(tx, alice.account.id)
        assert user
        await access.open_session(tx, user)
    assert (await now())[1] == before[1] + 2
    await trends.fold_uses(town.app.job)
    assert (await now())[1] == before[1] + 2
    row = await town.owner.fetchval("SELECT count(*) FROM uses WHERE kind = 'sign_in' AND account_id = $1", alice.account.id)
    assert row == 1


@covers(f"GET {I}/languages", "GET /api/v1/peers/search", f"GET {I}/peers", "GET /health")
async def test_languages_servers_and_health(town: Town) -> None:
    rows = await town.stranger.ask(None, "GET", f"{I}/languages")
    assert {"code": "fr", "name": "Français"} in rows
    assert [row["code"] for row in rows] == sorted({row["code"] for row in rows})
    for domain in ("market.example", "super.market.example", "other.example"):
        await town.owner.execute("INSERT INTO peers (domain) VALUES ($1) ON CONFLICT DO NOTHING", domain)
    assert await town.stranger.ask(None, "GET", "/api/v1/peers/search?q=Market") == ["market.example", "super.market.example"]
    assert await town.stranger.ask(None, "GET", "/api/v1/peers/search?q=") == []
    assert {"market.example", "other.example"} <= set(await town.stranger.ask(None, "GET", f"{I}/peers"))
    assert await town.stranger.ask(None, "GET", "/health") == {"status": "OK"}
    plain = await town.stranger.get("/health", accept="*/*")
    assert (plain.text, plain.headers["content-type"][:10], plain.headers["cache-control"]) == ("OK", "text/plain", "private, no-store")


@covers(f"GET {I}/extended_description", f"GET {I}/privacy_policy", f"GET {I}/terms_of_service",
        f"GET {I}/terms_of_service/{{date}}")
async def test_the_citys_texts_are_those_of_its_pages_and_of_its_charter(town: Town) -> None:
    english = {"accept-language": "en"}
    policy = await town.stranger.ask("PrivacyPolicy", "GET", f"{I}/privacy_policy", headers=english)
    assert "data controller" in policy["content"]
    assert policy["content"].strip() in (await town.stranger.get("/privacy", **english, accept="text/html")).text
    french = await town.stranger.ask("PrivacyPolicy", "GET", f"{I}/privacy_policy", headers={"accept-language": "fr"})
    assert "RGPD" in french["content"]
    about = await town.stranger.ask("ExtendedDescription", "GET", f"{I}/extended_description", headers=english)
    assert "A public square, not a platform" in about["content"]
    rules = await town.stranger.ask("[Rule]", "GET", f"{I}/rules")
    assert rules
    terms = await town.stranger.ask("TermsOfService", "GET", f"{I}/terms_of_service", headers=english)
    assert (terms["effective"], terms["succeeded_by"]) == (True, None)
    assert all(rule["text"].partition(":")[0] in unescape(terms["content"]) for rule in rules)
    dated = await town.stranger.ask("TermsOfService", "GET", f"{I}/terms_of_service/{terms['effective_date']}", headers=english)
    assert dated == terms
    answer = await town.stranger.get(f"{I}/terms_of_service")
    assert "Accept-Language" in answer.headers["vary"]
    for day in ("1999-12-31", "soon", "2026-13-45"):
        assert (await town.stranger.refusal("GET", f"{I}/terms_of_service/{day}"))[0] == 404


@covers("GET /api/oembed")
async def test_an_open_post_may_be_shown_within_another_page(town: Town) -> None:
    alice = await town.person("alice")
    said = await alice.say("Look <at> this", visibility="unlisted")
    made = await town.stranger.ask(None, "GET", f"/api/oembed?url={quote(said['url'], safe='')}&maxwidth=500&maxheight=9000")
    assert (made["type"], made["version"], made["width"], made["height"]) == ("rich", "1.0", 500, 2000)
    assert (made["author_url"], made["provider_url"]) == (said["account"]["url"], "http://localhost/")
    source = re.search(r'<iframe src="([^"]+)"', made["html"])
    assert source
    assert source[1] == f"{said['url']}/embed"
    page = await town.stranger.get(source[1].removeprefix("http://localhost"), accept="text/html")
    assert (page.status, "Look &lt;at&gt; this" in page.text) == (200, True)
    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert "script-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    whole = await town.stranger.get(said["url"].removeprefix("http://localhost"), accept="text/html")
    assert "frame-ancestors 'none'" in whole.headers["content-security-policy"]
    assert (await town.stranger.ask(None, "GET", f"/api/oembed?url={quote(said['uri'], safe='')}"))["width"] == 400
    hidden = await alice.say("For followers", visibility="private")
    for url in (hidden["url"], "http://localhost/@nobody/1", "https://other.example/@a/1", "x", "http://[", "http://localhost:x/"):
        assert await alice.refusal("GET", f"/api/oembed?url={quote(url, safe='')}") == (404, "Record not found"), url
    assert (await alice.get(f"{hidden['url'].removeprefix('http://localhost')}/embed", accept="text/html")).status == 404
    await alice.ask(None, "DELETE", f"{S}/{said['id']}")
    assert (await town.stranger.refusal("GET", f"/api/oembed?url={quote(said['url'], safe='')}"))[0] == 404
    assert (await town.stranger.get(source[1].removeprefix("http://localhost"), accept="text/html")).status == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_parameters_of_an_embedding_are_checked(town: Town) -> None:
    assert (await town.stranger.refusal("GET", "/api/oembed"))[0] == 400
    assert (await town.stranger.refusal("GET", "/api/oembed?url=x&format=xml"))[0] == 422
