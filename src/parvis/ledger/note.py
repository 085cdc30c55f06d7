"""Signed notes and the checkpoints written in them: how the ledger's head is published.

Formats: c2sp.org/signed-note (Ed25519, type 0x01) and c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from parvis.base.errors import Invalid

ED25519 = b"\x01"
MOST_SIGNATURES = 100
LARGEST_TREE = 2**63 - 1  # what PostgreSQL can count
HASH_LENGTH = 32

_SIZE = re.compile("0|[1-9][0-9]{0,18}")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


class BadNote(Invalid):
    """A note that is misshapen, or that no known key has signed, or that a known key has signed wrongly."""

    def __init__(self, code: str, /, **params: object) -> None:
        super().__init__("note", code, **params)


def key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    """The four bytes that with the name tell one key from another."""
    return sha256(name.encode() + b"\n" + ED25519 + public_key.public_bytes_raw()).digest()[:4]


def verifier_key(name: str, public_key: Ed25519PublicKey) -> str:
    """A public key as it is published: name+id+key."""
    _may_be_key_name(name)
    return f"{name}+{key_id(name, public_key).hex()}+{b64encode(ED25519 + public_key.public_bytes_raw()).decode()}"


def parsed_verifier_key(text: str) -> tuple[str, Ed25519PublicKey]:
    """The name and the key of a published verifier key; refused if the id is not theirs."""
    name, _, rest = text.partition("+")
    raw = _decoded(rest[9:])
    if len(raw) != 1 + HASH_LENGTH or raw[:1] != ED25519:
        raise BadNote("verifier_key_malformed")
    public_key = Ed25519PublicKey.from_public_bytes(raw[1:])
    if verifier_key(name, public_key) != text:
        raise BadNote("verifier_key_malformed")
    return name, public_key


def signed(text: str, signer_name: str, key: Ed25519PrivateKey) -> str:
    """The text as a note with one signature."""
    _may_be_key_name(signer_name)
    body = _utf8(text)
    if not text.endswith("\n"):
        raise BadNote("text_unterminated")
    blob = key_id(signer_name, key.public_key()) + key.sign(body)
    return f"{text}\n— {signer_name} {b64encode(blob).decode()}\n"


def opened(note: str, verifiers: Mapping[str, Ed25519PublicKey]) -> str:
    """The text of a note that at least one of the known keys has signed, and that none of them has signed wrongly.

    Signatures by unknown keys are passed over, even under a known name: that is how keys rotate and witnesses cosign.
    """
    text, separator, tail = note.rpartition("\n\n")
    text += "\n"
    body = _utf8(text)
    lines = tail.split("\n")
    if not separator or lines.pop() != "" or not lines:
        raise BadNote("malformed")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote("too_many_signatures", limit=MOST_SIGNATURES)
    verdicts = [_verified(line, body, verifiers) for line in lines]  # all of them: a wrong one counts after a right one
    if not any(verdicts):
        raise BadNote("unsigned")
    return text


def checkpoint(origin: str, size: int, root: bytes) -> str:
    """The text that says: this log, so long, with this tree head."""
    if not origin or "\n" in origin or not 0 <= size <= LARGEST_TREE or len(root) != HASH_LENGTH:
        raise BadNote("checkpoint_malformed")
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def parsed_checkpoint(text: str) -> tuple[str, int, bytes]:
    """Origin, size and tree head of a checkpoint; extension lines may follow and are passed over."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "" or not all(lines):
        raise BadNote("checkpoint_malformed")
    origin, digits, encoded = lines[:3]
    root = _decoded(encoded)
    if not _SIZE.fullmatch(digits) or int(digits) > LARGEST_TREE or len(root) != HASH_LENGTH:
        raise BadNote("checkpoint_malformed")
    return origin, int(digits), root


def _verified(line: str, body: bytes, verifiers: Mapping[str, Ed25519PublicKey]) -> bool:
    """True for a right signature by a known key, False for one by an unknown key."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    _may_be_key_name(name)
    blob = _decoded(encoded)
    if dash != "—" or len(blob) <= 4:
        raise BadNote("malformed")
    public_key = verifiers.get(name)
    if public_key is None or blob[:4] != key_id(name, public_key):
        return False
    try:
        public_key.verify(blob[4:], body)
    except InvalidSignature:
        raise BadNote("signature_wrong", signer=name) from None
    return True


def _may_be_key_name(name: str) -> None:
    """Names are not empty and hold neither spaces nor a plus, which separate the fields around them."""
    if not name or "+" in name or any(letter.isspace() for letter in name) or _CONTROL.search(name):
        raise BadNote("key_name_malformed")


def _utf8(text: str) -> bytes:
    """A note is UTF-8 and its only control character is the newline."""
    if _CONTROL.search(text):
        raise BadNote("malformed")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadNote("malformed") from None


def _decoded(text: str) -> bytes:
    """Base 64 in its one canonical spelling, so that two different notes never mean the same."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        raise BadNote("malformed") from None
    if b64encode(raw).decode() != text:
        raise BadNote("malformed")
    return raw
