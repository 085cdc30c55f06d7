"""How like two texts are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parvis.text import likeness

SPAM = "Achetez vos médicaments pas chers dès maintenant, livraison rapide partout en France"
words = st.lists(st.sampled_from(["marché", "quartier", "école", "jardin", "fleuve", "pont", "tramway", "place", "mairie", "fête", "rue", "lampe"]), min_size=12, max_size=60)


def test_what_spam_varies_makes_no_difference() -> None:
    one = likeness.signature(f"@alice {SPAM} https://a.example/1")
    other = likeness.signature(f"@bela@sued.example {SPAM.upper()}!!! https://b.example/2 77")
    assert likeness.alike(one, other) == 100


def test_a_word_more_leaves_it_like_and_another_text_does_not() -> None:
    one = likeness.signature(SPAM)
    assert likeness.alike(one, likeness.signature(f"Bonjour ! {SPAM}")) >= 80
    assert likeness.alike(one, likeness.signature("Le marché de la place rouvre samedi avec les producteurs du coin")) < 20


def test_greetings_have_no_traces() -> None:
    assert likeness.signature("Bonjour à tous !") == ()
    assert likeness.bands(()) == ()
    assert likeness.alike((), likeness.signature(SPAM)) == 0


def test_letters_in_another_dress_are_the_same_letters() -> None:
    assert likeness.normal("\U0001d400\U0001d41b \uff23 \u00c9") == "ab c e"


@given(st.text(max_size=400))
def test_any_text_has_all_its_traces_or_none(text: str) -> None:
    traces = likeness.signature(text)
    assert len(traces) in (0, likeness.HASHES)
    assert len(likeness.bands(traces)) in (0, likeness.BANDS)
    assert all(-(2**31) <= one < 2**31 for one in traces)
    assert all(-(2**63) <= one < 2**63 for one in likeness.bands(traces))
    assert likeness.normal(likeness.normal(text)) == likeness.normal(text)


@given(words, st.text(alphabet=" .,!?0123456789", max_size=8))
def test_signs_and_numbers_change_nothing(said: list[str], noise: str) -> None:
    plain, noisy = " ".join(said), f" {noise} ".join(said)
    assert likeness.signature(plain) == likeness.signature(noisy)


@given(words, words)
def test_likeness_is_mutual_and_of_equals_whole(one: list[str], other: list[str]) -> None:
    a, b = likeness.signature(" ".join(one)), likeness.signature(" ".join(other))
    assert likeness.alike(a, b) == likeness.alike(b, a)
    assert likeness.alike(a, a) == 100


@given(words, words)
def test_the_estimate_is_near_the_truth(one: list[str], other: list[str]) -> None:
    def stretches(text: str) -> set[str]:
        return {text[at : at + likeness.STRETCH] for at in range(len(text) - likeness.STRETCH + 1)}

    a, b = " ".join(one), " ".join(other)
    left, right = stretches(likeness.normal(a)), stretches(likeness.normal(b))
    truth = 100 * len(left & right) / len(left | right)
    assert abs(likeness.alike(likeness.signature(a), likeness.signature(b)) - truth) < 50
    if truth == 100:
        assert set(likeness.bands(likeness.signature(a))) == set(likeness.bands(likeness.signature(b)))
