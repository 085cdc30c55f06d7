"""The SQL of what passes between servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.federation.model import Refresh
from parvis.statuses.model import Status
from parvis.statuses.queries import STATUS, unlocked

DELIVER = "federation.delivery.deliver"


class Delivery(msgspec.Struct, frozen=True):
    """An activity on its way to one inbox, and who signs it: somebody, or the city itself."""

    outgoing_id: int
    inbox: str
    account_id: int | None
    actor: str | None
    body: bytes
    compared: bool


class Totals(msgspec.Struct, frozen=True):
    """How often a post was answered, passed on and marked."""

    replies: int
    reblogs: int
    favourites: int


class Outline(msgspec.Struct, frozen=True):
    """A post's counts, emoji, hashtags, what it answers, where its conversation is listed; and what else it has."""

    replies: int
    reblogs: int
    favourites: int
    emojis: list[dict[str, Any]] = []
    parent: str | None = None
    context: str | None = None
    tags: list[tuple[int, str, str]] = []
    names: bool = False
    files: bool = False
    quotes: bool = False
    asks: bool = False


class Usage(msgspec.Struct, frozen=True):
    """How lively the city is, for NodeInfo."""

    users: int
    month: int
    half_year: int
    posts: int


async def bury(tx: Tx, uri: str) -> int:
    """What has this id is deleted, or taken back, whether it came already or not."""
    return await tx.run("INSERT INTO tombstones (uri) VALUES ($1) ON CONFLICT DO NOTHING", uri)


async def buried(r: Read, uri: str) -> bool:
    """Is this deleted?"""
    return bool(await r.shared_value("SELECT EXISTS (SELECT FROM tombstones WHERE uri = $1)", uri))


async def hold(tx: Tx, uri: str) -> bool:
    """Nobody else keeps or deletes this post until the transaction ends; False when it is deleted."""
    return not await tx.value("SELECT hold_post($1)", uri)


async def unbury(tx: Tx, uri: str) -> bool:
    """Was this taken back before it came? Asked once: the answer is forgotten."""
    return bool(await tx.run("DELETE FROM tombstones WHERE uri = $1", uri))


async def prune(tx: Tx) -> int:
    """Forget what no longer matters: deliveries of a week, activities of a month, graves of three."""
    return int(
        await tx.value(
            """WITH late AS (DELETE FROM outgoing WHERE created_at < parvis_now() - interval '7 days' RETURNING 1),
                    sent AS (DELETE FROM outgoing o WHERE o.created_at < parvis_now() - interval '1 day'
                             AND NOT EXISTS (SELECT FROM deliveries d WHERE d.outgoing_id = o.id) RETURNING 1),
                    done AS (DELETE FROM activities_done WHERE done_at < parvis_now() - interval '30 days' RETURNING 1),
                    graves AS (DELETE FROM tombstones WHERE made_at < parvis_now() - interval '90 days' RETURNING 1),
                    days AS (DELETE FROM report_days WHERE day < parvis_now()::date - 1 RETURNING 1),
                    no AS (DELETE FROM inbox_refusals WHERE refused_at < parvis_now() - interval '30 days' RETURNING 1)
               SELECT (SELECT count(*) FROM late) + (SELECT count(*) FROM sent) + (SELECT count(*) FROM done)
                      + (SELECT count(*) FROM graves) + (SELECT count(*) FROM days) + (SELECT count(*) FROM no)"""
        )
    )


async def count_report(tx: Tx, host: str, most: int) -> bool:
    """Count one more report of a server today; False when it has made as many as it may."""
    return bool(await tx.run(
        """INSERT INTO report_days (host, day, made) VALUES ($1, parvis_now()::date, 1)
           ON CONFLICT (host, day) DO UPDATE SET made = report_days.made + 1 WHERE report_days.made < $2""",
        host, most,
    ))


