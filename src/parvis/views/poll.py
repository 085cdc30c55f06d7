"""Polls as they are shown."""

from __future__ import annotations

from typing import Any

from parvis.base.db import Read
from parvis.base.errors import NotFound
from parvis.base.settings import Settings
from parvis.views import queries
from parvis.views.cards import emoji_entity


def poll_entity(data: dict[str, Any], viewer: int | None, settings: Settings) -> dict[str, Any]:
    """A Poll: while it hides its counts and is open, only their sum is told."""
    votes = [option["votes"] for option in data["options"]]
    told = data["expired"] or not data["hidden"]
    shown: dict[str, Any] = {
        "id": data["id"], "expires_at": data["expires_at"], "expired": data["expired"], "multiple": data["multiple"],
        "votes_count": sum(votes), "voters_count": data["voters"],
        "emojis": [emoji_entity(emoji, settings) for emoji in data["emojis"]],
        "options": [
            {"title": option["title"], "votes_count": option["votes"] if told else None} for option in data["options"]
        ],
    }
    if viewer is not None:
        chosen = data["chosen"] or []
        shown |= {"voted": data["own"] or bool(chosen), "own_votes": chosen}
    return shown


async def poll(r: Read, viewer: int | None, poll_id: int, settings: Settings) -> dict[str, Any]:
    """A poll at this moment, for a viewer who may see the post that asks."""
    found = await queries.poll(r, viewer, poll_id)
    if found is None:
        raise NotFound("poll")
    return poll_entity(found, viewer, settings)
