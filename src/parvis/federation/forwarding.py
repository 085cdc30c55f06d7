"""What somebody elsewhere says in answer to a post of this city, and of what was passed on here, is brought on.

Who follows the author of the post lives on servers that the answer was never sent to; they would show half a
conversation, and go on showing what was edited or deleted. They are brought it as it came, byte for byte, signed by the
one they follow. They believe it only by the proof in it, so what has none goes no further: it would be refused.
"""

from __future__ import annotations

from parvis.base.db import Read, Tx
from parvis.federation import carrying, integrity, jsonld, queries, synchrony
from parvis.federation.activities.incoming import Deed, Incoming
from parvis.federation.keys import queries as keys
from parvis.federation.onward import queries as onward
from parvis.federation.signatures import BadSignature
from parvis.statuses import queries as posts
from parvis.statuses.model import Status

MOST = 300
"""How much of one server is brought on in an hour; deletions are always."""
OPEN = ("public", "unlisted")


async def done(tx: Tx, given: Incoming, body: bytes, deed: Deed) -> None:
    """Do what an activity says, and bring it on to those who have the post through somebody here."""
    if not carrying.vouched(given.activity):
        await deed(tx)
        return
    before = await posts.by_uri(tx, given.activity.object or "")
    gone = given.activity.type == "Delete"  # afterwards nobody has it any more
    ways = await _ways(tx, given, before) if gone else {}
    await deed(tx)
    if not gone:
        after = await posts.by_uri(tx, given.activity.object or "")
        same = before is not None and after is not None and before.edited_at == after.edited_at
        # An edit that was not taken here, or changed nothing but totals and who may quote, concerns nobody else.
        ways = {} if given.activity.type == "Update" and same else await _ways(tx, given, after)
    for carrier, inboxes in ways.items():
        places = [(jsonld.host(inbox), inbox) for inbox in sorted(inboxes)]
        await queries.send(tx, f"{given.activity.id} by {carrier}", carrier, body, places, False)


async def _ways(r: Read, given: Incoming, status: Status | None) -> dict[int, list[str]]:
    """To which inboxes this goes on, by whom they have it from."""
    sender = given.sender
    if status is None or status.account_id != sender.id or status.deleted_at or status.visibility not in OPEN:
        return {}
    if sender.limited_at or not await _proved(r, given):
        return {}
    if given.activity.type != "Delete" and (status.removed_at or await _enough(r, given)):
        return {}
    found: dict[int, list[str]] = {}
    for carrier, inbox in await onward.readers(r, status.id):
        if jsonld.host(inbox) not in ("", jsonld.host(sender.uri)):
            found.setdefault(carrier, []).append(inbox)
    return found


async def _enough(r: Read, given: Incoming) -> bool:
    """Was as much of the sender's server brought on within the hour as may be?"""
    return await onward.lately(r, synchrony.origin(given.sender.uri)) >= MOST


async def _proved(r: Read, given: Incoming) -> bool:
    """Is the proof in it one that others will believe?"""
    said = given.activity.said
    claim = integrity.shown(said, given.sender.uri)
    key = await keys.public(r, given.sender.id, claim.method) if claim else None
    if claim is None or key is None:
        return False
    try:
        integrity.verify(said, claim, key, r.now)
    except BadSignature:
        return False
    return True
