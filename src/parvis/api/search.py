"""Finding people, posts and hashtags, here and, when asked to, on other servers."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from parvis.accounts.model import Account
from parvis.api.call import Call, get
from parvis.base.errors import Invalid, Problem, Unauthenticated
from parvis.base.ids import Page
from parvis.federation import fetch
from parvis.search import policy, queries
from parvis.search.model import Stretch
from parvis.statuses import queries as statuses
from parvis.statuses.model import Status
from parvis.text import mentions as words
from parvis.views import status as posts
from parvis.views import tag as views

Kind = Literal["accounts", "statuses", "hashtags"]
ADDRESS = re.compile(r"https?://\S+|@?[^@\s:]+@[^@\s]+")
MOST, FARTHEST = 40, 10_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for."""

    q: str
    type: Kind | None = None
    resolve: bool = False
    following: bool = False
    exclude_unreviewed: bool = False
    account_id: int | None = None
    min_id: int | None = None
    max_id: int | None = None
    limit: int = 20
    offset: int = 0

    def wants(self, kind: Kind) -> bool:
        """Are results of this kind asked for?"""
        return bool(self.q.strip()) and self.type in (None, kind)

    def stretch(self) -> Stretch:
        """Which results of a kind; an offset means something for one kind only."""
        return Stretch(min(self.limit or 20, MOST), min(self.offset, FARTHEST) if self.type else 0)


class Found(msgspec.Struct, frozen=True):
    """The results of each kind, as encoded entities."""

    accounts: list[bytes]
    statuses: list[bytes]
    tags: list[dict[str, Any]]


def _is_address(text: str) -> bool:
    """Is it a URL or a full handle, which names one thing?"""
    return ADDRESS.fullmatch(text) is not None


async def _met(call: Call, text: str, *, ask: bool) -> Account | Status | None:
    """The one thing an address names; asked of its server when the caller may."""
    if not _is_address(text) or not ask:
        return None
    try:
        return await fetch.resolve(call.job, text)
    except Problem:
        return None


async def _found(call: Call, args: Wanted) -> Found:
    """Everything that is looked for, each kind with one statement of its own. Only people may have servers asked."""
    text = args.q.strip()
    if call.viewer is None and (args.resolve or args.offset):
        raise Unauthenticated("no_token")
    if args.limit < 0 or args.offset < 0:
        raise Invalid("limit", "invalid")
    met = await _met(call, text, ask=args.resolve)
    async with call.opening("read"):
        people = await _accounts(call, args, met) if args.wants("accounts") else []
        written = await _statuses(call, args, met) if args.wants("statuses") else []
        tags = await _tags(call, args) if args.wants("hashtags") and not _is_address(text) else []
        shown, persons = await posts.entities(call.read, call.eye(), written, people)
    return Found([persons[n] for n in people if n in persons], [shown[n] for n in written if n in shown], tags)


async def _accounts(call: Call, args: Wanted, met: Account | Status | None) -> list[int]:
    first, text = [met.id] if isinstance(met, Account) else [], args.q.strip()
    if "://" in text:
        return first
    whom = policy.named(text, call.settings.domain)
    rows = await queries.accounts(
        call.read, call.viewer, whom, policy.pattern(whom.text), args.stretch(), args.following
    )
    return list(dict.fromkeys([*first, *rows]))[: args.stretch().limit]


async def _statuses(call: Call, args: Wanted, met: Account | Status | None) -> list[int]:
    """The post that an address names, else those a signed-in person may find by words."""
    text = args.q.strip()
    if _is_address(text):
        known = met if isinstance(met, Status) else await _known(call, text)
        seen = known and await statuses.seen(call.read, known.id, call.viewer)
        return [seen.id] if seen else []
    wish = policy.understood(text, call.settings.domain)
    if call.viewer is None or not wish.asks:
        return []
    stretch = args.stretch()
    page = Page(args.max_id, None, args.min_id, stretch.limit)
    return await queries.statuses(call.read, call.viewer, wish, page, stretch.offset, args.account_id)


async def _known(call: Call, url: str) -> Status | None:
    return await statuses.by_uri(call.read, url) or await statuses.by_url(call.read, url)


async def _tags(call: Call, args: Wanted) -> list[dict[str, Any]]:
    name = words.normal_tag(args.q.strip().lstrip("#"))
    if not name:
        return []
    found = await queries.tags(call.read, name, args.stretch(), args.exclude_unreviewed)
    return await views.tags_by_id(call.read, call.eye(), [row.id for row in found])


def _joined(rows: list[bytes]) -> msgspec.Raw:
    return msgspec.Raw(b"[%s]" % b",".join(rows))


@get("/api/v2/search", "read:search", who="anyone", tx="none")
async def search(call: Call, args: Wanted) -> dict[str, Any]:
    """Accounts, posts and hashtags. Posts only for those signed in; other servers are asked for them alone."""
    found = await _found(call, args)
    return {"accounts": _joined(found.accounts), "statuses": _joined(found.statuses), "hashtags": found.tags}


@get("/api/v1/search", "read:search", tx="none", deprecated=1570060800)
async def search_v1(call: Call, args: Wanted) -> dict[str, Any]:
    """The same with hashtags as bare names, as older clients ask for it."""
    found = await _found(call, args)
    return {
        "accounts": _joined(found.accounts), "statuses": _joined(found.statuses),
        "hashtags": [tag["name"] for tag in found.tags],
    }
