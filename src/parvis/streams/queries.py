"""The SQL of streams: for a batch of changes, who among those who listen hears what. Never one statement a listener.

The rules are those of the timelines, and their texts too: what a timeline would show, its stream tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read
from parvis.notifications import queries as notifications
from parvis.streams.model import Audience, Ear, Told, Unlike
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
# What a follow wants of somebody's posts, and whose answers to others are shown.
WANTED = """(p.account_id = e.viewer
           OR (f.account_id IS NOT NULL AND (p.reblog_of_id IS NULL OR f.show_reblogs)
               AND (f.languages IS NULL OR p.language IS NULL OR p.language = ANY(f.languages))))"""
PLAIN = """(p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id IN (p.account_id, e.viewer)
           OR p.account_id = e.viewer)"""
ANSWERS_FOLLOWED = """EXISTS (
           SELECT FROM follows t WHERE t.account_id = e.viewer AND t.target_id = p.in_reply_to_account_id AND t.accepted
             AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = e.viewer AND m.target_id = t.target_id
                                                   AND (m.until IS NULL OR m.until > parvis_now())))"""
ANSWERS_LISTED = """EXISTS (
           SELECT FROM list_accounts x WHERE x.list_id = l.id AND x.account_id = p.in_reply_to_account_id)"""
APART = """EXISTS (
           SELECT FROM list_accounts x JOIN lists y ON y.id = x.list_id AND y.account_id = e.viewer AND y.exclusive
           WHERE x.account_id = p.account_id AND p.account_id <> e.viewer)"""
FOLLOWED = "LEFT JOIN follows f ON f.account_id = e.viewer AND f.target_id = p.account_id AND f.accepted"
HAS_FILES = "EXISTS (SELECT FROM media m WHERE m.status_id = p.id)"
# Whose stream a post comes near to: all that does not depend on whether they may see it. `open`: it comes there because
# it is public, not because of who wrote it.
NEAR = f"""near AS (
    SELECT e.n, e.viewer, p.id, false AS open FROM posts p JOIN ears e ON e.stream = 'user' {FOLLOWED}
    WHERE {WANTED} AND ({PLAIN} OR {ANSWERS_FOLLOWED}) AND NOT {APART}
    UNION ALL
    SELECT e.n, e.viewer, p.id, false
    FROM posts p JOIN list_accounts la ON la.account_id = p.account_id
    JOIN ears e ON e.stream = 'list' AND e.list_id = la.list_id
    JOIN lists l ON l.id = e.list_id AND l.account_id = e.viewer {FOLLOWED}
    WHERE {WANTED} AND ({PLAIN} OR CASE l.replies_policy WHEN 'list' THEN {ANSWERS_LISTED} AND {ANSWERS_FOLLOWED}
                                                         WHEN 'followed' THEN {ANSWERS_FOLLOWED} ELSE false END)
    UNION ALL
    SELECT e.n, e.viewer, p.id, true
    FROM posts p JOIN status_tags st ON st.status_id = p.id JOIN tag_follows tf ON tf.tag_id = st.tag_id
    JOIN ears e ON e.stream = 'user' AND e.viewer = tf.account_id
    WHERE p.visibility = 'public' AND NOT {APART}
    UNION ALL
    SELECT e.n, e.viewer, p.id, true
    FROM posts p JOIN ears e ON split_part(e.stream, ':', 1) = 'public'
    WHERE p.visibility = 'public' AND p.reblog_of_id IS NULL AND p.in_reply_to_id IS NULL
      AND (split_part(e.stream, ':', 2) <> 'local' OR p.local)
      AND (split_part(e.stream, ':', 2) <> 'remote' OR NOT p.local)
      AND (e.stream NOT LIKE '%:media' OR {HAS_FILES})
    UNION ALL
    SELECT e.n, e.viewer, p.id, true
    FROM posts p JOIN status_tags st ON st.status_id = p.id JOIN tags t ON t.id = st.tag_id
    JOIN ears e ON e.stream IN ('hashtag', 'hashtag:local') AND e.tag = t.name
    WHERE p.visibility = 'public' AND (e.stream = 'hashtag' OR p.local))"""

NEAR_BEFORE = NEAR.replace(HAS_FILES, "true")  # a post that is gone has no files any more: who knows whether it had


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
            SELECT near.id, array_agg(DISTINCT near.n)
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
                SELECT * FROM statuses s WHERE s.id = ANY($1::bigint[])
                UNION ALL SELECT s.* FROM statuses o JOIN statuses s ON s.reblog_of_id = o.id
                          WHERE o.id = ANY($1::bigint[]) AND (s.deleted_at IS NULL OR s.deleted_at = o.deleted_at)),
            {NEAR_BEFORE}
            SELECT near.id, array_agg(DISTINCT near.n) FROM near JOIN posts p ON p.id = near.id
            WHERE (p.deleted_at IS NOT NULL OR p.account_id <> near.viewer)
              AND (p.visibility IN ('public', 'unlisted', 'private') OR p.account_id = near.viewer
                   OR EXISTS (SELECT FROM mentions m WHERE m.status_id = p.id AND m.account_id = near.viewer))
            GROUP BY near.id""",
        list(status_ids), *_asked(ears),
    )