async def send(
    tx: Tx, uri: str, account_id: int | None, body: bytes, places: Sequence[tuple[str, str]], again: bool
) -> int:
    """Write an activity and a delivery for each host and inbox, and wake the hosts; a known id makes nothing new.

    `again` brings the same activity once more: an answer that seems to have been lost. For hosts that are away nothing
    is written.
    """
    tx.ring(DELIVER)
    return await tx.run(
        """WITH places AS (SELECT w.host, w.inbox FROM unnest($4::text[], $5::text[]) AS w(host, inbox)
                           WHERE NOT EXISTS (SELECT FROM peers WHERE domain = w.host AND away_since IS NOT NULL)),
                made AS (INSERT INTO outgoing (uri, account_id, body)
                         SELECT $1::text, $2::bigint, $3::bytea WHERE EXISTS (SELECT FROM places)
                         ON CONFLICT (uri) DO UPDATE SET body = outgoing.body WHERE $6::boolean RETURNING id),
                addressed AS (INSERT INTO deliveries (host, outgoing_id, inbox)
                              SELECT places.host, made.id, places.inbox FROM made, places
                              ON CONFLICT DO NOTHING RETURNING host)
           INSERT INTO delivery_hosts (host, due_at) SELECT DISTINCT host, parvis_now() FROM addressed ORDER BY host
           ON CONFLICT (host) DO UPDATE SET due_at = CASE WHEN delivery_hosts.failures = 0
               THEN least(delivery_hosts.due_at, EXCLUDED.due_at) ELSE delivery_hosts.due_at END""",
        uri, account_id, body, [host for host, _ in places], [inbox for _, inbox in places], again,
    )


async def compare_followers(tx: Tx, uri: str) -> int:
    """With this activity goes a digest of the followers on each server that it goes to."""
    return await tx.run("UPDATE outgoing SET compared = true WHERE uri = $1", uri)


async def followers_at(r: Read, account_id: int, origin: str, most: int) -> list[str]:
    """Who follows an account among the actors of one server, whose ids begin alike; so many at most."""
    return await r.values(
        """SELECT a.uri FROM follows f JOIN accounts a ON a.id = f.account_id
           WHERE f.target_id = $1 AND f.accepted AND a.deleted_at IS NULL AND starts_with(a.uri, $2)
           ORDER BY f.id LIMIT $3""",
        account_id, origin, most,
    )


async def audience(r: Read, author: int, named: Sequence[int], followers: bool, status_id: int | None) -> list[str]:
    """The inboxes of those named, of the author's followers, and of all who answered, passed on or marked a post.

    Never of someone the author blocks, nor of someone this city no longer shows. Shared inboxes are merged.
    """
    return await r.values(
        """WITH people AS (
               SELECT unnest($2::bigint[]) AS id
               UNION SELECT account_id FROM follows WHERE $3::boolean AND target_id = $1 AND accepted
               UNION SELECT account_id FROM statuses WHERE reblog_of_id = $4 OR in_reply_to_id = $4
               UNION SELECT account_id FROM quotes WHERE quoted_id = $4
               UNION SELECT account_id FROM favourites WHERE status_id = $4)
           SELECT DISTINCT coalesce(a.shared_inbox_url, a.inbox_url) FROM accounts a JOIN people p ON p.id = a.id
           WHERE a.domain IS NOT NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL AND a.inbox_url <> ''
             AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = $1 AND b.target_id = a.id)""",
        author, list(named), followers, status_id,
    )


async def acquainted(r: Read, account_id: int) -> list[str]:
    """The inboxes of everybody who follows an account or is followed by it: who must learn that it is gone."""
    return await r.values(
        """SELECT DISTINCT coalesce(a.shared_inbox_url, a.inbox_url) FROM accounts a
           WHERE a.domain IS NOT NULL AND a.deleted_at IS NULL AND a.inbox_url <> ''
             AND (a.id IN (SELECT account_id FROM follows WHERE target_id = $1)
                  OR a.id IN (SELECT target_id FROM follows WHERE account_id = $1)
                  OR a.id IN (SELECT m.account_id FROM mentions m JOIN statuses s ON s.id = m.status_id
                              WHERE s.account_id = $1))""",
        account_id,
    )


async def deliveries(r: Read, host: str, most: int) -> list[Delivery]:
    """What goes to a host next, in the order in which it was said."""
    return await r.shared(
        Delivery,
        """SELECT d.outgoing_id, d.inbox, o.account_id, a.uri, o.body, o.compared
           FROM deliveries d JOIN outgoing o ON o.id = d.outgoing_id LEFT JOIN accounts a ON a.id = o.account_id
           WHERE d.host = $1 ORDER BY d.outgoing_id, d.inbox LIMIT $2""",
        host, most,
    )


