"""The SQL of people and their relations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parvis.accounts.model import (
    Account,
    Follow,
    FollowWish,
    NewAccount,
    Profile,
    ProfileEdit,
    Relationship,
    Shown,
)
from parvis.base.db import Read, Tx

LET_IN = "NOT EXISTS (SELECT FROM users u WHERE u.account_id = accounts.id AND u.approved_at IS NULL)"
ACCOUNT = """id, username, domain, uri, url, actor_type, display_name, note, locked, bot, created_at, suspended_at,
    limited_at, deleted_at, moved_to_id, public_key, inbox_url, shared_inbox_url, outbox_url, followers_url,
    following_url, featured_url, fetched_at, version"""
FOLLOW = "id, account_id, target_id, accepted, show_reblogs, notify, languages, uri"


async def by_id(r: Read, account_id: int) -> Account | None:
    """One account."""
    return await r.shared_one(Account, f"SELECT {ACCOUNT} FROM accounts WHERE id = $1", account_id)


async def here(r: Read, account_id: int) -> Account | None:
    """One account, unless it waits for a moderator to let it in: until then it is nobody."""
    return await r.shared_one(Account, f"SELECT {ACCOUNT} FROM accounts WHERE id = $1 AND {LET_IN}", account_id)


async def by_ids(r: Read, account_ids: Sequence[int]) -> list[Account]:
    """Several accounts, in no order."""
    return await r.all(Account, f"SELECT {ACCOUNT} FROM accounts WHERE id = ANY($1::bigint[])", list(account_ids))


async def by_uri(r: Read, uri: str) -> Account | None:
    """The account with that ActivityPub id."""
    return await r.shared_one(Account, f"SELECT {ACCOUNT} FROM accounts WHERE uri = $1", uri)


async def by_uris(r: Read, uris: Sequence[str]) -> list[Account]:
    """Those of these ActivityPub ids that are known, in no order."""
    return await r.all(Account, f"SELECT {ACCOUNT} FROM accounts WHERE uri = ANY($1::text[])", list(uris))


async def by_handle(r: Read, username: str, domain: str | None) -> Account | None:
    """The account with that handle; domain None for this city."""
    return await r.shared_one(
        Account,
        f"""SELECT {ACCOUNT} FROM accounts
            WHERE lower(username) = lower($1) AND coalesce(lower(domain), '') = coalesce(lower($2), '') AND {LET_IN}
            ORDER BY deleted_at DESC NULLS FIRST LIMIT 1""",
        username, domain,
    )


async def by_handles(r: Read, names: Sequence[str], domains: Sequence[str]) -> list[Account]:
    """The accounts with these handles, domain '' for this city."""
    return await r.all(
        Account,
        f"""SELECT {ACCOUNT} FROM accounts
           WHERE (lower(username), coalesce(lower(domain), '')) IN
                 (SELECT lower(n), lower(d) FROM unnest($1::text[], $2::text[]) AS w(n, d))
             AND deleted_at IS NULL""",
        list(names), list(domains),
    )


async def shown(r: Read, account_ids: Sequence[int]) -> list[Shown]:
    """What else profiles show, with their counts up to this moment."""
    return await r.all(
        Shown,
        """SELECT a.id, a.note_text, a.fields, a.avatar_file, a.avatar_url, a.avatar_description, a.header_file,
                  a.header_url, a.header_description, a.discoverable, a.indexable, a.hide_collections, a.show_media,
                  a.show_media_replies, a.show_featured, a.email_subscriptions, a.attribution_domains, a.memorial,
                  a.also_known_as, a.last_status_at,
                  coalesce((a.remote_counts->>'statuses')::int, 0) + coalesce(c.statuses, 0) + coalesce(d.statuses, 0),
                  greatest(coalesce((a.remote_counts->>'followers')::int, 0),
                           coalesce(c.followers, 0) + coalesce(d.followers, 0)),
                  greatest(coalesce((a.remote_counts->>'following')::int, 0),
                           coalesce(c.following, 0) + coalesce(d.following, 0))
           FROM accounts a
           LEFT JOIN account_counts c ON c.account_id = a.id
           LEFT JOIN LATERAL (
               SELECT sum(statuses)::int AS statuses, sum(followers)::int AS followers, sum(following)::int AS following
               FROM account_count_deltas WHERE account_id = a.id) d ON true
           WHERE a.id = ANY($1::bigint[])""",
        list(account_ids),
    )


async def next_id(tx: Tx) -> int:
    """An id for an account that is about to be made: its URIs contain it."""
    return int(await tx.value("SELECT parvis_id()"))


async def add_local(tx: Tx, account_id: int, new: NewAccount, actor: str, url: str, shared_inbox: str) -> bool:
    """Insert a local account; False when the name is taken."""
    return bool(
        await tx.run(
            """INSERT INTO accounts (id, username, uri, url, display_name, public_key, private_key_sealed, inbox_url,
                                     shared_inbox_url, outbox_url, followers_url, following_url, featured_url,
                                     discoverable, invited_by_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $3 || '/inbox', $8, $3 || '/outbox', $3 || '/followers',
                       $3 || '/following', $3 || '/collections/featured', true, $9)
               ON CONFLICT DO NOTHING""",
            account_id, new.username, actor, url, new.display_name, new.public_key, new.private_key_sealed,
            shared_inbox, new.invited_by_id,
        )
    )


async def put_remote(tx: Tx, p: Profile) -> int:
    """Insert or refresh what we know of a remote account; its id. It has moved to who is known and says so, too."""
    return int(
        await tx.value(
            """INSERT INTO accounts (username, domain, uri, url, actor_type, display_name, note, fields, avatar_url,
                   header_url, locked, bot, discoverable, indexable, public_key, inbox_url, shared_inbox_url,
                   outbox_url, followers_url, following_url, featured_url, also_known_as, remote_counts, fetched_at,
                   created_at, show_media, show_media_replies, show_featured, attribution_domains, feature_automatic,
                   moved_to_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                       $22, $23, parvis_now(), coalesce($24, parvis_now()), $25, $26, $27, $28, $29,
                       (SELECT id FROM accounts WHERE uri = $30 AND uri <> $3 AND $3 = ANY(also_known_as)))
               ON CONFLICT (uri) DO UPDATE SET url = EXCLUDED.url, actor_type = EXCLUDED.actor_type,
                   display_name = EXCLUDED.display_name, note = EXCLUDED.note, fields = EXCLUDED.fields,
                   avatar_url = EXCLUDED.avatar_url, header_url = EXCLUDED.header_url, locked = EXCLUDED.locked,
                   bot = EXCLUDED.bot, discoverable = EXCLUDED.discoverable, indexable = EXCLUDED.indexable,
                   public_key = EXCLUDED.public_key, inbox_url = EXCLUDED.inbox_url,
                   shared_inbox_url = EXCLUDED.shared_inbox_url, outbox_url = EXCLUDED.outbox_url,
                   followers_url = EXCLUDED.followers_url, following_url = EXCLUDED.following_url,
                   featured_url = EXCLUDED.featured_url, also_known_as = EXCLUDED.also_known_as,
                   remote_counts = EXCLUDED.remote_counts, fetched_at = EXCLUDED.fetched_at,
                   show_media = EXCLUDED.show_media, show_media_replies = EXCLUDED.show_media_replies,
                   show_featured = EXCLUDED.show_featured, attribution_domains = EXCLUDED.attribution_domains,
                   feature_automatic = EXCLUDED.feature_automatic, moved_to_id = EXCLUDED.moved_to_id
               RETURNING id""",
            p.username, p.domain, p.uri, p.url, p.actor_type, p.display_name, p.note, p.fields, p.avatar_url,
            p.header_url, p.locked, p.bot, p.discoverable, p.indexable, p.public_key, p.inbox_url,
            p.shared_inbox_url, p.outbox_url, p.followers_url, p.following_url, p.featured_url, p.also_known_as,
            p.counts, p.created_at, p.show_media, p.show_media_replies, p.show_featured, p.attribution_domains,
            p.feature_automatic, p.moved_to,
        )
    )


async def rename_away(tx: Tx, username: str, domain: str, uri: str) -> int:
    """A handle that now belongs to another actor is taken from the account that held it."""
    return await tx.run(
        """UPDATE accounts SET deleted_at = parvis_now()
           WHERE lower(username) = lower($1) AND lower(domain) = lower($2) AND uri <> $3 AND deleted_at IS NULL""",
        username, domain, uri,
    )


async def change(tx: Tx, account_id: int, edit: ProfileEdit, given: Sequence[str]) -> int:
    """Write the given fields of a profile and leave the others."""
    return await tx.run(
        """UPDATE accounts SET
               display_name = CASE WHEN 'display_name' = ANY($2::text[]) THEN $3 ELSE display_name END,
               note = CASE WHEN 'note' = ANY($2::text[]) THEN $4 ELSE note END,
               note_text = CASE WHEN 'note_text' = ANY($2::text[]) THEN $5 ELSE note_text END,
               fields = CASE WHEN 'fields' = ANY($2::text[]) THEN $6::jsonb ELSE fields END,
               avatar_file = CASE WHEN 'avatar_file' = ANY($2::text[]) THEN $7 ELSE avatar_file END,
               avatar_description =
                   CASE WHEN 'avatar_description' = ANY($2::text[]) THEN $8 ELSE avatar_description END,
               header_file = CASE WHEN 'header_file' = ANY($2::text[]) THEN $9 ELSE header_file END,
               header_description =
                   CASE WHEN 'header_description' = ANY($2::text[]) THEN $10 ELSE header_description END,
               locked = CASE WHEN 'locked' = ANY($2::text[]) THEN $11 ELSE locked END,
               bot = CASE WHEN 'bot' = ANY($2::text[]) THEN $12 ELSE bot END,
               discoverable = CASE WHEN 'discoverable' = ANY($2::text[]) THEN $13 ELSE discoverable END,
               indexable = CASE WHEN 'indexable' = ANY($2::text[]) THEN $14 ELSE indexable END,
               hide_collections = CASE WHEN 'hide_collections' = ANY($2::text[]) THEN $15 ELSE hide_collections END,
               show_media = CASE WHEN 'show_media' = ANY($2::text[]) THEN $16 ELSE show_media END,
               show_media_replies =
                   CASE WHEN 'show_media_replies' = ANY($2::text[]) THEN $17 ELSE show_media_replies END,
               show_featured = CASE WHEN 'show_featured' = ANY($2::text[]) THEN $18 ELSE show_featured END,
               attribution_domains =
                   CASE WHEN 'attribution_domains' = ANY($2::text[]) THEN $19::text[] ELSE attribution_domains END,
               email_subscriptions =
                   CASE WHEN 'email_subscriptions' = ANY($2::text[]) THEN $20 ELSE email_subscriptions END,
               also_known_as = CASE WHEN 'also_known_as' = ANY($2::text[]) THEN $21::text[] ELSE also_known_as END
           WHERE id = $1""",
        account_id, list(given),
        *(getattr(edit, name) if name in given else None for name in edit.__struct_fields__ if name in CHANGED),
    )


CHANGED = (
    "display_name", "note", "note_text", "fields", "avatar_file", "avatar_description", "header_file",
    "header_description", "locked", "bot", "discoverable", "indexable", "hide_collections", "show_media",
    "show_media_replies", "show_featured", "attribution_domains", "email_subscriptions", "also_known_as",
)


async def redirect(tx: Tx, account_id: int, target_id: int | None) -> int:
    """Write where somebody has moved to; 0 when that is so already."""
    return await tx.run(
        "UPDATE accounts SET moved_to_id = $2 WHERE id = $1 AND moved_to_id IS DISTINCT FROM $2", account_id, target_id
    )


async def close(tx: Tx, account_id: int) -> int:
    """Mark an account as gone; its words and pictures leave with it."""
    return await tx.run(
        """UPDATE accounts SET deleted_at = parvis_now(), display_name = '', note = '', note_text = '', fields = '[]',
               avatar_file = NULL, avatar_url = NULL, header_file = NULL, header_url = NULL
           WHERE id = $1 AND deleted_at IS NULL""",
        account_id,
    )


async def private_key(r: Read, account_id: int) -> bytes | None:
    """The sealed private key of a local account."""
    found: bytes | None = await r.value("SELECT private_key_sealed FROM accounts WHERE id = $1", account_id)
    return found


async def follow_between(r: Read, account_id: int, target_id: int) -> Follow | None:
    """The follow from one to the other, accepted or waiting."""
    return await r.one(
        Follow,
        f"""SELECT {FOLLOW} FROM follows WHERE account_id = $1 AND target_id = $2""",
        account_id, target_id,
    )


async def follow_by_uri(r: Read, uri: str) -> Follow | None:
    """The follow that a Follow activity made."""
    return await r.one(Follow, f"SELECT {FOLLOW} FROM follows WHERE uri = $1", uri)


async def put_follow(tx: Tx, by: int, target: int, accepted: bool, wish: FollowWish, uri: str | None) -> Follow | None:
    """Insert a follow, or change how it is wished; its row. An accepted follow stays accepted."""
    return await tx.one(
        Follow,
        f"""INSERT INTO follows (account_id, target_id, accepted, show_reblogs, notify, languages, uri)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (account_id, target_id) DO UPDATE SET show_reblogs = EXCLUDED.show_reblogs,
               notify = EXCLUDED.notify, languages = EXCLUDED.languages,
               accepted = follows.accepted OR EXCLUDED.accepted, uri = coalesce(EXCLUDED.uri, follows.uri)
           RETURNING {FOLLOW}""",
        by, target, accepted, wish.reblogs, wish.notify, wish.languages, uri,
    )


async def accept_follow(tx: Tx, account_id: int, target_id: int) -> Follow | None:
    """A waiting follow comes into force; None when none was waiting."""
    return await tx.one(
        Follow,
        f"""UPDATE follows SET accepted = true WHERE account_id = $1 AND target_id = $2 AND NOT accepted
           RETURNING {FOLLOW}""",
        account_id, target_id,
    )


async def drop_follow(tx: Tx, account_id: int, target_id: int) -> Follow | None:
    """Remove a follow, or one that is suspended; what it was, or None: that one was in force no more."""
    return await tx.one(
        Follow,
        f"""WITH held AS (DELETE FROM suspended_follows WHERE account_id = $1 AND target_id = $2)
           DELETE FROM follows WHERE account_id = $1 AND target_id = $2
           RETURNING {FOLLOW}""",
        account_id, target_id,
    )


async def count_follow(tx: Tx, account_id: int, target_id: int, step: int) -> int:
    """One follow more (or less) on both sides."""
    return await tx.run(
        """INSERT INTO account_count_deltas (account_id, followers, following)
           VALUES ($1, 0, $3::int), ($2, $3::int, 0)""",
        account_id, target_id, step,
    )


async def count_status(tx: Tx, account_id: int) -> None:
    """One post more, when all else is done."""
    tx.last(
        """INSERT INTO account_count_deltas (account_id, statuses)
           SELECT id, count(*) FROM unnest($1::bigint[]) id GROUP BY id""",
        account_id,
    )


async def count_statuses(tx: Tx, account_ids: Sequence[int], step: int) -> int:
    """One post more (or less) for each of these."""
    return await tx.run(
        "INSERT INTO account_count_deltas (account_id, statuses) SELECT unnest($1::bigint[]), $2",
        list(account_ids), step,
    )


async def fold_counts(tx: Tx) -> int:
    """Add waiting deltas to their bases, and write down who has posted today; how many were folded."""
    # By their greatest id: joined with itself, as planned when it was empty, the table took 0.2 s for a thousand.
    return int(
        await tx.value(
            """WITH taken AS (
                   DELETE FROM account_count_deltas
                   WHERE id <= (SELECT max(id) FROM (SELECT id FROM account_count_deltas ORDER BY id LIMIT 5000) f)
                   RETURNING account_id, statuses, followers, following),
               summed AS (SELECT account_id, sum(statuses)::int AS statuses, sum(followers)::int AS followers,
                                 sum(following)::int AS following FROM taken GROUP BY account_id),
               folded AS (
                   INSERT INTO account_counts (account_id, statuses, followers, following)
                   SELECT account_id, statuses, followers, following FROM summed ORDER BY account_id
                   ON CONFLICT (account_id) DO UPDATE SET statuses = account_counts.statuses + EXCLUDED.statuses,
                       followers = account_counts.followers + EXCLUDED.followers,
                       following = account_counts.following + EXCLUDED.following),
               dated AS (
                   UPDATE accounts SET last_status_at = (parvis_now() AT TIME ZONE 'UTC')::date
                   WHERE id IN (SELECT account_id FROM summed WHERE statuses > 0)
                     AND (last_status_at IS NULL OR last_status_at < (parvis_now() AT TIME ZONE 'UTC')::date))
               SELECT count(*)::int FROM taken"""
        )
    )


async def put_block(tx: Tx, by: int, target: int, uri: str | None) -> int | None:
    """Insert a block; its id, or None when it stood already."""
    found: int | None = await tx.value(
        "INSERT INTO blocks (account_id, target_id, uri) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
        by, target, uri,
    )
    return found


async def drop_block(tx: Tx, by: int, target: int) -> int | None:
    """Remove a block; the id it had, or None."""
    found: int | None = await tx.value(
        "DELETE FROM blocks WHERE account_id = $1 AND target_id = $2 RETURNING id", by, target
    )
    return found


async def put_mute(tx: Tx, by: int, target: int, notifications: bool, until: datetime | None) -> int:
    """Insert or change a mute."""
    return await tx.run(
        """INSERT INTO mutes (account_id, target_id, notifications, until) VALUES ($1, $2, $3, $4)
           ON CONFLICT (account_id, target_id) DO UPDATE
           SET notifications = EXCLUDED.notifications, until = EXCLUDED.until""",
        by, target, notifications, until,
    )


async def drop_mute(tx: Tx, by: int, target: int) -> int:
    """Remove a mute."""
    return await tx.run("DELETE FROM mutes WHERE account_id = $1 AND target_id = $2", by, target)


async def put_domain_block(tx: Tx, by: int, domain: str) -> int:
    """Insert a block of a domain; 0 when it stood already."""
    return await tx.run(
        "INSERT INTO domain_blocks (account_id, domain) VALUES ($1, $2) ON CONFLICT DO NOTHING", by, domain
    )


async def drop_domain_block(tx: Tx, by: int, domain: str) -> int:
    """Remove a block of a domain."""
    return await tx.run("DELETE FROM domain_blocks WHERE account_id = $1 AND domain = $2", by, domain)


async def blocks_domain(r: Read, account_id: int, domain: str) -> bool:
    """Does somebody block this domain?"""
    return bool(
        await r.value(
            "SELECT EXISTS (SELECT FROM domain_blocks WHERE account_id = $1 AND domain = $2)", account_id, domain
        )
    )


async def drop_follows_across(tx: Tx, account_id: int, domain: str) -> list[Follow]:
    """Remove all follows and requests between somebody and a domain, both ways, and their counts; what they were."""
    return await tx.all(
        Follow,
        f"""WITH gone AS (
                DELETE FROM follows WHERE id IN (
                    SELECT f.id FROM follows f JOIN accounts a ON a.id = f.target_id
                    WHERE f.account_id = $1 AND a.domain = $2
                    UNION ALL
                    SELECT f.id FROM follows f JOIN accounts a ON a.id = f.account_id
                    WHERE f.target_id = $1 AND a.domain = $2)
                RETURNING {FOLLOW}),
            held AS (DELETE FROM suspended_follows s USING accounts a WHERE a.domain = $2
                         AND (s.account_id = $1 AND a.id = s.target_id OR s.target_id = $1 AND a.id = s.account_id)),
            counted AS (
                INSERT INTO account_count_deltas (account_id, followers, following)
                SELECT account_id, 0, -1 FROM gone WHERE accepted
                UNION ALL SELECT target_id, -1, 0 FROM gone WHERE accepted)
            SELECT {FOLLOW} FROM gone ORDER BY id""",
        account_id, domain,
    )


async def drop_ties(tx: Tx, account_id: int) -> int:
    """Remove what stands between somebody and others, and take their follows from the others' counts."""
    return await tx.run(
        """WITH gone AS (DELETE FROM follows WHERE account_id = $1 OR target_id = $1
                         RETURNING account_id, target_id, accepted),
                s AS (DELETE FROM suspended_follows WHERE account_id = $1 OR target_id = $1),
                b AS (DELETE FROM blocks WHERE account_id = $1 OR target_id = $1),
                m AS (DELETE FROM mutes WHERE account_id = $1 OR target_id = $1),
                d AS (DELETE FROM domain_blocks WHERE account_id = $1),
                n AS (DELETE FROM account_notes WHERE account_id = $1 OR target_id = $1)
           INSERT INTO account_count_deltas (account_id, followers, following)
           SELECT account_id, 0, -1 FROM gone WHERE accepted
           UNION ALL SELECT target_id, -1, 0 FROM gone WHERE accepted""",
        account_id,
    )


