"""Language codes of posts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.text import language


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("fr", "fr"),
        ("FR", "fr"),
        ("pt-br", "pt-BR"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("ast", "ast"),
        ("french", None),
        ("f", None),
        ("", None),
        ("fr-", None),
        ("fr; drop", None),
    ],
)
def test_a_code_is_a_language_maybe_a_script_maybe_a_region(code: str, expected: str | None) -> None:
    assert language.valid(code) == expected


@given(st.text() | st.sampled_from(["fr", "pt-BR", "zh-Hant", "EN_us"]))
def test_a_valid_code_stays_valid_and_the_same(code: str) -> None:
    valid = language.valid(code)
    assert valid is None or language.valid(valid) == valid


def test_every_named_language_has_a_valid_code() -> None:
    assert all(language.valid(code) == code for code in language.NAMES)
