"""Servers that are kept out, by decisions that cite an article, and servers that are welcome."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec

from parvis.api.admin_accounts import One, moderating, newest_first
from parvis.api.call import Call, Nothing, Paged, delete, get, post, put
from parvis.base.clock import mastodon_time
from parvis.base.errors import Invalid, NotFound
from parvis.ledger.model import Ground
from parvis.moderation import actions as moderation
from parvis.moderation import queries
from parvis.moderation.model import DomainComments, DomainDraft, Level
from parvis.peers import policy
from parvis.peers import queries as peers
from parvis.peers.model import Allow, DomainBlock, Severity
from parvis.text import mentions as words

MOST = 1000
LIFTED = "Lifted by a moderator."


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision about a server stands on, until when it holds, and when it is looked at again."""

    text: str = ""
    article_ids: list[int] = []
    ends_at: datetime | None = None
    review_at: datetime | None = None
    duration: int | None = None
    permanent: bool = False


class NewBlock(Grounds, frozen=True, kw_only=True):
    """A server that shall be kept out or limited: on which article, and why."""

    domain: str
    severity: Severity = "silence"
    reject_media: bool = False
    reject_reports: bool = False
    private_comment: str | None = None
    public_comment: str | None = None
    obfuscate: bool | None = None
    status_ids: list[int] = []


class ChangedBlock(Grounds, frozen=True, kw_only=True):
    """What shall be otherwise about a block; what is not said stays."""

    id: int
    severity: Severity | None = None
    reject_media: bool | None = None
    reject_reports: bool | None = None
    private_comment: str | None = None
    public_comment: str | None = None
    obfuscate: bool | None = None


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A block that shall end, and why."""

    id: int
    text: str = ""


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """One domain."""

    domain: str


def named(call: Call, text: str) -> str:
    """A domain of another server in its normal form."""
    name = words.normal_domain(text.strip())
    if name is None or name == call.settings.domain:
        raise Invalid("domain", "not_a_domain")
    return name


def digest(domain: str) -> str:
    """By what a list may name a domain without telling it."""
    return hashlib.sha256(domain.encode()).hexdigest()


def entity(row: DomainBlock) -> dict[str, Any]:
    """A block, in Mastodon's words and with its ground."""
    return {
        "id": str(row.id), "domain": row.domain, "digest": digest(row.domain),
        "created_at": mastodon_time(row.decided_at), "severity": row.severity, "reject_media": row.reject_media,
        "reject_reports": row.reject_reports, "private_comment": row.private_comment,
        "public_comment": row.public_comment, "obfuscate": row.obfuscate, "decision_id": str(row.decision_id),
        "measure": Level(row.level).name, "facts": row.facts,
        "article_version_id": None if row.article_version_id is None else str(row.article_version_id),
        "ends_at": mastodon_time(row.ends_at) if row.ends_at else None, "review_at": mastodon_time(row.review_at),
        "in_effect_since": mastodon_time(row.in_effect_since) if row.in_effect_since else None,
    }


async def standing(call: Call, block_id: int) -> DomainBlock:
    """A block that is in force or waits to be. NotFound when it is over."""
    found = await peers.block(call.read, block_id)
    if found is None:
        raise NotFound("domain_block")
    return found


@get("/api/v1/admin/domain_blocks", "admin:read:domain_blocks")
async def blocks(call: Call, args: Paged) -> list[dict[str, Any]]:
    """Servers that are kept out or limited, or will be once the record and a second moderator say so."""
    await moderating(call)
    rows = newest_first(call, await peers.blocks(call.read, args.page(100)))
    return [entity(row) for row in rows]


@get("/api/v1/admin/domain_blocks/{id}", "admin:read:domain_blocks")
async def block(call: Call, args: One) -> dict[str, Any]:
    """One of them."""
    await moderating(call)
    return entity(await standing(call, args.id))


def level_of(severity: Severity, files_or_reports: bool, permanent: bool) -> Level:
    """How severe a block is on the charter's ladder."""
    if severity == "suspend":
        return Level.exclusion if permanent else Level.suspension
    return Level.reduced_visibility if severity == "silence" or files_or_reports else Level.warning


async def until(call: Call, level: Level, ends_at: datetime | None, duration: int | None) -> datetime | None:
    """When a block ends: as given, else after the longest time the charter allows."""
    longest = await queries.longest_end(call.tx, int(level))
    if duration is not None and not 0 < duration <= 366 * 86400:
        raise Invalid("duration", "invalid")
    if longest is None or ends_at is not None:
        return ends_at
    return longest if duration is None else call.tx.now + timedelta(seconds=duration)


async def _decide(call: Call, ground: Ground, draft: DomainDraft, said: DomainComments) -> dict[str, Any]:
    me = await call.me()
    mandate = await moderation.mandate(call.tx, me, ground)
    made = await moderation.decide_domain(call.tx, me, mandate, draft)
    block_id = draft.block_id or made
    await moderation.comment(call.tx, block_id, said)
    return entity(await standing(call, block_id))