async def put_note(tx: Tx, by: int, target: int, comment: str) -> int:
    """Write a private note about someone."""
    return await tx.run(
        """INSERT INTO account_notes (account_id, target_id, comment) VALUES ($1, $2, $3)
           ON CONFLICT (account_id, target_id) DO UPDATE SET comment = EXCLUDED.comment""",
        by, target, comment,
    )


async def relationships(r: Read, viewer: int, account_ids: Sequence[int]) -> list[Relationship]:
    """How a viewer stands to each of these accounts; unknown ids are left out."""
    return await r.all(
        Relationship,
        """SELECT a.id, coalesce(f.accepted, false), coalesce(NOT f.accepted, false),
                  coalesce(f.accepted AND f.show_reblogs, false), coalesce(f.accepted AND f.notify, false), f.languages,
                  coalesce(b.accepted, false), coalesce(NOT b.accepted, false),
                  EXISTS (SELECT FROM blocks x WHERE x.account_id = $1 AND x.target_id = a.id),
                  EXISTS (SELECT FROM blocks x WHERE x.account_id = a.id AND x.target_id = $1),
                  m.account_id IS NOT NULL, coalesce(m.notifications, false), m.until,
                  EXISTS (SELECT FROM domain_blocks x WHERE x.account_id = $1 AND x.domain = a.domain),
                  EXISTS (SELECT FROM endorsements e WHERE e.account_id = $1 AND e.target_id = a.id),
                  coalesce(n.comment, '')
           FROM accounts a
           LEFT JOIN follows f ON f.account_id = $1 AND f.target_id = a.id
           LEFT JOIN follows b ON b.account_id = a.id AND b.target_id = $1
           LEFT JOIN mutes m ON m.account_id = $1 AND m.target_id = a.id
                            AND (m.until IS NULL OR m.until > parvis_now())
           LEFT JOIN account_notes n ON n.account_id = $1 AND n.target_id = a.id
           WHERE a.id = ANY($2::bigint[])""",
        viewer, list(account_ids),
    )


