"""The formula of trends, as docs/trends.md publishes it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from parvis.trends import policy
from parvis.trends.actions import CARDS_COME
from parvis.trends.model import Tally

counts = st.integers(0, 10**6)
hours = st.floats(0, 1000)
tallies = st.lists(st.builds(
    Tally, thing_id=st.integers(1, 6), language=st.sampled_from(["", "fr"]), hours=st.floats(0, 168), accounts=st.integers(0, 50),
    uses=st.integers(0, 200), author_id=st.integers(1, 3),
), max_size=30)


@given(counts, counts, counts, counts)
def test_more_people_and_more_uses_are_never_worth_less(people: int, uses: int, more: int, often: int) -> None:
    before = policy.points(people, uses)
    assert policy.points(people + more, uses + more) >= before
    assert policy.points(people, uses + often) >= before
    assert policy.points(people + more, max(uses, people + more)) >= policy.points(people, max(uses, people + more)) - 1e-9


@given(st.integers(1, 10**6), counts)
def test_a_day_is_worth_its_people_and_a_tenth_more_at_most(people: int, uses: int) -> None:
    worth = policy.points(people, uses)
    assert people <= worth <= people * 1.1
    assert policy.points(0, uses) == 0
    assert policy.points(people, people) == people


@given(st.floats(0, 1e6), hours, hours, st.sampled_from(sorted(policy.HALF_LIFE)))
def test_it_fades_by_half_each_half_life(worth: float, one: float, more: float, kind: str) -> None:
    half = policy.HALF_LIFE[kind]
    assert policy.decayed(worth, 0, half) == worth
    assert policy.decayed(worth, one + more, half) <= policy.decayed(worth, one, half)
    assert abs(policy.decayed(worth, one + half, half) - policy.decayed(worth, one, half) / 2) <= 1e-9 * worth
    assert policy.decayed(worth, -one, half) == worth


@given(tallies, st.builds(Tally, thing_id=st.just(1), language=st.just(""), hours=hours, accounts=st.integers(1, 50), uses=st.integers(1, 90)))
def test_one_more_day_never_ranks_a_thing_lower(found: list[Tally], more: Tally) -> None:
    def place(rows: list[Tally]) -> int:
        return next((p.rank for p in policy.ranked("tag", rows) if p.thing_id == 1 and p.language == ""), 1000)

    assert place([*found, more]) <= place(found)


@given(tallies)
def test_each_ranking_goes_from_one_on_and_downwards(found: list[Tally]) -> None:
    places = policy.ranked("status", found)
    for language in {p.language for p in places}:
        rows = [p for p in places if p.language == language]
        assert [p.rank for p in rows] == list(range(1, len(rows) + 1))
        assert [p.score for p in rows] == sorted((p.score for p in rows), reverse=True)
        assert len({p.thing_id for p in rows}) == len(rows)
    heard: dict[tuple[int, str], int] = {}
    for one in found:
        heard[(one.thing_id, one.language)] = heard.get((one.thing_id, one.language), 0) + one.accounts
    assert {(p.thing_id, p.language) for p in places} == {key for key, people in heard.items() if people >= policy.LEAST}


@given(tallies)
def test_nobody_has_two_posts_in_a_ranking(found: list[Tally]) -> None:
    kept = policy.one_each(found)
    assert len({(one.author_id, one.language) for one in kept}) == len(kept)
    assert {(one.author_id, one.language) for one in kept} == {(one.author_id, one.language) for one in found}
    half = policy.HALF_LIFE["status"]
    for one in found:
        best = next(k for k in kept if (k.author_id, k.language) == (one.author_id, one.language))
        assert policy.score([best], half) >= policy.score([one], half)


def test_the_numbers_of_the_document_are_those_of_the_formula() -> None:
    text = (Path(__file__).parents[2] / "docs" / "trends.md").read_text(encoding="utf-8")
    assert f"known to this city for {policy.NEW_FOR.days} days" in text
    assert f"of the last |\n|---|---|---|\n| a hashtag | people who wrote public posts with it | {policy.DAYS} days" in text
    assert f"{policy.YOUNGEST.total_seconds() / 3600:.0f} hours |" in text
    assert f"at least {policy.LEAST} people" in text
    assert f"+ {policy.EXTRA} ×" in text
    assert policy.HALF_LIFE["tag"] == policy.HALF_LIFE["link"]
    assert f"{policy.HALF_LIFE['tag']:.0f} hours for hashtags and links" in text
    assert f"{policy.HALF_LIFE['status']:.0f} hours for posts" in text
    assert f"The {policy.PLACES} highest" in text
    assert f"counted {CARDS_COME.total_seconds() / 60:.0f} minutes after the post" in text
