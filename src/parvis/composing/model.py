"""What somebody wants to publish, and what waits for its hour."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from parvis.accounts.model import Account
from parvis.polls.model import PollWish
from parvis.quotes.model import QuotePolicy
from parvis.statuses.model import ReplyPolicy, Visibility


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A post as somebody here asks for it; what they leave open is filled in from their preferences."""

    text: str = ""
    media_ids: tuple[int, ...] = ()
    poll: PollWish | None = None
    in_reply_to_id: int | None = None
    sensitive: bool | None = None
    spoiler_text: str = ""
    visibility: Visibility | None = None
    language: str | None = None
    application_id: int | None = None
    quoted_status_id: int | None = None
    quote_approval_policy: QuotePolicy | None = None
    reply_policy: ReplyPolicy = "public"
    local_only: bool = False


class Author(Account, frozen=True):
    """Somebody who posts here: what they prefer where a wish leaves it open, their counts, and the app they use."""

    disabled_at: datetime | None
    default_privacy: str
    default_sensitive: bool
    default_language: str | None
    default_quote_policy: QuotePolicy
    statuses: int
    followers: int
    following: int
    last_status_at: str | None
    has_filters: bool
    application: dict[str, Any] | None


class City(msgspec.Struct, frozen=True):
    """Where posts are made: the address of the city, and what follows the @ in its handles."""

    base: str
    domain: str


class Refusal(msgspec.Struct, frozen=True):
    """Why something could not be published: which kind of problem, its word, and the field that an Invalid names."""

    kind: str
    word: str
    field: str = ""


class Scheduled(msgspec.Struct, frozen=True):
    """A post that waits for its hour; `refusal` says why it could not be published then."""

    id: int
    account_id: int
    wish: dict[str, Any]
    scheduled_at: datetime
    refusal: dict[str, Any] | None
    idempotency_key: str | None
    created_at: datetime
