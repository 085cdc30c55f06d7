"""The SQL of linked pages and their cards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from parvis.base.db import Read, Tx
from parvis.links.model import Page, Wanted


class Linking(msgspec.Struct, frozen=True):
    """What of a post decides which of its links is previewed: has it files or a quote anyway, and whom does it name."""

    content: str
    local: bool
    fuller: bool
    people: list[str]


async def linking(r: Read, status_id: int) -> Linking | None:
    """A post that is there, and no reblog."""
    return await r.one(
        Linking,
        """SELECT s.content, s.local, EXISTS (SELECT FROM media m WHERE m.status_id = s.id)
                      OR EXISTS (SELECT FROM quotes q WHERE q.status_id = s.id),
                  ARRAY(SELECT x FROM mentions n JOIN accounts a ON a.id = n.account_id, unnest(ARRAY[a.url, a.uri]) x
                        WHERE n.status_id = s.id)
           FROM statuses s WHERE s.id = $1 AND s.deleted_at IS NULL AND s.reblog_of_id IS NULL""",
        status_id,
    )


async def want(tx: Tx, url: str, delay: timedelta) -> int:
    """Have a page fetched after a delay, unless that is under way or was done within the day."""
    return await tx.run(
        """INSERT INTO linked_pages (url, due_at) VALUES ($1, parvis_now() + $2::interval)
           ON CONFLICT (url) DO UPDATE SET due_at = EXCLUDED.due_at, tries = 0
           WHERE linked_pages.due_at IS NULL AND linked_pages.fetched_at < parvis_now() - interval '1 day'""",
        url, delay,
    )


async def link(tx: Tx, status_id: int, url: str) -> int:
    """A post shows the card of this page, when there is one."""
    return await tx.run(
        """INSERT INTO status_cards (status_id, url) VALUES ($1, $2)
           ON CONFLICT (status_id) DO UPDATE SET url = EXCLUDED.url""",
        status_id, url,
    )


async def unlink(tx: Tx, status_id: int) -> int:
    """A post shows no card."""
    return await tx.run("DELETE FROM status_cards WHERE status_id = $1", status_id)


async def lease(tx: Tx, most: int) -> list[Wanted]:
    """Take pages that are due; nobody else gets them for two minutes."""
    return await tx.all(
        Wanted,
        """UPDATE linked_pages SET due_at = parvis_now() + interval '2 minutes', tries = tries + 1
           WHERE url IN (SELECT url FROM linked_pages WHERE due_at <= parvis_now()
                         ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING url, tries""",
        most,
    )


async def put_off(tx: Tx, url: str, delay: timedelta) -> int:
    """Try a page again later."""
    return await tx.run("UPDATE linked_pages SET due_at = parvis_now() + $2::interval WHERE url = $1", url, delay)


async def put_card(tx: Tx, page: Page) -> int | None:
    """Write what a page says about itself; the id of its card. Only the page at its own address changes one.

    None when another transaction was just making it: it has committed by now, so the caller tries again.
    """
    found: int | None = await tx.value(
        """WITH made AS (
               INSERT INTO preview_cards (url, title, description, language, author_name, author_url, provider_name,
                   provider_url, image_url, image_description, width, height, published_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
               ON CONFLICT (url) DO UPDATE SET title = EXCLUDED.title, description = EXCLUDED.description,
                   language = EXCLUDED.language, author_name = EXCLUDED.author_name,
                   author_url = EXCLUDED.author_url, provider_name = EXCLUDED.provider_name,
                   provider_url = EXCLUDED.provider_url, image_url = EXCLUDED.image_url,
                   image_description = EXCLUDED.image_description, width = EXCLUDED.width,
                   height = EXCLUDED.height, published_at = EXCLUDED.published_at
               WHERE $14::boolean RETURNING id)
           SELECT id FROM made UNION ALL SELECT id FROM preview_cards WHERE url = $1 LIMIT 1""",
        page.url, page.title, page.description, page.language, page.author_name, page.author_url,
        page.provider_name, page.provider_url, page.image_url, page.image_description, page.width, page.height,
        page.published_at, page.canonical,
    )
    return found


async def fetched(tx: Tx, url: str, card_id: int | None) -> int:
    """A page was asked for, and is not again for a day; one that says nothing today keeps its card."""
    return await tx.run(
        """UPDATE linked_pages SET card_id = coalesce($2, card_id), due_at = NULL, tries = 0, fetched_at = parvis_now()
           WHERE url = $1""",
        url, card_id,
    )


async def card(r: Read, status_id: int) -> dict[str, Any] | None:
    """What the card of a post is made from."""
    found: dict[str, Any] | None = await r.value(
        """SELECT to_jsonb(c) FROM status_cards s JOIN linked_pages p ON p.url = s.url
           JOIN preview_cards c ON c.id = p.card_id WHERE s.status_id = $1""",
        status_id,
    )
    return found
