"""What documents repeat from the code: a page for each room, the table of operations, and what tests show of standards.

`python tests/docs/written.py` writes them; test_docs.py compares them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from pathlib import Path
from types import FunctionType

import parvis
from parvis import wiring
from parvis.api.operations import OPERATIONS
from parvis.base.db import Reactions
from parvis.base.lifecycle import Lifecycle
from parvis.federation.inbox import ACTIVITIES

ROOT = Path(__file__).resolve().parents[2]
ROOMS_FOLDER = ROOT / "docs" / "rooms"
API = ROOT / "docs" / "api.md"
COVERAGE = ROOT / "docs" / "coverage.md"
FEDERATION = ROOT / "FEDERATION.md"
BEGIN, END = "<!-- operations -->", "<!-- end of operations -->"


def rooms() -> list[str]:
    """Every package of the house."""
    return sorted(found.name for found in pkgutil.iter_modules(parvis.__path__) if found.ispkg)


def lifecycles(room: str) -> dict[str, Lifecycle]:
    """The lifecycles of a room by the module and name they stand under."""
    package = importlib.import_module(f"parvis.{room}")
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        names = vars(importlib.import_module(f"parvis.{room}.{module.name}"))
        found |= {f"{module.name}.{name}": one for name, one in names.items() if isinstance(one, Lifecycle)}
    return found


def room_of(thing: type | FunctionType) -> str:
    return thing.__module__.split(".")[1]


def events(room: str) -> dict[type, Reactions]:
    return {event: found for event, found in wiring.REACTIONS.items() if room_of(event) == room}


def first(documented: object) -> str:
    return (inspect.getdoc(documented) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def page(room: str) -> str:
    """The page of one room."""
    package = importlib.import_module(f"parvis.{room}")
    parts = [f"# {room}\n\n{inspect.getdoc(package)}\n", _deeds(room), _events(room)]
    for name, life in lifecycles(room).items():
        parts.append(f"## Lifecycle `{name}`\n\n```mermaid\n{life.diagram()}```\n")
    if room == "federation":
        rows = "".join(f"| `{kind}` |\n" for kind in ACTIVITIES)
        parts.append(f"## Activities taken in\n\n| type |\n|---|\n{rows}\nWhat each does is in "
                     "[FEDERATION.md](../../FEDERATION.md).\n")
    return "\n".join(part for part in [*parts, "[All rooms](../../ARCHITECTURE.md)\n"] if part)


def _deeds(room: str) -> str:
    if not any(found.name == "actions" for found in pkgutil.iter_modules(importlib.import_module(f"parvis.{room}").__path__)):
        return ""
    module = importlib.import_module(f"parvis.{room}.actions")
    rows = [
        f"| `{name}` | {first(deed)} |\n" for name, deed in vars(module).items()
        if inspect.isfunction(deed) and deed.__module__ == module.__name__ and not name.startswith("_")
    ]
    return f"## Deeds\n\n| deed | the rule or the case |\n|---|---|\n{''.join(rows)}"


def _events(room: str) -> str:
    def named(reactions: tuple) -> str:
        return ", ".join(f"`{room_of(one)}.{one.__name__}`" for one in reactions) or "—"

    rows = [
        f"| `{event.__name__}` | {first(event)} | {named(found.now)} | {named(found.later)} |\n"
        for event, found in events(room).items()
    ]
    if not rows:
        return ""
    return f"## Events\n\n| event | when | in the same transaction | later |\n|---|---|---|---|\n{''.join(rows)}"


def operations() -> str:
    """The table of operations."""
    rows = [
        f"| `{row.method}` | `{row.path}` | {f'`{row.scope}`' if row.scope else '—'} | {row.who} | {first(row.deed)} |\n"
        for row in OPERATIONS
    ]
    return f"\n| method | path | scope | who | |\n|---|---|---|---|---|\n{''.join(rows)}\n"


def api(text: str) -> str:
    """docs/api.md with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{operations()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    from api import mastodon
    from docs import claims

    for room in rooms():
        (ROOMS_FOLDER / f"{room}.md").write_text(page(room), encoding="utf-8")
    API.write_text(api(API.read_text(encoding="utf-8")), encoding="utf-8")
    mastodon.REASONS.write_text(mastodon.shorter(mastodon.REASONS.read_text(encoding="utf-8")), encoding="utf-8")
    COVERAGE.write_text(mastodon.coverage(), encoding="utf-8")
    FEDERATION.write_text(claims.document(FEDERATION.read_text(encoding="utf-8")), encoding="utf-8")
