"""Templates in each language, and the way dates and numbers are written in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from gettext import NullTranslations
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import ChoiceLoader, Environment, PackageLoader

from parvis.text import messages
from parvis.text.messages import Locale

PLACE = "Europe/Paris"
MOMENTS: Mapping[Locale, str] = {"fr": "d MMM y, HH:mm", "en": "d MMM y, HH:mm"}
DAYS: Mapping[Locale, str] = {"fr": "d MMMM y", "en": "d MMMM y"}
TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg",
    "gif": "image/gif", "webp": "image/webp", "avif": "image/avif", "mp4": "video/mp4", "webm": "video/webm",
    "mp3": "audio/mpeg", "ogg": "audio/ogg", "txt": "text/plain; charset=utf-8",
}


class Asset(msgspec.Struct, frozen=True):
    """A file that every page may need: its bytes, its type, and a tag that changes with it."""

    body: bytes
    content_type: str
    tag: str


def assets() -> dict[str, Asset]:
    """Every file of static/, by name."""
    found = {}
    for path in resources.files("parvis.web").joinpath("static").iterdir():
        kind = TYPES.get(path.name.rpartition(".")[2])
        if kind:
            body = path.read_bytes()
            found[path.name] = Asset(body, kind, hashlib.sha256(body).hexdigest()[:16])
    return found


def _when(at: datetime | date | str) -> datetime | date:
    return datetime.fromisoformat(at) if isinstance(at, str) else at


def iso(at: datetime | date | str) -> str:
    """A moment for machines."""
    when = _when(at)
    return when.isoformat(timespec="seconds") if isinstance(when, datetime) else when.isoformat()


def _writers(locale: Locale, place: ZoneInfo) -> dict[str, Any]:
    def moment(at: datetime | str) -> str:
        return format_datetime(_when(at), MOMENTS[locale], tzinfo=place, locale=locale)

    def day(at: datetime | date | str) -> str:
        when = _when(at)
        shown = when.astimezone(place).date() if isinstance(when, datetime) else when
        return format_date(shown, DAYS[locale], locale=locale)

    def number(value: float | None) -> str:
        return format_decimal(value or 0, locale=locale)

    return {"moment": moment, "day": day, "number": number, "iso": iso}


class Tongue(msgspec.Struct, frozen=True):
    """One language: its templates and its catalogue."""

    templates: Environment
    catalogue: NullTranslations

    def say(self, message: str, **values: object) -> str:
        """An English message in this language."""
        return self.catalogue.gettext(message) % values


def tongue(locale: Locale, files: Mapping[str, Asset]) -> Tongue:
    """The templates in one language."""
    spoken = messages.catalogue(locale)
    made = Environment(
        loader=ChoiceLoader([PackageLoader("parvis.web", "templates"), PackageLoader("parvis.text", "messages")]),
        autoescape=True, extensions=["jinja2.ext.i18n"],
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )
    made.install_gettext_translations(spoken, newstyle=True)  # type: ignore[attr-defined]  # i18n
    made.filters |= _writers(locale, ZoneInfo(PLACE))
    made.globals["asset"] = lambda name: f"/static/{name}?v={files[name].tag}"
    return Tongue(made, spoken)
