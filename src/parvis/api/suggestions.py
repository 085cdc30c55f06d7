"""People one could follow: the directory, and suggestions."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from parvis.api import offsets
from parvis.api.call import Call, delete, get
from parvis.api.offsets import Offset
from parvis.base.errors import Invalid
from parvis.search import policy, queries
from parvis.search.model import Stretch, Suggestion
from parvis.views import account as people

DEFAULT = 40


class Listing(Offset, frozen=True, kw_only=True):
    """A stretch of the directory."""

    order: Literal["active", "new"] = "active"
    local: bool = False


class Some(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    limit: int | None = None


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One account."""

    id: int


@get("/api/v1/directory")
async def directory(call: Call, args: Listing) -> bytes:
    """People who want to be discovered, those who posted last or came last first."""
    limit, offset = args.stretch(DEFAULT)
    ids = await queries.directory(call.read, call.viewer, args.order, Stretch(limit, offset), args.local)
    offsets.link(call, (limit, offset), len(ids))
    return await people.page(call.read, call.eye(), ids)


async def _suggested(call: Call, args: Some) -> list[tuple[Suggestion, bytes]]:
    """The suggestions of this moment, with their accounts."""
    if args.limit is not None and args.limit < 0:
        raise Invalid("limit", "invalid")
    limit = min(args.limit or DEFAULT, 2 * DEFAULT)
    rows = policy.suggested(await queries.candidates(call.read, call.me_id, 2 * DEFAULT), limit)
    shown = await people.accounts(call.read, call.eye(), [row.account_id for row in rows])
    return [(row, shown[row.account_id]) for row in rows if row.account_id in shown]


# Mastodon's older word for the first source.
OLD: dict[str, str] = {
    "friends_of_friends": "past_interactions", "similar_to_recently_followed": "past_interactions",
    "most_interactions": "global", "most_followed": "global",
}


@get("/api/v2/suggestions", "read:accounts")
async def suggestions(call: Call, args: Some) -> list[dict[str, Any]]:
    """Whom one could follow, and why."""
    return [
        {"source": OLD[row.sources[0]], "sources": row.sources, "account": msgspec.Raw(account)}
        for row, account in await _suggested(call, args)
    ]


@get("/api/v1/suggestions", "read:accounts", deprecated=1621123200)
async def suggestions_v1(call: Call, args: Some) -> list[msgspec.Raw]:
    """The same without the reasons, as older clients ask for it."""
    return [msgspec.Raw(account) for _, account in await _suggested(call, args)]


@delete("/api/v1/suggestions/{id}", "read:accounts")
async def dismiss(call: Call, args: One) -> dict[str, Any]:
    """Never suggest this account again."""
    await queries.dismiss(call.tx, call.me_id, args.id)
    return {}
