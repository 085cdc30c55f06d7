"""The words people read: one catalogue per language, and the letters the city sends.

English is the language of the sources; `fr.po` holds the French. Catalogues are never compiled on disk.
A letter is two templates, `<name>.<locale>.txt` and `.html`; the first line of the text is the letter's subject.
What the city says of itself on a page and to apps alike is in `prose/`, and what goes along with files.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from importlib import resources
from io import BytesIO
from typing import Literal

import msgspec
from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

Locale = Literal["fr", "en"]
LOCALES: tuple[Locale, ...] = ("fr", "en")
AT_HOME: Locale = "fr"


class Letter(msgspec.Struct, frozen=True):
    """A mail ready to send: the same words as text and as HTML."""

    subject: str
    text: str
    html: str


def catalogue(locale: str) -> gettext.NullTranslations:
    """The translations of one language; English needs none."""
    source = resources.files(__name__).joinpath(f"{locale}.po")
    if locale not in LOCALES or not source.is_file():
        return gettext.NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source.read_bytes()), locale=locale))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _weight(part: str) -> float:
    _, _, quality = part.partition(";")
    name, _, value = quality.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def _preferred(accept_language: str) -> list[str]:
    """The languages a browser asks for, best first (RFC 9110, section 12.5.4)."""
    parts = [part for part in accept_language.split(",") if part.strip() and 0.0 < _weight(part) <= 1.0]
    return [part.partition(";")[0].strip() for part in sorted(parts, key=_weight, reverse=True)]


def negotiated(accept_language: str | None, chosen: str | None) -> Locale:
    """The language of a page: the one the reader chose, else the best the browser asks for, else the city's."""
    wanted = [chosen or "", *_preferred(accept_language or "")]
    found = negotiate_locale([name for name in wanted if name], LOCALES, sep="-")
    return "en" if found == "en" else AT_HOME


def letters() -> Environment:
    """The templates of every letter; a value that is missing is an error, never a blank."""
    return Environment(
        loader=PackageLoader("parvis.text", "messages"),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def letter(templates: Environment, name: str, locale: Locale, values: Mapping[str, object]) -> Letter:
    """One letter in one language."""
    subject, _, text = templates.get_template(f"{name}.{locale}.txt").render(values).partition("\n")
    html = templates.get_template(f"{name}.{locale}.html").render(values)
    return Letter(subject=" ".join(subject.split()), text=text.lstrip("\n"), html=html)


def plain(name: str, locale: Locale, values: Mapping[str, object]) -> str:
    """A text that goes along with files, in one language: `archive`."""
    return letters().get_template(f"prose/{name}.{locale}.txt").render(values)


def prose(name: str, locale: Locale, values: Mapping[str, object]) -> str:
    """What the city says of itself, as HTML in one language: `about`, `privacy`."""
    made = Environment(
        loader=PackageLoader("parvis.text", "messages/prose"), autoescape=True, undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True,
    )
    made.install_gettext_translations(catalogue(locale), newstyle=True)  # type: ignore[attr-defined]  # i18n
    return made.get_template(f"{name}.html").render(values)
