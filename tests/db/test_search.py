"""Search on 20,000 posts: who finds what against plain Python, and that an index does the work."""

from __future__ import annotations

import json
import random
from typing import Any

import asyncpg
import pytest

from parvis.base.db import Db
from parvis.base.ids import Page
from parvis.search import actions, policy, queries
from parvis.search.model import Stretch, Wish

PEOPLE, POSTS, BASE = 40, 20_000, 1_000_000
COMMON = ("la", "ville", "les", "arbres", "du", "marché", "demain", "tram", "école", "vélo")
ME = 1


class Job:
    """What a deed of the schedule needs here."""

    def __init__(self, db: Db) -> None:
        self.db = db


async def plant(owner: asyncpg.Connection[Any]) -> dict[int, tuple[int, str]]:
    """A city of 40 people, every fourth open to search, and 20,000 posts, of which each fiftieth has a rare word."""
    chance = random.Random(7)
    await owner.executemany(
        """INSERT INTO accounts (id, username, uri, url, indexable, discoverable, display_name)
           VALUES ($1::bigint, 'p' || $1::bigint, 'u' || $1::bigint, 'u' || $1::bigint, $2, true, $3)""",
        [(n, n % 4 == 0, f"Personne Numéro {n}") for n in range(1, PEOPLE + 1)],
    )
    posts = {
        BASE + n: (n % PEOPLE + 1, " ".join(chance.choices(COMMON, k=9)) + (f" rare{n % 1000}" if n % 50 == 0 else ""))
        for n in range(POSTS)
    }
    await owner.execute("ALTER TABLE statuses DISABLE TRIGGER USER")
    await owner.copy_records_to_table(
        "statuses", columns=["id", "account_id", "uri", "local", "visibility", "conversation_id", "content"],
        records=[(n, author, f"s{n}", True, "public", n, f"<p>{text}</p>") for n, (author, text) in posts.items()],
    )
    await owner.execute("ALTER TABLE statuses ENABLE TRIGGER USER")
    await owner.execute("INSERT INTO favourites (account_id, status_id) SELECT 1, id FROM statuses WHERE account_id = 2")
    await owner.execute("INSERT INTO mutes (account_id, target_id) VALUES (1, 8)")
    await owner.execute("UPDATE search_backlog SET below = $1", BASE + POSTS)
    return posts


async def rows_read(owner: asyncpg.Connection[Any], wish: Wish, page: Page) -> tuple[int, set[str]]:
    """How many rows a search reads of the posts' words and the posts, and which indexes it goes by."""
    sql = queries.FOUND[(bool(wish.words), bool(wish.authors))][0]
    args: list[Any] = [
        ME, page.after, page.before, page.limit, 0, list(wish.words), list(wish.without), list(wish.marks), [],
        [name for name, _ in wish.authors], [domain for _, domain in wish.authors], [], [], [], [], wish.since, wish.until, None, [],
    ]
    found = await owner.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *args)
    read, used = 0, set()
    waiting = [json.loads(found)[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        used |= {node["Index Name"]} if "Index Name" in node else set()
        if node.get("Relation Name") in ("status_words", "statuses"):
            lost = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read += round((node["Actual Rows"] + lost) * node["Actual Loops"])
    return read, used


@pytest.fixture
async def planted(db: Db, owner: asyncpg.Connection[Any]) -> dict[int, tuple[int, str]]:
    posts = await plant(owner)
    turns = 0
    while await actions.catch_up(Job(db)):  # type: ignore[arg-type]
        turns += 1
    assert turns == POSTS // actions.STEP
    assert not await actions.catch_up(Job(db))  # type: ignore[arg-type]
    assert await owner.fetchval("SELECT count(*) FROM status_words") == POSTS
    await owner.execute("ANALYZE")
    return posts


async def test_twenty_thousand_posts(planted: dict[int, tuple[int, str]], db: Db, owner: asyncpg.Connection[Any]) -> None:
    open_to_me = {author for author in range(1, PEOPLE + 1) if author % 4 == 0 and author != 8} | {1, 2}

    def oracle(*parts: str) -> list[int]:
        wanted = [n for n, (author, text) in planted.items() if author in open_to_me and all(p in text.split() for p in parts)]
        return sorted(wanted, reverse=True)

    async def found(q: str, page: Page) -> list[int]:
        async with db.read() as r:
            return await queries.statuses(r, ME, policy.understood(q, "x"), page)

    for word in ("rare0", "rare50", "rare950", "nowhere"):
        assert await found(word, Page(limit=40)) == oracle(word)[:40]
        assert await found(f"{word} écoles", Page(limit=40)) == oracle(word, "école")[:40]
    assert await found("arbre velo", Page(limit=40)) == oracle("arbres", "vélo")[:40]
    older = oracle("tram")[40]
    assert await found("tram", Page(max_id=older, limit=40)) == oracle("tram")[41:81]
    assert await found("tram", Page(min_id=older, limit=40)) == oracle("tram")[:40]
    mine = [n for n in oracle("ville") if planted[n][0] in (1, 2)]
    assert await found("ville in:library", Page(limit=40)) == mine[:40]
    assert await found("from:p4 ville", Page(limit=40)) == [n for n in oracle("ville") if planted[n][0] == 4][:40]
    assert await found("from:me", Page(limit=40)) == [n for n in oracle() if planted[n][0] == ME][:40]

    read, used = await rows_read(owner, policy.understood("rare50", "x"), Page())
    assert "status_words_words" in used
    assert read <= 4 * 20  # its twenty posts, each as words and as a post, and its reblogs
    for common in ("ville", "ville in:library", "from:p4"):  # the newest are looked at until the page is full, not all
        read, _ = await rows_read(owner, policy.understood(common, "x"), Page(limit=20))
        assert read <= POSTS // 10, common


async def test_people_are_found_by_an_index(planted: dict[int, tuple[int, str]], db: Db, owner: asyncpg.Connection[Any]) -> None:
    await owner.execute("INSERT INTO accounts (username, uri, url, display_name) SELECT 'x' || n, 'x' || n, 'x' || n, md5(n::text) FROM generate_series(1, 20000) n")
    await owner.execute("ANALYZE accounts")
    plan = "\n".join(row[0] for row in await owner.fetch(
        """EXPLAIN SELECT id FROM accounts a WHERE search_names(a.username, a.domain, a.display_name) LIKE search_name('%numero 7%')
             OR search_name('numero 7') <% search_names(a.username, a.domain, a.display_name)"""))
    assert "accounts_names" in plan
    async with db.read() as r:
        whom = policy.named("numéro 17", "x")
        assert (await queries.accounts(r, None, whom, policy.pattern(whom.text), Stretch(5)))[0] == 17
        whom = policy.named("P17", "x")
        assert (await queries.accounts(r, None, whom, policy.pattern(whom.text), Stretch(5)))[0] == 17
