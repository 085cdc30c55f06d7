"""The table of operations as an OpenAPI 3.1 document, for programs and for the page that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from parvis.api import VERSION
from parvis.api.answers import ANSWERS
from parvis.api.call import Call, Nothing, Operation, Paged, get
from parvis.api.errors import CODES
from parvis.api.shapes import ENTITIES, WIDER
from parvis.api.uploads import Upload

Schema = dict[str, Any]
JSON = "application/json"
FORMS = (JSON, "application/x-www-form-urlencoded", "multipart/form-data")
IN_ADDRESS = ("GET", "DELETE")
PLAIN: Mapping[str, Schema] = {
    "s": {"type": "string"},
    "u": {"type": "string", "pattern": r"^((https?|wss?)://|urn:)"},
    "t": {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    "d": {"type": "string", "format": "date"},
    "i": {"type": "integer"},
    "f": {"type": "number"},
    "b": {"type": "boolean"},
    "h": {"type": "object"},
}
ID: Schema = {"type": "string", "pattern": "^[0-9]+$", "maxLength": 19}
# Beside the codes of the house's problems, those of HTTP itself: a body that is no JSON, or too large.
CODES_OF_HTTP = {400: "The request cannot be read, or lacks a parameter", 413: "The request's body is too large"}
TELLING = {code: sentence for _, code, sentence in CODES} | CODES_OF_HTTP


def _value(kind: str) -> Schema:
    """A type of the facts as a schema."""
    if "|" in kind:
        return {"anyOf": [_value(one) for one in kind.split("|")]}
    if kind.startswith("["):
        return {"type": "array", "items": _value(kind[1:-1])}
    if kind.startswith("{"):
        return {"type": "object", "additionalProperties": _value(kind[1:-1])}
    return dict(PLAIN[kind]) if kind in PLAIN else {"$ref": f"#/components/schemas/{kind}"}


def _entity(name: str) -> Schema:
    """An entity as a schema: `a.b` goes into the hash a."""
    made: Schema = _entity(WIDER[name]) if name in WIDER else {"type": "object", "properties": {}, "required": []}
    hashes = {"": made}
    for fact in ENTITIES[name].split():
        path, _, kind = fact.partition("=")
        holder, key = _place(path, hashes)
        value = _value(kind.rstrip("?~"))
        if kind.startswith("h"):
            value |= {"properties": {}, "required": []}
            hashes[path] = value
        holder["properties"][key] = {"anyOf": [value, {"type": "null"}]} if "?" in kind else value
        if "~" not in kind:
            holder["required"].append(key)
    return made


def _place(path: str, hashes: Mapping[str, Schema]) -> tuple[Schema, str]:
    """The innermost hash that a path leads into, and the key there."""
    inside = max((known for known in hashes if known and path.startswith(f"{known}.")), key=len, default="")
    return hashes[inside], path[len(inside):].removeprefix(".") if inside else path


def _hook(kind: type) -> Schema:
    """A file, as JSON Schema has it."""
    if kind is not Upload:
        raise TypeError(f"no schema for {kind}")
    return {"type": "string", "format": "binary"}


def _struct(row: Operation) -> Schema:
    """The parameters of a row as one schema, whose parts stand in it."""
    _, parts = msgspec.json.schema_components([row.parameters], schema_hook=_hook, ref_template="{name}")
    whole: Schema = _inlined(parts[row.parameters.__name__], parts)
    for name, value in whole["properties"].items():
        whole["properties"][name] = _as_id(value) if name == "id" or name.endswith(("_id", "_ids")) else value
    return whole


def _inlined(value: Any, parts: Mapping[str, Schema]) -> Any:
    """A schema without references, without words for programmers, and without null: to leave it out is the same."""
    if isinstance(value, list):
        return [_inlined(one, parts) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(parts[value["$ref"]], parts)
    kept = {key: _inlined(one, parts) for key, one in value.items() if key not in ("title", "description")}
    if isinstance(value.get("properties"), dict):
        kept["properties"] = {key: _inlined(one, parts) for key, one in value["properties"].items()}
    if kept.get("default", ...) is None:
        del kept["default"]
    choices = [one for one in kept.pop("anyOf", []) if one != {"type": "null"}]
    if len(choices) == 1:
        return kept | choices[0]
    return kept | {"anyOf": choices} if choices else kept


def _as_id(value: Schema) -> Schema:
    """Ids are digits in a string, so that no program rounds them; the table takes them as numbers."""
    if value.get("type") == "array":
        return {"type": "array", "items": _as_id(value["items"])}
    return dict(ID) if value.get("type") == "integer" else value


def _parameters(row: Operation, whole: Schema) -> list[Schema]:
    """What stands in the path, and for those that only look or delete, in the query."""
    found: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": whole["properties"].get(name, {"type": "string"})}
        for name in row.names
    ]
    if row.method not in IN_ADDRESS:
        return found
    for name, value in whole["properties"].items():
        if name not in row.names:
            told: Schema = {"name": name, "in": "query", "required": name in whole["required"], "schema": value}
            if value.get("type") == "array":
                told |= {"name": f"{name}[]", "style": "form", "explode": True}
            elif value.get("type") == "object":
                told |= {"style": "deepObject", "explode": True}
            found.append(told)
    return found


def _body(row: Operation, whole: Schema) -> Schema:
    """What is sent: as JSON or as a form, whichever the client likes; files only by multipart."""
    inside = {name: value for name, value in whole["properties"].items() if name not in row.names}
    if row.method in IN_ADDRESS or not inside:
        return {}
    schema = {"type": "object", "properties": inside, "required": [n for n in whole["required"] if n in inside]}
    files = [name for name, value in inside.items() if value.get("format") == "binary"]
    kinds = FORMS[2:] if set(files) & set(schema["required"]) else FORMS
    plain = schema | {"properties": {name: value for name, value in inside.items() if name not in files}}
    told = {kind: {"schema": schema if kind == FORMS[2] else plain} for kind in kinds}
    return {"requestBody": {"required": bool(schema["required"]), "content": told}}


def _responses(row: Operation) -> Schema:
    kind = ANSWERS.get(row.name, "")
    media, schema = (kind, {"type": "string"}) if "/" in kind else (JSON, _value(kind) if kind else {})
    told: Schema = {"description": "Done", "content": {media: {"schema": schema}}}
    if issubclass(row.parameters, Paged):
        told["headers"] = {"Link": {"description": "Where the next and the previous page are (RFC 8288)",
                                    "schema": {"type": "string"}}}
    refused = {str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted(TELLING)}
    return {"200": told, **refused}


def _operation(row: Operation) -> Schema:
    """One row."""
    whole = _struct(row)
    text = " ".join((row.deed.__doc__ or "").split())
    made: Schema = {
        "operationId": f"{row.deed.__module__.rpartition('.')[2]}.{row.deed.__name__}",
        "summary": text, "tags": [row.deed.__module__.rpartition(".")[2]],
        "parameters": _parameters(row, whole), **_body(row, whole), "responses": _responses(row), "x-who": row.who,
    }
    if row.deprecated:
        made |= {"deprecated": True, "x-deprecated-since": row.deprecated}
    if row.limit:
        made["x-limit"] = {"most": row.limit.most, "seconds": row.limit.seconds}
    token = {"token": [row.scope] if row.scope else []}
    made["security"] = [{}, token] if row.who == "anyone" else [token]
    return made


def document(rows: Iterable[Operation], base: str) -> Schema:
    """The whole table, as the city at this address has it."""
    paths: dict[str, Schema] = {}
    scopes: dict[str, str] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
        scopes |= {row.scope: ""} if row.scope else {}
    flow = {
        "authorizationUrl": f"{base}/oauth/authorize", "tokenUrl": f"{base}/oauth/token",
        "scopes": dict(sorted(scopes.items())),
    }
    error = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parvis", "version": VERSION, "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
                 "description": "Mastodon's client API, and beside it the civic API of charter, votes and register."},
        "servers": [{"url": base}], "paths": paths,
        "components": {
            "schemas": {name: _entity(name) for name in sorted(ENTITIES)},
            "responses": {str(code): {"description": text, "content": error} for code, text in sorted(TELLING.items())},
            "securitySchemes": {"token": {"type": "oauth2", "flows": {"authorizationCode": flow}}},
        },
    }


@get("/api/openapi.json", tx="none")
async def described(call: Call, _: Nothing) -> bytes:
    """This table, as an OpenAPI 3.1 document."""
    call.headers["Cache-Control"] = "max-age=3600, public"
    return call.app.openapi
