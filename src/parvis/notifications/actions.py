"""Telling somebody: the row, and the event for those who bring it on."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Tx
from parvis.notifications import queries
from parvis.notifications.model import Notified


async def tell(tx: Tx, kind: str, by: int, status_id: int | None, account_id: int) -> None:
    """Tell one person; nothing when they live elsewhere, blocked or muted the other, or were told before."""
    await bring_on(tx, await queries.tell(tx, kind, by, status_id, account_id))


async def warn(tx: Tx, account_id: int, decision_id: int) -> None:
    """Tell a person of this city of a decision about them."""
    await bring_on(tx, await queries.warn(tx, account_id, decision_id))


async def bring_on(tx: Tx, told: Sequence[Notified]) -> None:
    """Say of each notification that was made that it was made."""
    for one in told:
        await tx.emit(one)
