"""The SQL of the city's borders."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.borders import policy
from parvis.borders.model import DomainProposal, Entry, Preview, Review, SharedList
from parvis.notifications.model import Ties
from parvis.peers import queries as peers

LIST = """l.id, l.name, l.url, l.account_id, l.created_at, l.read_at, l.failed,
    (SELECT count(*) FROM domain_proposals p
     WHERE p.list_id = l.id AND p.withdrawn_at IS NULL AND p.settled_at IS NULL)::int"""
PROPOSALS = f"""SELECT p.id, p.list_id, l.name AS list_name, p.domain, p.severity, p.reject_media, p.reject_reports,
        p.comment, p.proposed_at, x.severity AS standing, x.id AS block_id
    FROM domain_proposals p JOIN shared_lists l ON l.id = p.list_id
    LEFT JOIN (SELECT b.id, b.domain, b.severity FROM {peers.BLOCKS}) x ON x.domain = p.domain
    WHERE p.withdrawn_at IS NULL AND p.settled_at IS NULL"""
PROPOSAL_PAGE = both_ways(
    f"""{PROPOSALS} AND p.id > $1 AND p.id < $2 AND ($4::bigint IS NULL OR p.list_id = $4)
        ORDER BY p.id DESC /*page*/ LIMIT $3"""
)


async def preview(r: Read, domain: str) -> Preview:
    """What a decision that keeps a server out, and all below its domain, would cut off at this moment."""
    return await r.one(
        Preview,
        """WITH them AS MATERIALIZED (
               SELECT a.id FROM accounts a WHERE a.domain IS NOT NULL AND a.deleted_at IS NULL
                   AND (under(a.domain, $1) OR under(split_part(a.uri, '/', 3), $1))),
               ties AS MATERIALIZED (
                   SELECT f.account_id AS ours, true AS outward, f.accepted
                   FROM them JOIN follows f ON f.target_id = them.id
                   UNION ALL
                   SELECT f.target_id, false, f.accepted FROM them JOIN follows f ON f.account_id = them.id)
           SELECT (count(*) FILTER (WHERE outward AND accepted))::int,
                  (count(*) FILTER (WHERE NOT outward AND accepted))::int,
                  (count(*) FILTER (WHERE NOT accepted))::int, count(DISTINCT ours)::int,
                  (SELECT count(*) FROM them)::int,
                  (SELECT count(*) FROM them JOIN statuses s ON s.account_id = them.id WHERE s.deleted_at IS NULL)::int,
                  (SELECT count(*) FROM them JOIN media m ON m.account_id = them.id)::int
           FROM ties""",
        domain,
    ) or Preview(0, 0, 0, 0, 0, 0, 0)


async def domain(r: Read, decision_id: int) -> str:
    """Of which server a decision is."""
    return str(await r.value("SELECT domain FROM domain_decisions WHERE id = $1", decision_id))


async def ties(r: Read, decision_id: int, restored: bool) -> list[Ties]:
    """Of whom the measure of a decision suspended follows, or to whom its end gave them back; and how many."""
    return await r.all(
        Ties,
        """SELECT account_id, followers, following FROM cut_ties WHERE decision_id = $1 AND restored = $2
           ORDER BY account_id""",
        decision_id, restored,
    )


async def due(r: Read) -> list[int]:
    """Decisions in force whose day of review has come, and of which nobody was reminded."""
    return await r.values(
        """SELECT d.id FROM domain_measures m JOIN domain_decisions d ON d.id = m.decision_id
           WHERE m.lifted_at IS NULL AND d.review_at <= parvis_now()
             AND NOT EXISTS (SELECT FROM review_reminders x WHERE x.decision_id = d.id)
           ORDER BY d.id LIMIT 100"""
    )


async def remind(tx: Tx, decision_id: int) -> list[int]:
    """Write that moderators are reminded of a decision; who they are, nobody when they were before."""
    return await tx.values(
        """WITH made AS (INSERT INTO review_reminders (decision_id) SELECT $1
                         WHERE NOT EXISTS (SELECT FROM review_reminders WHERE decision_id = $1)
                         RETURNING decision_id)
           SELECT u.account_id FROM made, users u WHERE u.role = 'moderator' AND is_moderator(u.account_id)
           ORDER BY u.account_id""",
        decision_id,
    )


async def review(r: Read, decision_id: int) -> Review | None:
    """What is to be looked at again."""
    return await r.one(
        Review,
        """SELECT block_id, domain, level::int, facts, decided_at, review_at FROM domain_decisions WHERE id = $1""",
        decision_id,
    )


async def subscribe(tx: Tx, name: str, url: str | None, by: int | None) -> int | None:
    """Insert a list; None when one with this address stands."""
    found: int | None = await tx.value(
        """INSERT INTO shared_lists (name, url, account_id) VALUES ($1, $2, $3)
           ON CONFLICT (url) WHERE ended_at IS NULL DO NOTHING RETURNING id""",
        name, url, by,
    )
    return found


async def unsubscribe(tx: Tx, list_id: int) -> bool:
    """End a list, and what it still proposes. False: there is none."""
    return bool(await tx.value(
        """WITH ended AS (UPDATE shared_lists SET ended_at = parvis_now() WHERE id = $1 AND ended_at IS NULL
                          RETURNING id),
               gone AS (UPDATE domain_proposals SET withdrawn_at = parvis_now()
                        WHERE list_id IN (SELECT id FROM ended) AND withdrawn_at IS NULL AND settled_at IS NULL)
           SELECT count(*) FROM ended""",
        list_id,
    ))


async def lists(r: Read) -> list[SharedList]:
    """The lists that are read, the newest first."""
    return await r.all(SharedList, f"SELECT {LIST} FROM shared_lists l WHERE l.ended_at IS NULL ORDER BY l.id DESC")


async def shared_list(r: Read, list_id: int) -> SharedList | None:
    """One of them."""
    return await r.one(
        SharedList, f"SELECT {LIST} FROM shared_lists l WHERE l.id = $1 AND l.ended_at IS NULL", list_id
    )


async def unread(r: Read) -> list[SharedList]:
    """Lists with an address that were not read for a day."""
    return await r.all(
        SharedList,
        f"""SELECT {LIST} FROM shared_lists l WHERE l.ended_at IS NULL AND l.url IS NOT NULL
                AND (l.read_at IS NULL OR l.read_at < parvis_now() - interval '1 day')
            ORDER BY l.read_at NULLS FIRST, l.id LIMIT 10""",
    )


async def note_read(tx: Tx, list_id: int, failed: str | None) -> int:
    """Write that a list was read, or why it could not be."""
    return await tx.run(
        "UPDATE shared_lists SET read_at = parvis_now(), failed = $2 WHERE id = $1 AND ended_at IS NULL",
        list_id, failed,
    )


async def propose(tx: Tx, list_id: int, said: Sequence[Entry]) -> int:
    """Keep what a list says anew as proposals, and what it says no more as none; how many there are more.

    What was laid aside is not proposed again until the list says something else. What was decided after the list, is in
    force, and is in it no more, is proposed to be lifted.
    """
    return await tx.run(
        """WITH said AS (SELECT * FROM unnest($2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::text[])
                             e(domain, severity, reject_media, reject_reports, comment)),
               last AS (SELECT DISTINCT ON (domain) * FROM domain_proposals WHERE list_id = $1
                        ORDER BY domain, id DESC),
               other AS (SELECT s.* FROM said s LEFT JOIN last l ON l.domain = s.domain
                         WHERE l.id IS NULL OR l.withdrawn_at IS NOT NULL
                            OR (l.severity, l.reject_media, l.reject_reports)
                               IS DISTINCT FROM (s.severity, s.reject_media, s.reject_reports)),
               ended AS (SELECT l.* FROM last l WHERE l.withdrawn_at IS NULL AND l.severity <> 'lift'
                         AND l.domain NOT IN (SELECT domain FROM said)),
               withdrawn AS (UPDATE domain_proposals p SET withdrawn_at = parvis_now() FROM last l
                             WHERE p.id = l.id AND l.withdrawn_at IS NULL AND l.settled_at IS NULL
                               AND (l.domain IN (SELECT domain FROM other) OR l.id IN (SELECT id FROM ended)))
           INSERT INTO domain_proposals (list_id, domain, severity, reject_media, reject_reports, comment)
           SELECT $1, o.domain, o.severity, o.reject_media, o.reject_reports, o.comment FROM other o
           UNION ALL
           SELECT $1, e.domain, 'lift', false, false, '' FROM ended e JOIN domain_decisions d ON d.id = e.decision_id
           WHERE EXISTS (SELECT FROM domain_measures m WHERE m.block_id = d.block_id AND m.lifted_at IS NULL)""",
        list_id, *policy.columns(said),
    )


async def proposals(r: Read, page: Page, list_id: int | None) -> list[DomainProposal]:
    """What lists propose and nobody has answered, the newest first."""
    return await r.all(
        DomainProposal, PROPOSAL_PAGE[page.upwards], page.after, page.before, page.limit, list_id
    )


async def proposal(r: Read, proposal_id: int) -> DomainProposal | None:
    """One of them."""
    return await r.one(DomainProposal, f"{PROPOSALS} AND p.id = $1", proposal_id)


async def settle(tx: Tx, proposal_id: int, by: int, decision_id: int | None, reasons: str) -> int:
    """Write how a proposal was answered, and by whom."""
    return await tx.run(
        """UPDATE domain_proposals SET settled_at = parvis_now(), settled_by = $2, decision_id = $3, reasons = $4
           WHERE id = $1 AND settled_at IS NULL AND withdrawn_at IS NULL""",
        proposal_id, by, decision_id, reasons,
    )
