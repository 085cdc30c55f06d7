"""Which of the twelve streams hears which of the ten events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.listening import Socket, breathe, ok, tell
from api.town import A, S, picture
from conftest import Person, Server, settle_in
from parvis.announcements import actions as announcements
from parvis.announcements.model import Notice
from parvis.app import App, build
from parvis.base.settings import Settings
from parvis.moderation.model import MeasureTaken
from parvis.streams import policy

PUBLIC = ("public", "public:local")
FILES = ("public:media", "public:local:media")
TAGGED = ("hashtag", "hashtag:local")
TAG = "Bread"
NAMES = [[stream, TAG] if stream in TAGGED else [stream] for stream in policy.STREAMS if stream != "list"]


class Ears:
    """One client that listens to all twelve streams at once, and which of them hear an event."""

    def __init__(self, app: App, socket: Socket, list_id: str) -> None:
        self.app, self.socket, self.list_id = app, socket, list_id

    @classmethod
    async def open(cls, someone: Person, list_id: str) -> Ears:
        """Connect and subscribe to everything, in-band."""
        made = cls(someone.app, await Socket.open(someone.app, someone.token), list_id)
        for stream in policy.STREAMS:
            more = {"list": list_id} if stream == "list" else {"tag": TAG} if stream in TAGGED else {}
            await made.socket.say(type="subscribe", stream=stream, **more)
        assert made.socket.heard == []
        await tell(someone.app)
        made.socket.take()
        return made

    async def heard(self) -> dict[str, list[str]]:
        """What has been said since the last time: each event with the streams it came on."""
        await tell(self.app)
        found: dict[str, list[str]] = {}
        for message in self.socket.take():
            found.setdefault(message["event"], []).append(message["stream"][0])
            assert message["stream"] in NAMES or message["stream"] == ["list", self.list_id]
        return {event: sorted(streams) for event, streams in found.items()}



class Stage:
    """Alice listens to everything; she follows bela, who is in her list. Carol is a stranger, dora lives elsewhere."""

    def __init__(self, alice: Person, bela: Person, carol: Person, sql: asyncpg.Connection[Any]) -> None:
        self.alice, self.bela, self.carol, self.sql = alice, bela, carol, sql
        self.app = alice.app
        self.ears: Ears

    async def begin(self) -> None:
        """Follow, list, listen."""
        await ok(self.alice, "POST", f"{A}/{self.bela.account.id}/follow")
        made = await ok(self.alice, "POST", "/api/v1/lists", title="Neighbours")
        await ok(self.alice, "POST", f"/api/v1/lists/{made['id']}/accounts", account_ids=[str(self.bela.account.id)])
        self.ears = await Ears.open(self.alice, made["id"])


@pytest.fixture
async def stage(alice: Person, bela: Person, owner: asyncpg.Connection[Any]) -> AsyncIterator[Stage]:
    made = Stage(alice, bela, await settle_in(alice.app, "carol"), owner)
    await made.begin()
    yield made
    await made.ears.socket.hang_up()


def on(*streams: str) -> list[str]:
    return sorted(streams)


async def test_update_edit_and_delete_come_on_the_streams_of_a_post(stage: Stage) -> None:
    near, everywhere = ("user", "list"), (*PUBLIC, *FILES, *TAGGED)
    file = (await stage.bela.upload("/api/v2/media", picture(), "image/png")).json()
    seen = await ok(stage.bela, "POST", S, status="#bread", media_ids=[file["id"]])
    assert await stage.ears.heard() == {"update": on(*near, *everywhere)}
    await ok(stage.bela, "PUT", f"{S}/{seen['id']}", status="Fresh #bread", media_ids=[file["id"]])
    assert await stage.ears.heard() == {"status.update": on(*near, *everywhere)}
    await ok(stage.bela, "DELETE", f"{S}/{seen['id']}")
    assert await stage.ears.heard() == {"delete": on(*near, *everywhere)}
    for visibility, streams in (("public", (*near, *PUBLIC)), ("unlisted", near), ("private", near)):
        said = await ok(stage.bela, "POST", S, status="Plain", visibility=visibility)
        assert await stage.ears.heard() == {"update": on(*streams)}, visibility
        await ok(stage.bela, "PUT", f"{S}/{said['id']}", status="Plainer")
        assert await stage.ears.heard() == {"status.update": on(*streams)}, visibility
        await ok(stage.bela, "DELETE", f"{S}/{said['id']}")
        files = FILES if visibility == "public" else ()  # what is gone has no files any more: who knows whether it had
        assert await stage.ears.heard() == {"delete": on(*streams, *files)}, visibility
    stranger = await ok(stage.carol, "POST", S, status="#bread")
    assert await stage.ears.heard() == {"update": on(*PUBLIC, *TAGGED)}
    await ok(stage.carol, "POST", S, status="An answer #bread", in_reply_to_id=stranger["id"])
    assert await stage.ears.heard() == {"update": on(*TAGGED)}
    await ok(stage.carol, "POST", S, status="#roses", visibility="private")
    await ok(stage.carol, "POST", S, status="@bela a secret", visibility="direct")
    assert await stage.ears.heard() == {}


async def test_a_post_of_another_server_comes_on_the_remote_streams(stage: Stage) -> None:
    dora = await stage.sql.fetchval(
        "INSERT INTO accounts (username, domain, uri, url) VALUES ('dora', 'far.example', 'https://far.example/d', 'd') RETURNING id"
    )
    await stage.sql.execute(
        """INSERT INTO statuses (id, account_id, uri, local, visibility, conversation_id, created_at)
           SELECT n, $1, 'https://far.example/' || n, false, 'public', n,
                  parvis_now() - CASE n WHEN 5 THEN interval '7 hours' ELSE interval '1 minute' END FROM generate_series(5, 7) n""", dora
    )
    await stage.sql.execute("INSERT INTO media (account_id, status_id, kind, content_type) VALUES ($1, 7, 'image', 'image/png')", dora)
    await stage.sql.execute("INSERT INTO pulses (topic) VALUES ('status+5'), ('status+6')")
    assert await stage.ears.heard() == {"update": on("public", "public:remote")}, "what was said long ago is no news"
    await stage.sql.execute("INSERT INTO pulses (topic) VALUES ('status+7'), ('status~5')")
    assert await stage.ears.heard() == {
        "update": on("public", "public:remote", "public:media", "public:remote:media"),
        "status.update": on("public", "public:remote"),
    }


async def test_a_reblog_comes_on_the_streams_near_to_who_passes_it_on(stage: Stage) -> None:
    said = await ok(stage.carol, "POST", S, status="#bread")
    await stage.ears.heard()
    await ok(stage.alice, "POST", f"{S}/{said['id']}/bookmark")
    wrapper = await ok(stage.bela, "POST", f"{S}/{said['id']}/reblog")
    await tell(stage.app)
    told = [(message["stream"][0], json.loads(message["payload"])) for message in stage.ears.socket.take()]
    assert [stream for stream, _ in told] == ["user", "list"]
    for _, shown in told:
        assert (shown["id"], shown["reblog"]["id"]) == (wrapper["id"], said["id"])
        assert (shown["bookmarked"], shown["reblog"]["bookmarked"], shown["favourited"]) == (True, True, False)
    await ok(stage.bela, "POST", f"{S}/{said['id']}/unreblog")
    assert await stage.ears.heard() == {"delete": on("user", "list")}
    again = await ok(stage.bela, "POST", f"{S}/{said['id']}/reblog")
    await stage.ears.heard()
    await ok(stage.carol, "DELETE", f"{S}/{said['id']}")
    await tell(stage.app)
    gone = {(message["stream"][0], message["payload"]) for message in stage.ears.socket.take()}
    assert gone == {("user", again["id"]), ("list", again["id"]), *((name, said["id"]) for name in (*PUBLIC, *FILES, *TAGGED))}


async def test_a_notification_comes_on_two_streams(stage: Stage) -> None:
    said = await ok(stage.alice, "POST", S, status="Mine", visibility="unlisted")
    assert await stage.ears.heard() == {"update": ["user"]}
    await ok(stage.carol, "POST", f"{S}/{said['id']}/favourite")
    assert await stage.ears.heard() == {"notification": on("user", "user:notification")}
    await ok(stage.carol, "POST", f"{A}/{stage.bela.account.id}/follow")
    assert await stage.ears.heard() == {}, "what others are told"


async def test_a_conversation_comes_on_the_direct_stream(stage: Stage) -> None:
    await ok(stage.bela, "POST", S, status="@alice a word", visibility="direct")
    assert await stage.ears.heard() == {
        "conversation": ["direct"], "notification": on("user", "user:notification"), "update": on("user", "list"),
    }
    await ok(stage.bela, "POST", S, status="@carol a word", visibility="direct")
    assert await stage.ears.heard() == {}


async def test_changed_filters_and_merged_notifications_have_no_payload_to_speak_of(stage: Stage) -> None:
    await ok(stage.alice, "POST", "/api/v2/filters", title="t", context=["home"])
    await tell(stage.app)
    assert stage.ears.socket.take() == [{"stream": ["user"], "event": "filters_changed"}]
    await ok(stage.bela, "POST", "/api/v2/filters", title="t", context=["home"])
    assert await stage.ears.heard() == {}
    await ok(stage.alice, "PATCH", "/api/v2/notifications/policy", for_not_following="filter")
    await ok(stage.carol, "POST", S, status="@alice hello", visibility="unlisted")
    assert await stage.ears.heard() == {}, "what is filtered is not told"
    asked = (await stage.alice.get("/api/v1/notifications/requests")).json()
    await ok(stage.alice, "POST", f"/api/v1/notifications/requests/{asked[0]['id']}/accept")
    await tell(stage.app)
    assert stage.ears.socket.take() == [
        {"stream": [name], "event": "notifications_merged", "payload": "1"} for name in ("user", "user:notification")
    ]


async def test_announcements_come_on_everybodys_home(stage: Stage) -> None:
    settings = stage.app.settings
    async with stage.app.db.write() as tx:
        number = await announcements.announce(tx, Notice(text="Market on Sunday"), settings.base, settings.domain)
    assert await stage.ears.heard() == {"announcement": ["user"]}
    await ok(stage.bela, "PUT", f"/api/v1/announcements/{number}/reactions/👍")
    await tell(stage.app)
    told = stage.ears.socket.take()
    assert [(m["stream"], m["event"]) for m in told] == [(["user"], "announcement.reaction")]
    assert json.loads(told[0]["payload"]) == {"name": "👍", "count": 1, "announcement_id": str(number)}
    await ok(stage.bela, "DELETE", f"/api/v1/announcements/{number}/reactions/👍")
    await tell(stage.app)
    assert json.loads(stage.ears.socket.take()[0]["payload"])["count"] == 0
    async with stage.app.db.write() as tx:
        await announcements.withdraw(tx, number)
    await tell(stage.app)
    assert stage.ears.socket.take() == [{"stream": ["user"], "event": "announcement.delete", "payload": str(number)}]


async def test_a_measure_on_a_post_changes_it_or_takes_it_away(stage: Stage) -> None:
    said = await ok(stage.bela, "POST", S, status="Something", visibility="unlisted")
    await stage.ears.heard()
    for level, event in ((2, "status.update"), (4, "delete")):
        async with stage.app.db.write() as tx:
            await tx.emit(MeasureTaken(1, stage.bela.account.id, level, (int(said["id"]),)))
        assert await stage.ears.heard() == {event: on("user", "list")}


async def test_what_a_filter_finds_is_said_to_who_holds_it_alone(stage: Stage) -> None:
    line = await Socket.open(stage.app, stage.carol.token, stream="public")
    await ok(stage.carol, "POST", "/api/v2/filters", title="No", context=["public"], keywords_attributes=[{"keyword": "stale"}])
    await ok(stage.bela, "POST", S, status="stale bread")
    await tell(stage.app)
    mine, theirs = line.take(), [m for m in stage.ears.socket.take() if m["stream"] == ["public"]]
    assert json.loads(mine[-1]["payload"])["filtered"][0]["keyword_matches"] == ["stale"]
    assert json.loads(theirs[-1]["payload"])["filtered"] == []
    await line.hang_up()


async def test_a_batch_costs_the_same_for_few_listeners_and_for_many(server: Server, database_name: str, tmp_path: Path) -> None:
    url = server.url("parvis_app", database_name)
    app = await build(Settings(data=tmp_path, origin="http://localhost", database_url=url, dev=True), pool=1)
    sent: list[str] = []
    async with app.db.pool.acquire() as connection:
        connection.add_query_logger(lambda record: sent.append(record.query))
    people = [await settle_in(app, f"p{number}") for number in range(12)]
    author, reader = await settle_in(app, "author"), people[0]
    for one in people:
        await ok(one, "POST", f"{A}/{author.account.id}/follow")

    async def cost() -> int:
        said = await ok(author, "POST", S, status="@p0 @p1 @p2 @p9 #bread")
        await ok(author, "POST", S, status="@p0 @p1 @p2 @p9 a word", visibility="direct")
        await ok(reader, "POST", f"{S}/{said['id']}/favourite")
        await ok(author, "PUT", f"{S}/{said['id']}", status="@p0 again #bread")
        await ok(author, "DELETE", f"{S}/{(await ok(author, 'POST', S, status='Oh'))['id']}")
        async with app.db.write() as tx:
            topics = await tx.values("WITH gone AS (DELETE FROM pulses RETURNING id, topic) SELECT topic FROM gone ORDER BY id")
        sent.clear()
        await app.hub.wake(topics)
        return len([query for query in sent if "advisory_unlock" not in query])

    lines: list[Socket] = []
    costs = []
    for some in (people[:3], people[3:]):
        lines += [await Socket.open(app, one.token, stream=name) for one in some for name in ("user", "direct", "public")]
        costs.append(await cost())
        await breathe()
        assert all(line.heard for line in lines[::3])
    assert costs[1] <= costs[0] <= 20
    for line in lines:
        await line.hang_up()
    await app.close()
