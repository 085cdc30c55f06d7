"""Whole cities in one process: each with its own database, all on one network that knows no other host."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import msgspec
from starlette.types import ASGIApp, Message

from parvis import wiring
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import (
    Account,
    NewAccount,
    ProfileEdit,
)
from parvis.app import App
from parvis.base import jobs
from parvis.base.clock import Clock
from parvis.base.db import Reactions
from parvis.base.http import Request, Response
from parvis.base.jobs import Job
from parvis.base.seal import Seal
from parvis.base.settings import Settings
from parvis.federation import delivery, fetch, inbox, signatures
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import (
    Draft,
    Status,
)

T = TypeVar("T")

REACTIONS: Mapping[type, Reactions] = wiring.REACTIONS

@functools.cache
def key_pair(number: int) -> tuple[str, str]:
    """Making keys is slow: tests share a few."""
    return signatures.new_key()


class Network:
    """Carries a request to the city whose host it names; there is no other host."""

    def __init__(self) -> None:
        self.hosts: dict[str, ASGIApp] = {}
        self.down: set[str] = set()
        self.log: list[tuple[str, str, int]] = []
        self.tried: list[str] = []
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Response:
        """One request to one city."""
        parts = urlsplit(request.url)
        self.tried.append(request.url)
        if parts.netloc not in self.hosts or parts.netloc in self.down:
            raise OSError(f"no host {parts.netloc}")
        self.sent.append(request)
        answer = await call(self.hosts[parts.netloc], request)
        self.log.append((request.method, request.url, answer.status))
        return answer


async def call(app: ASGIApp, request: Request) -> Response:
    """Hand a request to an ASGI application."""
    parts = urlsplit(request.url)
    headers = {"host": parts.netloc} | {name.lower(): value for name, value in request.headers.items()}
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": request.method,
        "scheme": parts.scheme, "path": parts.path, "raw_path": parts.path.encode(), "root_path": "",
        "query_string": parts.query.encode(), "client": ("192.0.2.1", 1), "server": (parts.netloc, 443),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": request.body or b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    body = b"".join(one.get("body", b"") for one in said)
    found = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return Response(said[0]["status"], request.url, found, body)


class City:
    """One server with its people."""

    def __init__(self, job: Job, owner_url: str) -> None:
        self.job, self.owner_url = job, owner_url
        self.settings, self.db, self.clock = job.settings, job.db, job.db.clock
        self.app = App(job)
        self.later = jobs.named(job.db.reactions)

    @property
    def domain(self) -> str:
        """What follows the @ in its handles."""
        return self.settings.domain

    async def person(self, name: str, locked: bool = False) -> Account:
        """Somebody settles here."""
        private, public = key_pair(len(name) % 4)
        sealed = Seal(self.settings.secrets).close(private.encode())
        made = await self.do(accounts.create, NewAccount(name, name.title(), public, sealed), self.settings.base)
        if locked:
            await self.do(accounts.edit_profile, made, ProfileEdit(locked=True))
        return await self.known(made.id)

    async def known(self, account_id: int) -> Account:
        """The account as it is now."""
        found = await self.look(people.by_id, account_id)
        assert found is not None
        return found

    async def meet(self, handle: str) -> Account:
        """Look somebody up, wherever they live."""
        found = await fetch.resolve(self.job, handle)
        assert isinstance(found, Account), handle
        return found

    async def do(self, deed: Callable[..., Awaitable[T]], *args: Any, **named: Any) -> T:
        """One deed in one transaction."""
        async with self.db.write() as tx:
            return await deed(tx, *args, **named)

    async def look(self, query: Callable[..., Awaitable[T]], *args: Any) -> T:
        """One look at the database."""
        async with self.db.read() as read:
            return await query(read, *args)

    async def value(self, sql: str, *args: Any) -> Any:
        """One value, for what no room has a word for."""
        async with self.db.read() as read:
            return await read.value(sql, *args)

    async def as_owner(self, sql: str, *args: Any) -> None:
        """Change what the application itself may not."""
        connection: asyncpg.Connection[Any] = await asyncpg.connect(self.owner_url)
        await connection.execute(sql, *args)
        await connection.close()

    async def post(self, by: Account, text: str, visibility: str = "public", reply_to: Status | None = None) -> Status:
        """Somebody here posts something."""
        async with self.db.write() as tx:
            composed = await statuses.compose(tx, text, self.settings.base, self.domain)
            draft = Draft(
                content=composed.content, visibility=visibility, text=text, mentions=composed.mentions,
                tags=composed.tags, in_reply_to_id=reply_to.id if reply_to else None, language="fr",
            )
            return await statuses.publish(tx, by, draft)

    async def copy(self, status: Status) -> Status | None:
        """What this city has of a post."""
        return await self.look(posts.by_uri, status.uri)

    async def work(self) -> bool:
        """Do what is due, once; true if there was any."""
        waiting = await self.value("SELECT count(*) FROM pgqueuer WHERE status = 'queued' AND execute_after < now()")
        if waiting:
            await jobs.drain(self.job, self.later)
        took = await inbox.receive(self.job)
        brought = await delivery.deliver(self.job)
        return bool(waiting) or took or brought


class Cities:
    """All cities of a test, and the network between them."""

    def __init__(self, network: Network, all_of_them: list[City]) -> None:
        self.network = network
        self.all = all_of_them

    async def settle(self) -> None:
        """Let everything that is under way arrive."""
        for _ in range(200):
            if not any([await city.work() for city in self.all]):
                return
        raise AssertionError("the cities do not come to rest")

    async def advance(self, step: timedelta) -> None:
        """Move the clocks of all cities."""
        for city in self.all:
            city.clock.offset += step
            await city.as_owner(
                "INSERT INTO clock_offset (ahead) VALUES ($1) ON CONFLICT (one) DO UPDATE SET ahead = EXCLUDED.ahead",
                city.clock.offset,
            )

    async def deliver(self, to: str, document: Mapping[str, Any], by: Account, key: str | None = None,
                      **headers: str) -> Response:
        """Bring a document to an inbox as somebody would who holds `key`; some headers may be forged afterwards."""
        body = msgspec.json.encode(document)
        private = key or key_pair(len(by.username) % 4)[0]
        now = self.all[0].clock.now()
        signed = signatures.sign(
            signatures.Signer(private, f"{by.uri}#main-key"), "POST", to, {"content-type": "application/activity+json"}, body, now
        )
        forged = {name.lower(): value for name, value in signed.items()} | headers
        return await self.network.send(Request("POST", to, {"content-type": "application/activity+json", **forged}, body))

    async def get(self, url: str, by: Account | None = None, accept: str = "application/activity+json") -> Response:
        """Ask for a document, as a stranger or as somebody."""
        headers = {"accept": accept}
        if by is not None:
            private, now = key_pair(len(by.username) % 4)[0], self.all[0].clock.now()
            headers |= signatures.sign(
                signatures.Signer(private, f"{by.uri}#main-key"), "GET", url, headers, None, now
            )
        return await self.network.send(Request("GET", url, headers))


async def found(server: Any, network: Network, host: str, folder: Path) -> City:
    """Found a city on a fresh database."""
    name = f"city_{uuid.uuid4().hex[:16]}"
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server.url(server.superuser, "postgres"))
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner")
    await connection.close()
    settings = Settings(
        data=folder / host, origin=f"https://{host}", city_name=host.partition(".")[0].title(),
        database_url=server.url("parvis_app", name),
    )
    job = await jobs.equipped(settings, REACTIONS, transport=network, clock=Clock(), pool=6)
    city = City(job, server.url("parvis_owner", name))
    network.hosts[host] = city.app.asgi
    return city


async def raze(server: Any, city: City) -> None:
    """A city and its database are gone."""
    await city.app.close()
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server.url(server.superuser, "postgres"))
    await connection.execute(f"DROP DATABASE {urlsplit(city.owner_url).path.strip('/')} WITH (FORCE)")
    await connection.close()
