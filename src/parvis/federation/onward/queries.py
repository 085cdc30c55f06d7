"""The SQL of what is passed on."""

from __future__ import annotations

from parvis.base.db import Read


async def readers(r: Read, status_id: int) -> list[tuple[int, str]]:
    """The inboxes that have a post of another server through somebody here, each with one whom its people follow.

    That is the author of the open post which it answers, if they want such answers, or whoever passed it on.
    """
    rows = await r.values(
        """WITH carriers AS (
               SELECT p.account_id FROM statuses s JOIN seen_by(NULL) p ON p.id = s.in_reply_to_id
               WHERE s.id = $1 AND p.local AND p.visibility IN ('public', 'unlisted') AND NOT s.reply_hidden
               UNION SELECT b.account_id FROM seen_by(NULL) b
                     WHERE b.reblog_of_id = $1 AND b.local AND b.visibility IN ('public', 'unlisted'))
           SELECT jsonb_build_array(min(c.account_id), coalesce(a.shared_inbox_url, a.inbox_url))
           FROM carriers c JOIN follows f ON f.target_id = c.account_id JOIN accounts a ON a.id = f.account_id
           WHERE f.accepted AND a.domain IS NOT NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL
             AND a.inbox_url <> ''
           GROUP BY coalesce(a.shared_inbox_url, a.inbox_url)""",
        status_id,
    )
    return [(row[0], row[1]) for row in rows]


async def lately(r: Read, origin: str) -> int:
    """How much of a server, whose ids begin alike, was passed on within the last hour."""
    return int(
        await r.value(
            """SELECT count(*) FROM outgoing
               WHERE uri >= $1 AND uri < left($1, -1) || '0' AND starts_with(uri, $1)
                 AND created_at > parvis_now() - interval '1 hour'""",
            origin,
        )
    )
