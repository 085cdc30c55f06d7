"""The city as clients see it."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.accounts import policy as naming
from parvis.api import VERSION, civic
from parvis.api.call import Call, Nothing, get
from parvis.base import webpush
from parvis.emojis import queries as emojis
from parvis.media import policy as files
from parvis.peers import queries as peers
from parvis.polls import policy as asking
from parvis.statuses import policy as posting
from parvis.timelines import policy as reading
from parvis.views import queries as views
from parvis.views.cards import emoji_entity
from parvis.years import policy as years

MASTODON = "4.6.0"
CACHED = "max-age=300, public, stale-while-revalidate=30, stale-if-error=86400"
SHOWN = f"{MASTODON} (compatible; Parvis {VERSION})"
# The numbers by which clients know what is here: 2 grouped notifications, 7 quotes, 8 profiles, 10 collections.
API_VERSIONS = {"mastodon": 10, "parvis": 1}
SOURCE = "https://code.europa.eu/parvis/parvis"


def _media() -> dict[str, Any]:
    return {
        "supported_mime_types": list(files.TYPES), "description_limit": files.DESCRIPTION,
        "image_size_limit": files.IMAGE_BYTES, "image_matrix_limit": files.PIXELS,
        "video_size_limit": files.FILE_BYTES, "video_frame_rate_limit": files.FILM_RATE,
        "video_matrix_limit": files.FILM_PIXELS,
    }


def _statuses() -> dict[str, int]:
    return {
        "max_characters": posting.CHARACTERS, "max_media_attachments": posting.MEDIA, "characters_reserved_per_url": 23
    }


POLLS = {
    "max_options": asking.OPTIONS, "max_characters_per_option": asking.CHARACTERS,
    "min_expiration": asking.SHORTEST, "max_expiration": asking.LONGEST,
}


@get("/api/v2/instance")
async def instance(call: Call, _: Nothing) -> dict[str, Any]:
    """Everything a client asks of a server; every key is there, also where nothing is offered yet."""
    call.headers["Cache-Control"] = CACHED
    city, counts = call.settings, await views.counts(call.read)
    image = f"{city.base}/static/header.png"
    return {
        "domain": city.domain, "title": city.city_name, "version": SHOWN, "source_url": SOURCE,
        "description": city.city_description, "wrapstodon": str(season) if (season := years.season(call.now)) else None,
        "usage": {"users": {"active_month": counts.active_month}},
        "thumbnail": {"url": image, "description": city.city_name, "versions": {"@1x": image, "@2x": image}},
        "icon": [{"src": f"{city.base}/static/avatar.png", "size": "400x400"}],
        "languages": city.languages.split(","),
        "configuration": {
            "urls": {
                "streaming": city.base.replace("http", "ws", 1), "status": None, "about": f"{city.base}/about",
                "privacy_policy": f"{city.base}/privacy", "terms_of_service": f"{city.base}/charter",
            },
            "vapid": {"public_key": webpush.public_key(city.secrets)},
            "accounts": {
                "max_display_name_length": naming.NAME_LIMIT, "max_note_length": naming.NOTE_LIMIT,
                "max_avatar_description_length": 150, "max_header_description_length": 150,
                "max_featured_tags": reading.FEATURED_TAGS,
                "max_pinned_statuses": posting.PINS, "max_profile_fields": naming.FIELDS_LIMIT,
                "profile_field_name_limit": naming.FIELD_LIMIT, "profile_field_value_limit": naming.FIELD_LIMIT,
            },
            "statuses": _statuses(), "media_attachments": _media(), "polls": POLLS,
            "translation": {"enabled": bool(city.translate_url)},
            "timelines_access": {
                "live_feeds": {"local": "public", "remote": "public"},
                "hashtag_feeds": {"local": "public", "remote": "public"},
                "trending_link_feeds": {"local": "public", "remote": "public"},
            },
            "limited_federation": await peers.is_closed(call.read),
        },
        "registrations": {
            "enabled": city.takes_anyone, "approval_required": city.registrations == "approval",
            "reason_required": city.registrations == "approval", "message": None, "min_age": city.min_age or None,
            "url": None,
        },
        "api_versions": API_VERSIONS,
        "contact": {"email": city.contact_email, "account": None},
        "rules": await civic.rules(call),
    }


@get("/api/v1/instance", deprecated=1668384000)
async def instance_v1(call: Call, _: Nothing) -> dict[str, Any]:
    """The same, as older clients ask for it."""
    call.headers["Cache-Control"] = CACHED
    city, counts = call.settings, await views.counts(call.read)
    return {
        "uri": city.domain, "title": city.city_name, "short_description": city.city_description,
        "description": city.city_description, "email": city.contact_email, "version": SHOWN,
        "urls": {"streaming_api": city.base.replace("http", "ws", 1)},
        "stats": {"user_count": counts.users, "status_count": counts.statuses, "domain_count": counts.peers},
        "thumbnail": f"{city.base}/static/header.png", "languages": city.languages.split(","),
        "registrations": city.takes_anyone, "approval_required": city.registrations == "approval",
        "invites_enabled": city.registrations != "closed",
        "configuration": {
            "accounts": {"max_featured_tags": reading.FEATURED_TAGS, "max_pinned_statuses": posting.PINS},
            "statuses": _statuses(),
            "media_attachments": _media(), "polls": POLLS,
        },
        "contact_account": None, "rules": await civic.rules(call),
    }


@get("/api/v1/instance/rules")
async def rules(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """The articles of the charter in force, as rules."""
    call.headers["Cache-Control"] = CACHED
    return await civic.rules(call)


@get("/api/v1/instance/peers")
async def known_peers(call: Call, _: Nothing) -> list[str]:
    """The servers this city has met."""
    return await peers.domains(call.read)


@get("/api/v1/custom_emojis")
async def custom_emojis(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """The city's own emoji, as its picker shows them."""
    call.headers["Cache-Control"] = CACHED
    found = await emojis.listed(call.read)
    return [emoji_entity(msgspec.structs.asdict(emoji), call.settings) for emoji in found]
