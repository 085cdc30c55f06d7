"""The SQL of what is shown: what changes with each reader and each moment, and what cards are made from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from parvis.base.db import Read
from parvis.base.ids import Page, both_ways
from parvis.views.model import Asked, Mark, Post

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
# The part of seen_by that asks nothing of the viewer. What is not open is put to seen_by itself.
OPEN = """s.visibility IN ('public', 'unlisted') AND NOT s.local_only AND s.deleted_at IS NULL
    AND s.removed_at IS NULL AS open"""
POST = f"""s.id, s.version, s.account_id, s.reblog_of_id, s.conversation_id, s.quote_automatic, s.quote_manual,
    s.visibility, s.reply_policy, {OPEN}"""

# Waiting deltas are summed for the page at once: a subquery for each row costs more than all of them are worth.
POSTS = f"""WITH top AS MATERIALIZED (
        SELECT {POST} FROM unnest($1::bigint[]) w(id) JOIN statuses s ON s.id = w.id),
    whole AS MATERIALIZED (
        SELECT * FROM top UNION ALL SELECT {POST} FROM top JOIN statuses s ON s.id = top.reblog_of_id),
    shown AS MATERIALIZED (
        SELECT * FROM whole
        UNION ALL SELECT {POST} FROM whole JOIN quotes q ON q.status_id = whole.id AND q.state = 'accepted'
                  JOIN statuses s ON s.id = q.quoted_id
        UNION ALL SELECT 0, 0, person, NULL, NULL, '{{}}', '{{}}', '', 'public', true FROM unnest($2::bigint[]) person)
    SELECT s.id, s.version, a.id AS account_id, s.reblog_of_id, s.conversation_id,
           s.open AND a.deleted_at IS NULL AND a.suspended_at IS NULL,
           greatest(0, coalesce(c.replies, 0) + coalesce(d.replies, 0))::int,
           greatest(0, coalesce(c.reblogs, 0) + coalesce(d.reblogs, 0))::int,
           greatest(0, coalesce(c.favourites, 0) + coalesce(d.favourites, 0))::int,
           greatest(0, coalesce(c.quotes, 0) + coalesce(d.quotes, 0))::int,
           a.version AS account_version, {COUNTED},
           CASE WHEN a.deleted_at IS NULL AND a.suspended_at IS NULL THEN a.moved_to_id END, a.last_status_at::text,
           EXISTS (SELECT FROM polls p WHERE p.status_id = s.id),
           pc.id AS card_id, pc.version AS card_version, q.state, q.quoted_id, {RULES}, s.visibility, {HIDDEN_REPLIES}
    FROM shown s JOIN accounts a ON a.id = s.account_id
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
               FROM account_count_deltas WHERE account_id = ANY(ARRAY(SELECT account_id FROM shown))
               GROUP BY account_id) ad ON ad.account_id = a.id"""


async def posts(r: Read, status_ids: Sequence[int], account_ids: Sequence[int] = ()) -> list[Post]:
    """These posts, what they pass on and quote, and these accounts: all that is the same for everybody.

    Whoever may see them: what is not for a viewer is left out by what `marks` say of it.
    """
    return await r.all(Post, POSTS, list(status_ids), list(account_ids))


# Each viewer's posts lie one after the other in three arrays that belong together: from `lo` those that seen_by must
# be asked about, up to `c`; up to `m` those that are looked at; up to `hi` those that come with them.
MARKS = """WITH eyes AS MATERIALIZED (
        SELECT e.*, EXISTS (SELECT FROM blocks b WHERE b.account_id = e.viewer AND b.target_id = ANY(e.authors))
                    OR EXISTS (SELECT FROM blocks b WHERE b.account_id = ANY(e.authors) AND b.target_id = e.viewer)
                    AS barred
        FROM (SELECT viewer, ($6::bigint[])[lo : c] AS closed, ($6::bigint[])[lo : m] AS tops,
                     ($6::bigint[])[lo : hi] AS ids, ($7::bigint[])[lo : hi] AS authors,
                     ($8::bigint[])[lo : hi] AS threads
              FROM unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::int[]) w(viewer, lo, c, m, hi)) e)
    SELECT e.viewer, x.status_id, 'favourited', NULL::jsonb
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
    WHERE e.barred OR cardinality(e.closed) > 0
    UNION ALL SELECT e.viewer, 0, 'filters', live_filters(e.viewer, e.ids)
    FROM eyes e WHERE EXISTS (SELECT FROM filters f WHERE f.account_id = e.viewer)"""
# What few pages have: polls, quotes, people of whom it matters whether they and the viewer follow each other.
BESIDE = """ UNION ALL SELECT p.viewer, p.id, 'poll', poll_shown(p.id, p.viewer)
    FROM unnest($9::bigint[], $10::bigint[]) p(viewer, id)
    UNION ALL SELECT p.viewer, p.id, 'quote', to_jsonb(quote_shown(p.id, p.viewer))
    FROM unnest($11::bigint[], $12::bigint[]) p(viewer, id)
    UNION ALL SELECT p.viewer, p.id, 'follows', NULL FROM unnest($13::bigint[], $14::bigint[]) p(viewer, id)
    JOIN follows f ON f.account_id = p.viewer AND f.target_id = p.id AND f.accepted
    UNION ALL SELECT p.viewer, p.id, 'followed', NULL FROM unnest($13::bigint[], $14::bigint[]) p(viewer, id)
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
         'media', (SELECT jsonb_agg(to_jsonb(m) ORDER BY m.position, m.id) FROM media m
                   WHERE m.status_id = s.id),
         'mentions', (SELECT jsonb_agg(jsonb_build_object('id', a.id, 'username', a.username, 'url', a.url,
                             'acct', concat_ws('@', a.username, a.domain)) ORDER BY a.id)
                      FROM mentions n JOIN accounts a ON a.id = n.account_id
                      WHERE n.status_id = s.id AND NOT n.silent),
         'tags', (SELECT jsonb_agg(t.name ORDER BY t.id) FROM status_tags st JOIN tags t ON t.id = st.tag_id
                  WHERE st.status_id = s.id),
         'emojis', emojis_in(concat_ws(' ', s.spoiler_text, s.content), author.domain)) AS data
    FROM statuses s JOIN accounts author ON author.id = s.account_id WHERE s.id = ANY($1::bigint[])
    UNION ALL
    SELECT a.version, a.id, 'account', jsonb_build_object(
         'id', a.id, 'username', a.username, 'domain', a.domain, 'uri', a.uri, 'url', a.url,
         'actor_type', a.actor_type, 'display_name', a.display_name, 'note', a.note, 'fields', a.fields,
         'avatar_file', a.avatar_file, 'avatar_url', a.avatar_url, 'avatar_description', a.avatar_description,
         'header_file', a.header_file, 'header_url', a.header_url, 'header_description', a.header_description,
         'locked', a.locked, 'bot', a.bot, 'discoverable', a.discoverable, 'indexable', a.indexable,
         'hide_collections', a.hide_collections, 'memorial', a.memorial, 'show_media', a.show_media,
         'show_media_replies', a.show_media_replies, 'show_featured', a.show_featured,
         'feature_automatic', a.feature_automatic, 'email_subscriptions', a.email_subscriptions,
         'suspended', a.suspended_at IS NOT NULL OR a.deleted_at IS NOT NULL,
         'limited', a.limited_at IS NOT NULL,
         'emojis', emojis_in(concat_ws(' ', a.display_name, a.note, a.fields::text), a.domain),
         'created_on', to_char(a.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T00:00:00.000Z"'))
    FROM accounts a WHERE a.id = ANY($2::bigint[])
    UNION ALL
    SELECT c.version, c.id, 'card', to_jsonb(c) FROM preview_cards c WHERE c.id = ANY($3::bigint[])"""


def _with_materials(sql: str, taken: int) -> str:
    moved = re.sub(r"\$(\d):", lambda found: f"${int(found[1]) + taken}:", MATERIALS)
    return f"{sql} UNION ALL {moved}"


# By whether anything is asked beside the marks, and whether cards are missing: PostgreSQL prepares every table that a
# statement names, each time (8 µs), whether a row is wanted of it or not.
SHOWN = {
    (False, False): MARKS, (True, False): MARKS + BESIDE,
    (False, True): _with_materials(MARKS, 8), (True, True): _with_materials(MARKS + BESIDE, 14),
}


async def marks(r: Read, asked: Asked, cards: Sequence[Sequence[int]] = ()) -> tuple[list[Mark], list[Material]]:
    """What is so for each viewer alone: what they marked, filter, may see; a poll and a quote as each is told of it.

    With it, what missing `cards` (of posts, accounts and pages) are made from: a page that is shown for the first
    time costs no statement more.
    """
    beside = bool(asked.polls[0] or asked.quotes[0] or asked.people[0])
    wanted: list[Sequence[int | None]] = [asked.viewers, *asked.bounds, asked.ids, asked.authors, asked.threads]
    if beside:
        wanted += [*asked.polls, *asked.quotes, *asked.people]
    if any(cards):
        wanted += cards
    rows = await r.all(Mark, SHOWN[beside, any(cards)], *wanted)
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


# What was used how often on each of the last seven days: what is folded already, and what waits to be.
DAYS = """CROSS JOIN generate_series(date_trunc('day', parvis_now(), 'UTC') - interval '6 days',
                                      date_trunc('day', parvis_now(), 'UTC'), interval '1 day') at
    CROSS JOIN LATERAL (SELECT (at AT TIME ZONE 'UTC')::date AS d) d
    LEFT JOIN use_days n ON n.kind = w.kind AND n.thing_id = w.id AND n.day = d
    LEFT JOIN LATERAL (
        SELECT count(*) AS uses, count(DISTINCT e.account_id) FILTER (WHERE NOT EXISTS (
            SELECT FROM uses u WHERE u.kind = w.kind AND u.thing_id = w.id AND u.day = d
                                 AND u.account_id = e.account_id)) AS accounts
        FROM use_deltas e WHERE e.kind = w.kind AND e.thing_id = w.id AND e.day = d) x ON true"""
USES = "(coalesce(n.uses, 0) + x.uses)::int"
USERS = "(coalesce(n.accounts, 0) + x.accounts)::int"


class Tag(msgspec.Struct, frozen=True):
    """A hashtag with this viewer's marks on it, and how it was used on each of the last seven days, today first."""

    id: int
    name: str
    following: bool
    featuring: bool
    uses: list[int]
    accounts: list[int]


async def tags(r: Read, viewer: int | None, names: Sequence[str], ids: Sequence[int] = ()) -> list[Tag]:
    """Hashtags by their names or ids, in no order."""
    return await r.all(
        Tag,
        f"""SELECT w.id, w.name,
                   EXISTS (SELECT FROM tag_follows f WHERE f.account_id = $1 AND f.tag_id = w.id),
                   EXISTS (SELECT FROM featured_tags f WHERE f.account_id = $1 AND f.tag_id = w.id),
                   array_agg({USES} ORDER BY at DESC), array_agg({USERS} ORDER BY at DESC)
            FROM (SELECT 'tag' AS kind, id, name FROM tags
                  WHERE name = ANY($2::text[]) OR id = ANY($3::bigint[])) w {DAYS}
            GROUP BY w.id, w.name""",
        viewer, list(names), list(ids),
    )


class Linked(msgspec.Struct, frozen=True):
    """The card of a page, and how the page was linked on each of the last seven days, today first."""

    id: int
    version: int
    uses: list[int]
    accounts: list[int]


async def links(r: Read, ids: Sequence[int]) -> list[Linked]:
    """Pages by the ids of their cards, in no order."""
    return await r.all(
        Linked,
        f"""SELECT w.id, w.version, array_agg({USES} ORDER BY at DESC), array_agg({USERS} ORDER BY at DESC)
            FROM (SELECT 'link' AS kind, id, version FROM preview_cards WHERE id = ANY($1::bigint[])) w {DAYS}
            GROUP BY w.id, w.version""",
        list(ids),
    )


class FollowedTag(msgspec.Struct, frozen=True):
    """A hashtag one follows, with the id of the row that says so."""

    row_id: int
    tag_id: int


FOLLOWED_TAGS = both_ways(
    """SELECT id, tag_id FROM tag_follows WHERE account_id = $1 AND id > $2 AND id < $3
       ORDER BY id DESC /*page*/ LIMIT $4"""
)


async def followed_tags(r: Read, viewer: int, page: Page) -> list[FollowedTag]:
    """The hashtags somebody follows, the latest first."""
    rows = await r.all(FollowedTag, FOLLOWED_TAGS[page.upwards], viewer, page.after, page.before, page.limit)
    return sorted(rows, key=lambda row: -row.row_id)


class Featured(msgspec.Struct, frozen=True):
    """A hashtag on a profile: how often its owner used it openly, and when last."""

    id: int
    tag_id: int
    name: str
    display_name: str
    statuses: int
    last_status_at: date | None


async def featured_tags(r: Read, account_id: int) -> list[Featured]:
    """The hashtags on somebody's profile, those used most first."""
    return await r.all(
        Featured,
        """SELECT f.id, t.id AS tag_id, t.name, f.display_name, count(s.id)::int AS statuses,
                  max(s.created_at AT TIME ZONE 'UTC')::date AS last_status_at
           FROM featured_tags f JOIN tags t ON t.id = f.tag_id JOIN accounts a ON a.id = f.account_id
           LEFT JOIN (status_tags st JOIN statuses s
                          ON s.id = st.status_id AND s.visibility IN ('public', 'unlisted')
                             AND s.deleted_at IS NULL AND s.removed_at IS NULL)
               ON st.tag_id = f.tag_id AND s.account_id = f.account_id
           WHERE f.account_id = $1 AND a.deleted_at IS NULL AND a.suspended_at IS NULL
           GROUP BY f.id, t.id, f.display_name ORDER BY count(s.id) DESC, f.id""",
        account_id,
    )


async def featurable_tags(r: Read, account_id: int, among: int, limit: int) -> list[int]:
    """The hashtags somebody used most in their latest posts and does not show on their profile."""
    return await r.values(
        """SELECT st.tag_id FROM (
               SELECT id FROM statuses WHERE account_id = $1 AND deleted_at IS NULL ORDER BY id DESC LIMIT $2) s
           JOIN status_tags st ON st.status_id = s.id
           WHERE NOT EXISTS (SELECT FROM featured_tags f WHERE f.account_id = $1 AND f.tag_id = st.tag_id)
           GROUP BY st.tag_id ORDER BY count(*) DESC, st.tag_id LIMIT $3""",
        account_id, among, limit,
    )


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
