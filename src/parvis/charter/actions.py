"""The deeds by which residents change the rules. No deed here is an administrator's."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import asyncpg
import structlog

from parvis.accounts.model import Account
from parvis.ballots import actions as ballots
from parvis.ballots.majority import Mention
from parvis.base.db import Read, Tx
from parvis.base.errors import Forbidden, NotFound, Refused
from parvis.base.jobs import Job
from parvis.charter import policy, queries
from parvis.charter.model import (
    OPTIONS,
    Change,
    Promulgated,
    Proposal,
    ProposalDraft,
    ProposalLapsed,
    ProposalOpened,
    State,
    Step,
    Tally,
    VoteClosed,
    VoteOpened,
)

log = structlog.get_logger()


def document(toml_text: str) -> dict[str, Any]:
    """A founding charter from its TOML; Invalid names the article and the mistake."""
    return policy.document(toml_text)


def provisional() -> str:
    """The TOML of the charter every new city begins with."""
    return (resources.files("parvis.charter") / "provisional.toml").read_text(encoding="utf-8")


async def found(tx: Tx, charter: dict[str, Any]) -> bytes:
    """Lay the first charter, once: its fingerprint. Only the owner of the database may; Refused when there is one."""
    try:
        return await queries.found(tx, charter)
    except asyncpg.InsufficientPrivilegeError as error:
        raise Forbidden("owner_only") from error


async def propose(tx: Tx, by: Account, draft: ProposalDraft) -> int:
    """A resident proposes a text, and is the first to support it."""
    policy.may_propose(draft)
    proposal_id = await queries.add_proposal(tx, by.id, draft)
    await queries.add_support(tx, proposal_id, by.id)
    await tx.emit(ProposalOpened(proposal_id, by.id))
    return proposal_id


async def support(tx: Tx, by: Account, proposal_id: int) -> None:
    """A resident wants it put to the vote. Doing it twice is the same as once."""
    await _proposal(tx, proposal_id)
    await queries.add_support(tx, proposal_id, by.id)


async def withdraw_support(tx: Tx, by: Account, proposal_id: int) -> None:
    """Take one's support back, while it is being gathered."""
    await _proposal(tx, proposal_id)
    await queries.drop_support(tx, proposal_id, by.id)


async def cast(tx: Tx, by: Account, proposal_id: int, grades: Mapping[str, Mention]) -> None:
    """Vote; a later ballot replaces an earlier one. An option left out is rejected."""
    proposal = await _proposal(tx, proposal_id)
    if proposal.box_id is None:
        raise Refused("box_closed")
    await ballots.cast(tx, by.id, proposal.box_id, grades)


async def tally(r: Read, proposal_id: int) -> Tally:
    """The result of a closed vote. Refused(box_open) before."""
    proposal = await _proposal(r, proposal_id)
    if proposal.box_id is None or proposal.quorum is None:
        raise Refused("box_open")
    outcome = await queries.outcome(r, proposal_id)
    if outcome is None:
        raise NotFound("tally")
    results = await ballots.tally(r, proposal.box_id)
    return Tally(outcome.voters, proposal.quorum, outcome.enough, outcome.adopted, outcome.winner, results)


async def changes(r: Read, older: int, newer: int) -> list[Change]:
    """What two charters say differently, article by article. NotFound when one of them is not there."""
    sides = []
    for number in (older, newer):
        version = await queries.charter_version(r, number)
        if version is None:
            raise NotFound("charter_version", number=number)
        sides.append({article.number: article for article in await queries.in_force(r, version.in_force_from)})
    before, after = sides
    return [
        Change(number, before.get(number), after.get(number))
        for number in dict.fromkeys([*before, *after])
        if (before[number].id if number in before else None) != (after[number].id if number in after else None)
    ]


async def sweep(job: Job) -> bool:
    """Move every proposal whose time has come. True when one moved. One that is refused holds up no other."""
    async with job.db.read() as r:
        waiting = await queries.due(r)
    moved = False
    for due in waiting:
        try:
            async with job.db.write() as tx:
                moved |= await advance(tx, due.id)
        except Refused as refused:
            log.warning("a proposal could not move", proposal=due.id, word=refused.word)
    return moved


async def advance(tx: Tx, proposal_id: int) -> bool:
    """Take the step that is due, if any; two sweeps at once take it once."""
    await tx.lock(f"proposal:{proposal_id}")
    due = next(iter(await queries.due(tx, proposal_id)), None)
    if due is None:
        return False
    state = State(due.state)
    outcome = await queries.outcome(tx, due.id) if state is State.vote and due.past_due else None
    step = policy.next_step(state, due.supports >= due.support_needed, due.past_due, outcome)
    if step is None:
        return False
    after = policy.LIFE.step(state, step)
    if step is Step.promulgate:
        version = await queries.promulgate(tx, due.id)
        await tx.emit(Promulgated(due.id, version))
        return True
    box_id = await _open_box(tx, due.id) if step is Step.open_vote else None
    if not await queries.move(tx, due.id, state, after, box_id):
        raise Refused("not_now", state=state.value, step=step.value)
    await tx.emit(_told(due.id, step))
    return True


def _told(proposal_id: int, step: Step) -> object:
    if step is Step.open_vote:
        return VoteOpened(proposal_id)
    if step is Step.expire:
        return ProposalLapsed(proposal_id)
    return VoteClosed(proposal_id, step is Step.adopt)


async def _open_box(tx: Tx, proposal_id: int) -> int:
    question = await queries.question(tx, proposal_id)
    if question is None:
        raise NotFound("proposal")
    return await ballots.open_box(tx, question.hash, OPTIONS, question.vote_time)


async def _proposal(r: Read, proposal_id: int) -> Proposal:
    found_proposal = await queries.proposal(r, proposal_id)
    if found_proposal is None:
        raise NotFound("proposal")
    return found_proposal
