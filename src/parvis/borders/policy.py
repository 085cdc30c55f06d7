"""What a shared list must look like, and what may be said of it. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from parvis.base.errors import Invalid
from parvis.borders.model import Entry
from parvis.moderation.policy import LONGEST_FACTS
from parvis.peers.model import Severity
from parvis.text import mentions as words

ENTRIES = 20_000
SEVERITIES: Mapping[str, Severity] = {"noop": "noop", "silence": "silence", "suspend": "suspend", "": "suspend"}


def entries(text: str, own: str) -> list[Entry]:
    """What a list as Mastodon exports it says of others' servers, each once; Invalid when that is nothing.

    Names that were made illegible, and severities that are not known, are passed over.
    """
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff").replace("\x00", ""), newline=""), strict=True))
    except csv.Error as error:
        raise Invalid("file", "not_a_list") from error
    head = [cell.strip().lstrip("#").lower() for cell in rows[0]] if rows else []
    if "domain" not in head:
        head, rows = ["domain"], [[], *rows]
    found = (_entry(dict(zip(head, row, strict=False)), own) for row in rows[1:])
    said = {one.domain: one for one in found if one is not None}
    if not 0 < len(said) <= ENTRIES:
        raise Invalid("file", "not_a_list", most=ENTRIES)
    return list(said.values())


def _entry(row: Mapping[str, str], own: str) -> Entry | None:
    domain = words.normal_domain(row.get("domain", "").strip())
    severity = SEVERITIES.get(row.get("severity", "").strip().lower())
    if domain is None or domain == own or severity is None:
        return None
    comment = row.get("public_comment", "").strip()[:LONGEST_FACTS]
    return Entry(domain, severity, _true(row.get("reject_media", "")), _true(row.get("reject_reports", "")), comment)


def _true(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "yes")


def may_subscribe(name: str, url: str | None) -> None:
    """A list has a name, and an address on the web unless it is a file."""
    if not name.strip():
        raise Invalid("name", "ERR_BLANK")
    if len(name) > 100:
        raise Invalid("name", "ERR_TOO_LONG", limit=100)
    if url is None:
        return
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Invalid("url", "invalid") from error
    if parts.scheme != "https" or not parts.hostname or len(url) > 2000:
        raise Invalid("url", "invalid")


def columns(said: Sequence[Entry]) -> tuple[list[str], list[str], list[bool], list[bool], list[str]]:
    """Entries as one list for each of their fields."""
    return (
        [one.domain for one in said], [one.severity for one in said], [one.reject_media for one in said],
        [one.reject_reports for one in said], [one.comment for one in said],
    )
