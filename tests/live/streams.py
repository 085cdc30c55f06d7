"""A thousand streams on two workers: each hears a hundred posts, once; who may no longer listen is out within a second."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from stage import City, Person, below, cities, must, play, step

STREAMS, POSTS, LOUD = 1000, 100, 40
PATIENCE = 60.0
TAGS = [f"tag{number}" for number in range(20)]
KINDS = (("user", {}), ("user", {}), ("public:local", {}), ("hashtag", {"tag": "parvis"}), ("sse", {}))


class Listener:
    """One stream, and how often it heard of each post."""

    def __init__(self, kind: str, more: dict[str, str], token: str) -> None:
        self.kind, self.more, self.token = kind, more, token
        self.heard: Counter[str] = Counter()
        self.over = asyncio.Event()
        self.place = 0  # the port it speaks from

    async def listen(self, http: aiohttp.ClientSession, origin: str, ready: asyncio.Semaphore) -> None:
        """Connect and hear until it is over."""
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with ready:
                    opened = await stack.enter_async_context(self.open(http, origin))
                    await self.begin(opened)
                await self.hear(opened)
        finally:
            self.over.set()

    def open(self, http: aiohttp.ClientSession, origin: str) -> Any:
        """A request for server-sent events or a WebSocket."""
        shown = {"Authorization": f"Bearer {self.token}"}
        if self.kind == "sse":
            return http.get(f"{origin}/api/v1/streaming/user", headers=shown, timeout=aiohttp.ClientTimeout(total=None))
        return http.ws_connect(f"{origin}/api/v1/streaming", params={"stream": self.kind, **self.more}, headers=shown)

    async def begin(self, opened: Any) -> None:
        """Wait until the server listens to the same stream."""
        if self.kind == "sse":
            must(opened.status == 200 and await opened.content.readline() == b":)\n", "no stream of events")
            self.place = opened.connection.transport.get_extra_info("sockname")[1]
            return
        self.place = opened.get_extra_info("sockname")[1]
        await opened.send_str('{"type":"subscribe","stream":"nothing"}')  # answered in its turn
        must("Unknown stream type" in (await opened.receive()).data, "the WebSocket does not answer")

    async def hear(self, opened: Any) -> None:
        """Count what comes."""
        if self.kind == "sse":
            async for line in opened.content:
                if line.startswith(b'data: {"id":"'):
                    self.heard[re.match(rb'data: {"id":"(\d+)"', line)[1].decode()] += 1  # type: ignore[index]
            return
        async for message in opened:
            told = json.loads(message.data)
            must(told["event"] == "update", f"{told['event']} was not to be heard")
            self.heard[re.match(r'{"id":"(\d+)"', told["payload"])[1]] += 1  # type: ignore[index]


async def settled(url: str, author: str) -> list[str]:
    """People by the thousand, who follow the author; their tokens."""
    tokens = [f"listener {number}" for number in range(STREAMS)]
    hashes = [hashlib.sha256(token.encode()).digest() for token in tokens]
    sql: asyncpg.Connection[Any] = await asyncpg.connect(url)
    await sql.execute(
        """WITH made AS (
               INSERT INTO accounts (username, uri, url)
               SELECT 'l' || n, 'http://localhost/l/' || n, 'http://localhost/l/' || n FROM generate_series(1, $1) n RETURNING id),
           people AS (
               INSERT INTO users (account_id, email, password_hash, confirmed_at)
               SELECT id, id || '@example.org', '', parvis_now() FROM made RETURNING account_id),
           following AS (
               INSERT INTO follows (account_id, target_id, accepted) SELECT account_id, $2, true FROM people)
           INSERT INTO tokens (token_hash, account_id, scopes)
           SELECT h, account_id, '{read}' FROM (SELECT account_id, row_number() OVER () AS n FROM people) p
           JOIN unnest($3::bytea[]) WITH ORDINALITY t(h, n) USING (n)""",
        STREAMS, int(author), hashes,
    )
    await sql.execute("ANALYZE")
    await sql.close()
    return tokens


def connections(port: int, pids: list[int]) -> dict[int, set[int]]:
    """Of each process the remote ports of its connections on a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    remote = {row[9]: int(row[2].split(":")[1], 16) for row in rows if int(row[1].split(":")[1], 16) == port and row[3] == "01"}
    found: dict[int, set[int]] = {}
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                inode = re.fullmatch(r"socket:\[(\d+)\]", str(file.readlink()))
                if inode and inode[1] in remote:
                    found.setdefault(pid, set()).add(remote[inode[1]])
    return found


