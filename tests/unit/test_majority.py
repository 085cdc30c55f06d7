"""Majority judgment: the quick count against the majority value of Balinski and Laraki, and published ranks."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parvis.ballots import majority
from parvis.ballots.majority import Mention, Profile

A_REJETER, INSUFFISANT, PASSABLE, ASSEZ_BIEN, BIEN, TRES_BIEN = Mention


def majority_value(grades: list[int]) -> list[int]:
    """The definition: write down the lower median, remove that one ballot, and again until none is left."""
    left, value = sorted(grades), []
    while left:
        value.append(left.pop((len(left) - 1) // 2))
    return value


def ballots_of(profile: Profile) -> list[int]:
    return [grade for grade, voters in enumerate(profile) for _ in range(voters)]


def by_definition(a: Profile, b: Profile) -> int:
    first, second = majority_value(ballots_of(a)), majority_value(ballots_of(b))
    return (first > second) - (first < second)


def padded(*counts: int) -> Profile:
    """Counts on a shorter scale, worst first, as a profile whose best mentions nobody gave."""
    rejected, mediocre, fair, decent, good, best = (*counts, *[0] * (6 - len(counts)))
    return (rejected, mediocre, fair, decent, good, best)


def from_cuts(voters: int, cuts: list[int]) -> Profile:
    edges = [0, *sorted(cuts), voters]
    return padded(*(above - below for below, above in pairwise(edges)))


def profiles_of(voters: int) -> st.SearchStrategy[Profile]:
    """Profiles of exactly so many voters: five cuts in the row of ballots."""
    return st.lists(st.integers(0, voters), min_size=5, max_size=5).map(lambda cuts: from_cuts(voters, cuts))


def every_profile(voters: int) -> list[Profile]:
    gaps = combinations(range(voters + 5), 5)
    return [padded(*(b - a - 1 for a, b in pairwise((-1, *cuts, voters + 5)))) for cuts in gaps]


pairs = st.integers(0, 40).flatmap(lambda voters: st.tuples(profiles_of(voters), profiles_of(voters)))
votes = st.integers(0, 30).flatmap(
    lambda voters: st.dictionaries(st.sampled_from("abcdefg"), profiles_of(voters), min_size=1)
)


@settings(max_examples=2000, deadline=None)
@given(pairs)
def test_the_camps_around_the_median_decide_as_removing_median_ballots_one_by_one_does(
    pair: tuple[Profile, Profile],
) -> None:
    assert majority.compare(*pair) == by_definition(*pair)


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 40).flatmap(profiles_of), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=3))
def test_profiles_that_differ_by_a_few_ballots_are_told_apart_as_the_definition_does(
    profile: Profile, changes: list[tuple[int, int]]
) -> None:
    changed = list(profile)
    for before, after in changes:
        if changed[before]:
            changed[before] -= 1
            changed[after] += 1
    assert majority.compare(profile, padded(*changed)) == by_definition(profile, padded(*changed))


@pytest.mark.parametrize("voters", range(8))
def test_all_votes_of_up_to_seven_voters_are_ordered_as_the_definition_orders_them(voters: int) -> None:
    everyone = every_profile(voters)
    assert len(set(everyone)) == [1, 6, 21, 56, 126, 252, 462, 792][voters]
    assert sorted(everyone, key=majority.merit) == sorted(everyone, key=lambda one: majority_value(ballots_of(one)))


def test_the_example_of_the_book_comes_out() -> None:
    """Balinski and Laraki, Majority Judgment (2010): two wines marked out of 20 by five judges."""
    assert majority_value([7, 11, 9, 9, 11]) == [9, 9, 11, 7, 11]
    assert majority_value([8, 11, 9, 9, 10]) == [9, 9, 10, 8, 11]
    marks = {7: 0, 8: 1, 9: 2, 10: 3, 11: 4}
    first = padded(*([marks[mark] for mark in (7, 11, 9, 9, 11)].count(grade) for grade in range(6)))
    second = padded(*([marks[mark] for mark in (8, 11, 9, 9, 10)].count(grade) for grade in range(6)))
    assert majority.compare(first, second) == 1
    assert majority.compare(second, first) == -1


def test_the_ranks_published_by_mieux_voter_come_out() -> None:
    """MieuxVoter/majority-judgment-library-go, majorityjudgment_test.go: the demo, "Basic 01", the billions."""
    demo = {
        "A": padded(2, 2, 2, 2, 2),
        "B": padded(2, 1, 1, 1, 5),
        "C": padded(2, 1, 1, 2, 4),
        "D": padded(2, 1, 5, 0, 2),
        "E": padded(2, 2, 2, 2, 2),
    }
    assert majority.ranked(demo) == ["B", "C", "D", "A", "E"]
    assert majority.compare(demo["A"], demo["E"]) == 0
    basic = {"A": padded(1, 1, 1), "B": padded(1, 2, 0), "C": padded(0, 2, 1)}
    assert majority.ranked(basic) == ["C", "A", "B"]
    billions = {"A": padded(10_000_000_000, 10_000_000_000), "B": padded(9_999_999_999, 10_000_000_001)}
    assert majority.ranked(billions) == ["B", "A"]


def test_opponents_win_when_both_camps_are_equal() -> None:
    balanced, supported, opposed = padded(0, 0, 3, 4, 3), padded(0, 0, 2, 5, 3), padded(0, 0, 3, 5, 2)
    assert majority.merit(balanced) == (ASSEZ_BIEN, -3, 3, 0)
    assert majority.merit(supported) == (ASSEZ_BIEN, 3, -2, 0)
    assert majority.merit(opposed) == (ASSEZ_BIEN, -3, 2, 0)
    assert majority.compare(supported, balanced) == 1
    assert majority.compare(balanced, opposed) == 1


@pytest.mark.parametrize(
    ("profile", "mention"),
    [
        (padded(0, 0, 0, 0, 0, 1), TRES_BIEN),
        (padded(1, 0, 0, 0, 0, 1), A_REJETER),
        (padded(1, 0, 0, 0, 0, 2), TRES_BIEN),
        (padded(0, 1, 1, 0, 1, 1), PASSABLE),
        (padded(0, 0, 0, 0, 0, 0), A_REJETER),
    ],
)
def test_the_median_is_the_lower_of_the_two_in_the_middle(profile: Profile, mention: Mention) -> None:
    assert majority.median(profile) is mention


@given(st.integers(1, 60).flatmap(profiles_of))
def test_the_median_is_the_mention_of_the_middle_voter(profile: Profile) -> None:
    assert majority.median(profile) == majority_value(ballots_of(profile))[0]


def test_a_ballot_that_says_nothing_of_an_option_rejects_it() -> None:
    assert majority.profile({BIEN: 2, A_REJETER: 1}, ballots=5) == (3, 0, 0, 0, 2, 0)
    assert majority.profile({TRES_BIEN: 2, INSUFFISANT: 1}) == (0, 1, 0, 0, 0, 2)
    assert majority.profile({}, ballots=4) == (4, 0, 0, 0, 0, 0)


def test_more_mentions_than_ballots_are_an_error() -> None:
    with pytest.raises(ValueError, match="cannot come from 1 ballots"):
        majority.profile({BIEN: 2}, ballots=1)
    with pytest.raises(ValueError, match="cannot come from"):
        majority.profile({BIEN: 2, PASSABLE: -1})


def test_options_with_different_numbers_of_voters_are_not_compared() -> None:
    with pytest.raises(ValueError, match="same number of voters"):
        majority.compare(padded(1), padded(2))
    with pytest.raises(ValueError, match="same number of voters"):
        majority.ranked({"text": padded(1), "variant": padded(2)})


@given(pairs)
def test_only_the_same_profile_is_equal(pair: tuple[Profile, Profile]) -> None:
    a, b = pair
    assert majority.compare(a, b) == -majority.compare(b, a)
    assert (majority.compare(a, b) == 0) == (a == b)


@given(st.integers(1, 40).flatmap(profiles_of), st.integers(0, 4))
def test_a_better_mention_from_one_voter_always_helps(profile: Profile, grade: int) -> None:
    if profile[grade]:
        raised = list(profile)
        raised[grade] -= 1
        raised[grade + 1] += 1
        assert majority.compare(padded(*raised), profile) == 1


@given(pairs, st.integers(2, 1_000_000_000))
def test_the_same_opinion_among_many_more_voters_gives_the_same_order(
    pair: tuple[Profile, Profile], times: int
) -> None:
    a, b = (padded(*(times * voters for voters in profile)) for profile in pair)
    assert majority.compare(a, b) == majority.compare(*pair)


@given(votes, st.data())
def test_ranks_hold_all_options_in_order_and_do_not_depend_on_the_losers(
    profiles: dict[str, Profile], data: st.DataObject
) -> None:
    order = majority.ranked(profiles)
    assert sorted(order) == sorted(profiles)
    assert all(majority.compare(profiles[a], profiles[b]) >= 0 for a, b in pairwise(order))
    gone = data.draw(st.sampled_from(order))
    fewer = {option: profile for option, profile in profiles.items() if option != gone}
    assert majority.ranked(fewer) == [option for option in order if option != gone]


def test_equal_options_keep_the_order_drawn_and_the_status_quo_goes_before_them() -> None:
    same = padded(0, 0, 0, 1, 1, 1)
    assert majority.ranked({"variant": same, "text": same, "as_is": same}) == ["variant", "text", "as_is"]
    assert majority.ranked({"text": same, "variant": same, "as_is": same}, "as_is") == ["as_is", "text", "variant"]


@given(votes, st.sampled_from(Mention), st.data())
def test_what_is_adopted_beats_the_status_quo_and_reaches_the_threshold(
    profiles: dict[str, Profile], threshold: Mention, data: st.DataObject
) -> None:
    status_quo = data.draw(st.sampled_from(sorted(profiles)))
    winner = majority.adopted(profiles, status_quo, threshold)
    worthy = [
        option
        for option, profile in profiles.items()
        if by_definition(profile, profiles[status_quo]) > 0 and majority.median(profile) >= threshold
    ]
    if winner is None:
        assert worthy == []
    else:
        assert winner in worthy
        assert all(by_definition(profiles[winner], other) >= 0 for other in profiles.values())


def test_a_text_is_adopted_only_above_the_status_quo_and_from_assez_bien_on() -> None:
    poor, fair, good = padded(0, 0, 3), padded(0, 0, 0, 3), padded(0, 0, 0, 0, 3)
    assert majority.adopted({"text": fair, "as_is": poor}, "as_is") == "text"
    assert majority.adopted({"text": fair, "variant": good, "as_is": poor}, "as_is") == "variant"
    assert majority.adopted({"text": fair, "as_is": good}, "as_is") is None
    assert majority.adopted({"text": fair, "as_is": fair}, "as_is") is None
    assert majority.adopted({"text": poor, "as_is": padded(3)}, "as_is") is None
    assert majority.adopted({"text": fair, "as_is": poor}, "as_is", threshold=BIEN) is None
    assert majority.adopted({"text": padded(0), "as_is": padded(0)}, "as_is") is None


def test_a_vote_without_the_status_quo_is_an_error() -> None:
    with pytest.raises(ValueError, match="status quo"):
        majority.adopted({"text": padded(1)}, "as_is")
