"""The SQL of timelines: ids only; views make what is shown. Everything joins seen_by(viewer)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parvis.base.db import Read
from parvis.base.ids import Page, both_ways

NOT_MUTED = """NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = $1 AND m.target_id IN (v.account_id, o.account_id)
                            AND (m.until IS NULL OR m.until > parvis_now()))"""
NOT_FROM_BLOCKED_DOMAIN = """NOT EXISTS (SELECT FROM domain_blocks d JOIN accounts a ON a.domain = d.domain
                            WHERE d.account_id = $1 AND a.id IN (v.account_id, o.account_id))"""
NOT_LIMITED = """NOT EXISTS (SELECT FROM accounts a WHERE a.id = v.account_id AND a.limited_at IS NOT NULL
                            AND a.id IS DISTINCT FROM $1 AND NOT EXISTS (
                                SELECT FROM follows f WHERE f.account_id = $1 AND f.target_id = a.id AND f.accepted))"""
PAGE = "v.id > $2 AND v.id < $3"
PUBLIC_SHAPE = "v.visibility = 'public' AND v.reblog_of_id IS NULL AND v.in_reply_to_id IS NULL"
FROM_SEEN = "FROM seen_by($1) v LEFT JOIN statuses o ON o.id = v.reblog_of_id"
ORDER = "ORDER BY v.id DESC /*page*/ LIMIT $4"

HOME = both_ways(
    f"""WITH authors AS (
            SELECT f.target_id AS id, f.show_reblogs, f.languages FROM follows f WHERE f.account_id = $1 AND f.accepted
              AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = $1 AND m.target_id = f.target_id
                                                    AND (m.until IS NULL OR m.until > parvis_now()))
            UNION ALL SELECT $1, true, NULL),
        head AS (
            SELECT s.id FROM authors CROSS JOIN LATERAL (
                SELECT id FROM statuses s
                WHERE s.account_id = authors.id AND s.deleted_at IS NULL AND s.id > $2 AND s.id < $3
                  AND (s.reblog_of_id IS NULL OR authors.show_reblogs)
                  AND (authors.languages IS NULL OR s.language IS NULL OR s.language = ANY(authors.languages))
                  AND (s.in_reply_to_account_id IS NULL OR s.in_reply_to_account_id IN (SELECT id FROM authors))
                ORDER BY s.id DESC /*page*/ LIMIT $4) s
            ORDER BY s.id DESC /*page*/ LIMIT $4)
        SELECT head.id, EXISTS (SELECT {FROM_SEEN} WHERE v.id = head.id AND {NOT_MUTED}
                                                     AND (o.id IS NULL OR {NOT_FROM_BLOCKED_DOMAIN}))
        FROM head ORDER BY head.id DESC /*page*/"""
)
SPARE = 10  # read beyond the page, so that it is full although some of it is not shown
ROUNDS = 10
PUBLIC = both_ways(
    f"""SELECT v.id {FROM_SEEN} WHERE {PAGE} AND {PUBLIC_SHAPE} AND ($5::boolean IS NULL OR v.local = $5)
          AND (NOT $6::boolean OR EXISTS (SELECT FROM media m WHERE m.status_id = v.id))
          AND {NOT_MUTED} AND {NOT_FROM_BLOCKED_DOMAIN} AND {NOT_LIMITED} {ORDER}"""
)
TAG = both_ways(
    f"""SELECT v.id {FROM_SEEN} WHERE {PAGE} AND v.visibility = 'public' AND ($5::boolean IS NULL OR v.local = $5)
          AND (NOT $6::boolean OR EXISTS (SELECT FROM media m WHERE m.status_id = v.id))
          AND EXISTS (SELECT FROM status_tags st JOIN tags t ON t.id = st.tag_id
                      WHERE st.status_id = v.id AND t.name = ANY($7::text[]))
          AND (SELECT count(*) FROM status_tags st JOIN tags t ON t.id = st.tag_id
               WHERE st.status_id = v.id AND t.name = ANY($8::text[])) = cardinality($8::text[])
          AND NOT EXISTS (SELECT FROM status_tags st JOIN tags t ON t.id = st.tag_id
                          WHERE st.status_id = v.id AND t.name = ANY($9::text[]))
          AND {NOT_MUTED} AND {NOT_FROM_BLOCKED_DOMAIN} AND {NOT_LIMITED} {ORDER}"""
)
ACCOUNT = both_ways(
    f"""SELECT v.id {FROM_SEEN} WHERE {PAGE} AND v.account_id = $5
          AND (NOT $6::boolean OR EXISTS (SELECT FROM media m WHERE m.status_id = v.id))
          AND (NOT $7::boolean OR v.in_reply_to_account_id IS NULL OR v.in_reply_to_account_id = v.account_id)
          AND (NOT $8::boolean OR v.reblog_of_id IS NULL)
          AND ($9::text IS NULL OR EXISTS (SELECT FROM status_tags st JOIN tags t ON t.id = st.tag_id
                                           WHERE st.status_id = v.id AND t.name = $9))
          AND ($1::bigint IS NOT NULL OR v.visibility <> 'direct') {ORDER}"""
)
FAVOURITES = both_ways(
    """SELECT f.id, f.status_id FROM favourites f JOIN seen_by($1) v ON v.id = f.status_id
       WHERE f.account_id = $1 AND f.id > $2 AND f.id < $3 ORDER BY f.id DESC /*page*/ LIMIT $4"""
)
BOOKMARKS = both_ways(
    """SELECT f.id, f.status_id FROM bookmarks f JOIN seen_by($1) v ON v.id = f.status_id
       WHERE f.account_id = $1 AND f.id > $2 AND f.id < $3 ORDER BY f.id DESC /*page*/ LIMIT $4"""
)


class Kept(msgspec.Struct, frozen=True):
    """A post in a list that its own rows order."""

    row_id: int
    status_id: int


class Candidate(msgspec.Struct, frozen=True):
    """A post for the home timeline, and whether this viewer is shown it."""

    id: int
    shown: bool


async def home(r: Read, viewer: int, page: Page) -> list[int]:
    """What the people one follows post and pass on, and what one posts oneself.

    A stretch of which nothing is shown (all passed on from somebody muted, say) does not end the timeline.
    """
    for _ in range(ROUNDS):
        most = page.limit + SPARE
        rows = await r.all(Candidate, HOME[page.upwards], viewer, page.after, page.before, most)
        ids = [row.id for row in rows if row.shown]
        if ids or len(rows) < most:
            return sorted(ids[: page.limit], reverse=True)
        if page.upwards:
            page = msgspec.structs.replace(page, min_id=rows[-1].id)
        else:
            page = msgspec.structs.replace(page, max_id=rows[-1].id)
    return []


async def public(r: Read, viewer: int | None, page: Page, local: bool | None = None, media: bool = False) -> list[int]:
    """What everybody may read: of this city (local True), of others (False), or of all."""
    args = (viewer, page.after, page.before, page.limit, local, media)
    return sorted(await r.values(PUBLIC[page.upwards], *args), reverse=True)


async def tagged(
    r: Read, viewer: int | None, page: Page, names: tuple[Sequence[str], Sequence[str], Sequence[str]],
    local: bool | None = None, media: bool = False,
) -> list[int]:
    """Public posts with any of the first hashtags, all of the second and none of the third."""
    args = (viewer, page.after, page.before, page.limit, local, media, *(list(part) for part in names))
    return sorted(await r.values(TAG[page.upwards], *args), reverse=True)


class Choice(msgspec.Struct, frozen=True):
    """Which of an account's posts."""

    only_media: bool = False
    exclude_replies: bool = False
    exclude_reblogs: bool = False
    tagged: str | None = None


