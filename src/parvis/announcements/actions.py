"""The deeds on announcements: the operator's press officer writes them, everybody reacts."""

from __future__ import annotations

from parvis.accounts.model import Account
from parvis.announcements import policy, queries
from parvis.announcements.model import (
    Announced,
    Announcement,
    AnnouncementReacted,
    AnnouncementWithdrawn,
    Notice,
    Written,
)
from parvis.base.db import Read, Tx
from parvis.base.errors import NotFound
from parvis.base.ids import parsed
from parvis.base.jobs import Job
from parvis.emojis import queries as emojis
from parvis.statuses import actions as statuses
from parvis.text import mentions


async def announce(tx: Tx, wish: Notice, base: str, domain: str) -> int:
    """Tell everybody something, at once or when it is due; the id by which it can be withdrawn."""
    notice = policy.notice(wish, tx.now)
    made = await queries.add(tx, await _written(tx, notice.text, base, domain), notice)
    await _publish(tx)
    return made


async def _written(r: Read, text: str, base: str, domain: str) -> Written:
    composed = await statuses.compose(r, text, base, domain)
    links = [piece.text for piece in mentions.found(text) if piece.text.startswith(f"{base}/@")]
    numbers = [parsed(link.rpartition("/")[2]) for link in links]
    known = await queries.linked(r, [number for number in numbers if number], links) if links else []
    tags = tuple(dict.fromkeys(mentions.normal_tag(tag) for tag in composed.tags))
    return Written(text, composed.content, composed.mentions, tags, tuple(known))


async def _publish(tx: Tx) -> int:
    published = await queries.publish_due(tx)
    for number in published:
        await tx.emit(Announced(number))
    return len(published)


async def withdraw(tx: Tx, announcement_id: int) -> None:
    """Take an announcement back, published or not."""
    ended = await queries.withdraw(tx, announcement_id)
    if ended is None:
        raise NotFound("announcement")
    if ended.published:
        await tx.emit(AnnouncementWithdrawn(announcement_id))


async def sweep(job: Job) -> None:
    """End what is over, and publish what is due."""
    async with job.db.write() as tx:
        for ended in await queries.end_due(tx):
            if ended.published:
                await tx.emit(AnnouncementWithdrawn(ended.id))
        await _publish(tx)


async def dismiss(tx: Tx, by: Account, announcement_id: int) -> None:
    """Have read an announcement. Doing it twice is the same as once."""
    await queries.dismiss(tx, (await _current(tx, by, announcement_id)).id, by.id)


async def react(tx: Tx, by: Account, announcement_id: int, name: str) -> None:
    """Put an emoji under an announcement. Doing it twice is the same as once."""
    await tx.lock(f"announcement {announcement_id}")
    found = await _current(tx, by, announcement_id)
    ours = not policy.is_emoji(name) and await emojis.ours(tx, name) is not None
    policy.may_react(name, ours, [row["name"] for row in found.reactions])
    if await queries.add_reaction(tx, announcement_id, by.id, name):
        await tx.emit(AnnouncementReacted(announcement_id, name))


async def unreact(tx: Tx, by: Account, announcement_id: int, name: str) -> None:
    """Take one's emoji from under an announcement."""
    await _current(tx, by, announcement_id)
    if await queries.drop_reaction(tx, announcement_id, by.id, name):
        await tx.emit(AnnouncementReacted(announcement_id, name))


async def _current(r: Read, by: Account, announcement_id: int) -> Announcement:
    found = await queries.one(r, by.id, announcement_id)
    if found is None:
        raise NotFound("announcement")
    return found
