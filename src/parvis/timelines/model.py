"""Lists of people, where one stopped reading, and direct conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

RepliesPolicy = Literal["list", "followed", "none"]
Place = Literal["home", "notifications"]


class List(msgspec.Struct, frozen=True):
    """Some of the people one follows, with a timeline of their own."""

    id: int
    title: str
    replies_policy: RepliesPolicy
    exclusive: bool


class Marker(msgspec.Struct, frozen=True):
    """Where somebody stopped reading, and how often that has moved."""

    timeline: str
    last_read_id: int
    version: int
    updated_at: datetime


class Touched(msgspec.Struct, frozen=True):
    """A conversation that has changed, and whose it is."""

    id: int
    account_id: int


class ConversationTouched(msgspec.Struct, frozen=True):
    """A conversation of somebody has a new last post, or was read or marked as unread."""

    conversation: int
    account: int


class Worn(msgspec.Struct, frozen=True):
    """A hashtag on somebody's profile, and how they spell it."""

    id: int
    name: str
    display_name: str


class TagFeatured(msgspec.Struct, frozen=True):
    """Somebody shows a hashtag on their profile."""

    account: int
    row: int
    name: str
    spelled: str


class TagUnfeatured(msgspec.Struct, frozen=True):
    """Somebody shows a hashtag on their profile no more."""

    account: int
    row: int
    name: str
    spelled: str


class Found(msgspec.Struct, frozen=True):
    """A post that belongs on a page."""

    id: int


class Candidate(msgspec.Struct, frozen=True):
    """A post for a timeline, whether this viewer is shown it, and whether no other belongs between it and the rest."""

    id: int
    shown: bool
    whole: bool


class Kept(msgspec.Struct, frozen=True):
    """A post in a list that its own rows order."""

    row_id: int
    status_id: int


class Choice(msgspec.Struct, frozen=True):
    """Which of an account's posts."""

    only_media: bool = False
    exclude_replies: bool = False
    exclude_reblogs: bool = False
    tagged: str | None = None

