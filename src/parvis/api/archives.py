"""Taking along all that is one's own, as one file."""

from __future__ import annotations

from typing import Any

from parvis.api.call import Call, Nothing, get, post
from parvis.base.clock import mastodon_time
from parvis.portability import actions, queries
from parvis.portability.model import Archive


def _shown(call: Call, row: Archive) -> dict[str, Any]:
    ready = row.ready_at is not None
    return {
        "id": str(row.id), "created_at": mastodon_time(row.created_at),
        "ready_at": mastodon_time(row.ready_at) if row.ready_at else None, "size": row.size,
        "url": f"{call.settings.base}/settings/export/archives/{row.id}.zip" if ready else None,
    }


@get("/api/v1/archives", "read:accounts")
async def archives(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """What one asked to take along, and whether it lies ready. It is downloaded with a browser that is signed in."""
    return [_shown(call, row) for row in await queries.archives(call.read, call.me_id)]


@post("/api/v1/archives", "write:accounts")
async def ask(call: Call, _: Nothing) -> dict[str, Any]:
    """Ask for all that is one's own as one file (GDPR article 20), once a week at most; a letter follows."""
    return _shown(call, await actions.ask_archive(call.tx, call.me_id))
