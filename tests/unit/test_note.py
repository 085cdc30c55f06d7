"""Signed notes and checkpoints: c2sp.org/signed-note and c2sp.org/tlog-checkpoint."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from parvis.ledger import note
from parvis.ledger.note import BadNote

# The example of golang.org/x/mod/sumdb/note, with its published throw-away key.
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_NOTE = (
    PETER_TEXT + "\n— PeterNeumann"
    " x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

# The example of c2sp.org/tlog-checkpoint.
SOFA_CHECKPOINT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

ALICE = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
BELA = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
CITY = "parvis.example/ledger"
KNOWN = {CITY: ALICE.public_key()}

names = st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters="+"), min_size=1)
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n")).map(lambda text: text + "\n")


def refusal(text: str, verifiers: dict[str, Ed25519PublicKey]) -> str:
    with pytest.raises(BadNote) as caught:
        note.opened(text, verifiers)
    return caught.value.word


def test_the_published_example_opens_with_its_published_key() -> None:
    name, key = note.parsed_verifier_key(PETER_KEY)
    assert name == "PeterNeumann"
    assert note.key_id(name, key).hex() == "c74f20a3"
    assert note.opened(PETER_NOTE, {name: key}) == PETER_TEXT


def test_the_published_example_is_signed_to_the_same_bytes() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b64decode(PETER_SECRET)[1:])
    assert note.verifier_key("PeterNeumann", key.public_key()) == PETER_KEY
    assert note.signed(PETER_TEXT, "PeterNeumann", key) == PETER_NOTE


def test_the_published_checkpoint_is_read_and_written_to_the_same_bytes() -> None:
    origin, size, root = note.parsed_checkpoint(SOFA_CHECKPOINT)
    assert (origin, size) == ("example.com/behind-the-sofa", 20852163)
    assert root.hex().startswith("0ac5186a91863e8e")
    assert note.checkpoint(origin, size, root) == SOFA_CHECKPOINT


@given(texts, names)
def test_what_is_signed_opens_to_the_same_text(text: str, name: str) -> None:
    assert note.opened(note.signed(text, name, ALICE), {name: ALICE.public_key()}) == text


@given(st.binary(min_size=32, max_size=32), names)
def test_a_verifier_key_reads_back(seed: bytes, name: str) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    assert note.parsed_verifier_key(note.verifier_key(name, key)) == (name, key)


@given(st.integers(0, note.LARGEST_TREE), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back_through_its_signature(size: int, root: bytes) -> None:
    published = note.signed(note.checkpoint(CITY, size, root), CITY, ALICE)
    assert note.parsed_checkpoint(note.opened(published, KNOWN)) == (CITY, size, root)


@given(st.data())
def test_no_letter_of_a_signed_note_can_be_changed(data: st.DataObject) -> None:
    published = note.signed(note.checkpoint(CITY, 8, b"r" * 32), CITY, ALICE)
    at = data.draw(st.integers(0, len(published) - 1))
    letter = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda other: other != published[at]))
    assert refusal(published[:at] + letter + published[at + 1 :], KNOWN)


def test_a_signature_by_an_unknown_key_does_not_open_a_note() -> None:
    published = note.signed("noted\n", CITY, BELA)
    assert refusal(published, KNOWN) == "unsigned"
    assert refusal(published, {}) == "unsigned"
    assert refusal(note.signed("noted\n", "elsewhere.example", ALICE), KNOWN) == "unsigned"


def test_unknown_signatures_beside_a_known_one_are_passed_over() -> None:
    by_city, by_witness = note.signed("noted\n", CITY, ALICE), note.signed("noted\n", "witness.example", BELA)
    together = by_city + by_witness.removeprefix("noted\n\n")
    assert note.opened(together, KNOWN) == "noted\n"
    assert note.opened(together, {"witness.example": BELA.public_key()}) == "noted\n"
    assert note.opened(together, {**KNOWN, "witness.example": ALICE.public_key()}) == "noted\n"


def test_one_wrong_signature_by_a_known_key_spoils_the_note() -> None:
    right = note.signed("noted\n", CITY, ALICE)
    wrong_line = note.signed("other\n", "witness.example", BELA).removeprefix("other\n\n")
    verifiers = {**KNOWN, "witness.example": BELA.public_key()}
    assert refusal(right + wrong_line, verifiers) == "signature_wrong"


def test_sixteen_signatures_are_accepted_and_more_than_a_hundred_are_not() -> None:
    right = note.signed("noted\n", CITY, ALICE)
    line = note.signed("noted\n", "witness.example", BELA).removeprefix("noted\n\n")
    assert note.opened(right + line * 15, KNOWN) == "noted\n"
    assert refusal(right + line * 100, KNOWN) == "too_many_signatures"


def test_the_text_goes_up_to_the_last_empty_line() -> None:
    text = "first\n\n— not a signature\n\n\nlast\n"
    assert note.opened(note.signed(text, CITY, ALICE), KNOWN) == text


SIGNATURE = note.signed("noted\n", CITY, ALICE).removeprefix("noted\n\n")


@pytest.mark.parametrize(
    "misshapen",
    [
        "",
        "noted\n",
        "noted\n\n",
        "noted\n" + SIGNATURE,
        "noted\n\n" + SIGNATURE.rstrip("\n"),
        "noted\n\n" + SIGNATURE.replace("— ", "- "),
        "noted\n\n" + SIGNATURE.replace("— ", "—  "),
        "noted\n\n" + SIGNATURE.replace(CITY, "parvis+example"),
        "noted\n\n" + SIGNATURE.replace("\n", " \n"),
        "noted\n\n" + SIGNATURE.replace("=", ""),
        "noted\n\n— parvis.example/ledger AAAA\n",
        "noted\r\n\n" + SIGNATURE,
        "no\x00ted\n\n" + SIGNATURE,
        "no\ud800ted\n\n" + SIGNATURE,
    ],
)
def test_a_misshapen_note_is_refused(misshapen: str) -> None:
    assert refusal(misshapen, KNOWN) in {"malformed", "key_name_malformed"}


def test_base_64_has_one_spelling_only() -> None:
    spelled = SIGNATURE.rstrip("\n")
    assert spelled.endswith("=") and not spelled.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    respelled = spelled[:-2] + alphabet[alphabet.index(spelled[-2]) ^ 1] + "="
    assert b64decode(respelled.split(" ")[2]) == b64decode(spelled.split(" ")[2])
    assert refusal(f"noted\n\n{respelled}\n", KNOWN) == "malformed"


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "a\x01b"])
def test_a_name_with_spaces_or_plus_signs_cannot_sign(name: str) -> None:
    with pytest.raises(BadNote, match="key_name_malformed"):
        note.signed("noted\n", name, ALICE)


def test_only_text_that_ends_its_last_line_can_be_signed() -> None:
    with pytest.raises(BadNote, match="text_unterminated"):
        note.signed("noted", CITY, ALICE)
    with pytest.raises(BadNote, match="malformed"):
        note.signed("no\tted\n", CITY, ALICE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        PETER_KEY.replace("c74f20a3", "c74f20a4"),
        PETER_KEY.replace("c74f20a3", "C74F20A3"),
        PETER_KEY.replace("PeterNeumann", "PeterNewman"),
        PETER_KEY[:-4],
        "PeterNeumann+c74f20a3+" + b64encode(b"\x04" + b"k" * 32).decode(),
    ],
)
def test_a_verifier_key_whose_id_is_not_its_own_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        note.parsed_verifier_key(text)


ROOT = b64encode(b"r" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{CITY}\n8\n{ROOT}",
        f"{CITY}\n8\n",
        f"\n8\n{ROOT}\n",
        f"{CITY}\n08\n{ROOT}\n",
        f"{CITY}\n+8\n{ROOT}\n",
        f"{CITY}\n-8\n{ROOT}\n",
        f"{CITY}\n٨\n{ROOT}\n",
        f"{CITY}\n{2**63}\n{ROOT}\n",
        f"{CITY}\n{'9' * 5000}\n{ROOT}\n",
        f"{CITY}\n8\n{ROOT[:-4]}\n",
        f"{CITY}\n8\n{ROOT}\n\n",
        f"{CITY}\n8\n{ROOT}\nextension\n\nanother\n",
    ],
)
def test_a_misshapen_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        note.parsed_checkpoint(text)


def test_extension_lines_are_passed_over() -> None:
    assert note.parsed_checkpoint(f"{CITY}\n0\n{ROOT}\nextension\nanother\n") == (CITY, 0, b"r" * 32)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [("", 8, b"r" * 32), ("a\nb", 8, b"r" * 32), (CITY, -1, b"r" * 32), (CITY, 8, b"r" * 31), (CITY, 2**63, b"r" * 32)],
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_written(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(BadNote, match="checkpoint_malformed"):
        note.checkpoint(origin, size, root)
