"""Articles, their versions, the proposals that change them, and what happens to those."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

import msgspec

from parvis.ballots.model import Result


class State(StrEnum):
    """Where a proposal stands."""

    support = "support"
    vote = "vote"
    contest = "contest"
    promulgated = "promulgated"
    rejected = "rejected"
    lapsed = "lapsed"


class Step(Enum):
    """What moves a proposal on."""

    open_vote = "open_vote"
    expire = "expire"
    adopt = "adopt"
    reject = "reject"
    promulgate = "promulgate"


SCOPES = ("public_posts", "posts", "profiles", "everything", "procedure")


class Article(msgspec.Struct, frozen=True):
    """One version of one article."""

    id: int
    number: str
    title: str
    heading: str
    text: str
    text_en: str | None
    scope: str
    ceiling: int
    in_force_from: datetime
    in_force_until: datetime | None
    provisional: bool
    charter_version: int
    parameters: dict[str, Any]
    dsa_category: str | None
    versions: int


class CharterVersion(msgspec.Struct, frozen=True):
    """One state of the charter, chained to the one before."""

    number: int
    hash: str
    previous: str | None
    adopted_at: datetime
    in_force_from: datetime
    proposal_id: int | None


class Change(msgspec.Struct, frozen=True):
    """What two charters say differently of one article; None: it is not there."""

    number: str
    before: Article | None
    after: Article | None


class ProposalDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a resident proposes: to amend an article, or to add one to Title II."""

    title: str
    text: str
    scope: str = "posts"
    ceiling: int = 1
    article: str | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


class Proposal(msgspec.Struct, frozen=True):
    """A proposal as everybody may see it."""

    id: int
    author_id: int
    title: str
    text: str
    scope: str
    ceiling: int
    article: str | None
    parameters: dict[str, Any]
    state: str
    created_at: datetime
    due_at: datetime | None
    support_count: int
    support_needed: int
    quorum: int | None
    question_hash: str | None
    box_id: int | None
    opens_at: datetime | None
    closes_at: datetime | None
    charter_version: int | None

    @property
    def options(self) -> tuple[str, ...]:
        """What a ballot grades."""
        return OPTIONS


OPTIONS = ("text", "status_quo")


class Marks(msgspec.Struct, frozen=True):
    """What one resident has done about one proposal."""

    supported: bool
    cast: bool


class Question(msgspec.Struct, frozen=True):
    """What will be asked, and for how long, as the database freezes it."""

    hash: bytes
    vote_time: str


class Outcome(msgspec.Struct, frozen=True):
    """What the count says."""

    voters: int
    enough: bool
    winner: str
    adopted: bool


class Tally(msgspec.Struct, frozen=True):
    """The result of a closed vote."""

    voters: int
    quorum: int
    enough: bool
    adopted: bool
    winner: str
    options: list[Result]


class Due(msgspec.Struct, frozen=True):
    """A proposal that may have to move."""

    id: int
    state: str
    supports: int
    support_needed: int
    past_due: bool


class ProposalOpened(msgspec.Struct, frozen=True):
    """A resident proposed something."""

    proposal: int
    author: int


class ProposalLapsed(msgspec.Struct, frozen=True):
    """Not enough residents supported it in time."""

    proposal: int


class VoteOpened(msgspec.Struct, frozen=True):
    """A proposal found its support and is put to the vote."""

    proposal: int


class VoteClosed(msgspec.Struct, frozen=True):
    """The ballots are counted."""

    proposal: int
    adopted: bool


class Promulgated(msgspec.Struct, frozen=True):
    """A new version of the charter is written; it comes into force on its date."""

    proposal: int
    version: int
