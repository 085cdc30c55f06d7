"""The SQL of the charter. Only charter_promulgate and charter_found write articles: nothing else is granted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from parvis.base.db import Read, Tx
from parvis.charter.model import (
    Article,
    CharterVersion,
    Due,
    Marks,
    Outcome,
    Proposal,
    ProposalDraft,
    Question,
    State,
)

ARTICLE = """v.id, v.number, a.title, v.heading, v.text, v.text_en, v.scope, v.ceiling, lower(v.in_force),
    upper(v.in_force), v.provisional, v.charter_version, v.parameters, v.dsa_category,
    (SELECT count(*) FROM article_versions o WHERE o.number = v.number)::int"""
ORDER = "array_position(ARRAY['I', 'II', 'III', 'IV', 'V'], a.title), a.position"
VERSION = "number, encode(hash, 'hex'), encode(previous, 'hex'), adopted_at, in_force_from, proposal_id"
PROPOSAL = """p.id, p.author_id, p.title, p.text, p.scope, p.ceiling, p.article, p.parameters, p.state, p.created_at,
    p.due_at, (SELECT count(*) FROM proposal_supports s WHERE s.proposal_id = p.id)::int, p.support_needed, p.quorum,
    encode(p.question_hash, 'hex'), p.box_id, b.opens_at, b.closes_at, c.number"""
PROPOSALS = """proposals p LEFT JOIN ballot_boxes b ON b.id = p.box_id
    LEFT JOIN charter_versions c ON c.proposal_id = p.id"""


async def in_force(r: Read, at: datetime | None = None) -> list[Article]:
    """The articles in force at a moment, or now, in the order of the charter."""
    return await r.all(
        Article,
        f"""SELECT {ARTICLE} FROM article_versions v JOIN articles a USING (number)
            WHERE v.in_force @> coalesce($1::timestamptz, parvis_now()) ORDER BY {ORDER}""",
        at,
    )


async def history(r: Read, number: str) -> list[Article]:
    """Every version of one article, the newest first; those not yet in force too."""
    return await r.all(
        Article,
        f"""SELECT {ARTICLE} FROM article_versions v JOIN articles a USING (number)
            WHERE v.number = $1 ORDER BY lower(v.in_force) DESC""",
        number,
    )


async def article(r: Read, number: str, at: datetime | None = None) -> Article | None:
    """One article as it stands at a moment, or now."""
    return await r.one(
        Article,
        f"""SELECT {ARTICLE} FROM article_versions v JOIN articles a USING (number)
            WHERE v.number = $1 AND v.in_force @> coalesce($2::timestamptz, parvis_now())""",
        number, at,
    )


async def versions_by_id(r: Read, ids: Sequence[int]) -> list[Article]:
    """Article versions by their ids."""
    return await r.all(
        Article,
        f"""SELECT {ARTICLE} FROM article_versions v JOIN articles a USING (number)
            WHERE v.id = ANY($1::bigint[]) ORDER BY {ORDER}""",
        list(ids),
    )


async def charter_versions(r: Read) -> list[CharterVersion]:
    """Every charter, the newest first."""
    return await r.all(CharterVersion, f"SELECT {VERSION} FROM charter_versions ORDER BY charter_versions.number DESC")


async def charter_version(r: Read, number: int) -> CharterVersion | None:
    """One charter."""
    return await r.one(CharterVersion, f"SELECT {VERSION} FROM charter_versions WHERE number = $1", number)


async def current_version(r: Read) -> CharterVersion | None:
    """The charter in force; None before one is laid."""
    return await r.one(
        CharterVersion,
        f"""SELECT {VERSION} FROM charter_versions WHERE in_force_from <= parvis_now()
            ORDER BY charter_versions.number DESC LIMIT 1""",
    )


async def broken_hashes(r: Read) -> list[int]:
    """The charters whose fingerprint is not that of their articles, or not chained to the one before."""
    return [int(number) for number in await r.values(
        """SELECT c.number FROM charter_versions c LEFT JOIN charter_versions b ON b.number = c.number - 1
           WHERE c.hash <> charter_hash(c.number) OR c.previous IS DISTINCT FROM b.hash ORDER BY 1"""
    )]


async def terms(r: Read) -> dict[str, Any]:
    """Every number and duration of Title I as it stands now."""
    return dict(await r.value("SELECT charter_terms(parvis_now())"))


async def found(tx: Tx, document: dict[str, Any]) -> bytes:
    """Lay the first charter; only the owner of the database may."""
    return bytes(await tx.value("SELECT charter_found($1)", document))


async def proposals(r: Read, before: int | None, limit: int, states: Sequence[str] | None = None) -> list[Proposal]:
    """Proposals, the newest first."""
    return await r.all(
        Proposal,
        f"""SELECT {PROPOSAL} FROM {PROPOSALS}
            WHERE p.id < coalesce($1::bigint, 9223372036854775807) AND ($3::text[] IS NULL OR p.state = ANY ($3))
            ORDER BY p.id DESC LIMIT $2""",
        before, limit, None if states is None else list(states),
    )


async def proposal(r: Read, proposal_id: int) -> Proposal | None:
    """One proposal."""
    return await r.one(Proposal, f"SELECT {PROPOSAL} FROM {PROPOSALS} WHERE p.id = $1", proposal_id)


async def marks(r: Read, proposal_id: int, account_id: int) -> Marks | None:
    """What someone has done about a proposal."""
    return await r.one(
        Marks,
        """SELECT EXISTS (SELECT FROM proposal_supports s WHERE s.proposal_id = p.id AND s.account_id = $2),
               EXISTS (SELECT FROM ballots b WHERE b.box_id = p.box_id AND b.voter = $2)
           FROM proposals p WHERE p.id = $1""",
        proposal_id, account_id,
    )


async def add_proposal(tx: Tx, author_id: int, draft: ProposalDraft) -> int:
    """Write a proposal; its state and dates are the database's."""
    return int(await tx.value(
        """INSERT INTO proposals (author_id, title, text, scope, ceiling, article, parameters)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id""",
        author_id, draft.title.strip(), draft.text.strip(), draft.scope, draft.ceiling, draft.article, draft.parameters,
    ))


