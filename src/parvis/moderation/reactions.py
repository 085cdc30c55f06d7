"""Who is told of a report and of a decision."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_datetime

from parvis.access import queries as users
from parvis.accounts import queries as accounts
from parvis.base import mail
from parvis.base.db import Tx
from parvis.base.jobs import Job
from parvis.charter import queries as charter
from parvis.moderation import queries
from parvis.moderation.model import Decided, Decision, Reported
from parvis.notifications import actions as notifications
from parvis.text import messages
from parvis.text.messages import Locale, words


async def warned(tx: Tx, event: Decided) -> None:
    """Whom a decision concerns is told in its own transaction, before anything can take effect (DSA article 17)."""
    if event.level > 0:
        await notifications.warn(tx, event.target, event.decision)


async def reported(tx: Tx, event: Reported) -> None:
    """The moderators hear of a report; it shows who made it to them alone."""
    found = await queries.report(tx, event.report)
    if found is not None:
        await notifications.tell_moderators(tx, "admin.report", found.account_id, found.id)


async def send_statement(job: Job, event: Decided) -> None:
    """The statement of reasons also goes by letter to a person of this city."""
    async with job.db.read() as r:
        decision, statement = await queries.decision(r, event.decision), await queries.statement(r, event.decision)
        user, account = await users.user(r, event.target), await accounts.by_id(r, event.target)
        cited = [] if decision is None or decision.article_version_id is None else [decision.article_version_id]
        articles = await charter.versions_by_id(r, cited)
        reported = decision is not None and bool(await queries.reports_of_case(r, decision.case_id))
        appeal_until = await queries.appeal_until(r, event.decision)
    if decision is None or statement is None or user is None or account is None or event.level == 0:
        return
    locale: Locale = "fr" if user.locale == "fr" else "en"
    article, base = (articles[0] if articles else None), job.settings.base
    letter = messages.letter(messages.letters(), "statement", locale, {
        "city": mail.city(job.settings), "username": account.username, "decision": _measure(decision, locale),
        "subject": ", ".join(f"{base}/@{account.username}/{number}" for number in decision.status_ids) or None,
        "starts": _day(decision.decided_at, locale), "ends": _day(decision.ends_at, locale),
        "ground_label": statement.ground if article is None else f"{article.number} {article.heading}",
        "ground_text": statement.ground if article is None else article.text,
        "ground_url": f"{base}/charter" if article is None else f"{base}/charter/articles/{article.number}",
        "facts": statement.facts, "automated": False, "notified": reported,
        "appeal_until": _day(appeal_until, locale), "appeal_url": f"{base}/decisions/{decision.id}",
        "register_url": f"{base}/register",
    })
    await mail.send(job.settings, mail.Letter(user.email, letter.subject, letter.text, letter.html))


def _measure(decision: Decision, locale: Locale) -> str:
    return messages.catalogue(locale).gettext(words.LEVELS[decision.level])


def _day(when: datetime | None, locale: Locale) -> str | None:
    return None if when is None else format_datetime(when, "long", locale=locale)
