"""What people arrange for their reading: lists, hashtags, where they stopped, and their direct conversations."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.base.errors import Conflict, Invalid, NotFound
from parvis.statuses import queries as statuses
from parvis.text import mentions as words
from parvis.timelines import policy, queries
from parvis.timelines.model import (
    ConversationTouched,
    List,
    Marker,
    Place,
    RepliesPolicy,
    TagFeatured,
    TagUnfeatured,
    Touched,
)


async def own_list(r: Read, by: int, list_id: int) -> List:
    """One of one's lists; somebody else's is as if it were not there."""
    found = await queries.list_of(r, by, list_id)
    if found is None:
        raise NotFound("list")
    return found


async def make_list(tx: Tx, by: int, title: str, replies: RepliesPolicy = "list", exclusive: bool = False) -> List:
    """Make a list, in which nobody is yet."""
    name = policy.title(title)
    await tx.lock(f"lists {by}")
    policy.may_have_another_list(len(await queries.lists(tx, by)))
    made = await queries.add_list(tx, by, name, replies, exclusive)
    if made is None:
        raise Conflict("try_again")
    return made


async def change_list(
    tx: Tx, by: int, list_id: int, title: str | None, replies: RepliesPolicy | None, exclusive: bool | None
) -> List:
    """Change what is given of a list."""
    await own_list(tx, by, list_id)
    name = None if title is None else policy.title(title)
    changed = await queries.change_list(tx, list_id, name, replies, exclusive)
    if changed is None:
        raise NotFound("list")
    return changed


async def drop_list(tx: Tx, by: int, list_id: int) -> None:
    """Have a list no more."""
    if not await queries.drop_list(tx, by, list_id):
        raise NotFound("list")


async def enlist(tx: Tx, by: int, list_id: int, account_ids: Sequence[int]) -> None:
    """Put people in a list, all or none: those one follows or asked to follow, or oneself, and nobody twice."""
    wanted = list(dict.fromkeys(account_ids))
    found = await own_list(tx, by, list_id)
    if await queries.listable(tx, by, wanted) != frozenset(wanted):
        raise NotFound("account")
    if await queries.add_members(tx, found.id, wanted) != len(wanted):
        raise Invalid("account", "ERR_TAKEN")


async def delist(tx: Tx, by: int, list_id: int, account_ids: Sequence[int]) -> None:
    """Take people out of a list."""
    found = await own_list(tx, by, list_id)
    await queries.drop_members(tx, found.id, account_ids)


def tag_spelled(text: str) -> str:
    """A hashtag by itself; NotFound for what can be none."""
    name = words.tag_name(text)
    if name is None:
        raise NotFound("tag")
    return name


async def follow_tag(tx: Tx, by: int, text: str) -> str:
    """Have public posts with a hashtag in one's home timeline; its normal name. It need not have been used."""
    spelled = tag_spelled(text)
    name = words.normal_tag(spelled)
    await queries.follow_tag(tx, by, await statuses.tag_named(tx, name, spelled))
    return name


async def unfollow_tag(tx: Tx, by: int, text: str) -> str:
    """Follow a hashtag no more; its normal name."""
    name = words.normal_tag(tag_spelled(text))
    await queries.unfollow_tag(tx, by, name)
    return name


async def feature_tag(tx: Tx, by: int, text: str) -> str:
    """Show a hashtag on one's profile, as one spells it; its normal name. Doing it twice is the same as once."""
    spelled = tag_spelled(text)
    name = words.normal_tag(spelled)
    await tx.lock(f"featured tags {by}")
    tag_id = await statuses.tag_named(tx, name, spelled)
    for row in await queries.feature_tag(tx, by, tag_id, spelled):
        policy.may_feature_another_tag(await queries.featured_count(tx, by) - 1)
        await tx.emit(TagFeatured(by, row, name, spelled))
    return name


async def unfeature_tag(tx: Tx, by: int, text: str) -> str:
    """Show a hashtag on one's profile no more; its normal name."""
    name = words.normal_tag(tag_spelled(text))
    await _unfeature(tx, by, None, name)
    return name


async def drop_featured_tag(tx: Tx, by: int, row_id: int) -> None:
    """Show a hashtag on one's profile no more. NotFound when it is none of one's own."""
    if not await _unfeature(tx, by, row_id, None):
        raise NotFound("featured_tag")


async def _unfeature(tx: Tx, by: int, row_id: int | None, name: str | None) -> bool:
    gone = await queries.unfeature_tag(tx, by, row_id, name)
    if gone is not None:
        await tx.emit(TagUnfeatured(by, gone.id, gone.name, gone.display_name))
    return gone is not None


async def stop_reading(tx: Tx, by: int, place: Place, last_read_id: int) -> Marker:
    """Note where one stopped reading. Of two who move a mark at the same moment, one is told to look again."""
    before = next(iter(await queries.markers(tx, by, [place])), None)
    moved = await queries.move_marker(tx, by, place, last_read_id, before.version if before else 0)
    if moved is None:
        raise Conflict("try_again")
    return moved


async def mark_conversation(tx: Tx, by: int, row_id: int, unread: bool) -> None:
    """Note that one has read a conversation, or wants to read it again."""
    if await queries.mark_conversation(tx, by, row_id, unread):
        await tx.emit(ConversationTouched(row_id, by))


async def drop_conversation(tx: Tx, by: int, row_id: int) -> None:
    """Take a conversation from one's own, until something is said in it."""
    if not await queries.drop_conversation(tx, by, row_id):
        raise NotFound("conversation")


async def tell_touched(tx: Tx, rows: Sequence[Touched]) -> None:
    """Say of each of these conversations that it has changed."""
    for row in rows:
        await tx.emit(ConversationTouched(row.id, row.account_id))
