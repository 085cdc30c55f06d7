"""The SQL of streams: for a batch of changes, who among those who listen hears what. Never one statement a listener.

The rules are those of the timelines, and their texts too: what a timeline would show, its stream tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read
from parvis.notifications import queries as notifications
from parvis.streams.model import Audience, Ear, Marked, Told
from parvis.text.mentions import normal_tag
from parvis.timelines import queries as timelines

NOT_MUTED, NOT_FROM_BLOCKED_DOMAIN, NOT_LIMITED = (
    rule.replace("$1", "near.viewer")
    for rule in (timelines.NOT_MUTED, timelines.NOT_FROM_BLOCKED_DOMAIN, timelines.NOT_LIMITED)
)
# Who listens, numbered in their order.
EARS = """ears AS (
    SELECT viewer, stream, list_id, tag, (n - 1)::int AS n
    FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[])
         WITH ORDINALITY e(viewer, stream, list_id, tag, n))"""
# Whose stream a post comes near to: all that does not depend on whether they may see it.
NEAR = """near AS (
    SELECT e.n, e.viewer, p.id, false AS open
    FROM posts p JOIN ears e ON e.stream = 'user'
    LEFT JOIN follows f ON f.account_id = e.viewer AND f.target_id = p.account_id AND f.accepted
    WHERE (p.account_id = e.viewer
           OR (f.account_id IS NOT NULL AND (p.reblog_of_id IS NULL OR f.show_reblogs)
               AND (f.languages IS NULL OR p.language IS NULL OR p.language = ANY(f.languages))))
      AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = e.viewer OR EXISTS (
           SELECT FROM follows t
           WHERE t.account_id = e.viewer AND t.target_id = p.in_reply_to_account_id AND t.accepted
             AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = e.viewer AND m.target_id = t.target_id
                                                   AND (m.until IS NULL OR m.until > parvis_now()))))
    UNION ALL
    SELECT e.n, e.viewer, p.id, true
    FROM posts p JOIN ears e ON split_part(e.stream, ':', 1) = 'public'
    WHERE p.visibility = 'public' AND p.reblog_of_id IS NULL AND p.in_reply_to_id IS NULL
      AND (split_part(e.stream, ':', 2) <> 'local' OR p.local)
      AND (split_part(e.stream, ':', 2) <> 'remote' OR NOT p.local)
      AND (e.stream NOT LIKE '%:media' OR EXISTS (SELECT FROM media m WHERE m.status_id = p.id))
    UNION ALL
    SELECT e.n, e.viewer, p.id, true
    FROM posts p JOIN status_tags st ON st.status_id = p.id JOIN tags t ON t.id = st.tag_id
    JOIN ears e ON e.stream IN ('hashtag', 'hashtag:local') AND e.tag = t.name
    WHERE p.visibility = 'public' AND (e.stream = 'hashtag' OR p.local))"""


def _asked(ears: Sequence[Ear]) -> tuple[list[int], list[str], list[int | None], list[str | None]]:
    wishes = [ear.wish for ear in ears]
    return (
        [ear.viewer for ear in ears], [wish.stream for wish in wishes], [wish.list_id for wish in wishes],
        [None if wish.tag is None else normal_tag(wish.tag) for wish in wishes],
    )


async def audience(
    r: Read, fresh: Sequence[int], edited: Sequence[int], ears: Sequence[Ear]
) -> list[Audience]:
    """Who hears of each of these posts. One that another server made long ago and that arrives today is no news."""
    return await r.all(
        Audience,
        f"""WITH {EARS}, posts AS (
                SELECT * FROM statuses s
                WHERE s.deleted_at IS NULL AND (s.id = ANY($6::bigint[]) OR s.id = ANY($1::bigint[])
                                                AND s.created_at > parvis_now() - interval '6 hours')),
            {NEAR}
            SELECT near.id, array_agg(near.n ORDER BY near.n)
            FROM near CROSS JOIN LATERAL (SELECT * FROM seen_by(near.viewer) s WHERE s.id = near.id) v
            LEFT JOIN statuses o ON o.id = v.reblog_of_id
            WHERE {NOT_MUTED} AND CASE WHEN near.open THEN {NOT_FROM_BLOCKED_DOMAIN} AND {NOT_LIMITED}
                                       ELSE o.id IS NULL OR {NOT_FROM_BLOCKED_DOMAIN} END
            GROUP BY near.id""",
        list(fresh), *_asked(ears), list(edited),
    )


async def mourners(r: Read, status_ids: Sequence[int], ears: Sequence[Ear]) -> list[Audience]:
    """Who could have heard of posts that are gone, and of the reblogs that went with them. Ids are all they learn."""
    return await r.all(
        Audience,
        f"""WITH {EARS}, posts AS (
                SELECT * FROM statuses s WHERE s.id = ANY($1::bigint[]) OR s.reblog_of_id = ANY($1::bigint[])),
            {NEAR}
            SELECT near.id, array_agg(near.n ORDER BY near.n) FROM near JOIN posts p ON p.id = near.id
            WHERE (p.deleted_at IS NOT NULL OR p.account_id <> near.viewer)
              AND (p.visibility IN ('public', 'unlisted', 'private') OR p.account_id = near.viewer
                   OR EXISTS (SELECT FROM mentions m WHERE m.status_id = p.id AND m.account_id = near.viewer))
            GROUP BY near.id""",
        list(status_ids), *_asked(ears),
    )


async def marked(r: Read, status_ids: Sequence[int], viewers: Sequence[int]) -> list[Marked]:
    """For whom of these people a post looks other than for anybody else who is signed in: there are few."""
    return await r.all(
        Marked,
        """WITH posts AS (
               SELECT s.id, s.account_id, s.conversation_id, coalesce(s.reblog_of_id, s.id) AS original
               FROM statuses s WHERE s.id = ANY($1::bigint[])),
           said AS (
               SELECT p.id, s.id AS original, s.account_id, s.conversation_id
               FROM posts p JOIN statuses s ON s.id IN (p.id, p.original))
           SELECT account_id, id FROM said WHERE account_id = ANY($2::bigint[])
           UNION SELECT f.account_id, p.id FROM said p JOIN favourites f ON f.status_id = p.original
                 WHERE f.account_id = ANY($2::bigint[])
           UNION SELECT x.account_id, p.id FROM said p JOIN statuses x ON x.reblog_of_id = p.original
                 WHERE x.account_id = ANY($2::bigint[]) AND x.deleted_at IS NULL
           UNION SELECT b.account_id, p.id FROM said p JOIN bookmarks b ON b.status_id = p.original
                 WHERE b.account_id = ANY($2::bigint[])
           UNION SELECT m.account_id, p.id FROM said p JOIN conversation_mutes m USING (conversation_id)
                 WHERE m.account_id = ANY($2::bigint[])
           UNION SELECT v.account_id, p.id FROM said p JOIN polls q ON q.status_id = p.original
                 JOIN poll_votes v ON v.poll_id = q.id WHERE v.account_id = ANY($2::bigint[])
           UNION SELECT f.account_id, p.id FROM posts p CROSS JOIN filters f
                 WHERE f.account_id = ANY($2::bigint[]) AND (f.expires_at IS NULL OR f.expires_at > parvis_now())""",
        list(status_ids), list(viewers),
    )


async def standing(r: Read, token_ids: Sequence[int]) -> list[int]:
    """Those of these tokens whose person may still listen."""
    return await r.values(
        """SELECT t.id FROM tokens t JOIN users u ON u.account_id = t.account_id JOIN accounts a ON a.id = t.account_id
           WHERE t.id = ANY($1::bigint[]) AND t.revoked_at IS NULL
             AND (t.expires_at IS NULL OR t.expires_at > parvis_now())
             AND u.disabled_at IS NULL AND a.suspended_at IS NULL AND a.deleted_at IS NULL""",
        list(token_ids),
    )


async def told(r: Read, notification_ids: Sequence[int], viewers: Sequence[int]) -> list[Told]:
    """Those of these notifications that tell one of these people, and that they may be shown, in their order."""
    return await r.all(
        Told,
        f"""SELECT {notifications.ONE}, n.account_id
            FROM notifications n JOIN accounts a ON a.id = n.from_account_id
            WHERE n.id = ANY($1::bigint[]) AND n.account_id = ANY($2::bigint[]) AND NOT n.filtered
              AND {notifications.PRESENT}
              AND (n.status_id IS NULL OR EXISTS (SELECT FROM seen_by(n.account_id) v WHERE v.id = n.status_id))
            ORDER BY n.id""",
        list(notification_ids), list(viewers),
    )
