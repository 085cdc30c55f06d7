"""The table of operations: every row with its scope, parameters, transaction and limit; routes are made from it."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from parvis.api import (
    accounts,
    admin,
    admin_accounts,
    admin_blocks,
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
    instance,
    letters,
    links,
    lists,
    markers,
    media,
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
    admin_domains,
    admin_measures,
)
OPERATIONS: tuple[Operation, ...] = tuple(
    found for room in ROOMS for found in vars(room).values() if isinstance(found, Operation)
)


UNKNOWN = (404, "Not Found")


class Fork:
    """One segment of the paths: what may follow it, and which rows end here."""

    __slots__ = ("named", "rest", "rows")

    def __init__(self) -> None:
        self.rows: dict[str, Operation] = {}
        self.named: dict[str, Fork] = {}
        self.rest: Fork | None = None

    def plant(self, row: Operation) -> None:
        """Add a row under its path."""
        fork = self
        for segment in row.path.strip("/").split("/"):
            if segment.startswith("{"):
                fork.rest = fork.rest or Fork()
                fork = fork.rest
            else:
                fork = fork.named.setdefault(segment, Fork())
        fork.rows[row.method] = row

    def find(self, segments: list[str], place: int, taken: list[str]) -> Fork | None:
        """The fork where a path ends; names go before parameters, whose values are put into `taken`."""
        if place == len(segments):
            return self if self.rows else None
        named = self.named.get(segments[place])
        found = named.find(segments, place + 1, taken) if named is not None else None
        if found is not None or self.rest is None or not segments[place]:
            return found
        found = self.rest.find(segments, place + 1, taken)
        if found is not None:
            taken.insert(0, segments[place])
        return found


class Table(BaseRoute):
    """All rows as one route: a path is looked up segment by segment, so that 300 rows cost no more than ten."""

    def __init__(self, rows: Iterable[Operation]) -> None:
        self._root = Fork()
        for row in rows:
            self._root.plant(row)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a row answers this path, or nothing can because it is the API's."""
        if scope["type"] != "http":
            return Match.NONE, {}
        path: str = scope["path"]
        taken: list[str] = []
        found = self._root.find(path.strip("/").split("/"), 0, taken)
        if found is None:
            return (Match.FULL, {"rows": {}}) if path.startswith("/api/") else (Match.NONE, {})
        return Match.FULL, {"rows": found.rows, "taken": taken}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the row of this path and method."""
        rows: dict[str, Operation] = scope["rows"]
        if not rows:
            raise HTTPException(*(streaming.UNKNOWN if scope["path"].startswith(streaming.HEAD) else UNKNOWN))
        row = rows.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if row is None:
            raise HTTPException(405, "Method not allowed", {"Allow": ", ".join(sorted(rows))})
        scope["path_params"] = dict(zip(row.names, scope["taken"], strict=True))
        response = await row(Request(scope, receive, send))
        await response(scope, receive, send)


def document(base: str) -> bytes:
    """The table as an OpenAPI document."""
    return msgspec.json.encode(openapi.document(OPERATIONS, base))


def routes() -> list[BaseRoute]:
    """The table as a route, and beside it what speaks no HTTP."""
    return [streaming.SOCKET, Table(OPERATIONS)]
