"""The SQL of trends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from parvis.base.db import Read, Tx
from parvis.trends.model import Activity, Count, Kind, Place, Review, Reviewed, Share, Stay, Tally, Week

# Who counts: known here for some days, at large, not limited by a measure, no machine. Since when somebody of elsewhere
# is known is for us to say, not for their server.
COUNTS = """{0}.deleted_at IS NULL AND {0}.suspended_at IS NULL AND {0}.limited_at IS NULL AND NOT {0}.bot
    AND {0}.created_at < $2 AND ({0}.domain IS NULL OR {0}.id < $3)"""
LIKED = f"""SELECT i.account_id FROM (
        SELECT f.account_id FROM favourites f WHERE f.status_id = s.id
        UNION ALL SELECT x.account_id FROM statuses x WHERE x.reblog_of_id = s.id AND x.deleted_at IS NULL) i
    JOIN accounts p ON p.id = i.account_id WHERE i.account_id <> s.account_id AND {COUNTS.format('p')}"""
REJECTED = """coalesce((SELECT NOT v.approved FROM trend_reviews v WHERE v.kind = '{0}' AND v.thing_id = {1}
                      ORDER BY v.id DESC LIMIT 1), false)"""
HOST = "lower(substring({0}.url FROM '^https?://([^/?#]+)'))"
TODAY = "(parvis_now() AT TIME ZONE 'UTC')::date"
# A post that may be shown to those who did not ask for it: calm, whole, by somebody who wants to be found.
PROMOTABLE = """s.visibility = 'public' AND s.reblog_of_id IS NULL AND s.in_reply_to_id IS NULL
    AND s.in_reply_to_uri IS NULL AND NOT s.sensitive AND s.spoiler_text = '' AND s.deleted_at IS NULL
    AND s.removed_at IS NULL AND a.discoverable"""


async def count_post(tx: Tx, status_id: int) -> None:
    """Count the hashtags of a public post of these days, and a post of this city."""
    tx.last(
        """INSERT INTO use_deltas (kind, thing_id, day, account_id, language)
           SELECT u.kind, u.thing_id, u.day, s.account_id, coalesce(split_part(s.language, '-', 1), '')
           FROM statuses s JOIN accounts a ON a.id = s.account_id CROSS JOIN LATERAL (
               SELECT 'tag', st.tag_id, (s.created_at AT TIME ZONE 'UTC')::date FROM status_tags st
               WHERE st.status_id = s.id AND s.visibility = 'public' AND a.limited_at IS NULL
               UNION ALL SELECT 'post', 0, date_trunc('week', s.created_at, 'UTC')::date WHERE s.local
           ) u(kind, thing_id, day)
           WHERE s.id = ANY($1::bigint[]) AND s.created_at > parvis_now() - interval '2 days'""",
        status_id,
    )


async def count_deed(tx: Tx, kind: Activity, account_id: int) -> int:
    """Count somebody's coming or signing in."""
    return await tx.run(
        """INSERT INTO use_deltas (kind, thing_id, day, account_id)
           VALUES ($1, 0, date_trunc('week', parvis_now(), 'UTC')::date, $2)""",
        kind, account_id,
    )


async def links_counted(r: Read) -> int:
    """The last post whose link was counted."""
    return int(await r.value("SELECT coalesce(max(upto), 0) FROM link_counting"))


async def count_links(tx: Tx, after: int, upto: int) -> int:
    """Count the pages that public posts of these days, in a stretch of ids, point to; those that have a card."""
    return await tx.run(
        """INSERT INTO use_deltas (kind, thing_id, day, account_id, language)
           SELECT 'link', p.card_id, (s.created_at AT TIME ZONE 'UTC')::date, s.account_id,
                  coalesce(split_part(s.language, '-', 1), '')
           FROM status_cards c JOIN linked_pages p ON p.url = c.url AND p.card_id IS NOT NULL
           JOIN statuses s ON s.id = c.status_id JOIN accounts a ON a.id = s.account_id
           WHERE c.status_id > $1 AND c.status_id <= $2 AND s.visibility = 'public' AND s.deleted_at IS NULL
             AND a.limited_at IS NULL AND s.created_at > parvis_now() - interval '2 days'""",
        after, upto,
    )


