"""Domains one wants nothing to do with."""

from __future__ import annotations

from api.contract import covers
from api.town import A, Town
from parvis.accounts import actions as accounts
from parvis.accounts.model import Account, Profile
from parvis.statuses import actions as statuses
from parvis.statuses.model import Draft

D = "/api/v1/domain_blocks"


async def elsewhere(town: Town, name: str, domain: str) -> Account:
    """Somebody of another server."""
    uri = f"https://{domain}/users/{name}"
    async with town.app.db.write() as tx:
        return await accounts.remember(tx, Profile(username=name, domain=domain, uri=uri, url=uri, inbox_url=f"{uri}/inbox"))


async def neighbours(town: Town, me: Account, other: Account) -> None:
    """Each follows the other, and is let to."""
    async with town.app.db.write() as tx:
        await accounts.follow(tx, me, other)
        await accounts.accept_follow(tx, other, me)
        await accounts.follow(tx, other, me, uri=f"{other.uri}/follows/{me.id}")


@covers(f"GET {D}", f"POST {D}", f"DELETE {D}", f"GET {D}/preview")
async def test_a_blocked_domain_loses_its_follows_both_ways_and_is_not_heard_of(town: Town) -> None:
    alice = await town.person("alice")
    nora, olga = await elsewhere(town, "nora", "noisy.example"), await elsewhere(town, "olga", "other.example")
    for one in (nora, olga):
        await neighbours(town, alice.account, one)
    made = await alice.ask("List", "POST", "/api/v1/lists", json={"title": "Far"})
    path = f"/api/v1/lists/{made['id']}/accounts"
    await alice.ask(None, "POST", path, json={"account_ids": [str(nora.id), str(olga.id)]})
    preview = await alice.ask(None, "GET", f"{D}/preview?domain=Noisy.Example")
    assert preview == {"following_count": 1, "followers_count": 1}
    assert await alice.ask(None, "POST", D, form={"domain": "NOISY.example"}) == {}
    await alice.ask(None, "POST", D, json={"domain": "noisy.example"})
    assert await alice.ask(None, "GET", D) == ["noisy.example"]
    rows = await alice.ask("[Relationship]", "GET", f"{A}/relationships?id[]={nora.id}&id[]={olga.id}")
    assert {row["id"]: (row["following"], row["followed_by"], row["domain_blocking"]) for row in rows} == {
        str(nora.id): (False, False, True), str(olga.id): (True, True, False)}
    mine = await alice.ask("Account", "GET", f"{A}/{alice.account.id}")
    assert (mine["followers_count"], mine["following_count"]) == (1, 1)
    assert [row["id"] for row in await alice.ask("[Account]", "GET", path)] == [str(olga.id)]
    told = await alice.ask("[Notification]", "GET", "/api/v1/notifications")
    lost, *others = told
    assert {row["account"]["id"] for row in others} == {str(olga.id)}
    assert (lost["type"], lost["event"]["type"], lost["event"]["target_name"]) == ("severed_relationships", "user_domain_block", "noisy.example")
    assert (lost["event"]["followers_count"], lost["event"]["following_count"]) == (1, 1)
    assert await alice.ask(None, "GET", f"{D}/preview?domain=noisy.example") == {"following_count": 0, "followers_count": 0}
    assert (await alice.refusal("POST", f"{A}/{nora.id}/follow"))[0] == 403
    await alice.ask(None, "POST", D, json={"domain": "other.example"})
    first = await alice.get(f"{D}?limit=1")
    older = first.headers["link"].split(">")[0].removeprefix("<http://localhost")
    assert (first.json(), (await alice.get(older)).json()) == (["other.example"], ["noisy.example"])
    assert await alice.ask(None, "DELETE", f"{D}?domain=noisy.example") == {}
    assert await alice.ask(None, "DELETE", D, json={"domain": "other.example"}) == {}
    assert await alice.ask(None, "GET", D) == []
    rows = await alice.ask("[Relationship]", "GET", f"{A}/relationships?id[]={nora.id}")
    assert (rows[0]["following"], rows[0]["domain_blocking"]) == (False, False)


@covers()
async def test_what_is_no_other_domain_cannot_be_blocked(town: Town) -> None:
    alice = await town.person("alice")
    for wrong in ("", "not a domain", "localhost", "a..b", "https://x.example/"):
        assert (await alice.refusal("POST", D, json={"domain": wrong}))[0] == 422, wrong
    assert (await alice.refusal("POST", D))[0] == 400
    assert (await alice.refusal("GET", f"{D}/preview"))[0] == 400
    narrow = await town.with_scopes("read:lists", "write:lists")
    for method, path in (("GET", D), ("POST", D), ("DELETE", D), ("GET", f"{D}/preview?domain=x.example")):
        assert (await narrow.refusal(method, path, json={"domain": "x.example"}))[0] == 403
    old = await town.with_scopes("follow")
    await old.ask(None, "POST", D, json={"domain": "x.example"})
    assert await old.ask(None, "GET", D) == ["x.example"]


@covers()
async def test_a_followed_hashtag_brings_nothing_from_a_blocked_domain(town: Town) -> None:
    alice = await town.person("alice")
    nora = await elsewhere(town, "nora2", "loud.example")
    await alice.ask("Tag", "POST", "/api/v1/tags/faraway/follow")
    async with town.app.db.write() as tx:
        draft = Draft(content="<p>#faraway</p>", visibility="public", uri=f"{nora.uri}/1", tags=("faraway",))
        said = await statuses.publish(tx, nora, draft)
    assert [row["id"] for row in await alice.ask("[Status]", "GET", "/api/v1/timelines/home")] == [str(said.id)]
    await alice.ask(None, "POST", D, json={"domain": "loud.example"})
    assert await alice.ask("[Status]", "GET", "/api/v1/timelines/home") == []
