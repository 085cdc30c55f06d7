"""What somebody can listen to, and what it is that they hear."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from parvis.notifications.model import Notification


class Wish(msgspec.Struct, frozen=True):
    """One stream that somebody listens to: its name, and of which list or hashtag it is."""

    stream: str
    list_id: int | None = None
    tag: str | None = None

    @property
    def name(self) -> list[str]:
        """What a message of this stream says where it comes from: the list's id or the hashtag stands beside it."""
        beside = str(self.list_id) if self.list_id is not None else self.tag
        return [self.stream] if beside is None else [self.stream, beside]


class Ear(msgspec.Struct, frozen=True):
    """One wish of one person: two windows of one app are one ear."""

    viewer: int
    wish: Wish


class Subject(StrEnum):
    """What a topic is about. The last three are about who may listen, and end streams."""

    status = "status"
    notification = "notification"
    conversation = "conversation"
    announcement = "announcement"
    filters = "filters"
    merged = "merged"
    token = "token"  # noqa: S105  # the word, not a secret
    account = "account"
    application = "application"


class Topic(msgspec.Struct, frozen=True):
    """What changed, as it travels: made (+), changed (~) or gone (-), and nothing but ids."""

    subject: Subject
    sign: str
    id: int
    more: str = ""

    @property
    def text(self) -> str:
        """How it is written in a pulse."""
        return f"{self.subject}{self.sign}{self.id}" + (f" {self.more}" if self.more else "")


class Audience(msgspec.Struct, frozen=True):
    """Which ears, by their places among those asked for, hear of a post."""

    status_id: int
    ears: list[int]


class Unlike(msgspec.Struct, frozen=True):
    """Why a post is not for this viewer as for any other: nothing said means by what is theirs alone."""

    viewer: int
    status_id: int
    why: str


class Told(Notification, frozen=True):
    """A notification, and whom it tells."""

    account_id: int
