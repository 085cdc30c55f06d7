"""Accounts as moderators see them: files, who waits to be let in, and measures that end early."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from parvis.access import actions as access
from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.api import entities
from parvis.api.call import Call, Paged, delete, get, post
from parvis.base.clock import mastodon_time
from parvis.base.errors import Forbidden, NotFound, Refused
from parvis.moderation import actions as moderation
from parvis.moderation import queries
from parvis.moderation.model import Level
from parvis.search import queries as finding
from parvis.search.model import File, FileFilter
from parvis.views import account as people

Status = Literal["active", "pending", "disabled", "silenced", "suspended", "sensitized"]
EARLY = "Lifted before its end by a moderator."


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One of them."""

    id: int


class Lifting(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that shall end early, and why."""

    id: int
    text: str = ""


class Wanted(Paged, frozen=True, kw_only=True):
    """Which accounts: as Mastodon's second version asks."""

    origin: Literal["local", "remote"] | None = None
    status: Status | None = None
    permissions: str | None = None
    role_ids: list[str] | None = None
    invited_by: int | None = None
    username: str = ""
    display_name: str = ""
    by_domain: str = ""
    email: str = ""
    ip: str | None = None


class WantedV1(Paged, frozen=True, kw_only=True):
    """Which accounts: as the first version asks, with a switch for each state."""

    local: bool = False
    remote: bool = False
    active: bool = False
    pending: bool = False
    disabled: bool = False
    silenced: bool = False
    suspended: bool = False
    sensitized: bool = False
    username: str = ""
    display_name: str = ""
    by_domain: str = ""
    email: str = ""
    ip: str | None = None
    staff: bool = False


async def moderating(call: Call) -> None:
    """Reports and people's files are for moderators' eyes."""
    if not await queries.is_moderator(call.read, call.me_id):
        raise Forbidden("not_a_moderator")


class Row(Protocol):
    """A row that is listed by its id."""

    @property
    def id(self) -> int:
        """Its id."""


R = TypeVar("R", bound=Row)


def newest_first(call: Call, rows: Sequence[R]) -> list[R]:
    """A page of what moderators have set, with its Link header."""
    call.link([row.id for row in rows])
    return sorted(rows, key=lambda row: -row.id)


def _entity(row: File, shown: bytes) -> dict[str, Any]:
    """A file. Addresses of machines are never kept, so none is told."""
    return {
        "id": str(row.id), "username": row.username, "domain": row.domain, "created_at": mastodon_time(row.created_at),
        "email": row.email or "", "ip": None, "ips": [], "locale": row.locale or "", "invite_request": row.reason,
        "role": entities.ROLES[row.role or "resident"], "confirmed": row.confirmed, "approved": row.approved,
        "disabled": row.disabled, "sensitized": row.sensitized, "silenced": row.silenced, "suspended": row.suspended,
        "account": msgspec.Raw(shown),
        **({} if row.application_id is None else {"created_by_application_id": str(row.application_id)}),
        **({} if row.invited_by_id is None else {"invited_by_account_id": str(row.invited_by_id)}),
    }


async def _shown(call: Call, rows: list[File]) -> dict[int, dict[str, Any]]:
    found = await people.accounts(call.read, call.eye(), [row.id for row in rows])
    return {row.id: _entity(row, found[row.id]) for row in rows if row.id in found}


async def files(call: Call, account_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The files of some accounts, by id."""
    return await _shown(call, await finding.files(call.read, sorted(set(account_ids))))


async def _present(call: Call, account_id: int) -> Account:
    """Somebody who has not left; who waits to be let in is among them."""
    found = await accounts.by_id(call.read, account_id)
    if found is None or found.deleted_at:
        raise NotFound("account")
    return found


async def file(call: Call, account_id: int) -> dict[str, Any]:
    """The file of an account that has not left."""
    await _present(call, account_id)
    found = await files(call, [account_id])
    if account_id not in found:
        raise NotFound("account")
    return found[account_id]


@get("/api/v1/admin/accounts/{id}", "admin:read:accounts")
async def account(call: Call, args: One) -> dict[str, Any]:
    """Somebody's file."""
    await moderating(call)
    return await file(call, args.id)


async def _listed(call: Call, args: Paged, wanted: FileFilter | None) -> list[dict[str, Any]]:
    await moderating(call)
    if wanted is None:
        return []
    rows = await finding.file_page(call.read, args.page(100), wanted)
    rows.sort(key=lambda row: -row.id)
    call.link([row.id for row in rows])
    return list((await _shown(call, rows)).values())


@get("/api/v2/admin/accounts", "admin:read:accounts")
async def several(call: Call, args: Wanted) -> list[dict[str, Any]]:
    """Accounts, the newest first. Addresses of machines are not kept: nobody is found by one."""
    roles = ["moderator"] if args.permissions == "staff" else None
    if args.role_ids is not None:
        named = [name for name, role in entities.ROLES.items() if role["id"] in args.role_ids]
        roles = [name for name in named if roles is None or name in roles]
    return await _listed(call, args, None if args.ip is not None else FileFilter(
        local=None if args.origin is None else args.origin == "local", status=args.status, roles=roles,
        username=args.username, display_name=args.display_name, domain=args.by_domain.lower(), email=args.email,
        invited_by=args.invited_by,
    ))


@get("/api/v1/admin/accounts", "admin:read:accounts")
async def several_v1(call: Call, args: WantedV1) -> list[dict[str, Any]]:
    """The same, as older clients ask for it; of several states the last one named here counts."""
    states: tuple[Status, ...] = ("active", "pending", "disabled", "silenced", "suspended", "sensitized")
    chosen = [state for state in states if getattr(args, state)]
    return await _listed(call, args, None if args.ip is not None else FileFilter(
        local=args.local if args.local != args.remote else None, status=chosen[-1] if chosen else None,
        roles=["moderator"] if args.staff else None, username=args.username, display_name=args.display_name,
        domain=args.by_domain.lower(), email=args.email,
    ))


async def _pending(call: Call, account_id: int) -> dict[str, Any]:
    await moderating(call)
    found = await file(call, account_id)
    if found["approved"]:
        raise Forbidden("not_pending")
    return found


@post("/api/v1/admin/accounts/{id}/approve", "admin:write:accounts")
async def approve(call: Call, args: One) -> dict[str, Any]:
    """Let somebody in who waits."""
    await _pending(call, args.id)
    await access.approve(call.tx, args.id)
    return await file(call, args.id)


@post("/api/v1/admin/accounts/{id}/reject", "admin:write:accounts")
async def reject(call: Call, args: One) -> dict[str, Any]:
    """Refuse somebody who waits; nothing of theirs is kept but the name."""
    found = await _pending(call, args.id)
    await access.reject(call.tx, await _present(call, args.id))
    return found


@delete("/api/v1/admin/accounts/{id}", "admin:write:accounts")
async def remove(call: Call, args: One) -> dict[str, Any]:
    """Delete an account that is suspended by a decision which nobody can appeal any more; 422 before."""
    await moderating(call)
    found, me = await file(call, args.id), await call.me()
    decisions = await queries.in_force(call.tx, args.id, (Level.suspension, Level.exclusion))
    if not decisions:
        raise Refused("not_suspended")
    mandate = await moderation.mandate(call.tx, me, await moderation.ground_of(call.tx, decisions[0]))
    await moderation.remove_account(call.tx, me, mandate, await _present(call, args.id))
    return found


async def _lift(call: Call, args: Lifting, *levels: Level) -> dict[str, Any]:
    """End what is in force of these levels: each is a decision on the ground of the one that it ends."""
    await moderating(call)
    await _present(call, args.id)
    me = await call.me()
    for decision_id in await queries.in_force(call.tx, args.id, levels):
        mandate = await moderation.mandate(call.tx, me, await moderation.ground_of(call.tx, decision_id))
        await moderation.lift_early(call.tx, me, mandate, decision_id, args.text or EARLY)
    return await file(call, args.id)


@post("/api/v1/admin/accounts/{id}/enable", "admin:write:accounts")
async def enable(call: Call, args: Lifting) -> dict[str, Any]:
    """End a freeze of somebody's posting; like every decision it works once the public record has it."""
    return await _lift(call, args, Level.posting_freeze)


@post("/api/v1/admin/accounts/{id}/unsilence", "admin:write:accounts")
async def unsilence(call: Call, args: Lifting) -> dict[str, Any]:
    """Let somebody be seen by everybody again."""
    return await _lift(call, args, Level.reduced_visibility)


@post("/api/v1/admin/accounts/{id}/unsuspend", "admin:write:accounts")
async def unsuspend(call: Call, args: Lifting) -> dict[str, Any]:
    """Let somebody come back; whom they follow, and who follows them, is as it was."""
    return await _lift(call, args, Level.suspension, Level.exclusion)


@post("/api/v1/admin/accounts/{id}/unsensitive", "admin:write:accounts")
async def unsensitive(call: Call, args: Lifting) -> dict[str, Any]:
    """Take the labels off somebody's posts, but those they put on themselves."""
    return await _lift(call, args, Level.label)
