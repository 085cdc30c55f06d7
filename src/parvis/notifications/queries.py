"""The SQL of notifications. Every insert leaves out who blocked, muted, or lives elsewhere, and asks the policy."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.notifications.model import Asking, Choice, Group, Member, Notification, Notified, Policy, PolicyWish, Ties

# The policy of who has none of their own.
POLICY = """coalesce(p.for_not_following, 'accept') AS for_not_following,
    coalesce(p.for_not_followers, 'accept') AS for_not_followers,
    coalesce(p.for_new_accounts, 'accept') AS for_new_accounts,
    coalesce(p.for_private_mentions, 'filter') AS for_private_mentions,
    coalesce(p.for_limited_accounts, 'filter') AS for_limited_accounts"""

# A reply to a thread in which `told` wrote privately to the author further up: they speak with each other.
IN_RESPONSE = """EXISTS (
    WITH RECURSIVE above AS (
        SELECT w.id, w.in_reply_to_id, w.account_id, w.visibility, 1 AS depth
        FROM statuses w WHERE w.id = s.in_reply_to_id
        UNION ALL
        SELECT w.id, w.in_reply_to_id, w.account_id, w.visibility, depth + 1
        FROM above JOIN statuses w ON w.id = above.in_reply_to_id WHERE depth < 100)
    SELECT FROM above JOIN mentions m ON m.status_id = above.id AND m.account_id = $2 AND NOT m.silent
    WHERE above.account_id = told.id AND above.visibility = 'direct')"""

# One answer for each ground that applies, null for the others. A follower counts as one after three days, an account is
# new for thirty. CASE keeps the order: what costs most is asked last, and only where the answer can matter.
ANSWERS = f"""ARRAY[
    CASE WHEN NOT following THEN known.for_not_following END,
    CASE WHEN known.for_not_followers = 'accept' THEN NULL
         WHEN NOT EXISTS (SELECT FROM follows f WHERE f.account_id = $2 AND f.target_id = told.id AND f.accepted
                                              AND f.created_at <= parvis_now() - interval '3 days')
         THEN known.for_not_followers END,
    CASE WHEN NOT following AND author.created_at > parvis_now() - interval '30 days' THEN known.for_new_accounts END,
    CASE WHEN NOT following AND author.limited_at IS NOT NULL THEN known.for_limited_accounts END,
    CASE WHEN following OR known.for_private_mentions = 'accept' OR s.visibility IS DISTINCT FROM 'direct'
              OR $1 <> 'mention' THEN NULL
         WHEN NOT {IN_RESPONSE} THEN known.for_private_mentions END]"""

HOUR = "floor(extract(epoch FROM parvis_now()) / 3600)::bigint"

# To whom, of which kind, from whom, about what: `told` gives the first column, the rest are parameters. Its group is
# that of the last twelve hours, else a new one; who is filtered waits as a request, and is not told.
INSERT = f""", judged AS (
        SELECT told.id, ($1::text IN ('mention', 'reblog', 'follow', 'follow_request', 'favourite', 'quote',
                                'added_to_collection')
                         AND NOT EXISTS (SELECT FROM notification_permissions ok
                                         WHERE ok.account_id = told.id AND ok.from_account_id = $2)) AS fitting,
               {ANSWERS} AS answers
        FROM told JOIN users u ON u.account_id = told.id JOIN accounts author ON author.id = $2
        LEFT JOIN statuses s ON s.id = $3::bigint
        LEFT JOIN notification_policies p ON p.account_id = told.id
        CROSS JOIN LATERAL (
            SELECT {POLICY}, EXISTS (SELECT FROM follows f WHERE f.account_id = told.id AND f.target_id = $2
                                                           AND f.accepted) AS following) AS known
        WHERE (told.id <> $2 OR $1 = 'poll')
          AND NOT EXISTS (SELECT FROM blocks b WHERE (b.account_id, b.target_id) IN ((told.id, $2), ($2, told.id)))
          AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = told.id AND m.target_id = $2 AND m.notifications
                                                AND (m.until IS NULL OR m.until > parvis_now()))
          AND NOT EXISTS (SELECT FROM domain_blocks d WHERE d.account_id = told.id AND d.domain = author.domain)
          AND NOT EXISTS (SELECT FROM conversation_mutes c
                          WHERE c.account_id = told.id AND c.conversation_id = s.conversation_id)
          AND s.reply_hidden IS NOT TRUE),
    made AS (
        INSERT INTO notifications (account_id, kind, from_account_id, status_id, filtered, group_key)
        SELECT id, $1, $2, $3, filtered,
               CASE WHEN NOT filtered AND $1 IN ('favourite', 'reblog', 'follow') THEN coalesce(
                   (SELECT max(n.group_key) FROM notifications n
                    WHERE n.account_id = judged.id AND n.group_key BETWEEN topic || {HOUR} - 11 AND topic || {HOUR}),
                   topic || {HOUR}) END
        FROM judged
        CROSS JOIN LATERAL (SELECT fitting AND array_position(answers, 'filter') IS NOT NULL AS filtered,
                                   concat_ws('-', $1::text, $3::bigint, '') AS topic) AS found
        WHERE NOT (fitting AND array_position(answers, 'drop') IS NOT NULL)
        ON CONFLICT DO NOTHING
        RETURNING id, account_id, kind, filtered),
    asked AS (
        INSERT INTO notification_requests (account_id, from_account_id, last_status_id)
        SELECT account_id, $2, $3 FROM made WHERE filtered AND kind IN ('mention', 'quote')
        ON CONFLICT (account_id, from_account_id)
            DO UPDATE SET last_status_id = EXCLUDED.last_status_id, updated_at = parvis_now())
    SELECT id, account_id, kind FROM made WHERE NOT filtered"""

# The same about a collection, $4, and no post.
COLLECTED = INSERT.replace("status_id, filtered", "status_id, collection_id, filtered")
COLLECTED = COLLECTED.replace("SELECT id, $1, $2, $3, filtered", "SELECT id, $1, $2, $3, $4::bigint, filtered")

# What a notification tells of beside a post.
ABOUT = """CASE
    WHEN n.decision_id IS NOT NULL THEN coalesce(
        (SELECT to_jsonb(d) - 'subject_key' FROM decisions d WHERE d.id = n.decision_id),
        (SELECT jsonb_build_object('id', h.id, 'level', 0, 'status_ids', jsonb_build_array(h.status_id),
            'decided_at', h.began_at, 'rules', to_jsonb(h.rules)) FROM holds h WHERE h.id = n.decision_id))
    WHEN n.report_id IS NOT NULL THEN (SELECT to_jsonb(r) || jsonb_build_object('closed_at', c.closed_at)
                                       FROM reports r JOIN cases c ON c.id = r.case_id WHERE r.id = n.report_id)
    WHEN n.collection_id IS NOT NULL THEN (
        SELECT to_jsonb(c) || jsonb_build_object('items', coalesce((
            SELECT jsonb_agg(jsonb_build_object('id', i.id::text, 'account_id', i.account_id::text, 'state', i.state,
                'created_at', to_char(i.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY i.id)
            FROM collection_items i WHERE i.collection_id = c.id AND i.state = 'accepted'), '[]'))
        FROM collections c WHERE c.id = n.collection_id)
    WHEN n.severance_id IS NOT NULL THEN (SELECT to_jsonb(x) FROM severances x WHERE x.id = n.severance_id) END"""
ONE = f"""n.id, n.kind, n.from_account_id, n.status_id, n.created_at, coalesce(n.group_key, 'ungrouped-' || n.id),
    n.filtered, {ABOUT}"""
PRESENT = "a.deleted_at IS NULL AND a.suspended_at IS NULL"
SHOWN = f"""notifications n LEFT JOIN seen_by($1) v ON v.id = n.status_id JOIN accounts a ON a.id = n.from_account_id
    WHERE n.account_id = $1 AND n.id > $2 AND n.id < $3 AND (n.status_id IS NULL OR v.id IS NOT NULL) AND {PRESENT}
      AND ($5::text = '' OR n.kind = ANY(string_to_array($5, ','))) AND NOT n.kind = ANY(string_to_array($6::text, ','))
      AND ($7::bigint IS NULL OR n.from_account_id = $7) AND ($8::boolean OR NOT n.filtered)"""
# The newest of its group stands for it, where its kind is to be grouped.
FIRST = f"""(n.group_key IS NULL OR NOT n.kind = ANY(string_to_array($9::text, ',')) OR n.id = (
    SELECT x.id FROM notifications x JOIN accounts a ON a.id = x.from_account_id
    WHERE x.account_id = $1 AND x.group_key = n.group_key AND {PRESENT}
      AND ($7::bigint IS NULL OR x.from_account_id = $7)
    ORDER BY x.id DESC LIMIT 1))"""
HEAD = f"n.id, n.kind, n.from_account_id, n.status_id, n.created_at, {ABOUT} AS about"
GROUPS = f"""SELECT h.id, h.kind, h.status_id, h.created_at, coalesce(h.key, 'ungrouped-' || h.id) AS group_key,
        h.about, coalesce(g.total, 1)::int, coalesce(g.lowest, h.id), coalesce(g.people, ARRAY[h.from_account_id])
    FROM heads h LEFT JOIN LATERAL (
        SELECT count(*) AS total, min(x.id) FILTER (WHERE x.id >= (SELECT min(id) FROM heads)) AS lowest,
               ARRAY(SELECT y.from_account_id FROM notifications y JOIN accounts a ON a.id = y.from_account_id
                     WHERE y.account_id = $1 AND y.group_key = h.key AND {PRESENT} ORDER BY y.id DESC LIMIT 8) AS people
        FROM notifications x WHERE h.key IS NOT NULL AND x.account_id = $1 AND x.group_key = h.key
    ) g ON h.key IS NOT NULL"""

PAGE = both_ways(f"SELECT {ONE} FROM {SHOWN} ORDER BY n.id DESC /*page*/ LIMIT $4")
GROUPED = both_ways(
    f"""WITH heads AS (
            SELECT {HEAD}, CASE WHEN n.kind = ANY(string_to_array($9::text, ',')) THEN n.group_key END AS key
            FROM {SHOWN} AND {FIRST} ORDER BY n.id DESC /*page*/ LIMIT $4)
        {GROUPS}"""
)
MEMBERS = both_ways(
    f"""SELECT n.id, n.from_account_id FROM notifications n JOIN accounts a ON a.id = n.from_account_id
        WHERE n.account_id = $1 AND (n.group_key = $5 OR n.id = $6::bigint) AND n.id > $2 AND n.id < $3 AND {PRESENT}
        ORDER BY n.id DESC /*page*/ LIMIT $4"""
)
# One more row than anybody is shown is enough to know how many there are.
ASKING = f"""q.id, q.created_at, q.updated_at, q.from_account_id,
        (SELECT count(*) FROM (SELECT FROM notifications n WHERE n.account_id = $1 AND n.from_account_id = a.id
                                                            AND n.filtered LIMIT 100) AS counted)::int,
        v.id AS last_status_id
    FROM notification_requests q JOIN accounts a ON a.id = q.from_account_id
    LEFT JOIN seen_by($1) v ON v.id = q.last_status_id
    WHERE q.account_id = $1 AND {PRESENT}
      AND EXISTS (SELECT FROM notifications n WHERE n.account_id = $1 AND n.from_account_id = a.id AND n.filtered)"""
REQUESTS = both_ways(f"SELECT {ASKING} AND q.id > $2 AND q.id < $3 ORDER BY q.id DESC /*page*/ LIMIT $4")



async def tell(tx: Tx, kind: str, by: int, status_id: int | None, account_id: int) -> list[Notified]:
    """Tell one person."""
    return await tx.all(
        Notified, f"WITH told AS (SELECT $4::bigint AS id) {INSERT}", kind, by, status_id, account_id
    )


async def tell_collected(tx: Tx, kind: str, by: int, collection_id: int, account_id: int | None) -> list[Notified]:
    """Tell one person, or all who are in a collection, of it."""
    return await tx.all(
        Notified,
        f"""WITH told AS (SELECT i.account_id AS id FROM collection_items i
                         WHERE i.collection_id = $4 AND i.state = 'accepted'
                           AND ($5::bigint IS NULL OR i.account_id = $5)) {COLLECTED}""",
        kind, by, None, collection_id, account_id,
    )


async def forget_collection(tx: Tx, collection_id: int, account_id: int | None, kind: str | None) -> int:
    """Tell nobody of a collection any more: one person, or all; of one kind, or of all."""
    return await tx.run(
        """DELETE FROM notifications WHERE collection_id = $1 AND ($2::bigint IS NULL OR account_id = $2)
           AND ($3::text IS NULL OR kind = $3)""",
        collection_id, account_id, kind,
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


async def tell_voters(tx: Tx, kind: str, by: int, status_id: int) -> list[Notified]:
    """Tell the one who asked and all who answered; nobody when the post is gone."""
    return await tx.all(
        Notified,
        f"""WITH told AS (
                SELECT s.account_id AS id FROM statuses s WHERE s.id = $3 AND s.deleted_at IS NULL
                UNION SELECT v.account_id FROM polls p JOIN poll_votes v ON v.poll_id = p.id
                      JOIN statuses s ON s.id = p.status_id WHERE p.status_id = $3 AND s.deleted_at IS NULL)
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


async def tell_moderators(tx: Tx, kind: str, by: int, report_id: int | None) -> list[Notified]:
    """Tell all moderators but the one who did it. It is their task: a mute or a policy keeps none of them from it."""
    return await tx.all(
        Notified,
        f"""INSERT INTO notifications (account_id, kind, from_account_id, report_id, group_key)
            SELECT u.account_id, $1, $2, $3, CASE WHEN $3::bigint IS NULL THEN coalesce(
                (SELECT max(n.group_key) FROM notifications n WHERE n.account_id = u.account_id
                   AND n.group_key BETWEEN $1::text || '-' || {HOUR} - 11 AND $1::text || '-' || {HOUR}),
                $1::text || '-' || {HOUR}) END
            FROM users u WHERE u.role = 'moderator' AND u.account_id <> $2 AND is_moderator(u.account_id)
            ON CONFLICT DO NOTHING
            RETURNING id, account_id, kind""",
        kind, by, report_id,
    )


async def tell_severed(tx: Tx, account_id: int, kind: str, target: str, ties: tuple[int, int]) -> list[Notified]:
    """Tell somebody which follows ended; nothing when there were none. `ties`: followers and follows lost."""
    return await tx.all(
        Notified,
        """WITH cut AS (
               INSERT INTO severances (account_id, kind, target_name, followers, following)
               SELECT account_id, $2, $3, $4::int, $5::int FROM users WHERE account_id = $1 AND $4::int + $5::int > 0
               RETURNING id, account_id)
           INSERT INTO notifications (account_id, kind, from_account_id, severance_id)
           SELECT account_id, 'severed_relationships', account_id, id FROM cut
           RETURNING id, account_id, kind""",
        account_id, kind, target, *ties,
    )


async def tell_across(tx: Tx, kind: str, domain: str, ties: Sequence[Ties]) -> list[Notified]:
    """Tell people which of their follows a measure on a server suspended, or its end restored."""
    return await tx.all(
        Notified,
        """WITH cut AS (
               INSERT INTO severances (account_id, kind, target_name, followers, following)
               SELECT u.account_id, 'domain_block', $2, t.followers, t.following
               FROM unnest($3::bigint[], $4::int[], $5::int[]) t(id, followers, following)
               JOIN users u ON u.account_id = t.id
               RETURNING id, account_id)
           INSERT INTO notifications (account_id, kind, from_account_id, severance_id)
           SELECT account_id, $1, account_id, id FROM cut
           RETURNING id, account_id, kind""",
        kind, domain, [one.account_id for one in ties], [one.followers for one in ties],
        [one.following for one in ties],
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


async def forget(tx: Tx, account_id: int, by: int) -> int:
    """Take away all that somebody was told of another, and whether they may tell at all."""
    return await tx.run(
        """WITH asked AS (DELETE FROM notification_requests WHERE account_id = $1 AND from_account_id = $2),
                allowed AS (DELETE FROM notification_permissions WHERE account_id = $1 AND from_account_id = $2)
           DELETE FROM notifications WHERE account_id = $1 AND from_account_id = $2""",
        account_id, by,
    )


async def forget_domain(tx: Tx, account_id: int, domain: str) -> int:
    """Take away what somebody was told of people of a domain."""
    return await tx.run(
        """DELETE FROM notifications n USING accounts a
           WHERE n.account_id = $1 AND a.id = n.from_account_id AND a.domain = $2""",
        account_id, domain,
    )


def _kinds(choice: Choice) -> tuple[str, str]:
    """Which kinds and which not, as one word each: a statement that is shared takes single values."""
    return ",".join(choice.kinds), ",".join(choice.without)


async def page(r: Read, viewer: int, page: Page, choice: Choice) -> list[Notification]:
    """What somebody is told, newest first."""
    rows = await r.shared(
        Notification, PAGE[page.upwards], viewer, page.after, page.before, page.limit, *_kinds(choice),
        choice.by, choice.filtered,
    )
    return sorted(rows, key=lambda row: -row.id)


async def one(r: Read, viewer: int, notification_id: int) -> Notification | None:
    """One of somebody's notifications."""
    return await r.one(
        Notification,
        f"""SELECT {ONE} FROM notifications n LEFT JOIN seen_by($1) v ON v.id = n.status_id
            WHERE n.account_id = $1 AND n.id = $2 AND (n.status_id IS NULL OR v.id IS NOT NULL)""",
        viewer, notification_id,
    )


async def groups(r: Read, viewer: int, page: Page, choice: Choice) -> list[Group]:
    """What somebody is told, each group once, where its newest stands."""
    rows = await r.shared(
        Group, GROUPED[page.upwards], viewer, page.after, page.before, page.limit, *_kinds(choice),
        choice.by, choice.filtered, ','.join(choice.grouped),
    )
    return sorted(rows, key=lambda row: -row.id)


async def group(r: Read, viewer: int, key: str, alone: int | None) -> Group | None:
    """One group by its key, or a notification that stands alone."""
    return await r.one(
        Group,
        f"""WITH heads AS (
                SELECT {HEAD}, CASE WHEN $3::bigint IS NULL THEN n.group_key END AS key
                FROM notifications n LEFT JOIN seen_by($1) v ON v.id = n.status_id
                JOIN accounts a ON a.id = n.from_account_id
                WHERE n.account_id = $1 AND (n.group_key = $2 OR n.id = $3) AND {PRESENT}
                  AND (n.status_id IS NULL OR v.id IS NOT NULL)
                ORDER BY n.id DESC LIMIT 1)
            {GROUPS}""",
        viewer, key, alone,
    )


async def members(r: Read, viewer: int, page: Page, key: str, alone: int | None) -> list[Member]:
    """Whose notifications make a group, newest first."""
    rows = await r.all(Member, MEMBERS[page.upwards], viewer, page.after, page.before, page.limit, key, alone)
    return sorted(rows, key=lambda row: -row.id)


async def dismiss(tx: Tx, viewer: int, notification_ids: Sequence[int]) -> int:
    """Take some notifications away."""
    return await tx.run(
        "DELETE FROM notifications WHERE account_id = $1 AND id = ANY($2::bigint[])", viewer, list(notification_ids)
    )


async def dismiss_group(tx: Tx, viewer: int, key: str, alone: int | None) -> int:
    """Take a whole group away."""
    return await tx.run(
        "DELETE FROM notifications WHERE account_id = $1 AND (group_key = $2 OR id = $3::bigint)", viewer, key, alone
    )


async def clear(tx: Tx, viewer: int) -> int:
    """Take all of somebody's notifications away."""
    return await tx.run("DELETE FROM notifications WHERE account_id = $1 AND NOT filtered", viewer)


async def unread(r: Read, viewer: int, limit: int, choice: Choice) -> int:
    """How many somebody has above their marker, up to a limit; a group counts once where groups are asked for."""
    return int(
        await r.value(
            f"""SELECT count(*) FROM (
                    SELECT FROM {SHOWN} AND {FIRST}
                      AND n.id > (SELECT coalesce(max(last_read_id), 0) FROM markers
                                  WHERE account_id = $1 AND timeline = 'notifications')
                    LIMIT $4) AS counted""",
            viewer, 0, 2**63 - 1, limit, *_kinds(choice), choice.by, choice.filtered, ','.join(choice.grouped),
        )
    )


async def policy(r: Read, viewer: int) -> Policy | None:
    """Whose notifications somebody takes, and how much waits."""
    return await r.one(
        Policy,
        f"""SELECT {POLICY}, waiting.requests::int, waiting.notifications::int
            FROM users u LEFT JOIN notification_policies p ON p.account_id = u.account_id
            CROSS JOIN (
                SELECT count(*) AS requests, coalesce(sum(number), 0) AS notifications
                FROM notification_requests q JOIN accounts a ON a.id = q.from_account_id
                CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
                    SELECT FROM notifications n WHERE n.account_id = $1 AND n.from_account_id = a.id
                                                  AND n.filtered LIMIT 100) AS counted) AS told
                WHERE q.account_id = $1 AND number > 0 AND {PRESENT}) AS waiting
            WHERE u.account_id = $1""",
        viewer,
    )


async def put_policy(tx: Tx, viewer: int, wish: PolicyWish) -> int:
    """Change the policy where the wish says something."""
    return await tx.run(
        """INSERT INTO notification_policies AS p VALUES
               ($1, coalesce($2, 'accept'), coalesce($3, 'accept'), coalesce($4, 'accept'), coalesce($5, 'filter'),
                coalesce($6, 'filter'))
           ON CONFLICT (account_id) DO UPDATE SET for_not_following = coalesce($2, p.for_not_following),
               for_not_followers = coalesce($3, p.for_not_followers),
               for_new_accounts = coalesce($4, p.for_new_accounts),
               for_private_mentions = coalesce($5, p.for_private_mentions),
               for_limited_accounts = coalesce($6, p.for_limited_accounts)""",
        viewer, wish.for_not_following, wish.for_not_followers, wish.for_new_accounts, wish.for_private_mentions,
        wish.for_limited_accounts,
    )


async def requests(r: Read, viewer: int, page: Page) -> list[Asking]:
    """Who waits for an answer, the last who came first."""
    rows = await r.all(Asking, REQUESTS[page.upwards], viewer, page.after, page.before, page.limit)
    return sorted(rows, key=lambda row: -row.id)


async def request(r: Read, viewer: int, request_id: int) -> Asking | None:
    """One who waits."""
    return await r.one(Asking, f"SELECT {ASKING} AND q.id = $2", viewer, request_id)


async def accept(tx: Tx, viewer: int, request_ids: Sequence[int]) -> int:
    """Let these people tell from now on, and put what they told among the rest; how many were accepted."""
    return int(
        await tx.value(
            """WITH taken AS (DELETE FROM notification_requests WHERE account_id = $1 AND id = ANY($2::bigint[])
                              RETURNING from_account_id),
                    allowed AS (INSERT INTO notification_permissions SELECT $1, from_account_id FROM taken
                                ON CONFLICT DO NOTHING),
                    shown AS (UPDATE notifications n SET filtered = false FROM taken
                              WHERE n.account_id = $1 AND n.from_account_id = taken.from_account_id AND n.filtered)
               SELECT count(*) FROM taken""",
            viewer, list(request_ids),
        )
    )


async def refuse(tx: Tx, viewer: int, request_ids: Sequence[int]) -> int:
    """Answer nothing, and take away what they told; how many were refused."""
    return int(
        await tx.value(
            """WITH taken AS (DELETE FROM notification_requests WHERE account_id = $1 AND id = ANY($2::bigint[])
                              RETURNING from_account_id),
                    gone AS (DELETE FROM notifications n USING taken
                             WHERE n.account_id = $1 AND n.from_account_id = taken.from_account_id AND n.filtered)
               SELECT count(*) FROM taken""",
            viewer, list(request_ids),
        )
    )