async def meet_publishers(tx: Tx, after: int, upto: int) -> int:
    """Remember who published what the posts in a stretch of ids point to."""
    return await tx.run(
        f"""INSERT INTO publishers (domain)
            SELECT DISTINCT {HOST.format('k')} FROM status_cards c JOIN linked_pages p ON p.url = c.url
            JOIN preview_cards k ON k.id = p.card_id
            WHERE c.status_id > $1 AND c.status_id <= $2 AND {HOST.format('k')} IS NOT NULL ON CONFLICT DO NOTHING""",
        after, upto,
    )


async def set_links_counted(tx: Tx, upto: int) -> int:
    """Remember up to which post links are counted."""
    return await tx.run("UPDATE link_counting SET upto = $1", upto)


async def fold(tx: Tx, limit: int) -> int:
    """Add waiting deltas to the days they belong to; how many were folded. One at a time: the caller holds a lock."""
    return int(
        await tx.value(
            """WITH taken AS (
                   DELETE FROM use_deltas
                   WHERE id <= (SELECT max(id) FROM (SELECT id FROM use_deltas ORDER BY id LIMIT $1) f)
                   RETURNING id, kind, thing_id, day, account_id, language),
               summed AS (SELECT kind, thing_id, day, account_id, (array_agg(language ORDER BY id))[1] AS language,
                                 count(*)::int AS uses
                          FROM taken GROUP BY kind, thing_id, day, account_id),
               marked AS (SELECT s.kind, s.thing_id, s.day, s.account_id, s.language, s.uses,
                                 u.account_id IS NULL AS first
                          FROM summed s LEFT JOIN uses u USING (kind, thing_id, day, account_id)),
               kept AS (
                   INSERT INTO uses (kind, thing_id, day, account_id, language, uses)
                   SELECT kind, thing_id, day, account_id, language, uses FROM marked
                   ON CONFLICT (kind, thing_id, day, account_id) DO UPDATE SET uses = uses.uses + EXCLUDED.uses),
               counted AS (
                   INSERT INTO use_days (kind, thing_id, day, uses, accounts)
                   SELECT kind, thing_id, day, sum(uses)::int, count(*) FILTER (WHERE first)::int
                   FROM marked GROUP BY kind, thing_id, day
                   ON CONFLICT (kind, thing_id, day) DO UPDATE
                   SET uses = use_days.uses + EXCLUDED.uses, accounts = use_days.accounts + EXCLUDED.accounts)
               SELECT count(*)::int FROM taken""",
            limit,
        )
    )


async def forget_uses(tx: Tx) -> int:
    """Forget who used what nine days ago: the week is over, and nothing looks back further."""
    return await tx.run(f"DELETE FROM uses WHERE day < {TODAY} - 9")


async def forget_days(tx: Tx) -> int:
    """Forget how often it was used after a year."""
    return await tx.run(f"DELETE FROM use_days WHERE day < {TODAY} - 366")


async def tallies(r: Read, kind: Kind, known_since: datetime, known_id: int, days: int, least: int) -> list[Tally]:
    """How many of those who count spoke of the thousand busiest things, day by day, in each language and in all."""
    return await r.all(
        Tally,
        f"""WITH busy AS (
                SELECT d.thing_id FROM use_days d WHERE d.kind = $1 AND d.day > {TODAY} - $4::int
                GROUP BY d.thing_id HAVING sum(d.accounts) >= $5::int ORDER BY sum(d.accounts) DESC LIMIT 1000)
            SELECT u.thing_id, CASE WHEN grouping(u.language) = 1 THEN '' ELSE u.language END,
                   (24 * ({TODAY} - u.day))::float8, count(*)::int, sum(u.uses)::int, 0::bigint
            FROM busy b JOIN uses u ON u.thing_id = b.thing_id AND u.kind = $1 AND u.day > {TODAY} - $4::int
            JOIN accounts p ON p.id = u.account_id
            WHERE {COUNTS.format('p')}
            GROUP BY GROUPING SETS ((u.thing_id, u.day), (u.thing_id, u.day, u.language))
            HAVING grouping(u.language) = 1 OR u.language <> ''""",
        kind, known_since, known_id, days, least,
    )


