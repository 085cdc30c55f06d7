"""Letters that signing up calls for."""

from __future__ import annotations

from urllib.parse import urlencode

from parvis.access import actions, queries
from parvis.access.model import Approved, SignedUp
from parvis.accounts import queries as accounts
from parvis.base import mail
from parvis.base.jobs import Job
from parvis.text import messages


async def send_confirmation(job: Job, event: SignedUp) -> None:
    """Ask a new person to confirm their address; nothing when they have done it or left."""
    async with job.db.read() as r:
        user = await queries.user(r, event.account)
        account = await accounts.by_id(r, event.account)
        now = r.now
    if user is None or account is None or user.confirmed_at is not None:
        return
    token = actions.confirmation_token(job.settings, user, now)
    letter = messages.letter(messages.letters(), "confirm", "fr" if user.locale == "fr" else "en", {
        "city": mail.city(job.settings), "username": account.username,
        "link": f"{job.settings.base}/auth/confirm?{urlencode({'token': token})}",
        "hours": actions.CONFIRMATION_DAYS * 24,
    })
    await mail.send(job.settings, mail.Letter(user.email, letter.subject, letter.text, letter.html))


async def send_approval(job: Job, event: Approved) -> None:
    """Tell somebody who waited that they may come in."""
    async with job.db.read() as r:
        user, account = await queries.user(r, event.account), await accounts.by_id(r, event.account)
    if user is None or account is None or user.approved_at is None:
        return
    letter = messages.letter(messages.letters(), "approved", "fr" if user.locale == "fr" else "en", {
        "city": mail.city(job.settings), "username": account.username, "link": f"{job.settings.base}/auth/sign_in",
    })
    await mail.send(job.settings, mail.Letter(user.email, letter.subject, letter.text, letter.html))
