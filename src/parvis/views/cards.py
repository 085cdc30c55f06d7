"""Cards: the viewer-free part of a status, an account or a linked page as encoded JSON, kept under its id and version.

A page's query returns ids and versions, so a stale card is unreachable and nothing is ever invalidated.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from parvis.base import proxy
from parvis.base.clock import mastodon_time
from parvis.base.settings import Settings
from parvis.filters import policy as filters
from parvis.filters.model import Match
from parvis.text import html

ENCODE = msgspec.json.Encoder()
ROOM = 20_000


class Shelf:
    """A bounded store of cards in this process, of two halves: when one is full, what nobody asked for since leaves.

    So a card that was just asked for stays while half as many as there is room for come after it.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._cards: dict[tuple[str, int, Hashable], bytes] = {}
        self._before: dict[tuple[str, int, Hashable], bytes] = {}
        self._half = room // 2

    def card(self, kind: str, number: int, version: Hashable) -> bytes | None:
        """The card of that version, if it is here."""
        found = self._cards.get((kind, number, version))
        if found is None and (found := self._before.get((kind, number, version))) is not None:
            self.put(kind, number, version, found)
        return found

    def put(self, kind: str, number: int, version: Hashable, card: bytes) -> None:
        """Keep a card."""
        if len(self._cards) >= self._half:
            self._before, self._cards = self._cards, {}
        self._cards[(kind, number, version)] = card


def opened(fields: dict[str, Any]) -> bytes:
    """An object's members without its braces, to be spliced with others."""
    return ENCODE.encode(fields)[1:-1]


def status_card(data: dict[str, Any], settings: Settings) -> bytes:
    """The viewer-free members of a Status."""
    base = settings.base
    return opened({
        "id": str(data["id"]), "created_at": data["created_at"],
        "in_reply_to_id": _text(data["in_reply_to_id"]),
        "in_reply_to_account_id": _text(data["in_reply_to_account_id"]),
        "sensitive": data["sensitive"], "spoiler_text": data["spoiler_text"], "visibility": data["visibility"],
        "language": data["language"], "uri": data["uri"], "url": data["url"], "content": data["content"],
        **({"application": data["application"]} if data["application"] else {}),
        "edited_at": data["edited_at"], "text": None,
        "emojis": [emoji_entity(emoji, settings) for emoji in data["emojis"]], "tagged_collections": [],
        "local_only": data["local_only"], "reply_policy": data["reply_policy"],
        "media_attachments": [media_entity(file, settings) for file in data["media"] or []],
        "mentions": [
            {"id": str(m["id"]), "username": m["username"], "url": m["url"], "acct": m["acct"]}
            for m in data["mentions"] or []
        ],
        "tags": [{"name": tag, "url": f"{base}/tags/{tag}"} for tag in data["tags"] or []],
    })


class Described(msgspec.Struct, frozen=True):
    """A file's description."""

    description: str | None = None


class Option(msgspec.Struct, frozen=True):
    """One option's words."""

    title: str = ""


class Asked(msgspec.Struct, frozen=True):
    """A poll's options."""

    options: list[Option] = []


class Words(msgspec.Struct, frozen=True):
    """What filters look through in a card, as it is kept."""

    content: str = ""
    spoiler_text: str = ""
    media_attachments: list[Described] = []
    poll: Asked | None = None


def searchable(card: bytes) -> bytes:
    """The text of a status card that filters look through, to be kept beside it."""
    said = msgspec.json.decode(b"{%s}" % card, type=Words)
    described = [file.description or "" for file in said.media_attachments]
    options = [option.title for option in said.poll.options] if said.poll else []
    return filters.searchable([said.spoiler_text, html.plain(said.content), *described, *options]).encode()


def filter_results(matched: Sequence[Match]) -> list[dict[str, Any]]:
    """FilterResults: what filters found in a post, each with its filter."""
    return [
        {
            "filter": {
                "id": str(one.filter.id), "title": one.filter.title, "context": one.filter.context,
                "expires_at": mastodon_time(one.filter.expires_at) if one.filter.expires_at else None,
                "filter_action": one.filter.action,
            },
            "keyword_matches": list(one.keywords) or None,
            "status_matches": [str(number) for number in one.statuses] or None,
        }
        for one in matched
    ]


def quoting_data(data: dict[str, Any]) -> dict[str, Any] | None:
    """A post without the link that stands for its quote, for where the quote is shown; None when it has none."""
    content = html.without_quote(data["content"])
    return None if content == data["content"] else {**data, "content": content}


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def file_url(base: str, name: str | None) -> str | None:
    """Where a file of the store is served."""
    return None if name is None else f"{base}/media/{name}"


