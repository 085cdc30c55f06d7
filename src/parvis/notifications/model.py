"""What a notification is."""

from __future__ import annotations

from datetime import datetime

import msgspec

KINDS = (
    "mention", "status", "reblog", "follow", "follow_request", "favourite", "update", "moderation_warning",
    "admin.report", "admin.sign_up",
)


class Notification(msgspec.Struct, frozen=True):
    """One thing somebody is told."""

    id: int
    kind: str
    from_account_id: int
    status_id: int | None
    decision_id: int | None
    created_at: datetime


class Notified(msgspec.Struct, frozen=True):
    """Somebody of this city was told of something: what streams, push services and letters bring on."""

    notification: int
    account: int
    kind: str