async def account(r: Read, viewer: int | None, account_id: int, page: Page, choice: Choice) -> list[int]:
    """An account's own posts and reblogs, as far as this viewer may see them."""
    args = (
        viewer, page.after, page.before, page.limit, account_id, choice.only_media, choice.exclude_replies,
        choice.exclude_reblogs, choice.tagged,
    )
    return sorted(await r.values(ACCOUNT[page.upwards], *args), reverse=True)


async def pinned(r: Read, viewer: int | None, account_id: int) -> list[int]:
    """The posts an account shows at its top, newest pin first."""
    return await r.values(
        """SELECT v.id FROM pins p JOIN seen_by($1) v ON v.id = p.status_id
           WHERE p.account_id = $2 ORDER BY p.id DESC""",
        viewer, account_id,
    )


async def favourites(r: Read, viewer: int, page: Page) -> list[Kept]:
    """What one marked as a favourite, by when one did."""
    rows = await r.all(Kept, FAVOURITES[page.upwards], viewer, page.after, page.before, page.limit)
    return sorted(rows, key=lambda row: -row.row_id)


async def bookmarks(r: Read, viewer: int, page: Page) -> list[Kept]:
    """What one kept for later, by when one did."""
    rows = await r.all(Kept, BOOKMARKS[page.upwards], viewer, page.after, page.before, page.limit)
    return sorted(rows, key=lambda row: -row.row_id)


