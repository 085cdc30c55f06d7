"""The proof that a document carries of whose word it is (FEP-8b32): `eddsa-jcs-2022`, made and checked. Pure.

It proves who said something, however it came here. It does not prove that it is of their own things that they speak.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parvis.federation import jcs, jsonld, multikeys
from parvis.federation.jsonld import Document
from parvis.federation.signatures import MAX_AGE, SKEW, BadSignature

CONTEXT = "https://w3id.org/security/data-integrity/v1"
KIND = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
MOST_PROOFS = 10
APART = ("proof", "signature")
"""What no proof covers: the proofs themselves, and a Linked Data signature that was put on afterwards."""


class Claim(msgspec.Struct, frozen=True):
    """A proof as it was shown, with the name of its key; nothing in it is proved yet."""

    method: str
    options: Document
    value: str


def shown(document: Document, speaker: str) -> Claim | None:
    """The proof of our kind in a document whose key is said to be on the speaker's server; None without any."""
    for one in jsonld.items(document.get("proof"))[:MOST_PROOFS]:
        if not isinstance(one, dict) or any(one.get(name) != value for name, value in KIND.items()):
            continue
        method, value = one.get("verificationMethod"), one.get("proofValue")
        if isinstance(method, str) and isinstance(value, str) and jsonld.host(method) == jsonld.host(speaker) != "":
            return Claim(method, {name: said for name, said in one.items() if name != "proofValue"}, value)
    return None


def made(document: Document, private: Ed25519PrivateKey, method: str, now: datetime) -> Document:
    """The document with a proof by this key."""
    created = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"  # some write the time anew to check it: without a fraction
    options: Document = {**KIND, "verificationMethod": method, "created": created}
    if "@context" in document:
        options["@context"] = document["@context"]
    value = multikeys.encoded(private.sign(hashed(document, options)))
    return document | {"proof": options | {"proofValue": value}}


def verify(document: Document, claim: Claim, public_key: str, now: datetime) -> None:
    """Whoever holds this key said this, lately; else BadSignature."""
    _check_time(claim.options, now)
    said = {name: value for name, value in document.items() if name not in APART}
    if "@context" in claim.options:
        ours, theirs = jsonld.items(said.get("@context")), jsonld.items(claim.options["@context"])
        if ours[:len(theirs)] != theirs:
            raise BadSignature("context")
        said["@context"] = claim.options["@context"]
    try:
        multikeys.loaded(public_key).verify(multikeys.decoded(claim.value), hashed(said, claim.options))
    except (InvalidSignature, jcs.NotCanonicalError) as error:
        raise BadSignature("signature") from error


def hashed(document: Document, options: Document) -> bytes:
    """What is signed: the hash of what is said of the proof, then that of the document."""
    return b"".join(hashlib.sha256(jcs.canonical(part)).digest() for part in (options, document))


def _check_time(options: Document, now: datetime) -> None:
    """A proof is good as long as any other signature; one without a time would be good for ever."""
    created, expires = jsonld.moment(options.get("created")), jsonld.moment(options.get("expires"))
    if created is None or (expires is None and options.get("expires") is not None):
        raise BadSignature("date")
    if created > now + SKEW:
        raise BadSignature("future")
    ends = min(created + MAX_AGE, expires or created + MAX_AGE)
    if now > ends + SKEW:
        raise BadSignature("expired")
