"""Streams as they travel: server-sent events, one stream a request; and one WebSocket for many."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import msgspec
from starlette.responses import PlainTextResponse, Response
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from parvis.access.model import Bearer
from parvis.api import errors, limits
from parvis.api.call import App, Call, Nothing, Operation, bearer_of, get, permit, shown_token
from parvis.api.hub import Connection, Hub
from parvis.base.errors import NotFound, Problem, Unauthenticated
from parvis.streams import policy
from parvis.streams.model import Wish
from parvis.timelines import queries as timelines
from parvis.views.cards import ENCODE

HEAD = "/api/v1/streaming"
UNKNOWN = (400, "Unknown channel requested")
FAREWELL = 1.0  # seconds that a client has to take its leave
LONGEST_MESSAGE = 4096
UNREADABLE, TOO_BIG, TRY_AGAIN, ENDED = 1003, 1009, 1013, 1008  # RFC 6455 §7.4.1, and IANA's 1013


class Public(msgspec.Struct, frozen=True, kw_only=True):
    """A public stream, of everything or of posts with files alone."""

    only_media: bool = False


class OfTag(msgspec.Struct, frozen=True, kw_only=True):
    """The stream of a hashtag."""

    tag: str


class OfList(msgspec.Struct, frozen=True, kw_only=True):
    """The stream of a list."""

    list: str


class Lines(Response):
    """Server-sent events, until one side ends them."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, connection: Connection) -> None:
        super().__init__(b"", 200, {"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub, self._connection = hub, connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes, and look whether the client is still there."""

        async def sending() -> None:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            text = ":)\n"
            while True:
                await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
                text = await self._connection.next()

        async def watching() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        await _carried(self._hub, self._connection, sending(), watching())
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _carried(
    hub: Hub, connection: Connection, sending: Coroutine[Any, Any, None], receiving: Coroutine[Any, Any, None]
) -> None:
    """Send and receive until either is over, or the hub ends the stream; then the hub knows it no more."""
    connection.sending = asyncio.create_task(sending)
    tasks = (connection.sending, asyncio.create_task(receiving))
    try:
        if connection.over is None:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.leave(connection)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _lines(call: Call, wish: Wish) -> Response:
    bearer, hub = call.bearer, call.app.hub
    if bearer is None:
        raise Unauthenticated("no_token")
    await _may_hear(call.app, call.me_id, wish)
    hub.admit(call.me_id, call.now)
    if call.request.method == "HEAD":
        return Response(media_type=Lines.media_type)
    connection = await hub.join(bearer, call.me_id, lines=True)
    hub.wish(connection, wish)
    return Lines(hub, connection)


async def _may_hear(app: App, viewer: int, wish: Wish) -> None:
    """A list is its owner's alone: any other is not found."""
    if wish.list_id is None:
        return
    async with app.job.db.read() as r:
        if await timelines.list_of(r, viewer, wish.list_id) is None:
            raise NotFound("list")


@get(f"{HEAD}/health", tx="none")
async def health(_: Call, __: Nothing) -> Response:
    """Say OK."""
    return PlainTextResponse("OK", headers={"Cache-Control": "private, no-store"})


@get(f"{HEAD}/user", "read:statuses", tx="none", stream=True)
async def user(call: Call, _: Nothing) -> Response:
    """What comes into one's home timeline, and, with read:notifications, what one is told of."""
    return await _lines(call, policy.wish("user"))


@get(f"{HEAD}/user/notification", "read:notifications", tx="none", stream=True)
async def user_notification(call: Call, _: Nothing) -> Response:
    """What one is told of."""
    return await _lines(call, policy.wish("user:notification"))


@get(f"{HEAD}/public", "read:statuses", tx="none", stream=True)
async def public(call: Call, args: Public) -> Response:
    """The public timeline."""
    return await _lines(call, policy.wish("public:media" if args.only_media else "public"))


@get(f"{HEAD}/public/local", "read:statuses", tx="none", stream=True)
async def public_local(call: Call, args: Public) -> Response:
    """The public timeline of this city."""
    return await _lines(call, policy.wish("public:local:media" if args.only_media else "public:local"))


@get(f"{HEAD}/public/remote", "read:statuses", tx="none", stream=True)
async def public_remote(call: Call, args: Public) -> Response:
    """The public timeline of all other servers."""
    return await _lines(call, policy.wish("public:remote:media" if args.only_media else "public:remote"))


@get(f"{HEAD}/hashtag", "read:statuses", tx="none", stream=True)
async def hashtag(call: Call, args: OfTag) -> Response:
    """Public posts with a hashtag."""
    return await _lines(call, policy.wish("hashtag", tag=args.tag))


@get(f"{HEAD}/hashtag/local", "read:statuses", tx="none", stream=True)
async def hashtag_local(call: Call, args: OfTag) -> Response:
    """Public posts of this city with a hashtag."""
    return await _lines(call, policy.wish("hashtag:local", tag=args.tag))


@get(f"{HEAD}/list", "read:statuses", tx="none", stream=True)
async def of_list(call: Call, args: OfList) -> Response:
    """What comes into one of one's lists."""
    return await _lines(call, policy.wish("list", list_id=args.list))


@get(f"{HEAD}/direct", "read:statuses", tx="none", stream=True)
async def direct(call: Call, _: Nothing) -> Response:
    """One's conversations, whenever one of them goes on."""
    return await _lines(call, policy.wish("direct"))


class Asked(msgspec.Struct, frozen=True):
    """What a client says on a WebSocket. Ids may come as numbers."""

    type: str
    stream: str = ""
    list: str | int | None = None
    tag: str | None = None


def _row(stream: str) -> Operation:
    """Who may listen is the same whichever way."""
    return user_notification if stream == "user:notification" else user


class Socket:
    """One WebSocket: several streams, begun and ended as its client says."""

    def __init__(self, app: App, socket: WebSocket, bearer: Bearer, connection: Connection) -> None:
        self._app, self._socket, self._bearer, self._connection = app, socket, bearer, connection

    async def send(self) -> None:
        """Send what comes."""
        while True:
            await self._socket.send_text(await self._connection.next())

    async def receive(self) -> None:
        """Do what the client says, until it is gone or says what cannot be read."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            text = message.get("text")
            if text is None:
                return await self._socket.close(UNREADABLE, "Binary messages are not supported")
            if len(text) > LONGEST_MESSAGE:
                return await self._socket.close(TOO_BIG)
            with contextlib.suppress(msgspec.DecodeError):  # what is no message of ours is no reason to hang up
                await self.heed(msgspec.json.decode(text, type=Asked))

    async def heed(self, asked: Asked) -> None:
        """Begin or end a stream; what is wrong with the wish is said, and the rest goes on."""
        if asked.type not in ("subscribe", "unsubscribe"):
            return
        app, connection = self._app, self._connection
        try:
            wish = policy.wish(asked.stream, None if asked.list is None else str(asked.list), asked.tag)
            if asked.type == "unsubscribe":
                app.hub.unwish(connection, wish)
                return
            app.limits.count(limits.PER_TOKEN, str(self._bearer.token_id), app.job.db.clock.now())
            permit(_row(wish.stream), self._bearer)
            await _may_hear(app, connection.viewer, wish)
            app.hub.wish(connection, wish)
        except Problem as problem:
            code, body = errors.told(problem)
            connection.take(ENCODE.encode({"error": body["error"], "status": code}).decode())


async def _entered(app: App, socket: WebSocket, offered: str | None) -> Bearer:
    """Who opens a WebSocket. A wrong token counts against the address, a right one against itself."""
    now = app.job.db.clock.now()
    try:
        bearer = await bearer_of(app, shown_token(socket) or offered or shown_token(socket, in_address=True))
        if bearer is None or bearer.account_id is None:
            raise Unauthenticated("token_invalid" if bearer else "no_token")
    except Unauthenticated:
        address = socket.client.host if socket.client else ""
        app.limits.count(limits.PER_ADDRESS, limits.address_key(address), now)
        raise
    app.limits.count(limits.PER_TOKEN, str(bearer.token_id), now)
    if not any(_permitted(row, bearer) for row in (user, user_notification)):
        permit(user, bearer)
    app.hub.admit(bearer.account_id, now)
    return bearer


def _permitted(row: Operation, bearer: Bearer) -> bool:
    try:
        permit(row, bearer)
    except Problem:
        return False
    return True


async def listen(socket: WebSocket) -> None:
    """Let a client in by its token, in a header, as the subprotocol or in the address; then listen to each other."""
    app: App = socket.app.state.app
    offered = next(iter(socket.scope.get("subprotocols", [])), None)
    try:
        bearer = await _entered(app, socket, offered)
    except Problem as problem:
        await socket.send_denial_response(errors.answer(*errors.told(problem)))
        return
    await socket.accept(subprotocol=offered)
    connection = await app.hub.join(bearer, bearer.account_id or 0)
    both = Socket(app, socket, bearer, connection)
    asked = {name: socket.query_params.get(name) for name in ("stream", "list", "tag")}
    if asked["stream"]:
        await both.heed(Asked("subscribe", asked["stream"], asked["list"], asked["tag"]))
    await _carried(app.hub, connection, both.send(), both.receive())
    if connection.over is not None:
        with contextlib.suppress(RuntimeError, OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await socket.close(ENDED if connection.over == "revoked" else TRY_AGAIN, connection.over)


SOCKET = WebSocketRoute(HEAD, listen)
