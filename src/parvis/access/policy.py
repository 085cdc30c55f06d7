"""Scopes, redirect addresses and PKCE. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import date
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from parvis.access.model import Door
from parvis.base.errors import Forbidden, Invalid

OOB = "urn:ietf:wg:oauth:2.0:oob"
_READ = "accounts blocks bookmarks collections favourites filters follows lists mutes notifications search statuses"
_WRITE = (
    "accounts blocks bookmarks collections conversations favourites filters follows lists media mutes notifications "
    "reports statuses"
)
_ADMIN = "accounts reports domain_allows domain_blocks ip_blocks email_domain_blocks canonical_email_blocks"
SCOPES: tuple[str, ...] = (
    "profile", "read", *(f"read:{part}" for part in _READ.split()),
    "write", *(f"write:{part}" for part in _WRITE.split()), "follow", "push",
    "admin:read", *(f"admin:read:{part}" for part in _ADMIN.split()),
    "admin:write", *(f"admin:write:{part}" for part in _ADMIN.split()),
)
FOLLOW = frozenset(f"{verb}:{what}" for verb in ("read", "write") for what in ("blocks", "follows", "mutes"))
FORBIDDEN_SCHEMES = ("javascript", "data", "vbscript", "mailto")
_PART = r"[^@\s<>\"(),:;\[\]\\]"
EMAIL = re.compile(rf"{_PART}{{1,64}}@(?:{_PART}{{1,190}}\.[^@\s.]{{2,63}}|localhost)\Z")
URIS, URI = 50, 2_000
PASSWORD = 8
REASON = 2000
OLDEST = 130
COMMENT = 500
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HASH = re.compile(r"[0-9a-f]{64}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}={0,2}\Z")


def covers(granted: Iterable[str], needed: str) -> bool:
    """Does one of the granted scopes contain the needed one? `read` contains `read:accounts`; `follow` its six."""
    for scope in granted:
        if scope == needed or needed.startswith(f"{scope}:") or (scope == "follow" and needed in FOLLOW):
            return True
    return False


def scopes(text: str | Sequence[str] | None, allowed: Sequence[str] | None = None) -> list[str]:
    """Scopes as written, separated by spaces or plus signs; each must exist and lie within what is allowed."""
    words = text.replace("+", " ").split() if isinstance(text, str) else list(text or ())
    wanted = list(dict.fromkeys(words)) or ["read"]
    for scope in wanted:
        if scope not in SCOPES or (allowed is not None and not covers(allowed, scope)):
            raise Invalid("scope", "invalid_scope")
    return wanted


def redirect_uris(wanted: Sequence[str]) -> list[str]:
    """Where an app may be sent back to: any address with a scheme, but no script."""
    uris = [uri.strip() for text in wanted for uri in text.split() if uri.strip()]
    if not uris:
        raise Invalid("redirect_uris", "blank")
    if len(uris) > URIS or any(len(uri) > URI for uri in uris):
        raise Invalid("redirect_uris", "too_long", limit=URI)
    for uri in uris:
        parts = _parts("redirect_uris", uri)
        if uri != OOB and (not parts.scheme or parts.scheme.lower() in FORBIDDEN_SCHEMES or parts.fragment):
            raise Invalid("redirect_uris", "invalid")
        if parts.scheme in ("http", "https") and not parts.netloc:
            raise Invalid("redirect_uris", "invalid")
    return uris


def _parts(field: str, uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError as error:
        raise Invalid(field, "invalid") from error


def website(text: str | None) -> str | None:
    """An app's own page: a web address, since people will follow it."""
    if not text:
        return None
    parts = _parts("website", text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Invalid("website", "invalid")
    return text


def may_redirect(wanted: str, registered: Sequence[str]) -> str:
    """The address must be one the app registered, to the letter."""
    if wanted not in registered:
        raise Invalid("redirect_uri", "invalid_redirect_uri")
    return wanted


def challenge(text: str | None, method: str | None) -> str | None:
    """A PKCE challenge; only S256 is taken (RFC 7636 §4.2)."""
    if not text:
        return None
    if method != "S256" or not CHALLENGE.match(text):
        raise Invalid("code_challenge_method", "invalid_request")
    return text


def may_redeem(kept: str | None, verifier: str | None) -> None:
    """A code made with a challenge is given only to who knows its verifier (RFC 7636 §4.6)."""
    if kept is None:
        return
    made = urlsafe_b64encode(hashlib.sha256((verifier or "").encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(made, kept.rstrip("=")):
        raise Invalid("code_verifier", "invalid_grant")


def email(text: str) -> str:
    """An address that a letter can reach, as far as its form tells."""
    if len(text) > 254 or not EMAIL.match(text):
        raise Invalid("email", "ERR_INVALID")
    return text.strip()


def password(text: str) -> str:
    """Eight characters or more; argon2 needs no upper limit, a form does."""
    if len(text) < PASSWORD:
        raise Invalid("password", "ERR_TOO_SHORT", limit=PASSWORD)
    if len(text) > 4096:
        raise Invalid("password", "ERR_TOO_LONG", limit=4096)
    return text


def may_sign_in(disabled: bool, suspended: bool) -> None:
    """A disabled or suspended person does not come in."""
    if disabled or suspended:
        raise Forbidden("login_disabled")


def may_settle(door: Door, registrations: str, reason: str) -> bool:
    """Whether a wish to settle is granted at once, or waits for a moderator; Forbidden or Invalid: not at all."""
    if registrations == "closed" or door.address in ("sign_up_block", "no_access"):
        raise Forbidden("registrations_closed")
    if registrations == "invitation" and not door.invited:
        raise Forbidden("not_invited")
    if door.email:
        raise Invalid("email", "ERR_BLOCKED")
    if registrations == "approval" and not door.invited and not reason.strip():
        raise Invalid("reason", "ERR_BLANK")
    if len(reason) > REASON:
        raise Invalid("reason", "ERR_TOO_LONG", limit=REASON)
    return door.address is None and (registrations == "open" or door.invited)


def old_enough(born: str, least: int, today: date) -> None:
    """Whoever settles has lived so many years; the date is looked at and forgotten, and not asked where none is set."""
    if not least:
        return
    if not born.strip():
        raise Invalid("date_of_birth", "ERR_BLANK")
    try:
        day = date.fromisoformat(born.strip()) if DAY.fullmatch(born.strip()) else None
    except ValueError:
        day = None
    if day is None or day > today or today.year - day.year > OLDEST:
        raise Invalid("date_of_birth", "ERR_INVALID")
    if today.year - day.year - ((today.month, today.day) < (day.month, day.day)) < least:
        raise Invalid("date_of_birth", "ERR_BELOW_LIMIT", limit=least)


def protection(comment: str) -> str:
    """Whoever keeps others out says why."""
    if not comment.strip():
        raise Invalid("comment", "ERR_BLANK")
    if len(comment) > COMMENT:
        raise Invalid("comment", "ERR_TOO_LONG", limit=COMMENT)
    return comment.strip()


def network(text: str) -> str:
    """An address or a range of them, as the database writes it; never everybody."""
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Invalid("ip", "invalid") from error
    if found.prefixlen < (8 if found.version == 4 else 16):
        raise Invalid("ip", "invalid")
    return str(found)


def place(text: str) -> str | None:
    """The address of a machine; None when it is none, as where a socket of this machine is used."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if found.version == 6 else None
    return str(mapped or found).partition("%")[0]


def email_domains(address: str) -> list[str]:
    """The domain of an address and all domains above it."""
    parts = address.rpartition("@")[2].strip().lower().split(".")
    return [".".join(parts[start:]) for start in range(len(parts))][:20]


def canonical_hash(address: str) -> str:
    """The same for every way to write one mailbox: no case, no dots in the name, nothing from its plus on."""
    name, _, domain = address.strip().lower().rpartition("@")
    plain = name.partition("+")[0].replace(".", "")
    return hashlib.sha256(f"{plain}@{domain}".encode()).hexdigest()