THREAD_UP = """WITH RECURSIVE up (id, parent, depth) AS (
        SELECT s.id, s.in_reply_to_id, 0 FROM statuses s WHERE s.id = $2
        UNION ALL
        SELECT s.id, s.in_reply_to_id, up.depth + 1 FROM statuses s JOIN up ON s.id = up.parent
        WHERE up.depth < $3)"""
THREAD_DOWN = """down (id, path) AS (
        SELECT s.id, ARRAY[s.id] FROM statuses s WHERE s.in_reply_to_id = $2
        UNION ALL
        SELECT s.id, down.path || s.id FROM statuses s JOIN down ON s.in_reply_to_id = down.id
        WHERE cardinality(down.path) < $5)"""


class Placed(msgspec.Struct, frozen=True):
    """A post in a thread: before (-1) or after (1) the one that is looked at (0)."""

    side: int
    id: int


async def thread(r: Read, viewer: int | None, status_id: int, up: int, down: int, depth: int) -> list[Placed]:
    """A post with what it replies to, the beginning first, and the replies, each branch before the next.

    Only what this viewer may see; the post itself is missing when it is not for them.
    """
    return await r.all(
        Placed,
        f"""{THREAD_UP}, {THREAD_DOWN}
            (SELECT sign(-up.depth)::int, v.id FROM up JOIN seen_by($1) v ON v.id = up.id ORDER BY up.depth DESC)
            UNION ALL
            (SELECT 1, v.id FROM down JOIN seen_by($1) v ON v.id = down.id ORDER BY down.path LIMIT $4)""",
        viewer, status_id, up, down, depth,
    )


async def ancestors(r: Read, viewer: int | None, status_id: int, limit: int) -> list[int]:
    """What a post replies to, the beginning first."""
    return await r.values(
        """WITH RECURSIVE up (id, parent, depth) AS (
               SELECT s.id, s.in_reply_to_id, 0 FROM statuses s WHERE s.id = $2
               UNION ALL
               SELECT s.id, s.in_reply_to_id, up.depth + 1 FROM statuses s JOIN up ON s.id = up.parent
               WHERE up.depth < $3)
           SELECT v.id FROM up JOIN seen_by($1) v ON v.id = up.id WHERE up.depth > 0 ORDER BY up.depth DESC""",
        viewer, status_id, limit,
    )


async def descendants(r: Read, viewer: int | None, status_id: int, limit: int, depth: int) -> list[int]:
    """The replies to a post and to its replies, each branch before the next."""
    return await r.values(
        """WITH RECURSIVE down (id, path) AS (
               SELECT s.id, ARRAY[s.id] FROM statuses s WHERE s.in_reply_to_id = $2
               UNION ALL
               SELECT s.id, down.path || s.id FROM statuses s JOIN down ON s.in_reply_to_id = down.id
               WHERE cardinality(down.path) < $4)
           SELECT v.id FROM down JOIN seen_by($1) v ON v.id = down.id ORDER BY down.path LIMIT $3""",
        viewer, status_id, limit, depth,
    )
