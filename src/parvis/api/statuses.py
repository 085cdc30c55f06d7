"""Posts."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Any

import msgspec

from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.api import limits, refreshes
from parvis.api.call import Call, Paged, delete, get, post, put
from parvis.api.entities import decoded, edit_entity
from parvis.api.scheduled_statuses import waiting
from parvis.base.errors import Invalid, NotFound
from parvis.composing import actions as composing
from parvis.composing import queries as schedule
from parvis.composing.model import Author, City, Wish
from parvis.federation import fetch, threads
from parvis.media import actions as media
from parvis.media import queries as files
from parvis.polls import policy as polls
from parvis.polls.model import PollWish
from parvis.quotes import actions as quotes
from parvis.quotes.model import QuotePolicy
from parvis.screening import actions as screening
from parvis.statuses import actions as statuses
from parvis.statuses import policy, queries
from parvis.statuses.model import ReplyPolicy, Revision, Status, Visibility
from parvis.text import mentions
from parvis.views import account as people
from parvis.views import fresh
from parvis.views import queries as views
from parvis.views import status as view
from parvis.views.model import Around

STRANGERS = 10
PATIENCE = 15.0


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One post."""

    id: int


class Several(msgspec.Struct, frozen=True, kw_only=True):
    """Some posts."""

    id: list[int] = []


class NewStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a post is made from."""

    status: str = ""
    media_ids: list[int] = []
    in_reply_to_id: int | None = None
    sensitive: bool | None = None
    spoiler_text: str = ""
    visibility: Visibility | None = None
    language: str | None = None
    poll: PollWish | None = None
    scheduled_at: str = ""
    quoted_status_id: int | None = None
    quote_approval_policy: QuotePolicy | None = None
    reply_policy: ReplyPolicy = "public"
    local_only: bool = False


class MediaChange(msgspec.Struct, frozen=True, kw_only=True):
    """A file described anew while a post is edited."""

    id: int
    description: str | None = None
    focus: str | None = None


class ChangedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a post shall say."""

    id: int
    status: str = ""
    media_ids: list[int] = []
    media_attributes: list[MediaChange] = []
    sensitive: bool | None = None
    spoiler_text: str = ""
    language: str | None = None
    poll: PollWish | None = None
    quote_approval_policy: QuotePolicy | None = None
    reply_policy: ReplyPolicy | None = None


class Reblog(msgspec.Struct, frozen=True, kw_only=True):
    """A post, and for whom it is passed on."""

    id: int
    visibility: Visibility = "public"


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """A post, and whether its files go with it."""

    id: int
    delete_media: bool = False


class ListOfOne(Paged, frozen=True, kw_only=True):
    """A list that belongs to one post."""

    id: int


async def shown(call: Call, status_id: int) -> bytes:
    """One post as the caller sees it."""
    found = await view.statuses(call.read, call.eye(), [status_id])
    if status_id not in found:
        raise NotFound("status")
    return found[status_id]


def _wish(call: Call, args: NewStatus) -> Wish:
    return Wish(
        text=args.status, media_ids=tuple(args.media_ids), poll=args.poll, in_reply_to_id=args.in_reply_to_id,
        sensitive=args.sensitive, spoiler_text=args.spoiler_text, visibility=args.visibility, language=args.language,
        application_id=call.bearer.application_id if call.bearer else None, quoted_status_id=args.quoted_status_id,
        quote_approval_policy=args.quote_approval_policy, reply_policy=args.reply_policy, local_only=args.local_only,
    )


async def _meet(call: Call, text: str) -> None:
    """Get to know those a text names who live elsewhere; one that cannot be reached stays plain text."""
    policy.readable(text)
    named = [(name, domain) for name, domain in mentions.mentions(text) if domain and domain != call.settings.domain]
    if not named:
        return
    async with call.job.db.read() as r:
        known = await accounts.by_handles(r, [name for name, _ in named], [domain for _, domain in named])
    met = {(account.username.lower(), account.domain) for account in known}
    strangers = [(name, domain) for name, domain in named if (name, domain) not in met][:STRANGERS]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(
                *(fetch.by_handle(call.job, name, domain) for name, domain in strangers), return_exceptions=True
            )


@post("/api/v1/statuses", "write:statuses", limit=limits.POST, tx="none")
async def create(call: Call, args: NewStatus) -> object:
    """Publish, or with scheduled_at, later. An Idempotency-Key makes a second call within the hour answer the same."""
    key = call.request.headers.get("idempotency-key", "").replace("\x00", "")[:200]
    at = composing.moment(args.scheduled_at) if args.scheduled_at.strip() else None
    await _meet(call, args.status)
    async with call.opening("read"):
        me = await composing.author(call.read, call.me_id, call.bearer.application_id if call.bearer else None)
    made = await call.together(lambda: _create(call, me, args, key, at))
    if not isinstance(made, Status):
        return made
    known = None if args.media_ids or args.poll or args.quoted_status_id else fresh.status(call.eye(), me, made)
    if known is not None:
        return known
    async with call.opening("read"):  # committed: what others look at in this moment is read with it
        return await shown(call, made.id)


