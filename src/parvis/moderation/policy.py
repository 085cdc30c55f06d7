"""What a report and a decision must say. The rest is refused in SQL. Pure."""

from __future__ import annotations

import msgspec

from parvis.accounts.model import Account
from parvis.base.errors import Forbidden, Invalid
from parvis.ledger.model import Mandate
from parvis.moderation.model import DecisionDraft, DomainComments, Handling, ReportDraft

LONGEST_COMMENT = 1000
LONGEST_FACTS = 5000
CATEGORIES = ("spam", "legal", "violation", "other")


def may_report(by: Account, target: Account, draft: ReportDraft) -> None:
    """Anyone reports anyone else; a remote report's words may be longer than a local one's."""
    if by.id == target.id:
        raise Forbidden("own_account")
    if draft.category not in CATEGORIES:
        raise Invalid("category", "ERR_INCLUSION")
    if len(draft.comment) > (LONGEST_COMMENT if by.local else LONGEST_FACTS):
        raise Invalid("comment", "ERR_TOO_LONG", limit=LONGEST_COMMENT)


def forwarded(target: Account, draft: ReportDraft) -> ReportDraft:
    """What is passed on: of somebody elsewhere, to their own server or to those that are named; of us, nothing."""
    if target.domain is None or not draft.forward:
        return msgspec.structs.replace(draft, forward=False, domains=())
    domains = (target.domain,) if draft.domains is None else draft.domains
    return msgspec.structs.replace(draft, forward=target.domain in domains, domains=domains)


def may_decide(by: Account, mandate: Mandate, draft: DecisionDraft) -> None:
    """The mandate is this moderator's own, and the facts are stated."""
    if mandate.power != "decide" or mandate.holder != by.id:
        raise Forbidden("no_mandate")
    may_reason("facts", draft.facts)


def may_lift(by: Account, mandate: Mandate, reasons: str) -> None:
    """The mandate is this moderator's own, and the reasons are stated."""
    if mandate.power != "decide" or mandate.holder != by.id:
        raise Forbidden("no_mandate")
    may_reason("text", reasons)


def may_comment(said: DomainComments) -> None:
    """What is said of a block is no longer than its reasons may be."""
    for field in ("private_comment", "public_comment"):
        if len(getattr(said, field) or "") > LONGEST_FACTS:
            raise Invalid(field, "ERR_TOO_LONG", limit=LONGEST_FACTS)


def may_note(noted: Handling) -> None:
    """A report stands under one of Mastodon's words."""
    if noted.category is not None and noted.category not in CATEGORIES:
        raise Invalid("category", "ERR_INCLUSION")


def may_reason(field: str, words: str) -> None:
    """Reasons are never empty."""
    if not words.strip():
        raise Invalid(field, "ERR_BLANK")
    if len(words) > LONGEST_FACTS:
        raise Invalid(field, "ERR_TOO_LONG", limit=LONGEST_FACTS)
