"""The SQL of polls."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.polls.model import Cast, NewPoll, Option, Poll, PollEnded, PollTallied

POLL = """p.id, p.status_id, p.account_id, p.local, p.multiple, p.hide_totals, p.expires_at, p.fetched_at"""


async def by_id(r: Read, poll_id: int) -> Poll | None:
    """A poll, whoever may see the post that asks."""
    return await r.one(Poll, f"SELECT {POLL} FROM polls p WHERE p.id = $1", poll_id)


async def of_status(r: Read, status_id: int) -> Poll | None:
    """The poll of a post."""
    return await r.one(Poll, f"SELECT {POLL} FROM polls p WHERE p.status_id = $1", status_id)


async def options(r: Read, poll_id: int) -> list[Option]:
    """The answers of a poll in their order, with their counts up to this moment."""
    return await r.all(
        Option,
        """SELECT o.choice, o.title, greatest(0, o.votes + coalesce((
               SELECT sum(d.votes) FROM poll_count_deltas d
               WHERE d.poll_id = o.poll_id AND d.choice = o.choice), 0))::int
           FROM poll_options o WHERE o.poll_id = $1 ORDER BY o.choice""",
        poll_id,
    )


async def voters(r: Read, poll_id: int) -> int | None:
    """How many people voted up to this moment; None when another server does not say."""
    found: int | None = await r.value(
        """SELECT (p.voters + coalesce((SELECT sum(d.voters) FROM poll_count_deltas d WHERE d.poll_id = p.id), 0))::int
           FROM polls p WHERE p.id = $1""",
        poll_id,
    )
    return found


async def choices(r: Read, poll_id: int, account_id: int) -> list[int]:
    """What somebody chose."""
    return await r.values(
        "SELECT choice FROM poll_votes WHERE poll_id = $1 AND account_id = $2 ORDER BY choice", poll_id, account_id
    )


async def cast(r: Read, vote_ids: Sequence[int]) -> list[Cast]:
    """Votes with the words that were chosen."""
    return await r.all(
        Cast,
        """SELECT v.id, v.choice, o.title FROM poll_votes v
           JOIN poll_options o ON o.poll_id = v.poll_id AND o.choice = v.choice
           WHERE v.id = ANY($1::bigint[]) ORDER BY v.choice""",
        list(vote_ids),
    )


async def voted_here(r: Read, poll_id: int) -> bool:
    """Has somebody who lives here voted?"""
    return bool(
        await r.value(
            """SELECT EXISTS (SELECT FROM poll_votes v JOIN accounts a ON a.id = v.account_id
                              WHERE v.poll_id = $1 AND a.domain IS NULL)""",
            poll_id,
        )
    )


async def voted_from_elsewhere(r: Read, poll_id: int) -> list[str]:
    """The inboxes of those who voted from other servers, shared ones merged."""
    return await r.values(
        """SELECT DISTINCT coalesce(a.shared_inbox_url, a.inbox_url) FROM poll_votes v
           JOIN accounts a ON a.id = v.account_id JOIN polls p ON p.id = v.poll_id
           WHERE v.poll_id = $1 AND a.domain IS NOT NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL
             AND a.inbox_url <> ''
             AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = p.account_id AND b.target_id = a.id)""",
        poll_id,
    )


async def add(tx: Tx, status_id: int, account_id: int, local: bool, poll: NewPoll) -> int:
    """Insert a poll without its answers; its id."""
    return int(
        await tx.value(
            """INSERT INTO polls (status_id, account_id, local, multiple, hide_totals, expires_at, ends_due_at, voters)
               VALUES ($1, $2, $3, $4, $5, $6::timestamptz, CASE WHEN $6 > parvis_now() THEN $6 END, $7)
               RETURNING id""",
            status_id, account_id, local, poll.multiple, poll.hide_totals, poll.expires_at, poll.voters,
        )
    )


async def put_options(tx: Tx, poll_id: int, titles: Sequence[str]) -> int:
    """Insert the answers of a poll that has none."""
    return await tx.run(
        """INSERT INTO poll_options (poll_id, choice, title)
           SELECT $1::bigint, place - 1, title FROM unnest($2::text[]) WITH ORDINALITY AS w(title, place)""",
        poll_id, list(titles),
    )


async def held(tx: Tx, poll_id: int) -> bool:
    """Keep a poll as it is until this transaction ends: its answers are not exchanged under a vote."""
    return bool(await tx.run("SELECT FROM polls WHERE id = $1 FOR KEY SHARE", poll_id))


async def seized(tx: Tx, poll_id: int) -> bool:
    """Have a poll for oneself until this transaction ends: votes under way come before, others after."""
    return bool(await tx.run("SELECT FROM polls WHERE id = $1 FOR UPDATE", poll_id))


async def add_votes(tx: Tx, poll_id: int, account_id: int, chosen: Sequence[int], uri: str | None) -> list[int]:
    """Insert what somebody chose; the ids of the votes."""
    return await tx.values(
        """INSERT INTO poll_votes (poll_id, account_id, choice, uri)
           SELECT $1::bigint, $2::bigint, choice, $4::text FROM unnest($3::int[]) choice RETURNING id""",
        poll_id, account_id, list(chosen), uri,
    )


async def count(tx: Tx, poll_id: int, chosen: Sequence[int], voters: int) -> int:
    """One vote more for each of these choices, and so many voters more."""
    return await tx.run(
        """INSERT INTO poll_count_deltas (poll_id, choice, votes, voters)
           SELECT $1::bigint, choice, 1, CASE WHEN place = 1 THEN $3::int ELSE 0 END
           FROM unnest($2::int[]) WITH ORDINALITY AS w(choice, place)""",
        poll_id, list(chosen), voters,
    )


async def tally_later(tx: Tx, poll_id: int) -> int:
    """Other servers are told of new votes within three minutes, once for all votes until then."""
    return await tx.run(
        """UPDATE polls SET tally_due_at = parvis_now() + interval '3 minutes'
           WHERE id = $1 AND local AND tally_due_at IS NULL""",
        poll_id,
    )


async def revise(tx: Tx, poll_id: int, poll: NewPoll) -> int:
    """Write how a poll is held from now on. An end that comes earlier than expected is still to be told."""
    return await tx.run(
        """UPDATE polls SET multiple = $2, hide_totals = $3, expires_at = $4::timestamptz, fetched_at = parvis_now(),
                            ends_due_at = CASE WHEN $4 > parvis_now() OR ends_due_at IS NOT NULL THEN $4 END
           WHERE id = $1""",
        poll_id, poll.multiple, poll.hide_totals, poll.expires_at,
    )


async def forget_votes(tx: Tx, poll_id: int) -> int:
    """Drop all votes of a poll."""
    return await tx.run("DELETE FROM poll_votes WHERE poll_id = $1", poll_id)


async def forget_options(tx: Tx, poll_id: int) -> int:
    """Drop the answers of a poll."""
    return await tx.run("DELETE FROM poll_options WHERE poll_id = $1", poll_id)


async def forget_deltas(tx: Tx, poll_id: int) -> int:
    """Drop counts that wait to be folded."""
    return await tx.run("DELETE FROM poll_count_deltas WHERE poll_id = $1", poll_id)


async def put_voters(tx: Tx, poll_id: int, voters: int | None) -> int:
    """Write how many people voted, if that is known; never fewer than are known here."""
    return await tx.run(
        """UPDATE polls SET fetched_at = parvis_now(), voters = CASE WHEN $2::int IS NOT NULL THEN greatest($2, (
               SELECT count(DISTINCT account_id) FROM poll_votes WHERE poll_id = $1)::int) END
           WHERE id = $1""",
        poll_id, voters,
    )


async def put_votes(tx: Tx, poll_id: int, votes: Sequence[int]) -> int:
    """Write what another server has counted; a vote known here is never missing."""
    return await tx.run(
        """UPDATE poll_options SET votes = greatest(w.votes, (
               SELECT count(*) FROM poll_votes v WHERE v.poll_id = $1 AND v.choice = poll_options.choice)::int)
           FROM unnest($2::int[]) WITH ORDINALITY AS w(votes, place)
           WHERE poll_options.poll_id = $1 AND poll_options.choice = w.place - 1""",
        poll_id, list(votes),
    )


async def asked(tx: Tx, poll_id: int) -> bool:
    """True when nobody has asked its server within the last minute; the caller asks now."""
    return bool(
        await tx.run(
            """UPDATE polls SET fetched_at = parvis_now()
               WHERE id = $1 AND fetched_at < parvis_now() - interval '1 minute'""",
            poll_id,
        )
    )


async def drop(tx: Tx, poll_id: int) -> int:
    """A post asks nothing any more."""
    return await tx.run("DELETE FROM polls WHERE id = $1", poll_id)


async def end_due(tx: Tx, most: int) -> list[PollEnded]:
    """Polls whose time is over and whose end was not told yet; told now."""
    return await tx.all(
        PollEnded,
        """UPDATE polls SET ends_due_at = NULL, tally_due_at = NULL
           WHERE id IN (SELECT id FROM polls WHERE ends_due_at <= parvis_now()
                        ORDER BY ends_due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING id, status_id AS status, account_id AS account, (extract(epoch FROM expires_at) * 1000)::bigint""",
        most,
    )


async def tally_due(tx: Tx, most: int) -> list[PollTallied]:
    """Polls of this city with new votes that other servers are to be told of; told now."""
    return await tx.all(
        PollTallied,
        """UPDATE polls SET tally_due_at = NULL
           WHERE id IN (SELECT id FROM polls WHERE tally_due_at <= parvis_now()
                        ORDER BY tally_due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING id, status_id AS status, account_id AS account,
                     (extract(epoch FROM parvis_now()) * 1000)::bigint""",
        most,
    )


async def fold_counts(tx: Tx) -> int:
    """Add waiting deltas to their bases; how many were folded. A poll that somebody has seized waits."""
    return int(
        await tx.value(
            """WITH taken AS (
                   DELETE FROM poll_count_deltas WHERE id IN (
                       SELECT d.id FROM poll_count_deltas d JOIN polls p ON p.id = d.poll_id
                       ORDER BY d.id LIMIT 5000 FOR UPDATE OF d SKIP LOCKED FOR KEY SHARE OF p SKIP LOCKED)
                   RETURNING poll_id, choice, votes, voters),
               summed AS (SELECT poll_id, choice, sum(votes)::int AS votes FROM taken GROUP BY poll_id, choice),
               folded AS (
                   UPDATE poll_options SET votes = poll_options.votes + summed.votes FROM summed
                   WHERE poll_options.poll_id = summed.poll_id AND poll_options.choice = summed.choice),
               people AS (SELECT poll_id, sum(voters)::int AS voters FROM taken GROUP BY poll_id),
               counted AS (
                   UPDATE polls SET voters = polls.voters + people.voters FROM people WHERE polls.id = people.poll_id)
               SELECT count(*)::int FROM taken"""
        )
    )
