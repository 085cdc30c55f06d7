"""The SQL of posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from parvis.base.db import Read, Tx
from parvis.base.errors import NotFound
from parvis.statuses.model import Draft, Edit, Made, Named, Openness, Revision, Standing, Status

STATUS = """s.id, s.account_id, s.uri, s.url, s.local, s.text, s.content, s.spoiler_text, s.sensitive, s.visibility,
    s.language, s.in_reply_to_id, s.in_reply_to_account_id, s.conversation_id, s.reblog_of_id, s.created_at,
    s.received_at, s.edited_at, s.deleted_at, s.removed_at, s.quote_automatic, s.quote_manual, s.reply_policy,
    s.reply_hidden, s.local_only, s.version"""


def unlocked(post: str, author: str) -> str:
    """The part of seen_by that asks nothing of the viewer. What is not unlocked is put to seen_by itself."""
    return f"""{post}.visibility IN ('public', 'unlisted') AND NOT {post}.local_only AND {post}.deleted_at IS NULL
        AND {post}.removed_at IS NULL AND {author}.deleted_at IS NULL AND {author}.suspended_at IS NULL"""


async def seen(r: Read, status_id: int, viewer: int | None) -> Status | None:
    """The post, if this viewer may see it."""
    return await r.shared_one(Status, f"SELECT {STATUS} FROM seen_by($2) s WHERE s.id = $1", status_id, viewer)


async def seen_among(r: Read, status_ids: Sequence[int], viewer: int | None) -> frozenset[int]:
    """Those of these posts that this viewer may see."""
    return frozenset(
        await r.values("SELECT v.id FROM seen_by($2) v WHERE v.id = ANY($1::bigint[])", list(status_ids), viewer)
    )


async def visible(r: Read, status_id: int, viewer: int | None) -> Status:
    """The post; NotFound alike when it is absent and when it is not for this viewer. Holding it is the permission."""
    found = await seen(r, status_id, viewer)
    if found is None:
        raise NotFound("status")
    return found


async def by_id(r: Read, status_id: int) -> Status | None:
    """The row, whoever may see it, deleted or not."""
    return await r.shared_one(Status, f"SELECT {STATUS} FROM statuses s WHERE s.id = $1", status_id)


async def by_uri(r: Read, uri: str) -> Status | None:
    """The post with that ActivityPub id, deleted or not."""
    return await r.shared_one(Status, f"SELECT {STATUS} FROM statuses s WHERE s.uri = $1", uri)


async def by_url(r: Read, url: str) -> Status | None:
    """The post with that page, deleted or not: one of ours has its number at the end of the address."""
    return await r.one(
        Status,
        f"""SELECT {STATUS} FROM statuses s WHERE s.url = $1 AND s.id IN (
                SELECT o.id FROM statuses o WHERE o.url = $1 AND NOT o.local
                UNION ALL SELECT substring($1 FROM '/([0-9]{{1,18}})$')::bigint) ORDER BY s.id LIMIT 1""",
        url,
    )


async def is_held(r: Read, status: Status) -> bool:
    """Is it kept back, so that nobody has been told of it?"""
    return status.removed_at is not None and bool(
        await r.value("SELECT held_at IS NOT NULL FROM statuses WHERE id = $1", status.id))


async def by_ids(r: Read, status_ids: Sequence[int]) -> list[Status]:
    """Several rows, in no order, whoever may see them."""
    return await r.all(Status, f"SELECT {STATUS} FROM statuses s WHERE s.id = ANY($1::bigint[])", list(status_ids))


async def known_to(r: Read, uris: Sequence[str], domain: str) -> list[Status]:
    """Those of these posts of this city that a server may have: open ones, and those for people who live there."""
    return await r.all(
        Status,
        f"""SELECT {STATUS} FROM statuses s
            WHERE s.uri = ANY($1::text[]) AND s.local AND NOT s.local_only AND s.deleted_at IS NULL
              AND s.removed_at IS NULL AND s.reblog_of_id IS NULL AND (
                  s.visibility IN ('public', 'unlisted')
                  OR EXISTS (SELECT FROM mentions m JOIN accounts a ON a.id = m.account_id
                             WHERE m.status_id = s.id AND a.domain = $2)
                  OR s.visibility = 'private' AND EXISTS (
                      SELECT FROM follows f JOIN accounts a ON a.id = f.account_id
                      WHERE f.target_id = s.account_id AND f.accepted AND a.domain = $2))""",
        list(uris), domain,
    )


async def next_id(tx: Tx) -> int:
    """An id for a post that is about to be made: its URIs contain it."""
    return int(await tx.value("SELECT parvis_id()"))


ADD = f"""WITH s AS (
    INSERT INTO statuses AS s (id, account_id, uri, url, local, text, content, spoiler_text, sensitive,
        visibility, language, in_reply_to_id, in_reply_to_account_id, in_reply_to_uri, conversation_id,
        application_id, created_at, quote_automatic, quote_manual, reply_policy, reply_hidden, local_only)
    SELECT n.id, $1, coalesce($2, $15 || '/statuses/' || n.id), coalesce($3, $16 || '/' || n.id), $4, $5, $6,
           $7, $8, $9, $10, $11, $12, $13, coalesce($14, n.id), $17, coalesce($18, parvis_now()), $19, $20, $21,
           $22, $23
    FROM (SELECT parvis_id() AS id) n
    ON CONFLICT DO NOTHING RETURNING {STATUS}),
    tagged AS (INSERT INTO status_tags (tag_id, status_id)
               SELECT t.id, s.id FROM s JOIN tags t ON t.name = ANY($24::text[]) RETURNING tag_id),
    readers AS MATERIALIZED (
        SELECT f.account_id FROM s JOIN follows f ON f.target_id = s.account_id WHERE f.accepted LIMIT 1000)
    SELECT s.*,
           ARRAY(SELECT t.name FROM tags t WHERE t.id IN (SELECT tag_id FROM tagged) ORDER BY t.id),
           cardinality($24) > (SELECT count(*) FROM tagged), cardinality($25::bigint[]) > 0,
           EXISTS (SELECT FROM follows f WHERE f.target_id = s.account_id AND f.notify AND f.accepted),
           (SELECT a.email_subscriptions FROM accounts a WHERE a.id = s.account_id),
           (SELECT count(*) = 1000 FROM readers)
           OR EXISTS (SELECT FROM accounts a WHERE a.domain IS NOT NULL AND a.id IN (
               SELECT account_id FROM readers UNION ALL SELECT s.in_reply_to_account_id
               UNION ALL SELECT unnest($25)))
           OR s.visibility = 'public' AND EXISTS (SELECT FROM relays WHERE state = 'accepted'),
           NOT s.local AND EXISTS (
               SELECT FROM statuses w WHERE w.in_reply_to_uri = s.uri AND w.in_reply_to_id IS NULL)
    FROM s"""


async def add(tx: Tx, account_id: int, draft: Draft, place: Place, tags: Sequence[str]) -> Made | None:
    """Insert a post, whose id makes its addresses where none are given; None when its URI is known already.

    Of many followers the first thousand are looked at: more are taken to live anywhere.
    """
    return await tx.one(
        Made, ADD,
        account_id, place.uri, place.url, place.local, draft.text, draft.content, draft.spoiler_text, draft.sensitive,
        draft.visibility, draft.language, draft.in_reply_to_id, place.in_reply_to_account_id, draft.in_reply_to_uri,
        place.conversation_id, place.under, place.beside, draft.application_id, draft.created_at,
        list(draft.openness.quote_automatic), list(draft.openness.quote_manual), draft.openness.reply_policy,
        place.reply_hidden, draft.local_only, list(tags), [*draft.mentions, *draft.silent],
    )


class Place(msgspec.Struct, frozen=True):
    """Where a new post stands: its addresses, or those of its author under which they are made; its conversation."""

    uri: str | None
    url: str | None
    local: bool
    in_reply_to_account_id: int | None
    conversation_id: int | None
    reply_hidden: bool = False
    under: str = ""
    beside: str | None = None


async def add_reblog(
    tx: Tx, status_id: int, account_id: int, original: Status, place: Place, wish: tuple[str, datetime | None]
) -> bool:
    """Insert the wrapper of a reblog; False when this account has one already."""
    return bool(
        await tx.run(
            """INSERT INTO statuses
                   (id, account_id, uri, url, local, visibility, conversation_id, reblog_of_id, created_at, local_only)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, parvis_now()), $10) ON CONFLICT DO NOTHING""",
            status_id, account_id, place.uri, place.url, place.local, wish[0], place.conversation_id, original.id,
            wish[1], original.local_only,
        )
    )


async def reblog_by(r: Read, account_id: int, original_id: int) -> Status | None:
    """The wrapper by which an account passes a post on."""
    return await r.one(
        Status,
        f"""SELECT {STATUS} FROM statuses s
            WHERE s.account_id = $1 AND s.reblog_of_id = $2 AND s.deleted_at IS NULL""",
        account_id, original_id,
    )


async def add_mentions(tx: Tx, status_id: int, named: Sequence[int], silent: Sequence[int]) -> int:
    """Write down to whom a post is addressed."""
    return await tx.run(
        """INSERT INTO mentions (status_id, account_id, silent)
           SELECT $1::bigint, a, false FROM unnest($2::bigint[]) a
           UNION ALL SELECT $1::bigint, a, true FROM unnest($3::bigint[]) a WHERE NOT a = ANY($2::bigint[])
           ON CONFLICT (status_id, account_id) DO UPDATE SET silent = mentions.silent AND EXCLUDED.silent""",
        status_id, list(dict.fromkeys(named)), list(dict.fromkeys(silent)),
    )


async def put_tags(tx: Tx, status_id: int, names: Sequence[str], shown: Sequence[str]) -> int:
    """Tag a post with exactly these hashtags; how many of them it has now.

    A known hashtag's row is not touched: all who use it at the same moment would wait for each other's commit. One that
    another transaction is just making is not seen here, so the caller looks at the number and tries again.
    """
    return int(await tx.value(
        """WITH wanted AS (SELECT DISTINCT ON (n) n, d FROM unnest($2::text[], $3::text[]) AS w(n, d)),
                made AS (INSERT INTO tags (name, display_name)
                         SELECT n, d FROM wanted WHERE NOT EXISTS (SELECT FROM tags WHERE name = n) ORDER BY n
                         ON CONFLICT (name) DO NOTHING RETURNING id),
                chosen AS (SELECT id FROM made UNION ALL SELECT t.id FROM tags t JOIN wanted ON t.name = n),
                gone AS (DELETE FROM status_tags WHERE status_id = $1 AND tag_id NOT IN (SELECT id FROM chosen)),
                put AS (INSERT INTO status_tags (tag_id, status_id) SELECT id, $1 FROM chosen ON CONFLICT DO NOTHING)
           SELECT count(*) FROM chosen""",
        status_id, list(names), list(shown),
    ))


async def tag_named(tx: Tx, name: str, spelled: str) -> int:
    """The id of a hashtag, which is made if nobody used it before."""
    return int(
        await tx.value(
            """INSERT INTO tags (name, display_name) VALUES ($1, $2)
               ON CONFLICT (name) DO UPDATE SET name = EXCLUDED.name RETURNING id""",
            name, spelled,
        )
    )


async def tag_numbered(r: Read, tag_id: int) -> str | None:
    """The name of a hashtag, as it was first spelled."""
    found: str | None = await r.value("SELECT display_name FROM tags WHERE id = $1", tag_id)
    return found


async def mentioned(r: Read, status_id: int) -> list[Named]:
    """To whom a post is addressed."""
    return await r.all(
        Named, "SELECT status_id, account_id, silent FROM mentions WHERE status_id = $1 ORDER BY account_id", status_id
    )


async def revise(tx: Tx, status_id: int, revision: Revision) -> int:
    """Write what a post says now."""
    return await tx.run(
        """UPDATE statuses SET content = $2, text = $3, spoiler_text = $4, sensitive = $5, language = $6,
                               edited_at = coalesce($7, parvis_now())
           WHERE id = $1 AND deleted_at IS NULL""",
        status_id, revision.content, revision.text, revision.spoiler_text, revision.sensitive, revision.language,
        revision.edited_at,
    )


async def open_to(tx: Tx, status_id: int, openness: Openness) -> int:
    """Write who may quote and answer a post; 0 when it was so already."""
    return await tx.run(
        """UPDATE statuses SET quote_automatic = $2, quote_manual = $3, reply_policy = $4
           WHERE id = $1 AND deleted_at IS NULL AND (quote_automatic, quote_manual, reply_policy) IS DISTINCT FROM
                 ($2::text[], $3::text[], $4::text)""",
        status_id, list(openness.quote_automatic), list(openness.quote_manual), openness.reply_policy,
    )


async def standing(r: Read, status_id: int, account_id: int) -> Standing:
    """How somebody stands to a post."""
    found = await r.one(
        Standing,
        """SELECT EXISTS (SELECT FROM follows f
                          WHERE f.account_id = $2 AND f.target_id = s.account_id AND f.accepted),
                  EXISTS (SELECT FROM mentions m WHERE m.status_id = s.id AND m.account_id = $2 AND NOT m.silent)
           FROM statuses s WHERE s.id = $1""",
        status_id, account_id,
    )
    return found or Standing(False, False)


async def keep_edit(tx: Tx, status: Status, media: list[dict[str, Any]], poll: list[str] | None) -> int:
    """Keep what a post said until now."""
    return await tx.run(
        """INSERT INTO status_edits (status_id, content, spoiler_text, sensitive, media, poll, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        status.id, status.content, status.spoiler_text, status.sensitive, media, poll,
        status.edited_at or status.created_at,
    )