async def _create(call: Call, me: Author, args: NewStatus, key: str, at: datetime | None) -> object:
    """A new post; or what waits for its hour, or was made under this key before."""
    if key:
        await call.tx.lock(f"idempotency {me.id} {key}")
        if (made := await _made_under(call, me, key)) is not None:
            return made
    city = City(call.settings.base, call.settings.domain)
    if at is not None:
        kept = await composing.schedule(call.tx, me, _wish(call, args), city, at, key or None)
        return await waiting(call, kept)
    status = await composing.publish(call.tx, me, _wish(call, args), city)
    if key:
        await queries.keep_key(call.tx, me.id, key, status.id)
    return status


async def _made_under(call: Call, me: Account, key: str) -> object:
    """What an Idempotency-Key has made within its hour: a post, or one that waits."""
    posted = await queries.posted_under(call.tx, me.id, key)
    if posted is not None:
        return await shown(call, posted)
    kept = await schedule.under(call.tx, me.id, key)
    return None if kept is None else await waiting(call, kept)


@get("/api/v1/statuses/{id}", "read:statuses", who="anyone")
async def show(call: Call, args: One) -> bytes:
    """Look at one post."""
    return await shown(call, args.id)


@get("/api/v1/statuses", "read:statuses", who="anyone")
async def several(call: Call, args: Several) -> bytes:
    """Look at some posts; those one may not see are left out."""
    if len(args.id) > 40:
        raise Invalid("id", "too_many")
    return await view.page(call.read, call.eye(), list(dict.fromkeys(args.id)))


@delete("/api/v1/statuses/{id}", "write:statuses", limit=limits.DELETE, tx="none")
async def destroy(call: Call, args: Deletion) -> dict[str, Any]:
    """Take a post back; what was typed comes with the answer, so that it can be written anew."""
    async with call.opening("write"):
        me = await call.me()
        before = await queries.visible(call.tx, args.id, me.id)
        entity = decoded(await shown(call, args.id))
        gone = await files.drop(call.tx, args.id) if args.delete_media else []
        await statuses.delete(call.tx, me, args.id)
    await media.discard(call.job.files, [name for one in gone for name in one.names])
    return {**entity, "text": before.text}


@get("/api/v1/statuses/{id}/context", "read:statuses", who="anyone", tx="none")
async def context(call: Call, args: One) -> bytes:
    """What a post replies to, and what replies to it. The rest of a conversation elsewhere is asked for meanwhile."""
    reach = (40, 60, 20) if call.viewer is None else (4096, 4096, 4096)
    thread = await call.app.threads.of(Around(call.viewer, args.id, *reach))
    if thread is None:
        raise NotFound("status")
    if thread.far and call.viewer is not None:
        async with call.opening("write"):
            refreshes.tell(call, args.id, await threads.want(call.tx, args.id))
    return thread.entity


@put("/api/v1/statuses/{id}", "write:statuses", tx="none")
async def edit(call: Call, args: ChangedStatus) -> bytes:
    """Change what a post says."""
    await _meet(call, args.status)
    async with call.opening("write"):
        me = await call.me()
        for change in args.media_attributes:
            await media.describe(call.tx, me, change.id, change.description, change.focus)
        before = await queries.visible(call.tx, args.id, me.id)
        made = await statuses.compose(call.tx, args.status, call.settings.base, call.settings.domain)
        spoiler = args.spoiler_text.strip()
        await screening.edit(call.tx, me, args.id, Revision(
            content=made.content, text=args.status, spoiler_text=spoiler,
            sensitive=bool(args.sensitive) or bool(spoiler),
            language=composing.spoken(args.language) or before.language, mentions=made.mentions, tags=made.tags,
            media=tuple(args.media_ids), poll=polls.asked(args.poll, call.tx.now) if args.poll else None,
        ))
        await quotes.open_to(call.tx, me, args.id, args.quote_approval_policy, args.reply_policy)
        return await shown(call, args.id)


