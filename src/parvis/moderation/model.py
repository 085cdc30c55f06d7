"""Reports, cases, decisions, measures, appeals, and what happens to them."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Literal

import msgspec

from parvis.peers.model import Severity


class Level(IntEnum):
    """The ladder of measures; its words, limits and numbers of moderators are in the table measure_kinds."""

    none = 0
    warning = 1
    label = 2
    reduced_visibility = 3
    removal = 4
    posting_freeze = 5
    suspension = 6
    exclusion = 7


class ReportDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What someone reports; `article_ids` are of article versions, `domains` the servers to tell, None for its own."""

    status_ids: tuple[int, ...] = ()
    comment: str = ""
    category: str = "other"
    article_ids: tuple[int, ...] = ()
    forward: bool = False
    domains: tuple[str, ...] | None = None


class Report(msgspec.Struct, frozen=True):
    """A report, and what became of its case."""

    id: int
    case_id: int
    account_id: int
    target_id: int
    status_ids: list[int]
    article_ids: list[int]
    category: str
    comment: str
    forward: bool
    created_at: datetime
    closed_at: datetime | None
    assigned_id: int | None
    closed_by: int | None
    updated_at: datetime


class ReportFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which reports somebody looks for."""

    resolved: bool | None = None
    account_id: int | None = None
    target_id: int | None = None
    target_domain: str | None = None


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator notes on a report; None leaves as it is."""

    category: str | None = None
    article_ids: list[int] | None = None


class Case(msgspec.Struct, frozen=True):
    """All the open reports on one account."""

    id: int
    target_id: int
    opened_at: datetime
    closed_at: datetime | None
    reports: int


class DecisionDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator decides; the ground is in the mandate. Without a case, the target's open one, or a new one."""

    target_id: int
    level: Level
    facts: str
    status_ids: tuple[int, ...] = ()
    ends_at: datetime | None = None
    case_id: int | None = None


class Decision(msgspec.Struct, frozen=True):
    """A decision, its ground, and how far it has come."""

    id: int
    case_id: int
    target_id: int
    status_ids: list[int]
    level: int
    article_version_id: int | None
    legal_order_id: int | None
    facts: str
    ends_at: datetime | None
    decided_by: int
    decided_at: datetime
    act_at: datetime
    leaf_index: int | None
    confirmed_by: int | None
    in_effect_since: datetime | None
    lifted_at: datetime | None
    overturned: bool


class Statement(msgspec.Struct, frozen=True):
    """The statement of reasons, for the person concerned (DSA article 17)."""

    decision_id: int
    target_id: int
    level: int
    facts: str
    ground: str
    redress: str
    ends_at: datetime | None
    delivered_at: datetime | None


class Appeal(msgspec.Struct, frozen=True):
    """An appeal and its answer."""

    id: int
    decision_id: int
    account_id: int
    text: str
    created_at: datetime
    outcome: str | None
    reasons: str | None
    decided_by: int | None


Verdict = Literal["uphold", "overturn"]


class RegisterEntry(msgspec.Struct, frozen=True):
    """A public entry of the register: it names nobody."""

    index: int
    date: datetime
    kind: str
    level: int | None
    measure: str | None
    article: str | None
    charter_version: int | None
    authority: str | None
    subject: str | None
    reasons: str | None
    hash: str
    signed: bool


class Reported(msgspec.Struct, frozen=True):
    """Someone reported an account; `forward`: its server is told, and on `domains` those whom the posts answer."""

    report: int
    case: int
    target: int
    forward: bool
    domains: tuple[str, ...] = ()


class Decided(msgspec.Struct, frozen=True):
    """A decision is taken and has no effect yet. Whoever must hear of it hears now."""

    decision: int
    target: int
    level: int


class MeasureTaken(msgspec.Struct, frozen=True):
    """A decision took effect."""

    decision: int
    target: int
    level: int
    status_ids: tuple[int, ...]


class MeasureLifted(msgspec.Struct, frozen=True):
    """A measure ended, or an appeal overturned it."""

    decision: int
    target: int
    level: int
    status_ids: tuple[int, ...]


class DomainDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator decides about a server; the ground is in the mandate. `block_id`: of a block there is."""

    domain: str
    severity: Severity
    level: Level
    reject_media: bool
    reject_reports: bool
    facts: str
    status_ids: tuple[int, ...] = ()
    ends_at: datetime | None = None
    review_at: datetime | None = None
    block_id: int | None = None


class DomainComments(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a block beside its reasons; None leaves as it is."""

    private_comment: str | None = None
    public_comment: str | None = None
    obfuscate: bool | None = None


class DomainDecided(msgspec.Struct, frozen=True):
    """A decision about a server is taken and has no effect yet."""

    decision: int
    domain: str


class DomainMeasured(msgspec.Struct, frozen=True):
    """A measure on a server began or ended."""

    decision: int
    in_force: bool


class Appealed(msgspec.Struct, frozen=True):
    """Someone concerned asks that another moderator look again."""

    appeal: int
    decision: int


class AppealDecided(msgspec.Struct, frozen=True):
    """Another moderator has answered an appeal."""

    appeal: int
    decision: int
    overturned: bool
