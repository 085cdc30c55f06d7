"""Proofs in documents (FEP-8b32) and the keys they are checked with (FEP-521a): the published vectors, and the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from parvis.federation import integrity, jcs, multikeys
from parvis.federation.integrity import Claim
from parvis.federation.multikeys import Multikey
from parvis.federation.signatures import BadSignature

NOW = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
# The key of both the proposal's and the W3C's vectors: https://www.w3.org/TR/vc-di-eddsa/#representation-eddsa-jcs-2022
SECRET, PUBLIC = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq", "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
KEY = Ed25519PrivateKey.from_private_bytes(multikeys.decoded(SECRET)[2:])
ALICE = "https://server.example/users/alice"
METHOD = f"{ALICE}#ed25519-key"


def create(version: str = "v2") -> dict[str, Any]:
    """What is signed in fep-8b32.feature; until 2026 with the first version of the context, as in Fedify's tests."""
    return {
        "@context": ["https://www.w3.org/ns/activitystreams", f"https://w3id.org/security/data-integrity/{version}"],
        "id": "https://server.example/activities/1", "type": "Create", "actor": ALICE,
        "object": {
            "id": "https://server.example/objects/1", "type": "Note", "attributedTo": ALICE, "content": "Hello world",
            "location": {"type": "Place", "longitude": -71.184902, "latitude": 25.273962},
        },
    }


FEATURE = {
    "v2": "z42ffGu6AUKPCFcFPiabmUvnGLPJzC7e4DGWC52NUasSSH37UMa9c58tdgVszUcZfytxa4fQ5TYHaJENCxUDe9SdL",
    "v1": "zLaewdp4H9kqtwyrLatK4cjY5oRHwVcw4gibPSUDYDMhi4M49v8pcYk3ZB6D69dNpAPbUmY8ocuJ3m9KhKJEEg7z",
}
# The first fep-8b32.feature: the proof has no context of its own.
OLDER = {
    "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"],
    "type": "Create", "actor": ALICE, "object": {"type": "Note", "content": "Hello world"},
    "proof": {
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod", "created": "2023-02-24T23:36:38Z",
        "proofValue": "z3sXaxjKs4M3BRicwWA9peyNPJvJqxtGsDmpt1jjoHCjgeUf71TRFz56osPSfDErszyLp5Ks1EhYSgpDaNM977Rg2",
    },
}
# W3C, Data Integrity EdDSA Cryptosuites 1.0, B.3 (examples 29 to 39).
CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33", "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential", "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678", "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
W3C_HASHES = (
    "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
)
W3C_SIGNATURE = (
    "407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b80351da3f253d725c6f00b07c9e5448d50b3ef78012b9ab54255116d069c6dd2808"
)
W3C_VALUE = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"


def checked(document: dict[str, Any], public: str = PUBLIC, now: datetime = NOW) -> None:
    claim = integrity.shown(document, ALICE)
    assert claim is not None
    integrity.verify(document, claim, public, now)


def refused(document: dict[str, Any], public: str = PUBLIC, now: datetime = NOW) -> str:
    with pytest.raises(BadSignature) as error:
        checked(document, public, now)
    return error.value.reason


def proof(**other: Any) -> dict[str, Any]:
    """A creation with a good proof, then changed."""
    found = integrity.made(create(), KEY, METHOD, NOW)
    return found | {"proof": found["proof"] | other}


@pytest.mark.shows("FEP-8b32")
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_proposals_vector_is_made_and_checked(version: str) -> None:
    made = integrity.made(create(version), KEY, METHOD, NOW)
    assert made["proof"] == {
        "@context": create(version)["@context"], "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": METHOD, "proofPurpose": "assertionMethod", "proofValue": FEATURE[version],
        "created": "2023-02-24T23:36:38Z",
    }
    checked(made)


@pytest.mark.shows("FEP-8b32")
def test_the_proposals_older_vector_is_checked() -> None:
    checked(OLDER)


