"""The SQL of screening. Each look is one statement: the charter's numbers and what is held against them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways, smallest_at
from parvis.screening.model import Count, Crowd, Facts, Flood, Hold, HoldFilter, Sample, State, Verdict
from parvis.screening.policy import TERMS
from parvis.text.likeness import HASHES

HOLD = """h.id, h.status_id, h.account_id, h.article_version_id, h.rules, h.score, h.quoting, h.state, h.began_at,
    h.ends_at, h.ended_at, h.ended_by, h.reasons, h.decision_id, h.appeal, h.appealed_at"""
PAGE = both_ways(
    f"""SELECT {HOLD} FROM holds h
        WHERE h.id > $1 AND h.id < $2 AND ($4::bigint IS NULL OR h.account_id = $4)
          AND ($5::text IS NULL OR h.state = $5) AND (NOT $6::boolean OR h.appeal IS NOT NULL)
        ORDER BY h.id DESC /*page*/ LIMIT $3"""
)
# The charter's numbers over those that are only counted by, and the article in whose name something may be kept back.
GIVEN = """given AS MATERIALIZED (
        SELECT $1::jsonb || charter_terms(parvis_now()) AS terms,
               (SELECT v.id FROM article_versions v WHERE v.number LIKE 'I.%' AND v.in_force @> parvis_now()
                AND v.parameters ? 'hold_time' LIMIT 1) AS ground)"""
YOUNG = """greatest(a.created_at, to_timestamp((a.id >> 16) / 1000.0))
    > parvis_now() - (given.terms ->> 'young_time')::interval"""
TODAY = "(parvis_now() AT TIME ZONE 'UTC')::date"


async def facts(r: Read, account_id: int, shown: Sample, now: datetime, status_id: int | None = None) -> Facts:
    """What is known of a post's author, of those it names, and of what is like it, but for an earlier state of it."""
    found = await r.one(
        Facts,
        f"""WITH {GIVEN},
            spoken AS MATERIALIZED (
                SELECT s.account_id FROM (SELECT m.status_id FROM mentions m WHERE m.account_id = $2
                                          ORDER BY m.status_id DESC LIMIT 500) m
                JOIN statuses s ON s.id = m.status_id)
            SELECT given.terms, given.ground, is_moderator(a.id), {YOUNG},
                   (SELECT count(*) FROM (
                        SELECT FROM statuses s WHERE s.account_id = a.id AND s.id >= $3 AND s.deleted_at IS NULL
                        LIMIT greatest(1, (given.terms ->> 'burst_from')::int)) s)::int,
                   (SELECT count(DISTINCT m.account_id) FROM statuses s JOIN mentions m ON m.status_id = s.id
                    WHERE s.account_id = a.id AND s.id >= $4 AND s.deleted_at IS NULL AND NOT m.silent)::int,
                   (SELECT count(*) FROM unnest($5::bigint[]) n
                    WHERE n NOT IN (SELECT account_id FROM spoken) AND NOT EXISTS (
                        SELECT FROM follows f WHERE f.account_id = n AND f.target_id = a.id AND f.accepted))::int,
                   (SELECT count(*) FROM (
                        SELECT FROM screening_prints p
                        WHERE p.bands && $6::bigint[] AND p.status_id IS DISTINCT FROM $9::bigint
                          AND p.at > parvis_now() - (given.terms ->> 'alike_time')::interval
                          AND 100 * (SELECT count(*) FROM unnest(p.signature, $7::int[]) x(one, other)
                                     WHERE x.one = x.other) >= {HASHES} * (given.terms ->> 'alike_percent')::int
                        LIMIT greatest(1, (given.terms ->> 'alike_from')::int)) p)::int,
                   coalesce((SELECT max(d.people) FROM (
                        SELECT count(DISTINCT p.account_id) FILTER (WHERE p.young) AS people,
                               bool_or(NOT p.young) AS known
                        FROM unnest($8::text[]) w CROSS JOIN LATERAL (
                            SELECT q.account_id, q.young FROM screening_prints q
                            WHERE q.domains @> ARRAY[w] AND q.account_id <> a.id
                              AND q.at > parvis_now() - (given.terms ->> 'alike_time')::interval LIMIT 500) p
                        GROUP BY w) d WHERE NOT d.known), 0)::int
            FROM given, accounts a WHERE a.id = $2""",
        dict(TERMS), account_id, smallest_at(now - timedelta(hours=1)), smallest_at(now - timedelta(days=1)),
        list(shown.named), list(shown.bands), list(shown.traces), list(shown.domains),
        status_id,
    )
    if found is None:
        raise LookupError("an author is not there")
    return found


async def remember(tx: Tx, status_id: int, account_id: int, shown: Sample, young: bool) -> None:
    """Keep the traces of a post for some days."""
    tx.last(
        """INSERT INTO screening_prints (status_id, account_id, young, bands, signature, domains)
           SELECT s, a, y, translate(b, '[]', '{}')::bigint[], translate(g, '[]', '{}')::int[], string_to_array(d, ' ')
           FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::text[], $5::text[], $6::text[])
               x(s, a, y, b, g, d) ON CONFLICT DO NOTHING""",
        status_id, account_id, young, str(list(shown.bands)), str(list(shown.traces)), " ".join(shown.domains),
    )


async def mark(tx: Tx, rules: Sequence[str], acted: Sequence[bool], local: bool) -> int:
    """Note which rules saw something, and whether they acted."""
    return await tx.run(
        f"""INSERT INTO screening_marks (day, rule, acted, local)
            SELECT {TODAY}, rule, acted, $3 FROM unnest($1::text[], $2::boolean[]) x(rule, acted)""",
        list(rules), list(acted), local,
    )


