"""Polls through the API: asked, answered once, hidden until their end, asked anew by an edit, told of when they end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from api.contract import covers
from api.town import Caller, S, Town
from parvis.polls import actions as polls
from parvis.polls import policy

QUESTION = {"options": ["Market", " Park ", ""], "expires_in": 3600}


async def asked(by: Caller, **more: Any) -> Any:
    return await by.say("Where do we meet?", poll={**QUESTION, **more})


async def over(town: Town, poll: Any) -> None:
    """The poll's time is over, and the worker notices."""
    await town.owner.execute(
        "UPDATE polls SET expires_at = parvis_now() - interval '1 second', ends_due_at = parvis_now() - interval '1 second' WHERE id = $1",
        int(poll["id"]))
    while await polls.sweep(town.app.job):
        pass


@covers("GET /api/v1/polls/{id}", "POST /api/v1/polls/{id}/votes")
async def test_a_poll_is_answered_once_and_its_counts_show_at_once(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    said = await asked(alice)
    poll = said["poll"]
    place = f"/api/v1/polls/{poll['id']}"
    assert [(option["title"], option["votes_count"]) for option in poll["options"]] == [("Market", 0), ("Park", 0)]
    assert (poll["voted"], poll["own_votes"], poll["expired"], poll["multiple"], poll["voters_count"]) == (True, [], False, False, 0)
    ends = datetime.fromisoformat(poll["expires_at"]) - datetime.fromisoformat(said["created_at"])
    assert abs(ends - timedelta(hours=1)) < timedelta(seconds=5)
    voted = await bela.ask("Poll", "POST", f"{place}/votes", form={"choices[]": "1"})
    assert ([o["votes_count"] for o in voted["options"]], voted["votes_count"], voted["voters_count"]) == ([0, 1], 1, 1)
    assert (voted["voted"], voted["own_votes"]) == (True, [1])
    await polls.fold_counts(town.app.job)
    shown = await carol.ask("Poll", "GET", place)
    assert (shown["votes_count"], shown["voted"], shown["own_votes"]) == (1, False, [])
    assert "voted" not in await town.stranger.ask("Poll", "GET", place)
    for caller, choices, why in (
        (bela, [1], "Validation failed: Poll You have already voted in this poll"),
        (bela, [0], "Validation failed: Poll You have already voted in this poll"),
        (alice, [0], "Validation failed: Poll is your own: you cannot vote in it"),
        (carol, [2], "Validation failed: Choices is invalid"), (carol, [-1], "Validation failed: Choices is invalid"),
        (carol, [], "Validation failed: Choices is invalid"), (carol, [0, 1], "Validation failed: Choices has too many entries"),
    ):
        assert await caller.refusal("POST", f"{place}/votes", json={"choices": choices}) == (422, why)
    wrapper = await carol.ask("Status", "POST", f"{S}/{said['id']}/reblog")
    assert wrapper["reblog"]["poll"]["votes_count"] == 1
    seen = await bela.ask("[Status]", "GET", "/api/v1/timelines/public?limit=1")
    assert (seen[0]["id"], seen[0]["poll"]["own_votes"]) == (said["id"], [1])
    await over(town, poll)
    assert (await carol.ask("Poll", "GET", place))["expired"] is True
    assert await carol.refusal("POST", f"{place}/votes", json={"choices": [0]}) == (422, "Validation failed: Poll has already ended")
    for caller, times in ((alice, 1), (bela, 1), (carol, 0)):
        told = await caller.ask("[Notification]", "GET", "/api/v1/notifications?types[]=poll")
        assert [(n["type"], n["account"]["id"], n["status"]["id"]) for n in told] == [("poll", str(alice.account.id), said["id"])] * times


async def seen_by_few(alice: Caller, bela: Caller) -> Any:
    return (await alice.say(f"@{bela.account.username} only you", visibility="direct", poll=QUESTION))["poll"]


@covers(f"POST {S}")
async def test_a_poll_is_for_those_who_see_the_post(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    place = f"/api/v1/polls/{(await seen_by_few(alice, bela))['id']}"
    assert await carol.refusal("GET", place) == (404, "Record not found")
    assert await carol.refusal("POST", f"{place}/votes", json={"choices": [0]}) == (404, "Record not found")
    assert await town.stranger.refusal("GET", place) == (404, "Record not found")
    assert await bela.refusal("GET", "/api/v1/polls/12") == (404, "Record not found")
    assert (await bela.ask("Poll", "POST", f"{place}/votes", json={"choices": [0]}))["votes_count"] == 1
    narrow = await town.with_scopes("read:statuses")
    assert (await narrow.refusal("POST", f"{place}/votes", json={"choices": [0]}))[0] == 403


@covers(f"POST {S}", "POST /api/v1/polls/{id}/votes")
async def test_counts_may_be_hidden_until_the_end(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    poll = (await asked(alice, hide_totals=True, multiple=True, options=["a", "b", "c"]))["poll"]
    place = f"/api/v1/polls/{poll['id']}"
    await bela.ask("Poll", "POST", f"{place}/votes", json={"choices": ["0", "2"]})
    shown = await carol.ask("Poll", "POST", f"{place}/votes", json={"choices": [2]})
    assert ([o["votes_count"] for o in shown["options"]], shown["votes_count"], shown["voters_count"]) == ([None] * 3, 3, 2)
    assert (await bela.refusal("POST", f"{place}/votes", json={"choices": [1]}))[0] == 422
    await over(town, poll)
    shown = await bela.ask("Poll", "GET", place)
    assert ([o["votes_count"] for o in shown["options"]], shown["own_votes"]) == ([1, 0, 2], [0, 2])


@covers(f"POST {S}", f"PUT {S}/{{id}}", f"GET {S}/{{id}}/history", f"DELETE {S}/{{id}}")
async def test_other_answers_are_another_question(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = await asked(alice)
    vote = f"/api/v1/polls/{said['poll']['id']}/votes"
    await bela.ask("Poll", "POST", vote, json={"choices": [0]})
    text = {"status": "Where shall we meet?"}
    same = await alice.ask("Status", "PUT", f"{S}/{said['id']}", json={**text, "poll": {**QUESTION, "expires_in": 7200}})
    assert (same["poll"]["votes_count"], same["poll"]["id"]) == (1, said["poll"]["id"])
    assert same["poll"]["expires_at"] > said["poll"]["expires_at"]
    other = await alice.ask("Status", "PUT", f"{S}/{said['id']}", json={**text, "poll": {**QUESTION, "options": ["Pond", "Park"]}})
    assert ([o["title"] for o in other["poll"]["options"]], other["poll"]["votes_count"]) == (["Pond", "Park"], 0)
    assert (await bela.ask("Poll", "POST", vote, json={"choices": [1]}))["own_votes"] == [1]
    history = await bela.ask("[StatusEdit]", "GET", f"{S}/{said['id']}/history")
    assert [[o["title"] for o in edit["poll"]["options"]] for edit in history] == [["Market", "Park"]] * 2 + [["Pond", "Park"]]
    await bela.ask("Filter", "POST", "/api/v2/filters", json={
        "title": "No ponds", "context": ["public"], "keywords_attributes": [{"keyword": "pond"}]})
    assert (await bela.ask("Status", "GET", f"{S}/{said['id']}"))["filtered"][0]["keyword_matches"] == ["pond"]
    gone = await alice.ask("Status", "DELETE", f"{S}/{said['id']}")
    assert [o["title"] for o in gone["poll"]["options"]] == ["Pond", "Park"]
    assert await bela.refusal("POST", vote, json={"choices": [1]}) == (404, "Record not found")
    plain = await asked(alice)
    assert (await alice.ask("Status", "PUT", f"{S}/{plain['id']}", json=text))["poll"] is None
    assert (await alice.refusal("GET", f"/api/v1/polls/{plain['poll']['id']}"))[0] == 404


@covers(f"POST {S}", "GET /api/v2/instance", "GET /api/v1/instance")
async def test_what_a_poll_may_be_is_what_the_instance_says(town: Town) -> None:
    alice = await town.person("alice")
    for version in ("v1", "v2"):
        allowed = (await alice.ask(None, "GET", f"/api/{version}/instance"))["configuration"]["polls"]
        assert allowed == {"max_options": policy.OPTIONS, "max_characters_per_option": policy.CHARACTERS,
                           "min_expiration": policy.SHORTEST, "max_expiration": policy.LONGEST}
    for wrong in (
        {"options": ["a"]}, {"options": ["a", "a"]}, {"options": ["a", " "]}, {"options": list("abcde")},
        {"options": ["a", "b" * 51]}, {"expires_in": 299}, {"expires_in": 2_629_747}, {"expires_in": None}, {"options": []},
    ):
        assert (await alice.refusal("POST", S, json={"status": "?", "poll": {**QUESTION, **wrong}}))[0] == 422, wrong
    form = {"status": "?", "poll[options][]": "a", "poll[expires_in]": "300", "poll[multiple]": "true"}
    assert (await alice.refusal("POST", S, form=form))[0] == 422
    body = "status=Which&poll[options][]=a&poll[options][]=b&poll[expires_in]=300&poll[multiple]=on&poll[hide_totals]=1"
    sent = await alice.call("POST", S, headers={"content-type": "application/x-www-form-urlencoded"}, body=body.encode())
    assert (sent.json()["poll"]["multiple"], sent.json()["poll"]["options"][0]) == (True, {"title": "a", "votes_count": None})
