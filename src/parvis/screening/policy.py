"""What the rules see in a post, and what follows by the charter. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from parvis.accounts.model import Account
from parvis.base import ids
from parvis.base.lifecycle import Lifecycle
from parvis.screening.model import Before, Facts, Mode, Rule, Sample, Signal, State, Step, Verdict
from parvis.statuses.model import Draft, Revision
from parvis.text import html, likeness
from parvis.text.page import tags

LIFE: Lifecycle[State, Step] = Lifecycle(
    {
        (State.held, Step.release): State.released,
        (State.held, Step.lapse): State.lapsed,
        (State.held, Step.confirm): State.confirmed,
        (State.confirmed, Step.overturn): State.released,
    },
    start=State.held,
    ends=frozenset({State.released, State.lapsed}),
)

# The charter's numbers as they would be laid now (0035): where it says nothing, they are counted by and nothing more.
TERMS: Mapping[str, int | str] = {
    "hold_score": 5, "hold_time": "3d", "young_time": "7d", "alike_time": "24h", "alike_percent": 80,
    "young_mode": 1, "young_weight": 2, "strangers_mode": 1, "strangers_weight": 2, "strangers_from": 2,
    "names_mode": 1, "names_weight": 2, "names_from": 6, "links_mode": 1, "links_weight": 3, "links_from": 3,
    "alike_mode": 1, "alike_weight": 3, "alike_from": 3, "burst_mode": 1, "burst_weight": 2, "burst_from": 20,
    "follows_mode": 2, "follows_young_from": 100, "follows_from": 400,
    "naming_mode": 2, "naming_young_from": 50, "naming_from": 300, "arrivals_mode": 2, "arrivals_from": 30,
}
NOTHING = Before()
SETTLED = timedelta(days=30)
"""Whoever has been known for so long is looked at only when they name many."""
FEW = 5
MOST_DOMAINS = 10
_OURS = frozenset(("mention", "hashtag"))


def known_since(by: Account) -> datetime:
    """Since when an account is known here: what another server says of its age proves nothing."""
    return max(by.created_at, ids.moment(by.id))


def sample(by: Account, draft: Draft | Revision, now: datetime, before: Before = NOTHING) -> Sample | None:
    """What of a new post, or of what an edit adds, the rules are shown; None for what reaches nobody unasked.

    A post that names nobody and leads nowhere is not looked at. Of somebody long known who names few, it is only kept
    in mind where they led: a site that they know is not one that strangers spread.
    """
    named = tuple(sorted({one for one in draft.mentions if one != by.id and one not in before.named}))
    own = _host(by.url)
    found = domains(draft.content, own) if "://" in draft.content else ()
    if found and before.content:
        found = tuple(host for host in found if host not in domains(before.content, own))
    if known_since(by) < now - SETTLED and len(named) < FEW:
        return Sample(domains=found, settled=True) if found else None
    if not named and not found:
        return None
    traces = likeness.signature(html.plain(f"{draft.spoiler_text} {draft.content}"))
    return Sample(named, found, traces, likeness.bands(traces))


def domains(content: str, own: str) -> tuple[str, ...]:
    """The hosts to which a post's HTML leads, but for people, hashtags and the author's own server."""
    found = []
    for tag in tags(content, frozenset(("a",))):
        if _OURS & set(tag.words("class")) or "tag" in tag.words("rel"):
            continue
        host = _host(tag.attributes.get("href", ""))
        if host and host != own:
            found.append(host)
    return tuple(dict.fromkeys(found))[:MOST_DOMAINS]


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def number(terms: Mapping[str, Any], name: str) -> int:
    """A number of the charter."""
    return int(terms[name])


def mode(terms: Mapping[str, Any], rule: Rule, ground: int | None) -> Mode:
    """What a rule does. Nothing acts that no article in force says."""
    said = Mode(min(number(terms, f"{rule}_mode"), Mode.acts))
    return min(said, Mode.counted) if ground is None else said


def verdict(shown: Sample, facts: Facts) -> Verdict:
    """What the rules see, and whether those that act weigh enough; a flood of people named needs no weighing."""
    if facts.moderator:
        return Verdict()
    terms, ground = facts.terms, facts.ground
    signals = tuple(
        Signal(rule, seen, 0 if rule is Rule.naming else number(terms, f"{rule}_weight"), acts is Mode.acts)
        for rule, seen in _seen(shown, facts)
        if (acts := mode(terms, rule, ground)) is not Mode.off
    )
    return Verdict(signals, _enough(terms, (one for one in signals if one.acts)), _enough(terms, signals))


def _seen(shown: Sample, facts: Facts) -> Iterable[tuple[Rule, int]]:
    terms = facts.terms
    bound = number(terms, "naming_young_from" if facts.young else "naming_from")
    everyone = facts.named + len(shown.named)
    if facts.young:
        yield Rule.young, 1
    for rule, seen in (
        (Rule.strangers, facts.strangers), (Rule.names, len(shown.named)), (Rule.links, facts.links),
        (Rule.alike, facts.alike), (Rule.burst, facts.posts),
    ):
        if seen >= max(1, number(terms, f"{rule}_from")):
            yield rule, seen
    if shown.named and everyone > bound:
        yield Rule.naming, everyone


def _enough(terms: Mapping[str, Any], signals: Iterable[Signal]) -> bool:
    rows = list(signals)
    weighs = sum(one.weight for one in rows) >= number(terms, "hold_score")
    return bool(rows) and (weighs or any(one.rule is Rule.naming for one in rows))


def floods(terms: Mapping[str, Any], young: bool, follows: int) -> bool:
    """Has somebody followed more people in a day than the charter lets them without asking?"""
    return follows >= number(terms, "follows_young_from" if young else "follows_from")


def tomorrow(now: datetime) -> datetime:
    """When somebody may follow again: a day counts back from each moment."""
    return now + timedelta(days=1)


def neighbourhood(address: str) -> str | None:
    """The range of addresses that are counted together: an IPv4 /24, an IPv6 /48. None for no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if found.version == 6 else None
    place = mapped or found
    return str(ip_network((str(place).partition("%")[0], 24 if place.version == 4 else 48), strict=False))
