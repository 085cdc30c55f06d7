"""The charter, proposals, ballots and the register. Fixed from now on: others build on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from parvis.api.call import Call, Nothing, get, post
from parvis.ballots.majority import Mention
from parvis.base.clock import mastodon_time
from parvis.base.errors import Invalid, NotFound
from parvis.charter import actions as charter
from parvis.charter import policy, queries
from parvis.charter.model import Article, CharterVersion, Proposal, ProposalDraft, Tally
from parvis.ledger import actions as ledger
from parvis.ledger import queries as record
from parvis.moderation import actions as moderation
from parvis.moderation import queries as cases
from parvis.moderation.model import RegisterEntry

SHORT = 300


class NewProposal(msgspec.Struct, frozen=True, kw_only=True):
    """What a resident proposes."""

    title: str
    text: str
    ceiling: int = 1
    scope: str = "posts"
    article: str | None = None
    parameters: dict[str, str] = {}


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal."""

    id: int


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """A mention for each option."""

    id: int
    grades: dict[str, str]


class ProposalPage(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the proposals."""

    max_id: int | None = None
    limit: int = 20
    state: list[str] = []


class ArticleAt(msgspec.Struct, frozen=True, kw_only=True):
    """An article at a moment."""

    number: str
    at: datetime | None = None


def _moment(when: datetime | None) -> str | None:
    return None if when is None else mastodon_time(when)


def article(row: Article, base: str) -> dict[str, Any]:
    """One version of an article."""
    return {
        "id": str(row.id), "number": row.number, "title": row.title, "heading": row.heading, "text": row.text,
        "text_en": row.text_en, "scope": row.scope, "ceiling": row.ceiling,
        "in_force_from": _moment(row.in_force_from), "in_force_until": _moment(row.in_force_until),
        "provisional": row.provisional, "charter_version": row.charter_version, "parameters": row.parameters,
        "dsa_category": row.dsa_category, "url": f"{base}/charter/articles/{row.number}",
    }


def version(row: CharterVersion) -> dict[str, Any]:
    """One state of the charter."""
    return {
        "number": row.number, "hash": row.hash, "previous": row.previous, "adopted_at": _moment(row.adopted_at),
        "in_force_from": _moment(row.in_force_from),
        "proposal_id": None if row.proposal_id is None else str(row.proposal_id),
    }


def rule(row: Article, base: str) -> dict[str, Any]:
    """An article as Mastodon's clients show a rule: short, with where to read it whole."""
    text = f"{row.number} {row.heading}: {row.text}"
    short = text if len(text) <= SHORT else text[: SHORT - 1].rstrip() + "…"
    translations = {"fr": {"text": short, "hint": f"{base}/charter/articles/{row.number}"}}
    if row.text_en:
        english = f"{row.number}: {row.text_en}"
        translations["en"] = {"text": english[:SHORT], "hint": f"{base}/charter/articles/{row.number}"}
    return {
        "id": str(row.id), "text": short, "hint": f"{base}/charter/articles/{row.number}", "translations": translations
    }


async def rules(call: Call) -> list[dict[str, Any]]:
    """The articles under which people can be judged: those of conduct, whose ceiling is above nothing."""
    return [rule(row, call.settings.base) for row in await queries.in_force(call.read) if row.ceiling > 0]


@get("/api/v1/charter")
async def whole(call: Call, _: Nothing) -> dict[str, Any]:
    """The charter in force, and every version there has been."""
    current = await queries.current_version(call.read)
    if current is None:
        raise NotFound("charter")
    return {
        **version(current),
        "articles": [article(row, call.settings.base) for row in await queries.in_force(call.read)],
        "versions": [version(row) for row in await queries.charter_versions(call.read)],
    }


@get("/api/v1/charter/articles/{number}")
async def one_article(call: Call, args: ArticleAt) -> dict[str, Any]:
    """One article as it stands, or stood at a date; with all its versions."""
    history = await queries.history(call.read, args.number)
    found = await queries.article(call.read, args.number, args.at)
    if found is None:
        raise NotFound("article")
    base = call.settings.base
    return {**article(found, base), "versions": [article(row, base) for row in history]}


def _results(tally: Tally) -> dict[str, Any]:
    return {
        "voters": tally.voters, "quorum": tally.quorum, "quorum_reached": tally.enough, "adopted": tally.adopted,
        "winner": tally.winner, "options": msgspec.to_builtins(tally.options),
    }


async def _shown(call: Call, row: Proposal) -> dict[str, Any]:
    marks = None if call.viewer is None else await queries.marks(call.read, row.id, call.viewer)
    closed = row.closes_at is not None and row.closes_at <= call.read.now
    return {
        "id": str(row.id), "author_id": str(row.author_id), "title": row.title, "text": row.text, "scope": row.scope,
        "ceiling": row.ceiling, "article": row.article, "parameters": row.parameters,
        "state": row.state, "created_at": _moment(row.created_at),
        "due_at": _moment(row.due_at), "support_count": row.support_count, "support_needed": row.support_needed,
        "quorum": row.quorum, "question_hash": row.question_hash, "opens_at": _moment(row.opens_at),
        "closes_at": _moment(row.closes_at), "options": list(row.options),
        "mentions": [mention.name for mention in sorted(Mention, reverse=True)],
        "charter_version": row.charter_version, "supported": bool(marks and marks.supported),
        "voted": bool(marks and marks.cast), "url": f"{call.settings.base}/proposals/{row.id}",
        "tally": _results(await charter.tally(call.read, row.id)) if closed else None,
    }


async def _proposal(call: Call, proposal_id: int) -> dict[str, Any]:
    row = await queries.proposal(call.read, proposal_id)
    if row is None:
        raise NotFound("proposal")
    return await _shown(call, row)


@get("/api/v1/charter/proposals")
async def proposals(call: Call, args: ProposalPage) -> list[dict[str, Any]]:
    """What is and was proposed, the newest first."""
    limit = max(1, min(args.limit, 40))
    rows = await queries.proposals(call.read, args.max_id, limit, args.state or None)
    call.link([row.id for row in rows])
    return [await _shown(call, row) for row in rows]


@post("/api/v1/charter/proposals", "write:statuses")
async def propose(call: Call, args: NewProposal) -> dict[str, Any]:
    """Propose an article, or a new text for one and other numbers, as `"alike_mode": "2"`. Residents only."""
    draft = ProposalDraft(
        title=args.title, text=args.text, scope=args.scope, ceiling=args.ceiling, article=args.article,
        parameters=policy.numbers(args.parameters),
    )
    return await _proposal(call, await charter.propose(call.tx, await call.me(), draft))


@get("/api/v1/charter/proposals/{id}")
async def one_proposal(call: Call, args: One) -> dict[str, Any]:
    """Where a proposal stands; its tally once the vote is closed."""
    return await _proposal(call, args.id)


@post("/api/v1/charter/proposals/{id}/support", "write:statuses")
async def support(call: Call, args: One) -> dict[str, Any]:
    """Want it put to the vote. Residents only."""
    await charter.support(call.tx, await call.me(), args.id)
    return await _proposal(call, args.id)


@post("/api/v1/charter/proposals/{id}/unsupport", "write:statuses")
async def unsupport(call: Call, args: One) -> dict[str, Any]:
    """Take one's support back."""
    await charter.withdraw_support(call.tx, await call.me(), args.id)
    return await _proposal(call, args.id)


@post("/api/v1/charter/proposals/{id}/ballot", "write:statuses")
async def cast(call: Call, args: Ballot) -> dict[str, Any]:
    """Vote: a mention for each option. A later ballot replaces an earlier one."""
    unknown = [name for name in args.grades.values() if name not in Mention.__members__]
    if unknown:
        raise Invalid("grades", "unknown_mention", mentions=list(Mention.__members__))
    grades = {option: Mention[name] for option, name in args.grades.items()}
    await charter.cast(call.tx, await call.me(), args.id, grades)
    return await _proposal(call, args.id)


class RegisterPage(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the register."""

    max_id: int | None = None
    limit: int = 40


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the register."""

    index: int


class NewAppeal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a decision should be looked at again."""

    id: int
    text: str


class OneDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision."""

    id: int


def entry(row: RegisterEntry, base: str) -> dict[str, Any]:
    """A public entry: it names nobody."""
    return {
        "index": row.index, "date": _moment(row.date), "kind": row.kind, "level": row.level, "measure": row.measure,
        "article": row.article, "charter_version": row.charter_version, "authority": row.authority,
        "subject": row.subject, "reasons": row.reasons, "hash": row.hash, "signed": row.signed,
        "url": f"{base}/register/{row.index}",
    }


@get("/api/v1/register")
async def register(call: Call, args: RegisterPage) -> dict[str, Any]:
    """The public record, the newest entry first, under its signed checkpoint."""
    rows = await cases.register(call.read, args.max_id, max(1, min(args.limit, 100)))
    call.link([row.index for row in rows])
    head = await record.checkpoint(call.read)
    return {
        "entries": [entry(row, call.settings.base) for row in rows],
        "checkpoint": None if head is None else {"size": head.size, "root": head.root.hex(), "note": head.note},
        "verifier_key": ledger.verifier_key(call.settings),
    }


@get("/api/v1/register/{index}")
async def register_entry(call: Call, args: Place) -> dict[str, Any]:
    """One entry, with the proof that it is in the signed tree (RFC 6962 section 2.1.1)."""
    row = await cases.register_entry(call.read, args.index)
    if row is None:
        raise NotFound("entry")
    if not row.signed:
        return {**entry(row, call.settings.base), "proof": None}
    proof = await ledger.inclusion(call.read, args.index)
    return {
        **entry(row, call.settings.base),
        "proof": {
            "size": proof.size, "root": proof.root.hex(), "leaf_hash": proof.leaf_hash.hex(),
            "path": [step.hex() for step in proof.proof],
        },
    }


@get("/api/v1/decisions/{id}/statement", "read:accounts")
async def statement(call: Call, args: OneDecision) -> dict[str, Any]:
    """The statement of reasons, for the person it concerns (DSA article 17)."""
    found = await cases.statement(call.read, args.id)
    if found is None or found.target_id != call.me_id:
        raise NotFound("decision")
    return {
        "decision_id": str(found.decision_id), "level": found.level, "facts": found.facts, "ground": found.ground,
        "redress": found.redress, "ends_at": _moment(found.ends_at), "delivered_at": _moment(found.delivered_at),
    }


@post("/api/v1/decisions/{id}/appeal", "write:reports")
async def appeal(call: Call, args: NewAppeal) -> dict[str, Any]:
    """Ask that another moderator look at a decision again (DSA article 20)."""
    made = await moderation.appeal(call.tx, await call.me(), args.id, args.text)
    return {"id": str(made), "decision_id": str(args.id)}
