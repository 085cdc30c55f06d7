"""What a look at posts and people finds, as rows."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Post(msgspec.Struct, frozen=True):
    """A post and its author at this moment, as they are for everybody; or, where its id is 0, an account alone.

    `open`: whoever is not blocked may see it, if what it passes on is open, too.
    """

    id: int
    version: int
    account_id: int
    reblog_of_id: int | None
    conversation_id: int | None
    open: bool
    replies: int
    reblogs: int
    favourites: int
    quotes: int
    account_version: int
    account_statuses: int
    account_followers: int
    account_following: int
    moved_to_id: int | None
    last_status_at: str | None
    asks: bool
    card_id: int | None
    card_version: int | None
    quote_state: str | None
    quoted_id: int | None
    quote_rules: str
    visibility: str
    hidden_replies: int


class Around(msgspec.Struct, frozen=True):
    """Who looks around which post, and how far: so many posts above it and below it, so many replies deep."""

    viewer: int | None
    status_id: int
    up: int
    down: int
    depth: int


class Place(msgspec.Struct, frozen=True):
    """Where a post stands around another: before (-1) it, after (1) it, or itself (0); whether it is from elsewhere."""

    status_id: int
    side: int
    far: bool


MarkKind = Literal["favourited", "reblogged", "bookmarked", "muted", "pinned", "barred", "seen", "filters", "poll",
                   "quote", "follows", "followed", "place"]


class Mark(msgspec.Struct, frozen=True):
    """Something that is so for one viewer: of a post, a conversation (muted) or an account (follows, followed)."""

    viewer: int | None
    thing: int
    kind: MarkKind
    told: Any


class Seen(msgspec.Struct, frozen=True):
    """What one look finds: what is the same for everybody, and what is so for each viewer."""

    posts: list[Post]
    marks: list[Mark]


class Asked(msgspec.Struct):
    """What else is wanted, by who looks: arrays that belong together by their places."""

    polls: tuple[list[int | None], list[int]] = msgspec.field(default_factory=lambda: ([], []))
    quotes: tuple[list[int | None], list[int]] = msgspec.field(default_factory=lambda: ([], []))
    people: tuple[list[int | None], list[int]] = msgspec.field(default_factory=lambda: ([], []))
