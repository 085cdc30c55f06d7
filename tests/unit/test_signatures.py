"""HTTP signatures: made, checked, refused."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from parvis.federation import signatures
from parvis.federation.signatures import BadSignature

# draft-cavage-http-signatures-12, Appendix C: the published test key, request and signatures.
DRAFT_KEY = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3
6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6
Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw
oYi+1hqp1fIekaxsyQIDAQAB
-----END PUBLIC KEY-----
"""
DRAFT_TARGET = "/foo?param=value&pet=dog"
DRAFT_BODY = b'{"hello": "world"}'
DRAFT_HEADERS = {
    "host": "example.com",
    "date": "Sun, 05 Jan 2014 21:31:40 GMT",
    "content-type": "application/json",
    "digest": "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
    "content-length": "18",
}
DRAFT_TIMES = {"(created)": 1402170695, "(expires)": 1402170699}
DEFAULT = (
    "SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS+lavg7T8hc0Gpp"
    "auB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM="
)
BASIC = (
    "qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3n"
    "ndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0="
)
ALL_BEFORE_DRAFT_11 = (
    "vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaE"
    "RZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE="
)
ALL = (
    "nAkCW0wg9AbbStQRLi8fsS1mPPnA6S5+/0alANcoDFG9hG0bJ8NnMRcB1Sz1eccNMzzLEke7nGXqoiJYZFfT81oaRqh/MNFwQVX4OZvTLZ5xVZQu"
    "chRkOSO7b2QX0aFWFOUq6dnwAyliHrp6w3FOxwkGGJPaerw2lOYLdC/Bejk="
)
ALL_NAMES = "(request-target) (created) (expires) host date content-type digest content-length"

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
BODY = b'{"type":"Like"}'
KEY_ID = "https://city.example/users/alice#main-key"


