"""What may be proposed, what a founding charter must hold, and how a proposal lives. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from parvis.base.errors import Invalid
from parvis.base.lifecycle import Lifecycle
from parvis.charter.model import SCOPES, Outcome, ProposalDraft, State, Step

LIFE: Lifecycle[State, Step] = Lifecycle(
    {
        (State.support, Step.open_vote): State.vote,
        (State.support, Step.expire): State.lapsed,
        (State.vote, Step.adopt): State.contest,
        (State.vote, Step.reject): State.rejected,
        (State.contest, Step.promulgate): State.promulgated,
    },
    start=State.support,
    ends=frozenset({State.promulgated, State.rejected, State.lapsed}),
)

NUMBER = "number"
DURATION = "duration"
# Every duration and threshold of the procedure. Each is written in exactly one article of Title I.
PARAMETERS = {
    "support_least": NUMBER, "support_percent": NUMBER, "support_time": DURATION,
    "vote_time": DURATION, "majority_mention": NUMBER, "constitution_percent": NUMBER,
    "quorum_least": NUMBER, "quorum_percent": NUMBER,
    "contest_time": DURATION, "in_force_delay": DURATION, "provisional_time": DURATION,
    "limited_longest": DURATION, "frozen_longest": DURATION, "suspended_longest": DURATION, "appeal_time": DURATION,
}
# What an article of Title I may say, too: after how long a decision about a server is looked at again, if not a year.
OPTIONAL = {"review_longest": DURATION}
# What came after the first charters were laid: one that is laid now may say it, and a proposal may bring it in (0035).
LATER = {
    "hold_score": NUMBER, "hold_time": DURATION, "young_time": DURATION, "alike_time": DURATION,
    "alike_percent": NUMBER, "young_mode": NUMBER, "young_weight": NUMBER,
    **{f"{rule}_{part}": NUMBER for rule in ("strangers", "names", "links", "alike", "burst")
       for part in ("mode", "weight", "from")},
    **{f"{rule}_{part}": NUMBER for rule in ("naming", "follows") for part in ("mode", "young_from", "from")},
    "arrivals_mode": NUMBER, "arrivals_from": NUMBER,
}
KNOWN = {**PARAMETERS, **OPTIONAL, **LATER}
HIGHEST_MODE = 2
LONGEST_TITLE, LONGEST_TEXT, HIGHEST_CEILING, LARGEST_NUMBER = 120, 2000, 7, 999_999

_DURATION = re.compile(r"[1-9][0-9]{0,5} ?(s|min|h|d|months?)")
_ARTICLE = re.compile(r"(I|II|III|IV|V)\.[1-9][0-9]{0,3}")
_FIELDS = {"number", "heading", "text", "text_en", "scope", "ceiling", "provisional", "parameters", "dsa_category"}


def next_step(state: State, supported: bool, past_due: bool, outcome: Outcome | None) -> Step | None:
    """The step that is due, or nothing: the threshold opens the vote at once, everything else waits for its date."""
    if state is State.support and supported:
        return Step.open_vote
    if not past_due:
        return None
    if state is State.support:
        return Step.expire
    if state is State.vote and outcome is not None:
        return Step.adopt if outcome.adopted else Step.reject
    return Step.promulgate if state is State.contest else None


def numbers(given: Mapping[str, str]) -> dict[str, int | str]:
    """Parameters as somebody types them; what is all digits is a number."""
    typed = {name.strip(): value.strip() for name, value in given.items()}
    return {name: int(value) if re.fullmatch(r"[0-9]{1,9}", value) else value for name, value in typed.items()}


def typed(text: str) -> dict[str, str]:
    """The numbers that a proposal changes, a line each, as `name = value`; Invalid where a line is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any("=" not in line for line in lines):
        raise Invalid("parameters", "ERR_INVALID")
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def may_propose(draft: ProposalDraft) -> None:
    """A proposal has a title, a text, a scope and a ceiling within the bounds of the charter."""
    if not draft.title.strip():
        raise Invalid("title", "ERR_BLANK")
    if len(draft.title) > LONGEST_TITLE:
        raise Invalid("title", "ERR_TOO_LONG", limit=LONGEST_TITLE)
    if not draft.text.strip():
        raise Invalid("text", "ERR_BLANK")
    if len(draft.text) > LONGEST_TEXT:
        raise Invalid("text", "ERR_TOO_LONG", limit=LONGEST_TEXT)
    if draft.scope not in SCOPES:
        raise Invalid("scope", "ERR_INCLUSION")
    if not 0 <= draft.ceiling <= HIGHEST_CEILING:
        raise Invalid("ceiling", "ERR_INCLUSION")
    for name, value in draft.parameters.items():
        _may_be_parameter(name, value)


