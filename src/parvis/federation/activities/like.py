"""Someone elsewhere likes a post; a reaction with an emoji counts as the same."""

from __future__ import annotations

from parvis.base.db import Tx
from parvis.federation import queries
from parvis.federation.activities.incoming import Incoming, post
from parvis.statuses import actions as statuses


async def receive(tx: Tx, given: Incoming) -> None:
    """Mark a post that is known here and that the sender may see."""
    found = await post(tx, given.activity.object, given.sender.id)
    if found is not None and not await queries.unbury(tx, given.activity.id):
        await statuses.favourite(tx, given.sender, found.id, given.activity.id)
