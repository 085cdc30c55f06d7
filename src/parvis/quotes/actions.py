"""The deeds on quotes. Local requests and other servers' activities call the same ones."""

from __future__ import annotations

from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import NotFound
from parvis.quotes import policy, queries
from parvis.quotes.model import (
    Quote,
    QuoteAccepted,
    QuotePolicy,
    QuoteRefused,
    QuoteRequested,
    QuoteRevoked,
    Quoting,
    State,
    Step,
)
from parvis.quotes.queries import Made
from parvis.statuses import actions as posts
from parvis.statuses import queries as statuses
from parvis.statuses.model import Draft, ReplyPolicy, Status


async def publish(tx: Tx, by: Account, draft: Draft, quoted_id: int | None) -> Status:
    """Make a post of this city, and let it quote another where it should."""
    if quoted_id is None:
        return await posts.publish(tx, by, draft)
    quoted = await quotable(tx, by, quoted_id)
    status = await posts.publish(tx, by, policy.prepared(draft, quoted, by.id))
    if not draft.held:
        await quote(tx, by, status, quoted)
    return status


async def open_to(
    tx: Tx, by: Account, status_id: int, quotes: QuotePolicy | None, replies: ReplyPolicy | None
) -> Status:
    """Change who may quote and answer one's post; what is not said stays as it was."""
    status = await statuses.visible(tx, status_id, by.id)
    return await posts.open_to(tx, by, status_id, policy.opened(status, quotes, replies))


async def quotable(r: Read, by: Account, status_id: int) -> Status:
    """The post that somebody here wants to quote, or why not; of a reblog, what it passes on."""
    found = await statuses.visible(r, status_id, by.id)
    if found.reblog_of_id is not None:
        found = await statuses.visible(r, found.reblog_of_id, by.id)
    policy.may_quote(policy.standing(found, by.id, await queries.asker(r, found.account_id, by.id)))
    return found


async def quote(tx: Tx, by: Account, status: Status, quoted: Status) -> None:
    """Let a new post of this city quote another. Authors here have said before whom they let; elsewhere they are asked.

    What is returned by `quotable` goes in here: holding it is the permission.
    """
    author = await accounts.by_id(tx, quoted.account_id)
    if author is None:
        raise NotFound("status")
    own, state = author.id == by.id, State.accepted if author.local else State.pending
    if not author.local:
        policy.may_ask(status)
    approval = None if own or state is State.pending or status.local_only else approval_uri(author, status.id)
    made = Made(
        status_id=status.id, account_id=by.id, quoted_id=quoted.id, quoted_account_id=author.id,
        quoted_uri=quoted.uri, state=state.value, approval_uri=approval,
        request_uri=None if author.local else request_uri(by, status.id),
    )
    if not await queries.add(tx, made):
        return
    if state is State.accepted:
        await _shown(tx, made, waited=False)
    else:
        await tx.emit(QuoteRequested(status.id, by.id))


def approval_uri(author: Account, status_id: int) -> str:
    """Where an author of this city says that they agree to a quote."""
    return f"{author.uri}/quote_authorizations/{status_id}"


def request_uri(by: Account, status_id: int) -> str:
    """The id of the question whether somebody here may quote."""
    return f"{by.uri}#quote_requests/{status_id}"


async def arrive(tx: Tx, author: Account, status: Status, quoting: Quoting) -> None:
    """A post of another server says what it quotes. That alone proves nothing; a verified agreement does."""
    known, quoted = await queries.of(tx, status.id), quoting.quoted
    if known is not None and (known.quoted_uri != quoting.uri or (known.quoted_id is None and quoted is not None)):
        await _uncount(tx, known)
        await queries.drop(tx, status.id)
        known = None
    state = policy.first_state(quoted, author.id, quoting.approval is not None, quoting.legacy)
    if known is None:
        made = Made(
            status_id=status.id, account_id=author.id, quoted_id=quoted.id if quoted else None,
            quoted_account_id=quoted.account_id if quoted else None, quoted_uri=quoting.uri, state=state.value,
            approval_uri=quoting.approval if state is State.accepted else None,
        )
        if await queries.add(tx, made) and state is State.accepted:
            await _shown(tx, made, waited=False)
    elif state is State.accepted and quoted is not None and known.quoted_id is not None:
        await _accept(tx, known, quoting.approval)


