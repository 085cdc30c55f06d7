"""The proof of who sends a request, in either of the two ways that servers speak: draft-cavage or RFC 9421. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from parvis.federation import message_signatures, multikeys, signatures
from parvis.federation.signatures import BadSignature


class Proof(msgspec.Struct, frozen=True):
    """A signature as it was shown; nothing in it is proved yet."""

    shown: signatures.Parameters | message_signatures.Claim

    @property
    def key_id(self) -> str:
        """Under which name its key is published."""
        return self.shown.key_id

    @property
    def may_be_ed25519(self) -> bool:
        """Only RFC 9421 knows keys that are not RSA."""
        return isinstance(self.shown, message_signatures.Claim)

    @property
    def names(self) -> set[str]:
        """The header fields that are needed to check it."""
        if isinstance(self.shown, signatures.Parameters):
            return {*self.shown.headers, "signature", "digest"}
        return {*self.shown.names, "signature", "signature-input", message_signatures.DIGEST}

    def check_digest(self, headers: Mapping[str, str], body: bytes) -> None:
        """The body is the one that was signed, or BadSignature("digest")."""
        if isinstance(self.shown, signatures.Parameters):
            signatures.check_digest(headers, body)
        else:
            message_signatures.check_digest(headers, body)

    def check_host(self, headers: Mapping[str, str], host: str) -> None:
        """What was signed for another server proves nothing here: whoever received it could bring it to us.

        RFC 9421 needs no more for it than the address that is checked: that one begins with this city's.
        """
        signed = isinstance(self.shown, signatures.Parameters) and "host" in self.shown.headers
        if signed and headers.get("host", "").lower() != host:
            raise BadSignature("host")

    def verify(
        self, public_key: str, request: tuple[str, str, str], headers: Mapping[str, str], now: datetime
    ) -> None:
        """Whoever holds this key sent this request (method, this city's address, path with query), or BadSignature.

        The key is RSA as PEM, or Ed25519 as a Multikey says it.
        """
        method, base, path = request
        if isinstance(self.shown, signatures.Parameters):
            signatures.verify(self.shown, public_key, method, path, headers, now)
        else:
            is_multikey = public_key.startswith("z")
            key = multikeys.loaded(public_key) if is_multikey else signatures.load_public(public_key)
            message_signatures.verify(self.shown, key, method, f"{base}{path}", headers, now)


def shown(headers: Mapping[str, str]) -> Proof:
    """The signature of a request, or BadSignature: RFC 9421 where there is a Signature-Input."""
    if "signature-input" in headers:
        return Proof(message_signatures.parse(headers))
    return Proof(signatures.parse(headers.get("signature", "")))
