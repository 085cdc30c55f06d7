"""Whether an answer keeps to what clients may expect of its entity, as parvis.api.shapes says."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from parvis.api.answers import ANSWERS
from parvis.api.shapes import ENTITIES, WIDER

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def _fits(kind: str, value: Any) -> bool:
    if kind in ("i", "f"):
        return isinstance(value, int if kind == "i" else int | float) and not isinstance(value, bool)
    if kind in ("b", "h"):
        return isinstance(value, bool if kind == "b" else dict)
    if not isinstance(value, str):
        return False
    if kind == "t":
        return bool(MOMENT.fullmatch(value)) and bool(datetime.fromisoformat(value))
    if kind == "d":
        return len(value) == 10 and bool(date.fromisoformat(value))
    return kind == "s" or bool(re.match(r"(https?|wss?)://|urn:", value))


def _faults(kind: str, value: Any, where: str) -> list[str]:
    if "|" in kind:
        tried = [_faults(one, value, where) for one in kind.split("|")]
        return [] if [] in tried else tried[0]
    if kind.startswith("{"):
        return [f for key, one in value.items() for f in _faults(kind[1:-1], one, f"{where}.{key}")] if isinstance(value, dict) else [f"{where} is no hash"]
    if kind.startswith("["):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [fault for place, item in enumerate(value) for fault in _faults(kind[1:-1], item, f"{where}[{place}]")]
    if kind in ENTITIES:
        return faults(kind, value, where)
    if kind == "JSON":
        return []
    return [] if _fits(kind, value) else [f"{where} is {value!r}, not of type {kind}"]


def faults(entity: str, value: Any, where: str = "") -> list[str]:
    """All that a value lacks to be this entity; an empty list when it is one."""
    where = where or entity
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    found = faults(WIDER[entity], value, where) if entity in WIDER else []
    for fact in ENTITIES[entity].split():
        name, _, kind = fact.partition("=")
        path = [name] if name in value else name.split(".")
        holder: Any = value
        for step in path[:-1]:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(holder, dict):
            continue  # the hash around it is missing or null, which its own fact judges
        plain = kind.rstrip("?~")
        if path[-1] not in holder:
            found += [] if "~" in kind else [f"{where}.{name} is missing"]
        elif holder[path[-1]] is None:
            found += [] if "?" in kind else [f"{where}.{name} is null"]
        else:
            found += _faults(plain, holder[path[-1]], f"{where}.{name}")
    return found


def unlike(operation: str, value: Any) -> list[str]:
    """In what an answer differs from what its operation says it answers with."""
    kind = ANSWERS.get(operation, "JSON")
    return [] if "/" in kind else _faults(kind, value, operation)
