"""The SQL of attached files."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.media.model import Kept, Media, Raw, Said

MEDIA = """id, account_id, status_id, kind, content_type, file, preview_file, remote_url, width, height, preview_width,
    preview_height, description, focus_x, focus_y, blurhash, state, failure, raw_file, preview_remote_url, meta"""


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


async def among(r: Read, account_id: int, media_ids: Sequence[int]) -> list[Media]:
    """Those of these files that are this account's."""
    return await r.all(
        Media, f"SELECT {MEDIA} FROM media WHERE account_id = $1 AND id = ANY($2::bigint[])",
        account_id, list(media_ids),
    )


async def add(tx: Tx, account_id: int, kept: Kept, said: Said) -> int:
    """Insert a file that is ready; its id."""
    file, small, cover = kept.work.file, kept.work.preview, said.cover
    preview = cover.picture if cover else small
    return int(
        await tx.value(
            """INSERT INTO media (account_id, kind, content_type, file, preview_file, width, height, preview_width,
                                  preview_height, description, focus_x, focus_y, blurhash, meta)
               VALUES ($1, $2, $3, $4, $5, nullif($6, 0), nullif($7, 0), $8, $9, $10, $11, $12, $13, $14)
               RETURNING id""",
            account_id, kept.work.kind, file.content_type if file else "", kept.file,
            cover.file if cover else kept.preview_file, file.width if file else 0, file.height if file else 0,
            preview.width if preview else None, preview.height if preview else None, said.description, *said.focus,
            cover.blurhash if cover else kept.work.blurhash, kept.work.meta,
        )
    )


async def add_waiting(tx: Tx, account_id: int, raw: Raw, said: Said) -> int:
    """Insert a file that is still to be made ready; its id."""
    cover = said.cover
    return int(
        await tx.value(
            """INSERT INTO media (account_id, kind, content_type, state, raw_file, size_bytes, preview_file,
                                  preview_width, preview_height, description, focus_x, focus_y, blurhash)
               VALUES ($1, $2, '', 'waiting', $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id""",
            account_id, raw.kind, raw.file, raw.size, cover.file if cover else None,
            cover.picture.width if cover else None, cover.picture.height if cover else None, said.description,
            *said.focus, cover.blurhash if cover else None,
        )
    )


async def waiting(r: Read, media_id: int) -> Media | None:
    """A file that is still to be made ready."""
    return await r.one(Media, f"SELECT {MEDIA} FROM media WHERE id = $1 AND state = 'waiting'", media_id)


async def finish(tx: Tx, media_id: int, kept: Kept) -> int:
    """A waiting file is ready; a cover that its owner gave meanwhile stays. 0 when it does not wait any more."""
    file, small = kept.work.file, kept.work.preview
    return await tx.run(
        """UPDATE media SET state = 'ready', raw_file = NULL, kind = $2, content_type = $3, file = $4,
               width = nullif($5, 0), height = nullif($6, 0), meta = $7, preview_file = coalesce(preview_file, $8),
               preview_width = CASE WHEN preview_file IS NULL THEN $9 ELSE preview_width END,
               preview_height = CASE WHEN preview_file IS NULL THEN $10 ELSE preview_height END,
               blurhash = coalesce(blurhash, $11)
           WHERE id = $1 AND state = 'waiting'""",
        media_id, kept.work.kind, file.content_type if file else "", kept.file, file.width if file else 0,
        file.height if file else 0, kept.work.meta, kept.preview_file, small.width if small else None,
        small.height if small else None, kept.work.blurhash,
    )


async def fail(tx: Tx, media_id: int, why: str) -> int:
    """A waiting file will never be ready."""
    return await tx.run(
        "UPDATE media SET state = 'failed', failure = $2, raw_file = NULL WHERE id = $1 AND state = 'waiting'",
        media_id, why,
    )


async def cover(tx: Tx, media_id: int, account_id: int, said: Said) -> int:
    """Show another small picture for one's own file."""
    given = said.cover
    return 0 if given is None else await tx.run(
        """UPDATE media SET preview_file = $3, preview_width = $4, preview_height = $5, blurhash = $6
           WHERE id = $1 AND account_id = $2""",
        media_id, account_id, given.file, given.picture.width, given.picture.height, given.blurhash,
    )


