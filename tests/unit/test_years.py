"""When one can look back, and what a year is called."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.years import policy
from parvis.years.model import Hashtag, Month


def months(posts: int = 0, replies: int = 0, reblogs: int = 0, polls: int = 0) -> list[Month]:
    return [Month(1, posts, replies, reblogs, polls, 3), *(Month(n, 0, 0, 0, 0, 0) for n in range(2, 13))]


@pytest.mark.parametrize(("year", "expected"), [
    (months(), "lurker"), (months(posts=11), "lurker"), (months(posts=12), "oracle"),
    (months(posts=5, reblogs=7), "booster"), (months(posts=6, reblogs=6), "oracle"),
    (months(posts=20, polls=2), "pollster"), (months(posts=21, polls=2), "oracle"),
    (months(posts=5, replies=8), "replier"), (months(posts=6, replies=6), "oracle"),
])
def test_a_name_follows_from_what_one_did_most(year: list[Month], expected: str) -> None:
    assert policy.archetype(year) == expected


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-5, 10_005))
def test_a_season_is_the_first_moment_to_look_back(now: datetime, year: int) -> None:
    season = policy.season(now)
    assert season in (None, now.year)
    assert (season is not None) == (now >= datetime(now.year, 12, 10, tzinfo=UTC))
    assert policy.may_look_back(year, now) == (1 <= year < now.year or year == season)


def test_a_year_is_kept_in_the_second_schema_without_any_rank() -> None:
    kept = policy.written(months(posts=2, replies=1, reblogs=1), 7, Hashtag("Market", 2))
    assert kept["time_series"][0] == {"month": 1, "statuses": 4, "followers": 3}
    assert len(kept["time_series"]) == 12
    assert kept["top_hashtags"] == [{"name": "Market", "count": 2}]
    assert kept["top_statuses"] == {"by_reblogs": "7", "by_favourites": None, "by_replies": None}
    assert "percentiles" not in kept
    assert policy.written(months(), None, None)["top_hashtags"] == []
