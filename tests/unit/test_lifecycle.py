"""Transition tables: what is checked when they load, and how they are walked."""

from __future__ import annotations

from enum import StrEnum, auto

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.base.errors import Refused
from parvis.base.lifecycle import Lifecycle


class Text(StrEnum):
    draft = auto()
    voting = auto()
    in_force = auto()
    lapsed = auto()


class Move(StrEnum):
    propose = auto()
    adopt = auto()
    reject = auto()
    withdraw = auto()


TABLE = {
    (Text.draft, Move.propose): Text.voting,
    (Text.draft, Move.withdraw): Text.lapsed,
    (Text.voting, Move.adopt): Text.in_force,
    (Text.voting, Move.reject): Text.draft,
}
ENDS = frozenset({Text.in_force, Text.lapsed})
LIFE = Lifecycle(TABLE, start=Text.draft, ends=ENDS)


def test_a_step_in_the_table_leads_to_the_next_state() -> None:
    assert LIFE.step(Text.draft, Move.propose) is Text.voting
    assert LIFE.step(Text.voting, Move.reject) is Text.draft


def test_a_step_not_in_the_table_is_refused_with_its_names() -> None:
    with pytest.raises(Refused) as caught:
        LIFE.step(Text.draft, Move.adopt)
    assert caught.value.word == "not_now"
    assert caught.value.params == {"state": "draft", "step": "adopt"}


def test_the_steps_of_a_state_are_listed_in_the_order_of_the_table() -> None:
    assert LIFE.steps(Text.draft) == [Move.propose, Move.withdraw]
    assert LIFE.steps(Text.in_force) == []


@given(st.sampled_from(Text), st.sampled_from(Move))
def test_a_step_is_possible_exactly_when_it_is_listed(state: Text, move: Move) -> None:
    if move in LIFE.steps(state):
        assert LIFE.step(state, move) is TABLE[state, move]
    else:
        with pytest.raises(Refused):
            LIFE.step(state, move)


@given(st.lists(st.integers(0, 3), max_size=20))
def test_a_walk_stops_only_at_a_named_end(choices: list[int]) -> None:
    state = LIFE.start
    for choice in choices:
        steps = LIFE.steps(state)
        assert (not steps) == (state in LIFE.ends)
        if steps:
            state = LIFE.step(state, steps[choice % len(steps)])


def test_a_state_that_cannot_be_reached_is_an_error() -> None:
    without = {key: after for key, after in TABLE.items() if after is not Text.lapsed}
    with pytest.raises(ValueError, match="no way leads to lapsed"):
        Lifecycle(without, start=Text.draft, ends=ENDS)
    with pytest.raises(ValueError, match="no way leads to draft, lapsed, voting"):
        Lifecycle(TABLE, start=Text.in_force, ends=ENDS)


def test_a_state_reached_only_from_unreached_states_is_an_error() -> None:
    island = {
        (Text.draft, Move.propose): Text.voting,
        (Text.in_force, Move.withdraw): Text.lapsed,
        (Text.lapsed, Move.propose): Text.in_force,
    }
    with pytest.raises(ValueError, match="no way leads to in_force, lapsed"):
        Lifecycle(island, start=Text.draft, ends=frozenset({Text.voting}))


def test_a_state_without_way_out_has_to_be_named_as_an_end() -> None:
    with pytest.raises(ValueError, match="without way out: in_force, lapsed; named as ends: lapsed"):
        Lifecycle(TABLE, start=Text.draft, ends=frozenset({Text.lapsed}))


def test_a_named_end_with_a_way_out_is_an_error() -> None:
    with pytest.raises(ValueError, match="named as ends: in_force, lapsed, voting"):
        Lifecycle(TABLE, start=Text.draft, ends=ENDS | {Text.voting})


def test_a_lifecycle_does_not_follow_later_changes_of_its_table() -> None:
    table = dict(TABLE)
    life = Lifecycle(table, start=Text.draft, ends=ENDS)
    table[Text.draft, Move.adopt] = Text.in_force
    with pytest.raises(Refused):
        life.step(Text.draft, Move.adopt)


def test_the_diagram_shows_every_row_of_the_table() -> None:
    assert LIFE.diagram() == (
        "stateDiagram-v2\n"
        "    [*] --> draft\n"
        "    draft --> voting: propose\n"
        "    draft --> lapsed: withdraw\n"
        "    voting --> in_force: adopt\n"
        "    voting --> draft: reject\n"
        "    in_force --> [*]\n"
        "    lapsed --> [*]\n"
    )
