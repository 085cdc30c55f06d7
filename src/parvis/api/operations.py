"""The table of operations: every row with its scope, parameters, transaction and limit; routes are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Protocol

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from parvis.api import (
    accounts,
    admin,
    admin_accounts,
    admin_blocks,
    admin_borders,
    admin_domains,
    admin_measures,
    announcements,
    annual_reports,
    archives,
    city,
    civic,
    collections,
    conversations,
    domain_blocks,
    emails,
    endorsements,
    filters,
    holds,
    instance,
    letters,
    links,
    lists,
    markers,
    media,
    moves,
    notifications,
    oauth,
    openapi,
    polls,
    profile,
    push,
    quotes,
    refreshes,
    scheduled_statuses,
    search,
    statuses,
    streaming,
    suggestions,
    tags,
    timelines,
    translations,
    trends,
)
from parvis.api.call import Operation

ROOMS: tuple[ModuleType, ...] = (
    oauth,
    accounts,
    profile,
    moves,
    endorsements,
    emails,
    archives,
    statuses,
    refreshes,
    polls,
    scheduled_statuses,
    quotes,
    translations,
    timelines,
    lists,
    collections,
    tags,
    markers,
    conversations,
    domain_blocks,
    links,
    streaming,
    notifications,
    push,
    letters,
    media,
    filters,
    search,
    suggestions,
    trends,
    instance,
    city,
    civic,
    announcements,
    annual_reports,
    admin,
    admin_accounts,
    openapi,
    admin_blocks,
    admin_borders,
    admin_domains,
    admin_measures,
    holds,
)
OPERATIONS: tuple[Operation, ...] = tuple(
    found for room in ROOMS for found in vars(room).values() if isinstance(found, Operation)
)


UNKNOWN = (404, "Not Found")
Telling = Callable[[Request, Exception], Awaitable[Response]]


class Row(Protocol):
    """What answers under one path and method; `names` are those of the parameters in its path."""

    @property
    def method(self) -> str:
        """GET also answers HEAD."""

    @property
    def path(self) -> str:
        """Names in braces stand for any segment."""

    @property
    def names(self) -> tuple[str, ...]:
        """In their order."""

    async def __call__(self, request: Request) -> Response:
        """Answer."""


class Fork:
    """One segment of the paths: what may follow it, and which rows end here."""

    __slots__ = ("named", "rest", "rows")

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.named: dict[str, Fork] = {}
        self.rest: Fork | None = None

    def plant(self, row: Row) -> None:
        """Add a row under its path."""
        fork = self
        for segment in row.path.strip("/").split("/"):
            if segment.startswith("{"):
                fork.rest = fork.rest or Fork()
                fork = fork.rest
            else:
                fork = fork.named.setdefault(segment, Fork())
        fork.rows[row.method] = row

    def find(self, segments: Sequence[str], taken: list[str]) -> Fork | None:
        """The fork where a path ends; names go before parameters, whose values are put into `taken`."""
        fork = self
        for place, segment in enumerate(segments, 1):
            named, rest = fork.named.get(segment), fork.rest if segment else None
            if named is not None and rest is not None:
                before = len(taken)
                found = named.find(segments[place:], taken)
                if found is not None:
                    return found
                del taken[before:]
            if named is not None and rest is None:
                fork = named
            elif rest is not None:
                taken.append(segment)
                fork = rest
            else:
                return None
        return fork if fork.rows else None


class Table:
    """All rows, before everything else that is served: a path is looked up segment by segment, so that 300 rows cost no
    more than ten, and what they answer passes no router and no middleware (a seventh of what a short answer cost).
    """

    def __init__(self, rows: Iterable[Row], rest: Starlette, handlers: Mapping[type[Exception], Telling]) -> None:
        self._root = Fork()
        self._rest = rest
        self._handlers = handlers
        for row in rows:
            self._root.plant(row)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what the API can answer, and what nothing else may because its path is the API's."""
        path: str = scope["path"]
        taken: list[str] = []
        found = self._root.find(path.strip("/").split("/"), taken) if scope["type"] == "http" else None
        if found is None and (scope["type"] != "http" or not path.startswith("/api/")):
            await self._rest(scope, receive, send)
            return
        scope["app"] = self._rest
        request = Request(scope, receive, send)
        try:
            response = await _row(scope, found, taken)(request)
        except Exception as error:  # noqa: BLE001  # each is told by its handler; a fault of ours is logged by it
            handler = next(self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers)
            response = await handler(request, error)
        await response(scope, receive, send)


def _row(scope: Scope, found: Fork | None, taken: Sequence[str]) -> Row:
    """The row of this path and method."""
    if found is None:
        raise HTTPException(*(streaming.UNKNOWN if scope["path"].startswith(streaming.HEAD) else UNKNOWN))
    row = found.rows.get("GET" if scope["method"] == "HEAD" else scope["method"])
    if row is None:
        raise HTTPException(405, "Method not allowed", {"Allow": ", ".join(sorted(found.rows))})
    scope["path_params"] = dict(zip(row.names, taken, strict=True))
    return row


def document(base: str) -> bytes:
    """The table as an OpenAPI document."""
    return msgspec.json.encode(openapi.document(OPERATIONS, base))


def routes() -> list[BaseRoute]:
    """What of the API speaks no HTTP."""
    return [streaming.SOCKET]
