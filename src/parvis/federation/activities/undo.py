"""Someone elsewhere takes back what they did."""

from __future__ import annotations

from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.federation import jsonld, queries
from parvis.federation.activities.incoming import Incoming, inner, person
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts


async def receive(tx: Tx, given: Incoming) -> None:
    """Undo what is known; what is not known yet is remembered, and has no effect when it comes."""
    uri = given.activity.object
    written_by = jsonld.reference((given.activity.written or {}).get("actor")) or given.sender.uri
    if written_by != given.sender.uri or (uri and not given.near(uri)):
        return
    undone = await _unfollow(tx, given) or await _unlike(tx, given) or await _unreblog(tx, given)
    if not (undone or await _unblock(tx, given)) and uri:
        await queries.bury(tx, uri)


async def _followed(r: Read, given: Incoming) -> Account | None:
    kind, target = inner(given)
    if kind == "Follow" and (found := await person(r, target)):
        return found if await people.follow_between(r, given.sender.id, found.id) else None
    known = await people.follow_by_uri(r, given.activity.object or "")
    return await people.by_id(r, known.target_id) if known and known.account_id == given.sender.id else None


async def _unfollow(tx: Tx, given: Incoming) -> bool:
    target = await _followed(tx, given)
    if target is not None:
        await accounts.unfollow(tx, given.sender, target)
    return target is not None


async def _unlike(tx: Tx, given: Incoming) -> bool:
    kind, target = inner(given)
    liked = target if kind in ("Like", "EmojiReact") else None
    status_id = await queries.favourite_of(tx, given.sender.id, given.activity.object or "", liked or "")
    if status_id is None or await posts.seen(tx, status_id, given.sender.id) is None:
        return False
    await statuses.unfavourite(tx, given.sender, status_id)
    return True


async def _unreblog(tx: Tx, given: Incoming) -> bool:
    kind, target = inner(given)
    wrapper = await posts.by_uri(tx, given.activity.object or "")
    original = await posts.by_uri(tx, target) if wrapper is None and kind == "Announce" and target else None
    if original is not None:
        wrapper = await posts.reblog_by(tx, given.sender.id, original.id)
    if wrapper is None or wrapper.account_id != given.sender.id or wrapper.reblog_of_id is None:
        return False
    if await posts.seen(tx, wrapper.reblog_of_id, given.sender.id):
        await statuses.unreblog(tx, given.sender, wrapper.reblog_of_id)
    return True


async def _unblock(tx: Tx, given: Incoming) -> bool:
    kind, target = inner(given)
    named = target if kind == "Block" else None
    blocked = await queries.blocked_by(tx, given.sender.id, given.activity.object or "", named or "")
    found = await people.by_id(tx, blocked) if blocked else None
    if found is not None:
        await accounts.unblock(tx, given.sender, found)
    return found is not None
