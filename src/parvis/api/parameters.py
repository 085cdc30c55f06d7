"""Parameters as clients send them: query, form, multipart and JSON, merged; `a[]`, `a[b]` and `a[0][b]` unfolded."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from parvis.api.uploads import FIELDS, Form, Upload
from parvis.base.errors import Invalid, NotFound
from parvis.base.ids import LARGEST

BODY_LIMIT = 1_000_000
DEPTH = 4
TRUE = frozenset(("true", "1", "on", "t", "yes"))
FALSE = frozenset(("false", "0", "off", "f", "no", ""))
UNFIT = b""  # no parameter takes bytes: the conversion refuses it and names the field
KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")


def unfolded(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Rails-shaped names as nested values: `a[]=1` a list, `a[b]=1` a mapping, `a[][b]=1` a list of mappings."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        match = KEY.match(name)
        if match is None:
            tree[name] = value
            continue
        parts = re.findall(r"\[([^\[\]]*)\]", match[2])
        if len(parts) > DEPTH:
            raise Invalid(name, "too_deep")
        _plant(tree, match[1], parts, value)
    return {name: _lists(value) for name, value in tree.items()}


def _plant(node: dict[str, Any], name: str, parts: list[str], value: Any) -> None:
    if not parts:
        node[name] = value
        return
    below = node.setdefault(name, {})
    if not isinstance(below, dict):
        node[name] = below = {}
    if parts[0] != "":
        _plant(below, parts[0], parts[1:], value)
        return
    rows = below.setdefault("", [])
    if not isinstance(rows, list):
        below[""] = rows = []
    if len(parts) == 1:
        rows.append(value)
    elif rows and isinstance(rows[-1], dict) and parts[1] not in rows[-1]:
        _plant(rows[-1], parts[1], parts[2:], value)
    else:
        row: dict[str, Any] = {}
        _plant(row, parts[1], parts[2:], value)
        rows.append(row)


def _lists(value: Any) -> Any:
    """Mappings whose keys are all numbers, or the empty one, are lists."""
    if not isinstance(value, dict):
        return [_lists(item) for item in value] if isinstance(value, list) else value
    if isinstance(value.get(""), list):
        return [_lists(item) for item in value[""]]
    if value and all(key.isascii() and key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=lambda key: (len(key.lstrip("0")), key.lstrip("0")))]
    return {key: _lists(item) for key, item in value.items()}


def fitted(value: Any, kind: inspect.Type) -> Any:
    """A value brought nearer to what is expected: words for booleans, one for a list of one, blanks for nothing."""
    fit = FITTING.get(type(kind))
    return value if fit is None else fit(value, kind)


def _one_of(value: Any, kind: inspect.UnionType) -> Any:
    if value is None or (value == "" and not any(isinstance(part, inspect.StrType) for part in kind.types)):
        return None
    kinds = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
    return fitted(value, kinds[0]) if kinds else value


def _truth(value: Any, _: inspect.BoolType) -> Any:
    if not isinstance(value, (str, int)):
        return value
    word = str(value).lower()
    return True if word in TRUE else False if word in FALSE else value


def _rows(value: Any, kind: inspect.ListType | inspect.VarTupleType) -> Any:
    if isinstance(value, Mapping):
        value = list(value.values())
    rows = value if isinstance(value, (list, tuple)) else [value]
    return [fitted(row, kind.item_type) for row in rows]


def _struct(value: Any, kind: inspect.StructType) -> Any:
    return _members(value, named(kind)) if isinstance(value, Mapping) else value


def _number(value: Any, _: inspect.IntType) -> Any:
    """A whole number that a bigint holds, or what the conversion will refuse."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return value
    text = str(value).strip()
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 20):
        return UNFIT
    return int(text) if abs(int(text)) <= LARGEST else UNFIT


def _text(value: Any, _: inspect.StrType) -> Any:
    return UNFIT if isinstance(value, str) and ("\x00" in value or _has_surrogates(value)) else value


