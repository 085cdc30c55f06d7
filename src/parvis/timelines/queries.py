"""The SQL of timelines: ids only; views make what is shown. Everything joins seen_by(viewer)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.timelines.model import Candidate, Choice, Found, Kept, List, Marker, RepliesPolicy, Touched, Worn

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

# Whose posts (authors; those `apart` only count as answered), and to whom replies are shown (answered). What somebody
# followed wrote themselves and to many is `plain`: their readers may see it, and that need not be asked again.
PLAIN = "s.reblog_of_id IS NULL AND s.visibility <> 'direct'"
FROM_AUTHORS = f"""SELECT s.id, s.plain FROM authors CROSS JOIN LATERAL (
        SELECT id, {PLAIN} AS plain FROM statuses s
        WHERE s.account_id = authors.id AND s.deleted_at IS NULL AND s.id > $2 AND s.id < $3
          AND (s.reblog_of_id IS NULL OR authors.show_reblogs)
          AND (authors.languages IS NULL OR s.language IS NULL OR s.language = ANY(authors.languages))
          AND (s.in_reply_to_account_id IS NULL OR s.in_reply_to_account_id = s.account_id
               OR s.account_id = $1 OR s.in_reply_to_account_id IN (SELECT id FROM answered))
        ORDER BY s.id DESC /*page*/ LIMIT $4) s
    WHERE NOT authors.apart ORDER BY s.id DESC /*page*/ LIMIT $4"""
# The same from the newest posts of all: some hundred fill most pages, where asking each author in turn reads thousands.
# An IN after an OR stays a look into a hash, row by row, until the page is full; alone it would become a join.
FROM_RECENT = f"""SELECT s.id, {PLAIN} AS plain
    FROM (SELECT s.id, s.account_id, s.reblog_of_id, s.in_reply_to_account_id, s.language, s.visibility
          FROM statuses s WHERE s.deleted_at IS NULL AND s.id > $2 AND s.id < $3
          ORDER BY s.id DESC /*page*/ LIMIT $5) s
    WHERE (s.account_id = $1 OR s.account_id IN (SELECT id FROM authors WHERE NOT apart))
      AND (s.reblog_of_id IS NULL OR s.account_id NOT IN (SELECT id FROM authors WHERE NOT show_reblogs))
      AND (s.language IS NULL OR s.account_id NOT IN (SELECT id FROM authors WHERE languages IS NOT NULL)
           OR EXISTS (SELECT FROM authors a WHERE a.id = s.account_id AND s.language = ANY(a.languages)))
      AND (s.in_reply_to_account_id IS NULL OR s.in_reply_to_account_id = s.account_id
           OR s.account_id = $1 OR s.in_reply_to_account_id IN (SELECT id FROM answered))
    ORDER BY s.id DESC /*page*/ LIMIT $4"""
# Nothing older belongs between the rows when the window gave enough of them, or was not filled itself.
WHOLE = """(SELECT count(*) = $4 FROM by_author) OR (SELECT count(*) < $5 FROM (
    SELECT FROM statuses s WHERE s.deleted_at IS NULL AND s.id > $2 AND s.id < $3 LIMIT $5) w)"""
# A block ends a follow here; where it came from another server both may stand, and nothing is shown.
FOLLOWED = """SELECT f.target_id AS id, f.show_reblogs, f.languages, f.target_id IN (
        SELECT b.target_id FROM blocks b WHERE b.account_id = $1
        UNION ALL SELECT b.account_id FROM blocks b WHERE b.target_id = $1) AS severed FROM follows f
    WHERE f.account_id = $1 AND f.accepted AND f.target_id NOT IN (
        SELECT m.target_id FROM mutes m WHERE m.account_id = $1 AND (m.until IS NULL OR m.until > parvis_now()))
    UNION ALL SELECT $1, true, NULL, false"""
PASSED_ON_OPENLY = f"(o.id IS NULL OR {NOT_FROM_BLOCKED_DOMAIN})"
MIX = f"""WITH elsewhere AS (
        SELECT la.account_id AS id FROM lists l JOIN list_accounts la ON la.list_id = l.id
        WHERE l.account_id = $1 AND l.exclusive AND la.account_id <> $1),
    authors AS MATERIALIZED (
        SELECT followed.*, severed OR followed.id IN (SELECT id FROM elsewhere) AS apart FROM ({FOLLOWED}) followed),
    answered AS (SELECT id FROM authors),
    by_author AS ({{by_author}}),
    by_tag AS (
        SELECT DISTINCT s.id FROM tag_follows tf CROSS JOIN LATERAL (
            SELECT s.id FROM status_tags st JOIN statuses s ON s.id = st.status_id
            WHERE st.tag_id = tf.tag_id AND st.status_id > $2 AND st.status_id < $3
              AND s.visibility = 'public' AND s.deleted_at IS NULL
            ORDER BY st.status_id DESC /*page*/ LIMIT $4) s
        WHERE tf.account_id = $1 ORDER BY s.id DESC /*page*/ LIMIT $4),
    head AS (
        SELECT id, bool_or(followed) AS by_author, bool_or(plain) AS plain
        FROM (SELECT id, true AS followed, plain FROM by_author UNION ALL SELECT id, false, false FROM by_tag) found
        GROUP BY id ORDER BY id DESC /*page*/ LIMIT $4)
    SELECT head.id, plain OR EXISTS (
            SELECT {FROM_SEEN} WHERE v.id = head.id AND {NOT_MUTED}
               AND CASE WHEN head.by_author THEN {PASSED_ON_OPENLY}
                        ELSE {NOT_FROM_BLOCKED_DOMAIN} AND {NOT_LIMITED}
                             AND v.account_id NOT IN (SELECT id FROM elsewhere) END),
           {{whole}}
    FROM head ORDER BY head.id DESC /*page*/"""
LIST = f"""WITH list AS (SELECT id, replies_policy FROM lists WHERE account_id = $1 AND id = $5),
    followed AS ({FOLLOWED}),
    authors AS (
        SELECT followed.*, severed AS apart
        FROM list JOIN list_accounts la ON la.list_id = list.id JOIN followed ON followed.id = la.account_id),
    answered AS (
        SELECT $1 AS id UNION ALL SELECT authors.id FROM authors, list WHERE list.replies_policy = 'list'
        UNION ALL SELECT followed.id FROM followed, list WHERE list.replies_policy = 'followed'),
    head AS ({FROM_AUTHORS})
    SELECT head.id, plain OR EXISTS (SELECT {FROM_SEEN} WHERE v.id = head.id AND {NOT_MUTED} AND {PASSED_ON_OPENLY}),
           true
    FROM head ORDER BY head.id DESC /*page*/"""
MIXED = {
    "recent": both_ways(MIX.format(by_author=FROM_RECENT, whole=WHOLE)),
    "home": both_ways(MIX.format(by_author=FROM_AUTHORS, whole="true")),
    "list": both_ways(LIST),
}
WINDOW = 2_000
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
LINK = both_ways(
    f"""SELECT v.id {FROM_SEEN} WHERE {PAGE} AND v.visibility = 'public'
          AND v.id IN (SELECT c.status_id FROM status_cards c WHERE c.url IN (
                           SELECT $5 UNION ALL SELECT p.url FROM linked_pages p JOIN preview_cards w ON w.id = p.card_id
                                               WHERE w.url = $5))
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
KEPT = {
    table: both_ways(
        f"""SELECT f.id, f.status_id FROM {table} f JOIN seen_by($1) v ON v.id = f.status_id
            WHERE f.account_id = $1 AND f.id > $2 AND f.id < $3 ORDER BY f.id DESC /*page*/ LIMIT $4"""
    )
    for table in ("favourites", "bookmarks")
}


