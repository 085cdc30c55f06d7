"""What a charter must hold, what may be proposed, and how a proposal lives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.base.errors import Invalid
from parvis.charter import actions as charter
from parvis.charter import policy
from parvis.charter.model import Outcome, ProposalDraft, State, Step

GOOD = charter.provisional()


def test_the_provisional_charter_is_one() -> None:
    articles = charter.document(GOOD)["articles"]
    assert {name for article in articles for name in article.get("parameters", {})} == set(policy.PARAMETERS | policy.LATER)
    assert all(article["provisional"] for article in articles if not article["number"].startswith("I."))
    assert all(article["text_en"] for article in articles)


def test_an_article_may_say_when_decisions_about_servers_are_looked_at_again() -> None:
    more = GOOD.replace('suspended_longest = "90d"', 'suspended_longest = "90d", review_longest = "6 months"')
    assert charter.document(more)["articles"][5]["parameters"]["review_longest"] == "6 months"
    with pytest.raises(Invalid, match="duration_malformed"):
        charter.document(more.replace('review_longest = "6 months"', 'review_longest = "later"'))


def test_short_durations_make_a_charter_too() -> None:
    quick = GOOD.replace('"10d"', '"20s"').replace('"6 months"', '"90 min"')
    assert charter.document(quick)["articles"][1]["parameters"]["vote_time"] == "20s"


@pytest.mark.parametrize(
    ("before", "after", "field", "word"),
    [
        ("[[article]]", "[[article]", "charter", "not_toml"),
        ("[[article]]", "[[rule]]", "charter", "no_articles"),
        ('number = "II.1"', 'number = "VI.1"', "VI.1", "number_malformed"),
        ('number = "II.1"', 'number = "II.2"', "II.2", "number_twice"),
        ('number = "II.1"', "number = 2", "charter", "article_without_number"),
        ('vote_time = "10d"', 'vote_time = "soon"', "vote_time", "duration_malformed"),
        ('vote_time = "10d"', 'vote_time = "0s"', "vote_time", "duration_malformed"),
        ("quorum_least = 150", 'quorum_least = "many"', "quorum_least", "number_malformed"),
        ("quorum_percent = 5", "quorum_percent = 101", "quorum_percent", "number_malformed"),
        ("majority_mention = 3", "majority_mention = 6", "majority_mention", "number_malformed"),
        ("majority_mention = 3", "majority = 3", "majority", "parameter_unknown"),
        ('contest_time = "5d", ', "", "charter", "parameter_missing"),
        ('contest_time = "5d"', 'contest_time = "5d", vote_time = "3d"', "I.4", "parameter_twice"),
        ("ceiling = 7", "ceiling = 8", "II.3", "ceiling_wrong"),
        ('scope = "posts"', 'scope = "thoughts"', "II.4", "scope_unknown"),
        ('heading = "Quorum"', 'heading = " "', "I.3", "blank"),
        ('heading = "Quorum"', 'heading = "Quorum"\ncolour = "red"', "I.3", "unknown_field"),
        ('heading = "Quorum"', 'heading = "Quorum"\nprovisional = true', "I.3", "provisional_wrong"),
        ("provisional = true", "provisional = 1", "II.1", "provisional_wrong"),
    ],
)
def test_a_mistake_in_a_charter_is_named(before: str, after: str, field: str, word: str) -> None:
    assert before in GOOD
    changed = GOOD.replace(before, after)
    with pytest.raises(Invalid) as caught:
        charter.document(changed)
    assert (caught.value.field, caught.value.word) == (field, word)


@given(st.text(max_size=300))
def test_any_text_is_a_charter_or_a_named_mistake(text: str) -> None:
    try:
        read = charter.document(text)
    except Invalid as error:
        read = {"mistake": f"{error.field}: {error.word}"}
    assert read.get("articles") or ": " in read["mistake"]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (ProposalDraft(title=" ", text="Texte."), "title"),
        (ProposalDraft(title="T" * 121, text="Texte."), "title"),
        (ProposalDraft(title="Titre", text=""), "text"),
        (ProposalDraft(title="Titre", text="T" * 2001), "text"),
        (ProposalDraft(title="Titre", text="Texte.", ceiling=8), "ceiling"),
        (ProposalDraft(title="Titre", text="Texte.", scope="all"), "scope"),
        (ProposalDraft(title="Titre", text="Texte.", parameters={"vote_time": 3}), "vote_time"),
    ],
)
def test_a_proposal_says_what_and_how_far(draft: ProposalDraft, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        policy.may_propose(draft)
    assert caught.value.field == field
    policy.may_propose(ProposalDraft(title="Titre", text="Texte."))


OUTCOMES = st.one_of(st.none(), st.builds(Outcome, st.integers(0, 9), st.booleans(), st.just("text"), st.booleans()))


@given(st.sampled_from(State), st.booleans(), st.booleans(), OUTCOMES)
def test_a_due_step_is_always_a_possible_one(
    state: State, supported: bool, past_due: bool, outcome: Outcome | None
) -> None:
    step = policy.next_step(state, supported, past_due, outcome)
    if step is not None:
        after = policy.LIFE.step(state, step)
        assert step is Step.open_vote or past_due
        assert (after is State.contest) == (state is State.vote and outcome is not None and outcome.adopted)


@given(st.booleans(), OUTCOMES)
def test_nobody_waits_for_ever(supported: bool, outcome: Outcome | None) -> None:
    state = State.support
    for _ in range(4):
        if state in policy.LIFE.ends:
            break
        step = policy.next_step(state, supported, True, outcome or Outcome(0, False, "status_quo", False))
        assert step is not None
        state = policy.LIFE.step(state, step)
    assert state in policy.LIFE.ends
