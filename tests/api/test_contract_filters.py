"""Filters: made, changed and taken away in both versions of the API, and what they say of posts."""

from __future__ import annotations

from typing import Any

from api.contract import covers
from api.town import A, Caller, S, Town, picture

V2, V1 = "/api/v2/filters", "/api/v1/filters"
GONE = (404, "Record not found")


async def filtered(reader: Caller, status_id: str) -> list[Any]:
    """What the reader's filters say of a post."""
    found: list[Any] = (await reader.ask("Status", "GET", f"{S}/{status_id}"))["filtered"]
    return found


@covers(f"POST {V2}", f"GET {V2}", f"GET {V2}/{{id}}", f"PUT {V2}/{{id}}", f"DELETE {V2}/{{id}}")
async def test_a_filter_is_made_changed_and_taken_away(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = (await bela.say("Nothing but Eurovision tonight"))["id"]
    made = await alice.ask("Filter", "POST", V2, form={
        "title": "Song contest", "context[]": "home", "keywords_attributes[0][keyword]": "eurovision",
        "keywords_attributes[0][whole_word]": "true", "keywords_attributes[1][keyword]": "grand prix",
        "keywords_attributes[2][keyword]": "unwanted", "keywords_attributes[2][_destroy]": "1", "expires_in": "3600",
    })
    assert (made["title"], made["context"], made["filter_action"]) == ("Song contest", ["home"], "warn")
    assert made["expires_at"] is not None
    assert [(k["keyword"], k["whole_word"]) for k in made["keywords"]] == [("eurovision", True), ("grand prix", True)]
    assert await alice.ask("[Filter]", "GET", V2) == [made]
    assert await alice.ask("Filter", "GET", f"{V2}/{made['id']}") == made
    result = (await filtered(alice, said))[0]
    assert (result["keyword_matches"], result["status_matches"]) == (["eurovision"], None)
    assert result["filter"] == {name: made[name] for name in ("id", "title", "context", "expires_at", "filter_action")}
    first, second = (one["id"] for one in made["keywords"])
    changed = await alice.ask("Filter", "PUT", f"{V2}/{made['id']}", json={
        "title": "Quiet", "context": ["public", "thread", "public"], "filter_action": "blur", "expires_in": None,
        "keywords_attributes": [
            {"id": first, "_destroy": True}, {"id": second, "keyword": "Grand  Prix", "whole_word": False},
            {"keyword": "tonight", "whole_word": False},
        ],
    })
    assert (changed["title"], changed["context"], changed["filter_action"]) == ("Quiet", ["public", "thread"], "blur")
    assert changed["expires_at"] is None
    assert [(k["keyword"], k["whole_word"]) for k in changed["keywords"]] == [("Grand  Prix", False), ("tonight", False)]
    assert [one["keyword_matches"] for one in await filtered(alice, said)] == [["tonight"]]
    assert await filtered(bela, said) == []
    assert "filtered" not in await town.stranger.ask("Status", "GET", f"{S}/{said}")
    for verb, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/keywords"), ("GET", "/statuses")):
        assert await bela.refusal(verb, f"{V2}/{made['id']}{rest}", json={"title": "Mine"}) == GONE
    assert await alice.ask(None, "DELETE", f"{V2}/{made['id']}") == {}
    assert await alice.ask("[Filter]", "GET", V2) == []
    assert await filtered(alice, said) == []


@covers(f"GET {V2}/{{filter_id}}/keywords", f"POST {V2}/{{filter_id}}/keywords", f"GET {V2}/keywords/{{id}}",
        f"PUT {V2}/keywords/{{id}}", f"DELETE {V2}/keywords/{{id}}")
async def test_the_words_of_a_filter_are_handled_one_by_one(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    made = (await alice.ask("Filter", "POST", V2, json={"title": "T", "context": ["account"], "filter_action": "hide"}))["id"]
    one = await alice.ask("FilterKeyword", "POST", f"{V2}/{made}/keywords", json={"keyword": "Straße", "whole_word": "false"})
    assert (one["keyword"], one["whole_word"]) == ("Straße", False)
    assert await alice.ask("[FilterKeyword]", "GET", f"{V2}/{made}/keywords") == [one]
    assert await alice.ask("FilterKeyword", "GET", f"{V2}/keywords/{one['id']}") == one
    said = (await bela.say("HAUPTSTRASSE 3"))["id"]
    assert (await filtered(alice, said))[0]["keyword_matches"] == ["Straße"]
    changed = await alice.ask("FilterKeyword", "PUT", f"{V2}/keywords/{one['id']}", form={"keyword": "strasse", "whole_word": "1"})
    assert (changed["id"], changed["keyword"], changed["whole_word"]) == (one["id"], "strasse", True)
    assert await filtered(alice, said) == []
    for verb in ("GET", "PUT", "DELETE"):
        assert await bela.refusal(verb, f"{V2}/keywords/{one['id']}", json={"keyword": "x"}) == GONE
    assert await bela.refusal("POST", f"{V2}/{made}/keywords", json={"keyword": "x"}) == GONE
    assert await alice.ask(None, "DELETE", f"{V2}/keywords/{one['id']}") == {}
    assert await alice.ask("[FilterKeyword]", "GET", f"{V2}/{made}/keywords") == []


@covers(f"GET {V2}/{{filter_id}}/statuses", f"POST {V2}/{{filter_id}}/statuses", f"GET {V2}/statuses/{{id}}",
        f"DELETE {V2}/statuses/{{id}}")
async def test_a_filter_names_single_posts_also_when_they_are_passed_on(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    said = (await bela.say("Enough of this"))["id"]
    passed = await carol.ask("Status", "POST", f"{S}/{said}/reblog")
    made = (await alice.ask("Filter", "POST", V2, json={"title": "T", "context": ["home"]}))["id"]
    one = await alice.ask("FilterStatus", "POST", f"{V2}/{made}/statuses", json={"status_id": said})
    assert one["status_id"] == said
    assert await alice.ask("FilterStatus", "POST", f"{V2}/{made}/statuses", json={"status_id": said}) == one
    assert await alice.ask("[FilterStatus]", "GET", f"{V2}/{made}/statuses") == [one]
    assert await alice.ask("FilterStatus", "GET", f"{V2}/statuses/{one['id']}") == one
    assert (await alice.ask("Filter", "GET", f"{V2}/{made}"))["statuses"] == [one]
    wrapper = await alice.ask("Status", "GET", f"{S}/{passed['id']}")
    for found in (wrapper["filtered"], wrapper["reblog"]["filtered"], await filtered(alice, said)):
        assert [(row["keyword_matches"], row["status_matches"]) for row in found] == [(None, [said])]
    assert await bela.refusal("GET", f"{V2}/statuses/{one['id']}") == GONE
    assert await bela.refusal("DELETE", f"{V2}/statuses/{one['id']}") == GONE
    secret = (await bela.say("For nobody", visibility="direct"))["id"]
    assert await alice.refusal("POST", f"{V2}/{made}/statuses", json={"status_id": secret}) == GONE
    assert await alice.ask("FilterStatus", "DELETE", f"{V2}/statuses/{one['id']}") == one
    assert await alice.ask("[FilterStatus]", "GET", f"{V2}/{made}/statuses") == []
    assert await filtered(alice, said) == []


@covers(f"POST {V1}", f"GET {V1}", f"GET {V1}/{{id}}", f"PUT {V1}/{{id}}", f"DELETE {V1}/{{id}}")
async def test_older_clients_see_a_filter_in_each_word(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    made = await alice.ask("V1_Filter", "POST", V1, form={"phrase": "from birdsite", "context[]": "home", "irreversible": "true"})
    assert (made["phrase"], made["context"], made["irreversible"], made["whole_word"]) == ("from birdsite", ["home"], True, False)
    whole = (await alice.ask("[Filter]", "GET", V2))[0]
    assert (whole["title"], whole["filter_action"], whole["keywords"][0]["id"]) == ("from birdsite", "hide", made["id"])
    assert await alice.ask("[V1_Filter]", "GET", V1) == [made]
    assert await alice.ask("V1_Filter", "GET", f"{V1}/{made['id']}") == made
    assert "deprecation" in (await alice.get(V1)).headers
    changed = await alice.ask("V1_Filter", "PUT", f"{V1}/{made['id']}", json={
        "phrase": "birdsite", "context": ["public"], "irreversible": False, "whole_word": True, "expires_in": 60})
    assert (changed["phrase"], changed["context"], changed["irreversible"], changed["whole_word"]) == ("birdsite", ["public"], False, True)
    assert (await alice.ask("[Filter]", "GET", V2))[0]["title"] == "birdsite"
    await alice.ask("FilterKeyword", "POST", f"{V2}/{whole['id']}/keywords", json={"keyword": "second"})
    kept = {"phrase": "bird", "context": ["public"]}
    assert (await alice.ask("V1_Filter", "PUT", f"{V1}/{made['id']}", json=kept))["phrase"] == "bird"
    assert (await alice.refusal("PUT", f"{V1}/{made['id']}", json={**kept, "context": ["home"]}))[0] == 422
    for verb in ("GET", "PUT", "DELETE"):
        assert await bela.refusal(verb, f"{V1}/{made['id']}", json=kept) == GONE
    assert await alice.ask(None, "DELETE", f"{V1}/{made['id']}") == {}
    assert [row["phrase"] for row in await alice.ask("[V1_Filter]", "GET", V1)] == ["second"]
    assert [row["id"] for row in await alice.ask("[Filter]", "GET", V2)] == [whole["id"]]


async def _refused(town: Town, caller: Caller, wrong: dict[str, object], words: str) -> None:
    code, said = await caller.refusal("POST", V2, json={"title": "T", "context": ["home"], **wrong})
    assert (code, words in said) == (422, True), (code, said)


@covers()
async def test_what_no_filter_can_be_is_refused_and_changes_nothing(town: Town) -> None:
    alice = await town.person("alice")
    for wrong, words in (
        ({"title": " "}, "Title can't be blank"), ({"title": "x" * 257}, "Title is too long"), ({"context": []}, "Context must be"),
        ({"context": ["", "kitchen"]}, "Context must be"), ({"filter_action": "burn"}, "Filter action is invalid"),
        ({"expires_in": -1}, "Expires in is invalid"), ({"expires_in": 10**12}, "Expires in is invalid"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "Expires at is invalid"),
        ({"keywords_attributes": [{"keyword": "\t "}]}, "Keyword can't be blank"),
        ({"keywords_attributes": [{"keyword": "ab"}] * 501}, "500 keywords"),
    ):
        await _refused(town, alice, wrong, words)
    assert await alice.refusal("POST", V2, json={"title": "T", "context": ["home"], "keywords_attributes": [{"id": 1}]}) == GONE
    assert await alice.ask("[Filter]", "GET", V2) == []
    for number in range(100):
        await alice.ask("Filter", "POST", V2, json={"title": f"{number}", "context": ["home"]})
    await _refused(town, alice, {}, "your filters may be 100")
    assert len(await alice.ask("[Filter]", "GET", V2)) == 100
    reader, writer = await town.with_scopes("read:filters"), await town.with_scopes("write:filters")
    assert (await writer.refusal("GET", V2))[0] == (await reader.refusal("POST", V2, json={"title": "T", "context": ["home"]}))[0] == 403
    assert (await town.stranger.refusal("GET", V2))[0] == 401
    moment = await writer.ask("Filter", "POST", V2, json={"title": "T", "context": ["home"], "expires_at": "2100-01-01T00:00:00"})
    assert moment["expires_at"] == "2100-01-01T00:00:00.000Z"


@covers()
async def test_all_that_a_post_says_is_looked_through(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    word = {"keyword": "spinach", "whole_word": True}
    await alice.ask("Filter", "POST", V2, json={"title": "Greens", "context": ["home"], "keywords_attributes": [word]})
    file = (await bela.upload("/api/v2/media", picture(), description="A field of spinach")).json()["id"]
    said = [
        await bela.say("I ate <b>Spinach</b>!"), await bela.say("Lunch", spoiler_text="SPINACH"),
        await bela.say("Look", media_ids=[file]), await bela.say("#spinach", visibility="unlisted"),
        await bela.say("What for lunch?", poll={"options": ["Spinach", "Kale"], "expires_in": 3600}),
    ]
    others = [await bela.say("spinachy"), await bela.say("spin ach")]
    assert [len(await filtered(alice, one["id"])) for one in [*said, *others]] == [1, 1, 1, 1, 1, 0, 0]
    changed = await bela.ask("Status", "PUT", f"{S}/{said[0]['id']}", json={"status": "I ate kale"})
    assert await filtered(alice, changed["id"]) == []


@covers()
async def test_what_a_filter_hides_is_not_told(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    loud = (await bela.say(f"@{alice.account.username} buy my tokens"))["id"]
    mine = (await alice.say("My tokens are mine"))["id"]
    await bela.ask("Status", "POST", f"{S}/{mine}/favourite")
    told = await alice.ask("[Notification]", "GET", "/api/v1/notifications")
    assert [(row["type"], row["status"]["id"]) for row in told] == [("favourite", mine), ("mention", loud)]
    made = await alice.ask("Filter", "POST", V2, json={
        "title": "Spam", "context": ["home"], "filter_action": "hide", "keywords_attributes": [{"keyword": "tokens"}]})
    assert len(await alice.ask("[Notification]", "GET", "/api/v1/notifications")) == 2
    await alice.ask("Filter", "PUT", f"{V2}/{made['id']}", json={"context": ["notifications"]})
    told = await alice.ask("[Notification]", "GET", "/api/v1/notifications")
    assert [(row["type"], row["status"]["id"]) for row in told] == [("favourite", mine)]
    shown = await alice.ask("[Status]", "GET", f"{A}/{bela.account.id}/statuses")
    assert [(row["id"], row["filtered"][0]["filter"]["filter_action"]) for row in shown] == [(loud, "hide")]
    await alice.ask("Filter", "PUT", f"{V2}/{made['id']}", json={"filter_action": "warn"})
    assert len(await alice.ask("[Notification]", "GET", "/api/v1/notifications")) == 2
    await alice.ask("Filter", "PUT", f"{V2}/{made['id']}", json={"filter_action": "hide", "expires_in": 0})
    assert len(await alice.ask("[Notification]", "GET", "/api/v1/notifications")) == 2