async def edits(r: Read, status_id: int) -> list[Edit]:
    """What a post said before, oldest first."""
    return await r.all(
        Edit,
        """SELECT e.content, e.spoiler_text, e.sensitive, e.media, e.poll, e.created_at,
                  emojis_in(concat_ws(' ', e.spoiler_text, e.content), a.domain)
           FROM status_edits e JOIN statuses s ON s.id = e.status_id JOIN accounts a ON a.id = s.account_id
           WHERE e.status_id = $1 ORDER BY e.id""",
        status_id,
    )


async def delete(tx: Tx, status_id: int) -> list[int]:
    """Mark a post as gone, and with it the reblogs of it; whose they were."""
    return await tx.values(
        """UPDATE statuses SET deleted_at = parvis_now()
           WHERE (id = $1 OR reblog_of_id = $1) AND deleted_at IS NULL RETURNING account_id""",
        status_id,
    )


async def erase_all(tx: Tx, account_id: int) -> int:
    """Mark all posts of somebody as gone and forget what they said; reblogs of them by others are gone, too."""
    return await tx.run(
        """WITH mine AS (SELECT id FROM statuses WHERE account_id = $1),
                earlier AS (DELETE FROM status_edits e USING mine WHERE e.status_id = mine.id),
                marks AS (DELETE FROM bookmarks b WHERE b.account_id = $1),
                liked AS (DELETE FROM favourites f WHERE f.account_id = $1),
                passed AS (UPDATE statuses s SET deleted_at = parvis_now() FROM mine
                           WHERE s.reblog_of_id = mine.id AND s.account_id <> $1 AND s.deleted_at IS NULL)
           UPDATE statuses SET deleted_at = coalesce(deleted_at, parvis_now()), text = '', content = '',
                               spoiler_text = ''
           WHERE account_id = $1""",
        account_id,
    )


