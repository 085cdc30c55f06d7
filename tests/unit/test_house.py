"""The rules of the house that no other tool checks: sizes, names, where time and the network may be used."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import parvis
from parvis.wiring import REACTIONS

SOURCE = Path(parvis.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
ROOMS = ("accounts", "residency", "statuses", "charter", "access", "media", "peers", "ledger", "ballots", "timelines",
         "notifications", "moderation", "announcements", "borders", "collections", "composing", "emojis", "factors", "filters", "links", "polls",
         "portability", "quotes", "screening", "search", "streams", "trends", "years")
KINDS = {"__init__.py", "model.py", "policy.py", "queries.py", "actions.py", "reactions.py"}
# Each has its decision record: 0001 for the machines, 0002 for the charter's file.
MACHINES = {"ledger/merkle.py", "ledger/note.py", "ballots/majority.py", "charter/provisional.toml"}
# How somebody is reached: one file for each way, and their SQL (0006).
CHANNELS = {f"notifications/channels/{file}.py" for file in ("__init__", "push", "mail", "subscribers", "queries")}
LONGEST_FILE, LONGEST_FUNCTION, USUAL_FUNCTION, MOST_PARAMETERS = 500, 60, 10, 6
VAGUE_VERBS = re.compile(r"_?(get|handle|process|do)_")
VAGUE_NOUNS = re.compile(r".*(Service|Manager|Handler|Helper|Repository)s?")
VAGUE_FILES = {"utils", "util", "common", "core", "helpers", "misc", "services", "managers", "handlers"}
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*|__[a-z]+__")
# Who reads the machine's clock beside base/clock.py, and why the city's time would be wrong there.
MACHINE_TIME = {
    "base/clock.py": "the one place Python learns the time",
    "base/mail.py": "a letter's Date is for mail servers of the real world, and its file's name for the operator",
    "base/archive.py": "the time of a file in a backup",
    "desk.py": "the time of a backup, and the operator's answer to `parvis clock advance`, which has just moved the clock",
}
CHANGES = {"append", "add", "update", "pop", "clear", "extend", "insert", "remove", "setdefault", "discard", "popitem"}
NETWORK = ("aiohttp", "httpx", "requests", "urllib3", "http.client", "urllib.request")
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "datetime.datetime.now", "date.today", "time.time", "time.time_ns"}
CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


TREES = {name(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def overriding(tree: ast.Module) -> set[Function]:
    """Methods whose names the standard library's HTMLParser gave."""
    parsers = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and "HTMLParser" in map(dotted, node.bases)]
    return {node for one in parsers for node in one.body if isinstance(node, Function) and hasattr(HTMLParser, node.name)}


