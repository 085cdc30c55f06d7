"""Two cities to measure: a small one made through the API, and a large one of a million posts written by the owner."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import aiohttp
import asyncpg
from stage import City

PEOPLE, POSTS = 20, 1_000
WORDS = ("place banc arbre tram marché école pont rivière vélo budget vote conseil jardin rue fontaine chantier "
         "bibliothèque piscine cantine lumière").split()

LARGE_PEOPLE, LARGE_POSTS, LARGE_FOLLOWS = 20_000, 1_000_000, 500
LARGE = (
    """INSERT INTO accounts (username, domain, uri, url, display_name, inbox_url, followers_url)
       SELECT 'p' || n, NULL, base || '/ap/users/bench' || n, base || '/@p' || n, 'Person ' || n, '', base || '/f/' || n
       FROM generate_series(1, {people}) n, (SELECT '{origin}'::text AS base) b""",
    "CREATE TEMP TABLE who AS SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts WHERE username LIKE 'p%'",
    "CREATE INDEX ON who (n)",
    # Few write much, many write little: the author of a post is drawn with a skew. Sixty days, older posts have lower ids.
    """INSERT INTO statuses (id, account_id, uri, url, local, text, content, visibility, language, conversation_id,
                             in_reply_to_id, in_reply_to_account_id, created_at)
       SELECT d.id, w.id, '{origin}/s/' || d.id, '{origin}/@p/' || d.id, true, '', '<p>Post ' || d.n || ' about the square and its trees, '
              'the tram and the market of Saturday, which many people like to read about at breakfast.</p>',
              'public', 'fr', d.id, NULL, NULL, d.at
       FROM (SELECT n, 1 + floor({people} * power(random(), 3))::int AS author,
                    now() - interval '60 days' * (1 - n::float8 / {posts}) AS at,
                    ((extract(epoch FROM now() - interval '60 days' * (1 - n::float8 / {posts})) * 1000)::bigint << 16) | (n & 65535) AS id
             FROM generate_series(1, {posts}) n) d
       JOIN who w ON w.n = d.author""",
    # The reader follows people drawn evenly, as one does: most of them write little.
    """INSERT INTO follows (account_id, target_id, accepted)
       SELECT {reader}, id, true FROM who WHERE n % ({people} / {follows}) = 1""",
    """INSERT INTO follows (account_id, target_id, accepted)
       SELECT a.id, b.id, true FROM generate_series(1, {people}) x
       JOIN who a ON a.n = x CROSS JOIN generate_series(1, 20) y JOIN who b ON b.n = 1 + (x * 31 + y * 977) % {people}
       WHERE a.id <> b.id ON CONFLICT DO NOTHING""",
    "INSERT INTO account_counts (account_id, statuses) SELECT account_id, count(*) FROM statuses GROUP BY 1 ON CONFLICT DO NOTHING",
    "ANALYZE",
)


async def small(city: City, tokens: list[str]) -> None:
    """Everybody follows the first and is followed by them; posts, a tenth of them replies; some favourites."""
    draw = random.Random(1)
    async with aiohttp.ClientSession(city.origin) as http:

        async def ask(token: str, path: str, body: dict[str, Any] | None = None) -> Any:
            async with http.post(path, json=body or {}, headers={"Authorization": f"Bearer {token}"}) as answer:
                answer.raise_for_status()
                return await answer.json()

        ids = []
        for token in tokens:
            async with http.get(
                "/api/v1/accounts/verify_credentials", headers={"Authorization": f"Bearer {token}"}
            ) as me:
                ids.append((await me.json())["id"])
        for token, number in zip(tokens[1:], ids[1:], strict=True):
            await ask(tokens[0], f"/api/v1/accounts/{number}/follow")
            await ask(token, f"/api/v1/accounts/{ids[0]}/follow")
        posted: list[str] = []
        for number in range(POSTS):
            words = f"#banc{number % 5} " + " ".join(draw.choices(WORDS, k=14))
            body = {"status": words} | ({"in_reply_to_id": posted[-1]} if number % 10 == 9 else {})
            made = await ask(tokens[number % len(tokens)], "/api/v1/statuses", body)
            posted.append(made["id"])
            if number % 7 == 0:
                await ask(tokens[(number + 1) % len(tokens)], f"/api/v1/statuses/{made['id']}/favourite")


def large(owner_url: str, origin: str, reader: str) -> None:
    """A million posts by 20,000 people; the reader follows 500 of them."""

    async def write() -> None:
        owner: asyncpg.Connection[Any] = await asyncpg.connect(owner_url, command_timeout=1200)
        for statement in LARGE:
            await owner.execute(statement.format(
                origin=origin, people=LARGE_PEOPLE, posts=LARGE_POSTS, follows=LARGE_FOLLOWS, reader=reader
            ))
        await owner.close()

    asyncio.run(write())


async def settled(owner_url: str) -> None:
    """What PostgreSQL does by itself within minutes: tables are counted, and the newest pages marked as seen by all."""
    owner: asyncpg.Connection[Any] = await asyncpg.connect(owner_url, command_timeout=1200)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()
