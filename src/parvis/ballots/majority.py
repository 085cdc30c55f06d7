"""Majority judgment: each voter gives each option a mention, and the option with the best profile comes first.

Rule: the higher lower-median wins; then the larger of the two camps around it decides, proponents (above) or opponents
(below), opponents at equality; then the median group joins its neighbour on that side and the question is asked again.
This orders profiles as the majority value of Balinski and Laraki (2010) does, without removing ballots one by one.
Integers only: the count is exact for any number of voters.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Mention(IntEnum):
    """The six mentions of a ballot, the best the highest."""

    a_rejeter = 0
    insuffisant = 1
    passable = 2
    assez_bien = 3
    bien = 4
    tres_bien = 5


Profile = tuple[int, int, int, int, int, int]  # how many voters gave each mention, indexed by Mention


def profile(counts: Mapping[Mention, int], ballots: int | None = None) -> Profile:
    """How often each mention was given; a ballot that says nothing of an option rejects it."""
    rejected, mediocre, fair, decent, good, best = (counts.get(mention, 0) for mention in Mention)
    given = rejected + mediocre + fair + decent + good + best
    silent = 0 if ballots is None else ballots - given
    if silent < 0 or min(counts.values(), default=0) < 0:
        raise ValueError(f"{given} mentions cannot come from {ballots} ballots")
    return (rejected + silent, mediocre, fair, decent, good, best)


def median(profile: Profile) -> Mention:
    """The mention of the middle voter, the worse of two if voters are even in number; without voters, the worst."""
    voters, so_far = sum(profile), 0
    for mention in Mention:
        so_far += profile[mention]
        if 2 * so_far >= voters:
            return mention
    raise ValueError("a profile cannot hold negative counts")


def merit(profile: Profile) -> tuple[int, ...]:
    """A key that sorts profiles of one vote from worst to best: the median, then the camps, opponents negative."""
    low = high = median(profile)
    below, above = sum(profile[:low]), sum(profile[high + 1 :])
    key: list[int] = [low]
    while below or above:
        if above > below:
            key.append(above)
            high = Mention(high + 1)
            above -= profile[high]
        else:
            key.append(-below)
            low = Mention(low - 1)
            below -= profile[low]
    return (*key, 0)  # nobody left: better than opponents still to come, worse than proponents


def compare(a: Profile, b: Profile) -> int:
    """1 if the first profile is better, -1 if it is worse, 0 only if they are the same."""
    _same_voters({"a": a, "b": b})
    return (merit(a) > merit(b)) - (merit(a) < merit(b))


def ranked(profiles: Mapping[str, Profile], status_quo: str | None = None) -> list[str]:
    """The options from best to worst.

    At perfect equality the status quo goes first, and the others keep the order of `profiles`, which the caller drew.
    """
    _same_voters(profiles)
    return sorted(profiles, key=lambda option: (merit(profiles[option]), option == status_quo), reverse=True)


def adopted(profiles: Mapping[str, Profile], status_quo: str, threshold: Mention = Mention.assez_bien) -> str | None:
    """The option that beats the status quo and every other, if its own median reaches the threshold; else nothing."""
    if status_quo not in profiles:
        raise ValueError("the status quo is always among the options")
    winner = ranked(profiles, status_quo)[0]
    return winner if winner != status_quo and median(profiles[winner]) >= threshold else None


def _same_voters(profiles: Mapping[str, Profile]) -> None:
    """Profiles compare only within one vote, where every voter counts once for each option."""
    if len({sum(profile) for profile in profiles.values()}) > 1:
        raise ValueError("all options of one vote have the same number of voters")
