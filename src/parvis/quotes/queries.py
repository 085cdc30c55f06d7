"""The SQL of quotes."""

from __future__ import annotations

import msgspec

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.quotes.model import Asker, Grant, Quote

QUOTE = """q.status_id, q.account_id, q.quoted_id, q.quoted_account_id, q.quoted_uri, q.state, q.request_uri,
    q.approval_uri, q.created_at"""
LISTED = both_ways(
    """SELECT v.id FROM quotes q JOIN seen_by($1) v ON v.id = q.status_id
       WHERE q.quoted_id = $5 AND q.state = 'accepted' AND v.id > $2 AND v.id < $3
         AND EXISTS (SELECT FROM seen_by($1) o WHERE o.id = $5)
         AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = $1 AND m.target_id = v.account_id
                                               AND (m.until IS NULL OR m.until > parvis_now()))
         AND NOT EXISTS (SELECT FROM domain_blocks d JOIN accounts a ON a.domain = d.domain
                         WHERE d.account_id = $1 AND a.id = v.account_id)
       ORDER BY v.id DESC /*page*/ LIMIT $4"""
)


async def of(r: Read, status_id: int) -> Quote | None:
    """What a post quotes."""
    return await r.one(Quote, f"SELECT {QUOTE} FROM quotes q WHERE q.status_id = $1", status_id)


async def granted(r: Read, author: int, uri: str) -> list[Quote]:
    """What one author agreed to under this id."""
    return await r.all(
        Quote, f"SELECT {QUOTE} FROM quotes q WHERE q.approval_uri = $2 AND q.quoted_account_id = $1", author, uri
    )


async def end(tx: Tx, quoted_id: int) -> int:
    """Whatever quotes a post that is gone shows that it is."""
    return await tx.run(
        "UPDATE quotes SET state = 'deleted', approval_uri = NULL WHERE quoted_id = $1 AND state <> 'deleted'",
        quoted_id,
    )


async def shown_here(r: Read, quoted_id: int) -> list[Quote]:
    """The quotes of a post by people of this city, as far as they may be shown."""
    return await r.all(
        Quote,
        f"""SELECT {QUOTE} FROM quotes q JOIN statuses s ON s.id = q.status_id
            WHERE q.quoted_id = $1 AND q.state = 'accepted' AND s.local AND s.deleted_at IS NULL
            ORDER BY q.status_id""",
        quoted_id,
    )


async def asker(r: Read, author: int, by: int) -> Asker:
    """How somebody who wants to quote stands to the author."""
    found = await r.one(
        Asker,
        """SELECT EXISTS (SELECT FROM follows f WHERE f.account_id = $2 AND f.target_id = $1 AND f.accepted),
                  EXISTS (SELECT FROM follows f WHERE f.account_id = $1 AND f.target_id = $2 AND f.accepted)""",
        author, by,
    )
    return found or Asker(False, False)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A quote about to be written down."""

    status_id: int
    account_id: int
    quoted_id: int | None
    quoted_account_id: int | None
    quoted_uri: str
    state: str
    request_uri: str | None = None
    approval_uri: str | None = None


async def add(tx: Tx, made: Made) -> bool:
    """Insert a quote; False when the post quotes something already."""
    return bool(
        await tx.run(
            """INSERT INTO quotes (status_id, account_id, quoted_id, quoted_account_id, quoted_uri, state, request_uri,
                                   approval_uri)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (status_id) DO NOTHING""",
            made.status_id, made.account_id, made.quoted_id, made.quoted_account_id, made.quoted_uri, made.state,
            made.request_uri, made.approval_uri,
        )
    )


async def move(tx: Tx, status_id: int, state: str, approval_uri: str | None) -> int:
    """Write a quote's state, and where it is agreed to."""
    return await tx.run(
        "UPDATE quotes SET state = $2, approval_uri = $3 WHERE status_id = $1", status_id, state, approval_uri
    )


async def requested(tx: Tx, status_id: int, request_uri: str) -> int:
    """Remember with which request a quote was asked for."""
    return await tx.run("UPDATE quotes SET request_uri = $2 WHERE status_id = $1", status_id, request_uri)


async def drop(tx: Tx, status_id: int) -> int:
    """A post quotes nothing any more."""
    return await tx.run("DELETE FROM quotes WHERE status_id = $1", status_id)


async def quotes(r: Read, viewer: int | None, quoted_id: int, page: Page) -> list[int]:
    """The posts that quote one, as far as the viewer may see them, newest first."""
    found = await r.values(LISTED[page.upwards], viewer, page.after, page.before, page.limit, quoted_id)
    return sorted(found, reverse=True)


async def grant(r: Read, author: int, status_id: int) -> Grant | None:
    """One author's standing agreement to be quoted by a post."""
    return await r.one(
        Grant,
        """SELECT q.approval_uri AS uri, s.uri AS quoting, o.uri AS quoted FROM quotes q
           JOIN statuses s ON s.id = q.status_id JOIN statuses o ON o.id = q.quoted_id
           WHERE q.status_id = $2 AND o.account_id = $1 AND q.state = 'accepted' AND q.approval_uri IS NOT NULL
             AND s.deleted_at IS NULL AND o.deleted_at IS NULL AND NOT s.local_only AND NOT o.local_only""",
        author, status_id,
    )
