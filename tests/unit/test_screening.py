"""What the rules see in a post, and what follows by the charter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.accounts.model import Account
from parvis.charter import actions as charter
from parvis.charter import policy as charters
from parvis.screening import policy
from parvis.screening.model import Facts, Mode, Rule, Sample
from parvis.statuses.model import Draft
from parvis.text.messages import words

NOW = datetime(2026, 11, 30, tzinfo=UTC)
WEIGHED = [Rule.young, Rule.strangers, Rule.names, Rule.links, Rule.alike, Rule.burst]


def account(days: float, *, said: float | None = None, domain: str | None = None) -> Account:
    """Somebody whom this city has known for so long; another server may say something else."""
    met = NOW - timedelta(days=days)
    number = int(met.timestamp() * 1000) << 16
    made = met if said is None else NOW - timedelta(days=said)
    home = domain or "nord.example"
    return Account(
        number, "alice", domain, f"https://{home}/ap/users/1", f"https://{home}/@alice", "Person", "", "", False, False, made,
        None, None, None, None, None, "", None, None, None, None, None, None, 1)


def draft(content: str = "<p>Hello</p>", named: tuple[int, ...] = ()) -> Draft:
    return Draft(content=content, visibility="public", mentions=named)


def facts(ground: int | None = 7, *, young: bool = True, moderator: bool = False, terms: dict[str, Any] | None = None, **seen: int) -> Facts:
    return Facts({**policy.TERMS, **(terms or {})}, ground, moderator, young, *(
        seen.get(name, 0) for name in ("posts", "named", "strangers", "alike", "links")))


ACTING = {f"{rule}_mode": 2 for rule in WEIGHED}
LINK = '<p><a href="https://www.Spam.example/x">x</a></p>'


def test_a_plain_post_is_not_looked_at() -> None:
    assert policy.sample(account(0), draft(), NOW) is None
    assert policy.sample(account(0), draft('<p><a class="hashtag" href="https://nord.example/tags/x">#x</a></p>'), NOW) is None
    assert policy.sample(account(0), draft('<a href="https://nord.example/about">x</a>'), NOW) is None


def test_somebody_long_known_is_only_kept_in_mind_or_looked_at_when_they_name_many() -> None:
    assert policy.sample(account(100), draft(named=(1, 2)), NOW) is None
    assert policy.sample(account(100), draft(LINK, named=(1, 2)), NOW) == Sample(domains=("spam.example",), settled=True)
    many = policy.sample(account(100), draft(named=(1, 2, 3, 4, 5)), NOW)
    assert many is not None
    assert not many.settled


def test_what_another_server_says_of_an_accounts_age_proves_nothing() -> None:
    shown = policy.sample(account(0.1, said=4000, domain="sued.example"), draft(LINK), NOW)
    assert shown is not None
    assert (shown.settled, shown.domains) == (False, ("spam.example",))


def test_a_young_account_that_repeats_what_others_say_to_strangers_is_kept_back_where_rules_act() -> None:
    seen = {"strangers": 3, "alike": 4}
    found = policy.verdict(Sample(named=(1, 2, 3)), facts(terms=ACTING, **seen))
    assert (found.holds, found.acting) == (True, ["young", "strangers", "alike"])
    counted = policy.verdict(Sample(named=(1, 2, 3)), facts(**seen))
    assert (counted.holds, counted.would, counted.acting) == (False, True, [])
    without = policy.verdict(Sample(named=(1, 2, 3)), facts(ground=None, terms=ACTING, **seen))
    assert (without.holds, without.would) == (False, True)
    assert policy.verdict(Sample(named=(1, 2, 3)), facts(terms=ACTING, moderator=True, **seen)).signals == ()


def test_a_flood_of_names_is_kept_back_by_itself() -> None:
    assert policy.verdict(Sample(named=(1,)), facts(named=49)).acting == []
    found = policy.verdict(Sample(named=(1,)), facts(named=50))
    assert (found.holds, found.acting) == (True, ["naming"])
    assert not policy.verdict(Sample(named=(1,)), facts(named=50, young=False)).holds
    assert not policy.verdict(Sample(), facts(named=90)).holds  # names nobody


@given(st.fixed_dictionaries({f"{rule}_mode": st.sampled_from([0, 1, 2]) for rule in WEIGHED}),
       st.fixed_dictionaries({f"{rule}_weight": st.integers(0, 9) for rule in WEIGHED}), st.integers(0, 20),
       st.fixed_dictionaries({name: st.integers(0, 40) for name in ("posts", "named", "strangers", "alike", "links")}),
       st.booleans(), st.none() | st.just(7))
def test_nothing_is_kept_back_but_by_rules_that_act_and_weigh_enough(
    modes: dict[str, int], weights: dict[str, int], score: int, seen: dict[str, int], young: bool, ground: int | None
) -> None:
    terms = {**modes, **weights, "hold_score": score}
    found = policy.verdict(Sample(named=(1, 2, 3)), facts(ground, young=young, terms=terms, **seen))
    acting = [one for one in found.signals if one.acts]
    if found.holds:
        assert ground is not None
        assert acting
        assert found.would
        assert sum(one.weight for one in acting) >= score or Rule.naming in {one.rule for one in acting}
    assert not {one.rule for one in acting} - {Rule.naming} - {rule for rule in WEIGHED if modes[f"{rule}_mode"] == 2}
    assert not {one.rule for one in found.signals} & {rule for rule in WEIGHED if modes[f"{rule}_mode"] == 0}


@pytest.mark.parametrize(("text", "together"), [
    ("192.0.2.77", "192.0.2.0/24"), ("::ffff:192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2::5", "2001:db8:1::/48"),
    ("testclient", None), ("", None),
])
def test_neighbours_are_counted_together(text: str, together: str | None) -> None:
    assert policy.neighbourhood(text) == together


def test_the_first_charter_says_what_is_counted_by_without_one() -> None:
    said = {name: value for article in charter.document(charter.provisional())["articles"]
            for name, value in article.get("parameters", {}).items() if name not in charters.PARAMETERS}
    assert said == policy.TERMS
    assert set(said) == set(charters.LATER)
    assert {rule for rule in Rule if policy.mode(policy.TERMS, rule, 7) is Mode.acts} == {Rule.naming, Rule.follows, Rule.arrivals}


def test_a_mode_is_off_counted_or_acts() -> None:
    wrong = charter.provisional().replace("alike_mode = 1", "alike_mode = 3")
    with pytest.raises(Exception, match="number_malformed"):
        charter.document(wrong)


def test_each_rule_of_posts_is_told_in_words() -> None:
    assert set(words.RULES) == {rule.value for rule in [*WEIGHED, Rule.naming]}