def _dict(value: Any, kind: inspect.DictType) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {fitted(name, kind.key_type): fitted(part, kind.value_type) for name, part in value.items()}


FITTING: Mapping[type, Callable[[Any, Any], Any]] = {
    inspect.UnionType: _one_of, inspect.BoolType: _truth, inspect.ListType: _rows, inspect.VarTupleType: _rows,
    inspect.StructType: _struct, inspect.IntType: _number, inspect.StrType: _text, inspect.DictType: _dict,
}


def named(kind: inspect.StructType) -> dict[str, inspect.Field]:
    """The fields of a Struct by their names outside."""
    return {field.encode_name: field for field in kind.fields}


def _members(value: Mapping[str, Any], known: Mapping[str, inspect.Field]) -> dict[str, Any]:
    return {
        name: fitted(part, known[name].type) for name, part in value.items()
        if name in known and (part is not None or _tells_null(known[name]))
    }


def _tells_null(field: inspect.Field) -> bool:
    """A field whose default is UNSET tells null from nothing; to all others null is nothing."""
    return not field.required and field.default is field.default_factory is msgspec.NODEFAULT


def _has_surrogates(text: str) -> bool:
    return not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text)


def converted(
    values: Mapping[str, Any], kind: inspect.StructType, known: Mapping[str, inspect.Field], path: Iterable[str]
) -> Any:
    """Parameters as the operation's Struct. A wrong id in the path is an absent thing; other wrong values, Invalid."""
    try:
        return msgspec.convert(_members(values, known), kind.cls, strict=False)
    except msgspec.ValidationError as error:
        where = re.search(r"`\$\.([^`]*)`", str(error)) or re.search(r"field `([^`]*)`", str(error))
        field = where[1].split("[")[0].split(".")[0] if where else "request"
        if field in path:
            raise NotFound("record") from error
        raise Invalid(field, "missing" if "required field" in str(error) else "invalid") from error


async def received(request: Request, form: Form | None = None) -> dict[str, Any]:
    """All parameters of a request, path first, then body, then query; files only into the form that is held ready."""
    query: str = request.scope["query_string"].decode("latin-1")
    values = unfolded(parse_qsl(query, keep_blank_values=True)) if query else {}
    if request.method in ("POST", "PUT", "PATCH", "DELETE"):
        values |= await _body(request, form)
    return values | request.path_params


@contextlib.contextmanager
def form_of(request: Request, kind: inspect.StructType, folder: Path) -> Iterator[Form | None]:
    """Where the parts of a multipart request go; its files are gone when the block ends."""
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        yield None
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Form(content_type, folder, files=any(_takes_files(field.type) for field in kind.fields))
    try:
        yield made
    finally:
        made.close()


def _takes_files(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(_takes_files(part) for part in kind.types)
    return isinstance(kind, inspect.CustomType) and kind.cls is Upload


async def _body(request: Request, form: Form | None) -> dict[str, Any]:
    if form is not None:
        return unfolded(await form.read(_limited(request, form.most).stream()))
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        pairs = (await _limited(request, BODY_LIMIT).form(max_fields=FIELDS)).multi_items()
        return unfolded(pairs)
    body = await _limited(request, BODY_LIMIT).body()
    if not body.strip():
        return {}
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise HTTPException(400, "The request's body is not valid JSON") from error
    if not isinstance(found, dict):
        raise HTTPException(400, "The request's body must be a JSON object")
    try:
        return unfolded((str(name), value) for name, value in found.items())
    except RecursionError as error:
        raise HTTPException(400, "The request's body is nested too deeply") from error


def _limited(request: Request, limit: int) -> Request:
    """The same request, whose body may not grow beyond the limit while it comes in."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise HTTPException(413, "The request's body is too large")
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, "The request's body is too large")
        return message

    return Request(request.scope, receive)