async def add_support(tx: Tx, proposal_id: int, account_id: int) -> bool:
    """Support a proposal; False when it was supported already."""
    return bool(await tx.run(
        "INSERT INTO proposal_supports (proposal_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        proposal_id, account_id,
    ))


async def drop_support(tx: Tx, proposal_id: int, account_id: int) -> bool:
    """Support it no more."""
    return bool(await tx.run(
        "DELETE FROM proposal_supports WHERE proposal_id = $1 AND account_id = $2", proposal_id, account_id
    ))


async def due(r: Read, proposal_id: int | None = None) -> list[Due]:
    """Proposals whose date has come, or whose support is found: all of them, or one if it is."""
    return await r.all(
        Due,
        """SELECT * FROM (
               SELECT p.id, p.state, (SELECT count(*) FROM proposal_supports s WHERE s.proposal_id = p.id
                   AND is_resident(s.account_id, parvis_now()))::int AS supports,
                   p.support_needed, p.due_at <= parvis_now() AND (p.state <> 'contest'
                       OR coalesce(charter_contest_until(p) <= parvis_now(), false)) AS past_due
               FROM proposals p WHERE p.due_at IS NOT NULL AND ($1::bigint IS NULL OR p.id = $1)) d
           WHERE past_due OR (state = 'support' AND supports >= support_needed) ORDER BY id""",
        proposal_id,
    )


async def question(r: Read, proposal_id: int) -> Question | None:
    """What will be asked, as it is frozen, and how long one may vote."""
    return await r.one(
        Question,
        """SELECT sha256(charter_question(p)), charter_terms(parvis_now()) ->> 'vote_time'
           FROM proposals p WHERE p.id = $1""",
        proposal_id,
    )


async def outcome(r: Read, proposal_id: int) -> Outcome | None:
    """What the ballots say; the database refuses it while the vote is open."""
    return await r.one(
        Outcome, "SELECT voters::bigint, enough, winner, adopted FROM charter_outcome($1)", proposal_id
    )


async def move(tx: Tx, proposal_id: int, before: State, after: State, box_id: int | None = None) -> bool:
    """Change a proposal's state; the database checks that the step is due. False: someone else was first."""
    return bool(await tx.run(
        "UPDATE proposals SET state = $3, box_id = coalesce($4, box_id) WHERE id = $1 AND state = $2",
        proposal_id, before.value, after.value, box_id,
    ))


async def promulgate(tx: Tx, proposal_id: int) -> int:
    """Write the next version of the charter; the database counts the ballots again first."""
    return int(await tx.value("SELECT charter_promulgate($1)", proposal_id))
