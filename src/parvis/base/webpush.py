"""Web Push: a message that only the app can read (RFC 8291 and its draft), and who sends it (VAPID, RFC 8292)."""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from parvis.base.errors import Invalid
from parvis.base.seal import kept

TOKEN_HOURS = 12  # RFC 8292 allows a day
RECORD = 4096  # of the body a push service must take (RFC 8030); RFC 8291 has one record


class Receiver(msgspec.Struct, frozen=True):
    """Where an app listens, its keys, and whether it speaks the standard or the draft before it."""

    endpoint: str
    p256dh: bytes
    auth: bytes
    standard: bool


class Sealed(msgspec.Struct, frozen=True):
    """A body and the headers that say how it is closed."""

    body: bytes
    headers: dict[str, str]


def text(raw: bytes) -> str:
    """Bytes as base64url without padding, as all of Web Push has them."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(text: str, field: str, length: int) -> bytes:
    """The bytes of a key as an app sends it, in either alphabet and with padding or without."""
    plain = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        found = urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError) as error:
        raise Invalid(field, "invalid") from error
    if len(found) != length:
        raise Invalid(field, "invalid")
    return found


def public_point(text: str, field: str) -> bytes:
    """An app's public key: an uncompressed point of P-256."""
    found = raw(text, field, 65)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), found)
    except ValueError as error:
        raise Invalid(field, "invalid") from error
    return found


def _made() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def city_key(folder: Path) -> ECKey:
    """The key by which push services know this city; made once and kept with the other secrets."""
    return ECKey.import_key(kept(folder, "vapid.pem", _made))


def point(key: ECKey) -> bytes:
    """A public key as Web Push has it."""
    return key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def public_key(folder: Path) -> str:
    """The city's public key, as apps are told."""
    return text(point(city_key(folder)))


def sealed(
    message: bytes, to: Receiver, key: ec.EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> Sealed:
    """Close a message with a key made for it alone; a test gives the key and the salt of a published example."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or secrets.token_bytes(16)
    version = "aes128gcm" if to.standard else "aesgcm"
    body: bytes = http_ece.encrypt(
        message, salt=salt, private_key=key, dh=to.p256dh, auth_secret=to.auth, rs=RECORD, version=version
    )
    headers = {"Content-Encoding": version, "Content-Type": "application/octet-stream"}
    if not to.standard:
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        headers |= {"Encryption": f"salt={text(salt)}", "Crypto-Key": f"dh={text(point)}"}
    return Sealed(body, headers)


def signed(made: Sealed, to: Receiver, key: ECKey, contact: str, now: datetime) -> dict[str, str]:
    """All headers of a message: it names the city, for this push service only and for half a day."""
    parts = urlsplit(to.endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}", "sub": contact,
        "exp": int((now + timedelta(hours=TOKEN_HOURS)).timestamp()),
    }
    token, mine = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, key), text(point(key))
    if to.standard:
        return {**made.headers, "Authorization": f"vapid t={token}, k={mine}"}
    both = f"{made.headers['Crypto-Key']};p256ecdsa={mine}"
    return {**made.headers, "Authorization": f"WebPush {token}", "Crypto-Key": both}
