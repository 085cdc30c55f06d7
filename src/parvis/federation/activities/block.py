"""Someone elsewhere wants nothing to do with someone here."""

from __future__ import annotations

from parvis.accounts import actions as accounts
from parvis.base.db import Tx
from parvis.federation import queries
from parvis.federation.activities.incoming import Incoming, person


async def receive(tx: Tx, given: Incoming) -> None:
    """Follows end in both directions, and neither is shown to the other."""
    target = await person(tx, given.activity.object)
    if target is not None and not await queries.unbury(tx, given.activity.id):
        await accounts.block(tx, given.sender, target, given.activity.id)
