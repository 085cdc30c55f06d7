"""RFC 8785: its own examples, and that what is spelled is read back as it was."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.federation.jcs import LARGEST, NotCanonicalError, canonical

pytestmark = pytest.mark.shows("JSON Canonicalization Scheme")

# RFC 8785, Appendix B: the bits of a number, and how it is written.
NUMBERS = {
    "0000000000000000": "0", "8000000000000000": "0", "0000000000000001": "5e-324", "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308", "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992", "c340000000000000": "-9007199254740992", "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22", "44b52d02c7e14af6": "1e+23", "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000", "444b1ae4d6e2ef4f": "999999999999999900000", "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7", "3eb0c6f7a0b5ed8d": "0.000001", "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325", "41b3de4355555555": "333333333.3333333", "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343", "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}
# Section 3.2.2 and 3.2.4: the sample, and the bytes of what it becomes.
SAMPLE = r"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
BYTES = """
7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73 22 3a 5b 33 33 33
33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37 5d 2c 22 73 74 72 69 6e
67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d
"""
# Section 3.2.3: names are in the order of their UTF-16 code units.
NAMES = r"""{
  "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
  "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
}"""
ORDER = ["Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign", "Emoji: Grinning Face",
         "Hebrew Letter Dalet With Dagesh"]

numbers = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20,
)


@pytest.mark.parametrize(("bits", "expected"), NUMBERS.items())
def test_numbers_are_written_as_in_appendix_b(bits: str, expected: str) -> None:
    assert canonical(struct.unpack(">d", bytes.fromhex(bits))[0]) == expected.encode()


def test_the_sample_becomes_the_bytes_of_the_rfc() -> None:
    assert canonical(msgspec.json.decode(SAMPLE)) == bytes.fromhex(BYTES)


def test_names_stand_in_the_order_of_their_code_units() -> None:
    assert list(json.loads(canonical(msgspec.json.decode(NAMES))).values()) == ORDER


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, LARGEST + 2, -LARGEST - 2, 10**21, 10**400, "\ud800", {"\udead": 1}, {1: 2}, {"x": b"y"}])
def test_what_others_would_read_otherwise_has_no_spelling(value: Any) -> None:
    with pytest.raises(NotCanonicalError):
        canonical(value)


@given(values)
def test_what_is_written_is_read_as_it_was_and_written_alike_again(value: Any) -> None:
    written = canonical(value)
    assert json.loads(written, parse_int=float) == value
    assert canonical(msgspec.json.decode(written)) == canonical(json.loads(written)) == written


@given(st.dictionaries(st.text(), values, max_size=6))
def test_the_order_in_which_names_came_does_not_matter(value: dict[str, Any]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@given(numbers)
def test_a_number_is_written_as_short_as_it_can_be_told_from_all_others(value: float) -> None:
    written = canonical(value).decode()
    assert float(written) == value
    assert sum(letter.isdigit() for letter in written.partition("e")[0].strip("-0.").replace(".", "")) <= 17
