"""What somebody says about themselves."""

from __future__ import annotations

from typing import Any

from parvis.accounts import actions as accounts
from parvis.accounts import queries
from parvis.accounts.model import ProfileEdit
from parvis.api import accounts as people
from parvis.api import entities
from parvis.api.accounts import ChangedPerson
from parvis.api.call import Call, Nothing, delete, get, patch, put
from parvis.base.errors import Forbidden, NotFound


async def _mine(call: Call) -> dict[str, Any]:
    more = await queries.shown(call.read, [call.me_id])
    if not more:
        raise NotFound("account")
    return entities.profile(entities.decoded(await people.shown(call, call.me_id)), more[0])


@get("/api/v1/profile", who="user")
async def profile(call: Call, _: Nothing) -> dict[str, Any]:
    """What one says about oneself, as one typed it; with the scope `profile` or `read:accounts`."""
    if not (call.may("profile") or call.may("read:accounts")):
        raise Forbidden("scope")
    return await _mine(call)


async def _change(call: Call, args: ChangedPerson) -> dict[str, Any]:
    files = await people.pictures(call, args)
    async with call.opening("write"):
        await accounts.edit_profile(call.tx, await call.me(), people.edit(call, args, files))
        return await _mine(call)


@patch("/api/v1/profile", "write:accounts", tx="none")
async def update_profile(call: Call, args: ChangedPerson) -> dict[str, Any]:
    """Change what one says about oneself; pictures are made ready before the transaction."""
    return await _change(call, args)


@put("/api/v1/profile", "write:accounts", tx="none")
async def put_profile(call: Call, args: ChangedPerson) -> dict[str, Any]:
    """The same, as some apps send it."""
    return await _change(call, args)


async def _changed(call: Call, edit: ProfileEdit) -> dict[str, Any]:
    await accounts.edit_profile(call.tx, await call.me(), edit)
    return await people.credentials(call)


@delete("/api/v1/profile/avatar", "write:accounts")
async def drop_avatar(call: Call, _: Nothing) -> dict[str, Any]:
    """Show no picture of oneself any more."""
    return await _changed(call, ProfileEdit(avatar_file=None))


@delete("/api/v1/profile/header", "write:accounts")
async def drop_header(call: Call, _: Nothing) -> dict[str, Any]:
    """Show no banner any more."""
    return await _changed(call, ProfileEdit(header_file=None))
