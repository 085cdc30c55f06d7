"""The one way in for what is posted, followed and asked for: looked at, and kept back where the charter says so."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from parvis.accounts import actions as people
from parvis.accounts import queries as accounts
from parvis.accounts.model import Account, Follow, FollowWish
from parvis.accounts.policy import waits
from parvis.base.db import Read, Tx
from parvis.base.errors import Conflict, NotFound, Problem, Refused, TooMany
from parvis.base.jobs import Job
from parvis.ledger.model import Mandate
from parvis.moderation import actions as moderation
from parvis.moderation.model import DecisionDraft, Level
from parvis.moderation.policy import may_reason
from parvis.quotes import actions as quotes
from parvis.quotes.model import Quoting
from parvis.screening import policy, queries
from parvis.screening.model import Before, Facts, Held, Hold, HoldEnded, Mode, Rule, Sample, State, Step, Verdict
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft, Revision, Status

log = structlog.get_logger()
PLAINLY = FollowWish()
HOLD = "hold"
"""Under this word is counted how often a post was kept back, or would have been."""


class Looked(msgspec.Struct, frozen=True):
    """What was found, and what follows."""

    facts: Facts
    verdict: Verdict


async def publish(tx: Tx, by: Account, draft: Draft, quoted_id: int | None = None) -> Status:
    """Make a post of this city; what looks like spam is kept back where the charter says so."""
    shown = policy.sample(by, draft, tx.now)
    found = await _look(tx, by, shown)
    if found is None or not found.verdict.holds:
        made = await quotes.publish(tx, by, draft, quoted_id)
    else:
        made = await quotes.publish(tx, by, msgspec.structs.replace(draft, held=True), quoted_id)
        await _hold(tx, made, found, None if quoted_id is None else {"quoted_id": quoted_id})
    await _note(tx, by, made, shown, found)
    return made


async def arrive(tx: Tx, by: Account, draft: Draft, quoting: Quoting | None) -> Status:
    """Keep a post of another server, by the same rules. One that is known already stands as it is."""
    shown = policy.sample(by, draft, tx.now)
    found = await _look(tx, by, shown)
    if found is None or not found.verdict.holds or await posts.by_uri(tx, draft.uri or "") is not None:
        made = await statuses.publish(tx, by, draft)
        if quoting is not None:
            await quotes.arrive(tx, by, made, quoting)
    else:
        made = await statuses.publish(tx, by, msgspec.structs.replace(draft, held=True))
        await _hold(tx, made, found, None if quoting is None else {
            "uri": quoting.uri, "quoted_id": quoting.quoted.id if quoting.quoted else None,
            "approval": quoting.approval, "legacy": quoting.legacy,
        })
    await _note(tx, by, made, shown, found)
    return made


async def edit(tx: Tx, by: Account, status_id: int, revision: Revision) -> Status:
    """Change what a post says. What an edit adds is looked at like a new post; one to be kept back is not taken.

    Whoever writes here is told so; what another server says stays as it was here, and is counted.
    """
    before = await posts.visible(tx, status_id, by.id)
    known = [one.account_id for one in await posts.mentioned(tx, status_id)] if revision.mentions else []
    shown = policy.sample(by, revision, tx.now, Before(frozenset(known), before.content))
    found = await _look(tx, by, shown, status_id)
    if found is not None and found.verdict.holds and not await posts.is_held(tx, before):
        if by.local:
            raise Refused("looks_like_spam", signs=found.verdict.acting)
        await _count(tx, found.verdict, by.local)
        return before
    made = await statuses.edit(tx, by, status_id, revision)
    if found is not None:
        await _count(tx, msgspec.structs.replace(found.verdict, holds=False), by.local)
    return made


async def _look(tx: Tx, by: Account, shown: Sample | None, status_id: int | None = None) -> Looked | None:
    """Nothing is asked about a post that cannot matter: that is decided before."""
    if shown is None or shown.settled:
        return None
    facts = await queries.facts(tx, by.id, shown, tx.now, status_id)
    return Looked(facts, policy.verdict(shown, facts))


async def _hold(tx: Tx, made: Status, found: Looked, quoting: dict[str, Any] | None) -> None:
    if found.facts.ground is None:
        raise Refused("no_ground_to_hold")
    hold_id = await queries.hold(tx, made.id, made.account_id, found.facts.ground, found.verdict, quoting)
    await tx.emit(Held(hold_id, made.id, made.account_id))


async def _note(tx: Tx, by: Account, made: Status, shown: Sample | None, found: Looked | None) -> None:
    """Keep the traces of a post, and count what the rules saw."""
    if shown is None:
        return
    await queries.remember(tx, made.id, by.id, shown, found is not None and found.facts.young)
    await _count(tx, found.verdict if found else Verdict(), by.local)


async def _count(tx: Tx, verdict: Verdict, local: bool) -> None:
    """Count what the rules saw, and whether it was kept back for it."""
    rules = [one.rule.value for one in verdict.signals] + [HOLD] * verdict.would
    if rules:
        acted = [verdict.holds and one.acts for one in verdict.signals] + [verdict.holds] * verdict.would
        await queries.mark(tx, rules, acted, local)


async def follow(
    tx: Tx, by: Account, target: Account, wish: FollowWish = PLAINLY, uri: str | None = None
) -> Follow:
    """Follow, or ask to. Whoever follows a flood of people asks each of them; of those elsewhere, no more are asked."""
    known = await accounts.follow_between(tx, by.id, target.id)
    found = None if known is not None else await queries.flood(tx, by.id, tx.now)
    if found is None or not policy.floods(found.terms, found.young, found.follows):
        return await people.follow(tx, by, target, wish, uri)
    mode = policy.mode(found.terms, Rule.follows, found.ground)
    if mode is not Mode.off:
        await queries.mark(tx, [Rule.follows.value], [mode is Mode.acts], by.local)
    if mode is Mode.acts and waits(by, target) and by.local:
        raise TooMany(policy.tomorrow(tx.now), most=found.follows)
    return await people.follow(tx, by, target, wish, uri, ask=mode is Mode.acts)


async def crowded(tx: Tx, address: str | None) -> bool:
    """Count somebody who comes to settle: must they wait for a moderator, as too many come from where they do?"""
    network = policy.neighbourhood(address or "")
    found = None if network is None else await queries.arrive(tx, network)
    if found is None or found.arrivals <= policy.number(found.terms, "arrivals_from"):
        return False
    mode = policy.mode(found.terms, Rule.arrivals, found.ground)
    if mode is not Mode.off:
        await queries.mark(tx, [Rule.arrivals.value], [mode is Mode.acts], True)
    return mode is Mode.acts


async def held(r: Read, hold_id: int) -> Hold:
    """A post that is or was kept back; NotFound otherwise."""
    found = await queries.one(r, hold_id)
    if found is None:
        raise NotFound("hold")
    return found


async def own(r: Read, hold_id: int, account_id: int) -> Hold:
    """One of one's own; NotFound otherwise."""
    found = await held(r, hold_id)
    if found.account_id != account_id:
        raise NotFound("hold")
    return found


