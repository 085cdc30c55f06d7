"""The deeds of moderation: report, decide on a ground, confirm, take effect, appeal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import structlog

from parvis.accounts import actions as accounts
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from parvis.base.jobs import Job
from parvis.charter import queries as charter
from parvis.ledger.model import Article, Ground, Mandate, Order
from parvis.moderation import policy, queries
from parvis.moderation.model import (
    AppealDecided,
    Appealed,
    Decided,
    Decision,
    DecisionDraft,
    DomainComments,
    DomainDecided,
    DomainDraft,
    DomainMeasured,
    Handling,
    MeasureLifted,
    MeasureTaken,
    Report,
    ReportDraft,
    Reported,
    Verdict,
)
from parvis.peers.model import DomainBlock

log = structlog.get_logger()


async def report(tx: Tx, by: Account, target: Account, draft: ReportDraft) -> int:
    """Tell the moderators of an account or its posts; reports on one account make one case."""
    policy.may_report(by, target, draft)
    draft = policy.forwarded(target, draft)
    known = {version.id for version in await charter.versions_by_id(tx, draft.article_ids)}
    unknown = sorted(set(draft.article_ids) - known)
    if unknown:
        raise Invalid("article_ids", "ERR_INCLUSION", unknown=unknown)
    case_id = await queries.open_case(tx, target.id)
    report_id = await queries.add_report(tx, case_id, by.id, target.id, draft)
    await tx.emit(Reported(report_id, case_id, target.id, draft.forward, draft.domains or ()))
    return report_id


async def ground_for(
    r: Read,
    target_id: int,
    *,
    article_ids: Sequence[int] = (),
    report_id: int | None = None,
    status_ids: Sequence[int] = (),
) -> Article:
    """The ground a decision would cite: an article given, else one the report names, as it was in force at the act.

    Refused(ground_required) with the articles in force when there is none, for the moderator to choose from.
    """
    found = None if report_id is None else await queries.report(r, report_id)
    case_id = None if found is None else found.case_id
    named = list(article_ids) or ([] if found is None else found.article_ids)
    at = await queries.act_at(r, target_id, status_ids, case_id)
    version_id = await queries.citable(r, at, named) if named and at else None
    return await _cited(r, version_id)


async def domain_ground(
    r: Read, domain: str, article_ids: Sequence[int], status_ids: Sequence[int] = ()
) -> Article:
    """The ground a decision about a server would cite; Refused(ground_required) when there is none."""
    at = await queries.domain_act_at(r, domain, status_ids)
    return await _cited(r, await queries.citable(r, at, article_ids) if article_ids and at else None)


async def _cited(r: Read, version_id: int | None) -> Article:
    if version_id is None:
        choice = [
            {"id": str(article.id), "number": article.number, "heading": article.heading, "ceiling": article.ceiling}
            for article in await charter.in_force(r)
            if article.scope != "procedure"
        ]
        raise Refused("ground_required", articles=choice)
    return Article(version_id)


async def mandate(r: Read, by: Account, ground: Ground) -> Mandate:
    """The power to decide on one ground. Forbidden to anyone but a moderator."""
    if not await queries.is_moderator(r, by.id):
        raise Forbidden("not_a_moderator")
    return Mandate("decide", ground, by.id)


async def decide(tx: Tx, by: Account, mandate: Mandate, draft: DecisionDraft) -> int:
    """Decide a case. Nothing happens to anyone before the public record has given its receipt."""
    policy.may_decide(by, mandate, draft)
    ground = mandate.ground
    case_id = draft.case_id or await queries.open_case(tx, draft.target_id)
    order_id = await queries.add_order(tx, ground) if isinstance(ground, Order) else None
    version_id = ground.version_id if isinstance(ground, Article) else None
    try:
        decision_id = await queries.add_decision(tx, by.id, case_id, draft, version_id, order_id)
    except asyncpg.ForeignKeyViolationError as error:
        raise NotFound("article_version") from error
    await queries.close_case(tx, case_id)
    await tx.emit(Decided(decision_id, draft.target_id, int(draft.level)))
    await queries.deliver(tx, decision_id)  # after the reactions of this very transaction told the person concerned
    return decision_id


async def confirm(tx: Tx, by: Account, decision_id: int) -> None:
    """A second moderator agrees to a suspension or an exclusion."""
    await _decision(tx, decision_id)
    try:
        await queries.confirm(tx, decision_id, by.id)
    except asyncpg.UniqueViolationError as error:
        raise Conflict("already_confirmed") from error


async def lift_early(tx: Tx, by: Account, mandate: Mandate, decision_id: int, reasons: str) -> None:
    """End a measure before its time: a decision of its own, with its reasons. Like any, it waits for its receipt."""
    policy.may_lift(by, mandate, reasons)
    await _decision(tx, decision_id)
    try:
        await queries.lift_early(tx, decision_id, by.id, reasons.strip())
    except asyncpg.UniqueViolationError as error:
        raise Conflict("already_lifted") from error


async def ground_of(r: Read, decision_id: int) -> Ground:
    """On what a decision rests; whoever ends its measure does so in the name of the same."""
    return await same_ground(r, await _decision(r, decision_id))


async def same_ground(r: Read, found: Decision | DomainBlock) -> Ground:
    """The ground of a decision about a person or a server."""
    if found.article_version_id is not None:
        return Article(found.article_version_id)
    order = None if found.legal_order_id is None else await queries.order(r, found.legal_order_id)
    if order is None:
        raise NotFound("legal_order")
    return order


async def remove_account(tx: Tx, by: Account, mandate: Mandate, account: Account) -> None:
    """Delete an excluded account, once nobody can appeal the decision any more; Refused before."""
    policy.may_lift(by, mandate, "-")
    if not await queries.is_final(tx, account.id):
        raise Refused("appeal_possible")
    await accounts.close(tx, account)


async def note(tx: Tx, report_id: int, noted: Handling) -> None:
    """Note how moderators see a report: under which word, and by which articles."""
    policy.may_note(noted)
    known = {version.id for version in await charter.versions_by_id(tx, noted.article_ids or ())}
    unknown = sorted(set(noted.article_ids or ()) - known)
    if unknown:
        raise Invalid("article_ids", "ERR_INCLUSION", unknown=unknown)
    await queries.note(tx, report_id, noted)


async def reopen(tx: Tx, found: Report) -> None:
    """Look at a settled report again: it joins the open case on the account. What was decided stands."""
    if found.closed_at is None:
        return
    case_id = await queries.open_case(tx, found.target_id)
    await queries.reopen(tx, found.id, case_id)


async def decide_domain(tx: Tx, by: Account, mandate: Mandate, draft: DomainDraft) -> int:
    """Decide about a server. Like a decision about a person, it does nothing before the record's receipt."""
    policy.may_lift(by, mandate, draft.facts)
    ground = mandate.ground
    order_id = await queries.add_order(tx, ground) if isinstance(ground, Order) else None
    version_id = ground.version_id if isinstance(ground, Article) else None
    decision_id = await queries.decide_domain(tx, by.id, draft, version_id, order_id)
    await tx.emit(DomainDecided(decision_id, draft.domain))
    return decision_id


