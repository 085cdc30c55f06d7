"""The SQL of what is shown: what changes with each reader and each moment, and what cards are made from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from parvis.base.db import Read, Rows, for_many
from parvis.base.ids import Page, both_ways
from parvis.statuses.queries import unlocked
from parvis.views.model import Around, Asked, Mark, Place, Post, Seen

CARDS = ("status", "account", "card")


class Material(msgspec.Struct, frozen=True):
    """What a card is made from."""

    version: int
    id: int
    kind: str
    data: dict[str, Any]


COUNTED = """(CASE WHEN a.domain IS NULL OR a.remote_counts->>'statuses' IS NULL
            THEN coalesce(ac.statuses, 0) + coalesce(ad.statuses, 0) ELSE (a.remote_counts->>'statuses')::int END)::int,
    greatest(coalesce((a.remote_counts->>'followers')::int, 0),
             coalesce(ac.followers, 0) + coalesce(ad.followers, 0))::int,
    greatest(coalesce((a.remote_counts->>'following')::int, 0),
             coalesce(ac.following, 0) + coalesce(ad.following, 0))::int"""

HIDDEN_REPLIES = """CASE WHEN s.reply_policy = 'public' THEN 0 ELSE (
    SELECT count(*) FROM statuses h
    WHERE h.in_reply_to_id = s.id AND h.reply_hidden AND h.deleted_at IS NULL) END::int"""
# Who may quote: almost always everybody or nobody, which a letter or nothing says; else both lists are spelled out.
RULES = """CASE WHEN cardinality(s.quote_manual) = 0 AND s.quote_automatic = '{public}' THEN 'p'
    WHEN cardinality(s.quote_manual) = 0 AND cardinality(s.quote_automatic) = 0 THEN ''
    ELSE array_to_string(s.quote_automatic, ' ') || '|' || array_to_string(s.quote_manual, ' ') END"""

# What is `asked`, by whom, and what that passes on; and what both quote. `top`: what was asked for of which it is part.
BEHELD = """whole AS MATERIALIZED (
        SELECT viewer, id, id AS top FROM asked
        UNION ALL SELECT a.viewer, s.reblog_of_id, a.id FROM asked a JOIN statuses s ON s.id = a.id
        WHERE s.reblog_of_id IS NOT NULL),
    beheld AS MATERIALIZED (
        SELECT viewer, id, top FROM whole
        UNION ALL SELECT w.viewer, q.quoted_id, NULL FROM whole w
        JOIN quotes q ON q.status_id = w.id AND q.state = 'accepted')"""


def _posts(*, people: bool) -> str:
    """All of it as it is for everybody, and `people`: ids alone before that, for what stands between is prepared anew
    each time.

    Waiting deltas are summed for the page at once: a subquery for each row costs more than all of them are worth.
    """
    join, author = ("LEFT JOIN", "coalesce(s.account_id, w.person)") if people else ("JOIN", "s.account_id")
    return f"""shown AS MATERIALIZED (
        SELECT DISTINCT id{", NULL::bigint AS person" if people else ""} FROM beheld
        {"UNION ALL SELECT NULL, unnest($3::bigint[])" if people else ""}),
    posts AS MATERIALIZED (
    SELECT coalesce(s.id, 0) AS id, coalesce(s.version, 0), a.id AS account_id, s.reblog_of_id, s.conversation_id,
           CASE WHEN s.id IS NULL THEN a.deleted_at IS NULL AND a.suspended_at IS NULL
                ELSE {unlocked("s", "a")} END AS open,
           greatest(0, coalesce(c.replies, 0) + coalesce(d.replies, 0))::int,
           greatest(0, coalesce(c.reblogs, 0) + coalesce(d.reblogs, 0))::int,
           greatest(0, coalesce(c.favourites, 0) + coalesce(d.favourites, 0))::int,
           greatest(0, coalesce(c.quotes, 0) + coalesce(d.quotes, 0))::int,
           a.version AS account_version, {COUNTED},
           CASE WHEN a.deleted_at IS NULL AND a.suspended_at IS NULL THEN a.moved_to_id END, a.last_status_at::text,
           EXISTS (SELECT FROM polls p WHERE p.status_id = s.id),
           pc.id AS card_id, pc.version AS card_version, q.state, q.quoted_id, {RULES},
           coalesce(s.visibility, ''), {HIDDEN_REPLIES}
    FROM shown w {join} statuses s ON s.id = w.id JOIN accounts a ON a.id = {author}
    LEFT JOIN quotes q ON q.status_id = s.id
    LEFT JOIN status_counts c ON c.status_id = s.id
    LEFT JOIN status_cards sc ON sc.status_id = s.id LEFT JOIN linked_pages lp ON lp.url = sc.url
    LEFT JOIN preview_cards pc ON pc.id = lp.card_id
    LEFT JOIN (SELECT status_id, sum(replies) AS replies, sum(reblogs) AS reblogs, sum(favourites) AS favourites,
                      sum(quotes) AS quotes
               FROM status_count_deltas WHERE status_id = ANY(ARRAY(SELECT id FROM shown)) GROUP BY status_id) d
        ON d.status_id = s.id
    LEFT JOIN account_counts ac ON ac.account_id = a.id
    LEFT JOIN (SELECT account_id, sum(statuses) AS statuses, sum(followers) AS followers, sum(following) AS following
               FROM account_count_deltas WHERE account_id = ANY(ARRAY(
                   SELECT {author} FROM shown w {join} statuses s ON s.id = w.id))
               GROUP BY account_id) ad ON ad.account_id = a.id)"""


# Each viewer with what of it is not open to all (seen_by must be asked about that), and all of it in arrays.
CLOSED = "array_agg(b.top) FILTER (WHERE NOT p.open AND b.top IS NOT NULL)"
EYES = f"""eyes AS MATERIALIZED (
        SELECT e.*, EXISTS (SELECT FROM blocks b WHERE b.account_id = e.viewer AND b.target_id = ANY(e.authors))
                    OR EXISTS (SELECT FROM blocks b WHERE b.account_id = ANY(e.authors) AND b.target_id = e.viewer)
                    AS barred
        FROM (SELECT b.viewer, array_agg(b.top) AS tops, {CLOSED} AS closed,
                     array_agg(p.id) AS ids, array_agg(p.account_id) AS authors, array_agg(p.conversation_id) AS threads
              FROM beheld b JOIN posts p ON p.id = b.id GROUP BY b.viewer) e)"""
MARKS = """SELECT e.viewer, x.status_id AS thing, 'favourited' AS kind, NULL::jsonb AS told
    FROM eyes e JOIN favourites x ON x.account_id = e.viewer AND x.status_id = ANY(e.ids)
    UNION ALL SELECT e.viewer, x.reblog_of_id, 'reblogged', NULL
    FROM eyes e JOIN statuses x ON x.account_id = e.viewer AND x.reblog_of_id = ANY(e.ids) AND x.deleted_at IS NULL
    UNION ALL SELECT e.viewer, x.status_id, 'bookmarked', NULL
    FROM eyes e JOIN bookmarks x ON x.account_id = e.viewer AND x.status_id = ANY(e.ids)
    UNION ALL SELECT e.viewer, x.conversation_id, 'muted', NULL
    FROM eyes e JOIN conversation_mutes x ON x.account_id = e.viewer AND x.conversation_id = ANY(e.threads)
    UNION ALL SELECT e.viewer, x.status_id, 'pinned', NULL
    FROM eyes e JOIN pins x ON x.account_id = e.viewer AND x.status_id = ANY(e.ids)
    UNION ALL SELECT e.viewer, 0, 'barred', NULL FROM eyes e WHERE e.barred
    UNION ALL SELECT e.viewer, x.id, 'seen', NULL
    FROM eyes e CROSS JOIN LATERAL
         unnest(seen_among(e.viewer, CASE WHEN e.barred THEN e.tops ELSE e.closed END)) x(id)
    WHERE e.barred OR e.closed IS NOT NULL
    UNION ALL SELECT e.viewer, 0, 'filters', live_filters(e.viewer, e.ids)
    FROM eyes e WHERE EXISTS (SELECT FROM filters f WHERE f.account_id = e.viewer)"""
# Of those who are not signed in.
STRANGERS = f"""eyes AS MATERIALIZED (
        SELECT {CLOSED} AS closed FROM beheld b JOIN posts p ON p.id = b.id)"""
OPENED = """SELECT NULL::bigint AS viewer, x.id AS thing, 'seen' AS kind, NULL::jsonb AS told
    FROM eyes e CROSS JOIN LATERAL unnest(seen_among(NULL, e.closed)) x(id) WHERE e.closed IS NOT NULL"""
NOBODY = ", ".join(f"NULL::{kind}" for kind in (
    "bigint", "int", *["bigint"] * 3, "bool", *["int"] * 8, "bigint", "text", "bool", "bigint", "int", "text",
    "bigint", "text", "text", "int"))


def _looking(asked: str, *, signed_in: bool, people: bool = False, more: str = "") -> str:
    """Posts, and in a row after them the marks: as one statement, for each costs more than what it finds."""
    eyes, marks = (EYES, MARKS) if signed_in else (STRANGERS, OPENED)
    return f"""WITH {asked}, {BEHELD}, {_posts(people=people)}, {eyes}
    SELECT *, NULL::jsonb FROM posts UNION ALL SELECT {NOBODY}, (
        SELECT jsonb_agg(jsonb_build_array(viewer, thing, kind, told)) FROM ({marks}{more}) m)"""


# A post with what it replies to, the beginning first, and the replies, each branch before the next.
THREAD = """WITH RECURSIVE up (id, parent, far, depth) AS (
        SELECT s.id, s.in_reply_to_id, NOT s.local, 0 FROM statuses s WHERE s.id = $1
        UNION ALL
        SELECT s.id, s.in_reply_to_id, NOT s.local, up.depth + 1 FROM statuses s JOIN up ON s.id = up.parent
        WHERE up.depth < $2),
    down (id, path) AS (
        SELECT s.id, ARRAY[s.id] FROM statuses s WHERE s.in_reply_to_id = $1 AND NOT s.reply_hidden
        UNION ALL
        SELECT s.id, down.path || s.id FROM statuses s JOIN down ON s.in_reply_to_id = down.id
        WHERE cardinality(down.path) < $4 AND NOT s.reply_hidden)
    (SELECT sign(-up.depth)::int AS side, up.id, far FROM up ORDER BY up.depth DESC)
    UNION ALL
    (SELECT 1, down.id, false FROM down ORDER BY down.path LIMIT $3)"""
# By whether anybody is signed in, and whether accounts are asked for beside posts: PostgreSQL prepares every table that
# a statement names, each time (8 µs), whether a row is wanted of it or not.
LOOKING = {
    (signed_in, people): _looking(
        "asked AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $2::bigint[]) q(viewer, id))",
        signed_in=signed_in, people=people,
    ) for signed_in in (False, True) for people in (False, True)
}
PLACES = "UNION ALL SELECT NULL, id, 'place', jsonb_build_array(n, place, side, far) FROM around"


def _around(thread: str, viewer: str, *, signed_in: bool) -> str:
    """Posts and what stands around them; `place` is a mark of each."""
    asked = f"""around AS MATERIALIZED (SELECT w.*, row_number() OVER () AS place FROM ({thread}) w),
        asked AS MATERIALIZED (SELECT {viewer} AS viewer, id FROM around)"""
    return _looking(asked, signed_in=signed_in, more=f" {PLACES}")


AROUND_ONE = {
    known: _around(f"SELECT 1 AS n, x.* FROM ({THREAD}) x", "$5::bigint", signed_in=known) for known in (False, True)
}
AROUND = {
    known: _around(for_many(THREAD, ("bigint", "int", "int", "int")), "($5::bigint[])[n]", signed_in=known)
    for known in (False, True)
}


async def look(r: Read, looks: Sequence[tuple[int | None, int]], account_ids: Sequence[int] = ()) -> Seen:
    """Posts by who looks at each, what they pass on and quote, and these accounts; and what is so for each viewer.

    Whoever may see them: what is not for a viewer is left out by what the marks say of it.
    """
    viewers = [viewer for viewer, _ in looks]
    asked: list[Sequence[int | None]] = [viewers, [number for _, number in looks]]
    if account_ids:
        asked.append(account_ids)
    return _seen(await r.rows(LOOKING[any(viewers), bool(account_ids)], *asked))


async def around(r: Read, asked: Sequence[Around]) -> tuple[Seen, dict[Around, list[Place]]]:
    """The same of posts and what stands around them; and the places around each, in their order."""
    bounds = [(one.status_id, one.up, one.down, one.depth, one.viewer) for one in asked]
    known = any(one.viewer for one in asked)
    if len(asked) == 1:
        rows = await r.rows(AROUND_ONE[known], *bounds[0])
    else:
        rows = await r.rows(AROUND[known], *zip(*bounds, strict=True))
    seen = _seen(rows)
    places: dict[Around, list[Place]] = {one: [] for one in asked}
    for n, _, side, far, number in sorted((*mark.told, mark.thing) for mark in seen.marks if mark.kind == "place"):
        places[asked[n - 1]].append(Place(number, side, far))
    return seen, places


def _seen(rows: Rows) -> Seen:
    return Seen([Post(*row[:-1]) for row in rows[:-1]], [Mark(*mark) for mark in rows[-1][-1] or ()])


# What few pages have: polls, quotes, people of whom it matters whether they and the viewer follow each other.
BESIDE = """SELECT p.viewer, p.id, 'poll', poll_shown(p.id, p.viewer)
    FROM unnest($1::bigint[], $2::bigint[]) p(viewer, id)
    UNION ALL SELECT p.viewer, p.id, 'quote', to_jsonb(quote_shown(p.id, p.viewer))
    FROM unnest($3::bigint[], $4::bigint[]) p(viewer, id)
    UNION ALL SELECT p.viewer, p.id, 'follows', NULL FROM unnest($5::bigint[], $6::bigint[]) p(viewer, id)
    JOIN follows f ON f.account_id = p.viewer AND f.target_id = p.id AND f.accepted
    UNION ALL SELECT p.viewer, p.id, 'followed', NULL FROM unnest($5::bigint[], $6::bigint[]) p(viewer, id)
    JOIN follows f ON f.account_id = p.id AND f.target_id = p.viewer AND f.accepted"""

MATERIALS = """SELECT s.version, s.id, 'status', jsonb_build_object(
         'id', s.id, 'created_at', to_char(s.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         'edited_at', to_char(s.edited_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         'in_reply_to_id', s.in_reply_to_id, 'in_reply_to_account_id', s.in_reply_to_account_id,
         'sensitive', s.sensitive, 'spoiler_text', s.spoiler_text, 'visibility', s.visibility,
         'local_only', s.local_only, 'reply_policy', s.reply_policy, 'language', s.language,
         'uri', s.uri, 'url', s.url, 'content', s.content,
         'application', (SELECT jsonb_build_object('name', p.name, 'website', p.website)
                         FROM applications p WHERE p.id = s.application_id),
         'media', (SELECT jsonb_agg(CASE WHEN author.files_refused
                                         THEN to_jsonb(m) || '{"kind": "unknown", "preview_remote_url": null}'
                                         ELSE to_jsonb(m) END ORDER BY m.position, m.id) FROM media m
                   WHERE m.status_id = s.id),
         'mentions', (SELECT jsonb_agg(jsonb_build_object('id', a.id, 'username', a.username, 'url', a.url,
                             'acct', concat_ws('@', a.username, a.domain)) ORDER BY a.id)
                      FROM mentions n JOIN accounts a ON a.id = n.account_id
                      WHERE n.status_id = s.id AND NOT n.silent),
         'tags', (SELECT jsonb_agg(t.name ORDER BY t.id) FROM status_tags st JOIN tags t ON t.id = st.tag_id
                  WHERE st.status_id = s.id),
         'emojis', emojis_in(concat_ws(' ', s.spoiler_text, s.content),
                             CASE WHEN author.files_refused THEN '' ELSE author.domain END)) AS data
    FROM statuses s JOIN accounts author ON author.id = s.account_id WHERE s.id = ANY($1::bigint[])
    UNION ALL
    SELECT a.version, a.id, 'account', jsonb_build_object(
         'id', a.id, 'username', a.username, 'domain', a.domain, 'uri', a.uri, 'url', a.url,
         'actor_type', a.actor_type, 'display_name', a.display_name, 'note', a.note, 'fields', a.fields,
         'avatar_file', a.avatar_file, 'avatar_url', CASE WHEN NOT a.files_refused THEN a.avatar_url END,
         'avatar_description', a.avatar_description, 'header_file', a.header_file,
         'header_url', CASE WHEN NOT a.files_refused THEN a.header_url END, 'header_description', a.header_description,
         'locked', a.locked, 'bot', a.bot, 'discoverable', a.discoverable, 'indexable', a.indexable,
         'hide_collections', a.hide_collections, 'memorial', a.memorial, 'show_media', a.show_media,
         'show_media_replies', a.show_media_replies, 'show_featured', a.show_featured,
         'feature_automatic', a.feature_automatic, 'email_subscriptions', a.email_subscriptions,
         'suspended', a.suspended_at IS NOT NULL OR a.deleted_at IS NOT NULL,
         'limited', a.limited_at IS NOT NULL,
         'emojis', emojis_in(concat_ws(' ', a.display_name, a.note, a.fields::text),
                             CASE WHEN a.files_refused THEN '' ELSE a.domain END),
         'created_on', to_char(a.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T00:00:00.000Z"'))
    FROM accounts a WHERE a.id = ANY($2::bigint[])
    UNION ALL
    SELECT c.version, c.id, 'card', to_jsonb(c) FROM preview_cards c WHERE c.id = ANY($3::bigint[])"""


def _after(sql: str, taken: int) -> str:
    """A statement whose parameters come after others."""
    return re.sub(r"\$(\d):", lambda found: f"${int(found[1]) + taken}:", sql)


# By whether anything is asked beside the marks, and whether cards are missing.
REST = {(True, False): BESIDE, (False, True): MATERIALS, (True, True): f"{BESIDE} UNION ALL {_after(MATERIALS, 6)}"}


async def rest(r: Read, asked: Asked, cards: Sequence[Sequence[int]]) -> tuple[list[Mark], list[Material]]:
    """A poll and a quote as each viewer is told of it, who follows whom; and what missing cards (of posts, accounts and
    pages) are made from. Most pages want nothing of it, and are not asked for.
    """
    beside, missing = bool(asked.polls[0] or asked.quotes[0] or asked.people[0]), any(cards)
    if not (beside or missing):
        return [], []
    wanted = [*asked.polls, *asked.quotes, *asked.people] if beside else []
    rows = await r.all(Mark, REST[beside, missing], *wanted, *(cards if missing else ()))
    made = [Material(row.viewer or 0, row.thing, row.kind, row.told) for row in rows if row.kind in CARDS]
    return [row for row in rows if row.kind not in CARDS], made


async def poll(r: Read, viewer: int | None, poll_id: int) -> dict[str, Any] | None:
    """One poll as it is at this moment for a viewer, who may see the post that asks."""
    found: dict[str, Any] | None = await r.value(
        "SELECT poll_shown(p.status_id, $1) FROM polls p WHERE p.id = $2", viewer, poll_id
    )
    return found


async def materials(
    r: Read, status_ids: Sequence[int], account_ids: Sequence[int], card_ids: Sequence[int]
) -> list[Material]:
    """What the missing cards of posts, accounts and linked pages are made from, in one go."""
    return await r.all(Material, MATERIALS, list(status_ids), list(account_ids), list(card_ids))


class Conversation(msgspec.Struct, frozen=True):
    """What somebody and others say to each other directly; `status_id` is None while the last post is not for them."""

    id: int
    participants: list[int]
    last_status_id: int
    status_id: int | None
    unread: bool


CONVERSATION = """SELECT c.id, c.participants, c.last_status_id, v.id AS status_id, c.unread
    FROM conversations c LEFT JOIN seen_by($1) v ON v.id = c.last_status_id WHERE c.account_id = $1"""
CONVERSATIONS = both_ways(
    f"""{CONVERSATION} AND c.last_status_id > $2 AND c.last_status_id < $3
        ORDER BY c.last_status_id DESC /*page*/ LIMIT $4"""
)


async def conversations(r: Read, viewer: int, page: Page) -> list[Conversation]:
    """Somebody's conversations, that with the newest post first."""
    rows = await r.all(Conversation, CONVERSATIONS[page.upwards], viewer, page.after, page.before, page.limit)
    return sorted(rows, key=lambda row: -row.last_status_id)


async def conversation(r: Read, viewer: int, row_id: int) -> Conversation | None:
    """One of somebody's conversations."""
    return await r.one(Conversation, f"{CONVERSATION} AND c.id = $2", viewer, row_id)


class ConversationOf(Conversation, frozen=True):
    """A conversation, and whose it is; whether they may see its last post is not looked into yet."""

    account_id: int


async def conversations_of(r: Read, row_ids: Sequence[int], viewers: Sequence[int]) -> list[ConversationOf]:
    """Those of these conversations that are one of these people's."""
    return await r.all(
        ConversationOf,
        """SELECT c.id, c.participants, c.last_status_id, c.last_status_id AS status_id, c.unread, c.account_id
           FROM conversations c WHERE c.id = ANY($1::bigint[]) AND c.account_id = ANY($2::bigint[]) ORDER BY c.id""",
        list(row_ids), list(viewers),
    )


class DomainBlock(msgspec.Struct, frozen=True):
    """A domain that somebody blocks, with the id of the row that says so."""

    row_id: int
    domain: str


DOMAIN_BLOCKS = both_ways(
    """SELECT id, domain FROM domain_blocks WHERE account_id = $1 AND id > $2 AND id < $3
       ORDER BY id DESC /*page*/ LIMIT $4"""
)


async def domain_blocks(r: Read, viewer: int, page: Page) -> list[DomainBlock]:
    """The domains somebody blocks, the latest first."""
    rows = await r.all(DomainBlock, DOMAIN_BLOCKS[page.upwards], viewer, page.after, page.before, page.limit)
    return sorted(rows, key=lambda row: -row.row_id)


class Severed(msgspec.Struct, frozen=True):
    """How many follows a block of a domain ends."""

    following: int
    followers: int


async def severed(r: Read, viewer: int, domain: str) -> Severed:
    """How many follows to and from a domain a block of it would end."""
    found = await r.one(
        Severed,
        """SELECT (SELECT count(*) FROM follows f JOIN accounts a ON a.id = f.target_id
                   WHERE f.account_id = $1 AND f.accepted AND a.domain = $2)::int,
                  (SELECT count(*) FROM follows f JOIN accounts a ON a.id = f.account_id
                   WHERE f.target_id = $1 AND f.accepted AND a.domain = $2)::int""",
        viewer, domain,
    )
    return found or Severed(0, 0)


class Counts(msgspec.Struct, frozen=True):
    """The city in numbers."""

    users: int
    statuses: int
    peers: int
    active_month: int
    active_half_year: int


async def counts(r: Read) -> Counts:
    """How many live here, post here, and are known from elsewhere."""
    return await r.one(
        Counts,
        """SELECT (SELECT count(*) FROM users WHERE confirmed_at IS NOT NULL)::int,
                  (SELECT coalesce(sum(c.statuses), 0) FROM account_counts c JOIN accounts a ON a.id = c.account_id
                   WHERE a.domain IS NULL)::int
                  + (SELECT coalesce(sum(d.statuses), 0) FROM account_count_deltas d
                     JOIN accounts a ON a.id = d.account_id WHERE a.domain IS NULL)::int,
                  (SELECT count(*) FROM peers)::int,
                  (SELECT count(*) FROM accounts
                   WHERE domain IS NULL AND last_status_at > parvis_now() - interval '30 days')::int,
                  (SELECT count(*) FROM accounts
                   WHERE domain IS NULL AND last_status_at > parvis_now() - interval '180 days')::int""",
    ) or Counts(0, 0, 0, 0, 0)


class Ranked(msgspec.Struct, frozen=True):
    """An account in a list that its own rows order."""

    row_id: int
    account_id: int


SEEN = "EXISTS (SELECT FROM seen_by($5) v WHERE v.id = $1)"
OPEN = """EXISTS (SELECT FROM accounts w WHERE w.id = $1 AND w.deleted_at IS NULL AND w.suspended_at IS NULL
                  AND (w.id = $5 OR w.hide_collections IS NOT TRUE)
                  AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = w.id AND b.target_id = $5))"""
OPENLY = "x.visibility IN ('public', 'unlisted')"
OWN = "$1 = $5::bigint"
LISTS = {
    name: both_ways(
        f"""SELECT x.id, x.{who} FROM {table} x JOIN accounts a ON a.id = x.{who}
            WHERE {where} AND x.id > $2 AND x.id < $3 AND a.deleted_at IS NULL AND a.suspended_at IS NULL
            ORDER BY x.id DESC /*page*/ LIMIT $4"""
    )
    for name, table, who, where in (
        ("favourited_by", "favourites", "account_id", f"x.status_id = $1 AND {SEEN}"),
        ("reblogged_by", "statuses", "account_id",
         f"x.reblog_of_id = $1 AND x.deleted_at IS NULL AND {OPENLY} AND {SEEN}"),
        ("followers", "follows", "account_id", f"x.target_id = $1 AND x.accepted AND {OPEN}"),
        ("following", "follows", "target_id", f"x.account_id = $1 AND x.accepted AND {OPEN}"),
        ("requests", "follows", "account_id", f"x.target_id = $1 AND NOT x.accepted AND {OWN}"),
        ("endorsed", "endorsements", "target_id", """x.account_id = $1
             AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = $1 AND b.target_id = $5)"""),
        ("blocked", "blocks", "target_id", f"x.account_id = $1 AND {OWN}"),
        ("members", "list_accounts", "account_id",
         "x.list_id = $1 AND EXISTS (SELECT FROM lists l WHERE l.id = x.list_id AND l.account_id = $5)"),
        ("muted", "mutes", "target_id", f"x.account_id = $1 AND (x.until IS NULL OR x.until > parvis_now()) AND {OWN}"),
    )
}


async def listed(r: Read, name: str, whose: int, page: Page, viewer: int | None) -> list[Ranked]:
    """One of the lists of accounts, by the ids of its rows, newest first; empty when it is not for this viewer."""
    rows = await r.all(Ranked, LISTS[name][page.upwards], whose, page.after, page.before, page.limit, viewer)
    return sorted(rows, key=lambda row: -row.row_id)