async def _mixed(r: Read, name: str, viewer: int, page: Page, *more: int) -> list[int]:
    """A stretch of which nothing is shown (all passed on from somebody muted, say) does not end the timeline."""
    for _ in range(ROUNDS):
        most = page.limit + SPARE
        rows = await r.all(Candidate, MIXED[name][page.upwards], viewer, page.after, page.before, most, *more)
        ids = [row.id for row in rows if row.shown]
        if ids or len(rows) < most:
            return sorted(ids[: page.limit], reverse=True)
        edge = "min_id" if page.upwards else "max_id"
        page = msgspec.structs.replace(page, **{edge: rows[-1].id})
    return []


async def home(r: Read, viewer: int, page: Page) -> list[int]:
    """What the people one follows post and pass on, what carries a hashtag one follows, and what one posts oneself."""
    most = page.limit + SPARE
    rows = await r.shared(Candidate, MIXED["recent"][page.upwards], viewer, page.after, page.before, most, WINDOW)
    ids = [row.id for row in rows if row.shown]
    if ids and rows[0].whole:
        return sorted(ids[: page.limit], reverse=True)
    return await _mixed(r, "home", viewer, page)


async def of_list(r: Read, viewer: int, list_id: int, page: Page) -> list[int]:
    """What the people in one of one's lists post and pass on; of replies, as many as the list wants."""
    return await _mixed(r, "list", viewer, page, list_id)