def length(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def bound(tree: ast.Module) -> dict[str, ast.expr | None]:
    """The names a module binds to values, and the values."""
    found: dict[str, ast.expr | None] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node.value
    return found


def changed(function: Function) -> Iterator[str]:
    """Names whose inside a function changes: x[...] = ..., x += ..., x.append(...)."""
    for node in ast.walk(function):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        elif isinstance(node, ast.Delete):
            targets = node.targets
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            yield dotted(node.func.value)
        yield from (dotted(target.value) for target in targets if isinstance(target, ast.Subscript))


def own_names(function: Function) -> set[str]:
    arguments = function.args
    given = {one.arg for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    return given | {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def everywhere(rule: Callable[[str], object]) -> dict[str, object]:
    """What breaks a rule, by file."""
    return {where: found for where in TREES if (found := rule(where))}


def test_no_event_stands_twice_in_the_table_of_reactions() -> None:
    tree = ast.parse((SOURCE / "wiring.py").read_text(encoding="utf-8"))
    table = next(node.value for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "REACTIONS")
    assert isinstance(table, ast.Dict)
    rows = [ast.unparse(key) for key in table.keys if key is not None]
    assert len(set(rows)) == len(rows) == len(REACTIONS)


def test_a_file_has_at_most_500_lines() -> None:
    lengths = {where: len((SOURCE / where).read_text(encoding="utf-8").splitlines()) for where in TREES}
    assert not {where: lines for where, lines in lengths.items() if lines > LONGEST_FILE}


def test_a_function_has_at_most_60_lines() -> None:
    def long(where: str) -> list[str]:
        return [f"{found.name}: {length(found)}" for found in functions(TREES[where]) if length(found) > LONGEST_FUNCTION]

    assert not everywhere(long)


def test_the_usual_function_has_at_most_10_lines() -> None:
    assert statistics.median(length(found) for tree in TREES.values() for found in functions(tree)) <= USUAL_FUNCTION


def test_a_function_has_at_most_6_parameters() -> None:
    def parameters(function: Function) -> list[str]:
        given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        return [one.arg for one in given if one.arg not in ("self", "cls")]

    def many(where: str) -> list[str]:
        return [found.name for found in functions(TREES[where]) if len(parameters(found)) > MOST_PARAMETERS]

    assert not everywhere(many)


def test_no_function_imports() -> None:
    def hidden(where: str) -> list[str]:
        found = functions(TREES[where])
        return [one.name for one in found if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(one))]

    assert not everywhere(hidden)


def test_what_stands_in_a_module_is_constant_and_named_so() -> None:
    def small(where: str) -> list[str]:
        containers = [key for key, value in bound(TREES[where]).items() if isinstance(value, CONTAINERS)]
        return [key for key in containers if not CONSTANT.fullmatch(key)]

    assert not everywhere(small)


def test_a_module_keeps_no_state() -> None:
    def touched(where: str) -> set[str]:
        tree = TREES[where]
        mine = bound(tree)
        changes = {one for found in functions(tree) for one in changed(found) if one in mine and one not in own_names(found)}
        declared = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
        return changes | declared | set(memories(tree))

    def memories(tree: ast.Module) -> list[str]:
        return [
            found.name for found in functions(tree) for one in found.decorator_list
            if dotted(one.func if isinstance(one, ast.Call) else one).split(".")[-1] in ("cache", "lru_cache")
        ]

    assert not everywhere(touched)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_only_the_kinds_of_files_of_the_house(room: str) -> None:
    files = {f.relative_to(SOURCE).as_posix() for f in (SOURCE / room).rglob("*") if f.is_file() and f.suffix != ".pyc"}
    assert not {file for file in files - MACHINES - CHANNELS if file.removeprefix(f"{room}/") not in KINDS}


def test_every_package_is_a_room_or_a_named_part_of_the_house() -> None:
    parts = {"base", "text", "federation", "views", "api", "web"}
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert packages == {*ROOMS, *parts}


def test_names_say_what_is_done() -> None:
    def vague(where: str) -> list[str]:
        tree = TREES[where]
        found = [one.name for one in set(functions(tree)) - overriding(tree) if VAGUE_VERBS.match(one.name)]
        classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        found += [name for name in [*classes, *bound(tree)] if VAGUE_NOUNS.fullmatch(name)]
        return found + sorted(VAGUE_FILES & set(where.removesuffix(".py").split("/")))

    assert not everywhere(vague)


def test_the_network_has_one_way_out() -> None:
    def taken(where: str) -> set[str]:
        used: set[str] = set()
        for node in ast.walk(TREES[where]):
            if isinstance(node, ast.Import):
                used |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                used |= {node.module or "", *(f"{node.module}.{one.name}" for one in node.names)}
        return {one for one in used for library in NETWORK if one == library or one.startswith(f"{library}.")}

    assert set(everywhere(taken)) == {"base/http.py"}


def test_time_is_read_in_one_place() -> None:
    def read(where: str) -> list[int]:
        return [node.lineno for node in ast.walk(TREES[where]) if isinstance(node, ast.Attribute) and dotted(node) in CLOCKS]

    assert set(everywhere(read)) == set(MACHINE_TIME)