@post("/api/v1/admin/domain_blocks", "admin:write:domain_blocks")
async def add(call: Call, args: NewBlock) -> dict[str, Any]:
    """Decide that a server is kept out or limited; 422 with the articles in force when none is named."""
    await moderating(call)
    domain = named(call, args.domain)
    if await peers.block_of(call.tx, domain):
        raise Invalid("domain", "ERR_TAKEN")
    ground = await moderation.domain_ground(call.tx, domain, args.article_ids, args.status_ids)
    level = level_of(args.severity, args.reject_media or args.reject_reports, args.permanent)
    draft = DomainDraft(
        domain=domain, severity=args.severity, level=level, reject_media=args.reject_media,
        reject_reports=args.reject_reports, facts=args.text or args.public_comment or "",
        status_ids=tuple(args.status_ids), ends_at=await until(call, level, args.ends_at, args.duration),
        review_at=args.review_at,
    )
    said = DomainComments(
        private_comment=args.private_comment, public_comment=args.public_comment, obfuscate=args.obfuscate
    )
    return await _decide(call, ground, draft, said)


@put("/api/v1/admin/domain_blocks/{id}", "admin:write:domain_blocks")
async def change(call: Call, args: ChangedBlock) -> dict[str, Any]:
    """Say other things of a block; or decide anew how severe it is, on the same article or another."""
    await moderating(call)
    row = await standing(call, args.id)
    said = DomainComments(
        private_comment=args.private_comment, public_comment=args.public_comment, obfuscate=args.obfuscate
    )
    severity = args.severity or row.severity
    media = row.reject_media if args.reject_media is None else args.reject_media
    reports = row.reject_reports if args.reject_reports is None else args.reject_reports
    level = level_of(severity, media or reports, args.permanent or row.level == Level.exclusion)
    kept = (severity, media, reports, level) == (row.severity, row.reject_media, row.reject_reports, row.level)
    if kept and args.ends_at is None and args.duration is None and args.review_at is None and not args.article_ids:
        await moderation.comment(call.tx, row.id, said)
        return entity(await standing(call, row.id))
    if args.article_ids:
        ground: Ground = await moderation.domain_ground(call.tx, row.domain, args.article_ids)
    else:
        ground = await moderation.same_ground(call.tx, row)
    return await _decide(call, ground, DomainDraft(
        domain=row.domain, severity=severity, level=level, reject_media=media, reject_reports=reports,
        facts=args.text or row.facts, block_id=row.id, ends_at=await until(call, level, args.ends_at, args.duration),
        review_at=args.review_at,
    ), said)


@post("/api/v1/admin/domain_blocks/{id}/confirm", "admin:write:domain_blocks")
async def confirm(call: Call, args: One) -> dict[str, Any]:
    """A second moderator agrees that a server is kept out; it is not before."""
    await moderating(call)
    row = await standing(call, args.id)
    await moderation.confirm_domain(call.tx, await call.me(), row.decision_id)
    return entity(row)


@delete("/api/v1/admin/domain_blocks/{id}", "admin:write:domain_blocks")
async def end(call: Call, args: Ended) -> dict[str, Any]:
    """Decide that a block ends; everything between the servers is as it was, once the record has it."""
    await moderating(call)
    row, me = await standing(call, args.id), await call.me()
    mandate = await moderation.mandate(call.tx, me, await moderation.same_ground(call.tx, row))
    await moderation.lift_domain(call.tx, me, mandate, row.id, args.text or LIFTED)
    return entity(row)


@get("/api/v1/instance/domain_blocks")
async def public_blocks(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """The servers that are kept out or limited at this moment, and when that is looked at again, for everybody."""
    return [
        {
            "domain": policy.obscured(row.domain) if row.obfuscate else row.domain, "digest": digest(row.domain),
            "severity": row.severity, "comment": row.comment or "", "review_at": mastodon_time(row.review_at),
            "review_due": row.review_at <= call.now,
        }
        for row in await peers.kept_out(call.read, MOST)
    ]


def _allow(row: Allow) -> dict[str, Any]:
    return {"id": str(row.id), "domain": row.domain, "created_at": mastodon_time(row.created_at)}


@get("/api/v1/admin/domain_allows", "admin:read:domain_allows")
async def allows(call: Call, args: Paged) -> list[dict[str, Any]]:
    """Servers that are welcome: the only ones that a city with an allow list speaks with."""
    await moderating(call)
    rows = newest_first(call, await peers.allows(call.read, args.page(100)))
    return [_allow(row) for row in rows]


@get("/api/v1/admin/domain_allows/{id}", "admin:read:domain_allows")
async def one_allow(call: Call, args: One) -> dict[str, Any]:
    """One of them."""
    await moderating(call)
    found = await peers.allow_by_id(call.read, args.id)
    if found is None:
        raise NotFound("domain_allow")
    return _allow(found)


@post("/api/v1/admin/domain_allows", "admin:write:domain_allows")
async def allow(call: Call, args: Domain) -> dict[str, Any]:
    """Say that a server is welcome. Doing it twice is the same as once."""
    await moderating(call)
    domain = named(call, args.domain)
    await peers.allow(call.tx, domain, call.me_id)
    found = await peers.allowed(call.tx, domain)
    if found is None:
        raise NotFound("domain_allow")
    return _allow(found)


@delete("/api/v1/admin/domain_allows/{id}", "admin:write:domain_allows")
async def disallow(call: Call, args: One) -> dict[str, Any]:
    """Say so no more."""
    await moderating(call)
    found = await peers.allow_by_id(call.tx, args.id)
    if found is None:
        raise NotFound("domain_allow")
    await peers.disallow(call.tx, found.id)
    return _allow(found)
