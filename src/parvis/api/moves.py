"""Other accounts that are one's own, too, and moving to one of them."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.access import actions as access
from parvis.access import queries as users
from parvis.accounts import queries
from parvis.accounts.model import Account
from parvis.api import accounts as people
from parvis.api import limits
from parvis.api.call import Call, Nothing, delete, get, post
from parvis.api.limits import Limit
from parvis.base.errors import Invalid, NotFound, Unauthenticated
from parvis.federation import fetch
from parvis.portability import actions
from parvis.views import account as view

ALIASES = Limit("aliases", 60, 3600)


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An account by its handle or its address."""

    acct: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The password, typed once more: whoever finds an app open must not take somebody's followers along."""

    current_password: str


class Destination(Proof, frozen=True, kw_only=True):
    """Where one moves to: a handle or an address."""

    acct: str


async def _found(call: Call, acct: str) -> Account:
    """Whom a handle or an address names, wherever they live."""
    text = acct.strip().removeprefix("@")
    found = await fetch.resolve(call.job, text if "@" in text or "/" in text else f"{text}@{call.settings.domain}")
    if not isinstance(found, Account):
        raise Invalid("acct", "not_found")
    return found


async def _prove(call: Call, password: str) -> None:
    call.count(limits.PASSWORD)
    async with call.opening("read"):
        user = await users.user(call.read, call.me_id)
    try:
        await access.proved(user, password, access.hasher(call.settings))
    except Unauthenticated as error:
        raise Invalid("current_password", "ERR_PASSWORD") from error


async def _aliases(call: Call) -> list[dict[str, Any]]:
    rows = await queries.shown(call.read, [call.me_id])
    if not rows:
        raise NotFound("account")
    known = {one.uri: one.id for one in await queries.by_uris(call.read, rows[0].also_known_as)}
    cards = await view.accounts(call.read, call.eye(), list(known.values()))
    shown = {uri: msgspec.Raw(cards[number]) for uri, number in known.items() if number in cards}
    return [{"uri": uri, "account": shown.get(uri)} for uri in rows[0].also_known_as]


@get("/api/v1/profile/aliases", "read:accounts")
async def aliases(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """Which other accounts one names as one's own: only from those can one move here."""
    return await _aliases(call)


@post("/api/v1/profile/aliases", "write:accounts", tx="none", limit=ALIASES)
async def claim(call: Call, args: Named) -> list[dict[str, Any]]:
    """Name another account, here or elsewhere, as one's own, too. All servers are told."""
    other = await _found(call, args.acct)
    async with call.opening("write"):
        await actions.claim(call.tx, await call.me(), other.uri)
        return await _aliases(call)


@delete("/api/v1/profile/aliases", "write:accounts")
async def disclaim(call: Call, args: Named) -> list[dict[str, Any]]:
    """Name it no more; by its address where its handle is not known any more."""
    text = args.acct.strip().removeprefix("@")
    other = await actions.known(call.tx, text, call.settings.domain)
    await actions.disclaim(call.tx, await call.me(), other.uri if other else text)
    return await _aliases(call)


@post("/api/v1/profile/move", "write:accounts", tx="none")
async def move(call: Call, args: Destination) -> dict[str, Any]:
    """Move to another account that names this one as its own; followers are told, and follow that one, too.

    Once in 30 days. With this account nothing is posted, passed on or followed meanwhile.
    """
    await _prove(call, args.current_password)
    found = await _found(call, args.acct)
    target = await fetch.actor(call.job, found.uri, fresh=True)
    async with call.opening("write"):
        await actions.move(call.tx, await call.me(), target)
        return await people.credentials(call)


@delete("/api/v1/profile/move", "write:accounts", tx="none")
async def stay(call: Call, args: Proof) -> dict[str, Any]:
    """Take a move back: be here again. Those who follow the other account meanwhile go on doing so."""
    await _prove(call, args.current_password)
    async with call.opening("write"):
        await actions.stay(call.tx, await call.me())
        return await people.credentials(call)
