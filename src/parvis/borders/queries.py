"""The SQL of the city's borders."""

from __future__ import annotations

from parvis.base.db import Read, Tx
from parvis.borders.model import Preview, Review
from parvis.notifications.model import Ties


async def preview(r: Read, domain: str) -> Preview:
    """What a decision that keeps a server out, and all below its domain, would cut off at this moment."""
    return await r.one(
        Preview,
        """WITH them AS MATERIALIZED (
               SELECT a.id FROM accounts a WHERE a.domain IS NOT NULL AND a.deleted_at IS NULL
                   AND (under(a.domain, $1) OR under(split_part(a.uri, '/', 3), $1))),
               ties AS MATERIALIZED (
                   SELECT f.account_id AS ours, true AS outward, f.accepted
                   FROM them JOIN follows f ON f.target_id = them.id
                   UNION ALL
                   SELECT f.target_id, false, f.accepted FROM them JOIN follows f ON f.account_id = them.id)
           SELECT (count(*) FILTER (WHERE outward AND accepted))::int,
                  (count(*) FILTER (WHERE NOT outward AND accepted))::int,
                  (count(*) FILTER (WHERE NOT accepted))::int, count(DISTINCT ours)::int,
                  (SELECT count(*) FROM them)::int,
                  (SELECT count(*) FROM them JOIN statuses s ON s.account_id = them.id WHERE s.deleted_at IS NULL)::int,
                  (SELECT count(*) FROM them JOIN media m ON m.account_id = them.id)::int
           FROM ties""",
        domain,
    ) or Preview(0, 0, 0, 0, 0, 0, 0)


async def domain(r: Read, decision_id: int) -> str:
    """Of which server a decision is."""
    return str(await r.value("SELECT domain FROM domain_decisions WHERE id = $1", decision_id))


async def ties(r: Read, decision_id: int, restored: bool) -> list[Ties]:
    """Of whom the measure of a decision suspended follows, or to whom its end gave them back; and how many."""
    return await r.all(
        Ties,
        """SELECT account_id, followers, following FROM cut_ties WHERE decision_id = $1 AND restored = $2
           ORDER BY account_id""",
        decision_id, restored,
    )


async def due(r: Read) -> list[int]:
    """Decisions in force whose day of review has come, and of which nobody was reminded."""
    return await r.values(
        """SELECT d.id FROM domain_measures m JOIN domain_decisions d ON d.id = m.decision_id
           WHERE m.lifted_at IS NULL AND d.review_at <= parvis_now()
             AND NOT EXISTS (SELECT FROM review_reminders x WHERE x.decision_id = d.id)
           ORDER BY d.id LIMIT 100"""
    )


async def remind(tx: Tx, decision_id: int) -> list[int]:
    """Write that moderators are reminded of a decision; who they are, nobody when they were before."""
    return await tx.values(
        """WITH made AS (INSERT INTO review_reminders (decision_id) VALUES ($1) ON CONFLICT DO NOTHING
                         RETURNING decision_id)
           SELECT u.account_id FROM made, users u WHERE u.role = 'moderator' AND is_moderator(u.account_id)
           ORDER BY u.account_id""",
        decision_id,
    )


async def review(r: Read, decision_id: int) -> Review | None:
    """What is to be looked at again."""
    return await r.one(
        Review,
        """SELECT block_id, domain, level::int, facts, decided_at, review_at FROM domain_decisions WHERE id = $1""",
        decision_id,
    )
