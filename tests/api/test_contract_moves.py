"""Other accounts that are one's own, and moving to one of them with an app."""

from __future__ import annotations

from api.contract import covers
from api.test_contract_domain_blocks import elsewhere
from api.town import A, S, Town
from parvis import wiring
from parvis.base import jobs

N = "/api/v1/profile/aliases"
M = "/api/v1/profile/move"
PASSWORD = "correct horse"


@covers(f"GET {N}", f"POST {N}", f"DELETE {N}")
async def test_other_accounts_are_named_as_ones_own_and_no_more(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    far = await elsewhere(town, alice.account.username, "old.example")
    assert await alice.ask("[Alias]", "GET", N) == []
    made = await alice.ask("[Alias]", "POST", N, json={"acct": f"@{bela.account.username}"})
    assert [(row["uri"], row["account"]["id"]) for row in made] == [(bela.account.uri, str(bela.account.id))]
    both = await alice.ask("[Alias]", "POST", N, form={"acct": far.acct})
    assert [row["uri"] for row in both] == [bela.account.uri, far.uri]
    assert await alice.ask("[Alias]", "POST", N, form={"acct": far.acct}) == both
    document = await town.stranger.get(f"/ap/users/{alice.account.id}", accept="application/activity+json")
    assert document.json()["alsoKnownAs"] == [bela.account.uri, far.uri]
    await town.owner.execute("UPDATE accounts SET deleted_at = now() WHERE id = $1", far.id)
    left = await alice.ask("[Alias]", "DELETE", N, json={"acct": bela.account.username})
    assert [row["uri"] for row in left] == [far.uri]
    assert await alice.ask("[Alias]", "DELETE", f"{N}?acct={far.uri}") == []
    assert (await alice.refusal("DELETE", N, json={"acct": far.uri}))[0] == 404


@covers()
async def test_what_cannot_be_ones_own_is_not(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    own = await alice.refusal("POST", N, json={"acct": alice.account.username})
    assert own == (422, "Validation failed: Acct is this account itself")
    assert (await alice.refusal("POST", N, json={"acct": "nobody at all"}))[0] == 422
    said = await bela.say("I am no account")
    assert (await alice.refusal("POST", N, json={"acct": said["uri"]}))[0] == 422
    for number in range(20):
        far = await elsewhere(town, f"a{number}", f"{alice.account.username.replace('_', '-')}.example")
        await alice.ask("[Alias]", "POST", N, json={"acct": far.acct})
    assert (await alice.refusal("POST", N, json={"acct": bela.account.username}))[0] == 422
    assert len(await alice.ask("[Alias]", "GET", N)) == 20
    assert (await town.stranger.refusal("GET", N))[0] == 401
    narrow = await town.with_scopes("read:statuses", "write:statuses")
    for method, path in (("GET", N), ("POST", N), ("DELETE", N), ("POST", M), ("DELETE", M)):
        assert (await narrow.refusal(method, path, json={}))[0] == 403


@covers(f"POST {M}", f"DELETE {M}")
async def test_one_moves_with_the_password_and_takes_it_back(town: Town) -> None:
    old, new, bela = await town.people("old", "new", "bela")
    await bela.ask("Relationship", "POST", f"{A}/{old.account.id}/follow")
    said = await bela.say("Hello")
    wish = {"acct": new.account.username, "current_password": PASSWORD}
    refused = await old.refusal("POST", M, json=wish)
    assert refused == (422, "Validation failed: Target does not name your account as its own, too")
    await new.ask("[Alias]", "POST", N, json={"acct": old.account.username})
    wrong = await old.refusal("POST", M, json={**wish, "current_password": "wrong"})
    assert wrong == (422, "Validation failed: Current password is not your password")
    assert (await old.refusal("POST", M, json={"acct": new.account.username}))[0] == 400
    assert (await town.stranger.ask("Account", "GET", f"{A}/{old.account.id}"))["moved"] is None
    moved = await old.ask("CredentialAccount", "POST", M, json=wish)
    assert (moved["moved"]["id"], moved["moved"]["moved"]) == (str(new.account.id), None)
    shown = await bela.ask("Account", "GET", f"{A}/{old.account.id}")
    assert shown["moved"]["acct"] == new.account.username
    await new.ask(None, "PATCH", "/api/v1/profile", json={"display_name": "The new one"})
    shown = await bela.ask("Account", "GET", f"{A}/{old.account.id}")
    assert shown["moved"]["display_name"] == "The new one"
    for path, body in ((S, {"status": "Still here"}), (f"{S}/{said['id']}/reblog", {}),
                       (f"{A}/{bela.account.id}/follow", {}), (f"{A}/{bela.account.id}/follow", {"notify": True})):
        code, told = await old.refusal("POST", path, json=body)
        assert (code, told.split(":")[0]) == (403, "You have moved to another account")
    await jobs.drain(town.app.job, jobs.named(wiring.REACTIONS))
    rows = await bela.ask("[Relationship]", "GET", f"{A}/relationships?id[]={old.account.id}&id[]={new.account.id}")
    assert [row["following"] for row in rows] == [True, True]
    assert (await bela.refusal("DELETE", M, json={"current_password": PASSWORD}))[0] == 404
    assert (await old.refusal("DELETE", M, json={"current_password": "wrong"}))[0] == 422
    assert (await old.ask("CredentialAccount", "DELETE", M, json={"current_password": PASSWORD}))["moved"] is None
    await old.say("Here again")
    assert await old.refusal("POST", M, json=wish) == (429, "You may move once in 30 days")


@covers()
async def test_what_somebody_who_has_moved_said_shows_where_they_are(town: Town) -> None:
    old, new = await town.people("old", "new")
    said = await old.say("Before")
    reader = await town.person("reader")
    assert (await reader.ask("Status", "GET", f"{S}/{said['id']}"))["account"]["moved"] is None
    await new.ask("[Alias]", "POST", N, json={"acct": old.account.username})
    await old.ask("CredentialAccount", "POST", M, json={"acct": new.account.username, "current_password": PASSWORD})
    for number in range(2):
        shown = (await reader.ask("Status", "GET", f"{S}/{said['id']}"))["account"]["moved"]
        assert (shown["id"], shown["statuses_count"]) == (str(new.account.id), number)
        await new.say("After")
    await town.owner.execute("UPDATE accounts SET deleted_at = now() WHERE id = $1", new.account.id)
    assert (await reader.ask("Status", "GET", f"{S}/{said['id']}"))["account"]["moved"] is None
