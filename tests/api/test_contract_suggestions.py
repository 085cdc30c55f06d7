"""The directory and suggestions: who is shown to those who do not know them, and never who is not."""

from __future__ import annotations

import pytest

from api.contract import covers
from api.town import A, Caller, S, Town
from parvis.accounts import actions as accounts
from parvis.statuses import actions as statuses
from parvis.trends import actions as trends

D = "/api/v1/directory"


async def handles(who: Caller, path: str) -> list[str]:
    return [row["acct"] for row in await who.ask("[Account]", "GET", path)]


@covers(f"GET {D}")
async def test_the_directory_shows_who_wants_to_be_discovered(town: Town) -> None:
    alice, bela, carol, hidden, limited = await town.people("alice", "bela", "carol", "hidden", "limited")
    names = [one.account.username for one in (alice, bela, carol)]
    await hidden.ask(None, "PATCH", f"{A}/update_credentials", json={"discoverable": False})
    await town.owner.execute("UPDATE accounts SET limited_at = now() WHERE id = $1", limited.account.id)
    await town.owner.execute("UPDATE accounts SET last_status_at = '2999-01-01' WHERE id = $1", alice.account.id)
    await town.owner.execute("UPDATE accounts SET last_status_at = '2999-01-02' WHERE id = $1", carol.account.id)
    other = await town.owner.fetchval(
        "INSERT INTO accounts (username, domain, uri, url, discoverable) VALUES ('remy', 'far.example', 'https://far.example/r', "
        "'https://far.example/@r', true) RETURNING id")
    assert await handles(town.stranger, f"{D}?order=new&limit=4") == ["remy@far.example", *reversed(names)]
    assert await handles(town.stranger, f"{D}?order=new&limit=3&local=true") == list(reversed(names))
    assert await handles(town.stranger, f"{D}?limit=2") == [names[2], names[0]]
    page = await town.stranger.get(f"{D}?order=new&limit=2&offset=1")
    assert [row["acct"] for row in page.json()] == [names[2], names[1]]
    assert f'<http://localhost{D}?order=new&limit=2&offset=3>; rel="next"' in page.headers["link"]
    everybody = await handles(town.stranger, f"{D}?order=new&limit=80")
    assert {hidden.account.username, limited.account.username} & set(everybody) == set()
    await alice.ask("Relationship", "POST", f"{A}/{bela.account.id}/block")
    await alice.ask("Relationship", "POST", f"{A}/{other}/mute")
    assert await handles(alice, f"{D}?order=new&limit=2") == [names[2], names[0]]
    assert names[0] not in await handles(bela, f"{D}?order=new&limit=80")
    await town.owner.execute("UPDATE accounts SET suspended_at = now(), last_status_at = NULL WHERE id = ANY($1)",
                             [alice.account.id, carol.account.id])
    assert {names[0], names[2]} & set(await handles(town.stranger, f"{D}?limit=80")) == set()
    assert (await town.stranger.refusal("GET", f"{D}?order=alphabetical"))[0] == 422
    assert (await town.stranger.refusal("GET", f"{D}?offset=-1"))[0] == 422


async def sources(who: Caller) -> dict[str, list[str]]:
    rows = await who.ask("[Suggestion]", "GET", "/api/v2/suggestions?limit=80")
    return {row["account"]["acct"]: row["sources"] for row in rows}


async def follow(one: Caller, *others: Caller) -> None:
    for other in others:
        await one.ask("Relationship", "POST", f"{A}/{other.account.id}/follow")


@covers("GET /api/v2/suggestions", "GET /api/v1/suggestions", "DELETE /api/v1/suggestions/{id}")
async def test_suggestions_say_why_and_are_dismissed_for_good(town: Town) -> None:
    alice, bela, carol, dora, emil, finn = await town.people("alice", "bela", "carol", "dora", "emil", "finn")
    star = await town.person("star")
    await follow(alice, bela)
    await follow(bela, carol, dora)
    await follow(emil, bela, finn)
    await follow(carol, bela, finn)
    await town.owner.execute("UPDATE accounts SET created_at = created_at - interval '4 days'")
    said = await star.say("Everybody likes this")
    for fan in (carol, emil, finn):
        await fan.ask("Status", "POST", f"{S}/{said['id']}/favourite")
    await accounts.fold_counts(town.app.job)
    await statuses.fold_counts(town.app.job)
    await trends.rank(town.app.job)
    c, d, e, f, s = (one.account.username for one in (carol, dora, emil, finn, star))
    found = await sources(alice)
    assert found[c][0] == found[d][0] == "friends_of_friends"
    assert found[f][0] == "similar_to_recently_followed"
    assert found[s] == ["most_interactions"]
    assert "most_followed" in found[f]
    assert {alice.account.username, bela.account.username} & set(found) == set()
    assert e not in found
    assert await handles(alice, "/api/v1/suggestions?limit=2") == list(found)[:2]
    assert (await alice.get("/api/v1/suggestions")).headers["deprecation"] == "@1621123200"
    await bela.ask(None, "PATCH", f"{A}/update_credentials", json={"hide_collections": True})
    assert "friends_of_friends" not in [source for named in (await sources(alice)).values() for source in named]
    await bela.ask(None, "PATCH", f"{A}/update_credentials", json={"hide_collections": False})

    assert await alice.ask(None, "DELETE", f"/api/v1/suggestions/{carol.account.id}") == {}
    await alice.ask(None, "DELETE", f"/api/v1/suggestions/{carol.account.id}")
    await alice.ask("Relationship", "POST", f"{A}/{dora.account.id}/mute")
    await alice.ask("Relationship", "POST", f"{A}/{finn.account.id}/block")
    await star.ask(None, "PATCH", f"{A}/update_credentials", json={"discoverable": False})
    assert {c, d, f, s} & set(await sources(alice)) == set()
    await star.ask(None, "PATCH", f"{A}/update_credentials", json={"discoverable": True})
    await star.ask("Relationship", "POST", f"{A}/{alice.account.id}/block")
    assert s not in await sources(alice)
    await alice.ask("Relationship", "POST", f"{A}/{dora.account.id}/unmute")
    assert d in await sources(alice)


@pytest.mark.asyncio(loop_scope="module")
async def test_suggestions_are_for_oneself(town: Town) -> None:
    narrow = await town.with_scopes("read:statuses")
    for method, path in (("GET", "/api/v2/suggestions"), ("GET", "/api/v1/suggestions"), ("DELETE", "/api/v1/suggestions/1")):
        assert (await narrow.refusal(method, path))[1] == "This action is outside the authorized scopes"
        assert (await town.stranger.refusal(method, path))[0] == 401
    alice = await town.person("alice")
    assert await alice.ask(None, "DELETE", "/api/v1/suggestions/12") == {}
