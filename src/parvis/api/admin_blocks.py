"""Technical protections of the doors: machines' addresses, e-mail providers, single e-mail addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any, Literal

import msgspec

from parvis.access import actions as access
from parvis.access import policy, queries
from parvis.access.model import EmailBlock, EmailDomainBlock, IpBlock, IpBlockDraft
from parvis.api.admin_accounts import One, moderating, newest_first
from parvis.api.call import Call, Paged, delete, get, post, put
from parvis.base.clock import mastodon_time
from parvis.base.errors import Invalid, NotFound
from parvis.text import mentions as words

SeverityOfIp = Literal["sign_up_requires_approval", "sign_up_block", "no_access"]


class NewIpBlock(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses that shall be kept out, and why."""

    ip: str
    severity: SeverityOfIp
    comment: str = ""
    expires_in: int | None = None


class ChangedIpBlock(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be otherwise; what is not said stays, and without expires_in it stays for good."""

    id: int
    ip: str | None = None
    severity: SeverityOfIp | None = None
    comment: str | None = None
    expires_in: int | None = None


class NewEmailDomain(msgspec.Struct, frozen=True, kw_only=True):
    """A provider whose addresses shall not be taken, and why."""

    domain: str
    comment: str = ""


class NewEmail(msgspec.Struct, frozen=True, kw_only=True):
    """An address that shall not be taken, or its hash, and why."""

    email: str | None = None
    canonical_email_hash: str | None = None
    comment: str = ""


class Email(msgspec.Struct, frozen=True, kw_only=True):
    """An address."""

    email: str


def _ip(row: IpBlock) -> dict[str, Any]:
    return {
        "id": str(row.id), "ip": row.ip, "severity": row.severity, "comment": row.comment,
        "created_at": mastodon_time(row.created_at),
        "expires_at": mastodon_time(row.expires_at) if row.expires_at else None,
    }


async def _ip_block(call: Call, block_id: int) -> IpBlock:
    found = await queries.ip_block(call.read, block_id)
    if found is None:
        raise NotFound("ip_block")
    return found


@get("/api/v1/admin/ip_blocks", "admin:read:ip_blocks")
async def ip_blocks(call: Call, args: Paged) -> list[dict[str, Any]]:
    """Addresses that may not come in, or not without a moderator."""
    await moderating(call)
    rows = newest_first(call, await queries.ip_blocks(call.read, args.page(100)))
    return [_ip(row) for row in rows]


@get("/api/v1/admin/ip_blocks/{id}", "admin:read:ip_blocks")
async def ip_block(call: Call, args: One) -> dict[str, Any]:
    """One of them."""
    await moderating(call)
    return _ip(await _ip_block(call, args.id))


@post("/api/v1/admin/ip_blocks", "admin:write:ip_blocks")
async def block_ip(call: Call, args: NewIpBlock) -> dict[str, Any]:
    """Keep addresses out of sign-up, or of signing in as well, for a time or for good."""
    await moderating(call)
    draft = IpBlockDraft(ip=args.ip, severity=args.severity, comment=args.comment, expires_in=args.expires_in)
    return _ip(await _ip_block(call, await access.block_ip(call.tx, await call.me(), draft)))


@put("/api/v1/admin/ip_blocks/{id}", "admin:write:ip_blocks")
async def change_ip(call: Call, args: ChangedIpBlock) -> dict[str, Any]:
    """Change such a block."""
    await moderating(call)
    row = await _ip_block(call, args.id)
    draft = IpBlockDraft(
        ip=args.ip or row.ip, severity=args.severity or row.severity,
        comment=row.comment if args.comment is None else args.comment, expires_in=args.expires_in,
    )
    return _ip(await _ip_block(call, await access.block_ip(call.tx, await call.me(), draft, row.id)))


@delete("/api/v1/admin/ip_blocks/{id}", "admin:write:ip_blocks")
async def unblock_ip(call: Call, args: One) -> dict[str, Any]:
    """Take such a block back."""
    await moderating(call)
    row = await _ip_block(call, args.id)
    await queries.drop_ip_block(call.tx, row.id)
    return _ip(row)


async def _providers(call: Call, rows: Sequence[EmailDomainBlock]) -> list[dict[str, Any]]:
    """With how many sign-ups each refused, day by day; who tried is not kept, so tries stand for people as well."""
    days: dict[int, list[dict[str, str]]] = {row.id: [] for row in rows}
    for tried in await queries.tried(call.read, list(days)):
        day = int(datetime.combine(tried.day, time(), UTC).timestamp())
        days[tried.block_id].append({"day": str(day), "accounts": str(tried.tries), "uses": str(tried.tries)})
    return [
        {
            "id": str(row.id), "domain": row.domain, "created_at": mastodon_time(row.created_at),
            "history": days[row.id], "comment": row.comment,
        }
        for row in rows
    ]


@get("/api/v1/admin/email_domain_blocks", "admin:read:email_domain_blocks")
async def email_domains(call: Call, args: Paged) -> list[dict[str, Any]]:
    """E-mail providers whose addresses are not taken at sign-up."""
    await moderating(call)
    rows = newest_first(call, await queries.email_domain_blocks(call.read, args.page(100)))
    return await _providers(call, rows)


async def _provider(call: Call, block_id: int) -> dict[str, Any]:
    found = await queries.email_domain_block(call.read, block_id)
    if found is None:
        raise NotFound("email_domain_block")
    return (await _providers(call, [found]))[0]


@get("/api/v1/admin/email_domain_blocks/{id}", "admin:read:email_domain_blocks")
async def email_domain(call: Call, args: One) -> dict[str, Any]:
    """One of them."""
    await moderating(call)
    return await _provider(call, args.id)


@post("/api/v1/admin/email_domain_blocks", "admin:write:email_domain_blocks")
async def block_email_domain(call: Call, args: NewEmailDomain) -> dict[str, Any]:
    """Take a provider's addresses at sign-up no more. Who is here stays."""
    await moderating(call)
    domain = words.normal_domain(args.domain.strip().removeprefix("@"))
    if domain is None or ":" in domain:
        raise Invalid("domain", "not_a_domain")
    return await _provider(call, await access.block_email_domain(call.tx, await call.me(), domain, args.comment))


@delete("/api/v1/admin/email_domain_blocks/{id}", "admin:write:email_domain_blocks")
async def unblock_email_domain(call: Call, args: One) -> dict[str, Any]:
    """Take them again."""
    await moderating(call)
    found = await _provider(call, args.id)
    await queries.drop_email_domain_block(call.tx, args.id)
    return found


def _email(row: EmailBlock) -> dict[str, Any]:
    return {"id": str(row.id), "canonical_email_hash": row.canonical_email_hash}


@get("/api/v1/admin/canonical_email_blocks", "admin:read:canonical_email_blocks")
async def emails(call: Call, args: Paged) -> list[dict[str, Any]]:
    """E-mail addresses that are not taken, as hashes: the addresses themselves are not kept."""
    await moderating(call)
    rows = newest_first(call, await queries.email_blocks(call.read, args.page(100)))
    return [_email(row) for row in rows]


async def _email_block(call: Call, block_id: int) -> dict[str, Any]:
    found = await queries.email_block(call.read, block_id)
    if found is None:
        raise NotFound("canonical_email_block")
    return _email(found)


@get("/api/v1/admin/canonical_email_blocks/{id}", "admin:read:canonical_email_blocks")
async def one_email(call: Call, args: One) -> dict[str, Any]:
    """One of them."""
    await moderating(call)
    return await _email_block(call, args.id)


@post("/api/v1/admin/canonical_email_blocks/test", "admin:read:canonical_email_blocks", tx="read")
async def tested(call: Call, args: Email) -> list[dict[str, Any]]:
    """Is this address among them, however it is written?"""
    await moderating(call)
    return [_email(row) for row in await queries.email_blocks_of(call.read, policy.canonical_hash(args.email))]


@post("/api/v1/admin/canonical_email_blocks", "admin:write:canonical_email_blocks")
async def block_email(call: Call, args: NewEmail) -> dict[str, Any]:
    """Take an address at sign-up no more, however it is written."""
    await moderating(call)
    hashed = policy.canonical_hash(policy.email(args.email)) if args.email else args.canonical_email_hash or ""
    if not policy.HASH.fullmatch(hashed):
        raise Invalid("canonical_email_hash", "invalid")
    return await _email_block(call, await access.block_email(call.tx, await call.me(), hashed, args.comment))


@delete("/api/v1/admin/canonical_email_blocks/{id}", "admin:write:canonical_email_blocks")
async def unblock_email(call: Call, args: One) -> dict[str, Any]:
    """Take it again."""
    await moderating(call)
    found = await _email_block(call, args.id)
    await queries.drop_email_block(call.tx, args.id)
    return found