def drop_delivery(tx: Tx, host: str, outgoing_id: int, inbox: str) -> None:
    """A delivery has arrived, or never will."""
    tx.last(
        """DELETE FROM deliveries d USING unnest($1::text[], $2::bigint[], $3::text[]) w(host, id, inbox)
           WHERE d.host = w.host AND d.outgoing_id = w.id AND d.inbox = w.inbox""",
        host, outgoing_id, inbox,
    )


async def waiting_follows(r: Read, origin: str, most: int) -> list[tuple[int, int]]:
    """Who of this city asked whom of a server, whose ids begin alike, and has no answer: those who asked last."""
    rows = await r.values(
        """SELECT ARRAY[f.account_id, f.target_id] FROM accounts a JOIN follows f ON f.target_id = a.id
           WHERE a.uri >= $1 AND a.uri < left($1, -1) || '0' AND starts_with(a.uri, $1) AND a.deleted_at IS NULL
             AND NOT f.accepted
           ORDER BY f.id DESC LIMIT $2""",
        origin, most,
    )
    return [(row[0], row[1]) for row in rows]


async def followed_here(r: Read, account_id: int) -> bool:
    """Does someone of this city follow this account?"""
    return bool(
        await r.shared_value(
            """SELECT EXISTS (SELECT FROM follows f JOIN accounts a ON a.id = f.account_id
                              WHERE f.target_id = $1 AND f.accepted AND a.domain IS NULL AND a.deleted_at IS NULL)""",
            account_id,
        )
    )


async def follow_parties(r: Read, follow_id: int) -> tuple[int, int] | None:
    """Who asked to follow whom, by the follow's own id."""
    found = await r.values("SELECT ARRAY[account_id, target_id] FROM follows WHERE id = $1", follow_id)
    return (found[0][0], found[0][1]) if found else None


async def favourite_of(r: Read, account_id: int, uri: str, target: str) -> int | None:
    """The post that an account's Like of this id, or of this post, marked."""
    found: int | None = await r.value(
        """SELECT status_id FROM favourites
           WHERE account_id = $1 AND (uri = $2 OR status_id = (SELECT id FROM statuses WHERE uri = $3)) LIMIT 1""",
        account_id, uri, target,
    )
    return found


async def blocked_by(r: Read, account_id: int, uri: str, target: str) -> int | None:
    """Whom an account's Block of this id, or of this person, blocks."""
    found: int | None = await r.value(
        """SELECT target_id FROM blocks
           WHERE account_id = $1 AND (uri = $2 OR target_id = (SELECT id FROM accounts WHERE uri = $3)) LIMIT 1""",
        account_id, uri, target,
    )
    return found


async def agreed(r: Read, quoting: str, quoted: str) -> str | None:
    """Where it was verified before that one post may quote another."""
    found: str | None = await r.value(
        """SELECT q.approval_uri FROM quotes q JOIN statuses s ON s.id = q.status_id
           WHERE s.uri = $1 AND q.quoted_uri = $2 AND q.state = 'accepted'""",
        quoting, quoted,
    )
    return found


PARTS = ("mentions", "media", "quotes", "polls")
COUNTED = ", ".join(
    f"""(coalesce((SELECT c.{name} FROM status_counts c WHERE c.status_id = s.id), 0)
        + coalesce((SELECT sum(d.{name}) FROM status_count_deltas d WHERE d.status_id = s.id), 0))::int"""
    for name in Totals.__struct_fields__
)


async def totals(r: Read, status_id: int) -> Totals:
    """A post's counts up to this moment."""
    return await r.one(Totals, f"SELECT {COUNTED} FROM statuses s WHERE s.id = $1", status_id) or Totals(0, 0, 0)


