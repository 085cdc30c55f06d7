"""Posts that are kept back: for their authors, who are told why and can appeal, and for moderators, who see to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from parvis.api.admin_accounts import One, moderating
from parvis.api.call import Call, Nothing, Paged, get, post
from parvis.base.clock import mastodon_time
from parvis.charter import queries as charter
from parvis.moderation import actions as moderation
from parvis.screening import actions, policy, queries
from parvis.screening.model import Crowd, Hold, HoldFilter, Rule
from parvis.views import account as people
from parvis.views import status as posts
from parvis.views.notification import explained

DAYS = 31


class Wanted(Paged, frozen=True, kw_only=True):
    """Which of them; all that are kept back now, unless something else is asked for."""

    state: Literal["held", "released", "lapsed", "confirmed", "all"] = "held"
    account_id: int | None = None
    appealed: bool = False


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a post should come out."""

    id: int
    text: str = ""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator says of it; an article, where it shall be removed."""

    id: int
    text: str = ""
    article_ids: list[int] = []


def _entity(row: Hold, article: str | None, base: str, locale: str) -> dict[str, Any]:
    return {
        "id": str(row.id), "status_id": str(row.status_id), "account_id": str(row.account_id), "state": row.state,
        "rules": row.rules, "score": row.score, "text": explained(row.rules, locale), "article": article,
        "article_version_id": str(row.article_version_id), "began_at": mastodon_time(row.began_at),
        "ends_at": mastodon_time(row.ends_at), "ended_at": mastodon_time(row.ended_at) if row.ended_at else None,
        "reasons": row.reasons, "decision_id": None if row.decision_id is None else str(row.decision_id),
        "appeal": row.appeal, "appealed_at": mastodon_time(row.appealed_at) if row.appealed_at else None,
        "url": f"{base}/holds/{row.id}",
    }


async def _entities(call: Call, rows: Sequence[Hold]) -> list[dict[str, Any]]:
    versions = await charter.versions_by_id(call.read, list({row.article_version_id for row in rows}))
    articles = {version.id: version.number for version in versions}
    locale = (call.bearer.locale if call.bearer else None) or "fr"
    return [_entity(row, articles.get(row.article_version_id), call.settings.base, locale) for row in rows]


async def _shown(call: Call, rows: Sequence[Hold]) -> list[dict[str, Any]]:
    """The same for moderators: with who wrote it and what it says."""
    accounts = await people.accounts(call.read, call.eye(), list({row.account_id for row in rows}))
    said = await posts.reported(call.read, call.eye(), call.me_id, [row.status_id for row in rows])
    return [
        {
            **entity,
            "account": msgspec.Raw(accounts[row.account_id]) if row.account_id in accounts else None,
            "status": msgspec.Raw(said[row.status_id]) if row.status_id in said else None,
        }
        for row, entity in zip(rows, await _entities(call, rows), strict=True)
    ]


@get("/api/v1/holds", "read:statuses")
async def own(call: Call, args: Paged) -> list[dict[str, Any]]:
    """One's own posts that are or were kept back: by which rules, in the name of which article, until when."""
    rows = await queries.page(call.read, args.page(20), HoldFilter(account_id=call.me_id))
    call.link([row.id for row in rows])
    return await _entities(call, rows)


@get("/api/v1/holds/{id}", "read:statuses")
async def one(call: Call, args: One) -> dict[str, Any]:
    """One of them."""
    return (await _entities(call, [await actions.own(call.read, args.id, call.me_id)]))[0]


@post("/api/v1/holds/{id}/appeal", "write:reports")
async def appeal(call: Call, args: Appeal) -> dict[str, Any]:
    """Say why a post should come out; once."""
    await actions.appeal(call.tx, await call.me(), args.id, args.text)
    return (await _entities(call, [await actions.held(call.tx, args.id)]))[0]


@get("/api/v1/admin/holds", "admin:read")
async def quarantine(call: Call, args: Wanted) -> list[dict[str, Any]]:
    """What is kept back, the newest first; with `appealed` only what its authors speak up for."""
    await moderating(call)
    wanted = HoldFilter(
        account_id=args.account_id, state=None if args.state == "all" else args.state, appealed=args.appealed
    )
    rows = await queries.page(call.read, args.page(40), wanted)
    call.link([row.id for row in rows])
    return await _shown(call, rows)


@get("/api/v1/admin/holds/{id}", "admin:read")
async def quarantined(call: Call, args: One) -> dict[str, Any]:
    """One of them."""
    await moderating(call)
    return (await _shown(call, [await actions.held(call.read, args.id)]))[0]


@post("/api/v1/admin/holds/{id}/release", "admin:write")
async def release(call: Call, args: Ruling) -> dict[str, Any]:
    """Let it out: it is delivered and told of as if it came now."""
    await moderating(call)
    await actions.release(call.tx, await call.me(), args.id, args.text)
    return (await _shown(call, [await actions.held(call.tx, args.id)]))[0]


@post("/api/v1/admin/holds/{id}/confirm", "admin:write")
async def confirm(call: Call, args: Ruling) -> dict[str, Any]:
    """Remove it by a decision that cites an article; 422 with those in force when none is named."""
    await moderating(call)
    found, me = await actions.held(call.tx, args.id), await call.me()
    ground = await moderation.ground_for(
        call.tx, found.account_id, article_ids=args.article_ids, status_ids=[found.status_id]
    )
    await actions.confirm(call.tx, me, await moderation.mandate(call.tx, me, ground), args.id, args.text)
    return (await _shown(call, [await actions.held(call.tx, args.id)]))[0]


def _rules(found: Crowd) -> list[dict[str, Any]]:
    return [
        {
            "rule": rule.value, "mode": policy.mode(found.terms, rule, found.ground).name,
            "parameters": {name: value for name, value in found.terms.items() if name.startswith(f"{rule}_")},
        }
        for rule in Rule
    ]


@get("/api/v1/admin/screening", "admin:read")
async def rules(call: Call, _: Nothing) -> dict[str, Any]:
    """Each rule as the charter has it, and what it saw day by day: `acted` where a post was kept back by it."""
    await moderating(call)
    found = await queries.terms(call.read)
    return {
        "article_version_id": None if found is None or found.ground is None else str(found.ground),
        "hold_score": found and found.terms["hold_score"], "hold_time": found and found.terms["hold_time"],
        "rules": _rules(found) if found else [],
        "days": [
            {"day": row.day.isoformat(), "rule": row.rule, "acted": row.acted, "local": row.local, "times": row.times}
            for row in await queries.counts(call.read, DAYS)
        ],
    }