async def public(r: Read, viewer: int | None, page: Page, local: bool | None = None, media: bool = False) -> list[int]:
    """What everybody may read: of this city (local True), of others (False), or of all."""
    args = (viewer, page.after, page.before, page.limit, local, media)
    rows = await r.shared(Found, PUBLIC[page.upwards], *args)
    return sorted((row.id for row in rows), reverse=True)


async def tagged(
    r: Read, viewer: int | None, page: Page, names: tuple[Sequence[str], Sequence[str], Sequence[str]],
    local: bool | None = None, media: bool = False,
) -> list[int]:
    """Public posts with any of the first hashtags, all of the second and none of the third."""
    args = (viewer, page.after, page.before, page.limit, local, media, *(list(part) for part in names))
    return sorted(await r.values(TAG[page.upwards], *args), reverse=True)


async def linked(r: Read, viewer: int | None, page: Page, url: str) -> list[int]:
    """Public posts that point to a page, by the address they have or by the page's own."""
    args = (viewer, page.after, page.before, page.limit, url)
    return sorted(await r.values(LINK[page.upwards], *args), reverse=True)


async def account(r: Read, viewer: int | None, account_id: int, page: Page, choice: Choice) -> list[int]:
    """An account's own posts and reblogs, as far as this viewer may see them."""
    args = (
        viewer, page.after, page.before, page.limit, account_id, choice.only_media, choice.exclude_replies,
        choice.exclude_reblogs, choice.tagged,
    )
    rows = await r.shared(Found, ACCOUNT[page.upwards], *args)
    return sorted((row.id for row in rows), reverse=True)


async def pinned(r: Read, viewer: int | None, account_id: int) -> list[int]:
    """The posts an account shows at its top, newest pin first."""
    return await r.values(
        """SELECT v.id FROM pins p JOIN seen_by($1) v ON v.id = p.status_id
           WHERE p.account_id = $2 ORDER BY p.id DESC""",
        viewer, account_id,
    )


async def kept(r: Read, table: Literal["favourites", "bookmarks"], viewer: int, page: Page) -> list[Kept]:
    """What one marked as a favourite or kept for later, by when one did."""
    rows = await r.all(Kept, KEPT[table][page.upwards], viewer, page.after, page.before, page.limit)
    return sorted(rows, key=lambda row: -row.row_id)


LISTED = "id, title, replies_policy, exclusive"