async def liked(r: Read, since_id: int, known_since: datetime, known_id: int, least: int) -> list[Tally]:
    """How many of those who count marked or passed on the thousand most liked posts since an id."""
    return await r.all(
        Tally,
        f"""WITH busy AS (
                SELECT c.status_id FROM status_counts c WHERE c.status_id >= $1 AND c.favourites + c.reblogs >= $4::int
                ORDER BY c.favourites + c.reblogs DESC LIMIT 1000)
            SELECT s.id, l.language, (extract(epoch FROM parvis_now() - s.created_at) / 3600)::float8,
                   n.accounts, n.uses, s.account_id
            FROM busy b JOIN statuses s ON s.id = b.status_id JOIN accounts a ON a.id = s.account_id
            CROSS JOIN LATERAL (SELECT count(DISTINCT i.account_id)::int AS accounts, count(*)::int AS uses
                                FROM ({LIKED}) i) n
            CROSS JOIN LATERAL (SELECT DISTINCT unnest(ARRAY['', coalesce(split_part(s.language, '-', 1), '')])
                                       AS language) l
            WHERE {PROMOTABLE} AND {COUNTS.format('a')}""",
        since_id, known_since, known_id, least,
    )


async def drop_places(tx: Tx, kind: str) -> int:
    """Forget the ranking of one kind."""
    return await tx.run("DELETE FROM trends WHERE kind = $1", kind)


async def add_places(tx: Tx, kind: str, places: Sequence[Place]) -> int:
    """Write the ranking of one kind."""
    return await tx.run(
        """INSERT INTO trends (kind, language, thing_id, score, rank)
           SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::float8[], $5::int[])""",
        kind, [p.language for p in places], [p.thing_id for p in places], [p.score for p in places],
        [p.rank for p in places],
    )


class TrendingTag(msgspec.Struct, frozen=True):
    """A hashtag of the ranking; or one that is looked at for review."""

    id: int
    name: str
    rejected: bool


async def tags(r: Read, language: str, limit: int, offset: int, rejected: bool = False) -> list[TrendingTag]:
    """The hashtags many speak of, the first first; with the rejected ones only for those who review."""
    return await r.all(
        TrendingTag,
        f"""SELECT g.id, g.name, {REJECTED.format('tag', 'g.id')} FROM trends t JOIN tags g ON g.id = t.thing_id
            WHERE t.kind = 'tag' AND t.language = $1 AND ($4::boolean OR NOT {REJECTED.format('tag', 'g.id')})
            ORDER BY t.rank LIMIT $2 OFFSET $3""",
        language, limit, offset, rejected,
    )


async def tag(r: Read, tag_id: int) -> TrendingTag | None:
    """One hashtag, whether it trends or not."""
    return await r.one(
        TrendingTag, f"SELECT g.id, g.name, {REJECTED.format('tag', 'g.id')} FROM tags g WHERE g.id = $1", tag_id
    )


async def all_tags(r: Read, before: int, limit: int) -> list[TrendingTag]:
    """Every hashtag, the newest first."""
    return await r.all(
        TrendingTag,
        f"""SELECT g.id, g.name, {REJECTED.format('tag', 'g.id')} FROM tags g
            WHERE g.id < $1 ORDER BY g.id DESC LIMIT $2""",
        before, limit,
    )


async def statuses(
    r: Read, viewer: int | None, language: str, limit: int, offset: int, rejected: bool = False
) -> list[int]:
    """The posts many like and pass on, the first first; those that are no longer fit to be promoted are left out."""
    return await r.values(
        f"""SELECT s.id FROM trends t JOIN seen_by($1) s ON s.id = t.thing_id JOIN accounts a ON a.id = s.account_id
            WHERE t.kind = 'status' AND t.language = $2 AND {PROMOTABLE} AND a.limited_at IS NULL
              AND ($5::boolean OR NOT {REJECTED.format('status', 's.id')})
              AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = $1 AND m.target_id = s.account_id
                                                    AND (m.until IS NULL OR m.until > parvis_now()))
              AND NOT EXISTS (SELECT FROM domain_blocks d WHERE d.account_id = $1 AND d.domain = a.domain)
            ORDER BY t.rank LIMIT $3 OFFSET $4""",
        viewer, language, limit, offset, rejected,
    )


BY_REJECTED = f"""EXISTS (SELECT FROM publishers p WHERE p.domain = {HOST.format('c')}
                      AND {REJECTED.format('publisher', 'p.id')})"""


class TrendingLink(msgspec.Struct, frozen=True):
    """A page of the ranking by its card; is it, or is its publisher, promoted no longer?"""

    id: int
    rejected: bool


