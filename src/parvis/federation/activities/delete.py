"""Someone elsewhere deleted a post, their agreement to be quoted, or themselves."""

from __future__ import annotations

from parvis.accounts import actions as accounts
from parvis.base.db import Tx
from parvis.base.errors import Invalid
from parvis.federation import queries
from parvis.federation.activities.incoming import Incoming
from parvis.quotes import actions as quoting
from parvis.quotes import queries as quotes
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts


async def receive(tx: Tx, given: Incoming) -> None:
    """Delete what the sender owns, and remember it: it must not come back, nor come after."""
    uri = given.activity.object
    if uri is None or not given.near(uri):
        raise Invalid("object", "wrong_host")
    if uri == given.sender.uri:
        await accounts.close(tx, given.sender)
        return
    for agreed in await quotes.granted(tx, given.sender.id, uri):
        await quoting.revoke(tx, given.sender, agreed.status_id)
    known = await posts.by_uri(tx, uri)
    if known is not None and known.account_id != given.sender.id:
        raise Invalid("object", "wrong_author")
    await tx.lock(f"status {uri}")
    await queries.bury(tx, uri)
    if known is not None and known.deleted_at is None and await posts.seen(tx, known.id, given.sender.id):
        await statuses.delete(tx, given.sender, known.id)
