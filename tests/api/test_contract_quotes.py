"""Quotes with their author's leave, replies only from those who are wanted, and posts that stay in the city."""

from __future__ import annotations

from typing import Any

from api.contract import covers
from api.facts import faults
from api.town import A, Caller, S, Town

DENIED = (403, "This action is not allowed (quote_denied)")
LOOSE = (403, "This action is not allowed (reply_denied)")
HIDDEN = (404, "Record not found")


async def quote(caller: Caller, said: Any, **more: object) -> Any:
    """Somebody quotes a post."""
    return await caller.say("Look at this", quoted_status_id=said["id"], **more)


def told(shown: Any) -> tuple[str, str | None]:
    """What a viewer is told of a quote, whose parts are as they should be: a Status, or the id of one."""
    found = shown["quote"]
    if "quoted_status_id" in found:
        assert faults("ShallowQuote", found) == []
        return found["state"], found["quoted_status_id"]
    assert faults("Quote", found) == []
    return found["state"], found["quoted_status"] and found["quoted_status"]["id"]


async def kinds(caller: Caller) -> list[tuple[str, str]]:
    """Of what somebody was told."""
    rows = await caller.ask("[Notification]", "GET", "/api/v1/notifications")
    return [(row["type"], row["status"]["id"]) for row in rows if "status" in row]


