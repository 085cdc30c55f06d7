"""Announcements as they are shown."""

from __future__ import annotations

from typing import Any

from parvis.announcements.model import Announcement
from parvis.base.clock import mastodon_time
from parvis.base.settings import Settings
from parvis.views.cards import emoji_entity


def announcement(row: Announcement, viewer: int | None, settings: Settings) -> dict[str, Any]:
    """An Announcement; whether it was read, and which reactions are one's own, only for somebody."""
    base = settings.base
    return {
        "id": str(row.id), "content": row.content,
        "starts_at": mastodon_time(row.starts_at) if row.starts_at else None,
        "ends_at": mastodon_time(row.ends_at) if row.ends_at else None, "all_day": row.all_day,
        "published_at": mastodon_time(row.published_at), "updated_at": mastodon_time(row.updated_at),
        **({} if viewer is None else {"read": row.dismissed}),
        "mentions": [{**one, "id": str(one["id"])} for one in row.mentions],
        "statuses": [{**one, "id": str(one["id"])} for one in row.statuses],
        "tags": [{"name": tag, "url": f"{base}/tags/{tag}"} for tag in row.tags],
        "emojis": [emoji_entity(emoji, settings) for emoji in row.emojis],
        "reactions": [reaction(one, viewer, settings) for one in row.reactions],
    }


def reaction(row: dict[str, Any], viewer: int | None, settings: Settings) -> dict[str, Any]:
    """A Reaction; one with an emoji of the city says where its picture is."""
    emoji = emoji_entity(row["emoji"], settings) if row["emoji"] else {}
    return {
        "name": row["name"], "count": row["count"], **({} if viewer is None else {"me": row["me"]}),
        **{name: emoji[name] for name in ("url", "static_url") if name in emoji},
    }
