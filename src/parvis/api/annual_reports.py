"""Somebody's own years, for themselves alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from parvis.api import errors, refreshes
from parvis.api.call import Call, Nothing, get, post
from parvis.base.errors import NotFound
from parvis.views import status as posts
from parvis.years import actions as years
from parvis.years import policy, queries
from parvis.years.model import Report, Stage


class OneYear(msgspec.Struct, frozen=True, kw_only=True):
    """One year."""

    year: int


def _report(row: Report, whose: int, shown: Mapping[int, bytes]) -> dict[str, Any]:
    data = dict(row.data or {})
    post = data["top_statuses"]["by_reblogs"]
    if post is not None and int(post) not in shown:  # it was deleted since
        data["top_statuses"] = {**data["top_statuses"], "by_reblogs": None}
    return {
        "year": row.year, "data": data, "schema_version": policy.SCHEMA, "share_url": None, "account_id": str(whose)
    }


async def _wrapped(call: Call, rows: Sequence[Report]) -> dict[str, Any]:
    me = call.me_id
    best = [row.data["top_statuses"]["by_reblogs"] for row in rows if row.data]
    wanted = [int(number) for number in dict.fromkeys(best) if number is not None]
    shown, people = await posts.entities(call.read, call.eye(), wanted, [me] if rows else [])
    return {
        "annual_reports": [_report(row, me, shown) for row in rows],
        "accounts": [msgspec.Raw(people[me])] if me in people else [],
        "statuses": [msgspec.Raw(shown[number]) for number in wanted if number in shown],
    }


def _tell(call: Call, year: int, stage: Stage) -> None:
    if stage == "generating":
        call.headers["Mastodon-Async-Refresh"] = f'id="{refreshes.YEAR}{year}", retry=2'


@get("/api/v1/annual_reports", "read:accounts")
async def listed(call: Call, _: Nothing) -> dict[str, Any]:
    """The years that one has asked to look back on, the last first. Nobody else can ask for them."""
    return await _wrapped(call, await queries.reports(call.read, call.me_id))


@get("/api/v1/annual_reports/{year}", "read:accounts")
async def show(call: Call, args: OneYear) -> dict[str, Any]:
    """A year of one's own, once it is made."""
    found = await queries.report(call.read, call.me_id, args.year)
    if found is None or found.data is None:
        raise NotFound("annual_report")
    return await _wrapped(call, [found])


@get("/api/v1/annual_reports/{year}/state", "read:accounts")
async def state(call: Call, args: OneYear) -> dict[str, Any]:
    """How far a year is: `available`, `generating`, `eligible` (from 10 December on, if one said anything), or not."""
    stage = await years.stage(call.read, call.me_id, args.year)
    _tell(call, args.year, stage)
    return {"state": stage}


@post("/api/v1/annual_reports/{year}/generate", "write:accounts")
async def generate(call: Call, args: OneYear) -> Response:
    """Have a year of one's own made: 202 while it is being made, 200 once it is; it is made once."""
    stage = await years.ask(call.tx, call.me_id, args.year)
    _tell(call, args.year, stage)
    return errors.answer(202 if stage == "generating" else 200, {}, {"Cache-Control": "private, no-store"})


@post("/api/v1/annual_reports/{year}/read", "write:accounts")
async def read(call: Call, args: OneYear) -> dict[str, Any]:
    """One has looked at it."""
    await years.read(call.tx, call.me_id, args.year)
    return {}
