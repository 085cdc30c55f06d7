"""Someone elsewhere shows a post or a hashtag at the top of their profile no more."""

from __future__ import annotations

from parvis.base.db import Tx
from parvis.base.errors import NotFound
from parvis.federation.activities.add import hashtag, to_own_profile
from parvis.federation.activities.incoming import Incoming
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.timelines import actions as timelines


async def receive(tx: Tx, given: Incoming) -> None:
    """Nor is it shown there here; of what belongs to others the sender cannot say so."""
    if not to_own_profile(given):
        return
    name = hashtag(given.activity.written)
    if name is not None:
        await timelines.unfeature_tag(tx, given.sender.id, name)
        return
    status = await posts.by_uri(tx, given.activity.object or "")
    if status is None or status.account_id != given.sender.id:
        return
    try:
        await statuses.unpin(tx, given.sender, status.id)
    except NotFound:
        return
