"""What follows when somebody who was invited is let in, and when what somebody takes along is ready."""

from __future__ import annotations

from parvis.access import queries as users
from parvis.access.model import AddressConfirmed, Approved
from parvis.accounts import queries as people
from parvis.base import mail
from parvis.base.db import Tx
from parvis.base.jobs import Job
from parvis.portability import actions, policy, queries
from parvis.portability.model import ArchiveReady
from parvis.text import messages


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
