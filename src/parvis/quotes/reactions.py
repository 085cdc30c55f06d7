"""What becomes of quotes when posts go."""

from __future__ import annotations

from parvis.base.db import Tx
from parvis.quotes import actions
from parvis.statuses.model import Deleted


async def deleted(tx: Tx, event: Deleted) -> None:
    """Neither a deleted post nor a deleted quote is shown."""
    await actions.end(tx, event.status)
