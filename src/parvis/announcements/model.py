"""What an announcement is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement about to be made; `due_at`: when it is to be published, if not at once."""

    text: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    all_day: bool = False
    due_at: datetime | None = None


class Written(msgspec.Struct, frozen=True):
    """What a text becomes: HTML, and the people, hashtags and posts that it names."""

    text: str
    content: str
    mentions: tuple[int, ...]
    tags: tuple[str, ...]
    status_ids: tuple[int, ...]


class Announcement(msgspec.Struct, frozen=True):
    """An announcement as one viewer sees it."""

    id: int
    content: str
    starts_at: datetime | None
    ends_at: datetime | None
    all_day: bool
    published_at: datetime
    updated_at: datetime
    dismissed: bool
    mentions: list[dict[str, Any]]
    statuses: list[dict[str, Any]]
    tags: list[str]
    emojis: list[dict[str, Any]]
    reactions: list[dict[str, Any]]


class Ended(msgspec.Struct, frozen=True):
    """An announcement that is over, and whether anybody had seen it."""

    id: int
    published: bool


class Announced(msgspec.Struct, frozen=True):
    """The city tells something."""

    announcement: int


class AnnouncementReacted(msgspec.Struct, frozen=True):
    """Somebody put an emoji under an announcement, or took theirs back."""

    announcement: int
    name: str


class AnnouncementWithdrawn(msgspec.Struct, frozen=True):
    """An announcement is taken back, or its time is over."""

    announcement: int
