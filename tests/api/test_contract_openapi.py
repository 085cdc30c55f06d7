"""The table as an OpenAPI document and as a page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from api.contract import covers
from api.mastodon import WANTED, plain
from api.town import PATTERNS, Town
from parvis.api.answers import ANSWERS
from parvis.api.operations import OPERATIONS
from parvis.api.shapes import ENTITIES, WIDER

pytestmark = pytest.mark.asyncio(loop_scope="module")


def references(value: Any) -> set[str]:
    """All that a document refers to."""
    if isinstance(value, list):
        return {found for one in value for found in references(one)}
    if not isinstance(value, dict):
        return set()
    return {value["$ref"]} if "$ref" in value else {found for one in value.values() for found in references(one)}


@covers("GET /api/openapi.json")
async def test_the_document_is_openapi_and_holds_every_operation(town: Town) -> None:
    document = await town.stranger.ask(None, "GET", "/api/openapi.json")
    faults = [f"{error.instance_path}: {error.message}"[:300] for error in OPENAPI_31_VALIDATOR.iter_errors(document)]
    assert faults == []
    told = {f"{method.upper()} {path}" for path, rows in document["paths"].items() for method in rows}
    assert told == {row.name for row in OPERATIONS}
    names = [one["operationId"] for rows in document["paths"].values() for one in rows.values()]
    assert len(set(names)) == len(names)
    for reference in references(document):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in document["components"][kind]
    answer = await town.stranger.get("/api/openapi.json")
    assert answer.headers["cache-control"] == "max-age=3600, public"


async def test_the_document_tells_scope_parameters_answer_and_age(town: Town) -> None:
    document = await town.stranger.ask(None, "GET", "/api/openapi.json")
    post = document["paths"]["/api/v1/statuses"]["post"]
    assert post["security"] == [{"token": ["write:statuses"]}]
    fields = post["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert fields["visibility"] == {"enum": ["direct", "private", "public", "unlisted"]}
    assert fields["media_ids"]["items"]["type"] == "string"
    home = document["paths"]["/api/v1/timelines/home"]["get"]
    assert home["responses"]["200"]["content"]["application/json"]["schema"] == {
        "type": "array", "items": {"$ref": "#/components/schemas/Status"}}
    assert "Link" in home["responses"]["200"]["headers"]
    assert document["paths"]["/api/v1/instance"]["get"]["deprecated"] is True
    picture = document["paths"]["/api/v2/media"]["post"]["requestBody"]["content"]
    assert list(picture) == ["multipart/form-data"]
    alerts = document["components"]["schemas"]["WebPushSubscription"]["properties"]["alerts"]
    assert alerts["properties"]["admin.sign_up"] == {"type": "boolean"}


async def test_every_operation_says_with_what_it_answers_and_no_answer_is_of_nobody() -> None:
    assert {row.name for row in OPERATIONS} <= set(ANSWERS)
    known = {plain(row.name) for row in OPERATIONS} | set(WANTED)
    assert {name for name in ANSWERS if plain(name) not in known} == set()
    kinds = {one for kind in ANSWERS.values() if "/" not in kind for one in re.findall(r"\w+", kind)}
    assert kinds - {"s", "h", "b"} <= set(ENTITIES)
    assert set(WIDER) | set(WIDER.values()) <= set(ENTITIES)


async def test_a_person_reads_the_document_as_a_page(town: Town) -> None:
    for tongue, title in (("en", "The API"), ("fr", "L’API")):
        page = await town.stranger.get(f"/docs/api?lang={tongue}", accept="text/html")
        assert page.status == 200
        assert f"<h1>{title}</h1>" in page.text
        assert "<script" not in page.text
    for row, _ in PATTERNS:
        assert f"<code>{row.method} {row.path}</code>" in page.text