async def count(
    tx: Tx, status_id: int, replies: int = 0, reblogs: int = 0, favourites: int = 0, quotes: int = 0
) -> int:
    """One reply, reblog, favourite or quote more (or less)."""
    return await tx.run(
        "INSERT INTO status_count_deltas (status_id, replies, reblogs, favourites, quotes) VALUES ($1, $2, $3, $4, $5)",
        status_id, replies, reblogs, favourites, quotes,
    )


async def fold_counts(tx: Tx) -> int:
    """Add waiting deltas to their bases; how many were folded."""
    return int(
        await tx.value(
            """WITH taken AS (
                   DELETE FROM status_count_deltas
                   WHERE id <= (SELECT max(id) FROM (SELECT id FROM status_count_deltas ORDER BY id LIMIT 5000) f)
                   RETURNING status_id, replies, reblogs, favourites, quotes),
               summed AS (SELECT status_id, sum(replies)::int AS replies, sum(reblogs)::int AS reblogs,
                                 sum(favourites)::int AS favourites, sum(quotes)::int AS quotes
                          FROM taken GROUP BY status_id),
               folded AS (
                   INSERT INTO status_counts (status_id, replies, reblogs, favourites, quotes)
                   SELECT status_id, replies, reblogs, favourites, quotes FROM summed ORDER BY status_id
                   ON CONFLICT (status_id) DO UPDATE SET replies = status_counts.replies + EXCLUDED.replies,
                       reblogs = status_counts.reblogs + EXCLUDED.reblogs,
                       favourites = status_counts.favourites + EXCLUDED.favourites,
                       quotes = status_counts.quotes + EXCLUDED.quotes)
               SELECT count(*)::int FROM taken"""
        )
    )


