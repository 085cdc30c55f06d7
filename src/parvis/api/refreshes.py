"""What is asked of other servers while the caller reads on: how far it has come."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.api.call import Call, get
from parvis.base.errors import NotFound
from parvis.base.ids import parsed
from parvis.federation import queries
from parvis.federation.model import Refresh
from parvis.years import queries as years

RETRY = 3
CONTEXT = "context-"
YEAR = "annual_report-"


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One refresh, by the id that a header told."""

    id: str


def tell(call: Call, status_id: int, refresh: Refresh | None) -> None:
    """Say in a header that more is on its way."""
    if refresh is not None and refresh.running:
        call.headers["Mastodon-Async-Refresh"] = (
            f'id="{CONTEXT}{status_id}", retry={RETRY}, result_count={refresh.found}'
        )


async def _year(call: Call, name: str) -> dict[str, Any]:
    year = parsed(name.removeprefix(YEAR))
    found = None if year is None else await years.report(call.read, call.me_id, year)
    if found is None:
        raise NotFound("refresh")
    status = "running" if found.data is None else "finished"
    return {"async_refresh": {"id": name, "status": status, "result_count": None}}


@get("/api/v1_alpha/async_refreshes/{id}", "read")
async def refresh(call: Call, args: One) -> dict[str, Any]:
    """How far the completing of a conversation has come, for who may read it; or the making of one's own year."""
    if args.id.startswith(YEAR):
        return await _year(call, args.id)
    status_id = parsed(args.id.removeprefix(CONTEXT)) if args.id.startswith(CONTEXT) else None
    found = None if status_id is None else await queries.refresh(call.read, call.me_id, status_id)
    if found is None:
        raise NotFound("refresh")
    status = "running" if found.running else "finished"
    return {"async_refresh": {"id": args.id, "status": status, "result_count": found.found}}
