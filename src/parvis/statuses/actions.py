"""The deeds on posts. Local requests and other servers' activities call the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Invalid, NotFound
from parvis.base.jobs import Job
from parvis.media import actions as files
from parvis.media import queries as media
from parvis.polls import actions as polls
from parvis.polls import queries as asked
from parvis.statuses import policy, queries
from parvis.statuses.model import (
    Composed,
    Deleted,
    Draft,
    Edited,
    Favourited,
    Linked,
    Openness,
    Pinned,
    PolicyChanged,
    Posted,
    PostedAbroad,
    Reblogged,
    RemoteMedia,
    Revision,
    Status,
    Unfavourited,
    Unpinned,
    Unreblogged,
)
from parvis.text import html
from parvis.text import mentions as words


async def compose(r: Read, text: str, base: str, domain: str) -> Composed:
    """A typed text as HTML, with the people and hashtags that it names. Unknown handles stay plain text."""
    handles = [(name, "" if (host or "").lower() == domain else (host or "")) for name, host in words.mentions(text)]
    found: list[Account] = []
    if handles:
        found = await accounts.by_handles(r, [name for name, _ in handles], [host for _, host in handles])
    urls: dict[tuple[str, str | None], tuple[str, str]] = {}
    for account in found:
        for host in {account.domain, domain} if account.local else {account.domain}:
            urls[(account.username.lower(), host)] = (account.url, account.username)
    tags = words.hashtags(text)
    content = html.html(text, urls, lambda tag: f"{base}/tags/{words.normal_tag(tag)}")
    return Composed(content, tuple(account.id for account in found), tuple(tags))


async def publish(tx: Tx, by: Account, draft: Draft) -> Status:
    """Make a post. One whose URI is known already is returned as it stands, and nothing happens."""
    policy.may_speak(by)
    if draft.uri is None:
        policy.says_something(draft.text, draft.media)
        policy.fits(words.length(draft.text) + len(draft.spoiler_text))
    parent = await _parent(tx, by, draft)
    hidden = parent is not None and not await _welcomed(tx, by, parent)
    draft = msgspec.structs.replace(
        draft, openness=policy.opened(draft.visibility, draft.openness),
        local_only=draft.local_only or (parent is not None and parent.local_only),
    )
    place = queries.Place(
        draft.uri, draft.url, by.local, parent.account_id if parent else None,
        parent.conversation_id if parent else None, hidden, by.uri, by.url if by.local else None,
    )
    made = await queries.add(tx, by.id, draft, place, [words.normal_tag(tag) for tag in draft.tags])
    if made is None:
        known = await queries.by_uri(tx, draft.uri or "")
        if known is None:
            raise NotFound("status")
        return known
    await _dress(tx, by, made.id, draft, untagged=made.untagged)
    if draft.poll:
        await polls.ask(tx, by, made.id, draft.poll)
    adopted = await queries.adopt_waiting_replies(tx, made) if made.awaited else 0
    if adopted:
        await queries.count(tx, made.id, replies=adopted)
    if not draft.held:
        if parent and not hidden:
            await queries.count(tx, parent.id, replies=1)
        told = Posted(made.id, by.id, made.visibility, bool(draft.mentions), made.watched, made.offered)
        await _tell(tx, by, made, told, made.abroad)
    return made


async def _tell(tx: Tx, by: Account, status: Status, told: Posted, abroad: bool) -> None:
    """Count a new post, and tell of it all whom it concerns."""
    await accounts.count_status(tx, by.id)
    await tx.emit(told)
    if "://" in (status.text if by.local else status.content):
        await tx.emit(Linked(status.id, by.id))
    if by.local and abroad and not status.local_only:
        await tx.emit(PostedAbroad(status.id, by.id))


async def let_out(tx: Tx, by: Account, status: Status) -> None:
    """Tell of a post that was kept back, as if it came now."""
    if status.in_reply_to_id and not status.reply_hidden:
        await queries.count(tx, status.in_reply_to_id, replies=1)
    await _tell(tx, by, status, Posted(status.id, by.id, status.visibility), abroad=True)


async def _parent(tx: Tx, by: Account, draft: Draft) -> Status | None:
    """What is replied to: it must be visible to a local author; a remote reply may come before its parent."""
    if draft.in_reply_to_id is None:
        return None
    found = await queries.seen(tx, draft.in_reply_to_id, by.id)
    if found is None and by.local:
        raise NotFound("status")
    if found is not None and found.reblog_of_id is not None:
        return await queries.visible(tx, found.reblog_of_id, by.id)
    return found


async def _welcomed(tx: Tx, by: Account, parent: Status) -> bool:
    """Is an answer wanted? Somebody here may not give one that is not; one from elsewhere is kept out of sight."""
    if parent.reply_policy == "public" or parent.account_id == by.id:
        return True
    standing = await queries.standing(tx, parent.id, by.id)
    if by.local:
        policy.may_reply(by.id, parent, standing)
        return True
    return not policy.unwelcome_from_elsewhere(by.id, parent, standing)


async def open_to(tx: Tx, by: Account, status_id: int, openness: Openness) -> Status:
    """Change who may quote and answer one's post; what was quoted and answered before stays."""
    status = await queries.visible(tx, status_id, by.id)
    policy.may_own(by.id, status)
    if status.reblog_of_id:
        raise NotFound("status")
    if await queries.open_to(tx, status_id, policy.opened(status.visibility, openness)):
        await tx.emit(PolicyChanged(status_id, by.id))
    return await queries.visible(tx, status_id, by.id)


