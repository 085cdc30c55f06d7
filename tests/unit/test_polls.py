"""Who may answer what: the rules of votes, against the plainest words for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.base.errors import Invalid
from parvis.federation import vocabulary
from parvis.polls import policy
from parvis.polls.model import Poll, PollWish

NOW = datetime(2026, 11, 1, tzinfo=UTC)
AUTHOR, VOTER = 1, 2


def poll(multiple: bool, expires_at: datetime | None = None) -> Poll:
    return Poll(1, 1, AUTHOR, True, multiple, False, expires_at, NOW)


choices = st.lists(st.integers(-1, 5), max_size=6)


@given(st.booleans(), st.integers(2, 4), st.sampled_from([AUTHOR, VOTER]), choices, st.sets(st.integers(0, 3), max_size=4))
def test_a_vote_counts_exactly_when_it_may(multiple: bool, options: int, by: int, wished: list[int], already: set[int]) -> None:
    fresh = [choice for choice in sorted(set(wished)) if choice not in already]
    allowed = (
        by != AUTHOR and wished and all(0 <= choice < options for choice in wished)
        and (multiple or (len(set(wished)) == 1 and not already)) and bool(fresh)
    )
    if allowed:
        assert policy.new_choices(poll(multiple), options, by, wished, already) == fresh
    else:
        with pytest.raises(Invalid):
            policy.new_choices(poll(multiple), options, by, wished, already)


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), max_size=6), st.booleans())
def test_however_votes_come_nobody_chooses_twice(arriving: list[list[int]], multiple: bool) -> None:
    counted: list[int] = []
    for wished in arriving:
        try:
            counted += policy.new_choices(poll(multiple), 4, VOTER, wished, set(counted))
        except Invalid:
            continue
    assert len(counted) == len(set(counted))
    assert multiple or len(counted) <= 1


@given(st.none() | st.integers(-10, 10))
def test_after_the_end_nobody_votes(ends: int | None) -> None:
    asked = poll(False, None if ends is None else NOW + timedelta(seconds=ends))
    if ends is not None and ends <= 0:
        with pytest.raises(Invalid):
            policy.may_vote(asked, NOW)
    else:
        policy.may_vote(asked, NOW)


@given(st.lists(st.text(max_size=60), max_size=6), st.none() | st.integers(-5, 3_000_000), st.booleans())
def test_what_is_asked_keeps_the_limits_that_the_instance_tells(titles: list[str], seconds: int | None, multiple: bool) -> None:
    try:
        made = policy.asked(PollWish(options=titles, expires_in=seconds, multiple=multiple), NOW)
    except Invalid:
        return
    assert 2 <= len(made.options) <= policy.OPTIONS
    assert len(set(made.options)) == len(made.options)
    assert all(0 < len(title) <= policy.CHARACTERS and title == title.strip() for title in made.options)
    assert made.expires_at is not None
    assert policy.SHORTEST <= (made.expires_at - NOW).total_seconds() <= policy.LONGEST


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=10) | st.sampled_from(["2026-01-01T00:00:00Z", "Note"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "replies", "totalItems", "type"]), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["oneOf", "anyOf", "endTime", "closed", "votersCount", "name", "content", "inReplyTo"]), ANYTHING))
def test_any_question_can_be_read(words: dict[str, object]) -> None:
    note = vocabulary.note({"id": "https://a.example/1", "type": "Question", "attributedTo": "https://a.example/", **words})
    if note.question is not None:
        assert len(note.question.options) == len(note.question.votes) > 0
        assert all(0 <= votes < 2**31 for votes in note.question.votes)


def test_a_vote_is_a_note_with_a_name_and_nothing_else() -> None:
    vote = {"id": "https://a.example/1", "type": "Note", "attributedTo": "https://a.example/", "name": "Yes", "inReplyTo": "https://b.example/2"}
    assert vocabulary.note(vote).choice == "Yes"
    for more in ({"content": "<p>x</p>"}, {"inReplyTo": None}, {"attachment": [{}]}, {"type": "Article"}, {"name": ""}):
        assert vocabulary.note({**vote, **more}).choice == ""
