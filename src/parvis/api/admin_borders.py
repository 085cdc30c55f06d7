"""The borders of the city, for moderators: whom a decision would cut off, and what others' lists propose to decide."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.api import admin_domains as domains
from parvis.api.admin_accounts import One, moderating, newest_first
from parvis.api.admin_domains import Domain, named
from parvis.api.call import Call, Nothing, Paged, delete, get, post, put
from parvis.base.clock import mastodon_time
from parvis.base.errors import Invalid, NotFound
from parvis.borders import actions as borders
from parvis.borders import queries
from parvis.borders.model import DomainProposal, SharedList
from parvis.moderation import actions as moderation
from parvis.moderation.model import DomainDraft
from parvis.peers.model import Severity


class NewList(msgspec.Struct, frozen=True, kw_only=True):
    """A list to read: at an address, or as the text of a file."""

    name: str
    url: str | None = None
    csv: str | None = None


class ChangedList(msgspec.Struct, frozen=True, kw_only=True):
    """What a list that was handed in says now."""

    id: int
    csv: str


class OfList(Paged, frozen=True, kw_only=True):
    """What one list proposes, or all do."""

    list_id: int | None = None


class Adopted(domains.Grounds, frozen=True, kw_only=True):
    """A proposal that becomes a decision: on which article, and why; what is not said is as proposed."""

    id: int
    severity: Severity | None = None
    reject_media: bool | None = None
    reject_reports: bool | None = None
    status_ids: list[int] = []


class Dismissed(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that is laid aside, and why."""

    id: int
    text: str = ""


@get("/api/v1/admin/domain_blocks/preview", "admin:read:domain_blocks")
async def preview(call: Call, args: Domain) -> dict[str, Any]:
    """Whom a decision that keeps a server out would cut off: follows, people of this city, accounts, posts, files."""
    await moderating(call)
    domain = named(call, args.domain)
    return {"domain": domain, **msgspec.to_builtins(await queries.preview(call.read, domain))}


def _list(row: SharedList) -> dict[str, Any]:
    return {
        "id": str(row.id), "name": row.name, "url": row.url, "created_at": mastodon_time(row.created_at),
        "account_id": None if row.account_id is None else str(row.account_id),
        "read_at": mastodon_time(row.read_at) if row.read_at else None, "failed": row.failed,
        "proposals_count": row.proposals,
    }


async def _known(call: Call, list_id: int) -> SharedList:
    found = await queries.shared_list(call.read, list_id)
    if found is None:
        raise NotFound("shared_list")
    return found


def _proposal(row: DomainProposal) -> dict[str, Any]:
    return {
        "id": str(row.id), "list_id": str(row.list_id), "list_name": row.list_name, "domain": row.domain,
        "severity": row.severity, "reject_media": row.reject_media, "reject_reports": row.reject_reports,
        "comment": row.comment, "created_at": mastodon_time(row.proposed_at),
        "standing": row.standing, "domain_block_id": None if row.block_id is None else str(row.block_id),
    }


@get("/api/v1/admin/domain_lists", "admin:read:domain_blocks")
async def lists(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """The lists of servers that others keep and this city reads, and how much of each waits for an answer."""
    await moderating(call)
    return [_list(row) for row in await queries.lists(call.read)]


@post("/api/v1/admin/domain_lists", "admin:write:domain_blocks")
async def subscribe(call: Call, args: NewList) -> dict[str, Any]:
    """Read a list (`url`, once a day), or take in one file (`csv`). Every entry is a proposal; none has any effect."""
    await moderating(call)
    if (args.url is None) == (args.csv is None):
        raise Invalid("url", "one_of_both")
    made = await borders.subscribe(call.tx, await call.me(), args.name, args.url)
    if args.csv is not None:
        await borders.hand_in(call.tx, made, args.csv, call.settings.domain)
    return _list(await _known(call, made))


@put("/api/v1/admin/domain_lists/{id}", "admin:write:domain_blocks")
async def hand_in(call: Call, args: ChangedList) -> dict[str, Any]:
    """Take in what a list says now; what is new in it is proposed, what is in it no more is not."""
    await moderating(call)
    await borders.hand_in(call.tx, args.id, args.csv, call.settings.domain)
    return _list(await _known(call, args.id))


@delete("/api/v1/admin/domain_lists/{id}", "admin:write:domain_blocks")
async def unsubscribe(call: Call, args: One) -> dict[str, Any]:
    """Read a list no more. What was decided after it stands."""
    await moderating(call)
    row = await _known(call, args.id)
    await borders.unsubscribe(call.tx, row.id)
    return _list(row)


@get("/api/v1/admin/domain_proposals", "admin:read:domain_blocks")
async def proposals(call: Call, args: OfList) -> list[dict[str, Any]]:
    """What lists propose to decide about servers and nobody has answered, and what is decided about them now."""
    await moderating(call)
    rows = newest_first(call, await queries.proposals(call.read, args.page(100), args.list_id))
    return [_proposal(row) for row in rows]


@post("/api/v1/admin/domain_proposals/{id}/adopt", "admin:write:domain_blocks")
async def adopt(call: Call, args: Adopted) -> dict[str, Any]:
    """Decide as proposed, or otherwise: on an article, with reasons. 422 with those in force when none is named."""
    await moderating(call)
    found, me = await borders.open_proposal(call.tx, args.id), await call.me()
    if found.severity == "lift":
        row = await domains.standing(call, found.block_id or 0)
        mandate = await moderation.mandate(call.tx, me, await moderation.same_ground(call.tx, row))
        await borders.let_go(call.tx, me, mandate, found, args.text)
        return domains.entity(row)
    severity = args.severity or found.severity
    media = found.reject_media if args.reject_media is None else args.reject_media
    reports = found.reject_reports if args.reject_reports is None else args.reject_reports
    level = domains.level_of(severity, media or reports, args.permanent)
    ground = await moderation.domain_ground(call.tx, found.domain, args.article_ids, args.status_ids)
    draft = DomainDraft(
        domain=found.domain, severity=severity, level=level, reject_media=media, reject_reports=reports,
        facts=args.text, status_ids=tuple(args.status_ids), block_id=found.block_id, review_at=args.review_at,
        ends_at=await domains.until(call, level, args.ends_at, args.duration),
    )
    made = await borders.adopt(call.tx, me, await moderation.mandate(call.tx, me, ground), found, draft)
    return domains.entity(await domains.standing(call, found.block_id or made))


@post("/api/v1/admin/domain_proposals/{id}/dismiss", "admin:write:domain_blocks")
async def dismiss(call: Call, args: Dismissed) -> dict[str, Any]:
    """Lay a proposal aside, with the reason; it comes again only when its list says something else."""
    await moderating(call)
    found = await borders.open_proposal(call.tx, args.id)
    await borders.lay_aside(call.tx, await call.me(), found, args.text)
    return _proposal(found)
