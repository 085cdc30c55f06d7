"""The borders of the city, for moderators: whom a decision about a server would cut off."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.api.admin_accounts import moderating
from parvis.api.admin_domains import Domain, named
from parvis.api.call import Call, get
from parvis.borders import queries


@get("/api/v1/admin/domain_blocks/preview", "admin:read:domain_blocks")
async def preview(call: Call, args: Domain) -> dict[str, Any]:
    """Whom a decision that keeps a server out would cut off: follows, people of this city, accounts, posts, files."""
    await moderating(call)
    domain = named(call, args.domain)
    return {"domain": domain, **msgspec.to_builtins(await queries.preview(call.read, domain))}