OUTLINE = f"""{COUNTED},
    emojis_in(concat_ws(' ', s.spoiler_text, s.content, (
        SELECT string_agg(o.title, ' ' ORDER BY o.choice)
        FROM polls p JOIN poll_options o ON o.poll_id = p.id WHERE p.status_id = s.id)), NULL),
    (SELECT p.uri FROM statuses p WHERE p.id = s.in_reply_to_id),
    (SELECT b.uri || '/contexts/' || f.id FROM statuses f JOIN accounts b ON b.id = f.account_id
     WHERE f.id = s.conversation_id AND f.local AND {unlocked("f", "b")} AND {unlocked("s", "a")}
       AND s.reblog_of_id IS NULL AND NOT s.reply_hidden),
    (SELECT coalesce(jsonb_agg(jsonb_build_array(s.id, t.name, t.display_name) ORDER BY t.id), '[]')
     FROM status_tags st JOIN tags t ON t.id = st.tag_id WHERE st.status_id = s.id),
    {", ".join(f"EXISTS (SELECT FROM {table} x WHERE x.status_id = s.id)" for table in PARTS)}"""
OURS = ", ".join(f"a.{name}" for name in Account.__struct_fields__)


async def outline(r: Read, status_id: int) -> Outline:
    """What there is of one of our posts: most have little of it, and of the rest nothing need be read.

    A conversation that somebody here began is listed for each of its posts that everybody may see.
    """
    found = await r.one(
        Outline, f"SELECT {OUTLINE} FROM statuses s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1", status_id
    )
    return found or Outline(0, 0, 0)


async def outlined(r: Read, status_ids: Sequence[int]) -> list[tuple[Status, Account, Outline]]:
    """The same of several posts, with themselves and their authors."""
    rows = await r.rows(
        f"""SELECT {STATUS}, {OURS}, {OUTLINE} FROM statuses s JOIN accounts a ON a.id = s.account_id
            WHERE s.id = ANY($1::bigint[])""",
        list(status_ids),
    )
    first = len(Status.__struct_fields__)
    last = first + len(Account.__struct_fields__)
    return [(Status(*row[:first]), Account(*row[first:last]), Outline(*row[last:])) for row in rows]


async def usage(r: Read) -> Usage:
    """How many people live here, and how lively they are."""
    found = await r.one(
        Usage,
        """SELECT count(*)::int,
                  count(*) FILTER (WHERE a.last_status_at > (parvis_now() - interval '30 days')::date)::int,
                  count(*) FILTER (WHERE a.last_status_at > (parvis_now() - interval '180 days')::date)::int,
                  coalesce(sum(c.statuses), 0)::int
           FROM accounts a LEFT JOIN account_counts c ON c.account_id = a.id
           WHERE a.domain IS NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL""",
    )
    return found or Usage(0, 0, 0, 0)


async def spoken(r: Read, account_id: int, before: int | None, most: int) -> list[Status]:
    """What an account said and passed on for everybody to see, newest first."""
    return await r.all(
        Status,
        f"""SELECT {STATUS} FROM seen_by(NULL) s
            WHERE s.account_id = $1 AND s.visibility IN ('public', 'unlisted') AND ($2::bigint IS NULL OR s.id < $2)
            ORDER BY s.id DESC LIMIT $3""",
        account_id, before, most,
    )


async def spoken_count(r: Read, account_id: int) -> int:
    """How much an account said and passed on for everybody to see."""
    return int(
        await r.value(
            """SELECT count(*) FROM statuses
               WHERE account_id = $1 AND visibility IN ('public', 'unlisted') AND NOT local_only
                 AND deleted_at IS NULL""",
            account_id,
        )
    )


async def open_replies(r: Read, status_id: int, most: int) -> list[str]:
    """The replies to a post that everybody may see, oldest first."""
    return await r.values(
        """SELECT s.uri FROM seen_by(NULL) s
           WHERE s.in_reply_to_id = $1 AND s.visibility IN ('public', 'unlisted') AND NOT s.reply_hidden
           ORDER BY s.id LIMIT $2""",
        status_id, most,
    )


async def conversed(r: Read, account_id: int, first_id: int, after: int, most: int) -> list[tuple[int, str]]:
    """The open posts of a conversation that somebody here began with an open post, the first first: id and address."""
    rows = await r.values(
        """SELECT jsonb_build_array(s.id, s.uri)
           FROM seen_by(NULL) f JOIN seen_by(NULL) s ON s.conversation_id = f.id
           WHERE f.id = $2 AND f.account_id = $1 AND f.local AND f.visibility IN ('public', 'unlisted') AND s.id > $3
             AND s.visibility IN ('public', 'unlisted') AND s.reblog_of_id IS NULL AND NOT s.reply_hidden
           ORDER BY s.id LIMIT $4""",
        account_id, first_id, after, most,
    )
    return [(row[0], row[1]) for row in rows]


