"""What every operation shares: tokens, scopes, paging, encodings, refusals, CORS."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest

from api.town import A, Caller, S, Town
from parvis.api.operations import OPERATIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLE = {"{id}": "7", "{number}": "II.1", "{index}": "0", "{hashtag}": "x", "{name}": "x"}


def sample(path: str) -> str:
    """A path of the right form, to nothing in particular."""
    return re.sub(r"{\w+}", lambda found: SAMPLE.get(found[0], "7"), path)


async def test_every_operation_of_users_asks_for_a_token_and_its_scope(town: Town) -> None:
    for_users = [o for o in OPERATIONS if o.who != "anyone"]
    assert len(for_users) > 60
    scopes = sorted({o.scope for o in for_users if o.scope})
    bearers = {scope: await town.with_scopes(*(other for other in scopes if other != scope and not scope.startswith(f"{other}:"))) for scope in scopes}
    for operation in for_users:
        path = sample(operation.path)
        assert await town.stranger.refusal(operation.method, path) == (401, "The access token is invalid"), operation.name
        if operation.scope:
            refused = await bearers[operation.scope].refusal(operation.method, path)
            assert refused == (403, "This action is outside the authorized scopes"), operation.name


async def test_what_is_absent_and_what_is_hidden_look_alike(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    hidden = (await alice.say("Secret", visibility="direct"))["id"]
    gone = (await alice.say("Gone"))["id"]
    await alice.ask("Status", "DELETE", f"{S}/{gone}")
    for caller in (bela, town.stranger):
        for operation in OPERATIONS:
            if operation.path.startswith(S + "/{id}") and (operation.who == "anyone" or caller is bela):
                given = {"json": {"status": "x"}} if operation.method == "PUT" else {}
                found = {
                    await caller.refusal(operation.method, operation.path.replace("{id}", number), **given)
                    for number in (hidden, gone, "1", "9" * 30, "abc")
                }
                assert found == {(404, "Record not found")}, operation.name


async def lists(town: Town) -> list[tuple[Caller, str, list[str]]]:
    """Every kind of list with five things in it: who asks, where, and the ids in order, newest first."""
    alice, *others = await town.people("alice", *(f"o{number}" for number in range(5)))
    tag = f"t{uuid.uuid4().hex[:8]}"
    said = [(await alice.say(f"{number} #{tag}"))["id"] for number in range(5)]
    for number in said:
        await others[0].ask(None, "POST", f"{S}/{number}/favourite")
        await others[0].ask(None, "POST", f"{S}/{number}/bookmark")
    for other in others:
        await other.ask(None, "POST", f"{A}/{alice.account.id}/follow")
        await other.ask(None, "POST", f"{S}/{said[0]}/favourite")
        await other.ask(None, "POST", f"{S}/{said[0]}/reblog")
        await alice.ask(None, "POST", f"{A}/{other.account.id}/follow")
        await alice.ask(None, "POST", f"{A}/{other.account.id}/mute")
    newest, people = said[::-1], [str(other.account.id) for other in others][::-1]
    return [
        (town.stranger, f"/api/v1/timelines/tag/{tag}?", newest),
        (town.stranger, "/api/v1/timelines/public?local=true&", newest),
        (town.stranger, f"{A}/{alice.account.id}/statuses?", newest),
        (alice, "/api/v1/timelines/home?", newest),
        (others[0], "/api/v1/favourites?", newest),
        (others[0], "/api/v1/bookmarks?", newest),
        (town.stranger, f"{A}/{alice.account.id}/followers?", people),
        (town.stranger, f"{A}/{alice.account.id}/following?", people),
        (town.stranger, f"{S}/{said[0]}/favourited_by?", people),
        (town.stranger, f"{S}/{said[0]}/reblogged_by?", people),
        (alice, "/api/v1/mutes?", people),
    ]


def links(header: str) -> dict[str, str]:
    """A Link header as addresses by relation."""
    return {name: address for address, name in re.findall(r'<([^>]*)>; rel="(\w+)"', header)}


async def test_lists_page_down_and_up_without_a_gap_or_a_repetition(town: Town) -> None:
    for caller, path, wanted in await lists(town):
        first = await caller.get(f"{path}limit=2")
        assert [row["id"] for row in first.json()] == wanted[:2], path
        found = links(first.headers["link"])
        assert all(address.startswith(f"http://localhost{path}") for address in found.values()), path
        assert all("limit=2" in address for address in found.values()), path
        second = await caller.get(found["next"].removeprefix("http://localhost"))
        assert [row["id"] for row in second.json()] == wanted[2:4], path
        third = await caller.get(links(second.headers["link"])["next"].removeprefix("http://localhost"))
        assert [row["id"] for row in third.json()][:1] == wanted[4:], path
        back = await caller.get(links(second.headers["link"])["prev"].removeprefix("http://localhost"))
        assert [row["id"] for row in back.json()] == wanted[:2], path
        newer = await caller.get(links(first.headers["link"])["prev"].removeprefix("http://localhost"))
        assert (newer.json(), newer.headers.get("link")) == ([], None), path


async def test_the_bounds_of_a_list_are_exclusive(town: Town) -> None:
    alice = await town.person("alice")
    ids = [(await alice.say(str(number)))["id"] for number in range(5)]
    for query, wanted in (
        ({"max_id": ids[3]}, [2, 1, 0]), ({"since_id": ids[1]}, [4, 3, 2]), ({"since_id": ids[0], "limit": 2}, [4, 3]),
        ({"min_id": ids[0], "limit": 2}, [2, 1]), ({"min_id": ids[0], "max_id": ids[4]}, [3, 2, 1]),
        ({"min_id": ids[0], "max_id": ids[4], "limit": 1}, [1]), ({"limit": 0}, [4, 3, 2, 1, 0]),
    ):
        for place in (f"{A}/{alice.account.id}/statuses", "/api/v1/timelines/home"):
            found = await alice.ask("[Status]", "GET", f"{place}?{urlencode(query)}")
            assert [ids.index(row["id"]) for row in found] == wanted, (place, query)
    assert await alice.refusal("GET", "/api/v1/timelines/home?limit=-1") == (422, "Validation failed: Limit is invalid")


async def test_a_limit_is_capped_at_twice_the_default(town: Town) -> None:
    alice = await town.person("alice")
    for number in range(41):
        await alice.say(f"Number {number}")
    place = f"{A}/{alice.account.id}/statuses"
    assert [len(await alice.ask(None, "GET", f"{place}{query}")) for query in ("", "?limit=40", "?limit=4000")] == [20, 40, 40]


ENCODED: list[tuple[str, dict[str, Any]]] = [
    ("JSON", {"json": {"status": "Hi", "spoiler_text": "Careful", "sensitive": True, "language": "fr"}}),
    ("form", {"form": {"status": "Hi", "spoiler_text": "Careful", "sensitive": "1", "language": "fr"}}),
    ("words in JSON", {"json": {"status": "Hi", "spoiler_text": "Careful", "sensitive": "on", "language": "fr", "x": {"y": [1]}}}),
]


@pytest.mark.parametrize(("name", "given"), ENCODED, ids=[name for name, _ in ENCODED])
async def test_parameters_come_in_any_encoding(town: Town, name: str, given: dict[str, Any]) -> None:
    made = await (await town.person("alice")).ask("Status", "POST", S, **given)
    assert (made["content"], made["spoiler_text"], made["sensitive"], made["language"]) == ("<p>Hi</p>", "Careful", True, "fr")


async def test_multipart_and_query_are_parameters_too(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    fields = {"status": "Hi", "visibility": "unlisted"}
    body = "".join(f'--e\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()) + "--e--\r\n"
    sent = await alice.call("POST", S, headers={"content-type": "multipart/form-data; boundary=e"}, body=body.encode())
    assert (sent.json()["content"], sent.json()["visibility"]) == ("<p>Hi</p>", "unlisted")
    made = await alice.ask("Status", "POST", f"{S}?status=Asked&language=en", json={"visibility": "private"})
    assert (made["content"], made["visibility"], made["language"]) == ("<p>Asked</p>", "private", "en")
    ids = [str(alice.account.id), str(bela.account.id)]
    for query in (f"id[]={ids[0]}&id[]={ids[1]}", f"id[0]={ids[0]}&id[1]={ids[1]}"):
        assert [row["id"] for row in await alice.ask("[Account]", "GET", f"{A}?{query}")] == ids
    assert [row["id"] for row in await alice.ask("[Account]", "GET", f"{A}?id={ids[1]}")] == ids[1:]
    assert (await alice.ask("Status", "GET", f"{S}/{made['id']}/"))["id"] == made["id"]
    gone = await alice.ask("Status", "DELETE", f"{S}/{made['id']}?delete_media=true")
    assert gone["id"] == made["id"]


async def test_a_refusal_is_told_in_mastodons_words(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = (await bela.say("Here", visibility="private"))["id"]
    await alice.ask(None, "POST", f"{A}/{bela.account.id}/follow")
    for method, path, given, told in (
        ("POST", S, {"json": {"status": " "}}, (422, "Validation failed: Text can't be blank")),
        ("POST", S, {"json": {"status": "x" * 501}}, (422, "Validation failed: Text is too long")),
        ("POST", S, {"json": {"status": "x", "media_ids": ["12"]}}, (422, "Validation failed: Media ids could not be found")),
        ("POST", S, {"json": {"status": "x", "in_reply_to_id": "12"}}, (404, "Record not found")),
        ("POST", f"{S}/{said}/reblog", {}, (403, "This action is not allowed (not_reblogged)")),
        ("POST", f"{A}/{alice.account.id}/follow", {}, (403, "This action is not allowed (follow_self)")),
        ("GET", "/api/v2/search", {}, (400, "param is missing or the value is empty: q")),
        ("PATCH", f"{S}/{said}", {}, (405, "Method not allowed")),
    ):
        assert await alice.refusal(method, path, **given) == told
    answer = await alice.call("POST", S, headers={"content-type": "application/json"}, body=b"{")
    assert (answer.status, answer.json()) == (400, {"error": "The request's body is not valid JSON"})


async def test_a_browser_of_any_origin_may_read_answers_and_their_links(town: Town) -> None:
    for path in ("/api/v1/timelines/public", "/api/v1/nowhere", "/.well-known/oauth-authorization-server"):
        answer = await town.stranger.get(path, origin="https://app.example")
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"Link", "X-RateLimit-Reset", "X-RateLimit-Limit", "X-RateLimit-Remaining"} <= set(exposed)
        assert "access-control-allow-credentials" not in answer.headers
    asked = {"origin": "https://app.example", "access-control-request-method": "DELETE",
             "access-control-request-headers": "authorization, idempotency-key"}
    for path in (f"{S}/1", "/oauth/token", "/oauth/revoke"):
        answer = await town.stranger.call("OPTIONS", path, headers=asked)
        assert (answer.status, answer.body) == (200, b"")
        assert "DELETE" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "authorization, idempotency-key"


async def test_answers_to_strangers_may_be_kept_and_answers_to_people_may_not(town: Town) -> None:
    alice = await town.person("alice")
    public = await town.stranger.get("/api/v1/timelines/public")
    assert public.headers["cache-control"] == "max-age=15, public, stale-while-revalidate=30, stale-if-error=86400"
    assert (await alice.get("/api/v1/timelines/public")).headers["cache-control"] == "private, no-store"
    assert public.headers["vary"] == "Authorization, Origin"


async def test_an_idempotency_key_holds_against_calls_at_once_and_is_ones_own(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    key = {"Idempotency-Key": "k"}
    made = await asyncio.gather(*(alice.ask("Status", "POST", S, json={"status": "Once"}, headers=key) for _ in range(4)))
    assert len({row["id"] for row in made}) == 1
    other = await bela.ask("Status", "POST", S, json={"status": "Once"}, headers=key)
    more = await alice.ask("Status", "POST", S, json={"status": "Once"}, headers={"Idempotency-Key": "k2"})
    assert len({made[0]["id"], other["id"], more["id"]}) == 3
    assert [row["id"] for row in await alice.ask("[Status]", "GET", "/api/v1/timelines/home")] == [more["id"], made[0]["id"]]


async def test_a_long_stretch_of_what_is_not_shown_does_not_end_the_home_timeline(town: Town) -> None:
    alice, bela, mallory = await town.people("alice", "bela", "mallory")
    first = await alice.say("First")
    await alice.ask(None, "POST", f"{A}/{bela.account.id}/follow")
    await alice.ask(None, "POST", f"{A}/{mallory.account.id}/mute")
    for number in range(15):
        noise = await mallory.say(str(number))
        await bela.ask(None, "POST", f"{S}/{noise['id']}/reblog")
    last = await bela.say("Last")
    page = await alice.ask("[Status]", "GET", "/api/v1/timelines/home?limit=1")
    assert [row["id"] for row in page] == [last["id"]]
    page = await alice.ask("[Status]", "GET", f"/api/v1/timelines/home?limit=1&max_id={last['id']}")
    assert [row["id"] for row in page] == [first["id"]]
    page = await alice.ask("[Status]", "GET", f"/api/v1/timelines/home?limit=1&min_id={first['id']}")
    assert [row["id"] for row in page] == [last["id"]]