async def lists(r: Read, owner: int, having: int | None = None) -> list[List]:
    """Somebody's lists, the oldest first; or those that have an account in them."""
    return await r.all(
        List,
        f"""SELECT {LISTED} FROM lists l WHERE account_id = $1 AND ($2::bigint IS NULL OR EXISTS (
                SELECT FROM list_accounts la WHERE la.list_id = l.id AND la.account_id = $2)) ORDER BY id""",
        owner, having,
    )


async def list_of(r: Read, owner: int, list_id: int) -> List | None:
    """One of somebody's lists."""
    return await r.one(List, f"SELECT {LISTED} FROM lists WHERE account_id = $1 AND id = $2", owner, list_id)


async def add_list(tx: Tx, owner: int, title: str, replies: RepliesPolicy, exclusive: bool) -> List | None:
    """Insert a list."""
    return await tx.one(
        List,
        f"INSERT INTO lists (account_id, title, replies_policy, exclusive) VALUES ($1, $2, $3, $4) RETURNING {LISTED}",
        owner, title, replies, exclusive,
    )


async def change_list(
    tx: Tx, list_id: int, title: str | None, replies: RepliesPolicy | None, exclusive: bool | None
) -> List | None:
    """Write what is given of a list and leave the rest."""
    return await tx.one(
        List,
        f"""UPDATE lists SET title = coalesce($2, title), replies_policy = coalesce($3, replies_policy),
                   exclusive = coalesce($4, exclusive) WHERE id = $1 RETURNING {LISTED}""",
        list_id, title, replies, exclusive,
    )


async def drop_list(tx: Tx, owner: int, list_id: int) -> int:
    """Remove one of somebody's lists."""
    return await tx.run("DELETE FROM lists WHERE account_id = $1 AND id = $2", owner, list_id)


async def listable(r: Read, owner: int, account_ids: Sequence[int]) -> frozenset[int]:
    """Those of these accounts that somebody may put in a list: whom they follow or asked to follow, and themselves."""
    return frozenset(
        await r.values(
            """SELECT a.id FROM accounts a WHERE a.id = ANY($2::bigint[]) AND a.deleted_at IS NULL
                 AND (a.id = $1 OR EXISTS (SELECT FROM follows f WHERE f.account_id = $1 AND f.target_id = a.id))""",
            owner, list(account_ids),
        )
    )


async def add_members(tx: Tx, list_id: int, account_ids: Sequence[int]) -> int:
    """Put accounts in a list; how many were not in it before."""
    return await tx.run(
        "INSERT INTO list_accounts (list_id, account_id) SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING",
        list_id, list(account_ids),
    )


async def drop_members(tx: Tx, list_id: int, account_ids: Sequence[int]) -> int:
    """Take accounts out of a list."""
    return await tx.run(
        "DELETE FROM list_accounts WHERE list_id = $1 AND account_id = ANY($2::bigint[])", list_id, list(account_ids)
    )


async def drop_from_lists(tx: Tx, owner: int, account_id: int) -> int:
    """Take somebody out of all lists of a person."""
    return await tx.run(
        "DELETE FROM list_accounts a USING lists l WHERE l.id = a.list_id AND l.account_id = $1 AND a.account_id = $2",
        owner, account_id,
    )


async def follow_tag(tx: Tx, account_id: int, tag_id: int) -> int:
    """Insert that somebody follows a hashtag."""
    return await tx.run(
        "INSERT INTO tag_follows (account_id, tag_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", account_id, tag_id
    )


async def unfollow_tag(tx: Tx, account_id: int, name: str) -> int:
    """Remove that somebody follows a hashtag."""
    return await tx.run(
        "DELETE FROM tag_follows WHERE account_id = $1 AND tag_id = (SELECT id FROM tags WHERE name = $2)",
        account_id, name,
    )


async def featured_count(r: Read, account_id: int) -> int:
    """How many hashtags a profile shows."""
    return int(await r.value("SELECT count(*) FROM featured_tags WHERE account_id = $1", account_id))


