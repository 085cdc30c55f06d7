"""Confirming an e-mail address from an app."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.access import actions as access
from parvis.access import queries as users
from parvis.api.call import Call, Nothing, get, post
from parvis.api.limits import Limit
from parvis.base.errors import NotFound

LETTERS = Limit("confirmations", 5, 1800)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where the letter goes; None: where it went before."""

    email: str | None = None


@post("/api/v1/emails/confirmations", "write:accounts", limit=LETTERS)
async def confirmations(call: Call, args: Address) -> dict[str, Any]:
    """Send the letter that asks to confirm the address again, to another one if it was mistyped.

    Only the app with which somebody settled here may, and only until the address is confirmed.
    """
    app = call.bearer.application_id if call.bearer else None
    await access.write_again(call.tx, call.me_id, app, args.email)
    return {}


@get("/api/v1/emails/check_confirmation", "read:accounts")
async def check_confirmation(call: Call, _: Nothing) -> bool:
    """Is the address confirmed?"""
    user = await users.user(call.read, call.me_id)
    if user is None:
        raise NotFound("account")
    return user.confirmed_at is not None
