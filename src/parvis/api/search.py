"""Finding people, posts and hashtags, here and, when asked to, on other servers."""

from __future__ import annotations

from typing import Literal

import msgspec

from parvis.accounts.model import Account
from parvis.api import entities
from parvis.api.call import Call, get
from parvis.base.errors import Invalid, Problem, Unauthenticated
from parvis.federation import fetch
from parvis.statuses import queries as statuses
from parvis.statuses.model import Status
from parvis.text import mentions as words
from parvis.views import account as people
from parvis.views import queries as views
from parvis.views import status as posts
from parvis.views.cards import ENCODE


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for."""

    q: str
    type: Literal["accounts", "statuses", "hashtags"] | None = None
    resolve: bool = False
    following: bool = False
    account_id: int | None = None
    limit: int = 20
    offset: int = 0


class TagName(msgspec.Struct, frozen=True, kw_only=True):
    """One hashtag."""

    name: str


def _is_address(text: str) -> bool:
    """Is it a URL or a full handle, which names one thing?"""
    return text.startswith(("https://", "http://")) or "@" in text.strip("@")


async def _met(call: Call, text: str, *, ask: bool) -> Account | Status | None:
    """The one thing an address names; asked of its server when the caller may."""
    if not _is_address(text) or not ask:
        return None
    try:
        return await fetch.resolve(call.job, text)
    except Problem:
        return None


@get("/api/v2/search", "read:search", who="anyone", tx="none")
async def search(call: Call, args: Wanted) -> bytes:
    """Accounts, posts and hashtags. Only signed-in people may have other servers asked."""
    text = args.q.strip()
    if call.viewer is None and (args.resolve or args.offset):
        raise Unauthenticated("no_token")
    if args.limit < 0 or args.offset < 0:
        raise Invalid("limit", "invalid")
    limit, offset = min(args.limit or 20, 40), min(args.offset, 10_000)
    met = await _met(call, text, ask=args.resolve)
    async with call.opening("read"):
        parts = {"accounts": b"[]", "statuses": b"[]", "hashtags": b"[]"}
        if text and args.type in (None, "accounts"):
            parts["accounts"] = await _accounts(call, args, met, (limit, offset))
        if text and args.type in (None, "statuses"):
            parts["statuses"] = await _statuses(call, text, met, (limit, offset))
        if text and args.type in (None, "hashtags") and not _is_address(text):
            parts["hashtags"] = await _tags(call, text, limit, offset)
    return b'{"accounts":%s,"statuses":%s,"hashtags":%s}' % (parts["accounts"], parts["statuses"], parts["hashtags"])


async def _accounts(call: Call, args: Wanted, met: Account | Status | None, stretch: tuple[int, int]) -> bytes:
    first = [met.id] if isinstance(met, Account) else []
    text = args.q.strip().lstrip("@").removesuffix(f"@{call.settings.domain}")
    rows = [] if "://" in text else await views.found_accounts(
        call.read, text, *stretch, call.viewer if args.following else None
    )
    return await people.page(call.read, call.eye(), list(dict.fromkeys([*first, *rows]))[: stretch[0]])


async def _statuses(call: Call, text: str, met: Account | Status | None, stretch: tuple[int, int]) -> bytes:
    if _is_address(text):
        known = met if isinstance(met, Status) else await _known(call, text)
        seen = known and await statuses.seen(call.read, known.id, call.viewer)
        return await posts.page(call.read, call.eye(), [seen.id] if seen else [])
    if call.viewer is None:
        return b"[]"
    return await posts.page(call.read, call.eye(), await views.found_statuses(call.read, call.viewer, text, *stretch))


async def _known(call: Call, url: str) -> Status | None:
    return await statuses.by_uri(call.read, url) or await statuses.by_url(call.read, url)


async def _tags(call: Call, text: str, limit: int, offset: int) -> bytes:
    rows = await views.found_tags(call.read, words.normal_tag(text.lstrip("#")), limit, offset)
    days = await views.tag_days(call.read, [row.name for row in rows]) if rows else []
    return ENCODE.encode([entities.tag(row.id, row.name, days, call.settings.base) for row in rows])


@get("/api/v1/tags/{name}", who="anyone")
async def tag(call: Call, args: TagName) -> dict[str, object]:
    """One hashtag and its last days."""
    name = words.normal_tag(args.name)
    rows = await views.found_tags(call.read, name, 1, 0)
    known = rows[0] if rows and rows[0].name == name else None
    days = await views.tag_days(call.read, [name]) if known else []
    return entities.tag(known.id if known else 0, name, days, call.settings.base)
