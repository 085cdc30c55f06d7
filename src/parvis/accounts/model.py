"""What an account is, and what can happen between two of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec


class Account(msgspec.Struct, frozen=True):
    """Someone who posts: here, or on another server."""

    id: int
    username: str
    domain: str | None
    uri: str
    url: str
    actor_type: str
    display_name: str
    note: str
    locked: bool
    bot: bool
    created_at: datetime
    suspended_at: datetime | None
    limited_at: datetime | None
    deleted_at: datetime | None
    moved_to_id: int | None
    public_key: str | None
    inbox_url: str
    shared_inbox_url: str | None
    outbox_url: str | None
    followers_url: str | None
    following_url: str | None
    featured_url: str | None
    fetched_at: datetime | None
    version: int

    @property
    def local(self) -> bool:
        """Does it live in this city?"""
        return self.domain is None

    @property
    def acct(self) -> str:
        """The handle as this city's people write it."""
        return self.username if self.domain is None else f"{self.username}@{self.domain}"


class Shown(msgspec.Struct, frozen=True):
    """The rest of a profile, for those who show it."""

    id: int
    note_text: str
    fields: list[dict[str, Any]]
    avatar_file: str | None
    avatar_url: str | None
    avatar_description: str
    header_file: str | None
    header_url: str | None
    header_description: str
    discoverable: bool | None
    indexable: bool
    hide_collections: bool
    show_media: bool
    show_media_replies: bool
    show_featured: bool
    email_subscriptions: bool
    attribution_domains: list[str]
    memorial: bool
    also_known_as: list[str]
    last_status_at: date | None
    statuses: int
    followers: int
    following: int


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What another server says of one of its people."""

    uri: str
    username: str
    domain: str
    url: str
    actor_type: str = "Person"
    display_name: str = ""
    note: str = ""
    fields: list[dict[str, Any]] = msgspec.field(default_factory=list)
    avatar_url: str | None = None
    header_url: str | None = None
    locked: bool = False
    bot: bool = False
    discoverable: bool | None = None
    indexable: bool = False
    show_media: bool = True
    show_media_replies: bool = True
    show_featured: bool = True
    attribution_domains: list[str] = msgspec.field(default_factory=list)
    feature_automatic: list[str] = msgspec.field(default_factory=list)
    public_key: str | None = None
    inbox_url: str
    shared_inbox_url: str | None = None
    outbox_url: str | None = None
    followers_url: str | None = None
    following_url: str | None = None
    featured_url: str | None = None
    also_known_as: list[str] = msgspec.field(default_factory=list)
    moved_to: str | None = None
    counts: dict[str, int] | None = None
    created_at: datetime | None = None


class NewAccount(msgspec.Struct, frozen=True):
    """Someone who settles here."""

    username: str
    display_name: str
    public_key: str
    private_key_sealed: bytes
    invited_by_id: int | None = None


class ProfileEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What a person changes about themselves; UNSET stays as it is."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    note: str | msgspec.UnsetType = msgspec.UNSET
    note_text: str | msgspec.UnsetType = msgspec.UNSET
    fields: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    avatar_file: str | msgspec.UnsetType | None = msgspec.UNSET
    avatar_description: str | msgspec.UnsetType = msgspec.UNSET
    header_file: str | msgspec.UnsetType | None = msgspec.UNSET
    header_description: str | msgspec.UnsetType = msgspec.UNSET
    locked: bool | msgspec.UnsetType = msgspec.UNSET
    bot: bool | msgspec.UnsetType = msgspec.UNSET
    discoverable: bool | msgspec.UnsetType = msgspec.UNSET
    indexable: bool | msgspec.UnsetType = msgspec.UNSET
    hide_collections: bool | msgspec.UnsetType = msgspec.UNSET
    show_media: bool | msgspec.UnsetType = msgspec.UNSET
    show_media_replies: bool | msgspec.UnsetType = msgspec.UNSET
    show_featured: bool | msgspec.UnsetType = msgspec.UNSET
    attribution_domains: list[str] | msgspec.UnsetType = msgspec.UNSET
    email_subscriptions: bool | msgspec.UnsetType = msgspec.UNSET
    also_known_as: list[str] | msgspec.UnsetType = msgspec.UNSET


class FollowWish(msgspec.Struct, frozen=True):
    """How one wants to follow."""

    reblogs: bool = True
    notify: bool = False
    languages: list[str] | None = None


class Follow(msgspec.Struct, frozen=True):
    """One follows another, or asks to."""

    id: int
    account_id: int
    target_id: int
    accepted: bool
    show_reblogs: bool
    notify: bool
    languages: list[str] | None
    uri: str | None


class Relationship(msgspec.Struct, frozen=True):
    """How a viewer stands to another account: both directions at once."""

    id: int
    following: bool
    requested: bool
    showing_reblogs: bool
    notifying: bool
    languages: list[str] | None
    followed_by: bool
    requested_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    muting_until: datetime | None
    domain_blocking: bool
    endorsed: bool
    note: str


class Ranked(msgspec.Struct, frozen=True):
    """An account in a paged list, with the id of the row that put it there."""

    row_id: int
    account_id: int


class FollowRequested(msgspec.Struct, frozen=True):
    """Someone asks to follow and waits for an answer."""

    account: int
    target: int


class Followed(msgspec.Struct, frozen=True):
    """A follow is in force."""

    account: int
    target: int


class FollowAccepted(msgspec.Struct, frozen=True):
    """`target` accepted that `account` follows."""

    account: int
    target: int
    uri: str | None


class FollowRejected(msgspec.Struct, frozen=True):
    """`target` does not want to be followed by `account`, or no longer."""

    account: int
    target: int
    uri: str | None


class Unfollowed(msgspec.Struct, frozen=True):
    """`account` follows no more."""

    account: int
    target: int
    follow: int
    uri: str | None
    was_accepted: bool


class Blocked(msgspec.Struct, frozen=True):
    """`account` wants nothing to do with `target`."""

    account: int
    target: int
    block: int


class Unblocked(msgspec.Struct, frozen=True):
    """A block was taken back."""

    account: int
    target: int
    block: int


class DomainBlocked(msgspec.Struct, frozen=True):
    """`account` wants nothing to do with anybody of a domain; so many followers and follows of theirs ended."""

    account: int
    domain: str
    followers: int
    following: int


class ProfileEdited(msgspec.Struct, frozen=True):
    """A person of this city changed their profile."""

    account: int


class AccountDeleted(msgspec.Struct, frozen=True):
    """An account is closed for good."""

    account: int
