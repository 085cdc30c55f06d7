"""Mastodon's operations, and which of them this city has.

Source of the list: Mastodon's documentation and routes as of August 2026; facts only.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from parvis.api.operations import OPERATIONS
from parvis.api.streaming import SOCKET
from parvis.web.pages import OPEN

HERE = Path(__file__).parent
IMPORTANCES = ("must", "should", "rare")


def plain(name: str) -> str:
    """An operation's name whatever its parameters are called."""
    return re.sub(r"{[^}]+}|:\w+", "{}", name)


def _wanted() -> dict[str, str]:
    """Each operation and how many apps would miss it: must, should or rare."""
    lines = (HERE / "mastodon_operations.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {plain(f"{method} {path}"): importance for importance, method, path in rows}


WANTED = _wanted()
REASONS = HERE / "mastodon_missing.toml"
MISSING: dict[str, str] = tomllib.loads(REASONS.read_text(encoding="utf-8"))
HERE_NOW = {
    *(plain(row.name) for row in OPERATIONS),
    *(plain(f"{method} {path}") for method, path, _ in OPEN),
    f"WS {SOCKET.path}",
}


def shorter(text: str) -> str:
    """The list of what is missing without what has come."""
    kept = [line for line in text.splitlines() if line.startswith("#") or line.split('"')[1] not in HERE_NOW]
    return "\n".join(kept) + "\n"


def coverage() -> str:
    """The page that holds Mastodon's operations against ours."""
    parts = []
    for importance in IMPORTANCES:
        names = [name for name, how in WANTED.items() if how == importance]
        parts.append(f"{importance} {sum(name in HERE_NOW for name in names)}/{len(names)}")
    rows = [
        f"| `{name}` | {how} | {'yes' if name in HERE_NOW else 'no'} | {'' if name in HERE_NOW else MISSING.get(name, '')} |\n"
        for name, how in sorted(WANTED.items(), key=lambda row: (IMPORTANCES.index(row[1]), row[0].split()[1], row[0]))
    ]
    return (
        "# Coverage of Mastodon's API\n\nEach of Mastodon's operations, how many apps would miss it, and whether this city has it. Parameters of "
        "paths are written `{}`, whatever they are called. Source of the list: Mastodon's documentation and routes, August 2026. "
        "This page is written by `tests/docs/written.py`.\n\n"
        "**must**: an app breaks without it; **should**: a part of an app, or of an administrator's work, is missing; **rare**: hardly anyone asks.\n\n"
        f"**{', '.join(parts)}**\n\n| operation | importance | here | why not |\n|---|---|---|---|\n{''.join(rows)}"
    )