async def feature_tag(tx: Tx, account_id: int, tag_id: int, spelled: str) -> list[int]:
    """Insert a hashtag on somebody's profile, and its row; none when it is there."""
    return await tx.values(
        """INSERT INTO featured_tags (account_id, tag_id, display_name) VALUES ($1, $2, $3)
           ON CONFLICT DO NOTHING RETURNING id""", account_id, tag_id, spelled,
    )


async def unfeature_tag(tx: Tx, account_id: int, row_id: int | None, name: str | None) -> Worn | None:
    """Remove a hashtag from somebody's profile, by its row or by its name."""
    return await tx.one(
        Worn,
        """DELETE FROM featured_tags f USING tags t WHERE f.account_id = $1 AND t.id = f.tag_id
             AND (f.id = $2 OR t.name = $3) RETURNING f.id, t.name, f.display_name""", account_id, row_id, name,
    )


async def markers(r: Read, account_id: int, places: Sequence[str]) -> list[Marker]:
    """Where somebody stopped reading."""
    return await r.all(
        Marker,
        """SELECT timeline, last_read_id, version, updated_at FROM markers
           WHERE account_id = $1 AND timeline = ANY($2::text[]) ORDER BY timeline""",
        account_id, list(places),
    )


async def move_marker(tx: Tx, account_id: int, place: str, last_read_id: int, seen: int) -> Marker | None:
    """Write where somebody stopped reading; None when it is not the version seen before that moves."""
    return await tx.one(
        Marker,
        """INSERT INTO markers (account_id, timeline, last_read_id) VALUES ($1, $2, $3)
           ON CONFLICT (account_id, timeline) DO UPDATE SET last_read_id = EXCLUDED.last_read_id,
               version = markers.version + 1, updated_at = parvis_now() WHERE markers.version = $4
           RETURNING timeline, last_read_id, version, updated_at""",
        account_id, place, last_read_id, seen,
    )


# A post's circle as somebody sees it: everybody it goes between but them.
OTHERS = """ARRAY(SELECT p FROM (SELECT s.account_id AS p UNION
                                SELECT m.account_id FROM mentions m WHERE m.status_id = s.id) AS circle
                  WHERE p <> {me} ORDER BY p)"""


async def join_conversations(tx: Tx, status_id: int) -> list[Touched]:
    """A direct post becomes the last of its conversation for its author and for those it is addressed to.

    Not for somebody who wants nothing of its author; who muted the conversation is not called to it.
    """
    return await tx.all(
        Touched,
        f"""INSERT INTO conversations (account_id, conversation_id, participants, last_status_id, unread)
            SELECT u.account_id, s.conversation_id, {OTHERS.format(me="u.account_id")}, s.id,
                   u.account_id <> s.account_id AND NOT EXISTS (
                       SELECT FROM conversation_mutes c
                       WHERE c.account_id = u.account_id AND c.conversation_id = s.conversation_id)
            FROM statuses s
            CROSS JOIN LATERAL (
                SELECT s.account_id AS id UNION SELECT m.account_id FROM mentions m WHERE m.status_id = s.id) part
            JOIN users u ON u.account_id = part.id
            WHERE s.id = $1 AND s.visibility = 'direct' AND s.deleted_at IS NULL AND s.reblog_of_id IS NULL
              AND NOT EXISTS (SELECT FROM blocks b WHERE (b.account_id, b.target_id) IN
                                  ((u.account_id, s.account_id), (s.account_id, u.account_id)))
              AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = u.account_id AND m.target_id = s.account_id
                                  AND m.notifications AND (m.until IS NULL OR m.until > parvis_now()))
              AND NOT EXISTS (SELECT FROM domain_blocks d JOIN accounts a ON a.domain = d.domain
                              WHERE d.account_id = u.account_id AND a.id = s.account_id)
            ON CONFLICT (account_id, conversation_id, participants) DO UPDATE
                SET last_status_id = EXCLUDED.last_status_id, unread = EXCLUDED.unread
                WHERE conversations.last_status_id < EXCLUDED.last_status_id
            RETURNING id, account_id""",
        status_id,
    )


