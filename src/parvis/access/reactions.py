"""Letters that signing up calls for."""

from __future__ import annotations

from urllib.parse import urlencode

from parvis.access import actions, queries
from parvis.access.model import AddressWished, Approved, PasswordForgotten, SignedUp
from parvis.accounts import queries as accounts
from parvis.accounts.model import AccountDeleted
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


async def send_reset(job: Job, event: PasswordForgotten) -> None:
    """The link with which another password is chosen."""
    await _send_pass(job, event.account, "password", "/auth/reset", None)


async def send_address(job: Job, event: AddressWished) -> None:
    """The link that shows that somebody reads their letters at another address."""
    await _send_pass(job, event.account, "address", "/auth/address", event.email)


async def _send_pass(job: Job, account_id: int, purpose: str, path: str, email: str | None) -> None:
    async with job.db.read() as r:
        user = await queries.user(r, account_id)
        account = await accounts.by_id(r, account_id)
        now = r.now
    if user is None or account is None:
        return
    token = actions.pass_for(job.settings, purpose, user, now, email or "")
    letter = messages.letter(messages.letters(), purpose, "fr" if user.locale == "fr" else "en", {
        "city": mail.city(job.settings), "username": account.username,
        "link": f"{job.settings.base}{path}?{urlencode({'token': token})}",
    })
    await mail.send(job.settings, mail.Letter(email or user.email, letter.subject, letter.text, letter.html))


async def account_deleted(job: Job, event: AccountDeleted) -> None:
    """Who leaves for good takes along their address, their password and all that is kept with them."""
    async with job.db.write() as tx:
        await queries.drop_user(tx, event.account)
