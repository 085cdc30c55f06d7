"""What people here are told when a server is kept out, and when it is let in again."""

from __future__ import annotations

from babel.dates import format_datetime

from parvis.access import queries as users
from parvis.accounts import queries as accounts
from parvis.base import mail
from parvis.base.db import Tx
from parvis.base.jobs import Job
from parvis.borders import queries
from parvis.borders.model import ReviewDue
from parvis.moderation.model import DomainMeasured
from parvis.notifications import actions as notifications
from parvis.text import messages
from parvis.text.messages import Locale, words


async def measured(tx: Tx, event: DomainMeasured) -> None:
    """Whose follows a measure suspended, or its end restored, is told in the same transaction."""
    ties = await queries.ties(tx, event.decision, restored=not event.in_force)
    if ties:
        kind = "severed_relationships" if event.in_force else "restored_relationships"
        await notifications.tell_across(tx, kind, await queries.domain(tx, event.decision), ties)


async def send_reminder(job: Job, event: ReviewDue) -> None:
    """A moderator is reminded by letter of a decision that is to be looked at again."""
    async with job.db.read() as r:
        found = await queries.review(r, event.decision)
        user, account = await users.user(r, event.moderator), await accounts.by_id(r, event.moderator)
    if found is None or user is None or account is None:
        return
    locale: Locale = "fr" if user.locale == "fr" else "en"
    letter = messages.letter(messages.letters(), "review", locale, {
        "city": mail.city(job.settings), "username": account.username, "domain": found.domain,
        "decision": messages.catalogue(locale).gettext(words.LEVELS[found.level]), "facts": found.facts,
        "decided": format_datetime(found.decided_at, "long", locale=locale), "block": found.block_id,
    })
    await mail.send(job.settings, mail.Letter(user.email, letter.subject, letter.text, letter.html))
