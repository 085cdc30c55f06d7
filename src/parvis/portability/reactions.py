"""What follows when somebody who was invited is let in, what somebody takes along is ready, and somebody has moved."""

from __future__ import annotations

import contextlib

from parvis.access import queries as users
from parvis.access.model import AddressConfirmed, Approved
from parvis.accounts import queries as people
from parvis.base import mail
from parvis.base.db import Tx
from parvis.base.errors import Problem
from parvis.base.jobs import Job
from parvis.portability import actions, policy, queries
from parvis.portability.model import ArchiveReady, Moved
from parvis.text import messages

PAGE = 100


async def let_in(tx: Tx, event: AddressConfirmed | Approved) -> None:
    """Who asked them in is followed, once the address is confirmed and no moderator is awaited."""
    await actions.welcome(tx, event.account)


async def send_archive(job: Job, event: ArchiveReady) -> None:
    """Tell somebody that what they take along lies ready; the letter leads to their settings, never to the file."""
    async with job.db.read() as r:
        found = await queries.archive(r, event.archive)
        user = await users.user(r, found.account_id) if found else None
        account = await people.by_id(r, found.account_id) if found else None
    if found is None or user is None or account is None:
        return
    letter = messages.letter(messages.letters(), "archive", "fr" if user.locale == "fr" else "en", {
        "city": mail.city(job.settings), "username": account.username, "link": f"{job.settings.base}/settings/export",
        "days": policy.WEEK.days,
    })
    await mail.send(job.settings, mail.Letter(user.email, letter.subject, letter.text, letter.html))


async def moved(job: Job, event: Moved) -> None:
    """Whoever of this city follows, blocks or mutes who has moved does the same with the other account, one by one."""
    after: int | None = 0
    while after is not None:
        async with job.db.read() as r:
            page = await queries.tied(r, event.account, after, PAGE)
        for number in page:
            async with job.db.write() as tx:
                if not await _carried(tx, number, event):
                    return
        after = page[-1] if page else None


async def _carried(tx: Tx, number: int, event: Moved) -> bool:
    """Do it for one of them, where nothing stands between; False when the move was taken back, or somebody left."""
    source, target = await people.by_id(tx, event.account), await people.by_id(tx, event.target)
    if source is None or target is None or source.moved_to_id != target.id or target.deleted_at:
        return False
    one = await people.by_id(tx, number)
    if one is not None and not one.deleted_at:
        with contextlib.suppress(Problem):  # one who cannot must not keep the others back
            await actions.carry(tx, one, source, target)
    return True
