"""The SQL of attached files."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.media.model import Kept, Media

MEDIA = """id, account_id, status_id, kind, content_type, file, preview_file, remote_url, width, height, preview_width,
    preview_height, description, focus_x, focus_y, blurhash"""


async def by_id(r: Read, media_id: int, account_id: int) -> Media | None:
    """A file of this account's."""
    return await r.one(Media, f"SELECT {MEDIA} FROM media WHERE id = $1 AND account_id = $2", media_id, account_id)


async def of_statuses(r: Read, status_ids: Sequence[int]) -> list[Media]:
    """The files of posts, in their order."""
    return await r.all(
        Media,
        f"SELECT {MEDIA} FROM media WHERE status_id = ANY($1::bigint[]) ORDER BY status_id, position, id",
        list(status_ids),
    )


async def add(tx: Tx, account_id: int, kept: Kept, description: str | None, focus: tuple[float, float]) -> int:
    """Insert an uploaded picture; its id."""
    picture = kept.picture
    return int(
        await tx.value(
            """INSERT INTO media (account_id, kind, content_type, file, preview_file, width, height, preview_width,
                                  preview_height, size_bytes, description, focus_x, focus_y, blurhash)
               VALUES ($1, 'image', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id""",
            account_id, picture.content_type, kept.file, kept.preview_file, picture.width, picture.height,
            picture.preview_width, picture.preview_height, len(picture.body), description, focus[0], focus[1],
            picture.blurhash,
        )
    )


async def describe(tx: Tx, media_id: int, account_id: int, description: str | None, focus: tuple[float, float]) -> int:
    """Change the description and the focal point of one's own file."""
    return await tx.run(
        "UPDATE media SET description = $3, focus_x = $4, focus_y = $5 WHERE id = $1 AND account_id = $2",
        media_id, account_id, description, focus[0], focus[1],
    )


async def attach(tx: Tx, status_id: int, account_id: int, media_ids: Sequence[int]) -> int:
    """Give free files of the account (or those the post has already) to a post, in this order."""
    return await tx.run(
        """UPDATE media SET status_id = $1, position = w.place
           FROM unnest($3::bigint[]) WITH ORDINALITY AS w(id, place)
           WHERE media.id = w.id AND media.account_id = $2 AND (media.status_id IS NULL OR media.status_id = $1)
             AND media.held_for IS NULL""",
        status_id, account_id, list(media_ids),
    )


async def hold(tx: Tx, scheduled_id: int, account_id: int, media_ids: Sequence[int]) -> int:
    """Keep free files of the account for a post that comes later."""
    return await tx.run(
        """UPDATE media SET held_for = $1, position = w.place
           FROM unnest($3::bigint[]) WITH ORDINALITY AS w(id, place)
           WHERE media.id = w.id AND media.account_id = $2 AND media.status_id IS NULL AND media.held_for IS NULL""",
        scheduled_id, account_id, list(media_ids),
    )


async def release(tx: Tx, scheduled_id: int) -> int:
    """What was kept for a later post is free."""
    return await tx.run("UPDATE media SET held_for = NULL WHERE held_for = $1", scheduled_id)


async def held(r: Read, scheduled_ids: Sequence[int]) -> list[Media]:
    """The files that are kept for later posts."""
    return await r.all(
        Media,
        f"SELECT {MEDIA} FROM media WHERE held_for = ANY($1::bigint[]) ORDER BY position, id",
        list(scheduled_ids),
    )


async def detach_others(tx: Tx, status_id: int, media_ids: Sequence[int]) -> int:
    """Take from a post the files it no longer shows."""
    return await tx.run(
        "UPDATE media SET status_id = NULL WHERE status_id = $1 AND NOT id = ANY($2::bigint[])",
        status_id, list(media_ids),
    )


async def drop(tx: Tx, status_id: int) -> list[Media]:
    """Forget the files of a post; what they were."""
    return await tx.all(Media, f"DELETE FROM media WHERE status_id = $1 RETURNING {MEDIA}", status_id)


async def add_remote(
    tx: Tx, account_id: int, status_id: int, place: int, file: tuple[str, str, str],
    shown: tuple[str | None, str | None, int | None, int | None, float, float],
) -> int:
    """Write down a file that stays on another server: (kind, type, URL) and what is shown of it."""
    return await tx.run(
        """INSERT INTO media (account_id, status_id, position, kind, content_type, remote_url, description, blurhash,
                              width, height, focus_x, focus_y)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        account_id, status_id, place, *file, *shown,
    )


async def drop_remote(tx: Tx, status_id: int) -> int:
    """Forget the remote files of a post that is about to get others."""
    return await tx.run("DELETE FROM media WHERE status_id = $1 AND remote_url IS NOT NULL", status_id)


async def stale(tx: Tx) -> list[Media]:
    """Uploads that no post took within a day; deleted here, their files by the caller."""
    return await tx.all(
        Media,
        f"""DELETE FROM media WHERE id IN (
                SELECT id FROM media WHERE status_id IS NULL AND held_for IS NULL
                                       AND created_at < parvis_now() - interval '24 hours'
                ORDER BY created_at LIMIT 200 FOR UPDATE SKIP LOCKED)
            RETURNING {MEDIA}""",
    )
