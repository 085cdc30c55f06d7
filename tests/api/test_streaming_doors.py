"""Who may listen to streams, with what, how much, and when a stream ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from api.listening import Events, Socket, breathe, ok, tell
from api.town import A, S
from conftest import Person, Server, settle_in
from parvis.access import actions as access
from parvis.accounts import actions as accounts
from parvis.api import hub as hubs
from parvis.app import App
from parvis.base import pulse
from parvis.moderation.model import MeasureTaken
from parvis.streams import policy


async def let_in(line: Socket) -> bool:
    return line.sent[0]["type"] == "websocket.accept"


async def test_a_token_is_shown_in_one_of_three_ways(app: App, alice: Person) -> None:
    token = alice.token or ""
    for line in (
        await Socket.open(app, token), await Socket.open(app, None, protocols=(token,)),
        await Socket.open(app, None, access_token=token),
    ):
        assert await let_in(line)
        await line.hang_up()
    echoed = await Socket.open(app, None, protocols=(token,))
    assert echoed.sent[0]["subprotocol"] == token
    await echoed.hang_up()
    by_address = await Events.open(app, "/user", None, access_token=token)
    assert by_address.status == 200
    await by_address.hang_up()


async def test_without_the_right_token_nobody_is_let_in(app: App, alice: Person, bela: Person) -> None:
    async with app.db.write() as tx:
        narrow, _ = await access.issue(tx, alice.account.id, ["write", "read:accounts"], None)
        made = await access.register_application(tx, "App", None, ["urn:ietf:wg:oauth:2.0:oob"], "read")
        apps_own, *_ = await access.app_token(tx, made.application, "read")
        await access.disable(tx, bela.account.id)
    for token, status, error in (
        (None, 401, "The access token is invalid"), ("nonsense", 401, "The access token is invalid"),
        (apps_own, 401, "The access token is invalid"), (narrow, 403, "This action is outside the authorized scopes"),
        (bela.token, 403, "Your login is currently disabled"),
    ):
        line = await Socket.open(app, token, stream="user")
        assert (line.status, line.error) == (status, error)
        assert (await Events.open(app, "/user", token)).status == status


async def test_each_stream_asks_for_its_own_scope(app: App, alice: Person, bela: Person) -> None:
    tokens = {}
    async with app.db.write() as tx:
        for scope in ("read", "read:statuses", "read:notifications"):
            tokens[scope], _ = await access.issue(tx, alice.account.id, [scope], None)
    lines = {scope: await Socket.open(app, token) for scope, token in tokens.items()}
    for line in lines.values():
        await line.say(type="subscribe", stream="user")
        await line.say(type="subscribe", stream="user:notification")
    refusal = {"error": "This action is outside the authorized scopes", "status": 403}
    assert {scope: line.take() for scope, line in lines.items()} == {
        "read": [], "read:statuses": [refusal], "read:notifications": [refusal],
    }
    await ok(bela, "POST", f"{A}/{alice.account.id}/follow")
    await ok(alice, "POST", S, status="Mine")
    await tell(app)
    heard = {scope: [(m["stream"][0], m["event"]) for m in line.heard] for scope, line in lines.items()}
    assert heard == {
        "read": [("user", "update"), ("user", "notification"), ("user:notification", "notification")],
        "read:statuses": [("user", "update")], "read:notifications": [("user:notification", "notification")],
    }
    for line in lines.values():
        await line.hang_up()


async def test_what_a_client_says_wrong_is_answered_and_the_rest_goes_on(app: App, alice: Person, bela: Person) -> None:
    theirs = await ok(bela, "POST", "/api/v1/lists", title="Theirs")
    line = await Socket.open(app, alice.token, stream="everything")
    await line.say(type="subscribe", stream="list")
    await line.say(type="subscribe", stream="list", list=theirs["id"])
    await line.say(type="subscribe", stream="hashtag")
    await line.say(type="subscribe", stream="hashtag", tag="")
    await line.say(type="dance")
    for text in ("nonsense", "[]", "{}", '{"type":1}', '{"type":"subscribe","stream":["user"]}'):
        line.put({"type": "websocket.receive", "text": text})
    await line.settled()
    assert line.take() == [
        {"error": "Unknown stream type", "status": 400}, {"error": "Missing list name parameter", "status": 400},
        {"error": "Record not found", "status": 404}, {"error": "Missing tag name parameter", "status": 400},
        {"error": "Missing tag name parameter", "status": 400},
    ]
    await line.say(type="subscribe", stream="user")
    await line.say(type="subscribe", stream="user")
    await ok(alice, "POST", S, status="Heard once")
    await tell(app)
    assert [message["event"] for message in line.take()] == ["update"]
    await line.say(type="unsubscribe", stream="user")
    await ok(alice, "POST", S, status="Not heard")
    await tell(app)
    assert line.take() == []
    line.put({"type": "websocket.receive", "bytes": b"x"})
    await line.settled()
    assert line.closed == 1003
    assert line.task.done()


async def test_a_connection_has_so_many_streams_and_no_more(app: App, alice: Person) -> None:
    line = await Socket.open(app, alice.token)
    for number in range(policy.MOST_WISHES + 1):
        line.put({"type": "websocket.receive", "text": json.dumps({"type": "subscribe", "stream": "hashtag", "tag": f"t{number}"})})
    while not line.heard:
        await line.settled()
    assert line.heard == [{"error": "Validation failed: Stream has too many entries", "status": 422}]
    await line.hang_up()


async def test_one_person_holds_so_many_connections_and_no_more(app: App, alice: Person, bela: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "MOST_OF_ONE", 2)
    lines = [await Socket.open(app, alice.token), await Socket.open(app, alice.token)]
    one_more = await Socket.open(app, alice.token)
    assert (one_more.status, one_more.error) == (429, "Too many requests")
    assert (await Events.open(app, "/user", alice.token)).status == 429
    lines.append(await Socket.open(app, bela.token))
    assert await let_in(lines[-1])
    await lines[0].hang_up()
    lines[0] = await Socket.open(app, alice.token)
    assert await let_in(lines[0])
    for line in lines:
        await line.hang_up()


async def test_a_stream_ends_when_who_listens_may_no_longer(app: App, alice: Person, bela: Person) -> None:
    async with app.db.write() as tx:
        made = await access.register_application(tx, "App", None, ["urn:ietf:wg:oauth:2.0:oob"], "read")
        tokens = [(await access.issue(tx, alice.account.id, ["read"], number))[0]
                  for number in (made.application.id, made.application.id, None)]
    lines = [await Socket.open(app, token, stream="user") for token in tokens]
    events = await Events.open(app, "/user", tokens[0])
    other = await Socket.open(app, bela.token, stream="user")
    carol = await settle_in(app, "carol")
    await ok(alice, "POST", f"{A}/{carol.account.id}/follow")

    async def ended(change: Any) -> list[int]:
        async with app.db.write() as tx:
            await change(tx)
        await ok(carol, "POST", S, status="Not for who is out")
        await tell(app)
        await asyncio.gather(*(line.task for line in lines if line.closed is not None))
        return [place for place, line in enumerate(lines) if line.closed is not None]

    assert await ended(lambda tx: access.revoke(tx, made.application, tokens[0])) == [0]
    await events.task
    assert events.heard == []
    assert await ended(lambda tx: access.delete_application(tx, made.application.id)) == [0, 1]
    assert [m["event"] for m in lines[2].heard] == ["update", "update"]
    assert await ended(lambda tx: access.change_password(tx, alice.account.id, "another")) == [0, 1, 2]
    assert {line.closed for line in lines} == {1008}
    assert all(len(line.heard) == place for place, line in enumerate(lines))
    for change in (
        lambda tx: access.disable(tx, bela.account.id),
        lambda tx: tx.emit(MeasureTaken(1, bela.account.id, 6, ())),
        lambda tx: accounts.close(tx, bela.account),
    ):
        async with app.db.write() as tx:
            await change(tx)
        await tell(app)
        await other.task
        assert other.closed == 1008
        async with app.db.write() as tx:
            await tx.run("UPDATE users SET disabled_at = NULL")
        other = await Socket.open(app, bela.token, stream="user")
    assert other.status == 403


async def test_a_token_that_ends_without_a_word_is_found_out(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    line, events = await Socket.open(app, alice.token, stream="user"), await Events.open(app, "/user", alice.token)
    await app.hub.thump()
    await breathe()
    assert (line.closed, events.text) == (None, ":)\n:thump\n")
    await owner.execute("UPDATE tokens SET expires_at = parvis_now() - interval '1 second'")
    await app.hub.thump()
    await line.task
    await events.task
    assert line.closed == 1008


async def test_a_client_that_is_too_slow_is_hung_up_on_and_others_are_not(app: App, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "MOST_WAITING", 3)
    slow, quick = await Socket.open(app, alice.token, stream="user"), await Socket.open(app, alice.token, stream="user")
    slow.blocked.set()
    for number in range(6):
        await ok(alice, "POST", S, status=f"Number {number}")
        await tell(app)
    await asyncio.wait_for(slow.task, 5)
    assert (len(quick.heard), len(slow.heard)) == (6, 0)
    stuck = await Socket.open(app, alice.token, stream="user")
    stuck.blocked.set()
    await ok(alice, "POST", S, status="First")
    await ok(alice, "POST", S, status="Second")
    await tell(app)
    await app.hub.thump()
    assert not stuck.task.done()
    await app.hub.thump()
    await asyncio.wait_for(stuck.task, 5)
    assert quick.closed is None
    await quick.hang_up()


async def superuser(server: Server, sql: str, *args: object) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server.url(server.superuser, "postgres"))
    assert await connection.fetch(sql, *args)
    await connection.close()


async def test_what_the_notifier_says_is_heard_and_a_broken_line_ends_all_streams(
    app: App, alice: Person, server: Server, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "PAUSE", 0.05)
    await pulse.beat(app.db)
    running = asyncio.create_task(app.hub.run())
    await asyncio.sleep(0.2)
    line = await Socket.open(app, alice.token, stream="user")

    async def heard(many: int) -> None:
        while len(line.heard) < many:
            await asyncio.sleep(0.01)

    await ok(alice, "POST", S, status="Over the line")
    assert await pulse.beat(app.db) == 1
    await asyncio.wait_for(heard(1), 5)
    await superuser(server, """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = $1 AND usename = 'parvis_app' AND query LIKE 'LISTEN%'""", database_name)
    await asyncio.wait_for(line.task, 5)
    assert line.closed == 1013
    again = await Socket.open(app, alice.token, stream="user")
    await asyncio.sleep(0.3)
    await ok(alice, "POST", S, status="Over another line")
    await pulse.beat(app.db)
    while not again.heard:
        await asyncio.sleep(0.01)
    await again.hang_up()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