async def add_favourite(tx: Tx, status_id: int, by: int, uri: str | None) -> int | None:
    """Insert a favourite; its id, or None when it was there already."""
    found: int | None = await tx.value(
        "INSERT INTO favourites (status_id, account_id, uri) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
        status_id, by, uri,
    )
    return found


async def drop_favourite(tx: Tx, status_id: int, by: int) -> int | None:
    """Remove a favourite; the id it had."""
    found: int | None = await tx.value(
        "DELETE FROM favourites WHERE status_id = $1 AND account_id = $2 RETURNING id", status_id, by
    )
    return found


async def add_bookmark(tx: Tx, status_id: int, by: int) -> int:
    """Insert a bookmark."""
    return await tx.run(
        "INSERT INTO bookmarks (status_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", status_id, by
    )


async def drop_bookmark(tx: Tx, status_id: int, by: int) -> int:
    """Remove a bookmark."""
    return await tx.run("DELETE FROM bookmarks WHERE status_id = $1 AND account_id = $2", status_id, by)


async def add_pin(tx: Tx, status_id: int, by: int) -> int | None:
    """Insert a pin, and its number; None when it is there."""
    made: int | None = await tx.value(
        "INSERT INTO pins (status_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id", status_id, by
    )
    return made


async def drop_pin(tx: Tx, status_id: int, by: int) -> int | None:
    """Remove a pin, and its number; None when there is none."""
    gone: int | None = await tx.value(
        "DELETE FROM pins WHERE status_id = $1 AND account_id = $2 RETURNING id", status_id, by
    )
    return gone


