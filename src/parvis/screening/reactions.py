"""What follows when a post is kept back, and when a decision that kept one in stands no more."""

from __future__ import annotations

from parvis.base.db import Tx
from parvis.moderation.model import AppealDecided, MeasureLifted
from parvis.notifications import actions as notifications
from parvis.screening import actions
from parvis.screening.model import Held


async def told(tx: Tx, event: Held) -> None:
    """Whose post is kept back is told so, and why, in the same transaction."""
    await notifications.warn(tx, event.account, event.hold)


async def measure_lifted(tx: Tx, event: MeasureLifted) -> None:
    """What a decision kept in comes out when its measure ends."""
    await actions.overturn(tx, event.decision)


async def appeal_decided(tx: Tx, event: AppealDecided) -> None:
    """Or at once, when it was overturned before it had any effect."""
    if event.overturned:
        await actions.overturn(tx, event.decision)
