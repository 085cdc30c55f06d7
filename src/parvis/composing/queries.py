"""The SQL of posts that wait for their hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from parvis.accounts.queries import ACCOUNT
from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.composing.model import Author, Scheduled

SCHEDULED = """s.id, s.account_id, s.wish, s.scheduled_at, s.refusal, s.idempotency_key, s.created_at"""
PAGE = both_ways(
    f"""SELECT {SCHEDULED} FROM scheduled_statuses s WHERE s.account_id = $1 AND s.id > $2 AND s.id < $3
        ORDER BY s.id DESC /*page*/ LIMIT $4"""
)


class Waiting(msgspec.Struct, frozen=True):
    """How much of somebody's waits, in all and for one day."""

    in_all: int
    that_day: int


async def authors(r: Read, account_id: int, application_id: int | None) -> list[Author]:
    """Somebody who lives here, and the app they use; whoever asks at one moment shares the look."""
    return await r.shared(
        Author,
        f"""SELECT {ACCOUNT}, u.disabled_at, u.default_privacy, u.default_sensitive, u.default_language,
                   u.default_quote_policy, coalesce(c.statuses, 0) + coalesce(d.statuses, 0)::int,
                   greatest(0, coalesce(c.followers, 0) + coalesce(d.followers, 0)::int),
                   greatest(0, coalesce(c.following, 0) + coalesce(d.following, 0)::int), last_status_at::text,
                   EXISTS (SELECT FROM filters f WHERE f.account_id = accounts.id),
                   (SELECT jsonb_build_object('name', p.name, 'website', p.website)
                    FROM applications p WHERE p.id = $2::bigint)
            FROM accounts
            JOIN (SELECT account_id, disabled_at, default_privacy, default_sensitive, default_language,
                         default_quote_policy FROM users) u ON u.account_id = accounts.id
            LEFT JOIN account_counts c ON c.account_id = accounts.id
            LEFT JOIN LATERAL (
                SELECT sum(statuses) AS statuses, sum(followers) AS followers, sum(following) AS following
                FROM account_count_deltas w WHERE w.account_id = accounts.id) d ON true
            WHERE accounts.id = $1""",
        account_id, application_id,
    )


async def one(r: Read, account_id: int, scheduled_id: int) -> Scheduled | None:
    """One of somebody's own."""
    return await r.one(
        Scheduled,
        f"SELECT {SCHEDULED} FROM scheduled_statuses s WHERE s.account_id = $1 AND s.id = $2", account_id, scheduled_id,
    )


async def page(r: Read, account_id: int, page: Page) -> list[Scheduled]:
    """What somebody wants to publish later, newest first."""
    rows = await r.all(Scheduled, PAGE[page.upwards], account_id, page.after, page.before, page.limit)
    return sorted(rows, key=lambda row: -row.id)


async def waiting(r: Read, account_id: int, at: datetime, without: int | None) -> Waiting:
    """How much waits, but for one that is about to get another date."""
    found = await r.one(
        Waiting,
        """SELECT count(*)::int AS in_all,
                  count(*) FILTER (WHERE date_trunc('day', scheduled_at, 'UTC') = date_trunc('day', $2, 'UTC'))::int
           FROM scheduled_statuses WHERE account_id = $1 AND id IS DISTINCT FROM $3::bigint""",
        account_id, at, without,
    )
    return found or Waiting(0, 0)


async def add(tx: Tx, account_id: int, wish: Mapping[str, Any], at: datetime, key: str | None) -> int:
    """Insert what is to be published later; its id."""
    return int(
        await tx.value(
            """INSERT INTO scheduled_statuses (account_id, wish, scheduled_at, due_at, idempotency_key)
               VALUES ($1, $2, $3, $3, $4) RETURNING id""",
            account_id, dict(wish), at, key,
        )
    )


async def under(r: Read, account_id: int, key: str) -> Scheduled | None:
    """What an Idempotency-Key has scheduled within its hour."""
    return await r.one(
        Scheduled,
        f"""SELECT {SCHEDULED} FROM scheduled_statuses s
            WHERE s.account_id = $1 AND s.idempotency_key = $2 AND s.created_at > parvis_now() - interval '1 hour'""",
        account_id, key,
    )


async def forget_key(tx: Tx, account_id: int, key: str) -> int:
    """The hour of an Idempotency-Key is over: it may be used again."""
    return await tx.run(
        "UPDATE scheduled_statuses SET idempotency_key = NULL WHERE account_id = $1 AND idempotency_key = $2",
        account_id, key,
    )


async def postpone(tx: Tx, account_id: int, scheduled_id: int, at: datetime) -> int:
    """Give another date; what was refused is tried again then."""
    return await tx.run(
        """UPDATE scheduled_statuses SET scheduled_at = $3, due_at = $3, refusal = NULL
           WHERE account_id = $1 AND id = $2""",
        account_id, scheduled_id, at,
    )


async def drop(tx: Tx, account_id: int, scheduled_id: int) -> int:
    """Remove: it is published, or shall not be."""
    return await tx.run(
        "DELETE FROM scheduled_statuses WHERE account_id = $1 AND id = $2", account_id, scheduled_id
    )


async def first_due(tx: Tx) -> Scheduled | None:
    """What is to be published next; nobody else takes it until this transaction ends."""
    return await tx.one(
        Scheduled,
        f"""SELECT {SCHEDULED} FROM scheduled_statuses s WHERE s.due_at <= parvis_now()
            ORDER BY s.due_at LIMIT 1 FOR UPDATE SKIP LOCKED""",
    )


async def refuse(tx: Tx, scheduled_id: int, refusal: Mapping[str, Any]) -> int:
    """Keep why it could not be published, unless its author has given it another date meanwhile."""
    return await tx.run(
        """UPDATE scheduled_statuses SET due_at = NULL, refusal = $2
           WHERE id = $1 AND due_at <= parvis_now()""",
        scheduled_id, dict(refusal),
    )


async def leave_alone(tx: Tx, scheduled_id: int) -> int:
    """Try again in five minutes."""
    return await tx.run(
        """UPDATE scheduled_statuses SET due_at = parvis_now() + interval '5 minutes'
           WHERE id = $1 AND due_at <= parvis_now()""",
        scheduled_id,
    )
