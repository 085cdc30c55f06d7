"""What happens here, told to those elsewhere whom it concerns: an event becomes a document and its deliveries.

Each is a later reaction: it re-reads what its event names, and a second run makes no second activity, since the
activity's id follows from what happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from parvis.accounts import actions as leaving
from parvis.accounts import queries as people
from parvis.accounts.model import (
    Account,
    AccountDeleted,
    Blocked,
    FollowAccepted,
    FollowRejected,
    FollowRequested,
    ProfileEdited,
    Unblocked,
    Unfollowed,
)
from parvis.base.db import Read, Tx
from parvis.base.jobs import Job
from parvis.federation import documents, keyring, notices, queries, verbs, wire
from parvis.federation.jsonld import Document, host
from parvis.federation.relaying import queries as relaying
from parvis.federation.vocabulary import PUBLIC, addressing
from parvis.moderation import queries as cases
from parvis.moderation.model import Level, MeasureTaken, Reported
from parvis.peers.model import CameBack
from parvis.polls import queries as polls
from parvis.polls.model import PollEnded, PollTallied, PollVoted
from parvis.portability.model import Moved
from parvis.quotes import queries as quotes
from parvis.quotes.model import Grant, QuoteAccepted, QuoteRefused, QuoteRequested, QuoteRevoked
from parvis.quotes.model import State as QuoteState
from parvis.statuses import queries as posts
from parvis.statuses.model import (
    Deleted,
    Edited,
    Favourited,
    Pinned,
    PolicyChanged,
    PostedAbroad,
    Reblogged,
    Status,
    Unfavourited,
    Unpinned,
    Unreblogged,
)
from parvis.timelines.model import TagFeatured, TagUnfeatured

OPEN = ("public", "unlisted")
ASKED_AGAIN = 500
"""How many follows without an answer a server that was away is asked for again."""
MOST_COMPARED = 25_000
"""How many followers somebody has at most whose lists are compared between servers."""


async def posted(job: Job, event: PostedAbroad) -> None:
    """Send a new post to those it is addressed to."""
    async with job.db.write() as tx:
        status, author = await posts.by_id(tx, event.status), await _ours(tx, event.account)
        if status and author and not status.local_only and status.deleted_at is None and status.removed_at is None:
            post = await documents.written(tx, author, status)
            document = verbs.create(documents.note(post, job.settings.base))
            document = await keyring.proved(tx, job.settings, author, document)
            await _send(tx, author, document, await _readers(tx, author, status, widened=False))


async def edited(job: Job, event: Edited) -> None:
    """Send what a post says now to all who may have the old one."""
    async with job.db.write() as tx:
        status, author = await posts.by_id(tx, event.status), await _ours(tx, event.account)
        if status and author and status.edited_at:
            await _update(tx, job, author, status, f"{verbs.mark(status.edited_at)}")


async def policy_changed(job: Job, event: PolicyChanged) -> None:
    """Tell all who may have a post that others than before may quote or answer it."""
    async with job.db.write() as tx:
        status, author = await posts.by_id(tx, event.status), await _ours(tx, event.account)
        if status and author:
            await _update(tx, job, author, status, f"policy-{status.version}")


async def _update(
    tx: Tx, job: Job, author: Account, status: Status, mark: str, also: Iterable[str] = ()
) -> None:
    """Send a post of ours as it is now to all who may have it and to these inboxes, unless it is gone or stays here."""
    if status.deleted_at is None and status.removed_at is None and not status.local_only:
        note = documents.note(await documents.written(tx, author, status), job.settings.base)
        document = verbs.update(note, author.uri, mark, note["to"], note["cc"])
        document = await keyring.proved(tx, job.settings, author, document)
        await _send(tx, author, document, [*await _readers(tx, author, status, widened=True), *also])


async def quote_requested(job: Job, event: QuoteRequested) -> None:
    """Ask an author elsewhere whether somebody here may quote their post."""
    async with job.db.write() as tx:
        quote, status = await quotes.of(tx, event.status), await posts.by_id(tx, event.status)
        if quote is None or quote.request_uri is None or status is None or status.local_only or status.deleted_at:
            return
        by, author = await _across(tx, event.account, quote.quoted_account_id or 0)
        if by and author:
            note = documents.note(await documents.written(tx, by, status), job.settings.base)
            document = verbs.quote_request(note, by, quote.quoted_uri, quote.request_uri)
            await _send(tx, by, document, [author.inbox_url])


async def quote_accepted(job: Job, event: QuoteAccepted) -> None:
    """Tell who asked that an author of this city agrees; or tell the readers here that an author elsewhere does."""
    async with job.db.write() as tx:
        quote, status = await quotes.of(tx, event.status), await posts.by_id(tx, event.status)
        if quote is None or status is None or quote.state != QuoteState.accepted.value or not event.waited:
            return
        if status.local:
            if by := await _ours(tx, event.by):
                await _update(tx, job, by, status, "quoted")
        elif quote.request_uri and quote.approval_uri:
            asked = (quote.request_uri, quote.quoted_uri, status.uri)
            await _quote_answer(tx, "Accept", (event.author, event.by), asked, quote.approval_uri)


async def quote_refused(job: Job, event: QuoteRefused) -> None:
    """Tell who asked that an author of this city does not agree."""
    async with job.db.write() as tx:
        asked = (event.request, event.quoted_uri, event.instrument)
        await _quote_answer(tx, "Reject", (event.author, event.by), asked, None)


async def _quote_answer(
    tx: Tx, kind: str, parties: tuple[int, int], asked: tuple[str, str, str], result: str | None
) -> None:
    author, by = await _across(tx, *parties)
    if author and by:
        uri, quoted, instrument = asked
        request = {"id": uri, "type": "QuoteRequest", "actor": by.uri, "object": quoted, "instrument": instrument}
        mark = hashlib.sha256(f"{by.uri} {uri}".encode()).hexdigest()[:24]
        document = verbs.quote_answer(kind, author, request, f"quote-{mark}", result)
        await _send(tx, author, document, [by.inbox_url], again=True)


async def quote_revoked(job: Job, event: QuoteRevoked) -> None:
    """Tell all who may show a quote that its author agrees no more."""
    async with job.db.write() as tx:
        status, quoted = await posts.by_id(tx, event.status), await posts.by_id(tx, event.quoted)
        author, by = await people.by_id(tx, event.author), await people.by_id(tx, event.by)
        if not (status and quoted and author and by) or status.local_only or quoted.local_only:
            return
        if author.local and event.approval:
            agreement = documents.quote_authorization(author, Grant(event.approval, status.uri, quoted.uri))
            document = verbs.quote_revocation(author, agreement, [by.uri])
            there = [] if by.local or not by.inbox_url else [by.inbox_url]
            shown = await _readers(tx, author, quoted, widened=True)
            theirs = await _readers(tx, by, status, widened=True) if by.local else []
            await _send(tx, author, document, [*there, *shown, *theirs])
        if by.local:
            await _update(tx, job, by, status, "quote-revoked")


async def deleted(job: Job, event: Deleted) -> None:
    """Tell all who may have a post that it is gone."""
    async with job.db.write() as tx:
        status, author = await posts.by_id(tx, event.status), await _ours(tx, event.account)
        if not status or not author or status.local_only:
            return
        if status.reblog_of_id:
            await _take_back(tx, author, status, status.reblog_of_id)
            return
        named = await _named(tx, status)
        to, cc = documents.addresses(status, author, named)
        document = await keyring.proved(tx, job.settings, author, verbs.delete(author.uri, status.uri, to, cc))
        await _send(tx, author, document, await _readers(tx, author, status, widened=True))


async def measured(job: Job, event: MeasureTaken) -> None:
    """A post of this city that a measure removed is gone for the other servers, too."""
    if event.level != Level.removal:
        return
    for status_id in event.status_ids:
        await deleted(job, Deleted(status_id, event.target, ""))


async def reported(job: Job, event: Reported) -> None:
    """Pass a report on to the server of whom it is about, and to those it names. The city speaks, not who reported."""
    async with job.db.write() as tx:
        found, target = await cases.report(tx, event.report), await people.by_id(tx, event.target)
        if found is None or target is None or target.local:
            return
        cited = await posts.by_ids(tx, found.status_ids)
        answered = [one.in_reply_to_account_id for one in cited if one.in_reply_to_account_id]
        others = await people.by_ids(tx, answered)
        told = [one for one in others if one.domain in event.domains] + ([target] if event.forward else [])
        uris = [target.uri, *sorted(one.uri for one in cited)]
        document = notices.flag(job.settings.base, found.id, uris, found.comment)
        await _send(tx, None, document, {one.shared_inbox_url or one.inbox_url for one in told})


async def pinned(job: Job, event: Pinned) -> None:
    """Tell followers that somebody shows a post at the top of their profile, unless that is over by now."""
    await _pin(job, event, "Add")


async def unpinned(job: Job, event: Unpinned) -> None:
    """Tell them that it is not shown there any more, unless it is again."""
    await _pin(job, event, "Remove")


async def _pin(job: Job, event: Pinned | Unpinned, kind: Literal["Add", "Remove"]) -> None:
    async with job.db.write() as tx:
        status, by = await posts.by_id(tx, event.status), await _ours(tx, event.account)
        if not status or not by or status.local_only or status.visibility not in OPEN:
            return
        stands = status.id in await posts.pinned(tx, by.id)
        if stands == (kind == "Add") and status.deleted_at is None and status.removed_at is None:
            document = notices.featured(kind, by, status.uri, f"pins/{event.pin}")
            await _send(tx, by, document, await queries.audience(tx, by.id, [], True, None))


async def tag_featured(job: Job, event: TagFeatured) -> None:
    """Tell followers that somebody shows a hashtag on their profile, unless that is over by now."""
    await _tag(job, event, "Add")


async def tag_unfeatured(job: Job, event: TagUnfeatured) -> None:
    """Tell them that it is not shown there any more, unless it is again."""
    await _tag(job, event, "Remove")


async def _tag(job: Job, event: TagFeatured | TagUnfeatured, kind: Literal["Add", "Remove"]) -> None:
    async with job.db.write() as tx:
        by, shown = await _ours(tx, event.account), await queries.featured_tags(tx, event.account)
        if by and (event.name in [one.name for one in shown]) == (kind == "Add"):
            tag = documents.hashtag(event.name, event.spelled, job.settings.base)
            document = notices.featured(kind, by, tag, f"featured_tags/{event.row}")
            await _send(tx, by, document, await queries.audience(tx, by.id, [], True, None))


async def reblogged(job: Job, event: Reblogged) -> None:
    """Tell followers and the author that a post is passed on."""
    async with job.db.write() as tx:
        wrapper, by = await posts.by_id(tx, event.status), await _ours(tx, event.by)
        original, author = await _passed_on(tx, event.original)
        if wrapper and by and original and author and wrapper.deleted_at is None and not wrapper.local_only:
            document = verbs.announce(wrapper, by, original, author)
            await _send(tx, by, document, await _crowd(tx, by, wrapper, [author.id]))


async def unreblogged(job: Job, event: Unreblogged) -> None:
    """Tell the same people that it is no longer."""
    async with job.db.write() as tx:
        wrapper, by = await posts.by_id(tx, event.status), await _ours(tx, event.by)
        if wrapper and by and not wrapper.local_only:
            await _take_back(tx, by, wrapper, event.original)


async def _take_back(tx: Tx, by: Account, wrapper: Status, original_id: int) -> None:
    original, author = await _passed_on(tx, original_id)
    if original and author:
        announce = verbs.announce(wrapper, by, original, author)
        document = verbs.undo(announce, announce["to"], announce["cc"])
        await _send(tx, by, document, await _crowd(tx, by, wrapper, [author.id]))


async def _passed_on(r: Read, original_id: int) -> tuple[Status | None, Account | None]:
    original = await posts.by_id(r, original_id)
    return original, await people.by_id(r, original.account_id) if original else None


async def favourited(job: Job, event: Favourited) -> None:
    """Tell an author elsewhere that somebody here likes their post."""
    async with job.db.write() as tx:
        by, author = await _across(tx, event.by, event.author)
        original = await posts.by_id(tx, event.status)
        if by and author and original:
            await _send(tx, by, verbs.like(by, event.favourite, original.uri), [author.inbox_url])


async def unfavourited(job: Job, event: Unfavourited) -> None:
    """Tell an author elsewhere that somebody here likes their post no longer."""
    async with job.db.write() as tx:
        by, author = await _across(tx, event.by, event.author)
        original = await posts.by_id(tx, event.status)
        if by and author and original:
            document = verbs.undo(verbs.like(by, event.favourite, original.uri), [author.uri])
            await _send(tx, by, document, [author.inbox_url])


async def poll_voted(job: Job, event: PollVoted) -> None:
    """Bring a vote from here to the server that counts it."""
    async with job.db.write() as tx:
        by, author = await _across(tx, event.by, event.author)
        status = await posts.by_id(tx, event.status)
        if by and author and status and status.deleted_at is None:
            for cast in await polls.cast(tx, event.votes):
                await _send(tx, by, verbs.vote(by, cast, status.uri, author.uri), [author.inbox_url])


async def poll_tallied(job: Job, event: PollTallied) -> None:
    """Send the totals of a poll of this city to all who may have it, the voters among them. That is no edit."""
    await _count(job, event)


async def poll_ended(job: Job, event: PollEnded) -> None:
    """Send how a poll of this city has come out."""
    await _count(job, event)


async def _count(job: Job, event: PollTallied | PollEnded) -> None:
    async with job.db.write() as tx:
        status, author = await posts.by_id(tx, event.status), await _ours(tx, event.account)
        if status and author:
            voters = await polls.voted_from_elsewhere(tx, event.poll)
            await _update(tx, job, author, status, f"{event.mark}", voters)


async def follow_requested(job: Job, event: FollowRequested) -> None:
    """Ask someone elsewhere whether somebody here may follow."""
    async with job.db.write() as tx:
        await _ask_to_follow(tx, event.account, event.target)


async def came_back(job: Job, event: CameBack) -> None:
    """Ask a server that was away what it was not asked meanwhile: whether somebody here may follow."""
    origin = f"{wire.scheme(job.settings, event.domain)}://{event.domain}/"
    async with job.db.write() as tx:
        for account, target in await queries.waiting_follows(tx, origin, ASKED_AGAIN):
            await _ask_to_follow(tx, account, target, again=True)


async def _ask_to_follow(tx: Tx, account: int, other: int, again: bool = False) -> None:
    by, target = await _across(tx, account, other)
    made = await people.follow_between(tx, account, other)
    if by and target and made and not made.accepted:
        document = verbs.follow(by.uri, verbs.follow_uri(by, made.id), target.uri)
        await _send(tx, by, document, [target.inbox_url], again)


async def follow_accepted(job: Job, event: FollowAccepted) -> None:
    """Tell someone elsewhere that they follow; again, when they ask again."""
    await _answer(job, "Accept", event)


async def follow_rejected(job: Job, event: FollowRejected) -> None:
    """Tell someone elsewhere that they do not follow."""
    await _answer(job, "Reject", event)


async def _answer(job: Job, kind: str, event: FollowAccepted | FollowRejected) -> None:
    async with job.db.write() as tx:
        by, follower = await _across(tx, event.target, event.account)
        if by and follower:
            asked = verbs.follow(follower.uri, event.uri, by.uri)
            mark = hashlib.sha256(f"{follower.uri} {event.uri}".encode()).hexdigest()[:24]
            await _send(tx, by, verbs.answer(kind, by, asked, mark), [follower.inbox_url], again=True)


async def disown_follow(tx: Tx, by: Account, target: Account, mark: int) -> None:
    """Tell a server that counts somebody here among its followers, which they are not, that it is over."""
    asked = verbs.follow(by.uri, f"{by.uri}#follows/{target.id}-{mark}", target.uri)
    await _send(tx, by, verbs.undo(asked, [target.uri]), [target.inbox_url])


async def unfollowed(job: Job, event: Unfollowed) -> None:
    """Tell someone elsewhere that somebody here follows no more."""
    async with job.db.write() as tx:
        by, target = await _across(tx, event.account, event.target)
        if by and target:
            asked = verbs.follow(by.uri, verbs.follow_uri(by, event.follow), target.uri)
            await _send(tx, by, verbs.undo(asked, [target.uri]), [target.inbox_url])


async def relay_asked(tx: Tx, base: str, relay: int, to: Account) -> None:
    """Ask a relay, in the name of the city, to pass things on: by following everybody."""
    city = wire.instance_uri(base)
    await _send(tx, None, verbs.follow(city, f"{city}#relays/{relay}", PUBLIC), [to.inbox_url])


async def relay_left(tx: Tx, base: str, relay: int, to: Account) -> None:
    """Tell a relay that the city wants nothing more of it."""
    city = wire.instance_uri(base)
    asked = verbs.follow(city, f"{city}#relays/{relay}", PUBLIC)
    await _send(tx, None, verbs.undo(asked, [to.uri]), [to.inbox_url])


async def blocked(job: Job, event: Blocked) -> None:
    """Tell the server of someone blocked, so that it keeps them from each other too."""
    async with job.db.write() as tx:
        by, target = await _across(tx, event.account, event.target)
        if by and target:
            await _send(tx, by, verbs.block(by, event.block, target.uri), [target.inbox_url])


async def unblocked(job: Job, event: Unblocked) -> None:
    """Tell the server of someone blocked that it is over."""
    async with job.db.write() as tx:
        by, target = await _across(tx, event.account, event.target)
        if by and target:
            document = verbs.undo(verbs.block(by, event.block, target.uri), [target.uri])
            await _send(tx, by, document, [target.inbox_url])


async def profile_edited(job: Job, event: ProfileEdited) -> None:
    """Send a changed profile to all who follow it."""
    async with job.db.write() as tx:
        by = await _ours(tx, event.account)
        shown = await people.shown(tx, [event.account])
        if by and shown and by.deleted_at is None:
            profile = await documents.profile(tx, by, shown[0], job.settings.base)
            document = verbs.update(profile, by.uri, by.version, [PUBLIC], [f"{by.uri}/followers"])
            await _send(tx, by, document, await queries.audience(tx, by.id, [], True, None))


async def moved(job: Job, event: Moved) -> None:
    """Tell the followers of somebody who has moved where they are, unless they have taken it back by now."""
    async with job.db.write() as tx:
        by, target = await _ours(tx, event.account), await people.by_id(tx, event.target)
        if by and target and by.moved_to_id == target.id and by.deleted_at is None:
            document = verbs.move(by, event.move, target.uri)
            await _send(tx, by, document, await queries.audience(tx, by.id, [], True, None))


async def account_deleted(job: Job, event: AccountDeleted) -> None:
    """Tell everybody who has met somebody that they have left."""
    async with job.db.write() as tx:
        by = await _ours(tx, event.account)
        if by:
            document = verbs.delete(by.uri, by.uri, [PUBLIC])
            await _send(tx, by, document, await queries.acquainted(tx, by.id))
            await leaving.end_ties(tx, by.id)  # only now: they say who must be told


async def _ours(r: Read, account_id: int) -> Account | None:
    """The account, if it lives here: only for those do we speak."""
    found = await people.by_id(r, account_id)
    return found if found and found.local else None


async def _across(r: Read, here: int, there: int) -> tuple[Account | None, Account | None]:
    """Someone here and someone elsewhere; None for whoever is not where they should be."""
    other = await people.by_id(r, there)
    return await _ours(r, here), other if other and not other.local and other.inbox_url else None


async def _named(r: Read, status: Status) -> list[Account]:
    found = await posts.mentioned(r, status.id)
    return await people.by_ids(r, [one.account_id for one in found]) if found else []


async def _readers(r: Read, author: Account, status: Status, *, widened: bool) -> list[str]:
    """The inboxes a post goes to; an edit or a deletion also goes to those who answered it or passed it on."""
    named = [one.account_id for one in await posts.mentioned(r, status.id)]
    if status.in_reply_to_account_id and status.visibility in OPEN:
        named.append(status.in_reply_to_account_id)
    quote = await quotes.of(r, status.id)
    if quote is not None and quote.quoted_account_id and status.visibility in OPEN:
        named.append(quote.quoted_account_id)
    crowd = await _crowd(r, author, status, named, status.id if widened and status.visibility in OPEN else None)
    passed_on = status.visibility == "public" and author.limited_at is None
    return [*crowd, *await relaying.inboxes(r)] if passed_on else crowd


async def _crowd(
    r: Read, author: Account, status: Status, named: Iterable[int], touched: int | None = None
) -> list[str]:
    return await queries.audience(r, author.id, list(named), status.visibility != "direct", touched)


async def _send(tx: Tx, by: Account | None, document: Document, inboxes: Iterable[str], again: bool = False) -> None:
    """Write a document and its deliveries; what nobody signs is signed by the city."""
    there = [(host(inbox), inbox) for inbox in sorted(set(inboxes)) if host(inbox)]
    if there:
        signer = by.id if by else None
        await queries.send(tx, document["id"], signer, documents.encoded(document), there, again)
        if by and for_followers(document, by) and (await people.shown(tx, [by.id]))[0].followers <= MOST_COMPARED:
            await queries.compare_followers(tx, document["id"])


def for_followers(document: Document, by: Account) -> bool:
    """Is this for somebody's followers, and not for everybody?"""
    to, cc = document.get("to", ()), document.get("cc", ())
    return addressing(to, cc, by.followers_url, direct_message=False) == "private"
