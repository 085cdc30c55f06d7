"""By letter, to a confirmed address, with a link in each that stops them without signing in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlencode

import msgspec

from parvis.access import queries as users
from parvis.accounts import queries as accounts
from parvis.base import mail
from parvis.base.db import Tx
from parvis.base.errors import Invalid
from parvis.base.ids import parsed
from parvis.base.jobs import Job
from parvis.base.seal import kept
from parvis.base.settings import Settings
from parvis.notifications.channels import push, queries
from parvis.notifications.model import LETTERS, DigestDue, Errand, LetterDue, LetterWish, Missed
from parvis.text import html, messages
from parvis.text.messages import Locale

DIGEST = "digest"
LENGTH = 1000
SHORT = 200
IN_A_DIGEST = 10
AT_ONCE = 50


def _locale(text: str) -> Locale:
    return "fr" if text == "fr" else "en"


def _words(said: Errand | Missed, length: int) -> str:
    """What they say; what is not for everybody stays here, since a letter passes through other hands."""
    text = html.plain(said.text) if said.open else ""
    return text if len(text) <= length else text[: length - 1] + "…"


def _signature(settings: Settings, body: bytes) -> bytes:
    key = kept(settings.secrets, "unsubscribe.key", lambda: secrets.token_bytes(32))
    return hmac.new(key, body, hashlib.sha256).digest()


def unsubscribe_token(settings: Settings, account_id: int, kind: str) -> str:
    """What a letter carries: whom it stops writing to, and of what. It does not end, as letters are kept long."""
    body = f"{account_id}.{kind}".encode()
    return urlsafe_b64encode(body + b"." + _signature(settings, body)).decode()


def unsubscribing(settings: Settings, token: str) -> tuple[int, str]:
    """Whose letters a token stops, and of what kind; Invalid when it is none."""
    try:
        account_text, kind, signed = urlsafe_b64decode(token.encode()).split(b".", 2)
        account_id = parsed(account_text.decode())
    except ValueError as error:
        raise Invalid("token", "invalid") from error
    good = hmac.compare_digest(signed, _signature(settings, account_text + b"." + kind))
    if account_id is None or not good:
        raise Invalid("token", "invalid")
    return account_id, kind.decode()


async def stop_letters(tx: Tx, settings: Settings, token: str, every: bool = False) -> None:
    """Write no more of this kind to whom a letter went, or of any kind. Doing it twice is the same as once."""
    account_id, kind = unsubscribing(settings, token)
    digest = False if every or kind == DIGEST else None
    stopped = {one: "never" for one in LETTERS if every or one == kind}
    await queries.prefer_letters(tx, account_id, msgspec.convert({**stopped, "digest": digest}, LetterWish))


def stop(settings: Settings, account_id: int, kind: str) -> str:
    """The address that stops letters of this kind."""
    token = unsubscribe_token(settings, account_id, kind)
    return f"{settings.base}/unsubscribe?{urlencode({'token': token})}"


async def tell(job: Job, event: LetterDue) -> None:
    """Write of one thing; nothing when it was taken back."""
    async with job.db.read() as r:
        errand = await queries.errand(r, event.notification)
    if errand is None:
        return
    link = stop(job.settings, errand.account_id, errand.kind)
    letter = messages.letter(messages.letters(), "told", _locale(errand.locale), {
        "city": mail.city(job.settings), "username": errand.username, "title": push.title(errand),
        "acct": errand.acct, "text": _words(errand, LENGTH), "private": not errand.open, "link": errand.url,
        "unsubscribe": link,
    })
    await mail.send(job.settings, mail.Letter(errand.email, letter.subject, letter.text, letter.html, link))


async def note_digests(job: Job) -> bool:
    """Those who have been away for a week and were written to get a digest; true while there may be more."""
    async with job.db.write() as tx:
        due = await queries.note_digests(tx, AT_ONCE)
        for one in due:
            await tx.emit(one)
    return len(due) == AT_ONCE


async def send_digest(job: Job, event: DigestDue) -> None:
    """Write of all who wrote to somebody while they were away; nothing when it was all taken back."""
    async with job.db.read() as r:
        user, account = await users.user(r, event.account), await accounts.by_id(r, event.account)
        rows = await queries.missed(r, event.account, event.since, IN_A_DIGEST + 1)
    if user is None or account is None or user.confirmed_at is None or not rows:
        return
    link = stop(job.settings, event.account, DIGEST)
    letter = messages.letter(messages.letters(), "digest", _locale(user.locale), {
        "city": mail.city(job.settings), "username": account.username,
        "rows": [
            {"name": row.name, "acct": row.acct, "link": row.url, "text": _words(row, SHORT)}
            for row in rows[:IN_A_DIGEST]
        ],
        "more": len(rows) > IN_A_DIGEST, "unsubscribe": link,
    })
    await mail.send(job.settings, mail.Letter(user.email, letter.subject, letter.text, letter.html, link))