async def pinned(r: Read, account_id: int) -> list[int]:
    """The posts an account has pinned, newest first; those that are deleted count no more."""
    return await r.values(
        """SELECT p.status_id FROM pins p JOIN statuses s ON s.id = p.status_id
           WHERE p.account_id = $1 AND s.deleted_at IS NULL ORDER BY p.id DESC""",
        account_id,
    )


async def mute_conversation(tx: Tx, conversation_id: int, by: int) -> int:
    """No longer be told of a conversation."""
    return await tx.run(
        "INSERT INTO conversation_mutes (account_id, conversation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        by, conversation_id,
    )


async def unmute_conversation(tx: Tx, conversation_id: int, by: int) -> int:
    """Be told of a conversation again."""
    return await tx.run(
        "DELETE FROM conversation_mutes WHERE account_id = $1 AND conversation_id = $2", by, conversation_id
    )


async def adopt_waiting_replies(tx: Tx, status: Status) -> int:
    """Replies that arrived before this post find their place under it; but none that stands above it.

    How many of them the author wanted; one not wanted is hidden.
    """
    return int(
        await tx.value(
            """WITH RECURSIVE above (id) AS (
                   SELECT $1::bigint
                   UNION SELECT s.in_reply_to_id FROM statuses s JOIN above ON s.id = above.id
                         WHERE s.in_reply_to_id IS NOT NULL),
               adopted AS (
                   UPDATE statuses SET in_reply_to_id = $1, in_reply_to_account_id = $2, conversation_id = $3,
                       reply_hidden = $5::text IN ('mentioned', 'nobody') AND account_id <> $2 AND NOT EXISTS (
                           SELECT FROM mentions m
                           WHERE m.status_id = $1 AND m.account_id = statuses.account_id AND NOT m.silent)
                   WHERE in_reply_to_uri = $4 AND in_reply_to_id IS NULL AND deleted_at IS NULL
                     AND id NOT IN (SELECT id FROM above) RETURNING reply_hidden)
               SELECT count(*) FILTER (WHERE NOT reply_hidden) FROM adopted""",
            status.id, status.account_id, status.conversation_id, status.uri, status.reply_policy,
        )
    )