async def requests_count(r: Read, account_id: int) -> int:
    """How many ask to follow."""
    return int(
        await r.value("SELECT count(*)::int FROM follows WHERE target_id = $1 AND NOT accepted", account_id)
    )


async def familiar_followers(r: Read, viewer: int, account_id: int) -> list[int]:
    """Those a viewer follows who follow this account, unless it hides them."""
    return await r.values(
        """SELECT f.account_id FROM follows f JOIN follows mine ON mine.target_id = f.account_id
           JOIN accounts a ON a.id = f.target_id
           WHERE f.target_id = $2 AND f.accepted AND mine.account_id = $1 AND mine.accepted AND NOT a.hide_collections
           ORDER BY f.id DESC LIMIT 40""",
        viewer, account_id,
    )


async def verify_field(tx: Tx, account_id: int, value_text: str, moment: str) -> int:
    """Note since when the page behind a field of a profile is known to be this person's."""
    return await tx.run(
        """UPDATE accounts SET fields = (
               SELECT jsonb_agg(CASE WHEN f->>'value_text' = $2::text
                                     THEN f || jsonb_build_object('verified_at', $3::text) ELSE f END ORDER BY place)
               FROM jsonb_array_elements(fields) WITH ORDINALITY AS w(f, place))
           WHERE id = $1 AND domain IS NULL AND fields <> '[]'""",
        account_id, value_text, moment,
    )


async def put_endorsement(tx: Tx, by: int, target: int) -> bool:
    """Recommend somebody on one's profile; False when they are not followed, or it stood already."""
    return bool(
        await tx.run(
            """INSERT INTO endorsements (account_id, target_id)
               SELECT account_id, target_id FROM follows WHERE account_id = $1 AND target_id = $2 AND accepted
               FOR KEY SHARE
               ON CONFLICT DO NOTHING""",
            by, target,
        )
    )


async def drop_endorsement(tx: Tx, by: int, target: int) -> int:
    """Recommend somebody no more."""
    return await tx.run("DELETE FROM endorsements WHERE account_id = $1 AND target_id = $2", by, target)
