"""Every SQL literal is prepared against the schema, its columns compared with its Struct, its writes with its room."""

from __future__ import annotations

import ast
import importlib
import re
import types
import typing
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec import inspect

import parvis

ROOT = Path(parvis.__file__).parent
METHODS = {"one": 1, "all": 1, "shared": 1, "last": 0, "value": 0, "values": 0, "run": 0}
WRITES = re.compile(r"\b(?:INSERT\s+INTO|(?<!FOR )(?<!DO )UPDATE(?!\s+SET|\s+SKIP)|DELETE\s+FROM)\s+(?:ONLY\s+)?([a-z_.]+)", re.IGNORECASE)
PYTHON = {
    "int2": int, "int4": int, "int8": int, "text": str, "citext": str, "varchar": str, "bool": bool, "bytea": bytes,
    "timestamptz": datetime, "date": date, "float4": float, "float8": float, "char": str, "name": str,
}
# base has no room's file; its own two writers of its own tables are named here.
BASE = ("base/pulse.py",)


class Statement(msgspec.Struct, frozen=True):
    """One literal: where it stands, what it says, and the Struct its rows become."""

    where: str
    room: str
    function: ast.AsyncFunctionDef
    sql: str
    shape: Any = None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _strings(part)


def _evaluated(node: ast.expr, module: types.ModuleType) -> list[str]:
    """The literal texts an expression can stand for: constants, f-strings of constants, entries of a constant table."""
    while isinstance(node, ast.Subscript):
        node = node.value
    try:
        value = eval(compile(ast.Expression(node), "sql", "eval"), dict(vars(module)))  # our own source
    except NameError as error:
        pytest.fail(f"{module.__name__}:{node.lineno}: SQL must be a literal or made of constants ({error})")
    return list(_strings(value))


def _files() -> list[Path]:
    return sorted([*ROOT.rglob("queries.py"), *(ROOT / name for name in BASE)])


def statements() -> list[Statement]:
    found = []
    for path in _files():
        inside = path.relative_to(ROOT)
        room = inside.parts[0]
        module = importlib.import_module(".".join(("parvis", *inside.with_suffix("").parts)))
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            for call in ast.walk(function):
                if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                    continue
                place = METHODS.get(call.func.attr)
                receiver = call.func.value
                if place is None or not (isinstance(receiver, ast.Name) and receiver.id in ("r", "tx")):
                    continue
                shape = eval(compile(ast.Expression(call.args[0]), "shape", "eval"), dict(vars(module))) if place else None
                for sql in _evaluated(call.args[place], module):
                    where = f"{room}/{path.name}:{call.lineno}"
                    found.append(Statement(where, room, function, sql, shape))
    return found


STATEMENTS = statements()


def test_there_is_sql_to_check() -> None:
    assert len(STATEMENTS) > 150


async def test_every_statement_is_valid_and_gives_what_its_struct_wants(app_sql: asyncpg.Connection[Any]) -> None:
    wrong = []
    for statement in STATEMENTS:
        try:
            prepared = await app_sql.prepare(statement.sql)
        except asyncpg.PostgresError as error:
            wrong.append(f"{statement.where}: {error}")
            continue
        if statement.shape is not None:
            wrong += [f"{statement.where}: {text}" for text in _unlike(prepared.get_attributes(), statement.shape)]
    assert wrong == []


def _unlike(columns: tuple[Any, ...], shape: Any) -> list[str]:
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        return [f"{shape} is not a Struct"]
    fields = msgspec.structs.fields(shape)
    if len(columns) != len(fields):
        return [f"{len(columns)} columns for the {len(fields)} fields of {shape.__name__}"]
    names = [field.name for field in fields]
    wrong = []
    for column, field in zip(columns, fields, strict=True):
        if column.name in names and column.name != field.name:
            wrong.append(f"column {column.name} stands at {shape.__name__}.{field.name}")
        expected = PYTHON.get(column.type.name)
        if expected is not None and not _accepts(field.type, expected):
            wrong.append(f"{shape.__name__}.{field.name} is {field.type}, the column is {column.type.name}")
    return wrong


def _accepts(annotation: Any, expected: type) -> bool:
    if annotation is Any:
        return True
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_accepts(part, expected) for part in typing.get_args(annotation))
    if typing.get_origin(annotation) is typing.Literal:
        return expected is str
    if isinstance(annotation, type):
        return issubclass(expected, annotation) or (issubclass(annotation, str) and expected is str)
    return isinstance(inspect.type_info(annotation), inspect.AnyType)


def test_a_function_that_takes_a_read_only_looks() -> None:
    wrong = [
        statement.where
        for statement in STATEMENTS
        if ast.unparse(statement.function.args.args[0].annotation or ast.Constant("")) == "Read"
        and (WRITES.search(statement.sql) or re.search(r"\bFOR\s+UPDATE\b", statement.sql))
    ]
    assert wrong == []


def _owned() -> dict[str, str]:
    owned: dict[str, str] = {}
    for path in ROOT.glob("*/__init__.py"):
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        match = re.search(r"[Oo]wns the tables? (.*?)\.(?:\s|\Z)", text.replace("\n", " "))
        for name in re.findall(r"[a-z_.]+[a-z]", match[1] if match else ""):
            if name != "and":
                owned[name] = path.parent.name
    return owned


FRAMEWORK = {"migrations", "pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"}


async def test_each_table_has_one_owner_and_is_written_by_it_alone(app_sql: asyncpg.Connection[Any]) -> None:
    owned = _owned()
    rows = await app_sql.fetch(
        """SELECT CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'residency')"""
    )
    tables = {row[0] for row in rows} - FRAMEWORK
    assert tables - set(owned) == set()
    assert set(owned) - tables == set()
    wrong = []
    for statement in STATEMENTS:
        common = {name.lower() for name in re.findall(r"\b([a-z_]+)\s*(?:\([^)]*\))?\s+AS\s+\(", statement.sql)}
        for table in WRITES.findall(statement.sql):
            if table not in common and owned.get(table) != statement.room:
                wrong.append(f"{statement.where}: {statement.room} writes {table} of {owned.get(table)}")
    assert wrong == []


def test_sql_stands_in_queries_only() -> None:
    """A statement anywhere else would escape these checks."""
    spoken = re.compile(r"^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s*\()", re.IGNORECASE)
    wrong = []
    for path in ROOT.rglob("*.py"):
        inside = path.relative_to(ROOT)
        if path.name == "queries.py" or inside.parts[0] == "base":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and spoken.match(node.value):
                wrong.append(f"{inside}:{node.lineno}")
    assert wrong == []