async def posted_under(r: Read, account_id: int, key: str) -> int | None:
    """The post that an Idempotency-Key has made within its hour."""
    found: int | None = await r.value(
        "SELECT status_id FROM idempotency_keys WHERE account_id = $1 AND key = $2 AND due_at > parvis_now()",
        account_id, key,
    )
    return found


async def keep_key(tx: Tx, account_id: int, key: str, status_id: int) -> int:
    """Remember for an hour which post an Idempotency-Key made."""
    return await tx.run(
        """INSERT INTO idempotency_keys (account_id, key, status_id, due_at)
           VALUES ($1, $2, $3, parvis_now() + interval '1 hour')
           ON CONFLICT (account_id, key) DO UPDATE SET status_id = EXCLUDED.status_id, due_at = EXCLUDED.due_at""",
        account_id, key, status_id,
    )


async def forget_keys(tx: Tx) -> int:
    """Drop Idempotency-Keys whose hour is over."""
    return await tx.run("DELETE FROM idempotency_keys WHERE due_at < parvis_now()")


async def translation(r: Read, status_id: int, version: int, target: str) -> dict[str, Any] | None:
    """A translation that was made of this state of a post before."""
    found: dict[str, Any] | None = await r.value(
        """SELECT body FROM translations
           WHERE status_id = $1 AND version = $2 AND target = $3 AND due_at > parvis_now()""",
        status_id, version, target,
    )
    return found


async def keep_translation(tx: Tx, status_id: int, version: int, target: str, body: dict[str, Any]) -> int:
    """Keep a translation for a week."""
    return await tx.run(
        """INSERT INTO translations (status_id, version, target, body, due_at)
           VALUES ($1, $2, $3, $4, parvis_now() + interval '7 days')
           ON CONFLICT (status_id, version, target) DO UPDATE SET body = EXCLUDED.body, due_at = EXCLUDED.due_at""",
        status_id, version, target, body,
    )


async def forget_translations(tx: Tx, most: int) -> int:
    """Drop translations whose week is over, and the oldest beyond so many."""
    return await tx.run(
        """DELETE FROM translations WHERE due_at < parvis_now()
               OR (status_id, version, target) IN (
                   SELECT status_id, version, target FROM translations ORDER BY due_at DESC OFFSET $1)""",
        most,
    )
