"""The SQL of finding. Posts come through seen_by(viewer); whether their author wants them found is asked each time."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.search.model import Candidate, File, FileFilter, Named, Stretch, Wish

# The words of posts: what was said, the warning, what its pictures show, and what it asks.
KEPT = """INSERT INTO status_words (status_id, account_id, link, words)
    SELECT s.id, s.account_id, s.content ~ '<a (?![^>]*class="[^"]*(mention|hashtag))[^>]*href',
           search_words(s.content, s.spoiler_text || ' ' || coalesce(
               (SELECT string_agg(m.description, ' ') FROM media m WHERE m.status_id = s.id), '') || ' ' || coalesce(
               (SELECT string_agg(o.title, ' ' ORDER BY o.choice) FROM polls p JOIN poll_options o ON o.poll_id = p.id
                WHERE p.status_id = s.id), ''))
    FROM statuses s WHERE s.reblog_of_id IS NULL AND s.deleted_at IS NULL"""
ANEW = "ON CONFLICT (status_id) DO UPDATE SET link = EXCLUDED.link, words = EXCLUDED.words"

# What a search may ask of a post. The dear ones are looked up only when they are asked for.
ASKED = "($8::text[] || $9::text[])"
LIBRARY = """(w.account_id = $1
    OR EXISTS (SELECT FROM mentions x WHERE x.status_id = v.id AND x.account_id = $1)
    OR EXISTS (SELECT FROM favourites x WHERE x.status_id = v.id AND x.account_id = $1)
    OR EXISTS (SELECT FROM bookmarks x WHERE x.status_id = v.id AND x.account_id = $1)
    OR EXISTS (SELECT FROM polls p JOIN poll_votes x ON x.poll_id = p.id WHERE p.status_id = v.id AND x.account_id = $1)
    OR EXISTS (SELECT FROM statuses x WHERE x.reblog_of_id = v.id AND x.account_id = $1 AND x.deleted_at IS NULL))"""
OPEN = """(v.visibility = 'public' AND a.indexable AND (a.limited_at IS NULL OR EXISTS (
    SELECT FROM follows f WHERE f.account_id = $1 AND f.target_id = a.id AND f.accepted)))"""
MARKS = f"""ARRAY[
    CASE WHEN {OPEN} THEN 'public' END,
    CASE WHEN (NOT {OPEN} OR 'library' = ANY({ASKED})) AND {LIBRARY} THEN 'library' END,
    CASE WHEN v.in_reply_to_id IS NOT NULL OR v.in_reply_to_uri IS NOT NULL THEN 'reply' END,
    CASE WHEN v.sensitive THEN 'sensitive' END,
    CASE WHEN w.link THEN 'link' END,
    CASE WHEN 'poll' = ANY({ASKED}) AND EXISTS (SELECT FROM polls p WHERE p.status_id = v.id) THEN 'poll' END,
    CASE WHEN 'embed' = ANY({ASKED}) AND EXISTS (
        SELECT FROM status_cards c JOIN linked_pages p ON p.url = c.url
        WHERE c.status_id = v.id AND p.card_id IS NOT NULL) THEN 'embed' END,
    CASE WHEN 'media' = ANY({ASKED}) AND EXISTS (SELECT FROM media m WHERE m.status_id = v.id) THEN 'media' END]"""
WORDS = {True: "w.words @@ search_query($6::text[], $7::text[])",
         False: "(cardinality($6::text[]) = 0 AND (cardinality($7::text[]) = 0 OR w.words @@ search_query('{}', $7)))"}
HANDLES = """SELECT p.id FROM unnest({0}::text[], {1}::text[]) h(name, domain) JOIN accounts p
    ON lower(p.username) = h.name AND coalesce(lower(p.domain), '') = h.domain
    UNION ALL SELECT $1 WHERE '' = ANY({0}::text[])"""
AUTHORS = {True: f"w.account_id IN ({HANDLES.format('$10', '$11')})",
           False: "cardinality($10::text[]) = 0 AND cardinality($11::text[]) = 0"}
# By whether words and whether authors are asked for: each has an index of its own to begin with. The inner question is
# kept apart (OFFSET 0), so that posts are looked at newest first until the page is full, not all and then sorted.
FOUND = {
    (words, authors): both_ways(
        f"""SELECT w.status_id FROM status_words w CROSS JOIN LATERAL (
                SELECT FROM seen_by($1) v JOIN accounts a ON a.id = v.account_id
                CROSS JOIN LATERAL (SELECT {MARKS} AS marks) m
                WHERE v.id = w.status_id AND m.marks && ARRAY['public', 'library']
                  AND m.marks @> $8::text[] AND NOT m.marks && $9::text[]
                  AND (cardinality($14::text[]) = 0 OR split_part(v.language, '-', 1) = ANY($14))
                  AND (cardinality($15::text[]) = 0 OR NOT coalesce(split_part(v.language, '-', 1), '') = ANY($15))
                  AND ($16::date IS NULL OR v.created_at >= $16::date::timestamp AT TIME ZONE 'UTC')
                  AND ($17::date IS NULL OR v.created_at < $17::date::timestamp AT TIME ZONE 'UTC')
                  AND (cardinality($19::text[]) = 0
                       OR NOT to_char(v.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') = ANY($19))
                  AND NOT EXISTS (SELECT FROM mutes x WHERE x.account_id = $1 AND x.target_id = v.account_id
                                                        AND (x.until IS NULL OR x.until > parvis_now()))
                  AND NOT EXISTS (SELECT FROM domain_blocks x WHERE x.account_id = $1 AND x.domain = a.domain)
                OFFSET 0) x
            WHERE {WORDS[words]} AND {AUTHORS[authors]} AND w.status_id > $2 AND w.status_id < $3
              AND ($18::bigint IS NULL OR w.account_id = $18)
              AND (cardinality($12::text[]) = 0 OR NOT w.account_id IN ({HANDLES.format('$12', '$13')}))
            ORDER BY w.status_id DESC /*page*/ LIMIT $4 OFFSET $5"""
    )
    for words in (True, False) for authors in (True, False)
}
FILE = """a.id, a.username, a.domain, a.created_at, u.email::text, u.locale, u.role, u.confirmed_at IS NOT NULL,
    u.account_id IS NULL OR u.approved_at IS NOT NULL,
    coalesce(u.disabled_at IS NOT NULL, false) OR EXISTS (
        SELECT FROM measures m
        WHERE m.target_id = a.id AND m.level = 5 AND m.lifted_at IS NULL AND m.ends_at > parvis_now()),
    EXISTS (SELECT FROM measures m WHERE m.target_id = a.id AND m.level = 2 AND m.lifted_at IS NULL),
    a.limited_at IS NOT NULL, a.suspended_at IS NOT NULL, u.reason, u.application_id,
    a.invited_by_id"""
FILES = "accounts a LEFT JOIN users u ON u.account_id = a.id"
FILE_PAGE = both_ways(
    f"""SELECT * FROM (SELECT {FILE} FROM {FILES} WHERE a.id > $1 AND a.id < $2 AND a.deleted_at IS NULL
            AND ($4::boolean IS NULL OR (a.domain IS NULL) = $4) AND ($6::text[] IS NULL OR u.role = ANY($6))
            AND ($7 = '' OR starts_with(lower(a.username), lower($7)))
            AND ($8 = '' OR starts_with(lower(a.display_name), lower($8))) AND ($9 = '' OR a.domain = $9)
            AND ($10 = '' OR position(lower($10) IN lower(u.email::text)) > 0)
            AND ($11::bigint IS NULL OR a.invited_by_id = $11)) f(id, username, domain, created_at,
                email, locale, role, confirmed, approved, disabled, sensitized, silenced, suspended, reason,
                application_id, invited_by_id)
        WHERE CASE $5::text WHEN 'active' THEN NOT suspended AND NOT disabled AND approved
            WHEN 'pending' THEN NOT approved WHEN 'disabled' THEN disabled WHEN 'silenced' THEN silenced
            WHEN 'suspended' THEN suspended WHEN 'sensitized' THEN sensitized ELSE true END
        ORDER BY id DESC /*page*/ LIMIT $3"""
)


async def keep_words(tx: Tx, status_id: int) -> None:
    """Read a post, again if it was read before."""
    tx.last(f"{KEPT} AND s.id = ANY($1::bigint[]) {ANEW}", status_id)


async def drop_words(tx: Tx, status_id: int) -> int:
    """Forget what a post said."""
    return await tx.run("DELETE FROM status_words WHERE status_id = $1", status_id)


async def drop_words_of(tx: Tx, account_id: int) -> int:
    """Forget all that somebody said."""
    return await tx.run("DELETE FROM status_words WHERE account_id = $1", account_id)


async def backlog(r: Read) -> int:
    """Below which id posts have not been read yet; 0 when all have."""
    return int(await r.value("SELECT coalesce(max(below), 0) FROM search_backlog"))


async def keep_words_below(tx: Tx, below: int, limit: int) -> int:
    """Read the next posts below an id; where that ended, 0 at the end of all."""
    return int(
        await tx.value(
            f"""WITH step AS (SELECT s.id FROM statuses s WHERE s.id < $1 ORDER BY s.id DESC LIMIT $2),
                     made AS ({KEPT} AND s.id IN (SELECT id FROM step) {ANEW}),
                     moved AS (SELECT coalesce((SELECT min(id) FROM step), 0) AS below)
                UPDATE search_backlog SET below = moved.below FROM moved RETURNING search_backlog.below""",
            below, limit,
        )
    )


async def statuses(
    r: Read, viewer: int, wish: Wish, page: Page, offset: int = 0, account_id: int | None = None
) -> list[int]:
    """Posts that a wish finds, newest first: one's own and those one has to do with, and those meant to be found."""
    return sorted(await r.values(
        FOUND[(bool(wish.words), bool(wish.authors))][page.upwards],
        viewer, page.after, page.before, page.limit, offset, list(wish.words), list(wish.without),
        list(wish.marks), list(wish.not_marks), *_columns(wish.authors), *_columns(wish.not_authors),
        list(wish.languages), list(wish.not_languages), wish.since, wish.until, account_id,
        [day.isoformat() for day in wish.not_on],
    ), reverse=True)


def _columns(handles: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [name for name, _ in handles], [domain for _, domain in handles]


async def accounts(
    r: Read, viewer: int | None, whom: Named, pattern: str, stretch: Stretch, following: bool = False
) -> list[int]:
    """People by their names: the exact handle, then those one follows, then the likeliest.

    Only an exact handle finds those who do not want to be found, are limited, have moved, or whom a block parts.
    """
    return await r.values(
        """SELECT a.id FROM accounts a
           LEFT JOIN follows f ON f.account_id = $1 AND f.target_id = a.id AND f.accepted
           CROSS JOIN LATERAL (SELECT lower(a.username) = $4 AND coalesce(lower(a.domain), '') = $5 AS exact,
               word_similarity(search_name($2), search_names(a.username, a.domain, a.display_name))
               + similarity(search_name($2), search_name(a.username)) AS likeness) x
           WHERE a.deleted_at IS NULL AND a.suspended_at IS NULL AND (NOT $8::boolean OR f.account_id IS NOT NULL)
             AND (search_names(a.username, a.domain, a.display_name) LIKE search_name($3)
                  OR search_name($2) <% search_names(a.username, a.domain, a.display_name))
             AND (x.exact OR (
                 a.limited_at IS NULL AND a.moved_to_id IS NULL
                 AND (a.discoverable IS NOT false OR f.account_id IS NOT NULL OR a.id = $1)
                 AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = $1 AND b.target_id = a.id)
                 AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = a.id AND b.target_id = $1)))
           ORDER BY x.exact DESC, (f.account_id IS NOT NULL) DESC, x.likeness DESC, a.id LIMIT $6 OFFSET $7""",
        viewer, whom.text, pattern, whom.username, whom.domain, stretch.limit, stretch.offset, following,
    )


class FoundTag(msgspec.Struct, frozen=True):
    """A hashtag by its id and normal name."""

    id: int
    name: str


async def tags(r: Read, prefix: str, stretch: Stretch, promoted: bool = False) -> list[FoundTag]:
    """Hashtags that begin so: the very word, then those most people used of late; or only those that are promoted."""
    return await r.all(
        FoundTag,
        """SELECT t.id, t.name FROM tags t LEFT JOIN LATERAL (
               SELECT sum(d.accounts) AS people FROM use_days d
               WHERE d.kind = 'tag' AND d.thing_id = t.id
                 AND d.day > (parvis_now() AT TIME ZONE 'UTC')::date - 30) u ON true
           WHERE t.name COLLATE "C" >= $1 AND t.name COLLATE "C" < $1 || chr(1114111)
             AND (NOT $4::boolean OR NOT coalesce((
                 SELECT NOT v.approved FROM trend_reviews v WHERE v.kind = 'tag' AND v.thing_id = t.id
                 ORDER BY v.id DESC LIMIT 1), false))
           ORDER BY (t.name = $1) DESC, coalesce(u.people, 0) DESC, length(t.name), t.name LIMIT $2 OFFSET $3""",
        prefix, stretch.limit, stretch.offset, promoted,
    )


# Who wants to be found by those who do not know them.
DISCOVERABLE = """c.discoverable AND c.deleted_at IS NULL AND c.suspended_at IS NULL AND c.limited_at IS NULL
    AND c.moved_to_id IS NULL"""
APART = """NOT EXISTS (SELECT FROM blocks x WHERE x.account_id = $1 AND x.target_id = c.id)
    AND NOT EXISTS (SELECT FROM blocks x WHERE x.account_id = c.id AND x.target_id = $1)
    AND NOT EXISTS (SELECT FROM mutes x WHERE x.account_id = $1 AND x.target_id = c.id
                                          AND (x.until IS NULL OR x.until > parvis_now()))
    AND NOT EXISTS (SELECT FROM domain_blocks x WHERE x.account_id = $1 AND x.domain = c.domain)"""
DIRECTORY = {
    order: f"""SELECT c.id FROM accounts c WHERE {DISCOVERABLE} AND {APART}
                 AND (NOT $4::boolean OR c.domain IS NULL) ORDER BY {by} LIMIT $2 OFFSET $3"""
    for order, by in (("active", "c.last_status_at DESC NULLS LAST, c.id DESC"), ("new", "c.id DESC"))
}


async def directory(r: Read, viewer: int | None, order: str, stretch: Stretch, local: bool) -> list[int]:
    """People who want to be discovered: those who posted last, or came last, first."""
    return await r.values(DIRECTORY[order], viewer, stretch.limit, stretch.offset, local)


FREE = f"""c.id <> $1 AND {DISCOVERABLE} AND {APART}
    AND NOT EXISTS (SELECT FROM follows x WHERE x.account_id = $1 AND x.target_id = c.id)
    AND NOT EXISTS (SELECT FROM suggestion_dismissals x WHERE x.account_id = $1 AND x.target_id = c.id)"""


async def candidates(r: Read, viewer: int, most: int) -> list[Candidate]:
    """Whom each source suggests to somebody. Who hides whom they follow is not asked whom they follow.

    Friends: the hundred people one followed last. Similar: whom the followers of one's last ten follow, too.
    """
    return await r.all(
        Candidate,
        f"""WITH mine AS (SELECT f.target_id AS id, f.id AS since FROM follows f JOIN accounts a ON a.id = f.target_id
                         WHERE f.account_id = $1 AND f.accepted AND a.deleted_at IS NULL
                         ORDER BY f.id DESC LIMIT 100),
                 friends AS (SELECT f.target_id AS id, count(*) AS weight
                             FROM mine JOIN accounts a ON a.id = mine.id AND NOT a.hide_collections
                             JOIN follows f ON f.account_id = mine.id AND f.accepted GROUP BY f.target_id),
                 recent AS (SELECT id FROM mine ORDER BY since DESC LIMIT 10),
                 peers_of AS (SELECT DISTINCT p.account_id AS id FROM recent CROSS JOIN LATERAL (
                                 SELECT f.account_id FROM follows f JOIN accounts a ON a.id = f.account_id
                                 WHERE f.target_id = recent.id AND f.accepted AND f.account_id <> $1
                                   AND NOT a.hide_collections ORDER BY f.id DESC LIMIT 30) p),
                 alike AS (SELECT f.target_id AS id, count(*) AS weight FROM peers_of p
                             JOIN follows f ON f.account_id = p.id AND f.accepted GROUP BY f.target_id)
            (SELECT 'friends_of_friends', c.id, row_number() OVER (ORDER BY s.weight DESC, c.id)::int
             FROM friends s JOIN accounts c ON c.id = s.id WHERE {FREE} ORDER BY 3 LIMIT $2)
            UNION ALL
            (SELECT 'similar_to_recently_followed', c.id, row_number() OVER (ORDER BY s.weight DESC, c.id)::int
             FROM alike s JOIN accounts c ON c.id = s.id WHERE s.weight > 1 AND {FREE} ORDER BY 3 LIMIT $2)
            UNION ALL
            (SELECT 'most_interactions', c.id, row_number() OVER (ORDER BY t.rank)::int
             FROM trends t JOIN accounts c ON c.id = t.thing_id
             WHERE t.kind = 'account' AND t.language = '' AND {FREE} ORDER BY 3 LIMIT $2)
            UNION ALL
            (SELECT 'most_followed', s.id, row_number() OVER (ORDER BY s.followers DESC, s.id)::int
             FROM (SELECT c.id, n.followers FROM account_counts n JOIN accounts c ON c.id = n.account_id
                   WHERE n.followers > 0 AND {FREE} ORDER BY n.followers DESC, n.account_id LIMIT $2) s)""",
        viewer, most,
    )


async def dismiss(tx: Tx, viewer: int, account_id: int) -> int:
    """Remember whom somebody does not want to be shown again."""
    return await tx.run(
        """INSERT INTO suggestion_dismissals (account_id, target_id) SELECT $1, id FROM accounts WHERE id = $2
           ON CONFLICT DO NOTHING""",
        viewer, account_id,
    )


async def files(r: Read, account_ids: Sequence[int]) -> list[File]:
    """What moderators know of some accounts, in no order."""
    return await r.all(File, f"SELECT {FILE} FROM {FILES} WHERE a.id = ANY($1::bigint[])", list(account_ids))


async def file_page(r: Read, page: Page, wanted: FileFilter) -> list[File]:
    """The files of those somebody looks for, the newest first."""
    return await r.all(
        File, FILE_PAGE[page.upwards], page.after, page.before, page.limit, wanted.local, wanted.status, wanted.roles,
        wanted.username, wanted.display_name, wanted.domain, wanted.email, wanted.invited_by,
    )
