"""RFC 9421: the published vectors, and what the fediverse asks of a signature."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http_message_signatures import InvalidSignature, MappingKeyResolver, algorithms
from hypothesis import given
from hypothesis import strategies as st

from parvis.federation import message_signatures as messages
from parvis.federation import signatures
from parvis.federation.signatures import BadSignature, Signer

# RFC 9421, Appendix B.1.4 and B.2: the test key, the test request, and the signatures over it.
ED25519 = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""
REQUEST = {
    "host": "example.com", "date": "Tue, 20 Apr 2021 02:07:55 GMT", "content-type": "application/json",
    "content-digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
    "content-length": "18",
}
PSS = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----
"""
PSS_INPUT = 'created=1618884473;keyid="test-key-rsa-pss"'
# What each covers, and its value; B.2.4 signs an answer, which nothing here does.
VECTORS: dict[str, tuple[str, str]] = {
    "sig-b21": (
        f'();{PSS_INPUT};nonce="b3k2pp5k7z-50gnwp.yemd"',
        ("d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeN"
        "qsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8j"
        "YzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==")),
    "sig-b22": (
        f'("@authority" "content-digest" "@query-param";name="Pet");{PSS_INPUT};tag="header-example"',
        ("LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXx"
        "i0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/"
        "lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==")),
    "sig-b23": (
        f'("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");{PSS_INPUT}',
        ("bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzY"
        "x8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9"
        "BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==")),
    "sig-b25": (
        '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"', "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8="),
    "sig-b26": (
        '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="),
}
SECRET = b64decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
KEYS = {"test-key-rsa-pss": PSS, "test-key-ed25519": ED25519}
KINDS = {"test-key-rsa-pss": algorithms.RSA_PSS_SHA512, "test-key-ed25519": algorithms.ED25519, "test-shared-secret": algorithms.HMAC_SHA256}
TARGET = "https://example.com/foo?param=Value&Pet=dog"
KEY, PUBLIC = signatures.new_key()
SIGNER = Signer(KEY, "https://nord.example/ap/users/1#main-key")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
URL = "https://sued.example/inbox?a=b%20c"


@pytest.mark.shows("HTTP message signatures")
@pytest.mark.parametrize("label", VECTORS)
def test_the_published_signatures_are_good_and_no_others(label: str) -> None:
    covered, value = VECTORS[label]
    name = re.findall('keyid="([^"]*)"', covered)[0]
    key: Any = SECRET if name == "test-shared-secret" else load_pem_public_key(KEYS[name].encode())
    keys = MappingKeyResolver(public_keys={name: key}, private_keys={})
    verifier = messages._Verifier(signature_algorithm=KINDS[name], key_resolver=keys)
    headers = REQUEST | {"signature-input": f"{label}={covered}", "signature": f"{label}=:{value}:"}
    (found,) = verifier.verify(messages.Message("POST", TARGET, headers), max_age=None)
    assert found.parameters["created"] == 1618884473
    other = headers | {"signature-input": headers["signature-input"].replace("1618884473", "1618884474")}
    with pytest.raises(InvalidSignature):
        verifier.verify(messages.Message("POST", TARGET, other), max_age=None)


def test_a_good_signature_that_covers_too_little_proves_nothing() -> None:
    headers = {"signature-input": f"sig-b26={VECTORS['sig-b26'][0]}", "signature": f"sig-b26=:{VECTORS['sig-b26'][1]}:"}
    claim, key = messages.parse(headers), load_pem_public_key(ED25519.encode())
    assert isinstance(key, Ed25519PublicKey)
    with pytest.raises(BadSignature, match="headers"):
        messages.verify(claim, key, "POST", TARGET, REQUEST | headers, datetime.fromtimestamp(1618884473, UTC))


def made(method: str = "POST", body: bytes | None = b"{}", url: str = URL) -> dict[str, str]:
    return {name.lower(): value for name, value in messages.sign(SIGNER, method, url, {}, body, NOW).items()}


def check(headers: dict[str, str], method: str = "POST", url: str = URL, later: timedelta = timedelta()) -> None:
    claim = messages.parse(headers)
    messages.verify(claim, signatures.load_public(PUBLIC), method, url, headers, NOW + later)


@pytest.mark.shows("HTTP message signatures")
def test_what_we_sign_is_what_mastodon_asks_for() -> None:
    headers = made()
    assert headers["signature-input"] == (
        'sig1=("@method" "@target-uri" "content-digest");created=1796040000;keyid="https://nord.example/ap/users/1#main-key"')
    assert headers["content-digest"] == "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"
    check(headers)
    messages.check_digest(headers, b"{}")
    check(made("GET", None), "GET")


@given(st.sampled_from(["method", "url", "digest", "signature", "key", "created"]), st.data())
def test_whatever_is_changed_is_noticed(part: str, data: st.DataObject) -> None:
    headers, method, url = made(), "POST", URL
    if part == "method":
        method = data.draw(st.sampled_from(["GET", "PUT", "DELETE"]))
    elif part == "url":
        url = data.draw(st.sampled_from([f"{URL}&x", "https://west.example/inbox?a=b%20c", "https://sued.example/inbox", URL.replace("%20", "+")]))
    elif part == "digest":
        headers["content-digest"] = messages.content_digest(data.draw(st.binary().filter(lambda body: body != b"{}")))
    elif part == "signature":
        raw = bytearray(headers["signature"].encode())
        place = data.draw(st.integers(6, len(raw) - 8))
        raw[place] = ord("A") if raw[place] != ord("A") else ord("B")
        headers["signature"] = raw.decode()
    elif part == "key":
        headers["signature-input"] = headers["signature-input"].replace("users/1", "users/2")
    else:
        headers["signature-input"] = headers["signature-input"].replace("1796040000", "1796040001")
    with pytest.raises(BadSignature):
        check(headers, method, url)


@pytest.mark.parametrize(("later", "reason"), [
    (timedelta(minutes=-61), "future"), (timedelta(minutes=-59), None), (timedelta(minutes=64), None), (timedelta(minutes=66), "expired"),
])
def test_a_signature_is_good_for_a_while(later: timedelta, reason: str | None) -> None:
    if reason is None:
        check(made(), later=later)
    else:
        with pytest.raises(BadSignature, match=reason):
            check(made(), later=later)


def test_one_that_says_how_long_is_good_for_twelve_hours_at_most() -> None:
    headers = made()
    headers["signature-input"] = headers["signature-input"].replace(";keyid", f";expires={1796040000 + 7 * 86_400};keyid")
    for later, reason in ((timedelta(hours=12), "signature"), (timedelta(hours=14), "expired")):  # it was not signed so
        with pytest.raises(BadSignature, match=reason):
            check(headers, later=later)


@pytest.mark.parametrize("given", [
    "", "sig1", 'sig1=("@method")', 'sig1=("@method");created=1', 'sig1=("@method");keyid="k"', 'sig1=("@method");created="1";keyid="k"',
    'sig1=("@method");created=1;keyid=k', 'a=("@method");created=1;keyid="k", b=("@method");created=1;keyid="k"', 'sig1="x";created=1;keyid="k"',
    'sig1=("@method");created=1;keyid="k";expires=1.5', 'sig1=(date);created=1;keyid="k"', 'sig1=("date";sf);created=1;keyid="k"', "(" * 9000,
])
def test_what_cannot_be_read_is_refused(given: str) -> None:
    with pytest.raises(BadSignature, match=r"malformed|headers"):
        messages.parse({"signature-input": given, "signature": "sig1=:AA==:"})


@given(st.text(max_size=60), st.text(max_size=60))
def test_junk_is_refused_and_never_more(given: str, signature: str) -> None:
    with pytest.raises(BadSignature):
        check({"signature-input": given, "signature": signature})


@pytest.mark.shows("Digest fields")
def test_the_body_is_the_one_that_was_named() -> None:
    for wrong in ({}, {"content-digest": "sha-512=:AA==:"}, {"content-digest": "sha-256=:AA==:"}, {"content-digest": "sha-256=x"}, made()):
        with pytest.raises(BadSignature, match="digest"):
            messages.check_digest(wrong, b"{ }")
