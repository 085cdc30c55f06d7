"""What a post is, and what can happen to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from parvis.polls.model import NewPoll

Visibility = Literal["public", "unlisted", "private", "direct"]
ReplyPolicy = Literal["public", "followers", "mentioned", "nobody"]


class Status(msgspec.Struct, frozen=True):
    """A post, or the wrapper that a reblog makes."""

    id: int
    account_id: int
    uri: str
    url: str | None
    local: bool
    text: str
    content: str
    spoiler_text: str
    sensitive: bool
    visibility: Visibility
    language: str | None
    in_reply_to_id: int | None
    in_reply_to_account_id: int | None
    conversation_id: int
    reblog_of_id: int | None
    created_at: datetime
    received_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    removed_at: datetime | None
    quote_automatic: list[str]
    quote_manual: list[str]
    reply_policy: ReplyPolicy
    reply_hidden: bool
    local_only: bool
    version: int


class Made(Status, frozen=True):
    """A post that was just made: the hashtags it has (`untagged`: it wants more), whether it names anybody, whether its
    author is watched and offers letters, whether it may have readers elsewhere, and was answered before it came.
    """

    tags: list[str]
    untagged: bool
    named: bool
    watched: bool
    offered: bool
    abroad: bool
    awaited: bool


class RemoteMedia(msgspec.Struct, frozen=True, kw_only=True):
    """A file that stays on another server."""

    url: str
    content_type: str
    description: str | None = None
    blurhash: str | None = None
    width: int | None = None
    height: int | None = None
    focus_x: float = 0.0
    focus_y: float = 0.0
    preview_url: str | None = None


class Openness(msgspec.Struct, frozen=True, kw_only=True):
    """Who may quote a post, at once or after its author has looked, and who may answer it."""

    quote_automatic: tuple[str, ...] = ()
    quote_manual: tuple[str, ...] = ()
    reply_policy: ReplyPolicy = "public"


class Standing(msgspec.Struct, frozen=True):
    """How somebody stands to a post: do they follow its author, does it name them?"""

    follows: bool
    named: bool


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A post about to be made, from this city or another server."""

    content: str
    visibility: Visibility
    text: str = ""
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    in_reply_to_id: int | None = None
    in_reply_to_uri: str | None = None
    uri: str | None = None
    url: str | None = None
    created_at: datetime | None = None
    mentions: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    media: tuple[int, ...] = ()
    remote_media: tuple[RemoteMedia, ...] = ()
    application_id: int | None = None
    poll: NewPoll | None = None
    openness: Openness = Openness()
    local_only: bool = False
    held: bool = False


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What a post says after an edit."""

    content: str
    text: str = ""
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    mentions: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    media: tuple[int, ...] = ()
    remote_media: tuple[RemoteMedia, ...] = ()
    edited_at: datetime | None = None
    poll: NewPoll | None = None


class Composed(msgspec.Struct, frozen=True):
    """A text made into a post: its HTML and whom and what it names."""

    content: str
    mentions: tuple[int, ...]
    tags: tuple[str, ...]


class Named(msgspec.Struct, frozen=True):
    """Someone a post is addressed to; silent when its text does not name them."""

    status_id: int
    account_id: int
    silent: bool


class Tagged(msgspec.Struct, frozen=True):
    """A hashtag of a post."""

    status_id: int
    name: str
    display_name: str


class Edit(msgspec.Struct, frozen=True):
    """One earlier state of a post."""

    content: str
    spoiler_text: str
    sensitive: bool
    media: list[dict[str, Any]]
    poll: list[str] | None
    created_at: datetime
    emojis: list[dict[str, Any]]


class Posted(msgspec.Struct, frozen=True):
    """A post was made, here or elsewhere: does it name anybody, is its author watched, and do they offer letters?"""

    status: int
    account: int
    visibility: Visibility
    named: bool = True
    watched: bool = True
    offered: bool = True


class Linked(msgspec.Struct, frozen=True):
    """A post was made that may point to a page."""

    status: int
    account: int


class PostedAbroad(msgspec.Struct, frozen=True):
    """A post was made here that may have readers elsewhere."""

    status: int
    account: int


class Edited(msgspec.Struct, frozen=True):
    """A post says something else now."""

    status: int
    account: int


class PolicyChanged(msgspec.Struct, frozen=True):
    """Others than before may quote or answer a post."""

    status: int
    account: int


class Deleted(msgspec.Struct, frozen=True):
    """A post is gone."""

    status: int
    account: int
    uri: str


class Pinned(msgspec.Struct, frozen=True):
    """Somebody shows a post at the top of their profile; `pin` is that they do."""

    status: int
    account: int
    pin: int


class Unpinned(msgspec.Struct, frozen=True):
    """Somebody shows a post at the top of their profile no more."""

    status: int
    account: int
    pin: int


class Favourited(msgspec.Struct, frozen=True):
    """Someone marked a post as a favourite."""

    status: int
    author: int
    by: int
    favourite: int


class Unfavourited(msgspec.Struct, frozen=True):
    """Someone took a favourite back."""

    status: int
    author: int
    by: int
    favourite: int


class Reblogged(msgspec.Struct, frozen=True):
    """Someone passed a post on; `status` is the wrapper."""

    status: int
    original: int
    author: int
    by: int


class Unreblogged(msgspec.Struct, frozen=True):
    """Someone no longer passes a post on."""

    status: int
    original: int
    author: int
    by: int
    uri: str