async def links(r: Read, language: str, limit: int, offset: int, rejected: bool = False) -> list[TrendingLink]:
    """The pages many point to, the first first; with the rejected ones only for those who review."""
    return await r.all(
        TrendingLink,
        f"""SELECT c.id, x.rejected FROM trends t JOIN preview_cards c ON c.id = t.thing_id
            CROSS JOIN LATERAL (SELECT {REJECTED.format('link', 'c.id')} OR {BY_REJECTED} AS rejected) x
            WHERE t.kind = 'link' AND t.language = $1 AND ($4::boolean OR NOT x.rejected)
            ORDER BY t.rank LIMIT $2 OFFSET $3""",
        language, limit, offset, rejected,
    )


async def link(r: Read, card_id: int) -> TrendingLink | None:
    """One page, whether it trends or not."""
    return await r.one(
        TrendingLink,
        f"SELECT c.id, {REJECTED.format('link', 'c.id')} OR {BY_REJECTED} FROM preview_cards c WHERE c.id = $1",
        card_id,
    )


class Publisher(msgspec.Struct, frozen=True):
    """Who published pages that were linked; are they promoted no longer?"""

    id: int
    domain: str
    rejected: bool
    reviewed_at: datetime | None


REVIEWED_AT = "(SELECT max(v.created_at) FROM trend_reviews v WHERE v.kind = 'publisher' AND v.thing_id = p.id)"


async def publishers(r: Read, before: int, limit: int) -> list[Publisher]:
    """Every publisher, the latest met first."""
    return await r.all(
        Publisher,
        f"""SELECT p.id, p.domain, {REJECTED.format('publisher', 'p.id')}, {REVIEWED_AT} FROM publishers p
            WHERE p.id < $1 ORDER BY p.id DESC LIMIT $2""",
        before, limit,
    )


async def publisher(r: Read, publisher_id: int) -> Publisher | None:
    """One publisher."""
    return await r.one(
        Publisher,
        f"""SELECT p.id, p.domain, {REJECTED.format('publisher', 'p.id')}, {REVIEWED_AT} FROM publishers p
            WHERE p.id = $1""",
        publisher_id,
    )


async def review(tx: Tx, kind: Reviewed, thing_id: int, approved: bool, by: int) -> int:
    """Write down a choice of what is promoted."""
    return await tx.run(
        "INSERT INTO trend_reviews (kind, thing_id, approved, account_id) VALUES ($1, $2, $3, $4)",
        kind, thing_id, approved, by,
    )


async def reviews(r: Read, before: int, limit: int) -> list[Review]:
    """Every choice, the newest first, with what it was about."""
    return await r.all(
        Review,
        """SELECT v.id, v.kind, v.thing_id, v.approved, v.account_id, a.username, v.created_at,
                  CASE v.kind WHEN 'tag' THEN (SELECT name FROM tags WHERE id = v.thing_id)
                              WHEN 'status' THEN (SELECT url FROM statuses WHERE id = v.thing_id)
                              WHEN 'link' THEN (SELECT url FROM preview_cards WHERE id = v.thing_id)
                              ELSE (SELECT domain FROM publishers WHERE id = v.thing_id) END
           FROM trend_reviews v JOIN accounts a ON a.id = v.account_id
           WHERE v.id < $1 ORDER BY v.id DESC LIMIT $2""",
        before, limit,
    )


async def weeks(r: Read, count: int) -> list[Week]:
    """The last weeks, the present one first: posts, people who signed in, and people who came."""
    return await r.all(
        Week,
        """SELECT w::date,
                  (coalesce(sum(d.uses) FILTER (WHERE d.kind = 'post'), 0) + n.posts)::int,
                  (coalesce(sum(d.accounts) FILTER (WHERE d.kind = 'sign_in'), 0) + n.sign_ins)::int,
                  (coalesce(sum(d.accounts) FILTER (WHERE d.kind = 'registration'), 0) + n.registrations)::int
           FROM generate_series(0, $1::int - 1) ago
           CROSS JOIN LATERAL (
               SELECT (date_trunc('week', parvis_now(), 'UTC') AT TIME ZONE 'UTC')::date - 7 * ago AS w) x
           CROSS JOIN LATERAL (
               SELECT count(*) FILTER (WHERE e.kind = 'post') AS posts,
                      count(DISTINCT e.account_id) FILTER (WHERE e.kind = 'registration') AS registrations,
                      count(DISTINCT e.account_id) FILTER (WHERE e.kind = 'sign_in' AND NOT EXISTS (
                          SELECT FROM uses u WHERE u.kind = 'sign_in' AND u.thing_id = 0 AND u.day = w
                                               AND u.account_id = e.account_id)) AS sign_ins
               FROM use_deltas e WHERE e.thing_id = 0 AND e.day = w AND e.kind IN ('post', 'sign_in', 'registration')) n
           LEFT JOIN use_days d ON d.day = w AND d.thing_id = 0 AND d.kind IN ('post', 'sign_in', 'registration')
           GROUP BY w, n.posts, n.sign_ins, n.registrations ORDER BY w DESC""",
        count,
    )


