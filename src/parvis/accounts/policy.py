"""May one do this to another? Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from parvis.accounts.model import Account, Relationship
from parvis.base.errors import Forbidden, Invalid
from parvis.text import html, mentions

USERNAME = re.compile(r"[a-z0-9_]{1,30}\Z", re.IGNORECASE)
DOMAIN = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+\Z")
RESERVED = frozenset({
    "admin", "administrator", "root", "support", "help", "about", "mairie", "ville", "city", "council", "abuse",
    "security", "postmaster", "webmaster", "hostmaster", "moderator", "moderation", "parvis", "charter", "register",
    "instance", "actor", "inbox", "api", "oauth", "auth",
})
NAME_LIMIT = 40
DOMAINS_LIMIT = 10
NOTE_LIMIT = 500
FIELDS_LIMIT = 4
FIELD_LIMIT = 255
PICTURE_LIMIT = 150
LIMITS = {
    "display_name": NAME_LIMIT, "note_text": NOTE_LIMIT, "avatar_description": PICTURE_LIMIT,
    "header_description": PICTURE_LIMIT,
}


def may_follow(by: Account, target: Account, relationship: Relationship | None) -> None:
    """Nobody follows themselves, someone who left, or across a block; nor with an account from which one has moved."""
    if by.id == target.id:
        raise Forbidden("follow_self")
    if by.local and by.moved_to_id:
        raise Forbidden("moved")
    if target.deleted_at or target.moved_to_id or target.suspended_at:
        raise Forbidden("unavailable")
    if relationship and (relationship.blocking or relationship.blocked_by or relationship.domain_blocking):
        raise Forbidden("blocked")


def may_stand_apart(by: Account, target: Account) -> None:
    """One blocks or mutes others, not oneself."""
    if by.id == target.id:
        raise Forbidden("self")


def waits(by: Account, target: Account) -> bool:
    """Must this follow wait for an answer? It must when the other side is elsewhere or locked."""
    return (not target.local) or target.locked or by.limited_at is not None


def may_recommend(relationship: Relationship | None) -> None:
    """One recommends whom one follows."""
    if relationship is None or not relationship.following:
        raise Invalid("account", "not_followed")


def domains(wanted: Sequence[str]) -> list[str]:
    """Sites that may name somebody as their author: names of hosts, as a person pastes them."""
    given = [re.sub(r"\A\*\.|\Ahttps?://|/.*\Z", "", text.strip().lower()) for text in wanted]
    found = list(dict.fromkeys(name for name in given if name))
    if len(found) > DOMAINS_LIMIT:
        raise Invalid("attribution_domains", "too_many", limit=DOMAINS_LIMIT)
    for name in found:
        if not DOMAIN.match(name) or len(name) > 253:
            raise Invalid("attribution_domains", "invalid")
    return found


def still_verified(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Fields as they are written now; one that leads where it led keeps what was found out about it."""
    known = {row.get("value_text"): row.get("verified_at") for row in before}
    return [{**row, "verified_at": known.get(row.get("value_text"))} for row in now]


def written(typed: str, base: str) -> str:
    """What somebody typed about themselves as HTML."""
    return html.html(typed, {}, lambda tag: f"{base}/tags/{mentions.normal_tag(tag)}")


def typed_fields(rows: Sequence[tuple[str, str]], base: str) -> list[dict[str, Any]]:
    """The fields of a profile as they are kept: at most four, each within its limit; empty ones are left out."""
    if len(rows) > FIELDS_LIMIT:
        raise Invalid("fields", "too_many", limit=FIELDS_LIMIT)
    for row in rows:
        for part in row:
            profile_text("fields", part, FIELD_LIMIT)
    return [
        {"name": name, "value": written(value, base).removeprefix("<p>").removesuffix("</p>"), "value_text": value,
         "verified_at": None}
        for name, value in rows if name or value
    ]


def username(text: str) -> str:
    """A name that can be taken here: letters, digits and underscores, at most 30, and none of the city's own."""
    if not USERNAME.match(text):
        raise Invalid("username", "ERR_INVALID")
    if text.lower() in RESERVED:
        raise Invalid("username", "ERR_RESERVED")
    return text


def profile_text(field: str, text: str, limit: int) -> str:
    """A text of a profile within its limit."""
    if len(text) > limit:
        raise Invalid(field, "ERR_TOO_LONG", limit=limit)
    return text
