"""The table of operations: every row with its scope, parameters, transaction and limit; routes are made from it."""

from __future__ import annotations

from collections import defaultdict
from types import ModuleType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from parvis.api import (
    accounts,
    admin,
    civic,
    instance,
    media,
    notifications,
    oauth,
    search,
    statuses,
    timelines,
)
from parvis.api.call import Operation

ROOMS: tuple[ModuleType, ...] = (
    oauth,
    accounts,
    statuses,
    timelines,
    notifications,
    media,
    search,
    instance,
    civic,
    admin,
)
OPERATIONS: tuple[Operation, ...] = tuple(
    found for room in ROOMS for found in vars(room).values() if isinstance(found, Operation)
)


def _endpoint(rows: dict[str, Operation]) -> Route:
    path = next(iter(rows.values())).path

    async def answer(request: Request) -> Response:
        row = rows.get("GET" if request.method == "HEAD" else request.method)
        if row is None:
            raise HTTPException(405, "Method not allowed", {"Allow": ", ".join(sorted(rows))})
        return await row(request)

    return Route(path, answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])


async def _unknown(_: Request) -> Response:
    raise HTTPException(404, "Not Found")


def routes() -> list[BaseRoute]:
    """One route a path, names before ids, mounted by the first three segments so that each request tries few."""
    by_path: dict[str, dict[str, Operation]] = defaultdict(dict)
    for row in sorted(OPERATIONS, key=lambda row: [part.startswith("{") for part in row.path.split("/")]):
        by_path[row.path][row.method] = row
    mounts: dict[str, list[Route]] = defaultdict(list)
    plain: list[BaseRoute] = []
    for path, rows in by_path.items():
        head = "/".join(path.split("/")[:4])
        if path.startswith("/api/") and "{" not in head:
            mounts[head].append(_endpoint(rows))
        else:
            plain.append(_endpoint(rows))
    made: list[BaseRoute] = []
    for head, found in mounts.items():
        inner = [Route(route.path.removeprefix(head) or "/", route.endpoint, methods=route.methods) for route in found]
        bare = next((route for route in found if route.path == head), None)
        if bare is not None:
            made.append(bare)
        below = [route for route in inner if route.path != "/"]
        made.append(Mount(head, routes=[*below, Route("/{rest:path}", _unknown)]))
    anything = Route("/api/{rest:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return [*made, *plain, anything]
