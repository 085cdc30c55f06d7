"""What people here are told when a server is kept out, and when it is let in again."""

from __future__ import annotations

from parvis.base.db import Tx
from parvis.borders import queries
from parvis.moderation.model import DomainMeasured
from parvis.notifications import actions as notifications


async def measured(tx: Tx, event: DomainMeasured) -> None:
    """Whose follows a measure suspended, or its end restored, is told in the same transaction."""
    ties = await queries.ties(tx, event.decision, restored=not event.in_force)
    if ties:
        kind = "severed_relationships" if event.in_force else "restored_relationships"
        await notifications.tell_across(tx, kind, await queries.domain(tx, event.decision), ties)