async def leave_conversations(tx: Tx, status_id: int) -> list[Touched]:
    """Where this post is last but gone, or goes between others by now, the last one left takes its place.

    A conversation of which nothing is left ends.
    """
    return await tx.all(
        Touched,
        f"""WITH left_over AS (
                SELECT c.id, (SELECT max(s.id) FROM statuses s
                              WHERE s.conversation_id = c.conversation_id AND s.visibility = 'direct'
                                AND s.deleted_at IS NULL AND s.reblog_of_id IS NULL
                                AND (s.account_id = c.account_id OR EXISTS (
                                     SELECT FROM mentions m WHERE m.status_id = s.id AND m.account_id = c.account_id))
                                AND {OTHERS.format(me="c.account_id")} = c.participants) AS last
                FROM conversations c WHERE c.last_status_id = $1),
            ended AS (DELETE FROM conversations WHERE id IN (SELECT id FROM left_over WHERE last IS NULL))
            UPDATE conversations c SET last_status_id = l.last FROM left_over l
            WHERE l.id = c.id AND l.last <> c.last_status_id RETURNING c.id, c.account_id""",
        status_id,
    )


async def drop_conversations_with(tx: Tx, account_id: int, other: int) -> int:
    """Remove somebody's conversations in which another takes part."""
    return await tx.run(
        "DELETE FROM conversations WHERE account_id = $1 AND $2::bigint = ANY(participants)", account_id, other
    )


async def drop_conversations_across(tx: Tx, account_id: int, domain: str) -> int:
    """Remove somebody's conversations whose last word is from a domain."""
    return await tx.run(
        """DELETE FROM conversations c USING statuses s JOIN accounts a ON a.id = s.account_id
           WHERE c.account_id = $1 AND s.id = c.last_status_id AND a.domain = $2""",
        account_id, domain,
    )


async def mark_conversation(tx: Tx, account_id: int, row_id: int, unread: bool) -> int:
    """Note that a conversation was read, or is to be read; how many changed."""
    return await tx.run(
        "UPDATE conversations SET unread = $3 WHERE account_id = $1 AND id = $2 AND unread <> $3",
        account_id, row_id, unread,
    )


async def drop_conversation(tx: Tx, account_id: int, row_id: int) -> int:
    """Remove a conversation from somebody's own."""
    return await tx.run("DELETE FROM conversations WHERE account_id = $1 AND id = $2", account_id, row_id)


DIRECT = both_ways(
    """WITH head AS (
           (SELECT id FROM statuses WHERE account_id = $1 AND visibility = 'direct' AND deleted_at IS NULL
                                      AND id > $2 AND id < $3 ORDER BY id DESC /*page*/ LIMIT $4)
           UNION
           (SELECT s.id FROM mentions m JOIN statuses s ON s.id = m.status_id AND s.visibility = 'direct'
            JOIN seen_by($1) v ON v.id = s.id
            WHERE m.account_id = $1 AND m.status_id > $2 AND m.status_id < $3
            ORDER BY m.status_id DESC /*page*/ LIMIT $4))
       SELECT id FROM head ORDER BY id DESC /*page*/ LIMIT $4"""
)


async def direct(r: Read, viewer: int, page: Page) -> list[int]:
    """What is said directly to somebody or by them."""
    return sorted(await r.values(DIRECT[page.upwards], viewer, page.after, page.before, page.limit), reverse=True)


async def forget(tx: Tx, account_id: int) -> int:
    """Remove what a person who left kept for reading."""
    return await tx.run(
        """WITH l AS (DELETE FROM lists WHERE account_id = $1), t AS (DELETE FROM tag_follows WHERE account_id = $1),
                f AS (DELETE FROM featured_tags WHERE account_id = $1), m AS (DELETE FROM markers WHERE account_id = $1)
           DELETE FROM conversations WHERE account_id = $1""",
        account_id,
    )
