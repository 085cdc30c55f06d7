"""By letter, to people without an account who asked for somebody's public posts and confirmed that they did."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from parvis.access import policy as signing
from parvis.access import queries as doors
from parvis.accounts.model import Account
from parvis.base import mail
from parvis.base.db import Read, Tx
from parvis.base.errors import Invalid, NotFound
from parvis.base.ids import parsed
from parvis.base.jobs import Job
from parvis.base.seal import kept
from parvis.base.settings import Settings
from parvis.notifications.channels import queries
from parvis.notifications.model import News, NewsDue, NewsLetterDue, Subscriber, SubscriptionAsked
from parvis.text import html, messages
from parvis.text.messages import Locale

CONFIRM, STOP = "confirm", "stop"
HOURS = 24
AT_ONCE = 100
START = 70
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _locale(text: str) -> Locale:
    return "fr" if text == "fr" else "en"


def _signature(settings: Settings, body: bytes) -> bytes:
    key = kept(settings.secrets, "subscriptions.key", lambda: secrets.token_bytes(32))
    return hmac.new(key, body, hashlib.sha256).digest()


def token(settings: Settings, purpose: str, subscriber_id: int, stamp: int = 0) -> str:
    """What a letter to a subscriber carries: what it is good for, whose it is, and of which asking."""
    body = f"{purpose}.{subscriber_id}.{stamp}".encode()
    return urlsafe_b64encode(body + b"." + _signature(settings, body)).decode()


def _told(settings: Settings, purpose: str, given: str) -> tuple[int, int]:
    """Whose token it is and of which asking; Invalid when it is none of ours, or for another purpose."""
    try:
        good_for, whose, stamp, signed = urlsafe_b64decode(given.encode()).split(b".", 3)
        subscriber_id, moment = parsed(whose.decode()), int(stamp)
    except ValueError as error:
        raise Invalid("token", "invalid") from error
    right = hmac.compare_digest(signed, _signature(settings, b".".join((good_for, whose, stamp))))
    if subscriber_id is None or not right or good_for != purpose.encode():
        raise Invalid("token", "invalid")
    return subscriber_id, moment


def stamped(moment: datetime) -> int:
    """A moment as a token says it."""
    return (moment - EPOCH) // timedelta(microseconds=1)


async def subscribe(tx: Tx, account: Account, email: str, locale: Locale) -> None:
    """Ask for somebody's public posts by letter; whoever reads that mailbox must confirm it.

    What is known of the address, who keeps it out and how often it was asked is not told: the answer is the same.
    """
    if not account.local:
        raise Invalid("account", "lives_elsewhere")
    if not await queries.offers_letters(tx, account.id):
        raise NotFound("no_email_subscriptions")
    address = signing.email(email.strip())
    if await doors.email_domain_block_of(tx, signing.email_domains(address)) is not None:
        return
    if await doors.is_canonical_blocked(tx, signing.canonical_hash(address)):
        return
    asked = await queries.ask_subscription(tx, account.id, address)
    if asked is not None:
        await tx.emit(SubscriptionAsked(asked, locale))


async def waiting(r: Read, settings: Settings, given: str) -> Subscriber:
    """Who is to confirm with this token; Invalid when it was used, is too old, or is none of ours."""
    subscriber_id, stamp = _told(settings, CONFIRM, given)
    found = await queries.subscriber(r, subscriber_id)
    if found is None or not found.open or found.confirmed or stamped(found.asked_at) != stamp:
        raise Invalid("token", "invalid")
    if r.now - found.asked_at > timedelta(hours=HOURS):
        raise Invalid("token", "invalid")
    return found


async def confirm(tx: Tx, settings: Settings, given: str) -> Subscriber:
    """Begin to send somebody's public posts. A token works once."""
    found = await waiting(tx, settings, given)
    if not await queries.confirm_subscriber(tx, found.id):
        raise Invalid("token", "invalid")
    return found


async def leaving(r: Read, settings: Settings, given: str) -> Subscriber | None:
    """Whose letters a token stops; None when they are stopped already."""
    return await queries.subscriber(r, _told(settings, STOP, given)[0])


async def stop(tx: Tx, settings: Settings, given: str) -> None:
    """Send nothing more, and forget the address. Doing it twice is the same as once."""
    await queries.drop_subscriber(tx, _told(settings, STOP, given)[0])


async def send_confirmation(job: Job, event: SubscriptionAsked) -> None:
    """Ask whoever reads a mailbox whether they want somebody's posts; nothing when that was answered meanwhile."""
    async with job.db.read() as r:
        found = await queries.subscriber(r, event.subscriber)
    if found is None or not found.open or found.confirmed:
        return
    given = token(job.settings, CONFIRM, found.id, stamped(found.asked_at))
    letter = messages.letter(messages.letters(), "subscribe", _locale(event.locale), {
        "city": mail.city(job.settings), "name": found.name, "acct": found.username, "hours": HOURS,
        "link": f"{job.settings.base}/subscriptions/confirm?{urlencode({'token': given})}",
    })
    await mail.send(job.settings, mail.Letter(found.email, letter.subject, letter.text, letter.html))


async def spread(job: Job, event: NewsDue) -> None:
    """One job for each letter of a post, a hundred in a transaction: whoever dies half-way, each is made once."""
    reached = [0] * AT_ONCE
    while len(reached) == AT_ONCE:
        async with job.db.write() as tx:
            reached = await queries.next_subscribers(tx, event.status, AT_ONCE)
            for number in reached:
                await tx.emit(NewsLetterDue(event.status, number))
            if len(reached) < AT_ONCE:
                await queries.drop_news(tx, event.status)


def _written(settings: Settings, news: News, link: str) -> messages.Letter:
    text = html.plain(news.text)
    start = " ".join(text.split())
    return messages.letter(messages.letters(), "news", _locale(news.locale), {
        "city": mail.city(settings), "name": news.name, "acct": news.username, "text": text,
        "start": (start if len(start) <= START else start[: START - 1] + "…") or settings.city_name,
        "language": news.language or "", "files": news.files, "link": news.url, "unsubscribe": link,
    })


async def send(job: Job, event: NewsLetterDue) -> None:
    """One post to one subscriber; nothing when it was taken back or removed, or they want no more."""
    async with job.db.read() as r:
        news = await queries.news(r, event.status, event.subscriber)
    if news is None:
        return
    given = token(job.settings, STOP, event.subscriber)
    link = f"{job.settings.base}/subscriptions/stop?{urlencode({'token': given})}"
    letter = _written(job.settings, news, link)
    await mail.send(job.settings, mail.Letter(news.email, letter.subject, letter.text, letter.html, link))


async def forget(job: Job) -> None:
    """Forget the addresses of those who did not confirm within a day."""
    async with job.db.write() as tx:
        await queries.drop_unconfirmed(tx)