async def conversed_count(r: Read, account_id: int, first_id: int) -> int:
    """How many open posts such a conversation has."""
    return int(
        await r.value(
            """SELECT count(*) FROM seen_by(NULL) f JOIN seen_by(NULL) s ON s.conversation_id = f.id
               WHERE f.id = $2 AND f.account_id = $1 AND f.local AND f.visibility IN ('public', 'unlisted')
                 AND s.visibility IN ('public', 'unlisted') AND s.reblog_of_id IS NULL AND NOT s.reply_hidden""",
            account_id, first_id,
        )
    )


async def unknown(r: Read, uris: Sequence[str]) -> list[str]:
    """Those of these addresses under which no post is known here, in their order."""
    return await r.values(
        """SELECT w.uri FROM unnest($1::text[]) WITH ORDINALITY AS w (uri, place)
           WHERE NOT EXISTS (SELECT FROM statuses s WHERE s.uri = w.uri) ORDER BY w.place""",
        list(uris),
    )


async def neighbours(r: Read, account_id: int, followers: bool, before: int | None, most: int) -> list[tuple[int, str]]:
    """Followers, or those followed: the follow's id and the actor, newest first."""
    rows = await r.values(
        """SELECT jsonb_build_array(f.id, a.uri) FROM follows f
           JOIN accounts a ON a.id = CASE WHEN $2::boolean THEN f.account_id ELSE f.target_id END
           WHERE CASE WHEN $2::boolean THEN f.target_id ELSE f.account_id END = $1 AND f.accepted
             AND a.deleted_at IS NULL AND a.suspended_at IS NULL AND ($3::bigint IS NULL OR f.id < $3)
           ORDER BY f.id DESC LIMIT $4""",
        account_id, followers, before, most,
    )
    return [(row[0], row[1]) for row in rows]


class Spelled(msgspec.Struct, frozen=True):
    """A hashtag and how somebody spells it."""

    name: str
    display_name: str


async def featured_tags(r: Read, account_id: int) -> list[Spelled]:
    """The hashtags that somebody shows on their profile, the first shown first."""
    return await r.all(
        Spelled,
        """SELECT t.name, f.display_name FROM featured_tags f JOIN tags t ON t.id = f.tag_id
           WHERE f.account_id = $1 ORDER BY f.id""",
        account_id,
    )


async def want_thread(tx: Tx, status_id: int) -> Refresh | None:
    """Mark a post of another server as asked for, if it was not within a quarter of an hour; how it stands."""
    return await tx.one(
        Refresh,
        """WITH made AS (
               INSERT INTO thread_fetches (status_id, asked_at)
               SELECT id, parvis_now() FROM statuses
               WHERE id = $1 AND NOT local AND visibility IN ('public', 'unlisted')
               ON CONFLICT (status_id) DO UPDATE SET asked_at = EXCLUDED.asked_at, done_at = NULL, found = 0
               WHERE thread_fetches.asked_at < EXCLUDED.asked_at - interval '15 minutes' RETURNING status_id)
           SELECT true, true, 0 FROM made
           UNION ALL SELECT false, done_at IS NULL, found FROM thread_fetches
                     WHERE status_id = $1 AND NOT EXISTS (SELECT FROM made)""",
        status_id,
    )


async def thread_found(tx: Tx, status_id: int, found: int, done: bool) -> int:
    """Write how many replies were found so far."""
    return await tx.run(
        """UPDATE thread_fetches SET found = $2, done_at = CASE WHEN $3::boolean THEN parvis_now() END
           WHERE status_id = $1""",
        status_id, found, done,
    )


async def refresh(r: Read, viewer: int, status_id: int) -> Refresh | None:
    """How far the completing of a conversation has come, for somebody who may see the post."""
    return await r.one(
        Refresh,
        """SELECT false, t.done_at IS NULL, t.found FROM thread_fetches t JOIN seen_by($1) v ON v.id = t.status_id
           WHERE t.status_id = $2""",
        viewer, status_id,
    )
