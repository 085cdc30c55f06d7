"""Whom an event concerns is told in its own transaction; later it is brought to who is not looking."""

from __future__ import annotations

from parvis.access.model import AddressConfirmed
from parvis.accounts.model import Blocked, DomainBlocked, Followed, FollowRequested, ProfileEdited, Unfollowed
from parvis.base.db import Tx
from parvis.base.jobs import Job
from parvis.collections.model import AddedToCollection, CollectionChanged, CollectionDropped, LeftCollection
from parvis.notifications import actions, queries
from parvis.notifications.channels import queries as channels
from parvis.notifications.model import LetterDue, NewsDue, Notified, PushDue
from parvis.polls.model import PollEnded
from parvis.quotes import queries as quotes
from parvis.quotes.model import QuoteAccepted
from parvis.statuses.model import Edited, Favourited, Posted, Reblogged, Unfavourited, Unreblogged


async def bring(job: Job, event: Notified) -> None:
    """Whoever is told and does not look is reached by push and by letter, as they wished."""
    async with job.db.read() as r:
        found = await channels.reached(r, event.notification)
    if found is None or not (found.letter or found.subscriptions):
        return
    async with job.db.write() as tx:
        for number in found.subscriptions:
            await tx.emit(PushDue(number, event.notification))
        if found.letter and await channels.note_letter(tx, event.notification):
            await tx.emit(LetterDue(event.notification))


async def posted(tx: Tx, event: Posted) -> None:
    """Those a post names, those who watch its author, and those without an account who subscribed to them."""
    if event.named:
        await actions.bring_on(tx, await queries.tell_mentioned(tx, "mention", event.account, event.status))
    if event.watched:
        await actions.bring_on(tx, await queries.tell_watchers(tx, "status", event.account, event.status))
    if event.offered and event.visibility == "public" and await channels.put_news(tx, event.status):
        await tx.emit(NewsDue(event.status))


async def profile_edited(tx: Tx, event: ProfileEdited) -> None:
    """Whoever offers no letters any more keeps nobody's address."""
    await channels.drop_unoffered(tx, event.account)


async def edited(tx: Tx, event: Edited) -> None:
    """Those newly named, those who passed the post on, and those who quote it."""
    await actions.bring_on(tx, await queries.tell_mentioned(tx, "mention", event.account, event.status))
    await actions.bring_on(tx, await queries.tell_rebloggers(tx, "update", event.account, event.status))
    for quote in await quotes.shown_here(tx, event.status):  # each is shown their own quote
        await actions.tell(tx, "quoted_update", event.account, quote.status_id, quote.account_id)


async def quoted(tx: Tx, event: QuoteAccepted) -> None:
    """The author of what is quoted, once the quote may be shown."""
    await actions.tell(tx, "quote", event.by, event.status, event.author)


async def favourited(tx: Tx, event: Favourited) -> None:
    """The author of a favourite."""
    await actions.tell(tx, "favourite", event.by, event.status, event.author)


async def unfavourited(tx: Tx, event: Unfavourited) -> None:
    """A favourite taken back is not told any more."""
    await queries.withdraw(tx, "favourite", event.author, event.by, event.status)


async def reblogged(tx: Tx, event: Reblogged) -> None:
    """The author of what is passed on."""
    await actions.tell(tx, "reblog", event.by, event.original, event.author)


async def unreblogged(tx: Tx, event: Unreblogged) -> None:
    """A reblog taken back is not told any more."""
    await queries.withdraw(tx, "reblog", event.author, event.by, event.original)


async def added_to_collection(tx: Tx, event: AddedToCollection) -> None:
    """Who was put in a collection: they may take themselves out."""
    told = await queries.tell_collected(tx, "added_to_collection", event.by, event.collection, event.account)
    await actions.bring_on(tx, told)


async def collection_changed(tx: Tx, event: CollectionChanged) -> None:
    """All who are in it: it says something else of them. Of several changes only the last is told."""
    await queries.forget_collection(tx, event.collection, None, "collection_update")
    await actions.bring_on(
        tx, await queries.tell_collected(tx, "collection_update", event.by, event.collection, None)
    )


async def left_collection(tx: Tx, event: LeftCollection) -> None:
    """Who is no longer in a collection is not told of it any more."""
    await queries.forget_collection(tx, event.collection, event.account, None)


async def collection_dropped(tx: Tx, event: CollectionDropped) -> None:
    """Of a collection that is gone nobody is told."""
    await queries.forget_collection(tx, event.collection, None, None)


async def poll_ended(tx: Tx, event: PollEnded) -> None:
    """The one who asked, and those who answered."""
    await actions.bring_on(tx, await queries.tell_voters(tx, "poll", event.account, event.status))


async def followed(tx: Tx, event: Followed) -> None:
    """The one who is followed; their waiting request is answered."""
    await queries.withdraw(tx, "follow_request", event.target, event.account, None)
    await actions.tell(tx, "follow", event.account, None, event.target)


async def follow_requested(tx: Tx, event: FollowRequested) -> None:
    """The one who must answer."""
    await actions.tell(tx, "follow_request", event.account, None, event.target)


async def unfollowed(tx: Tx, event: Unfollowed) -> None:
    """Who follows no more is not told any more."""
    await queries.withdraw(tx, "follow", event.target, event.account, None)
    await queries.withdraw(tx, "follow_request", event.target, event.account, None)


async def blocked(tx: Tx, event: Blocked) -> None:
    """Who blocks somebody no longer sees what they were told of them."""
    await queries.forget(tx, event.account, event.target)


async def confirmed(tx: Tx, event: AddressConfirmed) -> None:
    """The moderators, of somebody who settles here."""
    await actions.tell_moderators(tx, "admin.sign_up", event.account)


async def domain_blocked(tx: Tx, event: DomainBlocked) -> None:
    """Of a domain that somebody blocks they are told nothing, also not what they were told before; but what it cost."""
    await queries.forget_domain(tx, event.account, event.domain)
    ties = (event.followers, event.following)
    await actions.tell_severed(tx, event.account, "user_domain_block", event.domain, ties)
