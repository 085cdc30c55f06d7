"""Whoever listens is told: each event becomes a small topic in its own transaction, ids and nothing else."""

from __future__ import annotations

from parvis.access.model import ApplicationDeleted, LoginDisabled, PasswordChanged, TokenRevoked
from parvis.accounts.model import AccountDeleted
from parvis.announcements.model import Announced, AnnouncementReacted, AnnouncementWithdrawn
from parvis.base import pulse
from parvis.base.db import Tx
from parvis.filters.model import FiltersChanged
from parvis.moderation.model import Level, MeasureTaken
from parvis.notifications.model import Notified, RequestsAccepted
from parvis.quotes.model import QuoteAccepted, QuoteRevoked
from parvis.statuses.model import Deleted, Edited, Posted, Reblogged, Unreblogged
from parvis.streams.model import Subject, Topic
from parvis.timelines.model import ConversationTouched

SIGNS = {Level.label: "~", Level.removal: "-"}


async def _touch(tx: Tx, subject: Subject, sign: str, number: int) -> None:
    await pulse.touch(tx, Topic(subject, sign, number).text)


async def posted(tx: Tx, event: Posted) -> None:
    """A new post."""
    await _touch(tx, Subject.status, "+", event.status)


async def reblogged(tx: Tx, event: Reblogged) -> None:
    """What is passed on is new to the followers of who passes it on."""
    await _touch(tx, Subject.status, "+", event.status)


async def edited(tx: Tx, event: Edited) -> None:
    """A post that says something else now."""
    await _touch(tx, Subject.status, "~", event.status)


async def deleted(tx: Tx, event: Deleted) -> None:
    """A post that is gone."""
    await _touch(tx, Subject.status, "-", event.status)


async def unreblogged(tx: Tx, event: Unreblogged) -> None:
    """A wrapper that is gone; what it wrapped stays."""
    await _touch(tx, Subject.status, "-", event.status)


async def quote_settled(tx: Tx, event: QuoteAccepted | QuoteRevoked) -> None:
    """The quoting post shows what it quotes, or no longer."""
    await _touch(tx, Subject.status, "~", event.status)


async def notified(tx: Tx, event: Notified) -> None:
    """Something somebody is told."""
    await _touch(tx, Subject.notification, "+", event.notification)


async def conversation_touched(tx: Tx, event: ConversationTouched) -> None:
    """A conversation that goes on, or was read."""
    await _touch(tx, Subject.conversation, "~", event.conversation)


async def merged(tx: Tx, event: RequestsAccepted) -> None:
    """What had been filtered stands among the others now: a client reads them anew."""
    await _touch(tx, Subject.merged, "~", event.account)


async def filters_changed(tx: Tx, event: FiltersChanged) -> None:
    """Whoever has other filters asks for them anew, in all their windows."""
    await _touch(tx, Subject.filters, "~", event.account)


async def announced(tx: Tx, event: Announced) -> None:
    """What the city tells everybody."""
    await _touch(tx, Subject.announcement, "+", event.announcement)


async def announcement_reacted(tx: Tx, event: AnnouncementReacted) -> None:
    """Under an announcement an emoji stands more or less often than before."""
    await pulse.touch(tx, Topic(Subject.announcement, "~", event.announcement, event.name).text)


async def announcement_withdrawn(tx: Tx, event: AnnouncementWithdrawn) -> None:
    """What the city no longer tells."""
    await _touch(tx, Subject.announcement, "-", event.announcement)


async def revoked(tx: Tx, event: TokenRevoked) -> None:
    """The streams of a token end with it."""
    await _touch(tx, Subject.token, "-", event.token)


async def application_deleted(tx: Tx, event: ApplicationDeleted) -> None:
    """The streams of an app end with it."""
    await _touch(tx, Subject.application, "-", event.application)


async def locked_out(tx: Tx, event: PasswordChanged | LoginDisabled) -> None:
    """Who cannot sign in as before does not listen as before: whoever knew the old password least of all."""
    await _touch(tx, Subject.account, "-", event.account)


async def account_deleted(tx: Tx, event: AccountDeleted) -> None:
    """Who has left hears nothing more."""
    await _touch(tx, Subject.account, "-", event.account)


async def measured(tx: Tx, event: MeasureTaken) -> None:
    """A post that was labelled reads otherwise, one that was removed is gone; who is suspended hears nothing more."""
    if event.level >= Level.suspension:
        await _touch(tx, Subject.account, "-", event.target)
    elif event.level in SIGNS:
        sign = SIGNS[Level(event.level)]
        await pulse.touch_all(tx, [Topic(Subject.status, sign, number).text for number in event.status_ids])