@covers(f"GET {S}/{{id}}/quotes", f"POST {S}/{{id}}/quotes/{{quoting_status_id}}/revoke")
async def test_a_quote_shows_what_it_quotes_until_its_author_takes_it_back(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    said = await alice.say("The market opens at eight")
    assert said["quote_approval"] == {"automatic": ["public"], "manual": [], "current_user": "automatic"}
    made = await quote(bela, said)
    assert told(made) == ("accepted", said["id"])
    assert made["quote"]["quoted_status"]["account"]["id"] == str(alice.account.id)
    again = await quote(carol, made)
    assert told(again) == ("accepted", made["id"])
    assert told(again["quote"]["quoted_status"]) == ("accepted", said["id"])
    assert (await town.stranger.ask("Status", "GET", f"{S}/{said['id']}"))["quotes_count"] == 1
    assert [row["id"] for row in await town.stranger.ask("[Status]", "GET", f"{S}/{said['id']}/quotes")] == [made["id"]]
    assert ("quote", made["id"]) in await kinds(alice)
    await alice.ask("Status", "PUT", f"{S}/{said['id']}", json={"status": "The market opens at nine"})
    assert ("quoted_update", made["id"]) in await kinds(bela)
    assert (await bela.refusal("POST", f"{S}/{said['id']}/quotes/{made['id']}/revoke"))[0] == 404
    assert (await carol.refusal("POST", f"{S}/{made['id']}/quotes/{made['id']}/revoke"))[0] == 404
    taken = await alice.ask("Status", "POST", f"{S}/{said['id']}/quotes/{made['id']}/revoke")
    assert (taken["id"], told(taken)) == (made["id"], ("revoked", None))
    assert told(await bela.ask("Status", "GET", f"{S}/{made['id']}")) == ("revoked", None)
    assert (await bela.ask("Status", "GET", f"{S}/{said['id']}"))["quotes_count"] == 0
    assert await alice.ask("[Status]", "GET", f"{S}/{said['id']}/quotes") == []
    assert told(await alice.ask("Status", "POST", f"{S}/{said['id']}/quotes/{made['id']}/revoke")) == ("revoked", None)
    assert (await (await town.with_scopes("read:accounts")).refusal("GET", f"{S}/{said['id']}/quotes"))[0] == 403
    narrow = await town.with_scopes("write:media")
    assert (await narrow.refusal("POST", f"{S}/{said['id']}/quotes/{made['id']}/revoke"))[0] == 403


@covers()
async def test_quotes_are_paged(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = await alice.say("Who comes?")
    made = [(await quote(bela, said))["id"] for _ in range(3)]
    first = await town.stranger.get(f"{S}/{said['id']}/quotes?limit=2")
    assert [row["id"] for row in first.json()] == [made[2], made[1]]
    assert f"max_id={made[1]}" in first.headers["link"]
    rest = await town.stranger.ask("[Status]", "GET", f"{S}/{said['id']}/quotes?max_id={made[1]}")
    assert [row["id"] for row in rest] == [made[0]]
    upwards = await town.stranger.ask("[Status]", "GET", f"{S}/{said['id']}/quotes?limit=1&min_id={made[0]}")
    assert [row["id"] for row in upwards] == [made[1]]


@covers(f"PUT {S}/{{id}}/interaction_policy")
async def test_an_author_says_who_may_quote(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    await carol.ask(None, "POST", f"{A}/{alice.account.id}/follow")
    said = await alice.say("For friends to pass on", quote_approval_policy="followers")
    seen = await bela.ask("Status", "GET", f"{S}/{said['id']}")
    assert seen["quote_approval"] == {"automatic": ["followers"], "manual": [], "current_user": "denied"}
    sent = {"status": "No?", "quoted_status_id": said["id"]}
    assert await bela.refusal("POST", S, json=sent) == DENIED
    assert (await carol.ask("Status", "GET", f"{S}/{said['id']}"))["quote_approval"]["current_user"] == "automatic"
    made = await quote(carol, said)
    await alice.ask("Status", "PUT", f"{S}/{said['id']}", json={"status": "Changed"})
    assert (await alice.ask("Status", "GET", f"{S}/{said['id']}"))["quote_approval"]["automatic"] == ["followers"]
    closed = await alice.ask("Status", "PUT", f"{S}/{said['id']}/interaction_policy", json={"quote_approval_policy": "nobody"})
    assert closed["quote_approval"] == {"automatic": [], "manual": [], "current_user": "automatic"}
    assert await carol.refusal("POST", S, json=sent) == DENIED
    assert told(await town.stranger.ask("Status", "GET", f"{S}/{made['id']}")) == ("accepted", said["id"])
    assert (await bela.refusal("PUT", f"{S}/{said['id']}/interaction_policy", json={"quote_approval_policy": "public"}))[0] == 403
    assert (await alice.refusal("PUT", f"{S}/{said['id']}/interaction_policy", json={"quote_approval_policy": "me"}))[0] == 422
    narrow = await town.with_scopes("read")
    assert (await narrow.refusal("PUT", f"{S}/{said['id']}/interaction_policy"))[0] == 403
    assert told(await quote(alice, said)) == ("accepted", said["id"])


@covers()
async def test_the_usual_policy_is_kept_with_the_account(town: Town) -> None:
    alice = await town.person("alice")
    await alice.ask(None, "PATCH", f"{A}/update_credentials", form={"source[quote_policy]": "nobody"})
    assert (await alice.ask("CredentialAccount", "GET", f"{A}/verify_credentials"))["source"]["quote_policy"] == "nobody"
    assert (await alice.ask("Preferences", "GET", "/api/v1/preferences"))["posting:default:quote_policy"] == "nobody"
    assert (await alice.say())["quote_approval"]["automatic"] == []
    assert (await alice.say(quote_approval_policy="public"))["quote_approval"]["automatic"] == ["public"]
    assert (await alice.say(quote_approval_policy="public", visibility="private"))["quote_approval"]["automatic"] == []


@covers()
async def test_what_is_for_few_is_quoted_for_few(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    await bela.ask(None, "POST", f"{A}/{alice.account.id}/follow")
    private = await alice.say("Among friends", visibility="private")
    direct = await alice.say(f"@{bela.account.username} you only", visibility="direct")
    open_to_all = await alice.say("Everybody")
    for said in (private, direct):
        assert await bela.refusal("POST", S, json={"status": "x", "quoted_status_id": said["id"]}) == DENIED
    assert await alice.refusal("POST", S, json={"status": "x", "quoted_status_id": direct["id"]}) == DENIED
    made = await quote(alice, private)
    assert (made["visibility"], told(made)) == ("private", ("accepted", private["id"]))
    assert (await town.stranger.refusal("POST", S, json={}))[0] == 401
    assert (await bela.refusal("POST", S, json={"status": "x", "quoted_status_id": open_to_all["id"], "visibility": "direct"}))[0] == 422
    named = await bela.say(f"@{alice.account.username} really?", quoted_status_id=open_to_all["id"], visibility="direct")
    assert told(named) == ("accepted", open_to_all["id"])
    assert await bela.refusal("POST", S, json={"status": "x", "quoted_status_id": "1"}) == HIDDEN


@covers()
async def test_what_stands_between_a_viewer_and_a_quoted_post_is_told(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    said = await alice.say("Hello all")
    made = await quote(bela, said)
    passed = await carol.ask("Status", "POST", f"{S}/{made['id']}/reblog")
    assert told(passed["reblog"]) == ("accepted", said["id"])
    assert passed["quote"] is None
    a = f"{A}/{alice.account.id}"
    await carol.ask(None, "POST", f"{a}/mute")
    assert told(await carol.ask("Status", "GET", f"{S}/{made['id']}")) == ("muted_account", said["id"])
    await carol.ask(None, "POST", f"{a}/unmute")
    await carol.ask(None, "POST", f"{a}/block")
    assert told(await carol.ask("Status", "GET", f"{S}/{made['id']}")) == ("blocked_account", None)
    assert await carol.refusal("GET", f"{S}/{said['id']}/quotes") == HIDDEN
    await carol.ask(None, "POST", f"{a}/unblock")
    await alice.ask(None, "POST", f"{A}/{carol.account.id}/block")
    assert told(await carol.ask("Status", "GET", f"{S}/{made['id']}")) == ("unauthorized", None)
    assert told(await bela.ask("Status", "GET", f"{S}/{made['id']}")) == ("accepted", said["id"])
    assert told((await bela.ask("[Status]", "GET", f"{A}/{bela.account.id}/statuses"))[0]) == ("accepted", said["id"])
    await alice.ask("Status", "DELETE", f"{S}/{said['id']}")
    assert told(await bela.ask("Status", "GET", f"{S}/{made['id']}")) == ("deleted", None)


@covers()
async def test_a_deleted_quote_is_not_counted(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = await alice.say("Count me")
    made = await quote(bela, said)
    await bela.ask("Status", "DELETE", f"{S}/{made['id']}")
    assert (await alice.ask("Status", "GET", f"{S}/{said['id']}"))["quotes_count"] == 0


@covers()
async def test_one_answers_only_whoever_wants_to_be_answered(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    await carol.ask(None, "POST", f"{A}/{alice.account.id}/follow")
    said = await alice.say("Followers, what do you think?", reply_policy="followers")
    assert (said["reply_policy"], said["hidden_replies_count"]) == ("followers", 0)
    wish = {"status": "I think", "in_reply_to_id": said["id"]}
    assert await bela.refusal("POST", S, json=wish) == LOOSE
    assert (await carol.say(in_reply_to_id=said["id"]))["in_reply_to_id"] == said["id"]
    assert (await alice.say(in_reply_to_id=said["id"]))["in_reply_to_id"] == said["id"]
    changed = await alice.ask("Status", "PUT", f"{S}/{said['id']}/interaction_policy", json={"reply_policy": "nobody"})
    assert changed["reply_policy"] == "nobody"
    assert await carol.refusal("POST", S, json=wish) == LOOSE
    named = await alice.say(f"Only you, @{bela.account.username}", reply_policy="mentioned")
    assert (await bela.say(in_reply_to_id=named["id"]))["in_reply_to_id"] == named["id"]
    assert await carol.refusal("POST", S, json={**wish, "in_reply_to_id": named["id"]}) == LOOSE
    await alice.ask("Status", "PUT", f"{S}/{named['id']}", json={"status": "Anybody", "reply_policy": "public"})
    assert (await carol.say(in_reply_to_id=named["id"]))["in_reply_to_id"] == named["id"]


@covers()
async def test_a_post_that_stays_here_is_for_those_who_live_here(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = await alice.say("Only in this city", local_only=True)
    assert said["local_only"] is True
    assert (await bela.ask("Status", "GET", f"{S}/{said['id']}"))["local_only"] is True
    assert said["id"] in [row["id"] for row in await bela.ask("[Status]", "GET", "/api/v1/timelines/public?local=true")]
    assert await town.stranger.refusal("GET", f"{S}/{said['id']}") == HIDDEN
    assert said["id"] not in [row["id"] for row in await town.stranger.ask("[Status]", "GET", "/api/v1/timelines/public")]
    for made in (
        await bela.say("And here I answer", in_reply_to_id=said["id"]), await quote(bela, said),
        await bela.ask("Status", "POST", f"{S}/{said['id']}/reblog"),
    ):
        assert made["local_only"] is True
        assert await town.stranger.refusal("GET", f"{S}/{made['id']}") == HIDDEN
    assert (await alice.say())["local_only"] is False


@covers()
async def test_a_quote_can_wait_for_its_hour(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said, closed = await alice.say("Tomorrow"), await alice.say("Not mine to pass on", quote_approval_policy="nobody")
    wish = {"status": "Look", "scheduled_at": "2099-01-01T08:00:00Z", "quote_approval_policy": "followers"}
    assert await bela.refusal("POST", S, json={**wish, "quoted_status_id": closed["id"]}) == DENIED
    kept = await bela.ask("ScheduledStatus", "POST", S, json={**wish, "quoted_status_id": said["id"]})
    assert (kept["params"]["quoted_status_id"], kept["params"]["quote_approval_policy"]) == (said["id"], "followers")


@covers()
async def test_pages_show_what_is_quoted(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = await alice.say("The market opens at eight")
    made = await quote(bela, said)
    page = (await town.stranger.get(f"/@{bela.account.username}/{made['id']}", accept="text/html")).text
    assert page.count("The market opens at eight") == 1
    assert f"@{alice.account.username}" in page
    await alice.ask("Status", "POST", f"{S}/{said['id']}/quotes/{made['id']}/revoke")
    page = (await town.stranger.get(f"/@{bela.account.username}/{made['id']}", accept="text/html")).text
    assert "The market opens at eight" not in page
