"""Mastodon's admin endpoints, on the deeds of moderation: nothing is decided here without a ground of the charter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from parvis.accounts import actions as accounts
from parvis.api import admin_accounts, civic
from parvis.api.admin_accounts import One, moderating
from parvis.api.call import Call, Nothing, Paged, get, post, put
from parvis.base.clock import mastodon_time
from parvis.base.errors import Invalid, NotFound
from parvis.charter import queries as charter
from parvis.moderation import actions as moderation
from parvis.moderation import queries
from parvis.moderation.model import Decision, DecisionDraft, Handling, Level, Report, ReportDraft, ReportFilter
from parvis.statuses import queries as statuses
from parvis.text.mentions import normal_domain
from parvis.views import account as people
from parvis.views import status as posts

SERVERS = 20
"""How many servers a report names at most."""
Action = Literal["none", "warn", "sensitive", "silence", "delete", "disable", "suspend", "exclude"]
# Mastodon's words for actions, with two that it lacks, on the charter's ladder.
LADDER: dict[str, Level] = {
    "none": Level.warning, "warn": Level.warning, "sensitive": Level.label, "silence": Level.reduced_visibility,
    "delete": Level.removal, "disable": Level.posting_freeze, "suspend": Level.suspension, "exclude": Level.exclusion,
}


class NewReport(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody reports; rule_ids and article_ids are the same ids."""

    account_id: int
    status_ids: list[int] = []
    comment: str = ""
    forward: bool = False
    forward_to_domains: list[str] | None = None
    category: str | None = None
    rule_ids: list[int] = []
    article_ids: list[int] = []