async def ask(tx: Tx, by: Account, status: Status, quoted: Status, request: str) -> bool:
    """Someone elsewhere asks to quote a post of this city: the author has said beforehand whom they let."""
    known, author = await queries.of(tx, status.id), await accounts.by_id(tx, quoted.account_id)
    asker = await queries.asker(tx, quoted.account_id, by.id)
    allowed = policy.standing(quoted, by.id, asker) == "automatic"
    if not allowed or author is None or known is None or known.quoted_id != quoted.id:
        await refuse(tx, by, quoted, request, status.uri)
        return False
    await queries.requested(tx, status.id, request)
    if known.state == State.accepted.value:
        await tx.emit(QuoteAccepted(status.id, quoted.id, quoted.account_id, by.id, True))
        return True
    if await _accept(tx, known, approval_uri(author, status.id)):
        return True
    await refuse(tx, by, quoted, request, status.uri)
    return False


async def refuse(tx: Tx, by: Account, quoted: Status, request: str, instrument: str) -> None:
    """Someone elsewhere who asks to quote is told that they may not."""
    await tx.emit(QuoteRefused(request, by.id, quoted.account_id, quoted.uri, instrument))


async def accept(tx: Tx, author: Account, status_id: int, approval: str) -> bool:
    """The author of a quoted post elsewhere agrees; only they can. False: there was nothing to agree to."""
    known = await _asked_of(tx, author, status_id)
    return known is not None and known.state == State.pending.value and await _accept(tx, known, approval)


async def reject(tx: Tx, author: Account, status_id: int) -> bool:
    """The author of a quoted post elsewhere does not agree."""
    known = await _asked_of(tx, author, status_id)
    if known is None or Step.reject not in policy.LIFE.steps(State(known.state)):
        return False
    await _uncount(tx, known)
    await queries.move(tx, status_id, policy.LIFE.step(State(known.state), Step.reject).value, None)
    return True


async def _asked_of(tx: Tx, author: Account, status_id: int) -> Quote | None:
    await tx.lock(f"quote {status_id}")
    known = await queries.of(tx, status_id)
    return known if known is not None and known.quoted_account_id == author.id else None


async def revoke(tx: Tx, author: Account, status_id: int, quoted_id: int | None = None) -> Quote:
    """The quoted author agrees no more; doing it twice is the same as once. Nobody else can."""
    known = await _asked_of(tx, author, status_id)
    if known is None or known.quoted_id is None or quoted_id not in (None, known.quoted_id):
        raise NotFound("quote")
    if known.state == State.accepted.value:
        await _uncount(tx, known)
        await queries.move(tx, status_id, policy.LIFE.step(State.accepted, Step.revoke).value, None)
        await tx.emit(QuoteRevoked(status_id, known.quoted_id, author.id, known.account_id, known.approval_uri))
    return known


async def withdraw(tx: Tx, status_id: int) -> None:
    """The agreement to a quote between other servers is not there any more."""
    known = await queries.of(tx, status_id)
    if known is not None and known.quoted_account_id is not None and known.quoted_id is not None:
        author = await accounts.by_id(tx, known.quoted_account_id)
        if author is not None:
            await revoke(tx, author, status_id)


async def _accept(tx: Tx, known: Quote, approval: str | None) -> bool:
    """One step to accepted, from where that is possible."""
    if Step.accept not in policy.LIFE.steps(State(known.state)) or known.quoted_id is None:
        return False
    await queries.move(tx, known.status_id, policy.LIFE.step(State(known.state), Step.accept).value, approval)
    await _shown(tx, known, waited=True)
    return True


async def _shown(tx: Tx, quote: Quote | Made, *, waited: bool) -> None:
    if quote.quoted_id is not None and quote.quoted_account_id is not None:
        await statuses.count(tx, quote.quoted_id, quotes=1)
        await tx.emit(
            QuoteAccepted(quote.status_id, quote.quoted_id, quote.quoted_account_id, quote.account_id, waited)
        )


async def _uncount(tx: Tx, known: Quote) -> None:
    if known.state == State.accepted.value and known.quoted_id is not None:
        await statuses.count(tx, known.quoted_id, quotes=-1)


async def end(tx: Tx, status_id: int) -> None:
    """A post is gone: it quotes nothing any more, and what quotes it shows that it is gone."""
    own = await queries.of(tx, status_id)
    if own is not None:
        await _uncount(tx, own)
        await queries.drop(tx, status_id)
    await queries.end(tx, status_id)
