"""How busy the city and its neighbours are, counted for moderators: no number names anybody of this city."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from platform import python_version
from typing import Any, Literal

import msgspec

from parvis.api import VERSION
from parvis.api.admin_accounts import moderating
from parvis.api.call import Call, post
from parvis.base.clock import mastodon_time
from parvis.base.errors import Invalid
from parvis.base.ids import smallest_at
from parvis.trends import queries

LONGEST = 92
PERIODS = 32
KEYS = 30


class OfTag(msgspec.Struct, frozen=True, kw_only=True):
    """About a hashtag."""

    id: int


class OfServer(msgspec.Struct, frozen=True, kw_only=True):
    """About a server."""

    domain: str


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be counted, in which days; some counts are about a hashtag or a server."""

    keys: list[str]
    start_at: str
    end_at: str
    tag_accounts: OfTag | None = None
    tag_uses: OfTag | None = None
    tag_servers: OfTag | None = None
    instance_accounts: OfServer | None = None
    instance_media_attachments: OfServer | None = None
    instance_reports: OfServer | None = None
    instance_statuses: OfServer | None = None
    instance_follows: OfServer | None = None
    instance_followers: OfServer | None = None


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """By what shall be counted; without days, over the last month."""

    keys: list[str]
    start_at: str | None = None
    end_at: str | None = None
    limit: int = 10
    tag_servers: OfTag | None = None
    tag_languages: OfTag | None = None
    instance_accounts: OfServer | None = None
    instance_languages: OfServer | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Of whom shall be told whether they stayed."""

    start_at: str
    end_at: str
    frequency: Literal["day", "month"] = "day"


def _day(field: str, text: str) -> date:
    """The day of a date or a moment, in UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo is None else found.astimezone(UTC)).date()
    except (ValueError, OverflowError) as error:
        raise Invalid(field, "invalid") from error


def _stretch(start: date, end: date, most: int) -> tuple[date, date]:
    """So many days at most, and none before there were computers: everything is counted from what is stored."""
    if not 2000 <= start.year <= end.year <= 9000 or not 0 <= (end - start).days < most:
        raise Invalid("end_at", "out_of_range")
    return start, end


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _ids(start: date, end: date) -> tuple[int, int]:
    """The numbers that were given out in these days."""
    return smallest_at(_midnight(start)), smallest_at(_midnight(end + timedelta(days=1)))


def _thing(args: msgspec.Struct, key: str) -> str:
    """What a key is about; '' for the whole city."""
    if not key.startswith(("tag_", "instance_")):
        return ""
    about: OfTag | OfServer | None = getattr(args, key, None)
    if about is None:
        raise Invalid(f"{key}[{'id' if key.startswith('tag_') else 'domain'}]", "missing")
    return str(about.id) if isinstance(about, OfTag) else about.domain.lower()


def _known(keys: list[str], table: Mapping[str, object]) -> list[str]:
    """Those that are counted here, each once; others are left out, as Mastodon does."""
    return [key for key in dict.fromkeys(keys[:KEYS]) if key in table]


async def _measure(call: Call, args: Measured, key: str, start: date, end: date) -> dict[str, Any]:
    days = (end - start).days + 1
    since, until = _ids(start - timedelta(days=days), end)
    rows = await queries.counts(call.read, key, since, until, _thing(args, key), start)
    each = {row.day: row.value for row in rows if row.day is not None}
    total = {row.present: row.value for row in rows if row.day is None}
    return {
        "key": key, "unit": None, "total": str(total.get(True, 0)), "previous_total": str(total.get(False, 0)),
        "data": [
            {"date": mastodon_time(_midnight(day)), "value": str(each.get(day, 0))}
            for day in (start + timedelta(days=number) for number in range(days))
        ],
    }


@post("/api/v1/admin/measures", "admin:read", tx="read")
async def measures(call: Call, args: Measured) -> list[dict[str, Any]]:
    """Counts day by day, and in all, beside those of as many days before."""
    await moderating(call)
    start, end = _stretch(_day("start_at", args.start_at), _day("end_at", args.end_at), LONGEST)
    return [await _measure(call, args, key, start, end) for key in _known(args.keys, queries.DAILY)]


def _human(size: int) -> str:
    """A size as people read it."""
    for unit in ("Bytes", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size //= 1024
    return f"{size} TB"


def _versions() -> list[dict[str, str]]:
    known = (("parvis", "Parvis", VERSION), ("python", "Python", python_version()))
    return [{"key": key, "human_key": name, "value": value, "human_value": value} for key, name, value in known]


async def _dimension(call: Call, args: Shared, key: str, start: date, end: date) -> dict[str, Any]:
    if key == "software_versions":
        return {"key": key, "data": _versions()}
    since, until = _ids(start, end)
    rows = await queries.shares(call.read, key, since, until, _thing(args, key), max(1, min(args.limit, 100)))
    bytes_of = key == "space_usage"
    return {"key": key, "data": [
        {
            "key": row.key, "human_key": row.name or call.settings.domain, "value": str(row.value),
            **({"unit": "bytes", "human_value": _human(row.value)} if bytes_of else {}),
        }
        for row in rows
    ]}


@post("/api/v1/admin/dimensions", "admin:read", tx="read")
async def dimensions(call: Call, args: Shared) -> list[dict[str, Any]]:
    """What most have in common: languages, servers, apps; and what takes how much room."""
    await moderating(call)
    end = call.now.date() if args.end_at is None else _day("end_at", args.end_at)
    start = end - timedelta(days=29) if args.start_at is None else _day("start_at", args.start_at)
    _stretch(start, end, LONGEST)
    known = _known(args.keys, {**queries.SHARES, "software_versions": ""})
    return [await _dimension(call, args, key, start, end) for key in known]


@post("/api/v1/admin/retention", "admin:read", tx="read")
async def retention(call: Call, args: Kept) -> list[dict[str, Any]]:
    """Of those who came in each day or month, how many wrote in it and in each one after."""
    await moderating(call)
    most = PERIODS if args.frequency == "day" else PERIODS * 31
    start, end = _stretch(_day("start_at", args.start_at), _day("end_at", args.end_at), most)
    cohorts: dict[date, list[dict[str, Any]]] = {}
    for row in await queries.stays(call.read, args.frequency, start, end):
        rate = row.active / row.people if row.people else 0.0
        told = {"date": mastodon_time(_midnight(row.period)), "rate": rate, "value": str(row.active)}
        cohorts.setdefault(row.came, []).append(told)
    return [
        {"period": mastodon_time(_midnight(came)), "frequency": args.frequency, "data": data}
        for came, data in cohorts.items()
    ]