class NewAction(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator decides about an account or its posts, and on which article."""

    id: int
    type: Action
    report_id: int | None = None
    text: str = ""
    status_ids: list[int] = []
    article_ids: list[int] = []
    ends_at: datetime | None = None
    duration: int | None = None


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """A report whose case is closed without a measure, for a stated reason."""

    id: int
    text: str = ""
    article_ids: list[int] = []


class ReportPage(Paged, frozen=True, kw_only=True):
    """Which reports."""

    resolved: bool = False
    account_id: int | None = None
    target_account_id: int | None = None
    by_target_domain: str | None = None


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    """How moderators see a report. rule_ids are ids of articles."""

    id: int
    category: str | None = None
    rule_ids: list[int] | None = None


@post("/api/v1/reports", "write:reports")
async def report(call: Call, args: NewReport) -> dict[str, Any]:
    """Tell the moderators."""
    target = await accounts.account(call.tx, args.account_id)
    if set(args.status_ids) - await statuses.seen_among(call.tx, args.status_ids, call.me_id):
        raise NotFound("status")
    named = tuple(dict.fromkeys([*args.rule_ids, *args.article_ids]))
    servers = None if args.forward_to_domains is None else [normal_domain(one) for one in args.forward_to_domains]
    draft = ReportDraft(
        status_ids=tuple(args.status_ids), comment=args.comment, article_ids=named, forward=args.forward,
        domains=None if servers is None else tuple(one for one in servers[:SERVERS] if one),
        category=args.category or ("violation" if named else "other"),
    )
    made = await queries.report(call.tx, await moderation.report(call.tx, await call.me(), target, draft))
    if made is None:
        raise NotFound("report")
    return await _reported(call, made)


async def _reported(call: Call, row: Report) -> dict[str, Any]:
    people_shown = await people.accounts(call.read, call.eye(), [row.target_id])
    return {
        "id": str(row.id), "action_taken": row.closed_at is not None,
        "action_taken_at": mastodon_time(row.closed_at) if row.closed_at else None, "category": row.category,
        "comment": row.comment, "forwarded": row.forward, "created_at": mastodon_time(row.created_at),
        "status_ids": [str(number) for number in row.status_ids], "collection_ids": None,
        "rule_ids": [str(number) for number in row.article_ids],
        "target_account": msgspec.Raw(people_shown[row.target_id]),
    }


@get("/api/v1/admin/reports", "admin:read:reports")
async def reports(call: Call, args: ReportPage) -> list[dict[str, Any]]:
    """What waits, or what was settled."""
    await moderating(call)
    rows = await queries.reports(call.read, args.page(100), ReportFilter(
        resolved=args.resolved, account_id=args.account_id, target_id=args.target_account_id,
        target_domain=args.by_target_domain,
    ))
    rows.sort(key=lambda row: -row.id)
    call.link([row.id for row in rows])
    return await _admin_reports(call, rows)


async def _admin_reports(call: Call, rows: Sequence[Report]) -> list[dict[str, Any]]:
    """Reports with all that they name, in a number of statements that does not depend on how many there are."""
    people_in = {n for row in rows for n in (row.account_id, row.target_id, row.assigned_id, row.closed_by) if n}
    files = await admin_accounts.files(call, people_in)
    status_ids = [number for row in rows for number in row.status_ids]
    shown = await posts.reported(call.read, call.eye(), call.me_id, status_ids)
    versions = await charter.versions_by_id(call.read, [number for row in rows for number in row.article_ids])
    rules = {article.id: civic.rule(article, call.settings.base) for article in versions}
    return [
        {
            "id": str(row.id), "action_taken": row.closed_at is not None,
            "action_taken_at": mastodon_time(row.closed_at) if row.closed_at else None, "category": row.category,
            "comment": row.comment, "forwarded": row.forward, "created_at": mastodon_time(row.created_at),
            "updated_at": mastodon_time(row.updated_at), "case_id": str(row.case_id),
            "account": files[row.account_id], "target_account": files[row.target_id],
            "assigned_account": files.get(row.assigned_id or 0),
            "action_taken_by_account": files.get(row.closed_by or 0) if row.closed_at else None,
            "statuses": [msgspec.Raw(shown[n]) for n in row.status_ids if n in shown],
            "rules": [rules[n] for n in row.article_ids if n in rules],
        }
        for row in rows
    ]


async def _admin_report(call: Call, report_id: int) -> dict[str, Any]:
    return (await _admin_reports(call, [await _report(call, report_id)]))[0]


async def _report(call: Call, report_id: int) -> Report:
    found = await queries.report(call.read, report_id)
    if found is None:
        raise NotFound("report")
    return found


@get("/api/v1/admin/reports/{id}", "admin:read:reports")
async def one_report(call: Call, args: One) -> dict[str, Any]:
    """One report, with the posts and the articles it names."""
    await moderating(call)
    return await _admin_report(call, args.id)


@put("/api/v1/admin/reports/{id}", "admin:write:reports")
async def classify(call: Call, args: Classified) -> dict[str, Any]:
    """Note under which word, and by which articles, moderators see a report; what its author wrote stays."""
    await moderating(call)
    row = await _report(call, args.id)
    await moderation.note(call.tx, row.id, Handling(category=args.category, article_ids=args.rule_ids))
    return await _admin_report(call, row.id)


@post("/api/v1/admin/reports/{id}/assign_to_self", "admin:write:reports")
async def take(call: Call, args: One) -> dict[str, Any]:
    """See to a report oneself."""
    await moderating(call)
    await queries.assign(call.tx, (await _report(call, args.id)).id, call.me_id)
    return await _admin_report(call, args.id)


@post("/api/v1/admin/reports/{id}/unassign", "admin:write:reports")
async def leave(call: Call, args: One) -> dict[str, Any]:
    """Leave a report to whoever takes it."""
    await moderating(call)
    await queries.assign(call.tx, (await _report(call, args.id)).id, None)
    return await _admin_report(call, args.id)


@post("/api/v1/admin/reports/{id}/reopen", "admin:write:reports")
async def reopen(call: Call, args: One) -> dict[str, Any]:
    """Look at a settled report again, in a case of its own; what was decided stands."""
    await moderating(call)
    await moderation.reopen(call.tx, await _report(call, args.id))
    return await _admin_report(call, args.id)


def decision(row: Decision) -> dict[str, Any]:
    """A decision, and how far it has come."""
    return {
        "id": str(row.id), "case_id": str(row.case_id), "target_account_id": str(row.target_id),
        "status_ids": [str(number) for number in row.status_ids], "level": row.level, "measure": Level(row.level).name,
        "article_version_id": None if row.article_version_id is None else str(row.article_version_id),
        "facts": row.facts, "act_at": mastodon_time(row.act_at), "decided_at": mastodon_time(row.decided_at),
        "ends_at": mastodon_time(row.ends_at) if row.ends_at else None, "register_index": row.leaf_index,
        "in_effect_since": mastodon_time(row.in_effect_since) if row.in_effect_since else None,
        "lifted_at": mastodon_time(row.lifted_at) if row.lifted_at else None,
    }


async def _until(call: Call, args: NewAction, level: Level) -> datetime | None:
    """When the measure ends: as given, else after the longest time the charter allows. A removal has no end."""
    if args.ends_at is not None:
        return args.ends_at
    if args.duration is not None and not 0 < args.duration <= 366 * 86400:
        raise Invalid("duration", "invalid")
    if args.duration and await queries.longest_end(call.tx, int(level)) is not None:
        return call.tx.now + timedelta(seconds=args.duration)
    return await queries.longest_end(call.tx, int(level))


async def _decide(call: Call, args: NewAction, level: Level) -> Decision:
    me, target = await call.me(), await accounts.account(call.tx, args.id)
    ground = await moderation.ground_for(
        call.tx, target.id, article_ids=args.article_ids, report_id=args.report_id, status_ids=args.status_ids
    )
    mandate = await moderation.mandate(call.tx, me, ground)
    known = None if args.report_id is None else await queries.report(call.tx, args.report_id)
    if args.report_id is not None and (known is None or known.target_id != target.id):
        raise NotFound("report")
    status_ids = args.status_ids or (known.status_ids if known and level in (Level.label, Level.removal) else [])
    made = await moderation.decide(call.tx, me, mandate, DecisionDraft(
        target_id=target.id, level=level, facts=args.text or (known.comment if known else ""),
        status_ids=tuple(status_ids), ends_at=await _until(call, args, level),
        case_id=known.case_id if known and known.closed_at is None else None,
    ))
    found = await queries.decision(call.tx, made)
    if found is None:
        raise NotFound("decision")
    return found


@post("/api/v1/admin/accounts/{id}/action", "admin:write:accounts")
async def act(call: Call, args: NewAction) -> dict[str, Any]:
    """Decide on an article; 422 with the articles in force when none is named and none can be derived."""
    await moderating(call)
    return decision(await _decide(call, args, LADDER[args.type]))


@post("/api/v1/admin/reports/{id}/resolve", "admin:write:reports")
async def resolve(call: Call, args: Resolution) -> dict[str, Any]:
    """Close a case with a decision that takes no measure."""
    await moderating(call)
    row = await _report(call, args.id)
    action = NewAction(
        id=row.target_id, type="none", report_id=row.id, text=args.text or "No measure is called for.",
        article_ids=args.article_ids,
    )
    await _decide(call, action, Level.none)
    return await _admin_report(call, row.id)


@post("/api/v1/admin/decisions/{id}/confirm", "admin:write:accounts")
async def confirm(call: Call, args: One) -> dict[str, Any]:
    """A second moderator agrees; suspensions and exclusions have no effect before."""
    await moderating(call)
    await moderation.confirm(call.tx, await call.me(), args.id)
    found = await queries.decision(call.tx, args.id)
    if found is None:
        raise NotFound("decision")
    return decision(found)


@get("/api/v1/admin/decisions", "admin:read:accounts")
async def waiting(call: Call, _: Nothing) -> list[dict[str, Any]]:
    """Decisions that wait for a second moderator."""
    await moderating(call)
    return [decision(row) for row in await queries.waiting_for_second(call.read)]
