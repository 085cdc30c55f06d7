"""Whatever is sent to any operation, the answer is an answer: never a 500, `{"error": ...}` for a refusal, nothing half-written."""

from __future__ import annotations

import asyncio
import json
import re
import string
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import Answer, Client, Person, Server, settle_in
from parvis.access import actions as access
from parvis.api.call import Operation
from parvis.api.operations import OPERATIONS
from parvis.app import App, build
from parvis.base.settings import Settings

EXAMPLES = 200

junk = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=40),
    st.sampled_from([
        "", "0", "-1", "9" * 30, "null", "true", "\x00", "a\x00b", "💥" * 50, "' OR 1=1 --", "%s", "../../etc/passwd",
        "http://127.0.0.1/", "http://169.254.169.254/latest", "https://[::1]/x", "@nobody@10.0.0.1", "javascript:alert(1)",
        "2026-13-45", "x" * 3000,
    ]),
)
deep = st.recursive(junk, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=8)
word = st.text(string.ascii_letters + string.digits + "_.~:@-", min_size=1, max_size=30)


def plausible(annotation: Any, ids: list[int]) -> st.SearchStrategy[Any]:
    """Mostly a value of the right kind, so that requests come far; sometimes anything at all."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return st.one_of(*(plausible(part, ids) for part in typing.get_args(annotation)))
    if annotation is type(None):
        return st.none()
    if typing.get_origin(annotation) is typing.Literal:
        return st.sampled_from(typing.get_args(annotation)) | junk
    if typing.get_origin(annotation) is list:
        return st.lists(plausible(typing.get_args(annotation)[0], ids), max_size=3) | junk
    if typing.get_origin(annotation) is dict:
        return st.dictionaries(st.sampled_from(["text", "status_quo", "other"]), st.sampled_from(["bien", "passable", "x"])) | deep
    if annotation is bool:
        return st.booleans() | st.sampled_from(["on", "off", "maybe"])
    if annotation is int:
        return st.sampled_from(ids) | st.integers(-5, 2**64) | junk
    if annotation is str:
        return word | st.sampled_from(["@bela hi #tag", "public", "II.1", "read write", "alice", "alice@localhost"]) | junk
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return st.fixed_dictionaries({f.name: plausible(f.type, ids) for f in msgspec.structs.fields(annotation)}) | deep
    return junk


@st.composite
def requests(draw: st.DrawFn, operation: Operation, ids: list[int]) -> tuple[str, dict[str, str], bytes]:
    fields = msgspec.structs.fields(operation.parameters)
    hints = typing.get_type_hints(operation.parameters)
    named = set(re.findall(r"{(\w+)}", operation.path))
    path = operation.path
    for name in named:
        value = draw(plausible(hints[name], ids))
        path = path.replace("{" + name + "}", quote(str(value), safe="") or "0")
    given = {f.name: draw(plausible(hints[f.name], ids)) for f in fields if f.name not in named and draw(st.integers(0, 9)) > 0}
    if draw(st.integers(0, 5)) == 0:
        given[draw(word)] = draw(deep)
    shape = draw(st.sampled_from(["json", "json", "json", "form", "query", "broken", "wrong", "multipart"]))
    if operation.method == "GET" or shape == "query":
        return path + "?" + urlencode([(k, v if isinstance(v, str) else json.dumps(v, default=str)) for k, v in given.items()]), {}, b""
    if shape == "form":
        pairs = [(f"{k}[]" if isinstance(v, list) else k, v) for k, v in given.items()]
        return path, {"content-type": "application/x-www-form-urlencoded"}, urlencode(pairs, doseq=True).encode("utf-8", "replace")
    if shape == "broken":
        return path, {"content-type": "application/json"}, draw(st.sampled_from([b"{", b"[1,2", b"\xff\xfe", b'{"a":', b"nul"]))
    if shape == "wrong":
        return path, {"content-type": "application/json"}, draw(st.sampled_from([b"[]", b"1", b'"x"', b"null", b"[" * 5000]))
    if shape == "multipart":
        return path, {"content-type": "multipart/form-data; boundary=x"}, draw(st.sampled_from([b"", b"--x", b"--x\r\n\r\n", b"no edge"]))
    return path, {"content-type": "application/json"}, msgspec.json.encode(given, enc_hook=str) if _fits(given) else b"{}"


def _fits(value: Any) -> bool:
    try:
        msgspec.json.encode(value)
    except (OverflowError, UnicodeEncodeError, msgspec.EncodeError):
        return False
    return True


# Every row that comes or goes is noted with it, in the same transaction: what is rolled back leaves no note.
NOTES = """
    CREATE TABLE noted (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, n int NOT NULL);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
    BEGIN
        INSERT INTO noted (name, n) VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END);
        RETURN NULL;
    END $$;"""
NOTED = "CREATE TRIGGER zz_noted AFTER INSERT OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION note()"
CHANGES = """SELECT name, sum(n)::int AS n FROM noted WHERE id > $1 GROUP BY name HAVING sum(n) <> 0"""


class City:
    """One city for the whole module: three people, a post, a proposal; kept on one event loop."""

    def __init__(self, server: Server, data: Path) -> None:
        self.runner = asyncio.Runner()
        self.name = "t_bad_" + server.template[-8:]
        self.server = server
        self.runner.run(self._open(data))

    async def _open(self, data: Path) -> None:
        admin = await asyncpg.connect(self.server.url(self.server.superuser, "postgres"))
        await admin.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.server.template} STRATEGY FILE_COPY OWNER parvis_owner")
        await admin.close()
        url = self.server.url("parvis_app", self.name)
        self.app: App = await build(Settings(data=data, origin="http://localhost", database_url=url, dev=True), pool=3)
        self.counter = await asyncpg.connect(self.server.url("parvis_owner", self.name))
        self.people = [await settle_in(self.app, name) for name in ("alice", "bela")]
        self.people.append(await settle_in(self.app, "mona", "moderator"))
        made = [await p.post("/api/v1/statuses", json={"status": f"{p.account.username} says hello"}) for p in self.people]
        self.ids = [int(answer.json()["id"]) for answer in made] + [p.account.id for p in self.people]
        rows = await self.counter.fetch(
            """SELECT nspname || '.' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE relkind = 'r' AND nspname IN ('public', 'residency')"""
        )
        # What is counted of those who ask, and of servers that did not answer when they were asked, is no effect.
        beside = ("public.rate_counts", "public.migrations", "public.silent_hosts")
        tables = [row[0] for row in rows if row[0] not in beside]
        self.census = " UNION ALL ".join(f"SELECT '{t}', count(*) FROM {t}" for t in tables)
        await self.counter.execute(NOTES)
        for table in tables:
            await self.counter.execute(NOTED.format(table))

    async def rows(self) -> dict[str, int]:
        """Every row there is, counted."""
        return {row[0]: row[1] for row in await self.counter.fetch(self.census)}

    async def mark(self) -> int:
        """Where the notes are now."""
        return int(await self.counter.fetchval("SELECT coalesce(max(id), 0) FROM noted"))

    async def changes(self, mark: int) -> dict[str, int]:
        """The rows that came or went since then, by table."""
        return {row[0]: row[1] for row in await self.counter.fetch(CHANGES, mark)}

    def close(self) -> None:
        async def leave() -> None:
            await self.app.close()
            await self.counter.close()
            admin = await asyncpg.connect(self.server.url(self.server.superuser, "postgres"))
            await admin.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
            await admin.close()

        self.runner.run(leave())
        self.runner.close()


@pytest.fixture(scope="module")
def city(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    made = City(server, tmp_path_factory.mktemp("bad"))
    yield made
    made.close()


def test_the_table_is_not_empty() -> None:
    names = [operation.name for operation in OPERATIONS]
    sys.stdout.write("\n".join(names) + "\n")
    assert len(set(names)) == len(names) > 70


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_bad_input_is_refused_and_changes_nothing(operation: Operation, city: City) -> None:
    tried: list[int] = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(requests(operation, city.ids), st.integers(0, 3))
    def check(sent: tuple[str, dict[str, str], bytes], who: int) -> None:
        tried.append(who)
        caller: Client = city.people[who] if who < 3 else Client(city.app)
        answer, changed = city.runner.run(_measured(city, caller, operation.method, *sent))
        assert answer.status < 500 or answer.status == 503, (sent, answer.text)
        if answer.status >= 400:
            assert isinstance(answer.json()["error"], str), (sent, answer.text)
            assert changed == {}, (sent, answer.text)

    before, mark = city.runner.run(city.rows()), city.runner.run(city.mark())
    check()
    assert len(tried) >= EXAMPLES
    after, changes = city.runner.run(city.rows()), city.runner.run(city.changes(mark))
    assert {name: n - before[name] for name, n in after.items() if n != before[name]} == changes  # the notes tell the truth
    if operation.method == "GET":
        assert changes == {}


async def _measured(
    city: City, caller: Client, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[Answer, dict[str, int]]:
    mark = await city.mark() if method != "GET" else 0
    answer = await caller.call(method, path, headers=headers, body=body)
    return answer, await city.changes(mark) if method != "GET" and answer.status >= 400 else {}


async def test_a_body_that_is_too_large_is_refused(alice: Person) -> None:
    answer = await alice.call("POST", "/api/v1/statuses", headers={"content-type": "application/json"}, body=b" " * 1_000_001)
    assert (answer.status, answer.json()) == (413, {"error": "The request's body is too large"})


async def test_a_token_that_stands_for_nothing_is_refused(app: App) -> None:
    answer = await Client(app, "expired").get("/api/v1/timelines/public")
    assert (answer.status, answer.json()) == (401, {"error": "The access token is invalid"})


async def test_scopes_are_enforced(app: App, alice: Person) -> None:
    async with app.db.write() as tx:
        token, _ = await access.issue(tx, alice.account.id, ["read:accounts"], None)
    narrow = Client(app, token)
    assert (await narrow.get("/api/v1/accounts/verify_credentials")).status == 200
    answer = await narrow.post("/api/v1/statuses", json={"status": "x"})
    assert (answer.status, answer.json()) == (403, {"error": "This action is outside the authorized scopes"})


async def test_what_is_no_image_is_refused_and_leaves_nothing(alice: Person) -> None:
    answer = await alice.upload("/api/v2/media", b"GIF89a nonsense", "image/png")
    assert answer.status == 422
    assert "not an image" in answer.json()["error"]
    assert [path for path in alice.app.settings.files.rglob("*") if path.is_file()] == []


async def test_an_unknown_path_is_a_json_404(client: Client) -> None:
    answer = await client.get("/api/v1/nowhere")
    assert (answer.status, answer.json()) == (404, {"error": "Not Found"})
    assert (await client.send("PATCH", "/api/v1/statuses/1")).status == 405
