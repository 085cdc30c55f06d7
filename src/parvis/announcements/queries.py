"""The SQL of announcements."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.announcements.model import Announcement, Ended, Notice, Written
from parvis.base.db import Read, Tx

SHOWN = """n.id, n.content, n.starts_at, n.ends_at, n.all_day, n.published_at, n.updated_at,
    EXISTS (SELECT FROM announcement_dismissals d WHERE d.account_id = $1 AND d.announcement_id = n.id) AS dismissed,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'username', a.username, 'url', a.url,
                'acct', concat_ws('@', a.username, a.domain)) ORDER BY a.id), '[]')
     FROM accounts a WHERE a.id = ANY(n.mentions) AND a.deleted_at IS NULL) AS mentions,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'url', coalesce(v.url, v.uri)) ORDER BY v.id), '[]')
     FROM seen_by($1) v WHERE v.id = ANY(n.status_ids)) AS statuses,
    n.tags, emojis_in(n.content, NULL) AS emojis,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('name', x.name, 'count', x.times, 'me', coalesce(x.mine, false),
                'emoji', to_jsonb(e)) ORDER BY x.first), '[]')
     FROM (SELECT c.name, count(*) AS times, bool_or(c.account_id = $1) AS mine, min(c.id) AS first
           FROM announcement_reactions c WHERE c.announcement_id = n.id GROUP BY c.name) x
     LEFT JOIN custom_emojis e ON e.shortcode = x.name AND coalesce(e.domain, '') = '' AND NOT e.disabled) AS reactions
    FROM announcements n"""
CURRENT = """n.published_at IS NOT NULL AND n.withdrawn_at IS NULL
    AND (n.ends_at IS NULL OR n.ends_at > parvis_now())"""


async def current(r: Read, viewer: int | None, with_dismissed: bool) -> list[Announcement]:
    """What is announced at this moment, in the order in which it happens."""
    return await r.all(
        Announcement,
        f"""SELECT {SHOWN} WHERE {CURRENT} AND ($2::boolean OR NOT EXISTS (
                SELECT FROM announcement_dismissals d WHERE d.account_id = $1 AND d.announcement_id = n.id))
            ORDER BY coalesce(n.starts_at, n.published_at), n.id""",
        viewer, with_dismissed,
    )


async def one(r: Read, viewer: int | None, announcement_id: int) -> Announcement | None:
    """One of what is announced at this moment."""
    return await r.one(Announcement, f"SELECT {SHOWN} WHERE {CURRENT} AND n.id = $2", viewer, announcement_id)


async def linked(r: Read, status_ids: Sequence[int], urls: Sequence[str]) -> list[int]:
    """Posts of this city that everybody may read and whose pages are among these addresses."""
    return await r.values(
        """SELECT v.id FROM seen_by(NULL) v
           WHERE v.id = ANY($1::bigint[]) AND v.url = ANY($2::text[]) AND v.visibility IN ('public', 'unlisted')
           ORDER BY v.id""",
        list(status_ids), list(urls),
    )


async def add(tx: Tx, written: Written, notice: Notice) -> int:
    """Insert an announcement that waits to be published; its id."""
    return int(
        await tx.value(
            """INSERT INTO announcements
                   (text, content, mentions, tags, status_ids, starts_at, ends_at, all_day, due_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, parvis_now())) RETURNING id""",
            written.text, written.content, list(written.mentions), list(written.tags), list(written.status_ids),
            notice.starts_at, notice.ends_at, notice.all_day, notice.due_at,
        )
    )


async def publish_due(tx: Tx) -> list[int]:
    """Publish what is due; which ones."""
    return await tx.values(
        """UPDATE announcements SET published_at = parvis_now(), updated_at = parvis_now()
           WHERE id IN (SELECT id FROM announcements
                        WHERE published_at IS NULL AND withdrawn_at IS NULL AND due_at <= parvis_now()
                        ORDER BY due_at FOR UPDATE SKIP LOCKED)
           RETURNING id"""
    )


async def end_due(tx: Tx) -> list[Ended]:
    """End what is over; which ones."""
    return await tx.all(
        Ended,
        """UPDATE announcements SET withdrawn_at = parvis_now(), updated_at = parvis_now()
           WHERE id IN (SELECT id FROM announcements WHERE withdrawn_at IS NULL AND ends_at <= parvis_now()
                        FOR UPDATE SKIP LOCKED)
           RETURNING id, published_at IS NOT NULL AS published""",
    )


async def withdraw(tx: Tx, announcement_id: int) -> Ended | None:
    """End an announcement now; None when there is none that could be."""
    return await tx.one(
        Ended,
        """UPDATE announcements SET withdrawn_at = parvis_now(), updated_at = parvis_now()
           WHERE id = $1 AND withdrawn_at IS NULL RETURNING id, published_at IS NOT NULL AS published""",
        announcement_id,
    )


async def dismiss(tx: Tx, announcement_id: int, account_id: int) -> int:
    """Write down that somebody has read an announcement."""
    return await tx.run(
        """INSERT INTO announcement_dismissals (announcement_id, account_id) VALUES ($1, $2)
           ON CONFLICT DO NOTHING""",
        announcement_id, account_id,
    )


async def add_reaction(tx: Tx, announcement_id: int, account_id: int, name: str) -> int:
    """Insert a reaction; 0 when it was there already."""
    return await tx.run(
        """INSERT INTO announcement_reactions (announcement_id, account_id, name) VALUES ($1, $2, $3)
           ON CONFLICT DO NOTHING""",
        announcement_id, account_id, name,
    )


async def drop_reaction(tx: Tx, announcement_id: int, account_id: int, name: str) -> int:
    """Delete a reaction; 0 when there was none."""
    return await tx.run(
        "DELETE FROM announcement_reactions WHERE announcement_id = $1 AND account_id = $2 AND name = $3",
        announcement_id, account_id, name,
    )
