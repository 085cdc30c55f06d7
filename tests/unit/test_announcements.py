"""Which names are emoji, held against the machine's own Unicode tables."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.announcements import policy
from parvis.base.errors import Invalid

TONES = [chr(code) for code in range(0x1F3FB, 0x1F400)]
PICTURES = [chr(code) for one in policy.PICTURES.split() for low, _, high in [one.partition("-")]
            for code in range(int(low, 16), int(high or low, 16) + 1)]
pictures = st.sampled_from(PICTURES)
flags = st.text(st.characters(min_codepoint=0x1F1E6, max_codepoint=0x1F1FF), min_size=2, max_size=2)
people = st.builds("".join, st.tuples(pictures, st.sampled_from(["", "\ufe0f", *TONES])))
joined = st.lists(people, min_size=1, max_size=9).map("\u200d".join)
keycaps = st.builds(lambda key, mark: f"{key}{mark}\u20e3", st.sampled_from("0123456789#*"), st.sampled_from(["", "\ufe0f"]))


@given(pictures | flags | people | joined | keycaps)
def test_one_picture_is_an_emoji(name: str) -> None:
    assert policy.is_emoji(name)


@given(st.one_of(pictures, flags, people, keycaps), st.one_of(pictures, flags, keycaps, st.text(min_size=1, max_size=3)))
def test_two_are_not(first: str, second: str) -> None:
    if not second.startswith(("\u200d", "\ufe0f", *TONES)):
        assert not policy.is_emoji(first + second)


@given(st.text(max_size=30))
def test_no_text_is_an_emoji(text: str) -> None:
    if all(unicodedata.category(letter)[0] in "LNPZC" or letter in "+<=>|~^`$" for letter in text):
        assert not policy.is_emoji(text) or any(letter in PICTURES for letter in text)


def test_the_pictures_are_symbols_with_names() -> None:
    assert len(PICTURES) == len(set(PICTURES)) > 1300
    odd = [letter for letter in PICTURES if unicodedata.category(letter) not in ("So", "Sk", "Sm", "Po", "Cn", "Ll", "Nl")]
    assert [f"{ord(letter):x}" for letter in odd] == ["3030"]
    for word in ("", "a", "smile", "12", "1", "#", "─", "é", "→", "\ufe0f", "\u200d", "👍 ", " 👍", "👍\u200d"):
        assert not policy.is_emoji(word), word


@given(st.sets(st.sampled_from("👍👎🎉🎈🍀🌹🌍🚲🚋🏛"), max_size=8), st.sampled_from("👍👎🎉"))
def test_eight_different_ones_stand_under_one_announcement(under: set[str], name: str) -> None:
    if name in under or len(under) < policy.REACTIONS:
        policy.may_react(name, False, under)
    else:
        with pytest.raises(Invalid):
            policy.may_react(name, False, under)
