"""Each stream of server-sent events says what another operation did."""

from __future__ import annotations

import json
import uuid

from api.contract import covers
from api.facts import faults
from api.listening import PLACE, Events, breathe, tell
from api.town import A, Caller, S, Town, picture


async def listening(town: Town, someone: Caller, path: str, **query: str) -> Events:
    """Somebody listens, which must succeed."""
    made = await Events.open(town.app, path, someone.token, **query)
    assert (made.status, made.text) == (200, ":)\n")
    headers = {name.decode(): value.decode() for name, value in made.sent[0]["headers"]}
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "private, no-store"
    assert "content-length" not in headers
    assert headers["access-control-allow-origin"] == "*"
    town.succeeded.add(f"GET {PLACE}{path}")
    return made


async def refused(town: Town, path: str, scope: str, **query: str) -> None:
    """Without a token 401, with too small a one 403; an app's own is no person's."""
    nobody = await Events.open(town.app, path, None, **query)
    assert (nobody.status, nobody.error) == (401, "The access token is invalid")
    narrow = await town.with_scopes("write", "read:accounts")
    small = await Events.open(town.app, path, narrow.token, **query)
    assert (small.status, small.error) == (403, "This action is outside the authorized scopes")
    exact = await town.with_scopes(scope)
    heard = await Events.open(town.app, path, exact.token, **query)
    assert heard.status == 200
    await heard.hang_up()


def entity(kind: str, event: tuple[str, str]) -> dict[str, object]:
    """The payload of an event, held against the facts."""
    found: dict[str, object] = json.loads(event[1])
    assert faults(kind, found) == []
    return found


@covers(f"GET {PLACE}/health")
async def test_the_streams_are_well(town: Town) -> None:
    answer = await town.stranger.get(f"{PLACE}/health")
    assert (answer.status, answer.text, answer.headers["content-type"].split(";")[0]) == (200, "OK", "text/plain")