async def hold(
    tx: Tx, status_id: int, account_id: int, ground: int, found: Verdict, quoting: dict[str, Any] | None
) -> int:
    """Keep a post back; the database checks that the charter allows it, and says until when."""
    return int(await tx.value(
        """INSERT INTO holds (status_id, account_id, article_version_id, rules, quoting)
           VALUES ($1, $2, $3, $4, $5) RETURNING id""",
        status_id, account_id, ground, found.acting, quoting,
    ))


async def one(r: Read, hold_id: int) -> Hold | None:
    """One post that is or was kept back."""
    return await r.one(Hold, f"SELECT {HOLD} FROM holds h WHERE h.id = $1", hold_id)


async def page(r: Read, page: Page, wanted: HoldFilter) -> list[Hold]:
    """Posts that are or were kept back, the newest first."""
    rows = await r.all(
        Hold, PAGE[page.upwards], page.after, page.before, page.limit, wanted.account_id, wanted.state, wanted.appealed
    )
    return sorted(rows, key=lambda row: -row.id)


async def due(r: Read) -> list[int]:
    """Those that nobody looked at in their time."""
    return await r.values(
        "SELECT id FROM holds WHERE state = 'held' AND ends_at <= parvis_now() ORDER BY ends_at LIMIT 100"
    )


async def confirmed_by(r: Read, decision_id: int) -> list[int]:
    """What a decision keeps in that no measure of it does any more."""
    return await r.values(
        """SELECT h.id FROM holds h WHERE h.decision_id = $1 AND h.state = 'confirmed' AND NOT EXISTS (
               SELECT FROM measures m WHERE m.decision_id = h.decision_id AND m.lifted_at IS NULL)""",
        decision_id,
    )


async def move(
    tx: Tx, found: Hold, state: State, by: int | None = None, reasons: str | None = None, decision: int | None = None
) -> bool:
    """Write where it stands now; the database checks that it may. False: someone else was first."""
    return bool(await tx.run(
        """UPDATE holds SET state = $3, ended_by = coalesce($4, ended_by), reasons = coalesce($5, reasons),
                            decision_id = coalesce($6, decision_id) WHERE id = $1 AND state = $2""",
        found.id, found.state, state.value, by, reasons, decision,
    ))


async def appeal(tx: Tx, hold_id: int, text: str) -> bool:
    """Write down what an author says against it; False when it was said before, or is over."""
    return bool(await tx.run(
        "UPDATE holds SET appeal = $2 WHERE id = $1 AND state = 'held' AND appeal IS NULL", hold_id, text
    ))


async def flood(r: Read, account_id: int, now: datetime) -> Flood | None:
    """How many somebody has followed, or asked to, in a day."""
    return await r.one(
        Flood,
        f"""WITH {GIVEN}
            SELECT given.terms, given.ground, {YOUNG},
                   (SELECT count(*) FROM follows f WHERE f.account_id = a.id AND f.id >= $3)::int
            FROM given, accounts a WHERE a.id = $2""",
        dict(TERMS), account_id, smallest_at(now - timedelta(days=1)),
    )


async def arrive(tx: Tx, network: str) -> Crowd | None:
    """Count somebody who comes to settle; how many came from there in this hour."""
    return await tx.one(
        Crowd,
        f"""WITH {GIVEN},
            counted AS (
                INSERT INTO screening_arrivals AS s (network, hour, arrivals)
                VALUES ($2::text::cidr, date_trunc('hour', parvis_now()), 1)
                ON CONFLICT (network, hour) DO UPDATE SET arrivals = s.arrivals + 1 RETURNING arrivals)
            SELECT given.terms, given.ground, counted.arrivals FROM given, counted""",
        dict(TERMS), network,
    )


async def terms(r: Read) -> Crowd | None:
    """The numbers by which the rules go now, and whether an article says them."""
    return await r.one(Crowd, f"WITH {GIVEN} SELECT terms, ground, 0 FROM given", dict(TERMS))


async def counts(r: Read, days: int) -> list[Count]:
    """What each rule saw on each of the last days."""
    return await r.all(
        Count,
        f"""SELECT day, rule, acted, local, sum(times)::bigint AS times FROM (
                SELECT day, rule, acted, local, times FROM screening_counts
                UNION ALL SELECT day, rule, acted, local, 1 FROM screening_marks) x
            WHERE day > {TODAY} - $1::int GROUP BY day, rule, acted, local ORDER BY day DESC, rule, acted, local""",
        days,
    )


async def fold(tx: Tx) -> int:
    """Add what was marked to the sums."""
    return await tx.run(
        """WITH gone AS (
               DELETE FROM screening_marks WHERE id IN (SELECT id FROM screening_marks ORDER BY id LIMIT 5000)
               RETURNING day, rule, acted, local)
           INSERT INTO screening_counts AS c (day, rule, acted, local, times)
           SELECT day, rule, acted, local, count(*) FROM gone GROUP BY day, rule, acted, local
           ON CONFLICT (day, rule, acted, local) DO UPDATE SET times = c.times + EXCLUDED.times"""
    )


async def forget(tx: Tx) -> int:
    """Drop the traces of posts after a week, or after as long as they are compared, and the hours of arrivals."""
    return await tx.run(
        """WITH hours AS (DELETE FROM screening_arrivals WHERE hour < parvis_now() - interval '2 hours')
           DELETE FROM screening_prints WHERE at < parvis_now() - greatest(
               interval '7 days', (charter_terms(parvis_now()) ->> 'alike_time')::interval)"""
    )
