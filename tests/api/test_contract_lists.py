"""Lists of people one follows: each operation works, in Mastodon's shapes, and others' lists are as if they were not there."""

from __future__ import annotations

from api.contract import covers
from api.town import A, Caller, Town

L = "/api/v1/lists"
HOME = "/api/v1/timelines/home"


async def ids(caller: Caller, path: str) -> list[str]:
    return [row["id"] for row in await caller.ask(None, "GET", path)]


@covers(f"GET {L}", f"POST {L}", f"GET {L}/{{id}}", f"PUT {L}/{{id}}", f"DELETE {L}/{{id}}")
async def test_a_list_is_made_changed_and_dropped_by_its_owner_alone(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    made = await alice.ask("List", "POST", L, form={"title": " Friends "})
    assert made == {"id": made["id"], "title": "Friends", "replies_policy": "list", "exclusive": False}
    one = f"{L}/{made['id']}"
    assert await alice.ask("List", "GET", one) == made
    changed = await alice.ask("List", "PUT", one, form={"replies_policy": "none", "exclusive": "true"})
    assert changed == {**made, "replies_policy": "none", "exclusive": True}
    assert (await alice.ask("List", "PUT", one, json={"title": "Others"}))["exclusive"] is True
    other = await alice.ask("List", "POST", L, json={"title": "Friends", "replies_policy": "followed", "exclusive": True})
    assert await ids(alice, L) == [made["id"], other["id"]]
    assert await bela.ask("[List]", "GET", L) == []
    for method, path in (("GET", one), ("PUT", one), ("DELETE", one), ("GET", f"{one}/accounts"), ("POST", f"{one}/accounts"),
                         ("DELETE", f"{one}/accounts"), ("GET", f"/api/v1/timelines/list/{made['id']}")):
        assert await bela.refusal(method, path) == (404, "Record not found"), path
    assert await alice.ask(None, "DELETE", one) == {}
    assert await alice.refusal("GET", one) == (404, "Record not found")
    assert await ids(alice, L) == [other["id"]]


async def _refused(caller: Caller, **given: object) -> str:
    code, words = await caller.refusal("POST", L, json=given)
    assert code == 422
    return words


@covers()
async def test_what_cannot_be_a_list_is_refused(town: Town) -> None:
    alice = await town.person("alice")
    assert await _refused(alice) == "Validation failed: Title can't be blank"
    assert await _refused(alice, title=" \t") == "Validation failed: Title can't be blank"
    assert await _refused(alice, title="x" * 257) == "Validation failed: Title is too long"
    assert await _refused(alice, title="x", replies_policy="some") == "Validation failed: Replies policy is invalid"
    for number in range(50):
        await alice.ask("List", "POST", L, json={"title": f"{number}"})
    assert "too many" in await _refused(alice, title="one more")
    first = (await ids(alice, L))[0]
    assert (await alice.refusal("PUT", f"{L}/{first}", json={"title": ""}))[0] == 422
    narrow = await town.with_scopes("read:statuses", "write:statuses")
    for method, path in (("GET", L), ("POST", L), ("GET", "/api/v1/timelines/list/1"), ("GET", f"{A}/1/lists")):
        assert (await narrow.refusal(method, path, json={"title": "x"}))[0] == 403


@covers(f"GET {L}/{{id}}/accounts", f"POST {L}/{{id}}/accounts", f"DELETE {L}/{{id}}/accounts", f"GET {A}/{{id}}/lists")
async def test_only_whom_one_follows_or_asked_or_oneself_can_be_in_a_list(town: Town) -> None:
    alice, bela, carol, dora = await town.people("alice", "bela", "carol", "dora")
    a, b, c, d = (str(one.account.id) for one in (alice, bela, carol, dora))
    one = f"{L}/{(await alice.ask('List', 'POST', L, json={'title': 'Friends'}))['id']}"
    await carol.ask(None, "PATCH", f"{A}/update_credentials", json={"locked": True})
    for number in (b, c):
        await alice.ask(None, "POST", f"{A}/{number}/follow")
    assert await alice.refusal("POST", f"{one}/accounts", json={"account_ids": [b, d]}) == (404, "Record not found")
    assert await alice.refusal("POST", f"{one}/accounts", json={"account_ids": ["12"]}) == (404, "Record not found")
    assert await ids(alice, f"{one}/accounts") == []
    assert await alice.ask(None, "POST", f"{one}/accounts", form={"account_ids[]": b}) == {}
    await alice.ask(None, "POST", f"{one}/accounts", json={"account_ids": [c, a]})
    assert await alice.refusal("POST", f"{one}/accounts", json={"account_ids": [b]}) == (
        422, "Validation failed: Account has already been taken")
    shown = await alice.ask("[Account]", "GET", f"{one}/accounts?limit=0")
    assert {row["id"] for row in shown} == {a, b, c}
    first = await alice.get(f"{one}/accounts?limit=2")
    older = first.headers["link"].split(">")[0].removeprefix("<http://localhost")
    assert len(first.json()) == 2
    assert [row["id"] for row in first.json()] + await ids(alice, older) == [row["id"] for row in shown]
    assert [row["title"] for row in await alice.ask("[List]", "GET", f"{A}/{b}/lists")] == ["Friends"]
    assert await alice.ask("[List]", "GET", f"{A}/{d}/lists") == []
    assert await alice.refusal("GET", f"{A}/12/lists") == (404, "Record not found")
    assert await bela.ask("[List]", "GET", f"{A}/{b}/lists") == []
    assert await alice.ask(None, "DELETE", f"{one}/accounts?account_ids[]={a}") == {}
    assert set(await ids(alice, f"{one}/accounts")) == {b, c}
    await alice.ask(None, "POST", f"{A}/{b}/unfollow")
    await carol.ask(None, "POST", f"/api/v1/follow_requests/{a}/reject")
    assert await ids(alice, f"{one}/accounts") == []


@covers("GET /api/v1/timelines/list/{list_id}")
async def test_a_list_shows_its_people_and_of_their_replies_what_it_wants(town: Town) -> None:
    alice, bela, carol, dora = await town.people("alice", "bela", "carol", "dora")
    made = await alice.ask("List", "POST", L, json={"title": "Friends"})
    path = f"/api/v1/timelines/list/{made['id']}"
    for one in (bela, carol):
        await alice.ask(None, "POST", f"{A}/{one.account.id}/follow")
    await alice.ask(None, "POST", f"{L}/{made['id']}/accounts", json={"account_ids": [str(bela.account.id)]})
    mine = await alice.say("Mine")
    roots = {one: await one.say("Root") for one in (bela, carol, dora)}
    replies = {one: (await bela.say("Re", in_reply_to_id=roots[one]["id"]))["id"] for one in roots}
    to_me = (await bela.say("Re", in_reply_to_id=mine["id"]))["id"]
    passed = (await bela.ask("Status", "POST", f"/api/v1/statuses/{roots[dora]['id']}/reblog"))["id"]
    always = {roots[bela]["id"], replies[bela], to_me, passed}
    for policy, more in (("none", set()), ("list", set()), ("followed", {replies[carol]})):
        await alice.ask("List", "PUT", f"{L}/{made['id']}", json={"replies_policy": policy})
        shown = await alice.ask("[Status]", "GET", path)
        assert {row["id"] for row in shown} == always | more, policy
    await alice.ask(None, "POST", f"{L}/{made['id']}/accounts", json={"account_ids": [str(carol.account.id)]})
    await alice.ask("List", "PUT", f"{L}/{made['id']}", json={"replies_policy": "list"})
    everything = await ids(alice, path)
    assert set(everything) == always | {replies[carol], roots[carol]["id"]}
    first = await alice.get(f"{path}?limit=2")
    assert [row["id"] for row in first.json()] == everything[:2]
    older = first.headers["link"].split(">")[0].removeprefix("<http://localhost")
    assert await ids(alice, older) == everything[2:4]
    assert await ids(alice, f"{path}?min_id={everything[-1]}&limit=2") == everything[-3:-1]
    await alice.ask(None, "POST", f"{A}/{bela.account.id}/mute")
    assert await ids(alice, path) == [roots[carol]["id"]]


@covers()
async def test_who_is_in_an_exclusive_list_leaves_the_home_timeline(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    for one in (bela, carol):
        await alice.ask(None, "POST", f"{A}/{one.account.id}/follow")
    theirs = await bela.say("Often #often")
    answer = await carol.say("Re", in_reply_to_id=theirs["id"])
    assert await ids(alice, HOME) == [answer["id"], theirs["id"]]
    made = await alice.ask("List", "POST", L, json={"title": "Often", "exclusive": True})
    await alice.ask(None, "POST", f"{L}/{made['id']}/accounts", json={"account_ids": [str(bela.account.id)]})
    await alice.ask(None, "POST", "/api/v1/tags/often/follow")
    assert await ids(alice, HOME) == [answer["id"]]
    assert await ids(alice, f"/api/v1/timelines/list/{made['id']}") == [theirs["id"]]
    await alice.ask("List", "PUT", f"{L}/{made['id']}", json={"exclusive": False})
    assert await ids(alice, HOME) == [answer["id"], theirs["id"]]
