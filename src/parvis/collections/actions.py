"""Making collections of people, and leaving them."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Conflict, Invalid, NotFound
from parvis.collections import policy, queries
from parvis.collections.model import (
    AddedToCollection,
    Collection,
    CollectionChanged,
    CollectionDropped,
    Item,
    LeftCollection,
    Wish,
)


async def collection(r: Read, viewer: int | None, collection_id: int) -> Collection:
    """The collection, or NotFound when there is none that this viewer may see."""
    found = await queries.by_id(r, viewer, collection_id)
    if found is None:
        raise NotFound("collection")
    return found


async def create(tx: Tx, by: Account, wish: Wish, account_ids: Sequence[int]) -> int:
    """Make a collection with these people in it: with all of them, or none."""
    given = policy.wish(wish)
    people = list(dict.fromkeys(account_ids))
    policy.may_hold(len(people))
    await tx.lock(f"collections {by.id}")
    policy.may_have_another(await queries.count(tx, by.id))
    made = await queries.add(tx, by.id, given)
    for account_id in people:
        await _put(tx, by, made, account_id)
    return made


async def _put(tx: Tx, by: Account, collection_id: int, account_id: int) -> Item:
    found = await queries.candidates(tx, by.id, [account_id])
    if not found:
        raise NotFound("account")
    policy.may_be_put(found[0])
    made = await queries.put(tx, collection_id, account_id)
    if made is None:
        raise Invalid("account", "ERR_TAKEN")
    await tx.emit(AddedToCollection(collection_id, by.id, account_id))
    return made


async def _own(tx: Tx, by: Account, collection_id: int) -> Collection:
    found = await collection(tx, by.id, collection_id)
    policy.may_change(found, by.id)
    return found


async def change(tx: Tx, by: Account, collection_id: int, wish: Wish) -> None:
    """Let a collection say something else."""
    given = policy.wish(wish)
    before = await _own(tx, by, collection_id)
    await queries.change(tx, before.id, given)
    now = await collection(tx, by.id, collection_id)
    if (now.name, now.description, now.tag) != (before.name, before.description, before.tag):
        await tx.emit(CollectionChanged(before.id, by.id))


async def drop(tx: Tx, by: Account, collection_id: int) -> None:
    """Do away with a collection."""
    found = await _own(tx, by, collection_id)
    await queries.drop(tx, found.id)
    await tx.emit(CollectionDropped(found.id))


async def put(tx: Tx, by: Account, collection_id: int, account_id: int) -> Item:
    """Put somebody in one's collection. Invalid when they do not allow it, are in it, or took themselves out."""
    await tx.lock(f"collection {collection_id}")
    found = await _own(tx, by, collection_id)
    policy.may_hold(await queries.people_count(tx, found.id) + 1)
    return await _put(tx, by, found.id, account_id)


async def _item(tx: Tx, collection_id: int, item_id: int) -> Item:
    found = await queries.item(tx, collection_id, item_id)
    if found is None:
        raise NotFound("collection_item")
    return found


async def take_out(tx: Tx, by: Account, collection_id: int, item_id: int) -> None:
    """Take somebody out of one's collection."""
    await _own(tx, by, collection_id)
    found = await _item(tx, collection_id, item_id)
    await queries.take_out(tx, found.id)
    await tx.emit(LeftCollection(collection_id, found.account_id))


async def revoke(tx: Tx, by: Account, collection_id: int, item_id: int) -> None:
    """Take oneself out of somebody's collection, for good. NotFound for a place that is another's."""
    found = await _item(tx, collection_id, item_id)
    if found.account_id != by.id:
        raise NotFound("collection_item")
    if not await queries.revoke(tx, found.id):
        raise Conflict("try_again")
    await tx.emit(LeftCollection(collection_id, by.id))
