"""The SQL of push and letters, and of those who receive letters without living here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from parvis.base.db import Read, Tx
from parvis.notifications.model import (
    DigestDue,
    Errand,
    LetterPreferences,
    LetterWish,
    Missed,
    News,
    NewSubscription,
    PushErrand,
    Reached,
    Subscriber,
    Subscription,
)
from parvis.notifications.queries import PRESENT

STANDS = "t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > parvis_now())"
# When somebody was here last, as far as it is noted.
SEEN = """greatest(u.created_at, u.signed_in_at, a.last_status_at::timestamptz,
    (SELECT max(updated_at) FROM markers w WHERE w.account_id = u.account_id),
    (SELECT max(created_at) FROM sessions w WHERE w.account_id = u.account_id),
    (SELECT max(created_at) FROM tokens w WHERE w.account_id = u.account_id))"""
LETTERS = """coalesce(p.follow, 'never') AS follow, coalesce(p.follow_request, 'away') AS follow_request,
    coalesce(p.favourite, 'never') AS favourite, coalesce(p.reblog, 'never') AS reblog,
    coalesce(p.mention, 'away') AS mention, coalesce(p.quote, 'never') AS quote"""
SAID = """coalesce(nullif(f.display_name, ''), f.username) AS name, concat_ws('@', f.username, f.domain) AS acct,
    f.avatar_file, CASE WHEN NOT f.files_refused THEN f.avatar_url END AS avatar_url,
    coalesce(s.url, s.uri, f.url) AS url, coalesce(nullif(s.spoiler_text, ''), s.content, f.note) AS text,
    coalesce(s.visibility IN ('public', 'unlisted'), true) AS open"""


async def subscribe(tx: Tx, token_id: int, account_id: int, new: NewSubscription) -> int:
    """Push to this app, instead of where it was before."""
    return await tx.run(
        """INSERT INTO push_subscriptions
               (token_id, account_id, endpoint, p256dh, auth, standard, alerts, policy, token_sealed)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (token_id) DO UPDATE SET endpoint = $3, p256dh = $4, auth = $5, standard = $6, alerts = $7,
               policy = $8, token_sealed = $9""",
        token_id, account_id, new.to.endpoint, new.to.p256dh, new.to.auth, new.to.standard, new.alerts, new.policy,
        new.token_sealed,
    )


async def subscription(r: Read, token_id: int) -> Subscription | None:
    """Where an app is pushed to."""
    return await r.one(
        Subscription,
        "SELECT id, endpoint, standard, alerts, policy FROM push_subscriptions WHERE token_id = $1",
        token_id,
    )


async def resubscribe(tx: Tx, token_id: int, alerts: Sequence[str] | None, whose: str | None) -> int:
    """Push other things; None leaves as it is."""
    return await tx.run(
        """UPDATE push_subscriptions SET alerts = coalesce($2, alerts), policy = coalesce($3, policy)
           WHERE token_id = $1""",
        token_id, alerts, whose,
    )


async def unsubscribe(tx: Tx, token_id: int) -> int:
    """Push no more to an app."""
    return await tx.run("DELETE FROM push_subscriptions WHERE token_id = $1", token_id)


async def drop_subscription(tx: Tx, subscription_id: int) -> int:
    """Forget an app that its push service no longer knows."""
    return await tx.run("DELETE FROM push_subscriptions WHERE id = $1", subscription_id)


async def drop_ended_subscriptions(tx: Tx) -> int:
    """Forget apps whose token ended, and the sealed token with them."""
    return await tx.run(
        f"DELETE FROM push_subscriptions s USING tokens t WHERE t.id = s.token_id AND NOT ({STANDS})"
    )


async def reached(r: Read, notification_id: int) -> Reached | None:
    """Where a notification is to be brought: to apps whose token stands, and by letter when that is wanted and due."""
    return await r.one(
        Reached,
        f"""SELECT u.confirmed_at IS NOT NULL AND CASE wanted
                       WHEN 'always' THEN true
                       WHEN 'away' THEN {SEEN} < parvis_now() - interval '1 day' AND cardinality(apps.ids) = 0
                           AND coalesce(p.letter_at < parvis_now() - interval '1 hour', true)
                       ELSE false END,
                   apps.ids
            FROM notifications n JOIN users u ON u.account_id = n.account_id JOIN accounts a ON a.id = n.account_id
            LEFT JOIN letter_preferences p ON p.account_id = n.account_id
            CROSS JOIN LATERAL (SELECT {LETTERS}) l
            CROSS JOIN LATERAL (SELECT coalesce(to_jsonb(l) ->> n.kind, 'never')) w(wanted)
            CROSS JOIN LATERAL (SELECT ARRAY(
                SELECT s.id FROM push_subscriptions s JOIN tokens t ON t.id = s.token_id
                WHERE s.account_id = n.account_id AND n.kind = ANY(s.alerts) AND {STANDS}
                  AND (s.policy = 'all'
                       OR s.policy = 'followed' AND EXISTS (
                           SELECT FROM follows f WHERE f.account_id = n.account_id AND f.target_id = n.from_account_id
                                                   AND f.accepted)
                       OR s.policy = 'follower' AND EXISTS (
                           SELECT FROM follows f WHERE f.target_id = n.account_id AND f.account_id = n.from_account_id
                                                   AND f.accepted)))) apps(ids)
            WHERE n.id = $1 AND NOT n.filtered AND u.disabled_at IS NULL AND {PRESENT}""",
        notification_id,
    )


async def errand(r: Read, notification_id: int) -> Errand | None:
    """What is said of a notification outside; None when it was taken back, or may not be seen any more."""
    return await r.one(
        Errand,
        f"""SELECT n.kind, n.created_at, n.account_id, a.username, u.locale, u.email::text, {SAID}
            FROM notifications n JOIN users u ON u.account_id = n.account_id JOIN accounts a ON a.id = n.account_id
            JOIN accounts f ON f.id = n.from_account_id LEFT JOIN LATERAL seen_by(n.account_id) s ON s.id = n.status_id
            WHERE n.id = $1 AND NOT n.filtered AND (n.status_id IS NULL OR s.id IS NOT NULL) AND {PRESENT}
              AND f.deleted_at IS NULL AND f.suspended_at IS NULL
              AND u.disabled_at IS NULL AND u.confirmed_at IS NOT NULL""",
        notification_id,
    )


async def push_errand(r: Read, subscription_id: int) -> PushErrand | None:
    """Where to push; None when the app was forgotten or its token ended."""
    return await r.one(
        PushErrand,
        f"""SELECT s.endpoint, s.p256dh, s.auth, s.standard, s.token_sealed
            FROM push_subscriptions s JOIN tokens t ON t.id = s.token_id WHERE s.id = $1 AND {STANDS}""",
        subscription_id,
    )


async def letter_preferences(r: Read, account_id: int) -> LetterPreferences | None:
    """Of what somebody is told by letter."""
    return await r.one(
        LetterPreferences,
        f"""SELECT {LETTERS}, coalesce(p.digest, true) AS digest
            FROM users u LEFT JOIN letter_preferences p ON p.account_id = u.account_id WHERE u.account_id = $1""",
        account_id,
    )


async def prefer_letters(tx: Tx, account_id: int, wish: LetterWish) -> int:
    """Change of what somebody is told by letter, where the wish says something."""
    return await tx.run(
        """INSERT INTO letter_preferences AS p (account_id, follow, follow_request, favourite, reblog, mention, quote,
                                                digest)
           SELECT account_id, coalesce($2, 'never'), coalesce($3, 'away'), coalesce($4, 'never'),
                  coalesce($5, 'never'), coalesce($6, 'away'), coalesce($7, 'never'), coalesce($8, true)
           FROM users WHERE account_id = $1
           ON CONFLICT (account_id) DO UPDATE SET follow = coalesce($2, p.follow),
               follow_request = coalesce($3, p.follow_request), favourite = coalesce($4, p.favourite),
               reblog = coalesce($5, p.reblog), mention = coalesce($6, p.mention), quote = coalesce($7, p.quote),
               digest = coalesce($8, p.digest)""",
        account_id, *msgspec.structs.astuple(wish),
    )


async def note_letter(tx: Tx, notification_id: int) -> int:
    """A letter of one thing goes out now: the next one, while they are away, not within the hour."""
    return await tx.run(
        """INSERT INTO letter_preferences (account_id, letter_at)
           SELECT account_id, parvis_now() FROM notifications WHERE id = $1
           ON CONFLICT (account_id) DO UPDATE SET letter_at = EXCLUDED.letter_at""",
        notification_id,
    )


async def note_digests(tx: Tx, limit: int) -> list[DigestDue]:
    """Who has been away for a week and was named since they left or had their last digest: it goes out now."""
    return await tx.all(
        DigestDue,
        f"""WITH away AS (
                SELECT u.account_id, since FROM users u JOIN accounts a ON a.id = u.account_id
                LEFT JOIN letter_preferences p ON p.account_id = u.account_id
                CROSS JOIN LATERAL (SELECT greatest({SEEN}, p.digest_at) AS since) left_at
                WHERE u.confirmed_at IS NOT NULL AND u.disabled_at IS NULL AND {PRESENT} AND coalesce(p.digest, true)
                  AND since < parvis_now() - interval '7 days'
                  AND EXISTS (SELECT FROM notifications n WHERE n.account_id = u.account_id AND n.kind = 'mention'
                                                            AND NOT n.filtered AND n.created_at > since)
                LIMIT $1)
            INSERT INTO letter_preferences AS p (account_id, digest_at) SELECT account_id, parvis_now() FROM away
            ON CONFLICT (account_id) DO UPDATE SET digest_at = EXCLUDED.digest_at
            RETURNING account_id, (SELECT since FROM away WHERE away.account_id = p.account_id)""",
        limit,
    )


async def missed(r: Read, account_id: int, since: datetime, limit: int) -> list[Missed]:
    """Who wrote to somebody since then, the oldest first."""
    return await r.all(
        Missed,
        f"""SELECT {SAID} FROM notifications n JOIN accounts f ON f.id = n.from_account_id
            JOIN seen_by($1) s ON s.id = n.status_id
            WHERE n.account_id = $1 AND n.kind = 'mention' AND NOT n.filtered AND n.created_at > $2
            ORDER BY n.id LIMIT $3""",
        account_id, since, limit,
    )


async def offers_letters(r: Read, account_id: int) -> bool:
    """Does somebody of this city offer their public posts by letter?"""
    return bool(
        await r.value(
            f"""SELECT EXISTS (SELECT FROM accounts a JOIN users u ON u.account_id = a.id
                WHERE a.id = $1 AND a.email_subscriptions AND {PRESENT} AND u.disabled_at IS NULL)""",
            account_id,
        )
    )


async def ask_subscription(tx: Tx, account_id: int, email: str) -> int | None:
    """Note an address that is to be confirmed; None when it is, when it was asked a moment ago, or too often.

    Nobody's mailbox is filled with such letters: three for one account, an hour apart, and for three accounts in a day.
    """
    found: int | None = await tx.value(
        """INSERT INTO email_subscribers AS x (account_id, email)
           SELECT $1, $2::text::citext
           WHERE (SELECT count(*) FROM email_subscribers y
                  WHERE y.email = $2::text::citext AND y.confirmed_at IS NULL AND y.account_id <> $1) < 3
           ON CONFLICT (account_id, email) DO UPDATE SET asked_at = parvis_now(), asked = x.asked + 1
           WHERE x.confirmed_at IS NULL AND x.asked < 3 AND x.asked_at < parvis_now() - interval '1 hour'
           RETURNING id""",
        account_id, email,
    )
    return found


async def subscriber(r: Read, subscriber_id: int) -> Subscriber | None:
    """Somebody who asked for letters, and whose posts they asked for."""
    return await r.one(
        Subscriber,
        f"""SELECT x.id, x.email::text, x.asked_at, x.confirmed_at IS NOT NULL AS confirmed, a.username,
                  coalesce(nullif(a.display_name, ''), a.username) AS name,
                  a.email_subscriptions AND {PRESENT} AND u.disabled_at IS NULL AS open
           FROM email_subscribers x JOIN accounts a ON a.id = x.account_id JOIN users u ON u.account_id = x.account_id
           WHERE x.id = $1""",
        subscriber_id,
    )


async def confirm_subscriber(tx: Tx, subscriber_id: int) -> int:
    """Letters begin; 0 when they had begun before."""
    return await tx.run(
        "UPDATE email_subscribers SET confirmed_at = parvis_now() WHERE id = $1 AND confirmed_at IS NULL",
        subscriber_id,
    )


async def drop_subscriber(tx: Tx, subscriber_id: int) -> int:
    """Forget an address."""
    return await tx.run("DELETE FROM email_subscribers WHERE id = $1", subscriber_id)


async def drop_unconfirmed(tx: Tx) -> int:
    """Forget addresses that nobody confirmed within a day."""
    return await tx.run(
        "DELETE FROM email_subscribers WHERE confirmed_at IS NULL AND asked_at < parvis_now() - interval '1 day'"
    )


async def drop_unoffered(tx: Tx, account_id: int) -> int:
    """Forget all addresses of an account that offers no letters any more."""
    return await tx.run(
        """DELETE FROM email_subscribers x USING accounts a
           WHERE x.account_id = $1 AND a.id = x.account_id AND NOT a.email_subscriptions""",
        account_id,
    )


async def put_news(tx: Tx, status_id: int) -> int:
    """Note a post that subscribers are to receive: one for everybody, not passed on and no answer."""
    return await tx.run(
        """INSERT INTO news_due (status_id)
           SELECT s.id FROM statuses s JOIN accounts a ON a.id = s.account_id
           WHERE s.id = $1 AND a.email_subscriptions AND s.local AND s.visibility = 'public' AND NOT s.local_only
             AND s.reblog_of_id IS NULL AND s.in_reply_to_id IS NULL AND s.in_reply_to_uri IS NULL
             AND EXISTS (SELECT FROM email_subscribers x
                         WHERE x.account_id = s.account_id AND x.confirmed_at IS NOT NULL)
           ON CONFLICT DO NOTHING""",
        status_id,
    )


async def next_subscribers(tx: Tx, status_id: int, limit: int) -> list[int]:
    """The next of those whom a post is to reach; each only once."""
    return await tx.values(
        """WITH due AS (SELECT n.after, s.account_id FROM news_due n JOIN statuses s ON s.id = n.status_id
                        WHERE n.status_id = $1 FOR UPDATE OF n),
                reached AS (SELECT x.id FROM due JOIN email_subscribers x ON x.account_id = due.account_id
                            WHERE x.confirmed_at IS NOT NULL AND x.id > due.after ORDER BY x.id LIMIT $2),
                moved AS (UPDATE news_due SET after = (SELECT max(id) FROM reached)
                          WHERE status_id = $1 AND EXISTS (SELECT FROM reached))
           SELECT id FROM reached ORDER BY id""",
        status_id, limit,
    )


async def drop_news(tx: Tx, status_id: int) -> int:
    """A post has reached everybody."""
    return await tx.run("DELETE FROM news_due WHERE status_id = $1", status_id)


async def news(r: Read, status_id: int, subscriber_id: int) -> News | None:
    """What a letter to a subscriber says; None when the post is not for everybody any more, or they left."""
    return await r.one(
        News,
        f"""SELECT x.email::text, u.locale, a.username, coalesce(nullif(a.display_name, ''), a.username) AS name,
                   coalesce(s.url, s.uri) AS url, coalesce(nullif(s.spoiler_text, ''), s.content) AS text, s.language,
                   ARRAY(SELECT coalesce(m.description, '') FROM media m
                         WHERE m.status_id = s.id ORDER BY m.position, m.id) AS files
            FROM email_subscribers x JOIN users u ON u.account_id = x.account_id JOIN accounts a ON a.id = x.account_id
            JOIN seen_by(NULL) s ON s.id = $1 AND s.account_id = x.account_id
            WHERE x.id = $2 AND x.confirmed_at IS NOT NULL AND a.email_subscriptions AND {PRESENT}
              AND u.disabled_at IS NULL AND s.visibility = 'public'""",
        status_id, subscriber_id,
    )
