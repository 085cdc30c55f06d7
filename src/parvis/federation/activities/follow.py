"""Someone elsewhere wants to follow someone here."""

from __future__ import annotations

from parvis.accounts.model import FollowRejected
from parvis.base.db import Tx
from parvis.base.errors import Forbidden
from parvis.federation import outbox, queries
from parvis.federation.activities.incoming import Incoming, person
from parvis.screening import actions as screening


async def receive(tx: Tx, given: Incoming) -> None:
    """A follow or a request to; one taken back before it came has no effect, one not allowed is answered with no."""
    target = await person(tx, given.activity.object)
    if target is None or await queries.unbury(tx, given.activity.id):
        return
    try:
        await screening.follow(tx, given.sender, target, uri=given.activity.id)
    except Forbidden:
        tx.enqueue(outbox.follow_rejected, FollowRejected(given.sender.id, target.id, given.activity.id))
