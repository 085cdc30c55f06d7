"""Who may settle, and how old they are: pure rules."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.access import policy
from parvis.access.model import Door
from parvis.base.errors import Forbidden, Invalid
from parvis.base.settings import BadSetting, Settings

DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))


def birthday(born: date, years: int) -> date:
    """When somebody has lived so many years; born on 29 February, it is 1 March where there is no such day."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


@given(born=DAYS, today=DAYS, least=st.integers(1, 100))
def test_one_is_as_old_as_ones_last_birthday(born: date, today: date, least: int) -> None:
    if born > today or today.year - born.year > policy.OLDEST:
        expected: str | None = "ERR_INVALID"
    else:
        expected = None if birthday(born, least) <= today else "ERR_BELOW_LIMIT"
    try:
        policy.old_enough(born.isoformat(), least, today)
        found = None
    except Invalid as error:
        found = error.word
    assert found == expected


@given(text=st.text(max_size=20))
def test_what_is_no_date_is_refused_and_nothing_breaks(text: str) -> None:
    with pytest.raises(Invalid):
        policy.old_enough(text, 16, date(1890, 1, 1))
    policy.old_enough(text, 0, date(1890, 1, 1))


MODES = ("open", "approval", "invitation", "closed")
PLACES = (None, "sign_up_requires_approval", "sign_up_block", "no_access")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("invited", [True, False])
def test_each_mode_takes_whom_it_says(mode: str, place: str | None, invited: bool) -> None:
    door = Door(email=False, address=place, invited=invited)
    try:
        at_once: bool | None = policy.may_settle(door, mode, "I live here.")
    except Forbidden:
        at_once = None
    barred = mode == "closed" or place in PLACES[2:] or (mode == "invitation" and not invited)
    expected = None if barred else place is None and (mode == "open" or invited)
    assert at_once is expected
    assert Settings(registrations=mode).takes_anyone is (mode in ("open", "approval"))


@pytest.mark.parametrize("wrong", [{"registrations": "sometimes"}, {"min_age": -1}, {"min_age": 101}])
def test_a_mode_or_an_age_that_means_nothing_is_refused_at_the_start(wrong: dict[str, object]) -> None:
    with pytest.raises(BadSetting):
        Settings(**wrong)  # type: ignore[arg-type]
