"""What a ballot box is, and what comes out of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from parvis.ballots.majority import Mention


class Box(msgspec.Struct, frozen=True):
    """A question put to the vote."""

    id: int
    question_hash: bytes
    options: list[str]
    opens_at: datetime
    closes_at: datetime


class Result(msgspec.Struct, frozen=True):
    """What one option received: how many gave each mention, worst first, its majority mention and its rank."""

    option: str
    profile: list[int]
    median: int
    rank: int

    @property
    def mention(self) -> Mention:
        """The majority mention."""
        return Mention(self.median)
