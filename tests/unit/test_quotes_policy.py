"""Who may quote and answer what; and that each state of a quote can be reached."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.base.errors import Forbidden, Invalid, Refused
from parvis.quotes import policy
from parvis.quotes.model import Asker, State, Step
from parvis.statuses import policy as posting
from parvis.statuses.model import Openness, Standing

circles = st.lists(st.sampled_from(["public", "followers", "following", "unsupported_policy"]), max_size=3)


@given(circles, circles, st.sampled_from(["public", "unlisted", "private", "direct"]), st.booleans(), st.booleans(), st.booleans())
def test_wider_rules_never_take_a_quote_away(
    automatic: list[str], manual: list[str], visibility: str, own: bool, follows: bool, followed: bool
) -> None:
    asker = Asker(follows, followed)
    order = ("denied", "unknown", "manual", "automatic")
    narrow = policy.answer((automatic, manual), visibility, own, asker)
    wide = policy.answer(([*automatic, "public"], manual), visibility, own, asker)
    assert order.index(wide) >= order.index(narrow)
    assert (narrow == "denied") if visibility == "direct" else (not own or narrow == "automatic")
    closer = policy.answer((automatic, manual), visibility, own, Asker(True, True))
    assert order.index(closer) >= order.index(narrow)


class Post:
    """As much of a post as the checks look at."""

    def __init__(self, **given: Any) -> None:
        self.account_id, self.local, self.visibility, self.local_only = 1, True, "public", False
        vars(self).update(given)


@given(st.sampled_from(["public", "followers", "mentioned", "nobody"]), st.integers(1, 3), st.booleans(), st.booleans())
def test_an_author_and_whom_they_name_may_always_answer(reply_policy: str, by: int, follows: bool, named: bool) -> None:
    wanted = posting.welcome(by, Post(reply_policy=reply_policy), Standing(follows, named))
    assert wanted == (by == 1 or named or reply_policy == "public" or (reply_policy == "followers" and follows))


def test_of_a_post_elsewhere_we_do_not_know_all_followers() -> None:
    asked = Standing(False, False)
    assert posting.unwelcome_from_elsewhere(2, Post(reply_policy="followers"), asked)
    assert not posting.unwelcome_from_elsewhere(2, Post(reply_policy="followers", local=False), asked)
    assert posting.unwelcome_from_elsewhere(2, Post(reply_policy="nobody", local=False), asked)
    with pytest.raises(Forbidden):
        posting.may_reply(2, Post(reply_policy="nobody"), asked)


@pytest.mark.parametrize("visibility", ["private", "direct"])
def test_what_is_for_few_is_quoted_by_nobody_else(visibility: str) -> None:
    wish = Openness(quote_automatic=("public",), quote_manual=("followers",), reply_policy="nobody")
    assert posting.opened(visibility, wish) == Openness(reply_policy="nobody")
    assert posting.opened("unlisted", wish) == wish


def test_a_direct_quote_names_whom_it_quotes() -> None:
    with pytest.raises(Invalid):
        policy.names_whom_it_quotes("direct", Post(), 2, (3,))
    policy.names_whom_it_quotes("direct", Post(), 2, (1,))
    policy.names_whom_it_quotes("public", Post(), 2, ())


@given(st.sampled_from(["public", "unlisted", "private", "direct"]), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_quote_from_elsewhere_begins_accepted_only_with_leave(
    visibility: str, known: bool, own: bool, approved: bool, legacy: bool
) -> None:
    quoted = Post(visibility=visibility) if known else None
    state = policy.first_state(quoted, 1 if own else 2, approved, legacy)  # type: ignore[arg-type]
    leave = approved and visibility in ("public", "unlisted")
    assert (state is State.accepted) == (known and visibility != "direct" and (own or leave))


def test_what_was_refused_or_taken_back_does_not_come_back() -> None:
    for state in (State.rejected, State.revoked, State.deleted):
        with pytest.raises(Refused):
            policy.LIFE.step(state, Step.accept)
