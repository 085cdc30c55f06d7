"""The SQL of hashtags and linked pages as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from parvis.base.db import Read
from parvis.base.ids import Page, both_ways

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
