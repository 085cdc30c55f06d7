"""Web Push against the example of RFC 8291, and against a receiver."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from parvis.base import webpush
from parvis.base.errors import Invalid
from parvis.base.webpush import Receiver

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(octets(text), "big"), ec.SECP256R1())


def test_the_example_of_rfc_8291_appendix_a() -> None:
    to = Receiver(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        octets("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        octets("BTBZMqHH6r4Tts7J_aSIgg"), True,
    )
    made = webpush.sealed(
        b"When I grow up, I want to be a watermelon", to, private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        octets("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert made.headers == {"Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream"}
    assert webpush.text(made.body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6"
        "cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def opened(body: bytes, headers: dict[str, str], key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """What the receiver reads."""
    if headers["Content-Encoding"] == "aes128gcm":
        return http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm")
    salt = octets(headers["Encryption"].removeprefix("salt="))
    dh = octets(headers["Crypto-Key"].split(";")[0].removeprefix("dh="))
    return http_ece.decrypt(body, salt=salt, private_key=key, dh=dh, auth_secret=auth, version="aesgcm")


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=3900), st.binary(min_size=16, max_size=16), st.booleans())
def test_only_the_receiver_reads_it(message: bytes, auth: bytes, standard: bool) -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    made = webpush.sealed(message, Receiver("https://push.example/x", point, auth, standard))
    assert len(made.body) <= 4096
    assert opened(made.body, made.headers, key, auth) == message
    with pytest.raises(http_ece.ECEException):
        opened(made.body, made.headers, other, auth)


@pytest.mark.parametrize("standard", [True, False])
def test_the_city_names_itself_to_this_push_service_only(tmp_path: Path, standard: bool) -> None:
    key = webpush.city_key(tmp_path)
    assert (tmp_path / "vapid.pem").stat().st_mode & 0o777 == 0o600
    mine = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    to = Receiver("https://push.example:8443/x/y", mine, b"a" * 16, standard)
    headers = webpush.signed(webpush.sealed(b"x", to), to, key, "mailto:city@example.org", NOW)
    if standard:
        kind, token, shown = headers["Authorization"].replace(",", "").split(" ")
        assert (kind, token[:2], shown[:2], "Crypto-Key" in headers) == ("vapid", "t=", "k=", False)
        token, shown = token[2:], shown[2:]
    else:
        kind, token = headers["Authorization"].split(" ")
        assert kind == "WebPush"
        dh, shown = headers["Crypto-Key"].split(";")
        assert dh.startswith("dh=")
        shown = shown.removeprefix("p256ecdsa=")
    assert shown == webpush.public_key(tmp_path)
    x, y = octets(shown)[1:33], octets(shown)[33:]
    known = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": webpush.text(x), "y": webpush.text(y)})
    read = jwt.decode(token, known)
    assert read.header == {"typ": "JWT", "alg": "ES256"}
    assert read.claims["aud"] == "https://push.example:8443"
    assert 0 < read.claims["exp"] - NOW.timestamp() <= 86400
    assert read.claims["sub"] == "mailto:city@example.org"


@given(st.text(max_size=100))
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        webpush.public_point(text, "p256dh")


def test_keys_come_in_both_alphabets_with_padding_or_without() -> None:
    wanted = bytes(range(240, 256))
    for text in ("8PHy8_T19vf4-fr7_P3-_w", "8PHy8/T19vf4+fr7/P3+/w==", " 8PHy8_T19vf4-fr7_P3-_w== "):
        assert webpush.raw(text, "auth", 16) == wanted
    with pytest.raises(Invalid):
        webpush.raw("BTBZMqHH6r4Tts7J_aSI", "auth", 16)
    off_the_curve = webpush.text(b"\x04" + b"\x01" * 64)
    with pytest.raises(Invalid):
        webpush.public_point(off_the_curve, "p256dh")
