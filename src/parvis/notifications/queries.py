"""The SQL of notifications. Every insert leaves out those who blocked, muted, or live elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.notifications.model import Notification, Notified

# To whom, of which kind, from whom, about what: `told` gives the first column, the rest are parameters.
INSERT = """INSERT INTO notifications (account_id, kind, from_account_id, status_id)
    SELECT told.id, $1, $2, $3 FROM told JOIN users u ON u.account_id = told.id
    WHERE told.id <> $2
      AND NOT EXISTS (SELECT FROM blocks b WHERE (b.account_id, b.target_id) IN ((told.id, $2), ($2, told.id)))
      AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = told.id AND m.target_id = $2 AND m.notifications
                                            AND (m.until IS NULL OR m.until > parvis_now()))
      AND NOT EXISTS (SELECT FROM domain_blocks d JOIN accounts a ON a.domain = d.domain
                      WHERE d.account_id = told.id AND a.id = $2)
      AND NOT EXISTS (SELECT FROM conversation_mutes c JOIN statuses s ON s.conversation_id = c.conversation_id
                      WHERE c.account_id = told.id AND s.id = $3)
    ON CONFLICT DO NOTHING
    RETURNING id, account_id, kind"""

PAGE = both_ways(
    """SELECT n.id, n.kind, n.from_account_id, n.status_id, n.decision_id, n.created_at
       FROM notifications n LEFT JOIN seen_by($1) v ON v.id = n.status_id
       JOIN accounts a ON a.id = n.from_account_id
       WHERE n.account_id = $1 AND n.id > $2 AND n.id < $3
         AND (n.status_id IS NULL OR v.id IS NOT NULL) AND a.deleted_at IS NULL AND a.suspended_at IS NULL
         AND (cardinality($5::text[]) = 0 OR n.kind = ANY($5::text[])) AND NOT n.kind = ANY($6::text[])
         AND ($7::bigint IS NULL OR n.from_account_id = $7)
       ORDER BY n.id DESC /*page*/ LIMIT $4"""
)


async def tell(tx: Tx, kind: str, by: int, status_id: int | None, account_id: int) -> list[Notified]:
    """Tell one person."""
    return await tx.all(
        Notified, f"WITH told AS (SELECT $4::bigint AS id) {INSERT}", kind, by, status_id, account_id
    )


async def tell_mentioned(tx: Tx, kind: str, by: int, status_id: int) -> list[Notified]:
    """Tell everyone a post names."""
    return await tx.all(
        Notified,
        f"""WITH told AS (SELECT account_id AS id FROM mentions WHERE status_id = $3 AND NOT silent) {INSERT}""",
        kind, by, status_id,
    )


async def tell_watchers(tx: Tx, kind: str, by: int, status_id: int) -> list[Notified]:
    """Tell those who asked to be told whenever this account posts, unless the post names them anyway."""
    return await tx.all(
        Notified,
        f"""WITH told AS (
                SELECT f.account_id AS id FROM follows f JOIN statuses s ON s.id = $3
                WHERE f.target_id = $2 AND f.notify AND f.accepted AND s.visibility <> 'direct'
                  AND NOT EXISTS (SELECT FROM mentions m WHERE m.status_id = $3 AND m.account_id = f.account_id))
            {INSERT}""",
        kind, by, status_id,
    )


async def tell_rebloggers(tx: Tx, kind: str, by: int, status_id: int) -> list[Notified]:
    """Tell those who passed a post on that it changed."""
    return await tx.all(
        Notified,
        f"""WITH told AS (SELECT account_id AS id FROM statuses WHERE reblog_of_id = $3 AND deleted_at IS NULL)
            {INSERT}""",
        kind, by, status_id,
    )


async def warn(tx: Tx, account_id: int, decision_id: int) -> list[Notified]:
    """Tell a person of this city of a decision about them. Nobody can mute that, and no moderator is named."""
    return await tx.all(
        Notified,
        """INSERT INTO notifications (account_id, kind, from_account_id, decision_id)
           SELECT account_id, 'moderation_warning', account_id, $2::bigint FROM users WHERE account_id = $1
           ON CONFLICT DO NOTHING
           RETURNING id, account_id, kind""",
        account_id, decision_id,
    )


async def withdraw(tx: Tx, kind: str, account_id: int, by: int, status_id: int | None) -> int:
    """What was told is no longer so."""
    return await tx.run(
        """DELETE FROM notifications WHERE account_id = $2 AND kind = $1 AND from_account_id = $3
             AND status_id IS NOT DISTINCT FROM $4""",
        kind, account_id, by, status_id,
    )


async def page(
    r: Read, viewer: int, page: Page, kinds: Sequence[str], without: Sequence[str], by: int | None
) -> list[Notification]:
    """What somebody is told, newest first."""
    rows = await r.all(
        Notification, PAGE[page.upwards], viewer, page.after, page.before, page.limit, list(kinds), list(without), by
    )
    return sorted(rows, key=lambda row: -row.id)


async def one(r: Read, viewer: int, notification_id: int) -> Notification | None:
    """One of somebody's notifications."""
    return await r.one(
        Notification,
        """SELECT n.id, n.kind, n.from_account_id, n.status_id, n.decision_id, n.created_at
           FROM notifications n LEFT JOIN seen_by($1) v ON v.id = n.status_id
           WHERE n.account_id = $1 AND n.id = $2 AND (n.status_id IS NULL OR v.id IS NOT NULL)""",
        viewer, notification_id,
    )


async def dismiss(tx: Tx, viewer: int, notification_id: int) -> int:
    """Take one notification away."""
    return await tx.run("DELETE FROM notifications WHERE account_id = $1 AND id = $2", viewer, notification_id)


async def clear(tx: Tx, viewer: int) -> int:
    """Take all of somebody's notifications away."""
    return await tx.run("DELETE FROM notifications WHERE account_id = $1", viewer)


async def unread(r: Read, viewer: int, limit: int) -> int:
    """How many notifications somebody has, counted up to a limit."""
    return int(
        await r.value(
            "SELECT count(*) FROM (SELECT FROM notifications WHERE account_id = $1 LIMIT $2) AS counted", viewer, limit
        )
    )