@pytest.mark.shows("Data Integrity EdDSA Cryptosuites")
def test_the_vector_of_the_w3c_is_made_and_checked() -> None:
    method = f"did:key:{PUBLIC}#{PUBLIC}"
    made = integrity.made(CREDENTIAL, KEY, method, NOW)
    options = {name: value for name, value in made["proof"].items() if name != "proofValue"}
    assert integrity.hashed(CREDENTIAL, options).hex() == W3C_HASHES
    assert multikeys.decoded(made["proof"]["proofValue"]).hex() == W3C_SIGNATURE
    assert made["proof"]["proofValue"] == W3C_VALUE
    integrity.verify(made, Claim(method, options, W3C_VALUE), PUBLIC, NOW)


def test_the_public_key_is_that_of_the_secret_one() -> None:
    assert multikeys.written(KEY.public_key()) == PUBLIC


@pytest.mark.parametrize(("text", "raw"), [  # draft-msporny-base58, section 5
    ("z2NEpo7TZRRrLZSi2U", b"Hello World!"), ("z11233QC4", bytes.fromhex("0000287fb4cd")),
    ("zUSm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z", b"The quick brown fox jumps over the lazy dog."),
    ("z", b""), ("z1", b"\0"),
])
def test_base58_is_written_and_read(text: str, raw: bytes) -> None:
    assert (multikeys.encoded(raw), multikeys.decoded(text)) == (text, raw)


@given(st.binary(max_size=80))
def test_bytes_are_read_as_they_were_written(raw: bytes) -> None:
    assert multikeys.decoded(multikeys.encoded(raw)) == raw


@pytest.mark.parametrize("text", ["", "6MkrJV", "z0", "zO", "zl", "z6Mk é", "u" + PUBLIC[1:], "z" * 200])
def test_other_letters_are_no_base58(text: str) -> None:
    with pytest.raises(BadSignature):
        multikeys.decoded(text)
    with pytest.raises(BadSignature, match="key"):
        multikeys.loaded(text)


@pytest.mark.parametrize("raw", [b"\xed\x01" + b"x" * 31, b"\xed\x01" + b"x" * 33, b"\xe7\x01" + b"x" * 32, b"x" * 34, b""])
def test_other_keys_are_none(raw: bytes) -> None:
    with pytest.raises(BadSignature, match="key"):
        multikeys.loaded(multikeys.encoded(raw))


@pytest.mark.parametrize("place", [("id",), ("actor",), ("object", "content"), ("object", "location", "latitude"), ("new",), ("@context",)])
def test_whatever_is_changed_spoils_the_proof(place: tuple[str, ...]) -> None:
    found = msgspec.json.decode(msgspec.json.encode(proof()))
    inner = found
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = "otherwise"
    assert refused(found) in ("signature", "context")


@pytest.mark.parametrize("change", [
    {"created": "2023-02-24T23:36:39Z"}, {"challenge": "x"}, {"verificationMethod": f"{ALICE}#another"},
    {"proofValue": FEATURE["v1"]}, {"@context": []}, {"@context": ["https://www.w3.org/ns/activitystreams"]},
])
def test_whatever_is_said_of_the_proof_is_signed_as_well(change: dict[str, Any]) -> None:
    assert refused(proof(**change)) == "signature"


@pytest.mark.parametrize("value", ["z", "z1", multikeys.encoded(b"x" * 63), multikeys.encoded(b"x" * 65), FEATURE["v2"][1:], "z" * 4000])
def test_a_value_that_is_no_signature_is_refused(value: str) -> None:
    assert refused(proof(proofValue=value)) in ("signature", "malformed")


def test_another_key_is_refused() -> None:
    assert refused(proof(), multikeys.written(Ed25519PrivateKey.generate().public_key())) == "signature"
    assert refused(proof(), "") == "key"


def test_a_linked_data_signature_that_was_put_on_afterwards_does_not_matter() -> None:
    checked(proof() | {"signature": {"type": "RsaSignature2017"}})


def test_a_number_that_others_may_read_otherwise_proves_nothing() -> None:
    assert refused(proof() | {"size": 2**60 + 1}) == "signature"
    with pytest.raises(jcs.NotCanonicalError):
        integrity.made(create() | {"size": 2**60 + 1}, KEY, METHOD, NOW)


@pytest.mark.parametrize(("after", "reason"), [
    (timedelta(hours=-2), "future"), (timedelta(minutes=-59), ""), (timedelta(hours=12, minutes=59), ""), (timedelta(hours=14), "expired"),
])
def test_it_is_good_as_long_as_other_signatures(after: timedelta, reason: str) -> None:
    assert not reason or refused(proof(), now=NOW + after) == reason
    assert reason or checked(proof(), now=NOW + after) is None


