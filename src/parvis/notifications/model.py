"""What a notification is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

KINDS = (
    "mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "quote", "quoted_update",
    "added_to_collection", "collection_update", "severed_relationships", "moderation_warning", "admin.report",
    "admin.sign_up",
)
GROUPED = ("favourite", "reblog", "follow", "admin.sign_up")

Answer = Literal["accept", "filter", "drop"]


class Notification(msgspec.Struct, frozen=True):
    """One thing somebody is told; `about` is the decision, report or severance it tells of."""

    id: int
    kind: str
    from_account_id: int
    status_id: int | None
    created_at: datetime
    group_key: str
    filtered: bool
    about: dict[str, Any] | None


class Group(msgspec.Struct, frozen=True):
    """Things of one kind about one thing in half a day, as one: the newest, how many, and who did it last.

    `lowest` is the oldest of them that is not older than the last row of the page.
    """

    id: int
    kind: str
    status_id: int | None
    created_at: datetime
    group_key: str
    about: dict[str, Any] | None
    total: int
    lowest: int
    people: list[int]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which notifications somebody asks for: of some kinds, without others, by one account, those filtered too."""

    kinds: list[str] = []
    without: list[str] = []
    by: int | None = None
    filtered: bool = False
    grouped: list[str] = []


class Member(msgspec.Struct, frozen=True):
    """A row of a group, and whose it is."""

    id: int
    account_id: int


class Policy(msgspec.Struct, frozen=True):
    """What becomes of notifications by people one has little to do with."""

    for_not_following: Answer
    for_not_followers: Answer
    for_new_accounts: Answer
    for_private_mentions: Answer
    for_limited_accounts: Answer
    requests: int
    notifications: int


class PolicyWish(msgspec.Struct, frozen=True, kw_only=True):
    """A changed policy; None leaves an answer as it is."""

    for_not_following: Answer | None = None
    for_not_followers: Answer | None = None
    for_new_accounts: Answer | None = None
    for_private_mentions: Answer | None = None
    for_limited_accounts: Answer | None = None


class Asking(msgspec.Struct, frozen=True):
    """Somebody whose notifications were filtered, how many there are, and the last post among them one may see."""

    id: int
    created_at: datetime
    updated_at: datetime
    account_id: int
    notifications: int
    last_status_id: int | None


class Notified(msgspec.Struct, frozen=True):
    """Somebody of this city was told of something: what streams, push services and letters bring on.

    Of what their policy filtered they are not told.
    """

    notification: int
    account: int
    kind: str


class RequestsAccepted(msgspec.Struct, frozen=True):
    """Notifications that were filtered stand among the others now."""

    account: int
