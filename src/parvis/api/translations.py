"""Posts in another language, by a translation server that the city may have (LibreTranslate's API)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from parvis.access import queries as access
from parvis.api import limits
from parvis.api.call import Call, Nothing, get, post
from parvis.api.entities import decoded
from parvis.base.errors import Forbidden, Invalid, NotFound, Upstream
from parvis.statuses import queries
from parvis.statuses.model import Status
from parvis.text import html, language
from parvis.views import status as view

T = TypeVar("T")
PROVIDER = "LibreTranslate"
ANSWER = 1_000_000
SECONDS = 25.0
OPEN = ("public", "unlisted")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A post, and the language it is wanted in: else the reader's own."""

    id: int
    lang: str | None = None


class Translated(msgspec.Struct, frozen=True):
    """Texts in the language that was asked for, and the one they were in."""

    texts: list[str]
    source: str


class Detected(msgspec.Struct, frozen=True):
    """What language a text is in, as the server guesses."""

    language: str = ""


class Answered(msgspec.Struct, frozen=True, rename="camel"):
    """What the server answers to several texts."""

    translated_text: list[str]
    detected_language: list[Detected] | Detected | None = None


class Pair(msgspec.Struct, frozen=True):
    """A language that the server reads, and those it turns it into."""

    code: str
    targets: list[str] = []


@post("/api/v1/statuses/{id}/translate", "read:statuses", who="token", tx="none", limit=limits.TRANSLATE)
async def translate(call: Call, args: Wanted) -> dict[str, Any]:
    """A public post in another language: its text, warning, poll and the descriptions of its files."""
    if not call.settings.translate_url:
        raise NotFound("translation")
    async with call.opening("read"):
        status = await queries.visible(call.read, args.id, call.viewer)
        if status.reblog_of_id is not None:
            status = await queries.visible(call.read, status.reblog_of_id, call.viewer)
        if status.visibility not in OPEN or status.local_only:
            raise Forbidden("not_translated")
        target = await _target(call, args.lang)
        kept = await queries.translation(call.read, status.id, status.version, target)
        if kept is not None:
            return kept
        entity = decoded((await view.statuses(call.read, call.eye(), [status.id]))[status.id])
    made = await _translation(call, status, entity, target)
    async with call.opening("write"):
        await queries.keep_translation(call.tx, status.id, status.version, target, made)
    return made


async def _target(call: Call, wished: str | None) -> str:
    user = None if call.viewer is None or wished else await access.user(call.read, call.viewer)
    found = language.valid(wished or (user.locale if user else call.settings.languages.split(",")[0]))
    if found is None:
        raise Invalid("lang", "invalid")
    return found


async def _translation(call: Call, status: Status, entity: Mapping[str, Any], target: str) -> dict[str, Any]:
    poll, files = entity["poll"], [file for file in entity["media_attachments"] if file["description"]]
    options = [option["title"] for option in poll["options"]] if poll else []
    plain = [entity["spoiler_text"], *options, *(file["description"] for file in files)]
    given = [entity["content"], *(_escaped(text) for text in plain)]
    done = await _translated(call, given, status.language or "auto", target)
    content, spoiler, *rest = done.texts
    return {
        "content": html.sanitised(content), "spoiler_text": html.plain(spoiler), "language": target,
        "detected_source_language": done.source, "provider": PROVIDER,
        "poll": {"id": poll["id"], "options": [{"title": html.plain(text)} for text in rest[: len(options)]]}
        if poll else None,
        "media_attachments": [
            {"id": file["id"], "description": html.plain(text)}
            for file, text in zip(files, rest[len(options) :], strict=True)
        ],
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


async def _translated(call: Call, texts: Sequence[str], source: str, target: str) -> Translated:
    """Have texts of HTML translated, all at once; the blank ones stay blank and are not sent."""
    worded = [number for number, text in enumerate(texts) if text.strip()]
    if not worded:
        return Translated(list(texts), source if source != "auto" else target)
    asked: dict[str, object] = {
        "q": [texts[number] for number in worded], "source": source, "target": target, "format": "html"
    }
    if call.settings.translate_key:
        asked["api_key"] = call.settings.translate_key
    found = _read(await _sent(call, "POST", "translate", msgspec.json.encode(asked)), Answered)
    if len(found.translated_text) != len(worded):
        raise Upstream("wrong_translation")
    done = list(texts)
    for number, text in zip(worded, found.translated_text, strict=True):
        done[number] = text
    guesses = found.detected_language
    guess = guesses[0] if isinstance(guesses, list) and guesses else guesses
    return Translated(done, (guess.language if isinstance(guess, Detected) else "") or source)


async def _sent(call: Call, method: str, path: str, body: bytes | None = None) -> bytes:
    url = f"{call.settings.translate_url.rstrip('/')}/{path}"
    headers = {"accept": "application/json", **({} if body is None else {"content-type": "application/json"})}
    answer = await call.job.http.request(
        method, url, headers=headers, body=body, limit=ANSWER, seconds=SECONDS, redirects=0
    )
    if answer.status != 200:
        raise Upstream("not_translated", status=answer.status)
    return answer.body


def _read(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise Upstream("wrong_translation") from error


@get("/api/v1/instance/translation_languages", tx="none")
async def translation_languages(call: Call, _: Nothing) -> dict[str, list[str]]:
    """From which languages into which others posts can be translated; none where nothing translates."""
    if not call.settings.translate_url:
        return {}
    pairs = _read(await _sent(call, "GET", "languages"), list[Pair])
    found = {pair.code: [code for code in pair.targets if code != pair.code] for pair in pairs}
    call.headers["Cache-Control"] = "max-age=3600, public"
    return found | {"und": sorted({code for targets in found.values() for code in targets})}
