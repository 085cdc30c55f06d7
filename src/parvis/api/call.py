"""One request to one operation: who calls, with which parameters, on which database."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from inspect import signature
from typing import Any, Literal, Protocol, TypedDict, TypeVar, Unpack
from urllib.parse import quote, urlencode

import msgspec
from msgspec import inspect
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from parvis.access import actions as access
from parvis.access import policy as scopes
from parvis.access.model import Bearer
from parvis.accounts import actions as accounts
from parvis.accounts.model import Account
from parvis.api import limits, parameters
from parvis.api.hub import Hub
from parvis.api.limits import Left, Limit, Limits
from parvis.api.uploads import Form
from parvis.base.batch import Batch
from parvis.base.db import Read, Tx
from parvis.base.errors import Forbidden, Invalid, Unauthenticated
from parvis.base.ids import Page
from parvis.base.jobs import Job
from parvis.base.settings import Settings
from parvis.views.cards import ENCODE, Shelf
from parvis.views.looks import Look, Sight
from parvis.views.model import Around
from parvis.views.status import Eye
from parvis.views.thread import Thread

T = TypeVar("T")
Who = Literal["anyone", "user", "app", "token"]
Opened = Literal["none", "read", "write"]
JSON = b"application/json; charset=utf-8"
CURSORS = ("max_id", "min_id", "since_id")
PLAIN = re.compile(r"[\w.~%=&-]*", re.ASCII)  # what may stand in a Link header as it came


class App(Protocol):
    """What the face needs of the running program."""

    settings: Settings
    job: Job
    shelf: Shelf
    limits: Limits
    hub: Hub
    bearers: Batch[Read, bytes, Bearer]
    together: Batch[Read, Look, Sight]
    threads: Batch[Read, Around, Thread]

    @property
    def openapi(self) -> bytes:
        """The table of operations as a document."""


class Nothing(msgspec.Struct, frozen=True):
    """An operation without parameters."""


class Paged(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of every list."""

    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
    limit: int | None = None

    def page(self, default: int = 20) -> Page:
        """The stretch asked for; the limit is capped at twice the default."""
        if self.limit is not None and self.limit < 0:
            raise Invalid("limit", "invalid")
        bounds = [b if b is None else max(0, min(b, 2**63 - 1)) for b in (self.max_id, self.since_id, self.min_id)]
        return Page(bounds[0], bounds[1], bounds[2], min(self.limit or default, default * 2))


