"""How fast one city answers: each row beside its floors, which are measured in the same run.

`python bench/city.py [--large] [--seconds 5] [--runs 3] [--only home,post]`. Two server workers, rate limits counted, fsync and
synchronous_commit on. The numbers are of the machine: compare within one run, and keep the ratios.

    req/s p50 p99    by wrk, `at once` requests kept in flight
    CPU ms           of all the city's processes, PostgreSQL's among them, for one request
    queries          statements sent for one request, the look-up of the token among them, with warm cards
    20 readers       each asks for their own page; one reader's pages asked for at one moment are read once
    bytes/s          the same bytes served by bare Granian with two workers
    SQL/s            the same statements by pgbench, prepared, as many at once
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import requests

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/live"), str(ROOT / "tests")]

import load
import seed
from conftest import Client
from stage import City, below, cities, folder, free_port
from parvis.app import build
from parvis.base import postgres
from parvis.base.binaries import programs
from parvis.base.settings import Settings

AT_ONCE, POSTING_AT_ONCE = 16, 8
POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local n = 0
request = function()
    n = n + 1
    return wrk.format(nil, nil, nil, '{"status":"#banc' .. n % 5 .. ' post ' .. n .. ' ' .. string.rep('place ', 18) .. '"}')
end
"""

TURNS = """
local tokens, n = {%s}, 0
request = function()
    n = n + 1
    wrk.headers["Authorization"] = "Bearer " .. tokens[n %% #tokens + 1]
    return wrk.format()
end
"""


class Wanted(msgspec.Struct, frozen=True):
    """A row of the table: what is asked, how many at once, and whether by one reader or by all in turn."""

    name: str
    path: str
    at_once: int = AT_ONCE
    posting: bool = False
    all_read: bool = False

    def script(self, tokens: list[str]) -> str:
        """What wrk is told beyond the address."""
        if self.posting:
            return POST
        return TURNS % ", ".join(f'"{token}"' for token in tokens) if self.all_read else ""


def wanted(city: City, token: str, large: bool) -> Iterator[Wanted]:
    """What is measured."""

    def ask(path: str) -> Any:
        return requests.get(city.origin + path, headers={"Authorization": f"Bearer {token}"}, timeout=30).json()

    me = ask("/api/v1/accounts/verify_credentials")["id"]
    home = ask("/api/v1/timelines/home?limit=40")
    replied = next((post["id"] for post in home if post["in_reply_to_id"]), home[0]["id"])
    author = home[0]["account"]["id"] if large else me
    yield Wanted("home timeline, 20 statuses", "/api/v1/timelines/home?limit=20")
    yield Wanted("the same, 20 readers in turn", "/api/v1/timelines/home?limit=20", all_read=True)
    yield Wanted("local public timeline", "/api/v1/timelines/public?limit=20&local=true")
    yield Wanted("an account's statuses", f"/api/v1/accounts/{author}/statuses?limit=20")
    yield Wanted("notifications", "/api/v1/notifications?limit=20")
    yield Wanted("one status", f"/api/v1/statuses/{replied}")
    yield Wanted("its context", f"/api/v1/statuses/{replied}/context")
    yield Wanted("publishing a status", "/api/v1/statuses", POSTING_AT_ONCE, posting=True)


class Trace:
    """The statements of one request, as an App in this process on the same database sends them."""

    def __init__(self, city: City, url: str, token: str) -> None:
        self._settings = Settings(data=city.folder, origin=city.origin, database_url=url, dev=True)
        self._token = token

    def of(self, row: Wanted) -> tuple[list[tuple[str, list[object]]], bytes]:
        """The statements with their values, and the bytes of the answer; cards are warm."""
        return asyncio.run(self._asked(row))

    async def _asked(self, row: Wanted) -> tuple[list[tuple[str, list[object]]], bytes]:
        app = await build(self._settings, pool=1)
        sent: list[tuple[str, list[object]]] = []
        async with app.db.pool.acquire() as connection:
            connection.add_query_logger(lambda record: sent.append((record.query, list(record.args or ()))))
        client = Client(app, self._token)
        for _ in range(2):
            sent.clear()
            answer = await (client.post(row.path, json={"status": "#banc place"}) if row.posting else client.get(row.path))
            assert answer.status == 200, answer.text
        await app.close()
        return [one for one in sent if "pg_advisory_unlock_all" not in one[0]], answer.body


def measure(city: City, row: Wanted, trace: Trace, args: argparse.Namespace, url: str) -> None:
    """One row of the table, printed."""
    statements, body = trace.of(row)
    headers = {"Authorization": f"Bearer {args.token}"}
    runs, floors = [], []
    for _ in range(args.runs):
        pids = [*city.family(), *below(city.postmaster)]
        runs.append(load.wrk(city.origin + row.path, row.at_once, args.seconds, headers, pids, row.script(args.tokens)))
        floors.append(load.bare(body, free_port(), row.at_once, args.seconds))
        time.sleep(1)
    sql = 0.0 if row.posting else load.pgbench(args.pgbench, url, statements, row.at_once, args.seconds)
    found = load.median(runs)
    wrong = f"  {found.wrong} WRONG" if found.wrong else ""
    print(f"| {row.name}, c {row.at_once} | {found.rate:,.0f} | {found.p50:.1f} | {found.p99:.1f} | {found.cpu:.2f} "
          f"| {len(statements)} | {sorted(floors)[len(floors) // 2]:,.0f} | {f'{sql:,.0f}' if sql else '—'} |{wrong}", flush=True)


def main() -> None:
    """Make the city, then measure row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="1,000,000 posts, 20,000 people, a reader who follows 500")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="words of the rows' names, separated by commas")
    args = parser.parse_args()
    with folder() as path, cities(City(path / "city", None, "--workers", "2")) as (city,):
        people = [city.person(f"bench{number}") for number in range(seed.PEOPLE)]
        args.token, args.tokens = people[0].token, [one.token for one in people]
        asyncio.run(seed.small(city, args.tokens))
        embedded = postgres.start(city.folder)
        if args.large:
            reader = people[0].get("/api/v1/accounts/verify_credentials")["id"]
            seed.large(embedded.url("parvis_owner"), city.origin, reader)
        asyncio.run(seed.settled(embedded.url("parvis_owner")))
        args.pgbench = programs() / "pgbench"
        print("| " + ("1,000,000" if args.large else "1,000") + " statuses | req/s | p50 ms | p99 ms | CPU ms | queries | bytes/s | SQL/s |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        trace = Trace(city, embedded.url("parvis_app"), args.token)
        time.sleep(3)
        for row in wanted(city, args.token, args.large):
            if any(word in row.name for word in args.only.split(",")):
                measure(city, row, trace, args, embedded.url("parvis_app"))


if __name__ == "__main__":
    main()
