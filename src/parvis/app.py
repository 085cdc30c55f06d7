"""The running program: four long-lived things, made once per process by a factory and passed by hand."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parvis import wiring
from parvis.access import queries as tokens
from parvis.api import errors, operations
from parvis.api.hub import Hub
from parvis.api.limits import Limits
from parvis.base import jobs, log, process, settings
from parvis.base.batch import Batch
from parvis.base.cache import Cache
from parvis.base.clock import Clock
from parvis.base.db import AWAY, Db, Read
from parvis.base.errors import Problem
from parvis.base.http import Http, Transport
from parvis.base.jobs import Job
from parvis.base.settings import Settings
from parvis.federation import endpoints
from parvis.federation.documents import Sent, Wanted, sent
from parvis.views.cards import Shelf
from parvis.views.looks import Look, Sight
from parvis.views.model import Around
from parvis.views.status import sights
from parvis.views.thread import Thread, threads
from parvis.web import pages

OPEN_TO_BROWSERS = ("/api/", "/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/.well-known/", "/nodeinfo/")
EXPOSED = "Link, Mastodon-Async-Refresh, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id"
POLICY = (
    "default-src 'self'; img-src 'self' data:; media-src 'self'; style-src 'self'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class App:
    """One city: its settings, database, clock and outbound client, and what a process keeps beside them."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.settings = settings = job.settings
        self.db: Db = job.db
        self.http: Http = job.http
        self.clock: Clock = job.db.clock
        self.shelf = Shelf()
        self.cache = Cache(settings.cache, settings.cache_megabytes * 1_000_000)
        self.limits = Limits(enforced=not settings.dev)
        self.bearers = Batch(self.db.read, tokens.bearers)
        self.together = Batch(self.db.read, self._look)
        self.threads = Batch(self.db.read, self._look_around)
        self.documents = Batch(self.db.read, self._write_out)
        self.hub = Hub(job, self.shelf)
        self.asgi: ASGIApp = Doors(_table(self), settings)
        self._background: list[asyncio.Task[None]] = []

    @cached_property
    def openapi(self) -> bytes:
        """The document of the table, made when it is first asked for."""
        return operations.document(self.settings.base)

    async def _look(self, r: Read, asked: Sequence[Look]) -> dict[Look, Sight]:
        return await sights(r, self.shelf, self.settings, asked)

    async def _look_around(self, r: Read, asked: Sequence[Around]) -> dict[Around, Thread]:
        return await threads(r, self.shelf, self.settings, asked)

    async def _write_out(self, r: Read, asked: Sequence[Wanted]) -> dict[Wanted, Sent]:
        return await sent(r, self.settings.base, asked)

    def start(self) -> None:
        """Begin what a serving process does on the side."""
        self._background.append(asyncio.create_task(self.hub.run()))
        self._background.append(asyncio.create_task(jobs.ring(self.db)))
        if self.settings.dev:
            self._background.append(asyncio.create_task(self.db.follow_clock()))
        self._background.append(asyncio.create_task(self.limits.keep_sharing(self.db)))

    async def close(self) -> None:
        """Stop, and give everything back."""
        await self.hub.begin_anew()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.bearers.close()
        await self.together.close()
        await self.threads.close()
        await self.documents.close()
        await self.cache.close()
        await self.http.close()
        await self.db.close()


async def build(
    given: Settings, *, transport: Transport | None = None, clock: Clock | None = None, pool: int = 10
) -> App:
    """Make the app of one city, on a database that is migrated."""
    return App(await jobs.equipped(given, wiring.REACTIONS, transport=transport, clock=clock, pool=pool))


def _table(app: App) -> operations.Table:
    routes: list[BaseRoute] = [*operations.routes(), *pages.routes()]
    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        Problem: errors.on_problem, HTTPException: errors.on_http, Exception: errors.on_crash,
        **dict.fromkeys(AWAY, errors.on_away),
    }
    told = pages.or_page(handlers)
    rest = Starlette(routes=routes, exception_handlers=told)
    rest.state.app = app
    return operations.Table([*operations.OPERATIONS, *endpoints.ROWS], rest, told)


class Doors:
    """What every answer passes: CORS for the open paths, security headers, an id for the request, the true address."""

    def __init__(self, inner: ASGIApp, given: Settings) -> None:
        self._inner = inner
        self._proxies = settings.networks(given.trusted_proxies)
        secure = [(b"strict-transport-security", b"max-age=63072000")] if given.origin.startswith("https://") else []
        self._always = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"),
                        (b"content-security-policy", POLICY.encode()), *secure]
        self._open = [*self._always, (b"access-control-allow-origin", b"*"),
                      (b"access-control-expose-headers", EXPOSED.encode())]
        self._names = {b"x-request-id", *(name for name, _ in self._open)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope["type"] not in ("http", "websocket"):
            await self._inner(scope, receive, send)
            return
        headers = dict(scope["headers"])
        opened = scope["path"].startswith(OPEN_TO_BROWSERS)
        if opened:  # some clients end a path with a slash
            scope["path"] = scope["path"].rstrip("/")
        scope["client"] = process.client(scope.get("client"), headers, self._proxies)
        if scope["type"] == "websocket":
            await self._inner(scope, receive, send)
            return
        extra = [(b"x-request-id", os.urandom(16).hex().encode()), *(self._open if opened else self._always)]
        if opened and scope["method"] == "OPTIONS":
            await _preflight(send, headers, extra)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = message["headers"]
                known = {name for name, _ in said}
                added = extra if known.isdisjoint(self._names) else [one for one in extra if one[0] not in known]
                message["headers"] = [*said, *added]
            await send(message)

        await self._inner(scope, receive, answer)


async def _preflight(send: Send, headers: dict[bytes, bytes], extra: list[tuple[bytes, bytes]]) -> None:
    asked = headers.get(b"access-control-request-headers", b"authorization, content-type, idempotency-key")
    allowed = [(b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
               (b"access-control-allow-headers", asked), (b"access-control-max-age", b"86400")]
    await send({"type": "http.response.start", "status": 200, "headers": [*extra, *allowed]})
    await send({"type": "http.response.body", "body": b""})


class Served:
    """The ASGI app of a server's worker process: builds its App when the server starts it."""

    def __init__(self, given: Settings) -> None:
        self._settings = given
        self._app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lifespan here, everything else to the App."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._app is not None:
            await self._app.asgi(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._app = await build(self._settings)
        self._app.start()
        # All that is there now stays: to look through it again and again stopped everything for 70 ms each time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._app.close()
        await send({"type": "lifespan.shutdown.complete"})


def serve() -> Served:
    """The factory that Granian calls in each worker; settings come from the environment; it dies with its parent."""
    process.die_with_parent()
    given = settings.from_environment()
    log.start(json=given.log_json)
    return Served(given)