# What is shown with a post: itself, what it passes on, what either quotes. Each is seen with the viewer's own marks or
# filters (no ground is given: nobody else sees the same), or as one of many: of those whom its author lets quote it, of
# those to whom its own quote is in the same state.
UNLIKE = """WITH top AS (
        SELECT s.id, s.id AS said FROM statuses s WHERE s.id = ANY($1::bigint[])
        UNION SELECT s.id, s.reblog_of_id FROM statuses s
              WHERE s.id = ANY($1::bigint[]) AND s.reblog_of_id IS NOT NULL),
    whole AS (
        SELECT id, said FROM top
        UNION SELECT top.id, q.quoted_id FROM top JOIN quotes q ON q.status_id = top.said AND q.state = 'accepted'),
    said AS (
        SELECT w.id, s.id AS said, s.account_id, s.conversation_id, s.quote_automatic || s.quote_manual AS quotable
        FROM whole w JOIN statuses s ON s.id = w.said)
    SELECT account_id AS viewer, id AS status_id, '' AS why FROM said WHERE account_id = ANY($2::bigint[])
    UNION SELECT x.account_id, d.id, '' FROM said d JOIN favourites x ON x.status_id = d.said
          WHERE x.account_id = ANY($2::bigint[])
    UNION SELECT x.account_id, d.id, '' FROM said d JOIN statuses x ON x.reblog_of_id = d.said AND x.deleted_at IS NULL
          WHERE x.account_id = ANY($2::bigint[])
    UNION SELECT x.account_id, d.id, '' FROM said d JOIN bookmarks x ON x.status_id = d.said
          WHERE x.account_id = ANY($2::bigint[])
    UNION SELECT x.account_id, d.id, '' FROM said d JOIN conversation_mutes x USING (conversation_id)
          WHERE x.account_id = ANY($2::bigint[])
    UNION SELECT x.account_id, d.id, '' FROM said d JOIN polls p ON p.status_id = d.said
          JOIN poll_votes x ON x.poll_id = p.id WHERE x.account_id = ANY($2::bigint[])
    UNION SELECT x.account_id, d.id, '' FROM said d CROSS JOIN filters x
          WHERE x.account_id = ANY($2::bigint[]) AND (x.expires_at IS NULL OR x.expires_at > parvis_now())
    UNION SELECT x.account_id, d.id, 'follows ' || d.said FROM said d JOIN follows x ON x.target_id = d.account_id
          WHERE 'followers' = ANY(d.quotable) AND x.account_id = ANY($2::bigint[]) AND x.accepted
    UNION SELECT x.target_id, d.id, 'followed ' || d.said FROM said d JOIN follows x ON x.account_id = d.account_id
          WHERE 'following' = ANY(d.quotable) AND x.target_id = ANY($2::bigint[]) AND x.accepted
    UNION SELECT w.viewer, d.id, d.said || ' ' || coalesce(
                 CASE WHEN q.state = 'accepted' THEN quote_shown(q.quoted_id, w.viewer) ELSE q.state END, '')
          FROM said d JOIN quotes q ON q.status_id = d.said CROSS JOIN unnest($2::bigint[]) w(viewer)"""


async def unlike(r: Read, status_ids: Sequence[int], viewers: Sequence[int]) -> list[Unlike]:
    """For which of these viewers which of these posts is not as for any other, and why."""
    return await r.all(Unlike, UNLIKE, list(status_ids), list(viewers))


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