async def _dress(tx: Tx, by: Account, status_id: int, draft: Draft | Revision, *, untagged: bool = True) -> None:
    """Attach files, names and hashtags."""
    if draft.media:
        await files.may_attach(tx, by, draft.media)
        if await media.attach(tx, status_id, by.id, draft.media) != len(set(draft.media)):
            raise Invalid("media_ids", "not_found")
    await _attach_remote(tx, by, status_id, draft.remote_media)
    silent = draft.silent if isinstance(draft, Draft) else ()
    if draft.mentions or silent:
        await queries.add_mentions(tx, status_id, draft.mentions, silent)
    if untagged:
        names = [words.normal_tag(tag) for tag in draft.tags]
        while await queries.put_tags(tx, status_id, names, list(draft.tags)) < len(set(names)):
            pass  # somebody else was making one of them, and has committed by now


async def _attach_remote(tx: Tx, by: Account, status_id: int, given: Sequence[RemoteMedia]) -> None:
    for place, file in enumerate(given[: policy.MEDIA]):
        kind = file.content_type.split("/", 1)[0]
        shows = kind in ("image", "video", "audio") and "svg" not in file.content_type  # a drawing that can run scripts
        kind = kind if shows else "unknown"
        shown = (file.description, file.blurhash, file.width, file.height, file.focus_x, file.focus_y)
        where = (kind, file.content_type, file.url, file.preview_url)
        await media.add_remote(tx, by.id, status_id, place, where, shown)


async def edit(tx: Tx, by: Account, status_id: int, revision: Revision) -> Status:
    """Change what a post says; what it said before is kept for all who could see it."""
    await tx.lock(f"status {status_id}")
    before = await queries.visible(tx, status_id, by.id)
    policy.may_own(by.id, before)
    if before.reblog_of_id:
        raise NotFound("status")
    if before.local:
        policy.says_something(revision.text, revision.media)
        policy.fits(words.length(revision.text) + len(revision.spoiler_text))
    elif revision.edited_at and before.edited_at and revision.edited_at <= before.edited_at:
        return before
    held = await queries.is_held(tx, before)
    shown = await media.of_statuses(tx, [status_id])
    await queries.keep_edit(tx, before, [_as_kept(file) for file in shown], await _answers(tx, status_id))
    await queries.revise(tx, status_id, revision)
    if before.local:
        await media.detach_others(tx, status_id, revision.media)
    else:
        await media.drop_remote(tx, status_id)
    await _dress(tx, by, status_id, revision)
    await polls.revise(tx, by, status_id, revision.poll)
    if not held:
        await tx.emit(Edited(status_id, by.id))
    return await queries.visible(tx, status_id, by.id)


def _as_kept(file: object) -> dict[str, Any]:
    found = msgspec.to_builtins(file)
    if not isinstance(found, dict):
        raise TypeError("a file is a mapping")
    return found


async def _answers(r: Read, status_id: int) -> list[str] | None:
    poll = await asked.of_status(r, status_id)
    return [option.title for option in await asked.options(r, poll.id)] if poll else None


async def vote(tx: Tx, by: Account, poll_id: int, chosen: Sequence[int], uri: str | None = None) -> Status:
    """Answer the question that a post asks; NotFound when one may not see it."""
    poll = await asked.by_id(tx, poll_id)
    if poll is None:
        raise NotFound("poll")
    status = await queries.visible(tx, poll.status_id, by.id)
    await polls.vote(tx, by, poll_id, chosen, uri)
    return status


async def delete(tx: Tx, by: Account, status_id: int) -> Status:
    """Take a post back, and with it its reblogs. What it was is returned."""
    before = await queries.visible(tx, status_id, by.id)
    policy.may_own(by.id, before)
    if before.reblog_of_id:
        await unreblog(tx, by, status_id)
        return before
    held = await queries.is_held(tx, before)
    gone = await queries.delete(tx, status_id)
    if gone:
        await media.let_go(tx, [status_id])
    if gone and not held:
        await accounts.count_statuses(tx, gone, -1)
        if before.in_reply_to_id and not before.reply_hidden:
            await queries.count(tx, before.in_reply_to_id, replies=-1)
        await tx.emit(Deleted(status_id, by.id, before.uri))
    return before


