"""What happens below changes lists and conversations in the same transaction."""

from __future__ import annotations

from parvis.accounts.model import AccountDeleted, Blocked, DomainBlocked, FollowRejected, Unfollowed
from parvis.base.db import Tx
from parvis.statuses.model import Deleted, Edited, Posted
from parvis.timelines import actions, queries


async def posted(tx: Tx, event: Posted) -> None:
    """A direct post is the last of its conversation, and unread for all but its author."""
    if event.visibility == "direct":
        await actions.tell_touched(tx, await queries.join_conversations(tx, event.status))


async def edited(tx: Tx, event: Edited) -> None:
    """A direct post that names others by now belongs to another circle's conversation."""
    await actions.tell_touched(tx, await queries.join_conversations(tx, event.status))
    await actions.tell_touched(tx, await queries.leave_conversations(tx, event.status))


async def deleted(tx: Tx, event: Deleted) -> None:
    """The post before is the last of a conversation now; or there is none, and the conversation is over."""
    await actions.tell_touched(tx, await queries.leave_conversations(tx, event.status))


async def unfollowed(tx: Tx, event: Unfollowed) -> None:
    """Whom one follows no more is in none of one's lists."""
    await queries.drop_from_lists(tx, event.account, event.target)


async def follow_rejected(tx: Tx, event: FollowRejected) -> None:
    """Nor is who does not let one follow."""
    await queries.drop_from_lists(tx, event.account, event.target)


async def blocked(tx: Tx, event: Blocked) -> None:
    """Conversations with somebody one blocks are over."""
    await queries.drop_conversations_with(tx, event.account, event.target)


async def domain_blocked(tx: Tx, event: DomainBlocked) -> None:
    """And with anybody of a domain one blocks."""
    await queries.drop_conversations_across(tx, event.account, event.domain)


async def account_deleted(tx: Tx, event: AccountDeleted) -> None:
    """Who leaves keeps nothing to read."""
    await queries.forget(tx, event.account)
