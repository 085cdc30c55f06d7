"""What follows when somebody who was invited is let in."""

from __future__ import annotations

from parvis.access.model import AddressConfirmed, Approved
from parvis.base.db import Tx
from parvis.portability import actions


async def let_in(tx: Tx, event: AddressConfirmed | Approved) -> None:
    """Who asked them in is followed, once the address is confirmed and no moderator is awaited."""
    await actions.welcome(tx, event.account)