# What is counted day by day: a number that carries its moment, and what is counted once a day however often it occurs.
# $1 and $2 bound the numbers, $3 is the hashtag or the domain it is about.
TAGGED = """status_tags t JOIN statuses s ON s.id = t.status_id AND s.visibility = 'public' AND s.deleted_at IS NULL
    JOIN accounts a ON a.id = s.account_id WHERE t.tag_id::text = $3 AND t.status_id >= $1 AND t.status_id < $2"""
WRITTEN = """accounts a JOIN statuses s ON s.account_id = a.id AND s.deleted_at IS NULL AND s.id >= $1 AND s.id < $2"""
COUNTED = {
    "active_users": """SELECT s.id, s.account_id FROM users u JOIN statuses s ON s.account_id = u.account_id
        WHERE s.id >= $1 AND s.id < $2""",
    "new_users": "SELECT account_id, account_id FROM users WHERE account_id >= $1 AND account_id < $2",
    "interactions": """SELECT f.id, f.id FROM favourites f JOIN statuses s ON s.id = f.status_id AND s.local
        WHERE f.id >= $1 AND f.id < $2
        UNION ALL SELECT s.id, s.id FROM statuses s
            JOIN statuses o ON o.id = coalesce(s.reblog_of_id, s.in_reply_to_id) AND o.local
        WHERE s.id >= $1 AND s.id < $2""",
    "opened_reports": "SELECT id, id FROM reports WHERE id >= $1 AND id < $2",
    "resolved_reports": """SELECT y.id, y.report_id FROM (
            SELECT (extract(epoch FROM c.closed_at) * 1000)::bigint << 16 AS id, r.id AS report_id
            FROM cases c JOIN reports r ON r.case_id = c.id WHERE c.closed_at IS NOT NULL) y
        WHERE y.id >= $1 AND y.id < $2""",
    "tag_accounts": f"SELECT s.id, s.account_id FROM {TAGGED}",
    "tag_uses": f"SELECT s.id, s.id FROM {TAGGED}",
    "tag_servers": f"SELECT s.id, hashtextextended(coalesce(a.domain, ''), 0) FROM {TAGGED}",
    "instance_accounts": "SELECT a.id, a.id FROM accounts a WHERE a.domain = $3 AND a.id >= $1 AND a.id < $2",
    "instance_media_attachments": f"""SELECT s.id, m.id FROM {WRITTEN} JOIN media m ON m.status_id = s.id
        WHERE a.domain = $3""",
    "instance_reports": """SELECT r.id, r.id FROM reports r JOIN accounts a ON a.id = r.target_id
        WHERE a.domain = $3 AND r.id >= $1 AND r.id < $2""",
    "instance_statuses": f"SELECT s.id, s.id FROM {WRITTEN} WHERE a.domain = $3",
    "instance_follows": """SELECT f.id, f.id FROM accounts a JOIN follows f ON f.target_id = a.id
        WHERE a.domain = $3 AND f.id >= $1 AND f.id < $2""",
    "instance_followers": """SELECT f.id, f.id FROM accounts a JOIN follows f ON f.account_id = a.id
        WHERE a.domain = $3 AND f.id >= $1 AND f.id < $2""",
}
DAILY = {
    key: f"""SELECT x.day >= $4::date AS present, x.day, count(DISTINCT x.what)::int
        FROM (SELECT (to_timestamp((n.id >> 16) / 1000.0) AT TIME ZONE 'UTC')::date AS day, n.what
              FROM ({source}) n(id, what) WHERE coalesce($1::bigint + $2::bigint, 0) > 0 AND $3::text IS NOT NULL) x
        GROUP BY GROUPING SETS ((x.day >= $4::date, x.day), (x.day >= $4::date))"""
    for key, source in COUNTED.items()
}


