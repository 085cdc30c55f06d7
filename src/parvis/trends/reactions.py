"""What happens is counted in its own transaction, once, as a row that nobody else waits for."""

from __future__ import annotations

from parvis.access.model import AddressConfirmed, SignedIn
from parvis.base.db import Tx
from parvis.statuses.model import Posted
from parvis.trends import queries


async def posted(tx: Tx, event: Posted) -> None:
    """The hashtags of a post, and the post."""
    await queries.count_post(tx, event.status)


async def confirmed(tx: Tx, event: AddressConfirmed) -> None:
    """Somebody came to live here."""
    await queries.count_deed(tx, "registration", event.account)


async def signed_in(tx: Tx, event: SignedIn) -> None:
    """Somebody signed in."""
    await queries.count_deed(tx, "sign_in", event.account)