@pytest.mark.parametrize(("said", "reason"), [
    ({"created": None}, "date"), ({"created": "yesterday"}, "date"), ({"expires": "soon"}, "date"), ({"expires": "2023-02-24T20:00:00Z"}, "expired"),
])
def test_it_says_when_it_was_made_and_keeps_to_its_end(said: dict[str, Any], reason: str) -> None:
    assert refused(proof(**said)) == reason


@pytest.mark.parametrize("other", [
    {"type": "Ed25519Signature2020"}, {"cryptosuite": "eddsa-rdfc-2022"}, {"cryptosuite": "jcs-eddsa-2022"}, {"proofPurpose": "authentication"},
    {"verificationMethod": "https://elsewhere.example/users/alice#ed25519-key"}, {"verificationMethod": {"id": METHOD}},
    {"verificationMethod": f"did:key:{PUBLIC}#{PUBLIC}"}, {"proofValue": 7}, {"proofValue": None},
])
def test_what_is_no_proof_of_our_kind_counts_as_none(other: dict[str, Any]) -> None:
    assert integrity.shown(proof(**other), ALICE) is None


def test_of_several_proofs_the_one_of_the_speakers_server_counts() -> None:
    mine = proof()
    other = mine["proof"] | {"verificationMethod": "https://elsewhere.example/actor#ed25519-key"}
    checked(mine | {"proof": [other, "x", None, mine["proof"]]})
    assert integrity.shown(mine | {"proof": []}, ALICE) is None
    assert integrity.shown(mine | {"proof": [other] * 10 + [mine["proof"]]}, ALICE) is None


@given(st.recursive(st.none() | st.text() | st.integers() | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_proof_of_whatever_shape_proves_nothing(shape: Any) -> None:
    assert integrity.shown({"proof": shape}, ALICE) is None
    found = proof(**shape) if isinstance(shape, dict) else proof(created=shape)
    claim = integrity.shown(found, ALICE)
    if claim is not None and found != proof():
        with pytest.raises(BadSignature):
            integrity.verify(found, claim, PUBLIC, NOW)


def key(**other: Any) -> dict[str, Any]:
    return {"id": METHOD, "type": "Multikey", "controller": ALICE, "publicKeyMultibase": PUBLIC} | other


@pytest.mark.shows("FEP-521a")
def test_keys_are_read_as_they_are_shown() -> None:
    assert multikeys.read(multikeys.shown(ALICE, PUBLIC), ALICE) == (Multikey(METHOD, PUBLIC),)
    assert multikeys.read({"assertionMethod": key(type=["Key", "Multikey"], expires="2030-01-01T00:00:00Z")}, ALICE) == (
        Multikey(METHOD, PUBLIC, datetime(2030, 1, 1, tzinfo=UTC)),
    )
    ended = multikeys.read({"assertionMethod": [key(expires="2030-01-01T00:00:00Z", revoked="2020-01-01T00:00:00Z")]}, ALICE)
    assert [one.expires for one in ended] == [datetime(2020, 1, 1, tzinfo=UTC)]


@pytest.mark.shows("FEP-521a")
@pytest.mark.parametrize("other", [
    {"controller": "https://server.example/users/bob"}, {"controller": None}, {"id": "https://elsewhere.example/users/alice#ed25519-key"},
    {"id": None}, {"id": f"{METHOD}\0"}, {"type": "Ed25519VerificationKey2020"}, {"publicKeyMultibase": "z6Mk"}, {"publicKeyMultibase": None},
    {"publicKeyMultibase": SECRET}, {"expires": "soon"}, {"revoked": "long ago"},
])
def test_a_key_of_another_or_of_another_kind_is_not_the_actors(other: dict[str, Any]) -> None:
    assert multikeys.read({"assertionMethod": [key(**other), METHOD, None, 7]}, ALICE) == ()


def test_ten_keys_are_read_and_each_name_once() -> None:
    many = [key(id=f"{ALICE}#{number}") for number in range(20)]
    assert len(multikeys.read({"assertionMethod": many}, ALICE)) == 10
    assert len(multikeys.read({"assertionMethod": [key(), key()]}, ALICE)) == 1