async def appeal(tx: Tx, by: Account, hold_id: int, text: str) -> None:
    """Its author says why a post should come out, once, while it is in."""
    may_reason("text", text)
    await own(tx, hold_id, by.id)
    if not await queries.appeal(tx, hold_id, text.strip()):
        raise Conflict("already_appealed")


async def release(tx: Tx, by: Account, hold_id: int, reasons: str) -> None:
    """A moderator lets a post out, and it is told of as if it came now."""
    may_reason("text", reasons)
    await _move(tx, await held(tx, hold_id), Step.release, by, reasons.strip())


async def confirm(tx: Tx, by: Account, mandate: Mandate, hold_id: int, facts: str) -> int:
    """A moderator decides on an article that a post is removed; it stays in until that has effect, and while it has."""
    found = await held(tx, hold_id)
    policy.LIFE.step(State(found.state), Step.confirm)
    decision_id = await moderation.decide(tx, by, mandate, DecisionDraft(
        target_id=found.account_id, level=Level.removal, facts=facts, status_ids=(found.status_id,)
    ))
    await _move(tx, found, Step.confirm, by, facts.strip(), decision_id)
    return decision_id


async def overturn(tx: Tx, decision_id: int) -> None:
    """The decision that kept a post in stands no more: it comes out."""
    for hold_id in await queries.confirmed_by(tx, decision_id):
        await _move(tx, await held(tx, hold_id), Step.overturn)


async def _move(
    tx: Tx, found: Hold, step: Step, by: Account | None = None, reasons: str | None = None,
    decision_id: int | None = None,
) -> None:
    """Take one step; what comes out is told of, unless its author took it back or has left."""
    after = policy.LIFE.step(State(found.state), step)
    if not await queries.move(tx, found, after, by.id if by else None, reasons, decision_id):
        raise Conflict("try_again")
    if after is not State.confirmed:
        await _let_out(tx, found)
    await tx.emit(HoldEnded(found.id, found.status_id, found.account_id, after))


async def _let_out(tx: Tx, found: Hold) -> None:
    status, author = await posts.by_id(tx, found.status_id), await accounts.by_id(tx, found.account_id)
    if status is None or status.deleted_at or status.removed_at:
        return
    if author is None or author.deleted_at or author.suspended_at:
        return
    await statuses.let_out(tx, author, status)
    if found.quoting is not None:
        await _quote(tx, author, status, found.quoting)


async def _quote(tx: Tx, author: Account, status: Status, quoting: dict[str, Any]) -> None:
    """Settle what it quotes, as it stands now; one who would no longer be let quotes nothing."""
    if author.local:
        try:
            await quotes.quote(tx, author, status, await quotes.quotable(tx, author, quoting["quoted_id"]))
        except Problem as problem:
            log.info("a quote is no longer possible", status=status.id, word=problem.word)
        return
    quoted = await posts.seen(tx, quoting["quoted_id"], author.id) if quoting["quoted_id"] else None
    await quotes.arrive(tx, author, status, Quoting(
        uri=quoting["uri"], quoted=quoted, approval=quoting["approval"] if quoted else None, legacy=quoting["legacy"]
    ))


async def sweep(job: Job) -> int:
    """Let out what nobody looked at in its time, each in a transaction of its own; and fold the counts."""
    async with job.db.read() as r:
        waiting = await queries.due(r)
    for hold_id in waiting:
        try:
            async with job.db.write() as tx:
                await _move(tx, await held(tx, hold_id), Step.lapse)
        except Problem as problem:
            log.warning("a hold could not end", hold=hold_id, word=problem.word)
    async with job.db.write() as tx:
        await queries.fold(tx)
    return len(waiting)


async def forget(job: Job) -> None:
    """Traces of posts are kept for a week, hours of arrivals for two."""
    async with job.db.write() as tx:
        await queries.forget(tx)