def memory(pids: list[int]) -> int:
    """What processes hold, in kilobytes."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) for text in texts)  # type: ignore[index]


def cpu(pids: list[int]) -> float:
    """How long processes have worked, in seconds."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(row[11]) + int(row[12]) for row in fields) / os.sysconf("SC_CLK_TCK")


async def posted(http: aiohttp.ClientSession, author: Person, text: str, many: int) -> set[str]:
    """Posts, four at a time; their ids."""
    numbers, made = iter(range(many)), set()

    async def write() -> None:
        for number in numbers:
            async with http.post(f"{author.city.origin}/api/v1/statuses", json={"status": f"{text} {number}"},
                                 headers={"Authorization": f"Bearer {author.token}"}) as answer:
                must(answer.status == 200, await answer.text())
                made.add((await answer.json())["id"])

    await asyncio.gather(*(write() for _ in range(4)))
    return made


async def everywhere(listeners: list[Listener], wanted: set[str]) -> None:
    """Until everybody has heard of every post; once and of nothing else."""
    async with asyncio.timeout(PATIENCE):
        while any(len(one.heard) < len(wanted) for one in listeners):
            must(not any(one.over.is_set() for one in listeners), "a stream has ended")
            await asyncio.sleep(0.02)
    must(all(set(one.heard) == wanted for one in listeners), "somebody heard of another post")
    must(all(set(one.heard.values()) == {1} for one in listeners), "somebody heard of a post twice")
    for one in listeners:
        one.heard.clear()