class Call:
    """A request on its way through an operation."""

    def __init__(self, app: App, request: Request, bearer: Bearer | None, now: datetime) -> None:
        self.app = app
        self.request = request
        self.bearer = bearer
        self.now = now
        self.headers: dict[str, str] = {}
        self.opened: Read | None = None

    @property
    def settings(self) -> Settings:
        """The city's settings."""
        return self.app.settings

    @property
    def job(self) -> Job:
        """For operations that open their own transactions and speak to other servers."""
        return self.app.job

    @property
    def read(self) -> Read:
        """The database, opened for this operation."""
        if self.opened is None:
            raise LookupError("this operation asked for no database")
        return self.opened

    @property
    def tx(self) -> Tx:
        """The transaction, opened for this operation."""
        if not isinstance(self.opened, Tx):
            raise TypeError("this operation asked for no transaction")
        return self.opened

    @property
    def viewer(self) -> int | None:
        """Who looks; None when nobody is signed in."""
        return self.bearer.account_id if self.bearer else None

    @property
    def me_id(self) -> int:
        """Who acts, in an operation for users."""
        if self.viewer is None:
            raise Unauthenticated("user_required")
        return self.viewer

    @property
    def token_id(self) -> int:
        """The token that acts."""
        if self.bearer is None:
            raise Unauthenticated("no_token")
        return self.bearer.token_id

    async def me(self) -> Account:
        """The account that acts."""
        return await accounts.account(self.read, self.me_id)

    def eye(self) -> Eye:
        """Who looks, as views want it."""
        # A card made in a transaction that is rolled back must not stay: its version will be another text's.
        if isinstance(self.opened, Tx):
            return Eye(self.viewer, Shelf(), self.settings)
        return Eye(self.viewer, self.app.shelf, self.settings, self.app.together)

    def may(self, scope: str) -> bool:
        """Does the token allow this much?"""
        return self.bearer is not None and scopes.covers(self.bearer.scopes, scope)

    def opening(self, opened: Opened) -> Opening:
        """Open what the operation's row asks for."""
        db = self.job.db
        wanted = db.read() if opened == "read" else db.write() if opened == "write" else contextlib.nullcontext()
        return Opening(self, wanted)

    async def together(self, deed: Callable[[], Awaitable[T]]) -> T:
        """Change in one transaction with others who call at this moment; what fails is done again alone."""

        async def inside(tx: Tx) -> T:
            async with Opening(self, contextlib.nullcontext(tx)):
                return await deed()

        return await self.job.db.write_together(inside)

    def count(self, limit: Limit) -> None:
        """Count against a limit of its own; its numbers are what the client sees."""
        who = str(self.viewer) if self.viewer is not None else self.address
        self.show(self.app.limits.count(limit, who, self.now))

    def show(self, left: Left) -> None:
        """Tell the client what is left."""
        told = left.headers()
        self.headers |= told
        self.request.scope.setdefault("state", {})["limits"] = told

    @property
    def address(self) -> str:
        """Where the request comes from, as it is counted."""
        return limits.address_key(self.request.client.host if self.request.client else "")

    def link(self, row_ids: Sequence[int]) -> None:
        """The Link header of a list: absolute, keeping every other parameter."""
        if not row_ids:
            return
        base = f"{self.settings.base}{quote(self.request.scope['path'])}?{self._kept()}"
        older, newer = min(row_ids), max(row_ids)
        self.headers["Link"] = f'<{base}max_id={older}>; rel="next", <{base}min_id={newer}>; rel="prev"'

    def _kept(self) -> str:
        """The parameters of the address but for the cursors, ready to be followed by one."""
        query: str = self.request.scope["query_string"].decode("latin-1")
        if PLAIN.fullmatch(query):
            return "".join(f"{part}&" for part in query.split("&") if part and part.split("=")[0] not in CURSORS)
        kept = [pair for pair in self.request.query_params.multi_items() if pair[0] not in CURSORS]
        return urlencode(kept) + "&" if kept else ""


class Opening:
    """A call while it has its database open."""

    __slots__ = ("_call", "_context")

    def __init__(self, call: Call, context: AbstractAsyncContextManager[Read | None]) -> None:
        self._call = call
        self._context = context

    async def __aenter__(self) -> None:
        self._call.opened = await self._context.__aenter__()

    async def __aexit__(self, *about: Any) -> None:
        self._call.opened = None
        await self._context.__aexit__(*about)


class Answer(Response):
    """What an operation answers, in JSON. Its headers are known to lack what Starlette would look for in each."""

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        self.status_code, self.body, self.background = 200, body, None
        self.raw_headers = [(name.lower().encode("latin-1"), said.encode("latin-1")) for name, said in headers.items()]
        self.raw_headers += [(b"content-length", b"%d" % len(body)), (b"content-type", JSON)]


Deed = Callable[[Call, Any], Awaitable[object]]


class Operation(msgspec.Struct, frozen=True):
    """One row of the table."""

    method: str
    path: str
    scope: str | None
    who: Who
    tx: Opened
    parameters: type
    kind: inspect.StructType
    deed: Deed
    limit: Limit | None = None
    deprecated: int | None = None
    private: bool = False
    stream: bool = False

    names: tuple[str, ...] = ()
    fields: Mapping[str, inspect.Field] = {}

    @property
    def name(self) -> str:
        """What it is called in documents."""
        return f"{self.method} {self.path}"

    async def __call__(self, request: Request) -> Response:
        """Answer a request: who calls, may they, what do they ask, then the deed in its transaction."""
        app: App = request.app.state.app
        call = Call(app, request, None, app.job.db.clock.now())
        await self._admit(call)
        if self.method == "GET":
            arguments = await self._asked(request)
            async with call.opening(self.tx):
                return self._answer(call, await self.deed(call, arguments))
        with parameters.form_of(request, self.kind, app.settings.scratch) as form:
            arguments = await self._asked(request, form)
            async with call.opening(self.tx):
                made = await self.deed(call, arguments)
        return self._answer(call, made)

    async def _admit(self, call: Call) -> None:
        """Learn who calls, count the request, and see whether they may."""
        try:
            call.bearer = await bearer_of(call.app, shown_token(call.request, in_address=self.stream))
        finally:
            self._count(call)
        permit(self, call.bearer)
        if self.limit:
            call.count(self.limit)

    async def _asked(self, request: Request, form: Form | None = None) -> Any:
        values = await parameters.received(request, form)
        return parameters.converted(values, self.kind, self.fields, request.path_params)

    def _count(self, call: Call) -> None:
        if call.bearer is None:
            call.show(call.app.limits.count(limits.PER_ADDRESS, call.address, call.now))
            return
        call.show(call.app.limits.count(limits.PER_TOKEN, str(call.bearer.token_id), call.now))
        if call.viewer is not None:
            call.app.limits.count(limits.PER_USER, str(call.viewer), call.now)

    def _answer(self, call: Call, made: object) -> Response:
        if isinstance(made, Response):
            made.headers.update(call.headers)
            return made
        headers = {"Vary": "Authorization, Origin", **call.headers}
        if self.deprecated:
            headers["Deprecation"] = f"@{self.deprecated}"
        if "Cache-Control" not in headers:
            open_to_all = self.method == "GET" and call.bearer is None and not self.private
            headers["Cache-Control"] = (
                "max-age=15, public, stale-while-revalidate=30, stale-if-error=86400" if open_to_all
                else "private, no-store"
            )
        return Answer(made if isinstance(made, bytes) else ENCODE.encode(made), headers)