async def comment(tx: Tx, block_id: int, said: DomainComments) -> None:
    """Say something of a block beside its reasons: to moderators, or to everybody."""
    policy.may_comment(said)
    await queries.comment(tx, block_id, said)


async def confirm_domain(tx: Tx, by: Account, decision_id: int) -> None:
    """A second moderator agrees that a server is kept out."""
    try:
        await queries.confirm_domain(tx, decision_id, by.id)
    except asyncpg.UniqueViolationError as error:
        raise Conflict("already_confirmed") from error


async def lift_domain(tx: Tx, by: Account, mandate: Mandate, block_id: int, reasons: str) -> None:
    """End a block of a server, whatever of it is in force or waits to be. Those who followed each other still do."""
    policy.may_lift(by, mandate, reasons)
    for decision_id in await queries.live_decisions(tx, block_id):
        await queries.lift_domain(tx, decision_id, by.id, reasons.strip())


async def execute(job: Job) -> int:
    """Let every decision with a receipt take effect, each in its own transaction. How many did."""
    async with job.db.read() as r:
        ready, domains = await queries.ready(r), await queries.ready_domains(r)
    taken = [await _each(job, decision_id, queries.add_measure, MeasureTaken) for decision_id in ready]
    return sum([*taken, *[await _each_domain(job, decision_id, in_force=True) for decision_id in domains]])


async def _each_domain(job: Job, decision_id: int, in_force: bool) -> bool:
    """Begin or end one measure on a server, and tell of it; one that is refused holds up no other."""
    change = queries.begin_domain if in_force else queries.end_domain
    try:
        async with job.db.write() as tx:
            changed = await change(tx, decision_id)
            if changed:
                await tx.emit(DomainMeasured(decision_id, in_force))
            return changed
    except Refused as refused:
        log.warning("a measure could not change", decision=decision_id, word=refused.word)
        return False


async def lift(job: Job) -> int:
    """End every measure whose time is over or that an appeal overturned. How many ended."""
    async with job.db.read() as r:
        over, domains = await queries.over(r), await queries.over_domains(r)
    ended = [await _each(job, decision_id, queries.lift, MeasureLifted) for decision_id in over]
    return sum([*ended, *[await _each_domain(job, decision_id, in_force=False) for decision_id in domains]])


async def _each(
    job: Job, decision_id: int, change: Callable[[Tx, int], Awaitable[bool]], event: type[MeasureTaken | MeasureLifted]
) -> bool:
    """Change one measure and tell of it; one that is refused holds up no other."""
    try:
        async with job.db.write() as tx:
            changed = await change(tx, decision_id)
            if changed:
                decision = await _decision(tx, decision_id)
                await tx.emit(event(decision_id, decision.target_id, decision.level, tuple(decision.status_ids)))
            return changed
    except Refused as refused:
        log.warning("a measure could not change", decision=decision_id, word=refused.word)
        return False


async def appeal(tx: Tx, by: Account, decision_id: int, text: str) -> int:
    """Someone concerned, or who reported, asks that it be looked at again (DSA article 20)."""
    policy.may_reason("text", text)
    await _decision(tx, decision_id)
    appeal_id = await queries.add_appeal(tx, decision_id, by.id, text.strip())
    if appeal_id is None:
        raise Conflict("already_appealed")
    await tx.emit(Appealed(appeal_id, decision_id))
    return appeal_id


async def decide_appeal(tx: Tx, by: Account, appeal_id: int, outcome: Verdict, reasons: str) -> None:
    """A moderator who took no part answers; an overturned measure is lifted."""
    policy.may_reason("reasons", reasons)
    found = await queries.appeal(tx, appeal_id)
    if found is None:
        raise NotFound("appeal")
    try:
        await queries.decide_appeal(tx, appeal_id, by.id, outcome, reasons.strip())
    except asyncpg.UniqueViolationError as error:
        raise Conflict("already_decided") from error
    await tx.emit(AppealDecided(appeal_id, found.decision_id, outcome == "overturn"))


async def _decision(r: Read, decision_id: int) -> Decision:
    found = await queries.decision(r, decision_id)
    if found is None:
        raise NotFound("decision")
    return found
