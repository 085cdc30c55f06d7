"""When a filter matches: compared with a slow and plain reading of the rule."""

from __future__ import annotations

import string
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parvis.base.errors import Invalid
from parvis.filters import policy
from parvis.filters.model import Live, LiveKeyword, Sieve, Totals
from parvis.views import cards

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LETTERS = st.sampled_from("aAbßéE\u0301 \n\t.-_@#9²कि中ǆ")
texts = st.text(LETTERS, max_size=12) | st.text(max_size=12)


def live(*keywords: tuple[str, bool], number: int = 1, action: str = "warn", statuses: tuple[int, ...] = ()) -> Live:
    words = [LiveKeyword(keyword, whole) for keyword, whole in keywords]
    return Live(number, "T", ["home"], action, None, words, list(statuses))  # type: ignore[arg-type]  # any action


def matches(keyword: str, text: str, whole: bool = True) -> bool:
    return bool(policy.matches(policy.sieves([live((keyword, whole))]), policy.searchable([text]), ()))


def plainly(keyword: str, text: str, whole: bool) -> bool:
    """Every place of the text is tried, and its neighbours are looked at."""
    wanted, said = policy.folded(keyword), policy.folded(text)

    def in_word(letter: str) -> bool:
        return unicodedata.category(letter)[0] in ("L", "M", "N") or unicodedata.category(letter) == "Pc"

    for start in range(len(said) - len(wanted) + 1):
        before, after = said[:start], said[start + len(wanted) :]
        if not wanted or not said[start:].startswith(wanted):
            continue
        if whole and before and in_word(wanted[0]) and in_word(before[-1]):
            continue
        if whole and after and in_word(wanted[-1]) and in_word(after[0]):
            continue
        return True
    return False


@given(texts, texts, texts, st.booleans())
@example("a", "a", "", True)
@example("ss", "ß", "", True)
@example("e", "e\u0301", "", True)
@example("क", "कि", "", True)
@example("-a", "b-a", "", True)
def test_a_filter_matches_where_a_plain_reading_of_the_rule_says(keyword: str, left: str, right: str, whole: bool) -> None:
    for text in (left, right, left + keyword + right):
        assert matches(keyword, text, whole) == plainly(keyword, text, whole)


@given(texts, texts, texts)
def test_a_part_of_a_word_is_found_unless_whole_words_are_asked_for(keyword: str, left: str, right: str) -> None:
    text = policy.folded(left) + policy.folded(keyword) + policy.folded(right)
    wanted = policy.folded(keyword)
    assert policy.contains(text, wanted, whole=False) == (wanted != "")
    if policy.contains(text, wanted, whole=True):
        assert policy.contains(text, wanted, whole=False)


@given(texts, texts)
def test_case_and_composition_and_the_kind_of_gap_make_no_difference(keyword: str, text: str) -> None:
    once = policy.folded(text)
    assert policy.folded(once) == once
    for other in (unicodedata.normalize("NFD", text), text.replace(" ", "\n"), text.replace("\t", " ")):
        assert matches(keyword, other) == matches(keyword, text)
    assert matches(keyword.upper(), text.upper(), whole=False) or not matches(keyword, text, whole=False)


@given(st.lists(texts, max_size=4), texts)
def test_no_keyword_reaches_over_two_texts(parts: list[str], keyword: str) -> None:
    wanted, whole = policy.folded(keyword), policy.searchable(parts)
    assert policy.contains(whole, wanted, whole=False) == any(
        policy.contains(policy.folded(part), wanted, whole=False) for part in parts if part)


@pytest.mark.parametrize(("keyword", "text", "found"), [
    ("Eurovision", "watching EUROVISION!", True), ("vision", "Eurovision", False), ("@twitter.com", "eve@twitter.com", True),
    ("https://t.co/", "see https://t.co/abc", True), ("c++", "C++17", True), ("#cat", "#cats", False), ("#cat", "a#cat", True),
    ("cat", "concat", False), ("cat", "cat_food", False), ("cat", "cat-food", True), ("été", "un ÉTÉ long", True),
    ("straße", "STRASSE", True), ("good morning", "Good\n\nmorning", True), ("日本", "日本語", False), ("कि", "किताब", False),
])
def test_a_whole_word_ends_where_words_end(keyword: str, text: str, found: bool) -> None:
    assert matches(keyword, text) is found


def test_a_filter_says_which_of_its_words_and_posts_it_found() -> None:
    held = policy.sieves([live(("One", True), ("two", True), ("three", True), number=7, statuses=(5, 6)), live(("none", True))])
    assert [type(one) for one in held] == [Sieve, Sieve]
    found = policy.matches(held, policy.searchable(["TWO and one"]), (6, 8))
    assert [(one.filter.id, one.keywords, one.statuses) for one in found] == [(7, ("One", "two"), (6,))]
    assert policy.matches(held, "nothing", (9,)) == []


def test_only_what_hides_in_a_place_is_hidden_there() -> None:
    for action, place, gone in (("hide", "home", True), ("hide", "public", False), ("warn", "home", False), ("blur", "home", False)):
        found = policy.matches(policy.sieves([live(("a", True), action=action)]), "a", ())
        assert policy.hidden(found, place) is gone


def test_the_words_of_a_card_are_its_texts_without_their_marks() -> None:
    card = cards.opened({
        "content": "<p>It&#39;s <a href='https://x.example'><span class='invisible'>https://</span>x.example</a></p><p>Two</p>",
        "spoiler_text": "Warning", "media_attachments": [{"description": None}, {"description": "A Cat"}],
        "poll": {"options": [{"title": "Yes"}, {"title": "No"}]}, "other": {"description": "unseen"},
    })
    assert cards.searchable(card).decode() == "warning\nit's https://x.example two\na cat\nyes\nno"
    assert cards.searchable(cards.opened({"content": "", "poll": None})) == b""


@given(st.integers(-(2**40), 2**40), st.datetimes(timezones=st.none() | st.just(UTC)))
def test_a_filter_runs_out_within_a_century_or_never(seconds: int, moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    expected = {NOW + timedelta(seconds=min(abs(seconds), 2**35)), aware}
    for args, fits in (((seconds, None), 0 <= seconds <= policy.LONGEST.total_seconds()),
                       ((None, moment), abs(aware - NOW) <= policy.LONGEST)):
        if fits:
            assert policy.expiry(NOW, *args) in expected
        else:
            with pytest.raises(Invalid):
                policy.expiry(NOW, *args)
    assert policy.expiry(NOW, None, None) is None


def test_the_bounds_of_one_persons_filters() -> None:
    policy.may_hold(Totals(policy.FILTERS, policy.KEYWORDS, policy.STATUSES))
    for totals in (Totals(policy.FILTERS + 1, 0, 0), Totals(0, policy.KEYWORDS + 1, 0), Totals(0, 0, policy.STATUSES + 1)):
        with pytest.raises(Invalid):
            policy.may_hold(totals)


def test_a_page_of_posts_is_sieved_quickly() -> None:
    """The most that one person may hold, against forty long posts: well under the time a page takes by itself."""
    words = policy.searchable([" ".join(string.ascii_lowercase[n % 26] * 5 for n in range(200))])
    held = policy.sieves([live(*((f"keyword {n}", True) for n in range(policy.KEYWORDS)))])
    started = datetime.now(UTC)
    for _ in range(40):
        assert policy.matches(held, words, ()) == []
    assert datetime.now(UTC) - started < timedelta(seconds=2)
