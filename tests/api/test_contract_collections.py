"""Collections of people: each operation works, in Mastodon's shapes, and nobody is in one who does not want to be."""

from __future__ import annotations

from typing import Any

from api.contract import covers
from api.town import A, Caller, Town

C = "/api/v1/collections"


async def ids(caller: Caller, collection: str) -> list[str]:
    return [item["account_id"] for item in (await caller.ask("CollectionWithAccounts", "GET", collection))["collection"]["items"]]


@covers(f"POST {C}", f"GET {C}/{{id}}", f"PATCH {C}/{{id}}", f"DELETE {C}/{{id}}", f"GET {A}/{{account_id}}/collections")
async def test_a_collection_is_made_seen_changed_and_dropped(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    b, c = str(bela.account.id), str(carol.account.id)
    wish = {"name": "Good <people>", "description": "Well & worth it", "language": "en", "tag_name": "#Neighbours",
            "account_ids": [b, c, b]}
    made = (await alice.ask("WrappedCollection", "POST", C, json=wish))["collection"]
    assert (made["name"], made["description"], made["item_count"]) == ("Good <people>", "Well &amp; worth it", 2)
    assert made["tag"] == {"name": "Neighbours", "url": "http://localhost/tags/neighbours"}
    one = f"{C}/{made['id']}"
    shown = await town.stranger.ask("CollectionWithAccounts", "GET", one)
    assert shown["collection"] == made
    assert [row["id"] for row in shown["accounts"]] == [str(alice.account.id), b, c]
    page = await town.stranger.get(made["url"].removeprefix("http://localhost"), accept="text/html")
    assert page.status == 200
    assert "Good &lt;people&gt;" in page.text
    mine, others = f"{A}/{alice.account.id}/collections", f"{A}/{b}/collections"
    assert (await bela.ask("Collections", "GET", mine))["collections"] == [made]
    assert (await bela.ask("Collections", "GET", others))["collections"] == []
    changed = await alice.ask("WrappedCollection", "PATCH", one, json={"discoverable": False, "tag_name": "", "name": "Few"})
    assert (changed["collection"]["name"], changed["collection"]["tag"]) == ("Few", None)
    assert changed["collection"]["language"] == "en"
    assert (await bela.ask("Collections", "GET", mine))["collections"] == []
    assert len((await alice.ask("Collections", "GET", mine))["collections"]) == 1
    assert (await bela.ask("CollectionWithAccounts", "GET", one))["collection"]["name"] == "Few"
    for method in ("PATCH", "DELETE"):
        assert (await bela.refusal(method, one, json={"name": "Mine"}))[0] == 403
    assert await alice.ask(None, "DELETE", one) == {}
    assert await alice.refusal("GET", one) == (404, "Record not found")
    assert (await bela.refusal("GET", f"{A}/12/collections"))[0] == 404


@covers(f"POST {C}/{{collection_id}}/items", f"DELETE {C}/{{collection_id}}/items/{{id}}",
        f"POST {C}/{{collection_id}}/items/{{id}}/revoke", f"GET {A}/{{account_id}}/in_collections")
async def test_one_is_told_of_being_in_a_collection_and_leaves_it_for_good(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    b, c = str(bela.account.id), str(carol.account.id)
    made = (await alice.ask("WrappedCollection", "POST", C, json={"name": "Neighbours"}))["collection"]
    one = f"{C}/{made['id']}"
    item = (await alice.ask("WrappedCollectionItem", "POST", f"{one}/items", json={"account_id": b}))["collection_item"]
    assert (item["account_id"], item["state"]) == (b, "accepted")
    assert await alice.refusal("POST", f"{one}/items", json={"account_id": b}) == (
        422, "Validation failed: Account has already been taken")
    assert (await carol.refusal("POST", f"{one}/items", json={"account_id": c}))[0] == 403
    told = await bela.ask("[Notification]", "GET", "/api/v1/notifications?types[]=added_to_collection")
    assert [row["collection"]["name"] for row in told] == ["Neighbours"]
    await alice.ask(None, "PATCH", one, json={"description": "From my street"})
    await alice.ask(None, "PATCH", one, json={"description": "From my street."})
    kinds = [row["type"] for row in await bela.ask("[Notification]", "GET", "/api/v1/notifications")]
    assert kinds == ["collection_update", "added_to_collection"]
    groups = (await bela.ask(None, "GET", "/api/v2/notifications"))["notification_groups"]
    assert groups[0]["collection"]["description"] == "From my street."
    assert [row["id"] for row in (await bela.ask("Collections", "GET", f"{A}/{b}/in_collections"))["collections"]] == [made["id"]]
    assert (await alice.refusal("GET", f"{A}/{b}/in_collections"))[0] == 404
    other = (await alice.ask("WrappedCollectionItem", "POST", f"{one}/items", json={"account_id": c}))["collection_item"]
    assert (await bela.refusal("POST", f"{one}/items/{other['id']}/revoke"))[0] == 404
    assert (await bela.refusal("DELETE", f"{one}/items/{item['id']}"))[0] == 403
    assert await bela.ask(None, "POST", f"{one}/items/{item['id']}/revoke") == {}
    assert await ids(alice, one) == [c]
    assert await bela.ask("[Notification]", "GET", "/api/v1/notifications") == []
    assert (await bela.ask("Collections", "GET", f"{A}/{b}/in_collections"))["collections"] == []
    assert (await alice.refusal("POST", f"{one}/items", json={"account_id": b}))[0] == 422
    assert await alice.ask(None, "DELETE", f"{one}/items/{other['id']}") == {}
    await alice.ask("WrappedCollectionItem", "POST", f"{one}/items", json={"account_id": c})
    assert await ids(alice, one) == [c]


async def _refused(caller: Caller, **given: Any) -> str:
    code, words = await caller.refusal("POST", C, json=given)
    assert code == 422
    return words


@covers()
async def test_who_does_not_want_to_be_found_or_stands_behind_a_block_is_in_no_collection(town: Town) -> None:
    alice, bela, carol, dora = await town.people("alice", "bela", "carol", "dora")
    await bela.ask(None, "PATCH", f"{A}/update_credentials", json={"discoverable": False})
    assert (await alice.ask("Account", "GET", f"{A}/{bela.account.id}"))["feature_approval"] == {
        "automatic": [], "manual": [], "current_user": "denied"}
    await carol.ask(None, "POST", f"{A}/{alice.account.id}/block")
    for one in (bela, carol):
        assert "does not want to be in collections" in await _refused(alice, name="x", account_ids=[str(one.account.id)])
    assert (await alice.refusal("POST", C, json={"name": "x", "account_ids": ["12"]}))[0] == 404
    assert (await alice.ask("Collections", "GET", f"{A}/{alice.account.id}/collections"))["collections"] == []
    made = (await alice.ask("WrappedCollection", "POST", C, json={"name": "x", "account_ids": [str(dora.account.id)]}))["collection"]
    assert (await carol.ask("CollectionWithAccounts", "GET", f"{C}/{made['id']}"))["collection"]["item_count"] == 1
    await dora.ask(None, "POST", f"{A}/{carol.account.id}/block")
    assert await ids(carol, f"{C}/{made['id']}") == []
    await alice.ask(None, "POST", f"{A}/{carol.account.id}/block")
    assert (await carol.refusal("GET", f"{C}/{made['id']}"))[0] == 404


@covers()
async def test_collections_have_limits_and_scopes(town: Town) -> None:
    alice = await town.person("alice")
    assert await _refused(alice) == "Validation failed: Name can't be blank"
    assert "too long" in await _refused(alice, name="x" * 41)
    assert "too long" in await _refused(alice, name="x", description="x" * 101)
    assert "Tag name is invalid" in await _refused(alice, name="x", tag_name="no tag")
    assert "Language is invalid" in await _refused(alice, name="x", language="no language")
    people = await town.people(*("p" for _ in range(26)))
    numbers = [str(one.account.id) for one in people]
    assert "too many" in await _refused(alice, name="x", account_ids=numbers)
    made = (await alice.ask("WrappedCollection", "POST", C, json={"name": "x", "account_ids": numbers[:25]}))["collection"]
    assert (await alice.refusal("POST", f"{C}/{made['id']}/items", json={"account_id": numbers[25]}))[0] == 422
    for number in range(9):
        await alice.ask(None, "POST", C, json={"name": f"{number}"})
    assert "too many" in await _refused(alice, name="eleventh")
    mine = f"{A}/{alice.account.id}/collections"
    first = await alice.get(f"{mine}?limit=4&offset=4")
    assert [row["name"] for row in first.json()["collections"]] == ["4", "3", "2", "1"]
    assert 'offset=8>; rel="next"' in first.headers["link"]
    narrow = await town.with_scopes("read:statuses", "write:statuses")
    for method, path in (("POST", C), ("GET", f"{C}/1"), ("PATCH", f"{C}/1"), ("GET", mine), ("POST", f"{C}/1/items"),
                         ("DELETE", f"{C}/1/items/1"), ("POST", f"{C}/1/items/1/revoke")):
        assert (await narrow.refusal(method, path, json={"name": "x", "account_id": "1"}))[0] == 403
