"""The SQL of collections."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parvis.base.db import Read, Tx
from parvis.collections.model import Candidate, Collection, Item, Wish

# Who is in it, but for those who have left, and for those between whom and the viewer, $1, a block stands.
COLLECTION = """c.id, c.account_id, c.name, c.description, c.language, c.sensitive, c.discoverable, c.tag, c.created_at,
    c.updated_at, coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', i.id::text, 'account_id', i.account_id::text, 'state', i.state,
            'created_at', to_char(i.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY i.id)
        FROM collection_items i JOIN accounts a ON a.id = i.account_id
        WHERE i.collection_id = c.id AND i.state = 'accepted' AND a.deleted_at IS NULL AND a.suspended_at IS NULL
          AND NOT EXISTS (SELECT FROM blocks b
                          WHERE (b.account_id, b.target_id) IN ((a.id, $1::bigint), ($1::bigint, a.id)))), '[]')"""
SHOWN = f"""SELECT {COLLECTION} FROM collections c JOIN accounts o ON o.id = c.account_id
    WHERE o.deleted_at IS NULL AND o.suspended_at IS NULL
      AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = o.id AND b.target_id = $1::bigint)"""
ITEM = "id, collection_id, account_id, state, created_at"


async def by_id(r: Read, viewer: int | None, collection_id: int) -> Collection | None:
    """One collection, as a viewer may see it."""
    return await r.one(Collection, f"{SHOWN} AND c.id = $2", viewer, collection_id)


async def of_account(r: Read, viewer: int | None, account_id: int, limit: int, offset: int) -> list[Collection]:
    """Somebody's collections, the newest first; those that are not to be discovered only for themselves."""
    return await r.all(
        Collection,
        f"""{SHOWN} AND c.account_id = $2 AND (c.discoverable OR c.account_id = $1)
            ORDER BY c.id DESC LIMIT $3 OFFSET $4""",
        viewer, account_id, limit, offset,
    )


async def holding(r: Read, account_id: int, limit: int, offset: int) -> list[Collection]:
    """The collections somebody is in, those they were put in last first."""
    return await r.all(
        Collection,
        f"""{SHOWN} AND c.id IN (SELECT i.collection_id FROM collection_items i
                                 WHERE i.account_id = $1 AND i.state = 'accepted')
            ORDER BY c.id DESC LIMIT $2 OFFSET $3""",
        account_id, limit, offset,
    )


async def count(r: Read, account_id: int) -> int:
    """How many collections somebody has."""
    return int(await r.value("SELECT count(*)::int FROM collections WHERE account_id = $1", account_id))


async def people_count(r: Read, collection_id: int) -> int:
    """How many people are in a collection."""
    return int(
        await r.value(
            "SELECT count(*)::int FROM collection_items WHERE collection_id = $1 AND state = 'accepted'", collection_id
        )
    )


async def candidates(r: Read, by: int, account_ids: Sequence[int]) -> list[Candidate]:
    """Which of these may be put in somebody's collection; those who have left are not there."""
    return await r.all(
        Candidate,
        """SELECT a.id, CASE WHEN a.domain IS NULL THEN coalesce(a.discoverable, false)
                             ELSE 'public' = ANY(a.feature_automatic) END,
                  EXISTS (SELECT FROM blocks b WHERE (b.account_id, b.target_id) IN ((a.id, $1), ($1, a.id)))
           FROM accounts a WHERE a.id = ANY($2::bigint[]) AND a.deleted_at IS NULL AND a.suspended_at IS NULL""",
        by, list(account_ids),
    )


async def add(tx: Tx, by: int, wish: Wish) -> int:
    """Insert a collection; its id."""
    return int(
        await tx.value(
            """INSERT INTO collections (account_id, name, description, language, sensitive, discoverable, tag)
               VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id""",
            by, wish.name, wish.description or "", wish.language or None, wish.sensitive is True,
            wish.discoverable is not False, wish.tag or None,
        )
    )


async def change(tx: Tx, collection_id: int, wish: Wish) -> int:
    """Write what was given and leave the rest."""
    given = [name for name in wish.__struct_fields__ if getattr(wish, name) is not msgspec.UNSET]
    return await tx.run(
        """UPDATE collections SET updated_at = parvis_now(),
               name = CASE WHEN 'name' = ANY($2::text[]) THEN $3 ELSE name END,
               description = CASE WHEN 'description' = ANY($2::text[]) THEN $4 ELSE description END,
               language = CASE WHEN 'language' = ANY($2::text[]) THEN $5 ELSE language END,
               sensitive = CASE WHEN 'sensitive' = ANY($2::text[]) THEN $6 ELSE sensitive END,
               discoverable = CASE WHEN 'discoverable' = ANY($2::text[]) THEN $7 ELSE discoverable END,
               tag = CASE WHEN 'tag' = ANY($2::text[]) THEN $8 ELSE tag END
           WHERE id = $1""",
        collection_id, given,
        *(getattr(wish, name) if name in given else None for name in wish.__struct_fields__),
    )


async def drop(tx: Tx, collection_id: int) -> int:
    """Remove a collection."""
    return await tx.run("DELETE FROM collections WHERE id = $1", collection_id)


async def put(tx: Tx, collection_id: int, account_id: int) -> Item | None:
    """Put somebody in; None when they are in it, or took themselves out."""
    return await tx.one(
        Item,
        f"""INSERT INTO collection_items (collection_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
            RETURNING {ITEM}""",
        collection_id, account_id,
    )


async def item(r: Read, collection_id: int, item_id: int) -> Item | None:
    """One place in a collection, unless it was given up."""
    return await r.one(
        Item,
        f"SELECT {ITEM} FROM collection_items WHERE collection_id = $1 AND id = $2 AND state = 'accepted'",
        collection_id, item_id,
    )


async def take_out(tx: Tx, item_id: int) -> int:
    """Remove somebody from a collection; they may be put in again."""
    return await tx.run("DELETE FROM collection_items WHERE id = $1", item_id)


async def revoke(tx: Tx, item_id: int) -> int:
    """Somebody takes themselves out, for good."""
    return await tx.run("UPDATE collection_items SET state = 'revoked' WHERE id = $1", item_id)
