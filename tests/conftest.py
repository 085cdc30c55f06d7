"""One embedded PostgreSQL for the whole run; for each test a database of its own, copied from a migrated template."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, settings

from parvis.access import actions as access
from parvis.access import queries as users
from parvis.access.model import SignUp
from parvis.accounts.model import Account
from parvis.app import App, build
from parvis.base import db as database
from parvis.base import log, postgres, schema
from parvis.base.settings import Settings

# How fast a shared machine draws examples or runs one says nothing of the code.
settings.register_profile("city", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("city")

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
PASSWORDS = {"parvis_owner": "owner", "parvis_app": "app"}


class Server(msgspec.Struct, frozen=True):
    """Where the tests' PostgreSQL listens: the embedded one, or any other by PARVIS_TEST_SUPERUSER_URL."""

    template: str
    host: str
    port: int
    superuser: str
    passwords: dict[str, str]

    def url(self, role: str, name: str) -> str:
        """The address of one database for one role."""
        secret = quote(self.passwords[role], safe="")
        return f"postgresql://{role}:{secret}@/{name}?host={quote(self.host, safe='/')}&port={self.port}"


MEMORY = Path("/dev/shm")
ROOM = 2 * 2**30


def light() -> Path | None:
    """A folder held in memory, where a database is copied in a tenth of the time; None where there is none or it is small."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


async def _make_template(server: Server) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server.url(server.superuser, "postgres"))
    for role in PASSWORDS:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{server.passwords[role]}'")
    await connection.execute(f"CREATE DATABASE {server.template} OWNER parvis_owner")
    await connection.close()
    await schema.migrate(server.url("parvis_owner", server.template))


async def _sql(server: Server, statement: str) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server.url(server.superuser, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _secret(data: Path, role: str) -> str:
    name = {"postgres": "postgres", "parvis_owner": "owner", "parvis_app": "app"}[role]
    return (data / "secrets" / f"{name}.password").read_text().strip()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL with a migrated template database, one for each test process."""
    template = f"template_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}_{uuid.uuid4().hex[:8]}"
    given = os.environ.get("PARVIS_TEST_SERVER")
    if given:
        host, port, superuser, password = given.split(" ")
        server = Server(template, host, int(port), superuser, {superuser: password, **PASSWORDS})
        asyncio.run(_make_template(server))
        yield server
        asyncio.run(_sql(server, f"DROP DATABASE {template} WITH (FORCE)"))
        return
    data = Path(tempfile.mkdtemp(prefix="parvis-tests-", dir=light()))
    running = postgres.start(data, tuning=FAST)
    try:
        roles = ("postgres", "parvis_owner", "parvis_app")
        server = Server(template, str(running.socket), running.port, "postgres", {r: _secret(data, r) for r in roles})
        asyncio.run(_make_template(server))
        yield server
    finally:
        postgres.stop(data)
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
async def database_name(server: Server) -> AsyncIterator[str]:
    """An empty, migrated database that lives as long as the test."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    await _sql(server, f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner")
    yield name
    await _sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def db(server: Server, database_name: str) -> AsyncIterator[database.Db]:
    """The database as the application sees it, with the house's own table of reactions left empty."""
    opened = await database.connect(server.url("parvis_app", database_name), size=4)
    yield opened
    await opened.close()


@pytest.fixture
async def owner(server: Server, database_name: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A raw connection as the owner of the tables."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server.url("parvis_owner", database_name))
    yield connection
    await connection.close()


@pytest.fixture
async def app_sql(server: Server, database_name: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A raw connection as the application's role: what someone who stole its password could write."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server.url("parvis_app", database_name))
    yield connection
    await connection.close()


class Answer(msgspec.Struct, frozen=True):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


class Client:
    """Calls an App in this process, as a browser or a client would: cookies and token are kept."""

    def __init__(self, app: App, token: str | None = None) -> None:
        self.app = app
        self.token = token
        self.cookies: dict[str, str] = {}

    async def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """One request, raw."""
        target, _, query = path.partition("?")
        sent = {"host": "localhost", "accept": "application/json", "content-length": str(len(body)), **(headers or {})}
        if self.token:
            sent.setdefault("authorization", f"Bearer {self.token}")
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(target), "raw_path": target.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        }
        started: dict[str, Any] = {}
        chunks: list[bytes] = []
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return given.pop(0) if given else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                chunks.append(message.get("body", b""))

        await self.app.asgi(scope, receive, send)
        known: dict[str, str] = {}
        for name, value in started["headers"]:
            if name.lower() == b"set-cookie":
                cookie, _, rest = value.decode().partition(";")
                key, _, text = cookie.partition("=")
                if "max-age=0" in rest.lower():
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = text
            known[name.decode().lower()] = value.decode()
        return Answer(started["status"], known, b"".join(chunks))

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self.call("GET", path, headers=headers)

    async def send(
        self, method: str, path: str, *, json: object = None, form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A request with a body, JSON or a form."""
        if form is not None:
            kind, body = "application/x-www-form-urlencoded", urlencode(form).encode()
        else:
            kind, body = "application/json", b"" if json is None else msgspec.json.encode(json)
        return await self.call(method, path, headers={"content-type": kind, **(headers or {})}, body=body)

    async def post(self, path: str, **given: Any) -> Answer:
        """POST."""
        return await self.send("POST", path, **given)

    async def upload(self, path: str, file: bytes, kind: str = "image/png", **fields: str) -> Answer:
        """POST with a file, as multipart/form-data."""
        edge = uuid.uuid4().hex
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\nContent-Type: {kind}\r\n\r\n'
        body = b"".join([*parts, head.encode(), file, f"\r\n--{edge}--\r\n".encode()])
        return await self.call("POST", path, headers={"content-type": f"multipart/form-data; boundary={edge}"}, body=body)


class Person(Client):
    """Somebody who lives in the city, with a token that may do everything."""

    account: Account


ALL_SCOPES = ("read", "write", "follow", "push", "profile", "admin:read", "admin:write")


@pytest.fixture
async def app(server: Server, database_name: str, tmp_path: Path) -> AsyncIterator[App]:
    """A city on an empty database, in --dev."""
    settings = Settings(
        data=tmp_path, origin="http://localhost", database_url=server.url("parvis_app", database_name), dev=True
    )
    made = await build(settings, pool=5)
    yield made
    await made.close()


@pytest.fixture
async def client(app: App) -> Client:
    """A client that nobody signed in."""
    return Client(app)


async def settle_in(app: App, name: str, role: str = "resident") -> Person:
    """Let somebody settle in a city."""
    wish = SignUp(name, f"{name}@example.org", "correct horse", "en", True, name.capitalize())
    prepared = await access.prepare(app.settings, wish)
    async with app.db.write() as tx:
        account = await access.sign_up(tx, prepared, app.settings, confirmed=True)
        await users.appoint(tx, account.id, role)
        token, _ = await access.issue(tx, account.id, ALL_SCOPES, None)
    person = Person(app, token)
    person.account = account
    return person


@pytest.fixture
async def alice(app: App) -> Person:
    """Alice lives here."""
    return await settle_in(app, "alice")


@pytest.fixture
async def bela(app: App) -> Person:
    """Bela lives here."""
    return await settle_in(app, "bela")


@pytest.fixture
async def mona(app: App) -> Person:
    """Mona is a moderator."""
    return await settle_in(app, "mona", "moderator")


@pytest.fixture(autouse=True, scope="session")
def _logs() -> None:
    log.start()
