"""Collections as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

from parvis.base.clock import mastodon_time
from parvis.base.settings import Settings
from parvis.collections.model import Collection, Item


def entity(row: Collection, settings: Settings) -> dict[str, Any]:
    """A Collection."""
    url = f"{settings.base}/collections/{row.id}"
    return {
        "id": str(row.id), "account_id": str(row.account_id), "uri": url, "url": url, "name": row.name,
        "description": escape(row.description, quote=False), "language": row.language, "local": True,
        "sensitive": row.sensitive, "discoverable": row.discoverable,
        "tag": {"name": row.tag, "url": f"{settings.base}/tags/{row.tag.lower()}"} if row.tag else None,
        "created_at": mastodon_time(row.created_at), "updated_at": mastodon_time(row.updated_at),
        "item_count": len(row.items), "items": row.items,
    }


def told(data: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The same, from what a notification tells of."""
    moments = {name: datetime.fromisoformat(data[name]) for name in ("created_at", "updated_at")}
    return entity(Collection(**{name: data[name] for name in Collection.__struct_fields__} | moments), settings)


def item(row: Item) -> dict[str, Any]:
    """A CollectionItem."""
    return {
        "id": str(row.id), "account_id": str(row.account_id), "state": row.state,
        "created_at": mastodon_time(row.created_at),
    }
