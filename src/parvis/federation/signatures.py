"""HTTP signatures as the fediverse speaks them: draft-cavage-http-signatures-12 with RSA, made and checked. Pure."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import idna
import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ALGORITHMS = ("rsa-sha256", "hs2019")
SKEW = timedelta(hours=1)
MAX_AGE = timedelta(hours=12)
MAX_HEADER = 8_192
KEY_BITS = range(1_024, 8_193)
"""Smaller keys can be broken, larger ones cost us more to check than their owner to send."""

ALSO_SIGNED = ("content-type", "collection-synchronization")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PARAMETER = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([0-9]+))\s*(,|$)')
_SECONDS = re.compile(r"0|[1-9][0-9]{0,10}")


class BadSignature(Exception):  # named for what it says of the request
    """The request does not prove who sent it; `reason` is a stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Parameters(msgspec.Struct, frozen=True):
    """What a Signature header says of itself; nothing in it is proved yet."""

    key_id: str
    algorithm: str
    headers: tuple[str, ...]
    signature: bytes
    created: int | None = None
    expires: int | None = None


def new_key() -> tuple[str, str]:
    """A fresh RSA-2048 pair as PEM, private (PKCS #8) and public."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def load_private(pem: str | bytes) -> rsa.RSAPrivateKey:
    """One of our own keys, ready to sign with many times."""
    try:
        # Whether its numbers are primes was seen to when it was made; to look again takes 30 ms.
        key = serialization.load_pem_private_key(_bytes(pem), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadSignature("key") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadSignature("key")
    return key


def load_public(pem: str | bytes) -> rsa.RSAPublicKey:
    """Another server's key; refused (`key`) unless it is RSA of a reasonable size."""
    try:
        key = serialization.load_pem_public_key(_bytes(pem))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadSignature("key") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in KEY_BITS:
        raise BadSignature("key")
    return key


class Signer(msgspec.Struct, frozen=True):
    """A private key, loaded or as PEM, and the id under which others find its public half."""

    private: Any
    key_id: str


def sign(
    signer: Signer,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    now: datetime,
) -> dict[str, str]:
    """The headers that prove this request is ours: Host, Date, Digest if there is a body, and Signature.

    Of `headers`, Content-Type and Collection-Synchronization are signed too; other headers may be changed on the way.
    """
    key = signer.private if isinstance(signer.private, rsa.RSAPrivateKey) else load_private(signer.private)
    host, target = _destination(url)
    ours = {"host": host, "date": format_datetime(now.astimezone(UTC), usegmt=True)}
    if body is not None:
        ours["digest"] = digest(body)
    given = {name.lower(): value for name, value in headers.items()}
    signed = ours | {name: given[name] for name in ALSO_SIGNED if name in given}
    names = ("(request-target)", *signed)
    text = signing_text(names, method, target, signed)
    value = b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
    return {name.title(): value for name, value in ours.items()} | {
        "Signature": f'keyId="{signer.key_id}",algorithm="rsa-sha256",headers="{" ".join(names)}",signature="{value}"'
    }


def signing_text(
    names: Sequence[str], method: str, target: str, headers: Mapping[str, str], times: Mapping[str, int] | None = None
) -> bytes:
    """The text a signature is made over (draft §2.3); names of `headers` and `times` in lower case."""
    special = {"(request-target)": f"{method.lower()} {target}"} | {
        name: str(value) for name, value in (times or {}).items()
    }
    lines = []
    for name in names:
        value = special.get(name) if name.startswith("(") else headers.get(name)
        if value is None:
            raise BadSignature("headers")
        lines.append(f"{name}: {value.strip()}")
    return "\n".join(lines).encode("utf-8", "replace")


def digest(body: bytes) -> str:
    """The Digest header (RFC 3230) of a body."""
    return "SHA-256=" + b64encode(hashlib.sha256(body).digest()).decode()


def check_digest(headers: Mapping[str, str], body: bytes) -> None:
    """The body is the one whose SHA-256 the Digest header names, or BadSignature("digest")."""
    pairs = [part.strip().partition("=") for part in headers.get("digest", "").split(",")]
    given = [value for name, _, value in pairs if name.lower() == "sha-256"]
    if len(given) != 1 or not hmac.compare_digest(_decoded(given[0], "digest"), hashlib.sha256(body).digest()):
        raise BadSignature("digest")