@covers(f"GET {PLACE}/user", f"GET {PLACE}/user/notification")
async def test_a_person_hears_their_home_and_what_they_are_told(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    await alice.ask("Relationship", "POST", f"{A}/{bela.account.id}/follow")
    await tell(town.app)
    home, told = await listening(town, alice, "/user"), await listening(town, alice, "/user/notification")
    said = await bela.say("Good morning")
    await bela.ask("Status", "PUT", f"{S}/{said['id']}", json={"status": "Good evening"})
    await bela.ask("Status", "POST", f"{S}/{(await alice.say('Mine'))['id']}/favourite")
    await tell(town.app)
    assert [name for name, _ in home.heard] == ["update", "update", "status.update", "notification"]
    assert entity("Status", home.heard[0])["id"] == said["id"]
    assert "Good evening" in str(entity("Status", home.heard[2])["content"])
    assert [name for name, _ in told.heard] == ["notification"]
    assert entity("Notification", told.heard[0])["type"] == "favourite"
    await bela.ask("Status", "DELETE", f"{S}/{said['id']}")
    await tell(town.app)
    assert home.heard[-1] == ("delete", said["id"])
    await alice.ask("Filter", "POST", "/api/v2/filters", json={"title": "t", "context": ["home"]})
    await tell(town.app)
    assert home.heard[-1] == ("filters_changed", "undefined")
    await town.app.hub.thump()
    await breathe()
    assert home.text.endswith(":thump\n")
    for line in (home, told):
        await line.hang_up()
    await refused(town, "/user", "read:statuses")
    await refused(town, "/user/notification", "read:notifications")


@covers(f"GET {PLACE}/public", f"GET {PLACE}/public/local", f"GET {PLACE}/public/remote")
async def test_the_public_streams_say_what_everybody_may_read(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    paths = ("/public", "/public/local", "/public/remote")
    lines = [await listening(town, alice, path) for path in paths]
    with_files = [await listening(town, alice, path, only_media="true") for path in paths]
    file = (await bela.upload("/api/v2/media", picture(), "image/png")).json()
    plain, seen = await bela.say("Plain"), await bela.say("Picture", media_ids=[file["id"]])
    await bela.say("Not for all", visibility="private")
    await tell(town.app)
    heard = [[json.loads(data)["id"] for _, data in line.heard] for line in (*lines, *with_files)]
    both, one, none = [plain["id"], seen["id"]], [seen["id"]], []
    assert heard == [both, both, none, one, one, none]
    assert [row["id"] for row in await alice.ask("[Status]", "GET", "/api/v1/timelines/public?limit=2")] == both[::-1]
    for line in (*lines, *with_files):
        await line.hang_up()
    for path in paths:
        await refused(town, path, "read:statuses")
    answer = await alice.refusal("GET", f"{PLACE}/everything")
    assert answer == (400, "Unknown channel requested")


@covers(f"GET {PLACE}/hashtag", f"GET {PLACE}/hashtag/local")
async def test_a_hashtag_has_a_stream(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    tag = f"été{uuid.uuid4().hex[:6]}"
    lines = [await listening(town, alice, path, tag=tag.upper()) for path in ("/hashtag", "/hashtag/local")]
    said = await bela.say(f"#{tag}")
    await bela.say("#another")
    await tell(town.app)
    assert [[json.loads(data)["id"] for _, data in line.heard] for line in lines] == [[said["id"]], [said["id"]]]
    for line in lines:
        await line.hang_up()
    for path in ("/hashtag", "/hashtag/local"):
        await refused(town, path, "read:statuses", tag=tag)
        assert (await alice.refusal("GET", PLACE + path))[0] == 400
        assert (await alice.refusal("GET", f"{PLACE}{path}?tag="))[0] == 400


@covers(f"GET {PLACE}/list")
async def test_a_list_has_a_stream_for_its_owner(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    for one in (bela, carol):
        await alice.ask("Relationship", "POST", f"{A}/{one.account.id}/follow")
    made = await alice.ask("List", "POST", "/api/v1/lists", json={"title": "Neighbours"})
    await alice.ask(None, "POST", f"/api/v1/lists/{made['id']}/accounts", json={"account_ids": [str(bela.account.id)]})
    line = await listening(town, alice, "/list", list=made["id"])
    said = await bela.say("Among neighbours")
    await carol.say("From elsewhere")
    await tell(town.app)
    assert [(name, entity("Status", (name, data))["id"]) for name, data in line.heard] == [("update", said["id"])]
    assert [row["id"] for row in await alice.ask("[Status]", "GET", f"/api/v1/timelines/list/{made['id']}")] == [said["id"]]
    await line.hang_up()
    assert await bela.refusal("GET", f"{PLACE}/list?list={made['id']}") == (404, "Record not found")
    assert (await alice.refusal("GET", f"{PLACE}/list"))[0] == 400
    narrow = await town.with_scopes("read:lists")
    assert (await narrow.refusal("GET", f"{PLACE}/list?list={made['id']}"))[0] == 403
    assert (await town.stranger.refusal("GET", f"{PLACE}/list?list={made['id']}"))[0] == 401
    await alice.ask(None, "DELETE", f"/api/v1/lists/{made['id']}")


@covers(f"GET {PLACE}/direct")
async def test_direct_conversations_have_a_stream(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    line = await listening(town, alice, "/direct")
    said = await bela.say(f"@{alice.account.username} a word", visibility="direct")
    await bela.say("To everybody")
    await tell(town.app)
    assert [name for name, _ in line.heard] == ["conversation"]
    told = entity("Conversation", line.heard[0])
    shown = await alice.ask("[Conversation]", "GET", "/api/v1/conversations")
    assert (told["id"], told["unread"], told["last_status"]["id"]) == (shown[0]["id"], True, said["id"])  # type: ignore[index]
    await alice.ask("Conversation", "POST", f"/api/v1/conversations/{told['id']}/read")
    await tell(town.app)
    assert json.loads(line.heard[1][1])["unread"] is False
    await line.hang_up()
    await refused(town, "/direct", "read:statuses")