async def remove(tx: Tx, media_id: int, account_id: int) -> Media | None:
    """Delete one's own file that nothing shows."""
    return await tx.one(
        Media,
        f"""DELETE FROM media WHERE id = $1 AND account_id = $2 AND status_id IS NULL AND held_for IS NULL
                              AND shown_before IS NULL RETURNING {MEDIA}""",
        media_id, account_id,
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
             AND media.held_for IS NULL AND media.state = 'ready'""",
        status_id, account_id, list(media_ids),
    )


async def hold(tx: Tx, scheduled_id: int, account_id: int, media_ids: Sequence[int]) -> int:
    """Keep free files of the account for a post that comes later."""
    return await tx.run(
        """UPDATE media SET held_for = $1, position = w.place
           FROM unnest($3::bigint[]) WITH ORDINALITY AS w(id, place)
           WHERE media.id = w.id AND media.account_id = $2 AND media.status_id IS NULL AND media.held_for IS NULL
             AND media.state = 'ready'""",
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
    """Take from a post the files it no longer shows; its history still does."""
    return await tx.run(
        "UPDATE media SET status_id = NULL, shown_before = $1 WHERE status_id = $1 AND NOT id = ANY($2::bigint[])",
        status_id, list(media_ids),
    )


async def let_go(tx: Tx, status_ids: Sequence[int]) -> int:
    """The files of posts that are deleted are free for a day, to be posted anew; remote ones are forgotten."""
    return await tx.run(
        """WITH gone AS (DELETE FROM media WHERE remote_url IS NOT NULL AND status_id = ANY($1::bigint[]))
           UPDATE media SET detached_at = parvis_now(),
                            status_id = CASE WHEN status_id = ANY($1::bigint[]) THEN NULL ELSE status_id END,
                            shown_before = CASE WHEN shown_before = ANY($1::bigint[]) THEN NULL ELSE shown_before END
           WHERE remote_url IS NULL AND (status_id = ANY($1::bigint[]) OR shown_before = ANY($1::bigint[]))""",
        list(status_ids),
    )


async def drop(tx: Tx, status_id: int) -> list[Media]:
    """Forget the files of a post, and those its history shows; what they were."""
    return await tx.all(
        Media,
        f"""DELETE FROM media WHERE status_id = $1 OR (shown_before = $1 AND status_id IS NULL AND held_for IS NULL)
            RETURNING {MEDIA}""",
        status_id,
    )


async def add_remote(
    tx: Tx, account_id: int, status_id: int, place: int, file: tuple[str, str, str, str | None],
    shown: tuple[str | None, str | None, int | None, int | None, float, float],
) -> int:
    """Write down a file that stays on another server: (kind, type, URL, its cover's) and what is shown of it."""
    return await tx.run(
        """INSERT INTO media (account_id, status_id, position, kind, content_type, remote_url, preview_remote_url,
                              description, blurhash, width, height, focus_x, focus_y)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        account_id, status_id, place, *file, *shown,
    )


async def drop_remote(tx: Tx, status_id: int) -> int:
    """Forget the remote files of a post that is about to get others."""
    return await tx.run("DELETE FROM media WHERE status_id = $1 AND remote_url IS NOT NULL", status_id)


async def drop_all(tx: Tx, account_id: int) -> int:
    """Forget every file of an account; the store loses them with the next sweep."""
    return await tx.run("DELETE FROM media WHERE account_id = $1", account_id)


async def stale(tx: Tx) -> list[Media]:
    """Uploads that no post took within a day; deleted here, their files by the caller."""
    return await tx.all(
        Media,
        f"""DELETE FROM media WHERE id IN (
                SELECT id FROM media WHERE status_id IS NULL AND held_for IS NULL AND shown_before IS NULL
                                       AND coalesce(detached_at, created_at) < parvis_now() - interval '24 hours'
                ORDER BY created_at LIMIT 200 FOR UPDATE SKIP LOCKED)
            RETURNING {MEDIA}""",
    )


async def reserve(tx: Tx, names: Sequence[str]) -> int:
    """Names that are about to be put into the store: a row takes them within the hour, or they go."""
    return await tx.run(
        """INSERT INTO doomed_files (name, due_at) SELECT name, parvis_now() + interval '1 hour'
           FROM unnest($1::text[]) name ON CONFLICT DO NOTHING""",
        list(names),
    )


async def doomed(r: Read, limit: int) -> list[str]:
    """Names in the store that nothing has any more."""
    return await r.values(
        "SELECT name FROM doomed_files WHERE due_at <= parvis_now() ORDER BY due_at LIMIT $1", limit
    )


async def burnt(tx: Tx, names: Sequence[str]) -> int:
    """These are out of the store."""
    return await tx.run("DELETE FROM doomed_files WHERE name = ANY($1::text[])", list(names))
