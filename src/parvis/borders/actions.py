"""The deeds at the city's borders: remind of what is to be looked at again; read what lists propose, and answer."""

from __future__ import annotations

import structlog

from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Upstream
from parvis.base.jobs import Job
from parvis.borders import policy, queries
from parvis.borders.model import DomainProposal, ReviewDue, SharedList
from parvis.ledger.model import Mandate
from parvis.moderation import actions as moderation
from parvis.moderation import policy as reasoning
from parvis.moderation import queries as cases
from parvis.moderation.model import DomainDraft

log = structlog.get_logger()

LARGEST = 5_000_000


async def remind(job: Job) -> int:
    """Remind the moderators of each decision whose day of review has come, once. How many there were."""
    async with job.db.read() as r:
        due = await queries.due(r)
    for decision_id in due:
        async with job.db.write() as tx:
            await tx.lock(f"review {decision_id}")
            for moderator in await queries.remind(tx, decision_id):
                await tx.emit(ReviewDue(decision_id, moderator))
    return len(due)


async def subscribe(tx: Tx, by: Account | None, name: str, url: str | None) -> int:
    """Read a list of servers that others keep, from now on: a moderator, or the operator. Nothing follows from it."""
    if by is not None and not await cases.is_moderator(tx, by.id):
        raise Forbidden("not_a_moderator")
    policy.may_subscribe(name, url)
    made = await queries.subscribe(tx, name.strip(), url, by.id if by else None)
    if made is None:
        raise Conflict("list_known")
    return made


async def unsubscribe(tx: Tx, list_id: int) -> None:
    """Read a list no more. What was decided after it stands; what it still proposes is gone."""
    if not await queries.unsubscribe(tx, list_id):
        raise NotFound("shared_list")


async def hand_in(tx: Tx, list_id: int, text: str, own: str) -> int:
    """Take what a list says now; how many proposals that makes."""
    said = policy.entries(text, own)
    await tx.lock(f"list {list_id}")
    if not await queries.note_read(tx, list_id, None):
        raise NotFound("shared_list")
    return await queries.propose(tx, list_id, said)


async def read_lists(job: Job) -> int:
    """Fetch each list that was not read for a day; how many there were."""
    async with job.db.read() as r:
        due = await queries.unread(r)
    for one in due:
        await _read(job, one)
    return len(due)


async def _read(job: Job, one: SharedList) -> None:
    """One that cannot be read says so, proposes what it did before, and is tried again in a day."""
    try:
        answer = await job.http.request("GET", one.url or "", headers={"accept": "text/csv"}, limit=LARGEST)
        if answer.status != 200:
            raise Upstream("list_not_read", status=answer.status)
        text = answer.body.decode("utf-8")
        async with job.db.write() as tx:
            await hand_in(tx, one.id, text, job.settings.domain)
    except (Problem, UnicodeDecodeError) as error:
        word = error.word if isinstance(error, Problem) else "not_a_list"
        log.info("shared list", list=one.id, failed=word)
        async with job.db.write() as tx:
            await queries.note_read(tx, one.id, word)


async def open_proposal(r: Read, proposal_id: int) -> DomainProposal:
    """What a list proposes. NotFound when it was answered, or the list says so no more."""
    found = await queries.proposal(r, proposal_id)
    if found is None:
        raise NotFound("domain_proposal")
    return found


async def adopt(tx: Tx, by: Account, mandate: Mandate, proposal: DomainProposal, draft: DomainDraft) -> int:
    """Decide about the server of a proposal: a decision like any other, on its own ground and with its own reasons."""
    if draft.domain != proposal.domain or proposal.severity == "lift":
        raise Invalid("domain", "other_server")
    made = await moderation.decide_domain(tx, by, mandate, draft)
    await _settle(tx, by, proposal, made, draft.facts)
    return made


async def let_go(tx: Tx, by: Account, mandate: Mandate, proposal: DomainProposal, reasons: str) -> None:
    """End what was decided about a server that a list no longer names."""
    if proposal.severity != "lift" or proposal.block_id is None:
        raise NotFound("domain_block")
    await moderation.lift_domain(tx, by, mandate, proposal.block_id, reasons)
    await _settle(tx, by, proposal, proposal.block_id, reasons)


async def lay_aside(tx: Tx, by: Account, proposal: DomainProposal, reasons: str) -> None:
    """Do nothing of what a list proposes, and say why; it is not proposed again until the list says something else."""
    if not await cases.is_moderator(tx, by.id):
        raise Forbidden("not_a_moderator")
    reasoning.may_reason("text", reasons)
    await _settle(tx, by, proposal, None, reasons)


async def _settle(tx: Tx, by: Account, proposal: DomainProposal, decision_id: int | None, reasons: str) -> None:
    if not await queries.settle(tx, proposal.id, by.id, decision_id, reasons.strip()):
        raise Conflict("already_settled")
