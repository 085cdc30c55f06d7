"""The city's rules: the charter, proposals, votes, and the public register."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from parvis.accounts import queries as accounts
from parvis.ballots.majority import Mention
from parvis.base.db import Read
from parvis.base.errors import Invalid, NotFound
from parvis.base.ids import parsed
from parvis.charter import actions, policy, queries
from parvis.charter.model import SCOPES, Proposal, ProposalDraft
from parvis.ledger import actions as ledger
from parvis.ledger import queries as leaves
from parvis.residency import queries as residency
from parvis.text.messages import words
from parvis.web import shapes
from parvis.web.press import PLACE
from parvis.web.site import Visit

PROPOSALS, ENTRIES = 20, 30


async def charter(visit: Visit) -> Response:
    """The charter in force, with its versions and its fingerprint."""
    async with visit.app.db.read() as r:
        current = await queries.current_version(r)
        rows = await queries.in_force(r)
        versions = await queries.charter_versions(r)
    return visit.show(
        "charter.html", version=shapes.version(current), articles=[shapes.article(visit, row) for row in rows],
        versions=[shapes.version(row) for row in versions],
    )


def _end_of_day(text: str) -> datetime | None:
    """The last moment of a day in the city: a text that came into force on that day applied on it."""
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(PLACE)) - timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None


async def article(visit: Visit) -> Response:
    """One article as it stands, or stood on a day, with every text it ever had."""
    number, at = str(visit.request.path_params["number"]), _end_of_day(visit.query("at"))
    async with visit.app.db.read() as r:
        history = await queries.history(r, number)
        if not history:
            raise NotFound("article")
        found = await queries.article(r, number, min(at, r.now) if at else None)
    versions = [
        {"version": len(history) - place, "from": row.in_force_from, "until": row.in_force_until,
         **shapes.article(visit, row)}
        for place, row in enumerate(history)
    ]
    return visit.show(
        "article.html", article=shapes.article(visit, found or history[0]), absent=found is None, versions=versions,
        at=visit.query("at") if at else None,
    )


async def changes(visit: Visit) -> Response:
    """What changed between two charters."""
    older, newer = parsed(visit.query("from")), parsed(visit.query("to"))
    if older is None or newer is None or max(older, newer) > 2**31 - 1:
        raise NotFound("charter_version")
    async with visit.app.db.read() as r:
        rows = await actions.changes(r, older, newer)
    return visit.show(
        "charter_diff.html", older=older, newer=newer, changes=[shapes.change(visit, row) for row in rows]
    )


async def _resident(r: Read, visit: Visit) -> bool:
    return visit.viewer is not None and await residency.resident(r, visit.viewer) is not None


async def proposals(visit: Visit) -> Response:
    """What is and was proposed, the newest first."""
    async with visit.app.db.read() as r:
        rows = await queries.proposals(r, visit.page().max_id, PROPOSALS)
        may_propose = await _resident(r, visit)
        now = r.now
    return visit.show(
        "proposals.html", proposals=[shapes.proposal(visit, row, now) for row in rows], may_propose=may_propose,
        next_url=visit.older([row.id for row in rows], PROPOSALS),
    )


async def _proposal(r: Read, visit: Visit) -> Proposal:
    row = await queries.proposal(r, int(visit.request.path_params["id"]))
    if row is None:
        raise NotFound("proposal")
    return row


async def _mine(r: Read, visit: Visit, row: Proposal) -> dict[str, bool]:
    """What the reader has done about a proposal, and what they may still do."""
    if visit.viewer is None:
        return {"my_support": False, "may_support": False, "has_voted": False, "may_vote": False}
    marks = await queries.marks(r, row.id, visit.viewer)
    attested = await residency.resident(r, visit.viewer)
    open_now = row.opens_at is not None and row.closes_at is not None and row.opens_at <= r.now < row.closes_at
    return {
        "my_support": bool(marks and marks.supported), "may_support": attested is not None and row.state == "support",
        "has_voted": bool(marks and marks.cast),
        "may_vote": bool(open_now and attested and row.opens_at and attested.attested_at <= row.opens_at),
    }


async def proposal(visit: Visit) -> Response:
    """A proposal: its text, where it stands, the vote, and once it is closed the result."""
    async with visit.app.db.read() as r:
        row = await _proposal(r, visit)
        author = await accounts.by_id(r, row.author_id)
        mine = await _mine(r, visit, row)
        closed = row.closes_at is not None and row.closes_at <= r.now
        counted = shapes.tally(visit, await actions.tally(r, row.id)) if closed else None
        before = await queries.article(r, row.article) if row.article else None
        now = r.now
    shown: dict[str, Any] = shapes.proposal(visit, row, now) | mine | {"tally": counted}
    shown["author_name"] = author.display_name or author.username if author and not author.deleted_at else None
    shown["author_url"] = author.url if author else None
    return visit.show(
        "proposal.html", proposal=shown, mentions=shapes.mentions(visit), voted=visit.query("voted") == "1",
        before=before and not closed and shapes.article(visit, before),
    )


async def _new(visit: Visit, form: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    async with visit.app.db.read() as r:
        articles = await queries.in_force(r)
    kinds = [("", visit.say(words.NEW_ARTICLE)), *((row.number, f"{row.number} {row.heading}") for row in articles)]
    return visit.show(
        "proposal_new.html", status, form=form, errors=errors, articles=kinds,
        scopes=[(scope, visit.say(words.APPLIES[scope])) for scope in SCOPES],
        ceilings=[(str(number), visit.say(label)) for number, label in words.LEVELS.items()],
    )


async def proposal_form(visit: Visit) -> Response:
    """Where a resident writes a proposal."""
    return await _new(visit, {"scope": "posts", "ceiling": "4", "article": visit.query("article")}, {})


async def propose(visit: Visit) -> Response:
    """File a proposal; a mistake is shown at its answer."""
    form = {name: str(value).strip() for name, value in (await visit.form()).items()}
    ceiling = parsed(form.get("ceiling", ""))
    try:
        draft = ProposalDraft(
            title=form.get("title", ""), text=form.get("text", "").replace("\r\n", "\n"), scope=form.get("scope", ""),
            ceiling=-1 if ceiling is None else ceiling, article=form.get("article") or None,
            parameters=policy.numbers(policy.typed(form.get("parameters", ""))),
        )
        async with visit.app.db.write() as tx:
            made = await actions.propose(tx, await visit.account(tx), draft)
    except Invalid as error:
        told = visit.say(words.FIELD_ERRORS.get(error.word, words.FIELD_ERRORS["ERR_INVALID"]))
        field = "parameters" if error.field in policy.KNOWN or error.word == "parameter_unknown" else error.field
        return await _new(visit, form, {field: told}, 422)
    return visit.go(f"/proposals/{made}")


async def support(visit: Visit) -> Response:
    """Sign a proposal, or take the signature back."""
    wanted = (await visit.form()).get("support") == "1"
    async with visit.app.db.write() as tx:
        row = await _proposal(tx, visit)
        deed = actions.support if wanted else actions.withdraw_support
        await deed(tx, await visit.account(tx), row.id)
    return visit.go(f"/proposals/{row.id}#support")


async def cast(visit: Visit) -> Response:
    """Vote: each option with the mention it was given; one without is left out."""
    form = await visit.form()
    async with visit.app.db.write() as tx:
        row = await _proposal(tx, visit)
        given = {key: str(form.get(f"mention.{key}", "")) for key in row.options}
        grades = {key: Mention[name] for key, name in given.items() if name in Mention.__members__}
        await actions.cast(tx, await visit.account(tx), row.id, grades)
    return visit.go(f"/proposals/{row.id}?voted=1#vote")


async def register(visit: Visit) -> Response:
    """Every decision taken here, the newest first, and the signed head of the register."""
    async with visit.app.db.read() as r:
        rows = await leaves.entries(r, parsed(visit.query("max_id")), ENTRIES)
        head = await leaves.checkpoint(r)
    checkpoint = head and {"size": head.size, "root": head.root.hex(), "note": head.note}
    return visit.show(
        "register.html", entries=[shapes.entry(visit, row) for row in rows], checkpoint=checkpoint,
        next_url=visit.older([row.index for row in rows], ENTRIES) if rows and rows[-1].index else None,
        verifier=ledger.verifier_key(visit.settings),
    )


async def entry(visit: Visit) -> Response:
    """One line of the register, with the proof that it is in it."""
    async with visit.app.db.read() as r:
        row = await leaves.entry(r, int(visit.request.path_params["index"]))
        if row is None:
            raise NotFound("entry")
        proof = await ledger.inclusion(r, row.index) if row.signed else None
    shown = shapes.entry(visit, row)
    shown["raw"] = msgspec.json.format(msgspec.json.encode(row.entry), indent=2).decode()
    return visit.show(
        "register_entry.html", entry=shown, salt=row.salt,
        proof=[step.hex() for step in proof.proof] if proof else None,
        checkpoint=proof and {"root": proof.root.hex(), "size": proof.size},
    )