def document(toml_text: str) -> dict[str, Any]:
    """A founding charter from its TOML, checked: each mistake is Invalid with the place and the reason."""
    try:
        read = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("charter", "not_toml", why=str(error)) from error
    articles = read.get("article")
    if set(read) != {"article"} or not isinstance(articles, list) or not articles:
        raise Invalid("charter", "no_articles", expected="one [[article]] table for each article")
    found: dict[str, str] = {}
    numbers: set[str] = set()
    for article in articles:
        _may_be_article(article)
        if article["number"] in numbers:
            raise Invalid(article["number"], "number_twice")
        numbers.add(article["number"])
        for name, value in article.get("parameters", {}).items():
            _may_be_parameter(name, value)
            if name in found:
                raise Invalid(article["number"], "parameter_twice", parameter=name, other=found[name])
            found[name] = article["number"]
    missing = sorted(set(PARAMETERS) - set(found))
    if missing:
        raise Invalid("charter", "parameter_missing", parameters=missing)
    return {"articles": articles}


def _may_be_article(article: Any) -> None:
    if not isinstance(article, dict) or not isinstance(article.get("number"), str):
        raise Invalid("charter", "article_without_number")
    number = article["number"]
    unknown = sorted(set(article) - _FIELDS)
    if unknown:
        raise Invalid(number, "unknown_field", fields=unknown)
    if not _ARTICLE.fullmatch(number):
        raise Invalid(number, "number_malformed", expected="a title and a number, like II.3")
    for name in ("heading", "text"):
        if not isinstance(article.get(name), str) or not article[name].strip():
            raise Invalid(number, "blank", name=name)
    if article.get("scope") not in SCOPES:
        raise Invalid(number, "scope_unknown", expected=list(SCOPES))
    ceiling = article.get("ceiling")
    if type(ceiling) is not int or not 0 <= ceiling <= HIGHEST_CEILING:
        raise Invalid(number, "ceiling_wrong", expected="0 to 7")
    if not isinstance(article.get("provisional", False), bool):
        raise Invalid(number, "provisional_wrong", expected="true or false")
    constitution = number.startswith("I.")
    if not isinstance(article.get("parameters", {}), dict) or (article.get("parameters") and not constitution):
        raise Invalid(number, "parameters_misplaced", expected="numbers and durations stand in Title I")
    if constitution and article.get("provisional"):
        raise Invalid(number, "provisional_wrong", expected="Title I does not lapse")


def _may_be_parameter(name: str, value: object) -> None:
    kind = KNOWN.get(name)
    if kind is None:
        raise Invalid(name, "parameter_unknown", known=sorted(KNOWN))
    if kind == DURATION and not (isinstance(value, str) and _DURATION.fullmatch(value)):
        raise Invalid(name, "duration_malformed", expected="20s, 5min, 2h, 8d or 6 months")
    if kind == NUMBER and not (type(value) is int and 0 <= value <= LARGEST_NUMBER):
        raise Invalid(name, "number_malformed", expected="a whole number")
    if name == "majority_mention" and value not in range(6):
        raise Invalid(name, "number_malformed", expected="0 (à rejeter) to 5 (très bien)")
    if name.endswith("_mode") and isinstance(value, int) and value > HIGHEST_MODE:
        raise Invalid(name, "number_malformed", expected="0 (off), 1 (counted) or 2 (acts)")
    if name.endswith("_percent") and isinstance(value, int) and value > 100:
        raise Invalid(name, "number_malformed", expected="at most 100")