class Play:
    """The scenario on one city."""

    def __init__(self, city: City, alice: Person, http: aiohttp.ClientSession) -> None:
        self.city, self.alice, self.http = city, alice, http
        self.tasks: list[asyncio.Task[None]] = []

    async def open(self, listeners: list[Listener]) -> None:
        """Let them listen, not all at the same moment."""
        ready = asyncio.Semaphore(50)
        self.tasks += [asyncio.create_task(one.listen(self.http, self.city.origin, ready)) for one in listeners]
        async with asyncio.timeout(PATIENCE):
            while not all(one.place for one in listeners):
                must(not any(one.over.is_set() for one in listeners), "a stream could not be opened")
                await asyncio.sleep(0.02)

    async def many(self, tokens: list[str]) -> list[Listener]:
        """A thousand streams, a hundred posts."""
        listeners = [Listener(*KINDS[n % len(KINDS)], token) for n, token in enumerate(tokens)]
        family = self.city.family()
        first = Listener("user", {}, self.alice.token)
        await self.open([first])
        await everywhere([first], await posted(self.http, self.alice, "Warm", 4))
        before, began = memory(family), time.monotonic()
        await self.open(listeners)
        step(f"{STREAMS} streams are open", time.monotonic() - began)
        shares = {pid: len(ports) for pid, ports in connections(self.city.port, family).items()}
        must(len(shares) == 2, f"the streams are not on two workers: {shares}")
        workers = list(shares)
        step(f"they are on two workers, {' and '.join(map(str, shares.values()))}; each costs "
             f"{(memory(family) - before) / STREAMS:.1f} kB")
        at_first, of_sql, began = cpu(workers), cpu(below(self.city.postmaster)), time.monotonic()
        made = await posted(self.http, self.alice, "Bonjour #parvis", POSTS)
        await everywhere(listeners, made)
        step(f"each heard of {POSTS} posts, once", time.monotonic() - began)
        step(f"that took the workers {cpu(workers) - at_first:.2f} s of work, PostgreSQL {cpu(below(self.city.postmaster)) - of_sql:.2f} s; "
             f"now a stream holds {(memory(family) - before) / STREAMS:.1f} kB")
        return listeners

    async def slow(self, listeners: list[Listener]) -> None:
        """One that listens to forty streams and reads nothing is hung up on; nobody else notices."""
        loop = asyncio.get_running_loop()
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)
        await loop.sock_connect(line, ("127.0.0.1", self.city.port))
        key = base64.b64encode(os.urandom(16)).decode()
        await loop.sock_sendall(line, (
            f"GET /api/v1/streaming HTTP/1.1\r\nHost: {self.city.domain}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {self.alice.token}\r\n\r\n"
        ).encode())
        must(b" 101 " in await loop.sock_recv(line, 4096), "the WebSocket is refused")
        for stream in ("hashtag", "hashtag:local"):
            for tag in TAGS:
                await loop.sock_sendall(line, frame(json.dumps({"type": "subscribe", "stream": stream, "tag": tag})))
        here = line.getsockname()[1]
        family = self.city.family()
        holder = [pid for pid, ports in connections(self.city.port, family).items() if here in ports]
        began, before = time.monotonic(), memory(family)
        made = await posted(self.http, self.alice, " ".join(f"#{tag}" for tag in ["parvis", *TAGS]), LOUD)
        await everywhere(listeners, made)
        step("the others hear all while one does not read", time.monotonic() - began)
        async with asyncio.timeout(40):
            while here in connections(self.city.port, holder).get(holder[0], set()):
                await asyncio.sleep(0.1)
        step(f"who does not read is hung up on; meanwhile the workers grew by {(memory(family) - before) / 1024:.1f} MB",
             time.monotonic() - began)
        line.close()

    async def out(self) -> None:
        """A token is revoked while it listens on both workers."""
        app = self.alice.post("/api/v1/apps", client_name="Live", redirect_uris="urn:ietf:wg:oauth:2.0:oob", scopes="read")
        sql: asyncpg.Connection[Any] = await asyncpg.connect(self.city.run("database", "url", "--role", "owner"))
        await sql.execute(
            "INSERT INTO tokens (token_hash, application_id, account_id, scopes) VALUES ($1, $2, $3, '{read}')",
            hashlib.sha256(b"soon revoked").digest(), int(app["id"]), int(self.alice.id),
        )
        await sql.close()
        lines = [Listener(*KINDS[n % len(KINDS)], "soon revoked") for n in range(20)]
        await self.open(lines)
        ports = {one.place for one in lines}
        holders = [pid for pid, held in connections(self.city.port, self.city.family()).items() if held & ports]
        must(len(holders) == 2, "the streams of the token are on one worker")
        began = time.monotonic()
        async with self.http.post(f"{self.city.origin}/oauth/revoke", json={
            "client_id": app["client_id"], "client_secret": app["client_secret"], "token": "soon revoked",
        }) as answer:
            must(answer.status == 200, await answer.text())
        async with asyncio.timeout(1):
            await asyncio.gather(*(one.over.wait() for one in lines))
        step("a token is revoked, and its streams on both workers end", time.monotonic() - began)


def frame(text: str) -> bytes:
    """A text frame as a client sends it (RFC 6455 §5.2), masked with nothing."""
    body = text.encode()
    length = bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0x80 | 126]) + len(body).to_bytes(2)
    return b"\x81" + length + b"\x00" * 4 + body


async def perform(city: City, alice: Person) -> None:
    """The scenario, as one event loop plays it."""
    tokens = await settled(city.run("database", "url", "--role", "owner"), alice.id)
    step(f"{STREAMS} people follow alice")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        played = Play(city, alice, http)
        listeners = await played.many(tokens)
        await played.out()
        await played.slow([one for one in listeners if one.kind != "public:local"][:200])
        began = time.monotonic()
        await asyncio.to_thread(city.stop)
        await asyncio.gather(*played.tasks, return_exceptions=True)
        step("the city stops while a thousand listen, and their streams end", time.monotonic() - began)
        must(time.monotonic() - began < 15, "the city does not stop while somebody listens")


def scenario(folder: Path) -> None:
    """alice writes; a thousand listen."""
    with cities(City(folder / "streams", None, "--workers", "2")) as (city,):
        asyncio.run(perform(city, city.person("alice")))


if __name__ == "__main__":
    sys.exit(play("a thousand streams", scenario))
