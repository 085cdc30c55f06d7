"""The deeds on polls. Local requests and other servers' activities call the same ones."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.accounts.model import Account
from parvis.base.db import Tx
from parvis.base.errors import Invalid, NotFound
from parvis.base.jobs import Job
from parvis.polls import policy, queries
from parvis.polls.model import NewPoll, Poll, PollVoted

SWEPT = 50


async def ask(tx: Tx, by: Account, status_id: int, poll: NewPoll) -> None:
    """Begin a poll. One of another server keeps the counts that it brings."""
    poll_id = await queries.add(tx, status_id, by.id, by.local, poll)
    await queries.put_options(tx, poll_id, poll.options)
    if poll.votes:
        await queries.put_votes(tx, poll_id, poll.votes)


async def revise(tx: Tx, by: Account, status_id: int, poll: NewPoll | None) -> None:
    """Hold a poll otherwise. Other answers are another question: all votes are gone, and so they are without a poll."""
    known = await queries.of_status(tx, status_id)
    if known is None:
        if poll is not None:
            await ask(tx, by, status_id, poll)
        return
    await queries.seized(tx, known.id)
    if poll is None:
        await _empty(tx, known.id)
        await queries.drop(tx, known.id)
        return
    await queries.revise(tx, known.id, poll)
    if not await _same_question(tx, known, poll):
        await _empty(tx, known.id)
        await queries.put_options(tx, known.id, poll.options)
        await queries.put_voters(tx, known.id, poll.voters)
    if not known.local:
        await _recount(tx, known.id, poll)


async def _same_question(tx: Tx, known: Poll, poll: NewPoll) -> bool:
    titles = tuple(option.title for option in await queries.options(tx, known.id))
    return (titles, known.multiple) == (poll.options, poll.multiple)


async def _empty(tx: Tx, poll_id: int) -> None:
    await queries.forget_deltas(tx, poll_id)
    await queries.forget_votes(tx, poll_id)
    await queries.forget_options(tx, poll_id)


async def _recount(tx: Tx, poll_id: int, poll: NewPoll) -> None:
    await queries.forget_deltas(tx, poll_id)
    await queries.put_votes(tx, poll_id, poll.votes)
    await queries.put_voters(tx, poll_id, poll.voters)


async def recount(tx: Tx, status_id: int, poll: NewPoll) -> None:
    """Take over what another server has counted in its own poll; that is no edit, so the answers must be the same."""
    known = await queries.of_status(tx, status_id)
    if known is None or known.local or not await _same_question(tx, known, poll):
        return
    await queries.seized(tx, known.id)
    if poll.expires_at != known.expires_at and not (known.ended(tx.now) and poll.expires_at):
        await queries.revise(tx, known.id, poll)
    await _recount(tx, known.id, poll)


async def vote(tx: Tx, by: Account, poll_id: int, chosen: Sequence[int], uri: str | None = None) -> None:
    """Answer a poll that is still open, once: what somebody elsewhere chose comes one by one, each for itself.

    Whether one may see the post that asks is for the caller to know.
    """
    if not await queries.held(tx, poll_id):
        raise NotFound("poll")
    await tx.lock(f"vote {poll_id} {by.id}")
    poll = await queries.by_id(tx, poll_id)
    if poll is None:
        raise NotFound("poll")
    policy.may_vote(poll, tx.now)
    already = await queries.choices(tx, poll_id, by.id)
    offered = len(await queries.options(tx, poll_id))
    added = policy.new_choices(poll, offered, by.id, chosen, already)
    if already and by.local:
        raise Invalid("poll", "already_voted")
    votes = await queries.add_votes(tx, poll_id, by.id, added, uri)
    await queries.count(tx, poll_id, added, 0 if already else 1)
    await queries.tally_later(tx, poll_id)
    await tx.emit(PollVoted(poll_id, poll.status_id, poll.account_id, by.id, tuple(votes)))


async def sweep(job: Job) -> bool:
    """End the polls whose time is over, and tell of new votes where it is time; true while there may be more."""
    async with job.db.write() as tx:
        ended = await queries.end_due(tx, SWEPT)
        tallied = await queries.tally_due(tx, SWEPT)
        for event in (*ended, *tallied):
            await tx.emit(event)
    return len(ended) == SWEPT or len(tallied) == SWEPT


async def fold_counts(job: Job) -> bool:
    """Add waiting count deltas to their bases; true while there may be more."""
    async with job.db.write() as tx:
        await tx.lock("fold polls")
        return await queries.fold_counts(tx) >= 5000