def emoji_entity(emoji: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """A CustomEmoji, from a row of emojis_in."""
    url = file_url(settings.base, emoji["file"]) or proxy.address(settings, emoji["remote_url"])
    still = file_url(settings.base, emoji["static_file"]) or proxy.address(settings, emoji["static_url"]) or url
    return {
        "shortcode": emoji["shortcode"], "url": url, "static_url": still,
        "visible_in_picker": emoji["visible_in_picker"], "category": emoji["category"],
    }


def media_entity(file: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """A MediaAttachment; a file of another server is shown through the proxy, one that is not ready has no address."""
    base, remote = settings.base, file["remote_url"]
    url = file_url(base, file["file"]) or (remote if file["kind"] == "unknown" else proxy.address(settings, remote))
    preview = file_url(base, file["preview_file"]) or proxy.address(settings, file.get("preview_remote_url"))
    meta: dict[str, Any] = {**(file.get("meta") or {}), "focus": {"x": file["focus_x"], "y": file["focus_y"]}}
    for name, prefix in (("original", ""), ("small", "preview_")):
        width, height = file[f"{prefix}width"], file[f"{prefix}height"]
        if width and height:
            meta[name] = {
                "width": width, "height": height, "size": f"{width}x{height}", "aspect": round(width / height, 6),
                **meta.get(name, {}),
            }
    return {
        "id": str(file["id"]), "type": file["kind"], "url": url,
        "preview_url": preview or (url if file["kind"] == "image" else None), "remote_url": remote,
        "preview_remote_url": file.get("preview_remote_url"), "text_url": None, "meta": meta,
        "description": file["description"], "blurhash": file["blurhash"],
    }


def preview_card(data: dict[str, Any], settings: Settings) -> bytes:
    """The members of a PreviewCard: what a page says about itself."""
    author = {"name": data["author_name"], "url": data["author_url"], "account": None}
    published = data["published_at"]
    return opened({
        "url": data["url"], "title": data["title"], "description": data["description"], "type": "link",
        "language": data["language"], "authors": [author] if author["name"] or author["url"] else [],
        "author_name": data["author_name"], "author_url": data["author_url"],
        "provider_name": data["provider_name"], "provider_url": data["provider_url"], "html": "",
        "width": data["width"], "height": data["height"], "image": proxy.address(settings, data["image_url"]),
        "image_description": data["image_description"], "embed_url": "", "blurhash": None,
        "published_at": mastodon_time(datetime.fromisoformat(published)) if published else None,
    })


def feature_approval(data: dict[str, Any]) -> dict[str, Any]:
    """Who may put somebody in a collection: of this city whoever wants to be discovered, else as their server says."""
    here = ["public"] if data["discoverable"] else []
    automatic = here if data["domain"] is None else data["feature_automatic"]
    return {"automatic": automatic, "manual": [], "current_user": "automatic" if automatic else "denied"}


def account_card(data: dict[str, Any], settings: Settings) -> bytes:
    """The members of an Account that its counts do not change."""
    base = settings.base
    gone = data["suspended"]
    avatar = None if gone else file_url(base, data["avatar_file"]) or proxy.address(settings, data["avatar_url"])
    header = None if gone else file_url(base, data["header_file"]) or proxy.address(settings, data["header_url"])
    avatar, header = avatar or f"{base}/static/avatar.png", header or f"{base}/static/header.png"
    fields: dict[str, Any] = {
        "id": str(data["id"]), "username": data["username"],
        "acct": data["username"] if data["domain"] is None else f"{data['username']}@{data['domain']}",
        "display_name": "" if gone else data["display_name"], "locked": data["locked"], "bot": data["bot"],
        "discoverable": data["discoverable"], "indexable": data["indexable"], "group": data["actor_type"] == "Group",
        "created_at": data["created_on"], "note": "" if gone else data["note"], "url": data["url"], "uri": data["uri"],
        "avatar": avatar, "avatar_static": avatar, "avatar_description": data["avatar_description"],
        "header": header, "header_static": header, "header_description": data["header_description"],
        "hide_collections": data["hide_collections"], "noindex": not data["discoverable"],
        "emojis": [] if gone else [emoji_entity(emoji, settings) for emoji in data["emojis"]],
        "roles": [], "fields": [] if gone else [
            {"name": f["name"], "value": f["value"], "verified_at": f.get("verified_at")} for f in data["fields"]
        ],
        "show_media": data["show_media"], "show_media_replies": data["show_media_replies"],
        "show_featured": data["show_featured"], "feature_approval": feature_approval(data),
    }
    if data["domain"] is None:
        fields["email_subscriptions"] = data["email_subscriptions"] and not gone
    if data["memorial"]:
        fields["memorial"] = True
    if gone:
        fields["suspended"] = True
    if data["limited"]:
        fields["limited"] = True
    return opened(fields)
