"""What a measure in force does when something happens on a lower floor."""

from __future__ import annotations

from parvis.base.db import Tx
from parvis.base.errors import Refused
from parvis.moderation import queries
from parvis.statuses.model import Posted, Reblogged


async def posting(tx: Tx, event: Posted) -> None:
    """Nobody posts while a measure freezes their posting. A NOW reaction: it refuses the post."""
    await _may_publish(tx, event.account)


async def reblogging(tx: Tx, event: Reblogged) -> None:
    """To share is to post."""
    await _may_publish(tx, event.by)


async def _may_publish(tx: Tx, account_id: int) -> None:
    until = await queries.frozen_until(tx, account_id)
    if until is not None:
        raise Refused("posting_frozen", until=until)
