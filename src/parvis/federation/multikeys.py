"""Ed25519 keys as actors publish them: Multikeys in `assertionMethod` (FEP-521a), written in base58btc. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from parvis.federation import jsonld
from parvis.federation.jsonld import Document
from parvis.federation.signatures import BadSignature

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PREFIX = b"\xed\x01"
"""What stands before an Ed25519 public key (multicodec 0xed)."""
MOST_LETTERS = 120
MOST_KEYS = 10


class Multikey(msgspec.Struct, frozen=True):
    """A key of an actor: its name, the key itself as it was written, and when its time is over."""

    id: str
    public: str
    expires: datetime | None = None


def encoded(raw: bytes) -> str:
    """Bytes as multibase: base58btc, with its letter before it."""
    number, digits = int.from_bytes(raw), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "z" + ALPHABET[0] * zeros + digits


def decoded(text: str) -> bytes:
    """The bytes of a short multibase text, or BadSignature("malformed")."""
    digits = text[1:]
    if text[:1] != "z" or len(text) > MOST_LETTERS or not set(digits) <= set(ALPHABET):
        raise BadSignature("malformed")
    number = 0
    for digit in digits:
        number = number * 58 + ALPHABET.index(digit)
    zeros = len(digits) - len(digits.lstrip(ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


def loaded(text: str) -> Ed25519PublicKey:
    """A public key, ready to check with; BadSignature("key") for what is none."""
    try:
        raw = decoded(text)
    except BadSignature as error:
        raise BadSignature("key") from error
    if not raw.startswith(PREFIX) or len(raw) != len(PREFIX) + 32:
        raise BadSignature("key")
    return Ed25519PublicKey.from_public_bytes(raw[len(PREFIX):])


def written(key: Ed25519PublicKey) -> str:
    """A public key as it is published."""
    return encoded(PREFIX + key.public_bytes_raw())


def name(actor_uri: str) -> str:
    """Under which name a key of ours is published."""
    return f"{actor_uri}#ed25519-key"


def shown(actor_uri: str, public: str) -> Document:
    """What an actor of ours says of its key."""
    return {"assertionMethod": [
        {"id": name(actor_uri), "type": "Multikey", "controller": actor_uri, "publicKeyMultibase": public}
    ]}


def read(found: Document, owner: str) -> tuple[Multikey, ...]:
    """The actor's own keys: what names another owner, or lies on another server, is none of them."""
    keys = (_key(one, owner) for one in jsonld.items(found.get("assertionMethod")) if isinstance(one, dict))
    return tuple({key.id: key for key in keys if key is not None}.values())[:MOST_KEYS]


def _key(one: Document, owner: str) -> Multikey | None:
    identity, public = jsonld.reference(one) or "", jsonld.text(one.get("publicKeyMultibase"))
    ends = [jsonld.moment(one[name]) for name in ("expires", "revoked") if one.get(name) is not None]
    own = jsonld.reference(one.get("controller")) == owner and jsonld.host(identity) == jsonld.host(owner)
    if "Multikey" not in jsonld.items(one.get("type")) or not own or "\0" in identity or None in ends:
        return None
    try:
        loaded(public)
    except BadSignature:
        return None
    return Multikey(identity, public, min((end for end in ends if end), default=None))
