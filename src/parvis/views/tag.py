"""Hashtags as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from parvis.base.db import Read
from parvis.views.status import Eye
from parvis.views.uses import queries
from parvis.views.uses.queries import Featured, Linked, Tag

DAY = 86400
UNUSED = [0] * 7


async def tags(r: Read, eye: Eye, names: Sequence[str]) -> list[dict[str, Any]]:
    """Tag entities in the order of the normal names. A hashtag that nobody ever used is shown, too, as unused."""
    found = {tag.name: tag for tag in await queries.tags(r, eye.viewer, names)} if names else {}
    unknown = (Tag(0, name, False, False, UNUSED, UNUSED) for name in names if name not in found)
    found |= {tag.name: tag for tag in unknown}
    return [entity(eye, found[name], r.now) for name in names]


async def tags_by_id(r: Read, eye: Eye, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Tag entities in the order of the ids."""
    found = {tag.id: tag for tag in await queries.tags(r, eye.viewer, [], ids)} if ids else {}
    return [entity(eye, found[number], r.now) for number in ids if number in found]


def entity(eye: Eye, tag: Tag, now: datetime) -> dict[str, Any]:
    """A Tag; its counts are strings, as Mastodon has them, and a signed-in viewer sees their own marks."""
    marks = {} if eye.viewer is None else {"following": tag.following, "featuring": tag.featuring}
    return {
        "id": str(tag.id), "name": tag.name, "url": f"{eye.settings.base}/tags/{tag.name}",
        "history": history(tag, now), **marks,
    }


def history(used: Tag | Linked, now: datetime) -> list[dict[str, str]]:
    """How something was used on each of the last days, today first."""
    today = int(now.timestamp()) // DAY * DAY
    return [
        {"day": str(today - place * DAY), "uses": str(uses), "accounts": str(accounts)}
        for place, (uses, accounts) in enumerate(zip(used.uses, used.accounts, strict=True))
    ]


def featured(eye: Eye, tag: Featured) -> dict[str, Any]:
    """A FeaturedTag."""
    return {
        "id": str(tag.id), "name": tag.display_name, "url": f"{eye.settings.base}/tags/{tag.name}",
        "statuses_count": str(tag.statuses),
        "last_status_at": tag.last_status_at.isoformat() if tag.last_status_at else None,
    }
