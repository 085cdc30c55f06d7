"""Telling somebody: the row, and the event for those who bring it on; and whom one lets tell."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Tx
from parvis.notifications import queries
from parvis.notifications.model import Notified, RequestsAccepted, Ties


async def tell(tx: Tx, kind: str, by: int, status_id: int | None, account_id: int) -> None:
    """Tell one person; nothing when they live elsewhere, blocked or muted the other, or were told before."""
    await bring_on(tx, await queries.tell(tx, kind, by, status_id, account_id))


async def tell_moderators(tx: Tx, kind: str, by: int, report_id: int | None = None) -> None:
    """Tell all moderators of what they answer for."""
    await bring_on(tx, await queries.tell_moderators(tx, kind, by, report_id))


async def tell_severed(tx: Tx, account_id: int, kind: str, target: str, ties: tuple[int, int]) -> None:
    """Tell somebody that followers and follows of theirs ended by no wish of those who followed."""
    await bring_on(tx, await queries.tell_severed(tx, account_id, kind, target, ties))


async def tell_across(tx: Tx, kind: str, domain: str, ties: Sequence[Ties]) -> None:
    """Tell each of these people how many follows of theirs a measure on a server suspended, or its end restored."""
    await bring_on(tx, await queries.tell_across(tx, kind, domain, ties))


async def warn(tx: Tx, account_id: int, decision_id: int) -> None:
    """Tell a person of this city of a decision about them."""
    await bring_on(tx, await queries.warn(tx, account_id, decision_id))


async def bring_on(tx: Tx, told: Sequence[Notified]) -> None:
    """Say of each notification that was made that it was made."""
    for one in told:
        await tx.emit(one)


async def accept(tx: Tx, viewer: int, request_ids: Sequence[int]) -> bool:
    """Let some people tell from now on, and put what was filtered among the rest. False: none of them asks."""
    accepted = await queries.accept(tx, viewer, request_ids)
    if accepted:
        await tx.emit(RequestsAccepted(viewer))
    return accepted > 0
