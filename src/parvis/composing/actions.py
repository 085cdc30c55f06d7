"""The one way from what somebody wants to say to a post: at once, or at its hour."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import structlog

from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from parvis.base.jobs import Job
from parvis.composing import policy, queries
from parvis.composing.model import Author, City, Refusal, Scheduled, Wish
from parvis.media import actions as files
from parvis.media import queries as media
from parvis.polls import policy as polls
from parvis.quotes import actions as quotes
from parvis.quotes import policy as quoting
from parvis.screening import actions as screening
from parvis.statuses import actions as statuses
from parvis.statuses import policy as posting
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft, Openness, Status, Visibility
from parvis.text import language, mentions

log = structlog.get_logger()


async def author(r: Read, account_id: int, application_id: int | None = None) -> Author:
    """Somebody who may post here, by this app."""
    found = await queries.authors(r, account_id, application_id)
    if not found:
        raise NotFound("account")
    if found[0].suspended_at or found[0].disabled_at:
        raise Forbidden("login_disabled")
    return found[0]


async def publish(tx: Tx, by: Author, wish: Wish, city: City) -> Status:
    """Make a post of what somebody wants to say."""
    return await screening.publish(tx, by, await _draft(tx, by, wish, city), wish.quoted_status_id)


async def _draft(r: Read, by: Author, wish: Wish, city: City) -> Draft:
    parent = None if wish.in_reply_to_id is None else await posts.visible(r, wish.in_reply_to_id, by.id)
    made = await statuses.compose(r, wish.text, city.base, city.domain)
    visibility: Visibility = wish.visibility or msgspec.convert(by.default_privacy, Visibility)
    spoiler = wish.spoiler_text.strip()
    return Draft(
        content=made.content, visibility=visibility, text=wish.text, spoiler_text=spoiler,
        sensitive=bool(wish.sensitive if wish.sensitive is not None else by.default_sensitive) or bool(spoiler),
        language=spoken(wish.language) or by.default_language, in_reply_to_id=parent.id if parent else None,
        mentions=made.mentions, tags=made.tags, media=wish.media_ids, application_id=wish.application_id,
        poll=polls.asked(wish.poll, r.now) if wish.poll else None, local_only=wish.local_only,
        openness=Openness(
            quote_automatic=quoting.AUTOMATIC[wish.quote_approval_policy or by.default_quote_policy],
            reply_policy=wish.reply_policy,
        ),
    )


def spoken(code: str | None) -> str | None:
    """The language that a client names, in its usual form; None when it names none."""
    if not code:
        return None
    found = language.valid(code)
    if found is None:
        raise Invalid("language", "invalid")
    return found


def moment(text: str) -> datetime:
    """A time as clients write it; one without a zone is taken for UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("scheduled_at", "invalid") from error


async def schedule(tx: Tx, by: Author, wish: Wish, city: City, at: datetime, key: str | None = None) -> Scheduled:
    """Publish later. All that can be refused now is refused now; the files are kept for it."""
    await _may_schedule(tx, by, at, None)
    draft = await _draft(tx, by, wish, city)
    if wish.quoted_status_id is not None:
        draft = quoting.prepared(draft, await quotes.quotable(tx, by, wish.quoted_status_id), by.id)
    if wish.quoted_status_id is not None:
        await quotes.quotable(tx, by, wish.quoted_status_id)
    posting.says_something(draft.text, draft.media)
    posting.fits(mentions.length(draft.text) + len(draft.spoiler_text))
    if key:
        await queries.forget_key(tx, by.id, key)
    scheduled_id = await queries.add(tx, by.id, msgspec.to_builtins(wish), at, key)
    await files.may_attach(tx, by, wish.media_ids)
    if wish.media_ids and await media.hold(tx, scheduled_id, by.id, wish.media_ids) != len(set(wish.media_ids)):
        raise Invalid("media_ids", "not_found")
    return await own(tx, by.id, scheduled_id)


async def _may_schedule(tx: Tx, by: Account, at: datetime, without: int | None) -> None:
    await tx.lock(f"scheduled {by.id}")
    waiting = await queries.waiting(tx, by.id, at, without)
    policy.may_schedule(at, tx.now, waiting.in_all, waiting.that_day)


async def own(r: Read, account_id: int, scheduled_id: int) -> Scheduled:
    """One of one's own; NotFound otherwise."""
    found = await queries.one(r, account_id, scheduled_id)
    if found is None:
        raise NotFound("scheduled_status")
    return found


async def postpone(tx: Tx, by: Account, scheduled_id: int, at: datetime) -> Scheduled:
    """Give another date. What could not be published is tried again then."""
    await own(tx, by.id, scheduled_id)
    await _may_schedule(tx, by, at, scheduled_id)
    await queries.postpone(tx, by.id, scheduled_id, at)
    return await own(tx, by.id, scheduled_id)


async def cancel(tx: Tx, by: Account, scheduled_id: int) -> None:
    """Do not publish it. Its files are free again."""
    if not await queries.drop(tx, by.id, scheduled_id):
        raise NotFound("scheduled_status")


async def publish_due(job: Job) -> bool:
    """Publish what is due, one in a transaction of its own; true when there was one.

    The post and the end of its waiting are one transaction: whatever dies half-way, it is published once.
    """
    due: Scheduled | None = None
    try:
        async with job.db.write() as tx:
            due = await queries.first_due(tx)
            if due is None:
                return False
            await _publish(tx, due, City(job.settings.base, job.settings.domain))
    except Conflict:
        await _leave_alone(job, due)
    except Problem as problem:
        await _refuse(job, due, problem)
    except Exception:
        log.exception("publish_due", scheduled=due and due.id)
        await _leave_alone(job, due)
    return True


async def _publish(tx: Tx, due: Scheduled, city: City) -> None:
    by = await author(tx, due.account_id)
    await media.release(tx, due.id)
    made = await publish(tx, by, msgspec.convert(due.wish, Wish), city)
    if due.idempotency_key:
        await posts.keep_key(tx, by.id, due.idempotency_key, made.id)
    await queries.drop(tx, by.id, due.id)


async def _refuse(job: Job, due: Scheduled | None, problem: Problem) -> None:
    if due is None:
        raise problem
    refusal = Refusal(type(problem).__name__, problem.word, problem.field if isinstance(problem, Invalid) else "")
    async with job.db.write() as tx:
        await queries.refuse(tx, due.id, msgspec.to_builtins(refusal))


async def _leave_alone(job: Job, due: Scheduled | None) -> None:
    if due is not None:
        async with job.db.write() as tx:
            await queries.leave_alone(tx, due.id)