async def counts(r: Read, key: str, since_id: int, until_id: int, thing: str, middle: date) -> list[Count]:
    """How many there were on each day that had any, and in all, before a day and from it on."""
    return await r.all(Count, DAILY[key], since_id, until_id, thing, middle)


SHARED = {
    "languages": """SELECT u.locale, u.locale, count(*) FROM users u
        WHERE EXISTS (SELECT FROM statuses s WHERE s.account_id = u.account_id AND s.id >= $1 AND s.id < $2)
        GROUP BY 1""",
    "sources": """SELECT coalesce(p.name, 'web'), coalesce(p.name, 'Website'), count(*)
        FROM users u LEFT JOIN applications p ON p.id = u.application_id
        WHERE u.account_id >= $1 AND u.account_id < $2 GROUP BY 1, 2""",
    "servers": """SELECT coalesce(a.domain, ''), coalesce(a.domain, ''), count(*)
        FROM statuses s JOIN accounts a ON a.id = s.account_id WHERE s.id >= $1 AND s.id < $2 GROUP BY 1""",
    "space_usage": """SELECT 'postgresql', 'PostgreSQL', pg_database_size(current_database())
        UNION ALL SELECT 'media', 'Media storage', coalesce(sum(size_bytes), 0)::bigint
            FROM media WHERE file IS NOT NULL""",
    "tag_servers": f"SELECT coalesce(a.domain, ''), coalesce(a.domain, ''), count(*) FROM {TAGGED} GROUP BY 1",
    "tag_languages": f"""SELECT coalesce(s.language, 'und'), coalesce(s.language, 'und'), count(*)
        FROM {TAGGED} GROUP BY 1""",
    "instance_accounts": """SELECT a.username, a.username, coalesce(c.followers, 0)::bigint
        FROM accounts a LEFT JOIN account_counts c ON c.account_id = a.id
        WHERE a.domain = $3 AND a.deleted_at IS NULL""",
    "instance_languages": f"""SELECT coalesce(s.language, 'und'), coalesce(s.language, 'und'), count(*)
        FROM {WRITTEN} WHERE a.domain = $3 GROUP BY 1""",
}
SHARES = {
    key: f"""SELECT n.key, n.name, n.value FROM ({source}) n(key, name, value)
        WHERE coalesce($1::bigint + $2::bigint, 0) > 0 AND $3::text IS NOT NULL ORDER BY n.value DESC, n.key LIMIT $4"""
    for key, source in SHARED.items()
}


async def shares(r: Read, key: str, since_id: int, until_id: int, thing: str, limit: int) -> list[Share]:
    """What most have in common, the most first."""
    return await r.all(Share, SHARES[key], since_id, until_id, thing, limit)


async def stays(r: Read, frequency: str, start: date, end: date) -> list[Stay]:
    """For each period those who came in it, and how many of them wrote in it and in each one after."""
    return await r.all(
        Stay,
        """WITH periods AS (
               SELECT p::date AS begins, (p + ('1 ' || $1::text)::interval)::date AS ends
               FROM generate_series(date_trunc($1, $2::date::timestamp), $3::date::timestamp,
                                    ('1 ' || $1)::interval) p),
           people AS (
               SELECT c.begins, u.account_id FROM periods c JOIN users u
                   ON u.account_id >= ((extract(epoch FROM c.begins::timestamp) * 1000)::bigint << 16)
                  AND u.account_id < ((extract(epoch FROM c.ends::timestamp) * 1000)::bigint << 16))
           SELECT c.begins, p.begins, count(o.account_id)::int, count(o.account_id) FILTER (
                   WHERE p.begins = c.begins OR EXISTS (
                       SELECT FROM statuses s WHERE s.account_id = o.account_id
                         AND s.id >= ((extract(epoch FROM p.begins::timestamp) * 1000)::bigint << 16)
                         AND s.id < ((extract(epoch FROM p.ends::timestamp) * 1000)::bigint << 16)))::int
           FROM periods c JOIN periods p ON p.begins >= c.begins LEFT JOIN people o ON o.begins = c.begins
           GROUP BY c.begins, p.begins ORDER BY c.begins, p.begins""",
        frequency, start, end,
    )
