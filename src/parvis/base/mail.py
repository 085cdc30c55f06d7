"""Letters: by SMTP, or into a folder and the log where no SMTP server is configured."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

import aiosmtplib
import css_inline
import msgspec
import structlog

from parvis.base.settings import Settings

log = structlog.get_logger()


class Letter(msgspec.Struct, frozen=True):
    """One message to one person, as text and as HTML."""

    to: str
    subject: str
    text: str
    html: str = ""
    unsubscribe: str = ""  # an address that takes a POST without sign-in (RFC 8058)


def city(settings: Settings) -> dict[str, str]:
    """How every letter names the city."""
    return {"title": settings.city_name, "domain": settings.domain, "origin": settings.base}


def _message(settings: Settings, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.mail_from or f"{settings.city_name} <no-reply@{urlsplit(settings.origin).hostname}>"
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=urlsplit(settings.origin).hostname)
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    if letter.html:
        inliner = css_inline.CSSInliner(load_remote_stylesheets=False)  # only one client goes out: base.http
        message.add_alternative(inliner.inline(letter.html), subtype="html")
    return message


async def send(settings: Settings, letter: Letter) -> None:
    """Send a letter; raises when the SMTP server does not take it, so that the job is tried again."""
    message = _message(settings, letter)
    if not settings.smtp_url:
        path = settings.mails / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.eml"

        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(bytes(message))

        await asyncio.to_thread(write)
        log.info("letter kept", to=letter.to, subject=letter.subject, file=path.name)
        return
    parts = urlsplit(settings.smtp_url)
    await aiosmtplib.send(
        message, hostname=parts.hostname, port=parts.port or (465 if parts.scheme == "smtps" else 587),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=parts.scheme == "smtps", timeout=30,
    )