def parse(signature_header: str) -> Parameters:
    """The parameters of a Signature header; `malformed` if unreadable, double or without key or signature."""
    found = pairs(signature_header)
    algorithm = found.get("algorithm", "hs2019").lower()
    default = "(created)" if algorithm == "hs2019" else "date"
    headers = tuple(found.get("headers", default).lower().split())
    if not found.get("keyId") or not found.get("signature") or not headers or len(set(headers)) != len(headers):
        raise BadSignature("malformed")
    return Parameters(
        key_id=found["keyId"],
        algorithm=algorithm,
        headers=headers,
        signature=_decoded(found["signature"], "malformed"),
        created=_seconds(found.get("created")),
        expires=_seconds(found.get("expires")),
    )


def verify(
    parameters: Parameters,
    public_key: rsa.RSAPublicKey | str | bytes,
    method: str,
    path_with_query: str,
    headers: Mapping[str, str],
    now: datetime,
) -> None:
    """Whoever holds this key sent this request, lately; else BadSignature. `headers` with lower-case names.

    The body is not looked at: for that, see `check_digest`. A target is accepted signed with its query or without it,
    since older servers leave it out.
    """
    _check_coverage(parameters, method.upper())
    _check_time(parameters, headers, now)
    key = public_key if isinstance(public_key, rsa.RSAPublicKey) else load_public(public_key)
    named = {"(created)": parameters.created, "(expires)": parameters.expires}
    times = {name: value for name, value in named.items() if value is not None}
    for target in dict.fromkeys((path_with_query, path_with_query.partition("?")[0])):
        if _genuine(key, parameters.signature, signing_text(parameters.headers, method, target, headers, times)):
            return
    raise BadSignature("signature")


def _genuine(key: rsa.RSAPublicKey, signature: bytes, text: bytes) -> bool:
    try:
        # What the fediverse calls hs2019 is the same RSASSA-PKCS1-v1_5 with SHA-256 (Mastodon, Pleroma).
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _check_coverage(parameters: Parameters, method: str) -> None:
    """Enough is signed that the signature cannot be carried over to another request."""
    if parameters.algorithm not in ALGORITHMS:
        raise BadSignature("algorithm")
    signed = set(parameters.headers)
    # Draft §2.3: the signed times are not for the algorithms named by their key type.
    if parameters.algorithm == "rsa-sha256" and signed & {"(created)", "(expires)"}:
        raise BadSignature("algorithm")
    needed = {"GET": "host", "POST": "digest"}.get(method)
    if not signed & {"date", "(created)"}:
        raise BadSignature("date")
    if needed and needed not in signed:
        raise BadSignature(needed)
    if not signed & {"(request-target)", "digest"}:
        raise BadSignature("target")


def _check_time(parameters: Parameters, headers: Mapping[str, str], now: datetime) -> None:
    for made in _signed_times(parameters, headers):
        if made > now + SKEW:
            raise BadSignature("future")
        if now > made + MAX_AGE + SKEW:
            raise BadSignature("expired")
    if parameters.expires is not None and now > moment(parameters.expires) + SKEW:
        raise BadSignature("expired")


def _signed_times(parameters: Parameters, headers: Mapping[str, str]) -> list[datetime]:
    times = []
    if "(created)" in parameters.headers:
        if parameters.created is None:
            raise BadSignature("headers")
        times.append(moment(parameters.created))
    if "date" in parameters.headers:
        times.append(_date(headers.get("date", "")))
    return times


def moment(seconds: int) -> datetime:
    """A time that a signature says in seconds."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadSignature("date") from error


def _date(value: str) -> datetime:
    try:
        date = parsedate_to_datetime(value)
        return (date.replace(tzinfo=UTC) if date.tzinfo is None else date).astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadSignature("date") from error


def pairs(header: str) -> dict[str, str]:
    """The parameters of a header in their quotes, each once; else `malformed`."""
    found: dict[str, str] = {}
    position = 0
    while position < len(header) <= MAX_HEADER:
        match = _PARAMETER.match(header, position)
        if match is None or match[1] in found:
            raise BadSignature("malformed")
        found[match[1]] = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        position = match.end()
    if not found or header.rstrip().endswith(","):
        raise BadSignature("malformed")
    return found


def _seconds(value: str | None) -> int | None:
    if value is None:
        return None
    if not _SECONDS.fullmatch(value):
        raise BadSignature("malformed")
    return int(value)


def _decoded(value: str, reason: str) -> bytes:
    """Base64 in its one canonical spelling, so that no byte of a header can change unnoticed."""
    try:
        raw = b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature(reason) from error
    if b64encode(raw).decode() != value:
        raise BadSignature(reason)
    return raw


def _destination(url: str) -> tuple[str, str]:
    """The Host header and request target of an address, which is taken as already percent-encoded."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return host + port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _bytes(pem: str | bytes) -> bytes:
    return pem.encode("utf-8", "replace") if isinstance(pem, str) else pem