@get("/api/v1/statuses/{id}/history", "read:statuses", who="anyone")
async def history(call: Call, args: One) -> list[dict[str, Any]]:
    """All that a post has said, its present state last."""
    status = await queries.visible(call.read, args.id, call.viewer)
    entity = decoded(await shown(call, args.id))
    earlier = await queries.edits(call.read, args.id)
    now = {
        "content": entity["content"], "spoiler_text": entity["spoiler_text"], "sensitive": entity["sensitive"],
        "created_at": entity["edited_at"] or entity["created_at"], "account": entity["account"],
        "media_attachments": entity["media_attachments"], "emojis": entity["emojis"],
    }
    if entity["poll"]:
        now["poll"] = {"options": [{"title": option["title"]} for option in entity["poll"]["options"]]}
    return [*(edit_entity(row, entity["account"], call.settings) for row in earlier if status), now]


@get("/api/v1/statuses/{id}/source", "read:statuses")
async def source(call: Call, args: One) -> dict[str, str]:
    """What was typed, for its author to edit."""
    status = await _mine(call, args.id)
    return {"id": str(status.id), "text": status.text, "spoiler_text": status.spoiler_text}


async def _mine(call: Call, status_id: int) -> Status:
    status = await queries.visible(call.read, status_id, call.me_id)
    if status.account_id != call.me_id:
        raise NotFound("status")
    return status


@post("/api/v1/statuses/{id}/favourite", "write:favourites")
async def favourite(call: Call, args: One) -> bytes:
    """Mark as a favourite."""
    return await shown(call, (await statuses.favourite(call.tx, await call.me(), args.id)).id)


@post("/api/v1/statuses/{id}/unfavourite", "write:favourites")
async def unfavourite(call: Call, args: One) -> bytes:
    """Take a favourite back."""
    return await shown(call, (await statuses.unfavourite(call.tx, await call.me(), args.id)).id)


@post("/api/v1/statuses/{id}/reblog", "write:statuses", limit=limits.POST)
async def reblog(call: Call, args: Reblog) -> bytes:
    """Pass on; the answer is the wrapper."""
    return await shown(call, (await statuses.reblog(call.tx, await call.me(), args.id, args.visibility)).id)


@post("/api/v1/statuses/{id}/unreblog", "write:statuses", limit=limits.DELETE)
async def unreblog(call: Call, args: One) -> bytes:
    """No longer pass on; the answer is the post."""
    return await shown(call, (await statuses.unreblog(call.tx, await call.me(), args.id)).id)


@post("/api/v1/statuses/{id}/bookmark", "write:bookmarks")
async def bookmark(call: Call, args: One) -> bytes:
    """Keep for later."""
    return await shown(call, (await statuses.bookmark(call.tx, await call.me(), args.id)).id)


@post("/api/v1/statuses/{id}/unbookmark", "write:bookmarks")
async def unbookmark(call: Call, args: One) -> bytes:
    """Keep no longer."""
    return await shown(call, (await statuses.unbookmark(call.tx, await call.me(), args.id)).id)


@post("/api/v1/statuses/{id}/pin", "write:accounts")
async def pin(call: Call, args: One) -> bytes:
    """Show at the top of one's profile."""
    return await shown(call, (await statuses.pin(call.tx, await call.me(), args.id)).id)


@post("/api/v1/statuses/{id}/unpin", "write:accounts")
async def unpin(call: Call, args: One) -> bytes:
    """Show at the top no longer."""
    return await shown(call, (await statuses.unpin(call.tx, await call.me(), args.id)).id)


@post("/api/v1/statuses/{id}/mute", "write:mutes")
async def mute(call: Call, args: One) -> bytes:
    """No longer be told of a conversation."""
    return await shown(call, (await statuses.mute_conversation(call.tx, await call.me(), args.id)).id)


@post("/api/v1/statuses/{id}/unmute", "write:mutes")
async def unmute(call: Call, args: One) -> bytes:
    """Be told of a conversation again."""
    return await shown(call, (await statuses.unmute_conversation(call.tx, await call.me(), args.id)).id)


async def _by_whom(call: Call, name: str, args: ListOfOne) -> bytes:
    rows = await views.listed(call.read, name, args.id, args.page(40), call.viewer)
    if not rows:
        await queries.visible(call.read, args.id, call.viewer)
    call.link([row.row_id for row in rows])
    return await people.page(call.read, call.eye(), [row.account_id for row in rows])


@get("/api/v1/statuses/{id}/favourited_by", "read:statuses", who="anyone")
async def favourited_by(call: Call, args: ListOfOne) -> bytes:
    """Who marked it as a favourite."""
    return await _by_whom(call, "favourited_by", args)


@get("/api/v1/statuses/{id}/reblogged_by", "read:statuses", who="anyone")
async def reblogged_by(call: Call, args: ListOfOne) -> bytes:
    """Who passed it on."""
    return await _by_whom(call, "reblogged_by", args)
