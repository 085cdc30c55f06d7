"""The SQL of people's years. Nothing in it looks at anybody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parvis.base.db import Read, Tx
from parvis.years.model import Hashtag, Month, Report

# What somebody ($1) said in a year ($2). Letters to a few are no posts, and nobody looks back on what was removed.
THEIRS = """s.account_id = $1 AND s.deleted_at IS NULL AND s.removed_at IS NULL AND s.visibility <> 'direct'
    AND s.created_at >= make_timestamptz($2::int, 1, 1, 0, 0, 0, 'UTC')
    AND s.created_at < make_timestamptz($2::int + 1, 1, 1, 0, 0, 0, 'UTC')"""


async def report(r: Read, account_id: int, year: int) -> Report | None:
    """A year that was asked for; None when it was not."""
    return await r.one(
        Report, "SELECT year, data FROM annual_reports WHERE account_id = $1 AND year = $2::bigint", account_id, year
    )


async def reports(r: Read, account_id: int) -> list[Report]:
    """All years of somebody's that are made, the last first."""
    return await r.all(
        Report,
        "SELECT year, data FROM annual_reports WHERE account_id = $1 AND data IS NOT NULL ORDER BY year DESC",
        account_id,
    )


async def posted(r: Read, account_id: int, year: int) -> bool:
    """Did they say anything in that year?"""
    return bool(await r.value(f"SELECT EXISTS (SELECT FROM statuses s WHERE {THEIRS})", account_id, year))


async def ask(tx: Tx, account_id: int, year: int) -> bool:
    """Note that a year is to be made; False when it is made, or was asked for a moment ago."""
    return bool(
        await tx.run(
            """INSERT INTO annual_reports AS a (account_id, year) VALUES ($1, $2)
               ON CONFLICT (account_id, year) DO UPDATE SET asked_at = parvis_now()
               WHERE a.data IS NULL AND a.asked_at < parvis_now() - interval '10 minutes'""",
            account_id, year,
        )
    )


async def keep(tx: Tx, account_id: int, year: int, data: Mapping[str, Any]) -> int:
    """A year is made; one that was made before stays."""
    return await tx.run(
        "UPDATE annual_reports SET data = $3 WHERE account_id = $1 AND year = $2 AND data IS NULL",
        account_id, year, dict(data),
    )


async def read(tx: Tx, account_id: int, year: int) -> int:
    """Somebody has looked at a year of theirs."""
    return await tx.run(
        """UPDATE annual_reports SET read_at = coalesce(read_at, parvis_now())
           WHERE account_id = $1 AND year = $2::bigint AND data IS NOT NULL""",
        account_id, year,
    )


async def months(r: Read, account_id: int, year: int) -> list[Month]:
    """What somebody did in each month of a year, and how many of those who follow them began in it."""
    return await r.all(
        Month,
        f"""WITH said AS (
                SELECT extract(month FROM s.created_at AT TIME ZONE 'UTC')::int AS number,
                       s.reblog_of_id IS NOT NULL AS passed_on,
                       s.reblog_of_id IS NULL AND coalesce(s.in_reply_to_account_id <> s.account_id, false) AS answered,
                       EXISTS (SELECT FROM polls p WHERE p.status_id = s.id) AS asked
                FROM statuses s WHERE {THEIRS}),
            came AS (
                SELECT extract(month FROM f.created_at AT TIME ZONE 'UTC')::int AS number, count(*)::int AS followers
                FROM follows f WHERE f.target_id = $1 AND f.accepted
                  AND f.created_at >= make_timestamptz($2::int, 1, 1, 0, 0, 0, 'UTC')
                  AND f.created_at < make_timestamptz($2::int + 1, 1, 1, 0, 0, 0, 'UTC')
                GROUP BY 1)
            SELECT m.month, count(*) FILTER (WHERE NOT passed_on AND NOT answered)::int AS posts,
                   count(*) FILTER (WHERE answered)::int AS replies, count(*) FILTER (WHERE passed_on)::int AS reblogs,
                   count(*) FILTER (WHERE asked)::int AS polls, coalesce(max(c.followers), 0) AS followers
            FROM generate_series(1, 12) m(month) LEFT JOIN said ON said.number = m.month
            LEFT JOIN came c ON c.number = m.month GROUP BY m.month ORDER BY m.month""",
        account_id, year,
    )


async def most_passed_on(r: Read, account_id: int, year: int) -> int | None:
    """Which of somebody's open posts of a year was passed on most often; None when none was."""
    found: int | None = await r.value(
        f"""SELECT s.id FROM statuses s LEFT JOIN status_counts c ON c.status_id = s.id
            CROSS JOIN LATERAL (SELECT coalesce(c.reblogs, 0) + coalesce(sum(d.reblogs), 0) AS reblogs
                                FROM status_count_deltas d WHERE d.status_id = s.id) n
            WHERE {THEIRS} AND s.reblog_of_id IS NULL AND s.visibility IN ('public', 'unlisted') AND n.reblogs > 0
            ORDER BY n.reblogs DESC, s.id LIMIT 1""",
        account_id, year,
    )
    return found


async def most_used_tag(r: Read, account_id: int, year: int) -> Hashtag | None:
    """The hashtag that somebody used most often in a year."""
    return await r.one(
        Hashtag,
        f"""SELECT t.display_name, count(*)::int AS count
            FROM statuses s JOIN status_tags x ON x.status_id = s.id JOIN tags t ON t.id = x.tag_id
            WHERE {THEIRS} AND s.reblog_of_id IS NULL GROUP BY t.id ORDER BY count(*) DESC, t.id LIMIT 1""",
        account_id, year,
    )
