"""Domains one wants nothing to do with."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.accounts import actions as accounts
from parvis.api.call import Call, Paged, delete, get, post
from parvis.base.errors import Invalid
from parvis.text import mentions as words
from parvis.views import queries as views


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """One domain."""

    domain: str


def _named(call: Call, text: str) -> str:
    """A domain in its normal form; one's own city cannot be blocked."""
    name = words.normal_domain(text.strip())
    if name is None or name == call.settings.domain:
        raise Invalid("domain", "not_a_domain")
    return name


@get("/api/v1/domain_blocks", "read:blocks")
async def several(call: Call, args: Paged) -> list[str]:
    """The domains one blocks."""
    rows = await views.domain_blocks(call.read, call.me_id, args.page(100))
    call.link([row.row_id for row in rows])
    return [row.domain for row in rows]


@get("/api/v1/domain_blocks/preview", "write:blocks")
async def preview(call: Call, args: Domain) -> dict[str, Any]:
    """How many follows a block would end."""
    found = await views.severed(call.read, call.me_id, _named(call, args.domain))
    return {"following_count": found.following, "followers_count": found.followers}


@post("/api/v1/domain_blocks", "write:blocks")
async def block(call: Call, args: Domain) -> dict[str, Any]:
    """Have nothing to do with anybody of a domain."""
    await accounts.block_domain(call.tx, await call.me(), _named(call, args.domain))
    return {}


@delete("/api/v1/domain_blocks", "write:blocks")
async def unblock(call: Call, args: Domain) -> dict[str, Any]:
    """Take a block of a domain back."""
    await accounts.unblock_domain(call.tx, await call.me(), _named(call, args.domain))
    return {}
