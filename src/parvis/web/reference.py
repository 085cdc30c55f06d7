"""The API as a page: what apps and programs may ask of this city, grouped by subject."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from parvis.web.site import Visit


async def api(visit: Visit) -> Response:
    """Every operation, from the same document that programs read."""
    return visit.show("api.html", subjects=_subjects(visit.app.openapi))


def _subjects(document: bytes) -> dict[str, list[dict[str, Any]]]:
    """The operations of each subject, in the order of the document."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in msgspec.json.decode(document)["paths"].items():
        for method, told in methods.items():
            found.setdefault(told["tags"][0], []).append(_operation(method.upper(), path, told))
    return dict(sorted(found.items()))


def _operation(method: str, path: str, told: dict[str, Any]) -> dict[str, Any]:
    """One operation as the page shows it."""
    content = told["responses"]["200"]["content"]
    media, answer = next(iter(content.items()))
    scopes = told["security"][-1]["token"]
    return {
        "id": told["operationId"], "method": method, "path": path, "summary": told["summary"], "who": told["x-who"],
        "scope": scopes[0] if scopes else "", "deprecated": told.get("deprecated", False), "limit": told.get("x-limit"),
        "parameters": [*map(_parameter, told["parameters"]), *_sent(told.get("requestBody"))],
        "answer": _kind(answer["schema"]) if media == "application/json" else media,
    }


def _parameter(told: dict[str, Any]) -> dict[str, Any]:
    return {"name": told["name"], "where": told["in"], "required": told["required"], **_limits(told["schema"])}


def _sent(body: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The fields of a body; multipart names all of them, files too."""
    if body is None:
        return []
    schema = body["content"]["multipart/form-data"]["schema"]
    return [
        {"name": name, "where": "body", "required": name in schema["required"], **_limits(value)}
        for name, value in schema["properties"].items()
    ]


def _limits(schema: dict[str, Any]) -> dict[str, Any]:
    """The type of a value, and between which bounds."""
    inner = schema.get("items", schema)
    words = [f"{key} {inner[key]}" for key in ("minimum", "maximum", "minLength", "maxLength") if key in inner]
    default = schema.get("default")
    return {"kind": _kind(schema), "choices": inner.get("enum", []), "limits": ", ".join(words),
            "default": "" if default in (None, "", [], {}) else msgspec.json.encode(default).decode()}


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " | ".join(map(_kind, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"[{_kind(schema['items'])}]"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"{{{_kind(schema['additionalProperties'])}}}"
    if schema.get("type") == "object" and schema.get("properties"):
        return "{" + ", ".join(schema["properties"]) + "}"
    if schema.get("format") == "binary":
        return "file"
    return str(schema.get("type", "string" if "enum" in schema else "JSON"))
