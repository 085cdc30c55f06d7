"""Listening in-process: a WebSocket and server-sent events driven by hand, and the hub told of what has changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from conftest import Client
from parvis.app import App

PLACE = "/api/v1/streaming"
TURNS = 30


async def breathe() -> None:
    """Let every task that can go on go on."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def tell(app: App) -> list[str]:
    """Bring what waits in the table to the hub, as the notifier and the listener do; the topics."""
    async with app.db.write() as tx:
        topics = await tx.values(
            "WITH gone AS (DELETE FROM pulses RETURNING id, topic) SELECT topic FROM gone ORDER BY id"
        )
    await app.hub.wake(topics)
    await breathe()
    return topics


class Line:
    """One client of one App, whose ASGI messages go through two queues."""

    kind = "http"
    path = PLACE

    def __init__(self, app: App, query: Mapping[str, str], headers: Mapping[str, str], protocols: tuple[str, ...] = ()) -> None:
        self.sent: list[dict[str, Any]] = []
        self.blocked = asyncio.Event()  # a client that reads nothing
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {
            "type": self.kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": self.path,
            "raw_path": self.path.encode(), "query_string": urlencode(query).encode(), "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()],
            "client": ("127.0.0.1", 1), "server": ("localhost", 80), "subprotocols": list(protocols),
            "scheme": "ws" if self.kind == "websocket" else "http", "extensions": {"websocket.http.response": {}},
        }
        self.task = asyncio.create_task(app.asgi(scope, self._inbox.get, self._send))

    async def _send(self, message: Any) -> None:
        while self.blocked.is_set():
            await asyncio.sleep(3600)
        self.sent.append(message)

    def put(self, message: dict[str, Any]) -> None:
        """What the server receives next."""
        self._inbox.put_nowait(message)

    async def until_answered(self) -> None:
        """Wait for the first answer."""
        while not self.sent and not self.task.done():
            await asyncio.sleep(0.001)
        if self.task.done() and self.task.exception():
            raise self.task.exception() or RuntimeError

    @property
    def status(self) -> int | None:
        """With which code it was refused or answered."""
        found: int | None = self.sent[0].get("status") if self.sent else None
        return found

    @property
    def error(self) -> Any:
        """What a refusal says."""
        return json.loads(b"".join(message.get("body", b"") for message in self.sent[1:]))["error"]


class Socket(Line):
    """A WebSocket."""

    kind = "websocket"

    @classmethod
    async def open(cls, app: App, token: str | None, protocols: tuple[str, ...] = (), **query: str) -> Socket:
        """Connect, and wait until one is let in or not."""
        made = cls(app, query, {"authorization": f"Bearer {token}"} if token else {}, protocols)
        made.put({"type": "websocket.connect"})
        await made.until_answered()
        if "stream" in query:
            await made.settled()
        return made

    async def settled(self) -> None:
        """Let the server act on what was said: some of it asks the database."""
        await asyncio.sleep(0.02)
        await breathe()

    async def say(self, **words: object) -> None:
        """Say something and let the server act on it."""
        self.put({"type": "websocket.receive", "text": json.dumps(words)})
        await self.settled()

    @property
    def heard(self) -> list[dict[str, Any]]:
        """Every message so far."""
        return [json.loads(message["text"]) for message in self.sent if message["type"] == "websocket.send"]

    @property
    def closed(self) -> int | None:
        """With which code the server hung up; None while it has not."""
        return next((message.get("code", 1000) for message in self.sent if message["type"] == "websocket.close"), None)

    def take(self) -> list[dict[str, Any]]:
        """Every message so far, once."""
        found = self.heard
        self.sent = [message for message in self.sent if message["type"] != "websocket.send"]
        return found

    async def hang_up(self) -> None:
        """Leave."""
        self.put({"type": "websocket.disconnect", "code": 1000})
        await self.task


class Events(Line):
    """Server-sent events."""

    def __init__(self, app: App, path: str, token: str | None, **query: str) -> None:
        self.path = PLACE + path
        super().__init__(app, query, {"authorization": f"Bearer {token}"} if token else {})
        self.put({"type": "http.request", "body": b"", "more_body": False})

    @classmethod
    async def open(cls, app: App, path: str, token: str | None, **query: str) -> Events:
        """Connect, and wait for the beginning."""
        made = cls(app, path, token, **query)
        await made.until_answered()
        await breathe()
        return made

    @property
    def text(self) -> str:
        """All that came."""
        return b"".join(message.get("body", b"") for message in self.sent[1:]).decode()

    @property
    def heard(self) -> list[tuple[str, str]]:
        """Each event with its data."""
        blocks = [block for block in self.text.replace(":thump\n", "").removeprefix(":)\n").split("\n\n") if block]
        return [(one.split("\n")[0].removeprefix("event: "), one.split("\n")[1].removeprefix("data: ")) for one in blocks]

    async def hang_up(self) -> None:
        """Leave."""
        self.put({"type": "http.disconnect"})
        await self.task


async def ok(someone: Client, method: str, path: str, **fields: object) -> Any:
    """A request that succeeds."""
    answer = await someone.send(method, path, json=fields)
    assert answer.status == 200, answer.text
    return answer.json()