class Request(NamedTuple):
    """A signed request as it arrives."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def arrived(method: str = "POST", url: str = "https://peer.example/inbox?a=1", now: datetime = NOW) -> Request:
    body = BODY if method == "POST" else None
    given_headers = {"Content-Type": "application/activity+json", "Accept": "*/*"}
    signed = signatures.sign(signatures.Signer(KEY, KEY_ID), method, url, given_headers, body, now)
    headers = {name.lower(): value for name, value in (given_headers | signed).items()}
    return Request(method, url.removeprefix("https://peer.example"), headers, body or b"")


def check(request: Request, now: datetime = NOW) -> None:
    parameters = signatures.parse(request.headers["signature"])
    signatures.verify(parameters, KEY.public_key(), request.method, request.target, request.headers, now)
    if request.method == "POST":
        signatures.check_digest(request.headers, request.body)


def handmade(names: str, algorithm: str = "hs2019", extra: str = "", times: dict[str, int] | None = None) -> Request:
    """A request another server could have signed, covering just these names."""
    headers = {"host": "peer.example", "date": "Sat, 14 Mar 2026 09:26:53 GMT", "digest": signatures.digest(BODY)}
    text = signatures.signing_text(names.split(), "POST", "/inbox", headers, times)
    value = b64encode(KEY.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
    headers["signature"] = f'keyId="k",algorithm="{algorithm}",headers="{names}",signature="{value}"{extra}'
    return Request("POST", "/inbox", headers, BODY)


@pytest.mark.shows("HTTP signatures")
@pytest.mark.parametrize(
    ("names", "signature"),
    [("date", DEFAULT), ("(request-target) host date", BASIC), (ALL_NAMES, ALL)],
)
def test_the_text_signed_is_that_of_the_drafts_examples(names: str, signature: str) -> None:
    text = signatures.signing_text(names.split(), "POST", DRAFT_TARGET, DRAFT_HEADERS, DRAFT_TIMES)
    key = signatures.load_public(DRAFT_KEY)
    key.verify(b64decode(signature), text, padding.PKCS1v15(), hashes.SHA256())


def test_the_drafts_request_with_all_headers_is_accepted_in_its_time() -> None:
    names = "(request-target) host date content-type digest content-length"
    header = f'keyId="Test",algorithm="rsa-sha256",headers="{names}",signature="{ALL_BEFORE_DRAFT_11}"'
    parameters = signatures.parse(header)
    then = datetime(2014, 1, 5, 21, 31, 40, tzinfo=UTC)
    signatures.verify(parameters, DRAFT_KEY, "POST", DRAFT_TARGET, DRAFT_HEADERS, then)
    signatures.check_digest(DRAFT_HEADERS, DRAFT_BODY)


def test_the_drafts_default_is_the_date_alone_which_we_refuse() -> None:
    parameters = signatures.parse(f'keyId="Test",algorithm="rsa-sha256",signature="{DEFAULT}"')
    assert parameters.headers == ("date",)
    with pytest.raises(BadSignature, match="digest"):
        signatures.verify(parameters, DRAFT_KEY, "POST", DRAFT_TARGET, DRAFT_HEADERS, NOW)


@pytest.mark.shows("HTTP signatures")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_we_sign_others_can_verify(method: str) -> None:
    check(arrived(method))


def test_a_post_signs_target_host_date_digest_and_content_type() -> None:
    request = arrived()
    names = ("(request-target)", "host", "date", "digest", "content-type")
    assert signatures.parse(request.headers["signature"]).headers == names
    assert request.headers["date"] == "Sat, 14 Mar 2026 09:26:53 GMT"


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://peer.example", "peer.example", "/"),
        ("https://peer.example:443/a?b=c#d", "peer.example", "/a?b=c"),
        ("http://localhost:8001/inbox", "localhost:8001", "/inbox"),
        ("https://Exämple.org/inbox", "xn--exmple-cua.org", "/inbox"),
        ("http://[::1]:8001/inbox", "[::1]:8001", "/inbox"),
    ],
)
def test_host_and_target_are_those_of_the_address(url: str, host: str, target: str) -> None:
    signed = signatures.sign(signatures.Signer(KEY, KEY_ID), "GET", url, {}, None, NOW)
    assert signed["Host"] == host
    headers = {name.lower(): value for name, value in signed.items()}
    signatures.verify(signatures.parse(signed["Signature"]), KEY.public_key(), "GET", target, headers, NOW)


def test_a_new_key_signs_and_verifies() -> None:
    private, public = signatures.new_key()
    signed = signatures.sign(signatures.Signer(private, KEY_ID), "GET", "https://peer.example/a", {}, None, NOW)
    headers = {name.lower(): value for name, value in signed.items()}
    signatures.verify(signatures.parse(signed["Signature"]), public, "GET", "/a", headers, NOW)
    assert signatures.load_private(private).key_size == 2048


def test_a_signature_made_without_the_query_is_accepted() -> None:
    request = arrived(url="https://peer.example/inbox")
    check(request._replace(target="/inbox?a=1"))


def test_a_signature_made_with_another_query_is_refused() -> None:
    with pytest.raises(BadSignature, match="signature"):
        check(arrived()._replace(target="/inbox?a=2"))


@given(st.sampled_from(["host", "date", "digest", "content-type"]), st.data())
def test_no_byte_of_a_signed_header_can_change(name: str, data: st.DataObject) -> None:
    request = arrived()
    value = request.headers[name]
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda new: new != value[place]))
    request.headers[name] = value[:place] + other + value[place + 1 :]
    with pytest.raises(BadSignature):
        check(request)


@given(st.data())
def test_no_byte_of_the_signature_can_change(data: st.DataObject) -> None:
    request = arrived()
    header = request.headers["signature"]
    place = data.draw(st.integers(header.index('signature="') + 11, len(header) - 2))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda new: new != header[place]))
    request.headers["signature"] = header[:place] + other + header[place + 1 :]
    with pytest.raises(BadSignature):
        check(request)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_byte_of_the_body_can_change(place: int, flip: int) -> None:
    request = arrived()
    body = bytearray(BODY)
    body[place] ^= flip
    with pytest.raises(BadSignature, match="digest"):
        check(request._replace(body=bytes(body)))


@pytest.mark.parametrize(("method", "target"), [("PUT", "/inbox?a=1"), ("POST", "/outbox")])
def test_a_signature_cannot_be_carried_to_another_request(method: str, target: str) -> None:
    with pytest.raises(BadSignature, match="signature"):
        check(arrived()._replace(method=method, target=target))


def test_another_persons_key_is_refused() -> None:
    request = arrived()
    parameters = signatures.parse(request.headers["signature"])
    with pytest.raises(BadSignature, match="signature"):
        signatures.verify(parameters, DRAFT_KEY, "POST", request.target, request.headers, NOW)


@given(st.timedeltas(timedelta(hours=-48), timedelta(hours=48)))
def test_a_signature_holds_from_an_hour_before_its_date_to_thirteen_after(age: timedelta) -> None:
    request = arrived()
    if timedelta(hours=-1) <= age <= timedelta(hours=13):
        check(request, NOW + age)
    else:
        with pytest.raises(BadSignature, match="future" if age < timedelta() else "expired"):
            check(request, NOW + age)


def test_a_signature_holds_no_longer_than_it_says() -> None:
    made = int(NOW.timestamp())
    request = handmade(
        "(request-target) (created) (expires) digest",
        extra=f",created={made},expires={made + 60}",
        times={"(created)": made, "(expires)": made + 60},
    )
    check(request, NOW + timedelta(hours=1))
    with pytest.raises(BadSignature, match="expired"):
        check(request, NOW + timedelta(hours=1, seconds=61))


@pytest.mark.parametrize(
    ("names", "algorithm", "reason"),
    [
        ("(request-target) date digest", "hs2019", None),
        ("date digest", "rsa-sha256", None),
        ("(request-target) host date", "rsa-sha256", "digest"),
        ("(request-target) host digest", "rsa-sha256", "date"),
        ("(request-target) date digest", "rsa-sha512", "algorithm"),
        ("(request-target) date digest", "ed25519", "algorithm"),
        ("(request-target) date digest", "hmac-sha256", "algorithm"),
    ],
)
def test_a_post_must_sign_enough_in_a_known_way(names: str, algorithm: str, reason: str | None) -> None:
    request = handmade(names, algorithm)
    if reason is None:
        check(request)
    else:
        with pytest.raises(BadSignature, match=reason):
            check(request)


def test_a_get_must_sign_the_host_and_the_target() -> None:
    for names, reason in (("(request-target) date", "host"), ("host date", "target")):
        with pytest.raises(BadSignature, match=reason):
            check(handmade(names)._replace(method="GET"))


def test_signed_times_are_not_for_rsa_sha256() -> None:
    made = int(NOW.timestamp())
    names = "(request-target) (created) digest"
    times = {"(created)": made}
    check(handmade(names, "hs2019", f",created={made}", times))
    with pytest.raises(BadSignature, match="algorithm"):
        check(handmade(names, "rsa-sha256", f",created={made}", times))


def test_a_signed_header_must_be_there() -> None:
    request = arrived()
    del request.headers["content-type"]
    with pytest.raises(BadSignature, match="headers"):
        check(request)
    with pytest.raises(BadSignature, match="headers"):
        check(handmade("(created) digest", times={"(created)": 1}))


@pytest.mark.parametrize("date", ["yesterday", "", "Sat, 99 Mar 2026 09:26:53 GMT"])
def test_an_unreadable_date_is_refused(date: str) -> None:
    request = arrived()
    request.headers["date"] = date
    with pytest.raises(BadSignature, match="date"):
        check(request)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        'keyId="k"',
        'signature="YQ=="',
        'keyId="",signature="YQ=="',
        'keyId="k",signature=""',
        'keyId="k",signature="%%%"',
        'keyId="k",signature="YR=="',
        'keyId="k",signature="YQ"',
        'keyId="k",keyId="l",signature="YQ=="',
        'keyId="k",signature="YQ==",signature="Yg=="',
        'keyId="k",signature="YQ==",',
        'keyId="k" signature="YQ=="',
        'keyId="k",signature="YQ==',
        'keyId="k",signature="YQ==",headers=""',
        'keyId="k",signature="YQ==",headers="date date"',
        'keyId="k",signature="YQ==",created="soon"',
        'keyId="k",signature="YQ==",created=1.5',
        'keyId="k",signature="YQ==",x="' + "a" * 10_000 + '"',
    ],
)
def test_a_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(BadSignature) as refusal:
        signatures.parse(header)
    assert refusal.value.reason == "malformed"


@given(st.text() | st.text('keyIdsgnatur="=,\\ 1()', max_size=40))
def test_any_header_is_read_or_refused(header: str) -> None:
    try:
        read = signatures.parse(header)
    except BadSignature as refusal:
        outcome = refusal.reason
    else:
        outcome = read.key_id and "read"
    assert outcome in ("malformed", "read")


def test_parameters_may_be_spaced_escaped_and_unknown() -> None:
    parameters = signatures.parse(r'keyId="a\"b" , created="5",opaque="x", headers="Date Host",signature="YQ=="')
    assert parameters == signatures.Parameters('a"b', "hs2019", ("date", "host"), b"a", created=5)


@pytest.mark.parametrize(
    "value",
    ["", "SHA-512=abc", "SHA-256=abc", "SHA-256", signatures.digest(b"other"), f"{signatures.digest(BODY)}," * 2],
)
def test_a_digest_must_be_there_once_and_equal(value: str) -> None:
    with pytest.raises(BadSignature, match="digest"):
        signatures.check_digest({"digest": value}, BODY)


def test_a_digest_may_be_named_in_any_case_and_among_others() -> None:
    signatures.check_digest({"digest": "SHA-512=abc, " + signatures.digest(BODY).replace("SHA", "sha")}, BODY)


def test_only_rsa_keys_of_a_reasonable_size_are_loaded() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = curve.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for bad in (pem, "", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "\ud800"):
        with pytest.raises(BadSignature, match="key"):
            signatures.load_public(bad)
    with pytest.raises(BadSignature, match="key"):
        signatures.load_private("nothing")
