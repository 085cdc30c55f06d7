"""How fast one city is between servers: each row beside its floors, which are measured in the same run.

`python bench/servers.py [--posts 1000] [--mentions 300] [--large]`. Other servers are played in this process, on the same cores:
their load is in the figures. Two server workers, fsync and synchronous_commit on.

    processed    signed public posts of followed people: accepted, and seen by the API
    mentions     by people never seen, each with their actor and WebFinger fetched
    delivered    one post to 100 servers, the next when all have it
    documents    by wrk; beside them the same bytes by bare Granian
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/live"), str(ROOT / "tests")]

import load
import seed
from neighbours import JSON, Neighbours
from stage import City, Person, cities, folder, free_port, must, tell

from parvis.base import postgres
from parvis.base.binaries import programs

HOSTS, WRITERS, STRANGERS = 100, 10, 50
AT_ONCE, ASKING_AT_ONCE = 8, 16
Letter = tuple[dict[str, str], bytes]


async def brought(inbox: str, letters: Sequence[Letter], at_once: int) -> None:
    """Bring signed activities to an inbox, so many at once; each must be accepted."""
    waiting = iter(letters)
    async with aiohttp.ClientSession() as http:

        async def carry() -> None:
            for headers, body in waiting:
                async with http.post(inbox, data=body, headers=headers) as answer:
                    must(answer.status == 202, f"an activity was answered {answer.status}")

        await asyncio.gather(*(carry() for _ in range(at_once)))


def taken(city: City, letters: Sequence[Letter], seen: Callable[[], int]) -> tuple[float, float]:
    """How many a second are accepted, and how many have taken effect."""
    before, began = seen(), time.perf_counter()
    asyncio.run(brought(f"{city.origin}/inbox", letters, AT_ONCE))
    accepted = time.perf_counter() - began
    while seen() - before < len(letters):
        must(time.perf_counter() - began < 120, f"only {seen() - before} of {len(letters)} took effect")
        time.sleep(0.05)
    return len(letters) / accepted, len(letters) / (time.perf_counter() - began)


def processed(city: City, reader: Person, around: Neighbours, many: int) -> tuple[float, float]:
    """Posts of people whom somebody here follows."""
    actors = [f"{origin}/people/writer" for origin in around.origins[:WRITERS]]
    met = [reader.find(f"writer@{origin.removeprefix('http://')}")["id"] for origin in around.origins[:WRITERS]]
    for number in met:
        reader.post(f"/api/v1/accounts/{number}/follow")
    while not all(row["following"] for row in reader.get("/api/v1/accounts/relationships", **{"id[]": met})):
        time.sleep(0.1)
    notes = [(actors[n % WRITERS], around.note(actors[n % WRITERS], f"a{n}", f"post {n} of the square")) for n in range(many)]
    letters = [around.signed(actor, f"{city.origin}/inbox", note) for actor, note in notes]
    return taken(city, letters, lambda: sum(one["statuses_count"] for one in reader.get("/api/v1/accounts", **{"id[]": met})))


def mentioned(city: City, reader: Person, around: Neighbours, many: int) -> tuple[float, float]:
    """Mentions by people of whom nobody here has heard."""
    named = reader.uri
    actors = [f"{around.origins[n % STRANGERS]}/people/stranger" for n in range(many)]
    letters = [
        around.signed(actor, f"{city.origin}/inbox", around.note(actor, f"m{n}", f"hello {n}", named))
        for n, actor in enumerate(actors)
    ]
    return taken(city, letters, lambda: int(reader.get("/api/v1/notifications/unread_count", limit=1000)["count"]))


def delivered(author: Person, around: Neighbours, posts: int) -> float:
    """Deliveries a second of posts that go to every server, one post after the other."""
    around.follow(author.uri)
    while author.get(f"/api/v1/accounts/{author.id}")["followers_count"] < HOSTS:
        time.sleep(0.1)
    around.heard.clear()
    took = 0.0
    for number in range(posts):
        began, wanted = time.perf_counter(), around.arrived() + HOSTS
        author.post("/api/v1/statuses", status=f"post {number}")
        while around.arrived() < wanted:
            time.sleep(0.002)
        took += time.perf_counter() - began
    return posts * HOSTS / took


def floors(around: Neighbours) -> dict[str, float]:
    """What one core does a second of the operations that nothing can do without."""
    text, scheme = b"x" * 300, (padding.PKCS1v15(), hashes.SHA256())
    value, public = around.private.sign(text, *scheme), around.private.public_key()
    posting = [around.signed(f"{around.origins[0]}/people/rec", around.origins[0], {"id": "x", "type": "Like"})] * 2000
    return {
        "RSA verifications": each(2000, lambda: public.verify(value, text, *scheme)),
        "RSA signatures": each(1000, lambda: around.private.sign(text, *scheme)),
        "loopback POSTs": 2000 / timed(lambda: asyncio.run(brought(f"{around.origins[0]}/inbox", posting, HOSTS))),
    }


def timed(deed: Callable[[], Any]) -> float:
    """How many seconds something takes."""
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def each(many: int, deed: Callable[[], Any]) -> float:
    """How often a second something can be done, one after the other."""
    return many / timed(lambda: [deed() for _ in range(many)])


def documents(city: City, author: Person, seconds: int) -> None:
    """What other servers ask for, by wrk."""
    note = author.post("/api/v1/statuses", status="What is asked for #banc")["uri"]
    finger = f"{city.origin}/.well-known/webfinger?resource=acct:{author.handle}"
    for name, url in (("actor document", author.uri), ("note document", note), ("WebFinger", finger)):
        headers = {"Accept": JSON}
        body = requests.get(url, headers=headers, timeout=10).content
        found = load.median([load.wrk(url, ASKING_AT_ONCE, seconds, headers, city.family()) for _ in range(3)])
        bare = load.bare(body, free_port(), ASKING_AT_ONCE, seconds)
        tell(f"| {name}, c {ASKING_AT_ONCE} | {found.rate:,.0f}/s, p50 {found.p50:.1f} ms | {bare:,.0f} bytes/s |")


def main() -> None:
    """Make the city and its neighbours, then measure row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--mentions", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="in a city of 1,000,000 posts")
    args = parser.parse_args()
    around = Neighbours(HOSTS)
    with folder() as path, cities(City(path / "city", None, "--workers", "2")) as (city,):
        reader, author, named = (city.person(name) for name in ("reader", "author", "named"))
        owner = postgres.start(city.folder).url("parvis_owner")
        if args.large:
            seed.large(owner, city.origin, author.id)
        asyncio.run(seed.settled(owner))
        least = floors(around)
        inserts = load.pgbench(
            programs() / "pgbench", owner, [("INSERT INTO tombstones (uri) VALUES (md5(random()::text || clock_timestamp()::text))", ())],
            AT_ONCE, args.seconds,
        )
        tell(f"| {'1,000,000 statuses' if args.large else 'an empty city'} | | floor |")
        tell("|---|---|---|")
        accepted, kept = processed(city, reader, around, args.posts)
        tell(f"| posts of followed people | {accepted:,.0f}/s accepted, {kept:,.0f}/s processed | "
             f"{least['RSA verifications']:,.0f} RSA verifications/s; {inserts:,.0f} inserts/s |")
        accepted, kept = mentioned(city, named, around, args.mentions)
        tell(f"| mentions by people never seen | {accepted:,.0f}/s accepted, {kept:,.0f}/s processed | the same |")
        rate = delivered(author, around, 20)
        tell(f"| one post to {HOSTS} servers | {rate:,.0f} deliveries/s | "
             f"{least['RSA signatures']:,.0f} RSA signatures/s; {least['loopback POSTs']:,.0f} POSTs/s |")
        documents(city, author, args.seconds)


if __name__ == "__main__":
    main()
