"""How a search is understood."""

from __future__ import annotations

import string
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.search.model import ME, Candidate, Wish
from parvis.search.policy import MARKS, MOST_TERMS, WEIGHTS, named, pattern, suggested, understood, worth

HOME = "city.example"
words = st.text(string.ascii_letters + "éàçÅ市", min_size=1, max_size=12)
days = st.dates(date(1990, 1, 1), date(2090, 1, 1))
terms = st.one_of(
    words, words.map(lambda word: f"-{word}"), st.lists(words, min_size=1, max_size=3).map(lambda some: f'"{" ".join(some)}"'),
    st.sampled_from([f"{kind}:{mark}" for kind, marks in MARKS.items() for mark in marks]),
    words.map(lambda word: f"zz:{word}"), words.map(lambda word: f"from:@{word}"), days.map(lambda day: f"before:{day}"),
    days.map(lambda day: f"after:{day}"), days.map(lambda day: f"during:{day}"), st.sampled_from(["language:fr", "language:qqqq", "from:me"]),
)


@given(st.text(max_size=300))
def test_whatever_is_typed_is_understood(text: str) -> None:
    wish = understood(text, HOME)
    assert isinstance(wish, Wish)
    assert len(wish.words) + len(wish.without) <= MOST_TERMS
    assert all("\x00" not in said for said in (*wish.words, *wish.without))


@given(st.lists(terms, max_size=12))
def test_the_order_of_terms_does_not_matter(some: list[str]) -> None:
    one, two = understood(" ".join(some), HOME), understood(" ".join(reversed(some)), HOME)
    for field in Wish.__struct_fields__:
        a, b = getattr(one, field), getattr(two, field)
        assert (sorted(a) == sorted(b)) if isinstance(a, tuple) else a == b, field


@given(st.lists(terms, max_size=8), terms)
def test_one_more_term_never_takes_one_away(some: list[str], more: str) -> None:
    before, after = understood(" ".join(some), HOME), understood(" ".join([*some, more]), HOME)
    for field in Wish.__struct_fields__:
        a, b = getattr(before, field), getattr(after, field)
        if isinstance(a, tuple | frozenset):
            assert set(a) <= set(b), field
    assert before.since is None or (after.since is not None and after.since >= before.since)
    assert before.until is None or (after.until is not None and after.until <= before.until)


@given(words)
def test_an_unknown_operator_is_a_word(word: str) -> None:
    assert understood(f"zz:{word}", HOME).words == (f"zz:{word}",)
    assert understood(f"-zz:{word}", HOME).without == (f"zz:{word}",)


@given(days)
def test_the_three_dates_share_the_days_out(day: date) -> None:
    before, during, after = (understood(f"{kind}:{day}", HOME) for kind in ("before", "during", "after"))
    assert before.until == during.since == day
    assert during.until == after.since == day + timedelta(days=1)
    assert understood(f"-before:{day}", HOME).since == day
    assert understood(f"-after:{day}", HOME).until == day + timedelta(days=1)
    assert understood(f"-during:{day}", HOME).not_on == {day}


@pytest.mark.parametrize(("text", "wanted"), [
    ("bonjour", Wish(words=("bonjour",))),
    ('le "conseil municipal" -"hier soir"', Wish(words=("le", "conseil municipal"), without=("hier soir",))),
    ('"not closed', Wish(words=("not", "closed"))),
    ("from:me", Wish(authors=(ME,))),
    ("from:@Bela", Wish(authors=(("bela", ""),))),
    ("from:bela@City.example", Wish(authors=(("bela", ""),))),
    ("-from:@bela@other.example", Wish(not_authors=(("bela", "other.example"),))),
    ("from:@", Wish()),
    ("has:media -has:poll is:reply in:library", Wish(marks=frozenset(("media", "reply", "library")), not_marks=frozenset(("poll",)))),
    ("has:teeth", Wish(words=("has:teeth",))),
    ("in:all", Wish()),
    ("language:fr-CA", Wish(languages=frozenset(("fr",)))),
    ("before:2026-13-45", Wish(words=("before:2026-13-45",))),
    ("https://example.org/a?b=c", Wish(words=("https://example.org/a?b=c",))),
    ("#parc", Wish(words=("#parc",))),
    ('has:"link"', Wish(marks=frozenset(("link",)))),
    ("- -- \" ' …", Wish()),
])
def test_what_is_understood(text: str, wanted: Wish) -> None:
    assert understood(text, HOME) == wanted


@pytest.mark.parametrize(("text", "asks"), [("x", True), ("-x", False), ("", False), ("from:me", True), ("-from:me", False),
                                            ("before:2026-01-01", True), ("is:reply", True), ("-is:reply", False)])
def test_what_is_not_wanted_is_no_wish(text: str, asks: bool) -> None:
    assert understood(text, HOME).asks is asks


@given(st.text(max_size=50))
def test_every_name_can_be_looked_for(text: str) -> None:
    whom = named(text, HOME)
    assert bool(whom.domain) <= bool(whom.username)
    assert pattern(whom.text).endswith("%")


def test_a_handle_of_this_city_needs_no_domain() -> None:
    assert (named("@Alice@city.example", HOME).username, named("@Alice@city.example", HOME).domain) == ("alice", "")
    assert named(" @Alice@city.example ", HOME).text == "Alice"
    assert (named("alice@other.example", HOME).domain, named("Alice B.", HOME).username) == ("other.example", "")
    assert (pattern("al"), pattern("ali"), pattern("a_%")) == ("al%", "%ali%", "%a\\_\\%%")


sources = st.sampled_from(sorted(WEIGHTS))
candidates = st.lists(st.builds(Candidate, source=sources, account_id=st.integers(1, 8), place=st.integers(1, 80)), max_size=40,
                      unique_by=lambda one: (one.source, one.account_id))


@given(candidates, st.integers(0, 10))
def test_everybody_is_suggested_once_with_all_their_sources(found: list[Candidate], limit: int) -> None:
    made = suggested(found, limit)
    assert len({one.account_id for one in made}) == len(made) == min(limit, len({one.account_id for one in found}))
    for one in made:
        assert sorted(one.sources) == sorted(c.source for c in found if c.account_id == one.account_id)
    assert suggested(list(reversed(found)), limit) == made


@given(candidates, st.builds(Candidate, source=sources, account_id=st.just(1), place=st.integers(1, 80)))
def test_one_more_source_never_places_somebody_lower(found: list[Candidate], more: Candidate) -> None:
    found = [one for one in found if (one.source, one.account_id) != (more.source, 1)]

    def place(rows: list[Candidate]) -> int:
        return next((n for n, one in enumerate(suggested(rows, 100)) if one.account_id == 1), 1000)

    assert place([*found, more]) <= place(found)


@given(candidates)
def test_a_higher_place_with_one_source_is_worth_more(found: list[Candidate]) -> None:
    for one in found:
        assert 0 < worth(one) <= WEIGHTS[one.source]
        assert worth(one) >= worth(Candidate(one.source, one.account_id, one.place + 1))


def test_the_weights_of_the_document_are_those_of_the_rule() -> None:
    text = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
    for source, weight in WEIGHTS.items():
        assert f"| `{source}` | {weight:.0f} |" in text
    assert worth(Candidate("most_followed", 1, 4)) == WEIGHTS["most_followed"] * 10 / (9 + 4)
    for kind, marks in MARKS.items():
        assert all(f"`{kind}:{mark}`" in text for mark in marks)
