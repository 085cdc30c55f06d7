"""The SQL of filters. Another's filter is as good as none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parvis.base.db import Read, Tx
from parvis.filters.model import Action, Filter, FilteredStatus, Keyword, Phrase, Totals

FILTER = """f.id, f.title, f.context, f.action, f.expires_at,
    (SELECT coalesce(jsonb_agg(to_jsonb(k) ORDER BY k.id), '[]') FROM filter_keywords k
     WHERE k.filter_id = f.id) AS keywords,
    (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.id), '[]') FROM filter_statuses s
     WHERE s.filter_id = f.id) AS statuses"""
KEYWORD = "k.id, k.filter_id, k.keyword, k.whole_word FROM filter_keywords k JOIN filters f ON f.id = k.filter_id"
STATUS = "s.id, s.filter_id, s.status_id FROM filter_statuses s JOIN filters f ON f.id = s.filter_id"
PHRASE = """k.id, k.filter_id, k.keyword, k.whole_word, f.context, f.action, f.expires_at,
    (SELECT count(*) FROM filter_keywords o WHERE o.filter_id = f.id AND o.id <> k.id)::int
    FROM filter_keywords k JOIN filters f ON f.id = k.filter_id"""


async def all_of(r: Read, account_id: int) -> list[Filter]:
    """Somebody's filters, those that have run out among them."""
    return await r.all(Filter, f"SELECT {FILTER} FROM filters f WHERE f.account_id = $1 ORDER BY f.id", account_id)


async def one(r: Read, account_id: int, filter_id: int) -> Filter | None:
    """One of somebody's filters."""
    return await r.one(
        Filter, f"SELECT {FILTER} FROM filters f WHERE f.account_id = $1 AND f.id = $2", account_id, filter_id
    )


async def keywords(r: Read, account_id: int, filter_id: int) -> list[Keyword]:
    """The words of a filter."""
    return await r.all(
        Keyword, f"SELECT {KEYWORD} WHERE f.account_id = $1 AND f.id = $2 ORDER BY k.id", account_id, filter_id
    )


async def keyword(r: Read, account_id: int, keyword_id: int) -> Keyword | None:
    """One word of somebody's filters."""
    return await r.one(Keyword, f"SELECT {KEYWORD} WHERE f.account_id = $1 AND k.id = $2", account_id, keyword_id)


async def statuses(r: Read, account_id: int, filter_id: int) -> list[FilteredStatus]:
    """The posts that a filter names itself."""
    return await r.all(
        FilteredStatus, f"SELECT {STATUS} WHERE f.account_id = $1 AND f.id = $2 ORDER BY s.id", account_id, filter_id
    )


async def status(r: Read, account_id: int, number: int) -> FilteredStatus | None:
    """One of the posts that somebody's filters name."""
    return await r.one(FilteredStatus, f"SELECT {STATUS} WHERE f.account_id = $1 AND s.id = $2", account_id, number)


async def phrases(r: Read, account_id: int) -> list[Phrase]:
    """Each word of somebody's filters, with its filter."""
    return await r.all(Phrase, f"SELECT {PHRASE} WHERE f.account_id = $1 ORDER BY k.id", account_id)


async def phrase(r: Read, account_id: int, keyword_id: int) -> Phrase | None:
    """One word of somebody's filters, with its filter."""
    return await r.one(Phrase, f"SELECT {PHRASE} WHERE f.account_id = $1 AND k.id = $2", account_id, keyword_id)


async def totals(r: Read, account_id: int) -> Totals:
    """How much somebody's filters hold."""
    found = await r.one(
        Totals,
        """SELECT count(*)::int,
                  coalesce(sum((SELECT count(*) FROM filter_keywords k WHERE k.filter_id = f.id)), 0)::int,
                  coalesce(sum((SELECT count(*) FROM filter_statuses s WHERE s.filter_id = f.id)), 0)::int
           FROM filters f WHERE f.account_id = $1""",
        account_id,
    )
    return found or Totals(0, 0, 0)


async def add(
    tx: Tx, account_id: int, title: str, context: Sequence[str], action: Action, expires_at: datetime | None
) -> int:
    """Insert a filter; its id."""
    return int(
        await tx.value(
            """INSERT INTO filters (account_id, title, context, action, expires_at)
               VALUES ($1, $2, $3, $4, $5) RETURNING id""",
            account_id, title, list(context), action, expires_at,
        )
    )


async def change(
    tx: Tx, filter_id: int, title: str, context: Sequence[str], action: Action, expires_at: datetime | None
) -> int:
    """Write what a filter is now."""
    return await tx.run(
        "UPDATE filters SET title = $2, context = $3, action = $4, expires_at = $5 WHERE id = $1",
        filter_id, title, list(context), action, expires_at,
    )


async def drop(tx: Tx, account_id: int, filter_id: int) -> int:
    """Delete one of somebody's filters with all it holds."""
    return await tx.run("DELETE FROM filters WHERE account_id = $1 AND id = $2", account_id, filter_id)


async def add_keyword(tx: Tx, filter_id: int, keyword: str, whole_word: bool) -> int:
    """Insert a word; its id."""
    return int(
        await tx.value(
            "INSERT INTO filter_keywords (filter_id, keyword, whole_word) VALUES ($1, $2, $3) RETURNING id",
            filter_id, keyword, whole_word,
        )
    )


async def change_keyword(tx: Tx, keyword_id: int, keyword: str, whole_word: bool) -> int:
    """Write what a word is now."""
    return await tx.run(
        "UPDATE filter_keywords SET keyword = $2, whole_word = $3 WHERE id = $1", keyword_id, keyword, whole_word
    )


async def drop_keyword(tx: Tx, keyword_id: int) -> int:
    """Delete a word."""
    return await tx.run("DELETE FROM filter_keywords WHERE id = $1", keyword_id)


async def add_status(tx: Tx, filter_id: int, status_id: int) -> int | None:
    """Insert a post that a filter names; its row's id, None when it is named already."""
    made: int | None = await tx.value(
        "INSERT INTO filter_statuses (filter_id, status_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id",
        filter_id, status_id,
    )
    return made


async def drop_status(tx: Tx, number: int) -> int:
    """Delete the naming of a post."""
    return await tx.run("DELETE FROM filter_statuses WHERE id = $1", number)
