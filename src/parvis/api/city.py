"""What the city tells about itself: how busy it is, its texts, its languages, its posts in other people's pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html import escape
from typing import Any, Literal

import msgspec
from starlette.responses import Response

from parvis.accounts import actions as accounts
from parvis.api import queries as face
from parvis.api.call import Call, Nothing, get
from parvis.base import city as founding
from parvis.base.clock import mastodon_time
from parvis.base.errors import NotFound
from parvis.charter import queries as charter
from parvis.charter.model import Article, CharterVersion
from parvis.peers import queries as peers
from parvis.statuses import queries as statuses
from parvis.text import language, messages
from parvis.trends import queries as trends

WEEKS = 12
CACHED = "max-age=300, public, stale-while-revalidate=30, stale-if-error=86400"
PRIVACY_SINCE = datetime(2026, 11, 24, tzinfo=UTC)
"""When the text on privacy was changed last."""
WIDE, HIGH, NARROW = 400, 400, 220


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a domain."""

    q: str = ""


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """Rules by the day on which they came into force."""

    date: str


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """A post by its address, and how much room there is for it."""

    url: str
    maxwidth: int | None = None
    maxheight: int | None = None
    format: Literal["json"] = "json"


@get("/api/v1/instance/activity")
async def activity(call: Call, _: Nothing) -> list[dict[str, str]]:
    """How much was written, and how many signed in and came, in each of the last twelve weeks."""
    call.headers["Cache-Control"] = CACHED
    return [
        {
            "week": str(int(datetime(row.begins.year, row.begins.month, row.begins.day, tzinfo=UTC).timestamp())),
            "statuses": str(row.posts), "logins": str(row.sign_ins), "registrations": str(row.registrations),
        }
        for row in await trends.weeks(call.read, WEEKS)
    ]


@get("/api/v1/instance/languages", tx="none")
async def languages(call: Call, _: Nothing) -> list[dict[str, str]]:
    """The languages a post may say it is in, by their own names."""
    call.headers["Cache-Control"] = CACHED
    return [{"code": code, "name": name} for code, name in sorted(language.NAMES.items())]


@get("/api/v1/peers/search")
async def like(call: Call, args: Lookup) -> list[str]:
    """Servers this city has met, by a part of their domain."""
    wanted = args.q.strip().lower()
    return await peers.like(call.read, wanted, 10) if wanted else []


def _locale(call: Call) -> messages.Locale:
    call.headers |= {"Cache-Control": CACHED, "Vary": "Authorization, Origin, Accept-Language"}
    return messages.negotiated(call.request.headers.get("accept-language"), call.request.query_params.get("lang"))


def _prose(call: Call, name: str) -> str:
    city = call.settings
    return messages.prose(name, _locale(call), {"city": {"title": city.city_name, "domain": city.domain}})


@get("/api/v1/instance/extended_description")
async def extended_description(call: Call, _: Nothing) -> dict[str, str]:
    """What this square is, as its page says, and what its charter rules; changed when the charter was."""
    rules = await charter.in_force(call.read)
    version = await charter.current_version(call.read)
    heads = "".join(f"<li>{escape(row.heading)}</li>" for row in rules if row.ceiling > 0)
    about = f"<p>{escape(call.settings.city_description)}</p>" if call.settings.city_description else ""
    since = version.in_force_from if version else await founding.founded_at(call.read)
    return {
        "updated_at": mastodon_time(since),
        "content": f"{about}{_prose(call, 'about')}" + (f"<ol>{heads}</ol>" if heads else ""),
    }


@get("/api/v1/instance/privacy_policy", tx="none")
async def privacy_policy(call: Call, _: Nothing) -> dict[str, str]:
    """What is known of people here, why and for how long: the text of the page."""
    return {"updated_at": mastodon_time(PRIVACY_SINCE), "content": _prose(call, "privacy")}


def _article(row: Article, locale: messages.Locale) -> str:
    translated = row.text_en if locale == "en" else None
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in (translated or row.text).split("\n") if part.strip())
    tongue = "en" if translated else "fr"
    return f'<h2 lang="fr">{escape(row.number)} {escape(row.heading)}</h2><div lang="{tongue}">{paragraphs}</div>'


async def _terms(call: Call, version: CharterVersion | None, later: list[CharterVersion]) -> dict[str, Any]:
    """One state of the charter as terms of service; `later` are those that follow it."""
    if version is None:
        raise NotFound("charter")
    locale = _locale(call)
    rules = await charter.in_force(call.read, version.in_force_from)
    return {
        "effective_date": version.in_force_from.date().isoformat(), "effective": version.in_force_from <= call.now,
        "content": "".join(_article(row, locale) for row in rules),
        "succeeded_by": min(row.in_force_from for row in later).date().isoformat() if later else None,
    }


@get("/api/v1/instance/terms_of_service")
async def terms(call: Call, _: Nothing) -> dict[str, Any]:
    """The charter in force: here the terms of service are what residents decided."""
    rows = await charter.charter_versions(call.read)
    current = next((row for row in rows if row.in_force_from <= call.now), None)
    return await _terms(call, current, [row for row in rows if current and row.number > current.number])


@get("/api/v1/instance/terms_of_service/{date}")
async def terms_of(call: Call, args: Dated) -> dict[str, Any]:
    """The charter that came into force on a day; the last one, if there were several."""
    try:
        day = date.fromisoformat(args.date)
    except ValueError as error:
        raise NotFound("charter") from error
    rows = await charter.charter_versions(call.read)
    found = next((row for row in rows if row.in_force_from.date() == day), None)
    return await _terms(call, found, [row for row in rows if found and row.number > found.number])


@get("/health", private=True)
async def health(call: Call, _: Nothing) -> dict[str, str] | Response:
    """Is this process alive, and does its database answer? In plain text, unless JSON is asked for."""
    await face.answers(call.read)
    if "application/json" in call.request.headers.get("accept", ""):
        return {"status": "OK"}
    return Response("OK", headers={"Cache-Control": "private, no-store"}, media_type="text/plain")


@get("/api/oembed")
async def oembed(call: Call, args: Embedding) -> dict[str, Any]:
    """How to show an open post of this city within another page."""
    address = args.url.partition("?")[0].partition("#")[0].removesuffix("/embed")
    known = await statuses.by_url(call.read, address) or await statuses.by_uri(call.read, address)
    if known is None or not known.local or known.url is None:
        raise NotFound("status")
    status = await statuses.visible(call.read, known.id, None)
    author = await accounts.account(call.read, status.account_id)
    wide = max(NARROW, min(args.maxwidth or WIDE, 1000))
    high = max(NARROW, min(args.maxheight or HIGH, 2000))
    name, city = author.display_name or author.username, call.settings
    frame = (
        f'<iframe src="{escape(known.url)}/embed" title="{escape(f"{name} – {city.city_name}")}" width="{wide}" '
        f'height="{high}" loading="lazy" style="max-width: 100%; border: 0"></iframe>'
    )
    return {
        "type": "rich", "version": "1.0", "title": f"{name} – {city.city_name}", "author_name": name,
        "author_url": author.url, "provider_name": city.city_name, "provider_url": f"{city.base}/",
        "cache_age": 86400, "html": frame, "width": wide, "height": high,
    }
