"""What a notification is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from parvis.base.webpush import Receiver

KINDS = (
    "mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "quote", "quoted_update",
    "added_to_collection", "collection_update", "severed_relationships",
    "restored_relationships", "moderation_warning", "admin.report", "admin.sign_up",
)
GROUPED = ("favourite", "reblog", "follow", "admin.sign_up")

ALERTS = (
    "mention", "quote", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "quoted_update",
    "admin.sign_up", "admin.report",
)
LETTERS = ("follow", "follow_request", "favourite", "reblog", "mention", "quote")

Answer = Literal["accept", "filter", "drop"]
Whose = Literal["all", "followed", "follower", "none"]
When = Literal["never", "away", "always"]


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


class Ties(msgspec.Struct, frozen=True):
    """How many followers and follows somebody lost, or has again."""

    account_id: int
    followers: int
    following: int


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


class Subscription(msgspec.Struct, frozen=True):
    """Where an app is pushed to, and of what."""

    id: int
    endpoint: str
    standard: bool
    alerts: list[str]
    policy: str


class NewSubscription(msgspec.Struct, frozen=True):
    """An app's wish to be pushed to; its token stays sealed."""

    to: Receiver
    alerts: list[str]
    policy: Whose
    token_sealed: bytes


class Reached(msgspec.Struct, frozen=True):
    """Where a notification is to be brought: by letter, and to which subscriptions."""

    letter: bool
    subscriptions: list[int]


class Missed(msgspec.Struct, frozen=True):
    """Who did something, and what they say of it; `open` to everybody."""

    name: str
    acct: str
    avatar_file: str | None
    avatar_url: str | None
    url: str
    text: str
    open: bool


class Errand(msgspec.Struct, frozen=True):
    """All that a push message or a letter says of a notification, and to whom it goes."""

    kind: str
    created_at: datetime
    account_id: int
    username: str
    locale: str
    email: str
    name: str
    acct: str
    avatar_file: str | None
    avatar_url: str | None
    url: str
    text: str
    open: bool


class PushErrand(msgspec.Struct, frozen=True):
    """A subscription whose token stands."""

    endpoint: str
    p256dh: bytes
    auth: bytes
    standard: bool
    token_sealed: bytes


class LetterPreferences(msgspec.Struct, frozen=True):
    """Of what somebody is told by letter, and when."""

    follow: When
    follow_request: When
    favourite: When
    reblog: When
    mention: When
    quote: When
    digest: bool


class LetterWish(msgspec.Struct, frozen=True, kw_only=True):
    """Changed preferences; None leaves one as it is."""

    follow: When | None = None
    follow_request: When | None = None
    favourite: When | None = None
    reblog: When | None = None
    mention: When | None = None
    quote: When | None = None
    digest: bool | None = None


class PushDue(msgspec.Struct, frozen=True):
    """A notification is to be pushed to one app."""

    subscription: int
    notification: int


class LetterDue(msgspec.Struct, frozen=True):
    """A notification is to be told by letter."""

    notification: int


class DigestDue(msgspec.Struct, frozen=True):
    """Somebody has been away for a week and was written to."""

    account: int
    since: datetime


class Subscriber(msgspec.Struct, frozen=True):
    """Somebody who asked for another's public posts by letter; `open` while the other offers them."""

    id: int
    email: str
    asked_at: datetime
    confirmed: bool
    username: str
    name: str
    open: bool


class News(msgspec.Struct, frozen=True):
    """A post on its way to a subscriber; of its files the descriptions."""

    email: str
    locale: str
    username: str
    name: str
    url: str
    text: str
    language: str | None
    files: list[str]


class SubscriptionAsked(msgspec.Struct, frozen=True):
    """An address was given that is to be sent somebody's posts, if whoever reads it confirms."""

    subscriber: int
    locale: str


class NewsDue(msgspec.Struct, frozen=True):
    """A post was made that has subscribers."""

    status: int


class NewsLetterDue(msgspec.Struct, frozen=True):
    """A post is to be sent to one subscriber."""

    status: int
    subscriber: int