def shown_token(request: HTTPConnection, *, in_address: bool = False) -> str | None:
    """The token that a request shows. Where a browser cannot send headers it may stand in the address."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    shown = token.strip() if kind.lower() == "bearer" else ""
    return shown or (request.query_params.get("access_token") if in_address else None) or None


async def bearer_of(app: App, token: str | None) -> Bearer | None:
    """What a token stands for; None without one; Unauthenticated when it stands for nothing."""
    if token is None:
        return None
    found = await app.bearers.of(access.fingerprint(token))
    if found is None:
        raise Unauthenticated
    return found


def permit(operation: Operation, bearer: Bearer | None) -> None:
    """May this token call this operation? (social.md's side rules: scope 403, no user 422, unconfirmed 403.)"""
    if bearer is None:
        if operation.who != "anyone":
            raise Unauthenticated("no_token")
        return
    if bearer.account_id is not None and (bearer.disabled or bearer.suspended):
        raise Forbidden("login_disabled")
    if operation.scope and not scopes.covers(bearer.scopes, operation.scope):
        raise Forbidden("scope")
    if operation.who == "user" and bearer.account_id is None:
        raise Unauthenticated("token_invalid" if operation.stream else "user_required")
    if operation.who == "app" and bearer.account_id is not None:
        raise Forbidden("app_required")
    if operation.who == "user" and not bearer.confirmed and operation.path not in UNCONFIRMED:
        raise Forbidden("unconfirmed")
    if operation.who == "user" and not bearer.approved:
        raise Forbidden("pending")


UNCONFIRMED = ("/api/v1/emails/confirmations", "/api/v1/emails/check_confirmation")


class More(TypedDict, total=False):
    """What a row may say beside its path and its scope; the rest follows from these."""

    who: Who
    tx: Opened
    limit: Limit
    deprecated: int
    private: bool
    stream: bool


def _kind(shape: type) -> inspect.StructType:
    """What msgspec knows of a Struct of parameters: looked up once a row, for it costs more than a query."""
    kind = inspect.type_info(shape)
    if not isinstance(kind, inspect.StructType):
        raise TypeError(f"the parameters of an operation are a Struct, not {shape}")
    return kind


def _made(method: str) -> Callable[..., Callable[[Deed], Operation]]:
    def row(path: str, scope: str | None = None, **more: Unpack[More]) -> Callable[[Deed], Operation]:
        def take(deed: Deed) -> Operation:
            shape = list(signature(deed, eval_str=True).parameters.values())[1].annotation
            opened: Opened = more.get("tx", "read" if method == "GET" else "write")
            caller: Who = more.get("who", "user" if scope else "anyone")
            kind = _kind(shape)
            return Operation(
                method, path, scope, caller, opened, shape, kind, deed, more.get("limit"),
                more.get("deprecated"), more.get("private", False), more.get("stream", False),
                tuple(re.findall(r"{(\w+)}", path)), parameters.named(kind),
            )

        return take

    return row


get, post, put, patch, delete = (_made(method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE"))