async def favourite(tx: Tx, by: Account, status_id: int, uri: str | None = None) -> Status:
    """Mark a status as a favourite. Doing it twice is the same as once."""
    status = await _original(tx, status_id, by.id)
    made = await queries.add_favourite(tx, status.id, by.id, uri)
    if made is not None:
        await queries.count(tx, status.id, favourites=1)
        await tx.emit(Favourited(status.id, status.account_id, by.id, made))
    return status


async def unfavourite(tx: Tx, by: Account, status_id: int) -> Status:
    """Take a favourite back."""
    status = await _original(tx, status_id, by.id)
    was = await queries.drop_favourite(tx, status.id, by.id)
    if was is not None:
        await queries.count(tx, status.id, favourites=-1)
        await tx.emit(Unfavourited(status.id, status.account_id, by.id, was))
    return status


async def _original(r: Read, status_id: int, viewer: int) -> Status:
    """The post itself, when the id is that of a reblog of it."""
    found = await queries.visible(r, status_id, viewer)
    return found if found.reblog_of_id is None else await queries.visible(r, found.reblog_of_id, viewer)


async def reblog(
    tx: Tx, by: Account, status_id: int, visibility: str = "public", uri: str | None = None,
    created_at: datetime | None = None,
) -> Status:
    """Pass a post on; the wrapper. Doing it twice is the same as once."""
    policy.may_speak(by)
    original = await _original(tx, status_id, by.id)
    policy.may_reblog(by.id, original)
    known = await queries.reblog_by(tx, by.id, original.id)
    if known is not None:
        return known
    wrapper_id = await queries.next_id(tx)
    address = uri or f"{by.uri}/statuses/{wrapper_id}/activity"
    place = queries.Place(address, f"{by.url}/{wrapper_id}" if by.local else None, by.local, None, wrapper_id)
    wish = (policy.reblog_visibility(visibility, original), created_at)
    if not await queries.add_reblog(tx, wrapper_id, by.id, original, place, wish):
        return await queries.reblog_by(tx, by.id, original.id) or original
    await queries.count(tx, original.id, reblogs=1)
    await accounts.count_statuses(tx, [by.id], 1)
    await tx.emit(Reblogged(wrapper_id, original.id, original.account_id, by.id))
    return await queries.visible(tx, wrapper_id, by.id)


async def unreblog(tx: Tx, by: Account, status_id: int) -> Status:
    """No longer pass a post on."""
    original = await _original(tx, status_id, by.id)
    wrapper = await queries.reblog_by(tx, by.id, original.id)
    if wrapper is not None and await queries.delete(tx, wrapper.id):
        await queries.count(tx, original.id, reblogs=-1)
        await accounts.count_statuses(tx, [by.id], -1)
        await tx.emit(Unreblogged(wrapper.id, original.id, original.account_id, by.id, wrapper.uri))
    return original


async def bookmark(tx: Tx, by: Account, status_id: int) -> Status:
    """Keep a post for later. Nobody is told."""
    status = await _original(tx, status_id, by.id)
    await queries.add_bookmark(tx, status.id, by.id)
    return status


async def unbookmark(tx: Tx, by: Account, status_id: int) -> Status:
    """Keep a post no longer."""
    status = await _original(tx, status_id, by.id)
    await queries.drop_bookmark(tx, status.id, by.id)
    return status


async def pin(tx: Tx, by: Account, status_id: int) -> Status:
    """Show an own post at the top of one's profile."""
    status = await queries.visible(tx, status_id, by.id)
    already = await queries.pinned(tx, by.id)
    if status.id not in already:
        policy.may_pin(by.id, status, len(already))
        made = await queries.add_pin(tx, status.id, by.id)
        if made is not None:
            await tx.emit(Pinned(status.id, by.id, made))
    return status


async def unpin(tx: Tx, by: Account, status_id: int) -> Status:
    """Take a post from the top of one's profile."""
    status = await queries.visible(tx, status_id, by.id)
    policy.may_own(by.id, status)
    gone = await queries.drop_pin(tx, status.id, by.id)
    if gone is not None:
        await tx.emit(Unpinned(status.id, by.id, gone))
    return status


async def mute_conversation(tx: Tx, by: Account, status_id: int) -> Status:
    """No longer be told of this conversation."""
    status = await queries.visible(tx, status_id, by.id)
    await queries.mute_conversation(tx, status.conversation_id, by.id)
    return status


async def unmute_conversation(tx: Tx, by: Account, status_id: int) -> Status:
    """Be told of this conversation again."""
    status = await queries.visible(tx, status_id, by.id)
    await queries.unmute_conversation(tx, status.conversation_id, by.id)
    return status


async def fold_counts(job: Job) -> bool:
    """Add waiting count deltas to their bases, drop old Idempotency-Keys; true while there may be more."""
    async with job.db.write() as tx:
        await queries.forget_keys(tx)
        return await queries.fold_counts(tx) >= 5000


async def forget_translations(job: Job) -> None:
    """Translations are kept for a week, and the newest of them only."""
    async with job.db.write() as tx:
        await queries.forget_translations(tx, policy.TRANSLATIONS)
