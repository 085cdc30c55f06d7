"""Whom people recommend on their profiles."""

from __future__ import annotations

from typing import Any

from parvis.accounts import actions as accounts
from parvis.api.accounts import ListOfOne, One, between, people_of
from parvis.api.call import Call, Paged, get, post


@get("/api/v1/endorsements", "read:accounts")
async def mine(call: Call, args: Paged) -> bytes:
    """Whom one recommends."""
    return await people_of(call, "endorsed", call.me_id, args)


@get("/api/v1/accounts/{id}/endorsements", "read:accounts", who="anyone")
async def endorsements(call: Call, args: ListOfOne) -> bytes:
    """Whom somebody recommends."""
    return await people_of(call, "endorsed", args.id, args)


@post("/api/v1/accounts/{id}/endorse", "write:accounts")
async def endorse(call: Call, args: One) -> dict[str, Any]:
    """Recommend somebody one follows."""
    return await between(call, args.id, accounts.endorse)


@post("/api/v1/accounts/{id}/unendorse", "write:accounts")
async def unendorse(call: Call, args: One) -> dict[str, Any]:
    """Recommend somebody no more."""
    return await between(call, args.id, accounts.unendorse)


@post("/api/v1/accounts/{id}/pin", "write:accounts", deprecated=1749513600)
async def pin(call: Call, args: One) -> dict[str, Any]:
    """The same as endorse, under its older name."""
    return await between(call, args.id, accounts.endorse)


@post("/api/v1/accounts/{id}/unpin", "write:accounts", deprecated=1749513600)
async def unpin(call: Call, args: One) -> dict[str, Any]:
    """The same as unendorse, under its older name."""
    return await between(call, args.id, accounts.unendorse)


@get("/api/v1/accounts/{id}/identity_proofs", "read:accounts", deprecated=1648598400)
async def identity_proofs(call: Call, args: One) -> list[dict[str, Any]]:
    """None: links that are verified took their place."""
    await accounts.account(call.read, args.id)
    return []
