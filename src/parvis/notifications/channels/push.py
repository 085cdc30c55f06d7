"""By a push service, which learns nothing but when and to which device."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import structlog

from parvis.base import webpush
from parvis.base.errors import Upstream
from parvis.base.jobs import Job
from parvis.base.seal import Seal
from parvis.base.settings import Settings
from parvis.base.webpush import Receiver
from parvis.notifications.channels import queries
from parvis.notifications.model import Errand, PushDue
from parvis.text import html, messages
from parvis.text.messages import words

log = structlog.get_logger()

KEPT_SECONDS = 48 * 3600  # how long a push service keeps it for a device that is off
# A service that is down for longer than this is not told of it: the job gives up before its last attempt.
PATIENCE = timedelta(minutes=2)
LENGTH = 140
# RFC 8030 §5.3: these may wait until the device wakes for something else.
IDLE = frozenset(("favourite", "reblog", "update", "quoted_update"))
TRY_AGAIN = frozenset((408, 425, 429))


def title(errand: Errand) -> str:
    """What happened, in the language of whom it concerns."""
    return messages.catalogue(errand.locale).gettext(words.TOLD[errand.kind]) % {"name": errand.name}


def payload(errand: Errand, number: int, token: str, settings: Settings) -> bytes:
    """The message as apps made for Mastodon read it. Its number is one, since some of them refuse text there."""
    said = " ".join(html.plain(errand.text).split())
    picture = f"{settings.base}/media/{errand.avatar_file}" if errand.avatar_file else errand.avatar_url
    return msgspec.json.encode({
        "access_token": token, "preferred_locale": errand.locale, "notification_id": number,
        "notification_type": errand.kind, "icon": picture or f"{settings.base}/static/avatar.png",
        "title": title(errand)[:LENGTH], "body": said if len(said) <= LENGTH else said[: LENGTH - 1] + "…",
    })


async def deliver(job: Job, event: PushDue) -> None:
    """Push one notification to one app; nothing when it was taken back, or the app's token ended meanwhile."""
    async with job.db.read() as r:
        errand = await queries.errand(r, event.notification)
        found = await queries.push_errand(r, event.subscription)
    if errand is None or found is None:
        return
    to = Receiver(found.endpoint, found.p256dh, found.auth, found.standard)
    now, settings = job.db.clock.now(), job.settings
    token = Seal(settings.secrets).open(found.token_sealed).decode()
    made = webpush.sealed(payload(errand, event.notification, token, settings), to)
    contact = f"mailto:{settings.contact_email}" if settings.contact_email else settings.base
    headers = {
        **webpush.signed(made, to, webpush.city_key(settings.secrets), contact, now),
        "TTL": str(KEPT_SECONDS), "Urgency": "low" if errand.kind in IDLE else "normal",
    }
    status = await _sent(job, to.endpoint, headers, made.body)
    if 200 <= status < 300:
        return
    if status < 500 and status not in TRY_AGAIN:
        async with job.db.write() as tx:
            await queries.drop_subscription(tx, event.subscription)
        log.info("a push service refuses: the subscription is dropped", status=status)
    elif now - errand.created_at < PATIENCE:
        raise Upstream("push_service", status=status)


async def _sent(job: Job, endpoint: str, headers: dict[str, str], body: bytes) -> int:
    """The answer's code; one that cannot be had counts as the service's fault, but for an address nobody may reach."""
    try:
        answer = await job.http.request(
            "POST", endpoint, headers=headers, body=body, limit=65_536, seconds=15, redirects=0
        )
    except Upstream as problem:
        return 400 if problem.word in ("address_refused", "bad_url", "scheme_refused") else 599
    return answer.status


async def prune(job: Job) -> None:
    """Forget apps whose token ended."""
    async with job.db.write() as tx:
        await queries.drop_ended_subscriptions(tx)
