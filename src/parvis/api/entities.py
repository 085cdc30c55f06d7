"""Mastodon's entities that no view composes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from parvis.access.model import Application, Registration, User
from parvis.accounts.model import Relationship, Shown
from parvis.base.clock import mastodon_time
from parvis.base.settings import Settings
from parvis.composing.model import Scheduled
from parvis.media.model import Media
from parvis.statuses.model import Edit
from parvis.timelines.model import List, Marker
from parvis.views.cards import emoji_entity, media_entity


def decoded(entity: bytes) -> dict[str, Any]:
    """An encoded entity as a mapping, to be changed or looked into."""
    return msgspec.json.decode(entity, type=dict[str, Any])


def relationship(row: Relationship) -> dict[str, Any]:
    """How the viewer stands to an account."""
    return {
        "id": str(row.id), "following": row.following, "showing_reblogs": row.showing_reblogs,
        "notifying": row.notifying, "languages": row.languages, "followed_by": row.followed_by,
        "blocking": row.blocking, "blocked_by": row.blocked_by, "muting": row.muting,
        "muting_notifications": row.muting_notifications,
        "muting_expires_at": mastodon_time(row.muting_until) if row.muting_until else None,
        "requested": row.requested, "requested_by": row.requested_by, "domain_blocking": row.domain_blocking,
        "endorsed": row.endorsed, "note": row.note,
    }


def edit_entity(row: Edit, account: object, settings: Settings) -> dict[str, Any]:
    """One earlier state of a post."""
    return {
        "content": row.content, "spoiler_text": row.spoiler_text, "sensitive": row.sensitive,
        "created_at": mastodon_time(row.created_at), "account": account,
        "media_attachments": [media_entity(file, settings) for file in row.media],
        "emojis": [emoji_entity(emoji, settings) for emoji in row.emojis],
        **({"poll": {"options": [{"title": title} for title in row.poll]}} if row.poll else {}),
    }


def scheduled(row: Scheduled, files: Mapping[int, Media], error: str | None, settings: Settings) -> dict[str, Any]:
    """A post that waits for its hour. `error` is ours: why it could not be published then."""
    wish = row.wish
    poll = wish.get("poll")
    return {
        "id": str(row.id), "scheduled_at": mastodon_time(row.scheduled_at),
        "params": {
            "text": wish["text"], "media_ids": [str(number) for number in wish["media_ids"]] or None,
            "poll": poll and {**poll, "options": list(poll["options"])}, "sensitive": wish.get("sensitive"),
            "spoiler_text": wish.get("spoiler_text") or None, "visibility": wish.get("visibility"),
            "in_reply_to_id": None if wish.get("in_reply_to_id") is None else str(wish["in_reply_to_id"]),
            "language": wish.get("language"), "application_id": wish.get("application_id"), "scheduled_at": None,
            "quoted_status_id": None if wish.get("quoted_status_id") is None else str(wish["quoted_status_id"]),
            "quote_approval_policy": wish.get("quote_approval_policy"),
            "idempotency": row.idempotency_key, "with_rate_limit": False,
        },
        "media_attachments": [media(files[number], settings) for number in wish["media_ids"] if number in files],
        **({"error": error} if error else {}),
    }


def media(row: Media, settings: Settings) -> dict[str, Any]:
    """An attached file."""
    return media_entity(msgspec.structs.asdict(row), settings)


def application(app: Application, vapid: str) -> dict[str, Any]:
    """An app as anyone may see it."""
    return {
        "id": str(app.id), "name": app.name, "website": app.website, "scopes": app.scopes,
        "redirect_uris": app.redirect_uris, "redirect_uri": "\n".join(app.redirect_uris), "vapid_key": vapid,
    }


def registration(made: Registration, vapid: str) -> dict[str, Any]:
    """An app as its maker sees it, once."""
    return {
        **application(made.application, vapid), "client_id": made.application.client_id, "client_secret": made.secret,
        "client_secret_expires_at": 0,
    }


ROLES = {
    "resident": {
        "id": "-99", "name": "", "color": "", "permissions": "0", "highlighted": False, "collection_limit": 10,
    },
    "moderator": {
        "id": "1", "name": "Moderator", "color": "", "permissions": str(1 << 10 | 1 << 4), "highlighted": True,
        "collection_limit": 10,
    },
}


def credentials(entity: dict[str, Any], shown: Shown, user: User, requests: int) -> dict[str, Any]:
    """An account as its owner sees it."""
    return {
        **entity,
        "source": {
            "privacy": user.default_privacy, "sensitive": user.default_sensitive,
            "language": user.default_language or "", "note": shown.note_text,
            "fields": own_fields(shown),
            "follow_requests_count": requests, "hide_collections": shown.hide_collections,
            "discoverable": shown.discoverable, "indexable": shown.indexable,
            "attribution_domains": shown.attribution_domains, "quote_policy": user.default_quote_policy,
        },
        "role": ROLES[user.role],
    }


def profile(entity: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """What somebody says about themselves, as they typed it; no picture of theirs is no picture."""
    known = ("id", "display_name", "locked", "bot", "hide_collections", "discoverable", "indexable", "show_media",
             "show_media_replies", "show_featured", "email_subscriptions", "avatar_description", "header_description")
    avatar = entity["avatar"] if shown.avatar_file else None
    header = entity["header"] if shown.header_file else None
    return {
        **{name: entity[name] for name in known}, "note": shown.note_text, "fields": own_fields(shown),
        "avatar": avatar, "avatar_static": avatar, "header": header, "header_static": header,
        "attribution_domains": shown.attribution_domains,
    }


def own_fields(shown: Shown) -> list[dict[str, Any]]:
    """The fields of a profile as they were typed."""
    return [
        {"name": f["name"], "value": f.get("value_text", f["value"]), "verified_at": f.get("verified_at")}
        for f in shown.fields
    ]


def list_of_people(row: List) -> dict[str, Any]:
    """A list."""
    return {"id": str(row.id), "title": row.title, "replies_policy": row.replies_policy, "exclusive": row.exclusive}


def marker(row: Marker) -> dict[str, Any]:
    """Where somebody stopped reading."""
    return {
        "last_read_id": str(row.last_read_id), "version": row.version, "updated_at": mastodon_time(row.updated_at)
    }
