"""HTTP Message Signatures (RFC 9421) as the fediverse uses them: one signature, RSA or Ed25519, made and checked. Pure.

Like Mastodon: `@method` and `@target-uri` are covered, `content-digest` too where there is a body, `created` is said.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import http_sf
import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    MappingKeyResolver,
    algorithms,
)

from parvis.federation.signatures import (
    ALSO_SIGNED,
    MAX_AGE,
    MAX_HEADER,
    SKEW,
    BadSignature,
    Signer,
    load_private,
    moment,
)

COVERED: tuple[str, ...] = ("@method", "@target-uri")
DIGEST = "content-digest"
USUAL_AGE = timedelta(minutes=5)
"""How long a signature is good that does not say it itself (Mastodon's, to which the skew of clocks is added)."""

Public = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class Claim(msgspec.Struct, frozen=True):
    """What a Signature-Input says of itself; nothing in it is proved yet."""

    key_id: str
    components: tuple[str, ...]
    created: int
    expires: int | None = None
    algorithm: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The header fields that are covered."""
        return tuple(name for name in self.components if not name.startswith("@"))


class Message(msgspec.Struct):
    """A request as the library wants it."""

    method: str
    url: str
    headers: dict[str, str]


class _Verifier(HTTPMessageVerifier):
    """Looks at no clock: when a signature was made is ours to judge, by the time at which the request came."""

    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Judged by `_check_time`."""


def sign(
    signer: Signer, method: str, url: str, headers: Mapping[str, str], body: bytes | None, now: datetime
) -> dict[str, str]:
    """The headers that prove this request is ours: Content-Digest if there is a body, Signature-Input and Signature."""
    key = signer.private if isinstance(signer.private, rsa.RSAPrivateKey) else load_private(signer.private)
    message = Message(method.upper(), url, {name.lower(): value for name, value in headers.items()})
    covered = COVERED
    if body is not None:
        message.headers[DIGEST] = content_digest(body)
        covered = (*COVERED, DIGEST)
    covered = (*covered, *(name for name in ALSO_SIGNED if name in message.headers))
    made = HTTPMessageSigner(
        signature_algorithm=algorithms.RSA_V1_5_SHA256,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={signer.key_id: key}),
    )
    made.sign(
        message, key_id=signer.key_id, created=now.astimezone(UTC), label="sig1", covered_component_ids=covered,
        include_alg=False, use_existing_digest=body is not None,
    )
    found = {name.lower(): value for name, value in message.headers.items()}
    return {name.title(): found[name] for name in (DIGEST, "signature-input", "signature") if name in found}


def parse(headers: Mapping[str, str]) -> Claim:
    """The one signature of a request; `malformed` if there are more, or one without key or time."""
    given = headers.get("signature-input", "")
    if len(given) > MAX_HEADER or len(headers.get("signature", "")) > MAX_HEADER:
        raise BadSignature("malformed")
    try:
        inputs: Any = http_sf.parse(given.encode(), tltype="dictionary")
    except (ValueError, KeyError, TypeError) as error:
        raise BadSignature("malformed") from error
    if len(inputs) != 1:
        raise BadSignature("malformed")
    (items, said), *_ = inputs.values()
    if not isinstance(items, list) or not isinstance(said.get("keyid"), str) or type(said.get("created")) is not int:
        raise BadSignature("malformed")
    expires, algorithm = said.get("expires"), said.get("alg")
    if type(expires) not in (int, type(None)) or not isinstance(algorithm, str | None):
        raise BadSignature("malformed")
    if not all(isinstance(name, str) and not more for name, more in items):
        raise BadSignature("headers")  # a field in parts, or of another message, is nothing that our kind signs
    return Claim(said["keyid"], tuple(name for name, _ in items), said["created"], expires, algorithm)


def verify(
    claim: Claim, key: Public, method: str, url: str, headers: Mapping[str, str], now: datetime
) -> None:
    """Whoever holds this key sent this request to this very address, lately; else BadSignature.

    The body is not looked at: for that, see `check_digest`.
    """
    needed = {*COVERED, DIGEST} if method.upper() == "POST" else {*COVERED}
    if not needed <= set(claim.components):
        raise BadSignature("headers")
    _check_time(claim, now)
    kind = _algorithm(key)
    if claim.algorithm not in (None, kind.algorithm_id):
        raise BadSignature("algorithm")
    verifier = _Verifier(
        signature_algorithm=kind, key_resolver=MappingKeyResolver(public_keys={claim.key_id: key}, private_keys={}),
    )
    try:
        verifier.verify(Message(method.upper(), url, dict(headers)), max_age=None)
    except HTTPMessageSignaturesException as error:
        raise BadSignature("signature") from error


def _algorithm(key: Public) -> type[HTTPSignatureAlgorithm]:
    is_rsa = isinstance(key, rsa.RSAPublicKey)
    return algorithms.RSA_V1_5_SHA256 if is_rsa else algorithms.ED25519


def _check_time(claim: Claim, now: datetime) -> None:
    made = moment(claim.created)
    if made > now + SKEW:
        raise BadSignature("future")
    ends = min(moment(claim.expires) if claim.expires is not None else made + USUAL_AGE, made + MAX_AGE)
    if now > ends + SKEW:
        raise BadSignature("expired")


def content_digest(body: bytes) -> str:
    """The Content-Digest header (RFC 9530) of a body."""
    return http_sf.ser({"sha-256": (hashlib.sha256(body).digest(), {})})


def check_digest(headers: Mapping[str, str], body: bytes) -> None:
    """The body is the one whose SHA-256 the Content-Digest header names, or BadSignature("digest")."""
    try:
        found: Any = http_sf.parse(headers.get(DIGEST, "").encode(), tltype="dictionary")
        given, _ = found["sha-256"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadSignature("digest") from error
    if not isinstance(given, bytes) or not hmac.compare_digest(given, hashlib.sha256(body).digest()):
        raise BadSignature("digest")
