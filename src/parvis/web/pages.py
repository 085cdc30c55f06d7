"""The table of pages, and the error page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from parvis.base.errors import Problem
from parvis.text.messages import words
from parvis.web import (
    about,
    civic,
    decisions,
    feeds,
    files,
    holds,
    inviting,
    letters,
    moving,
    oauth,
    public,
    reference,
    security,
    settings,
    sign_in,
    subscriptions,
)
from parvis.web.site import Deed, Site, Visit

Telling = Callable[[Request, Exception], Awaitable[Response]]

NOT_PAGES = (
    "/api", "/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/.well-known", "/nodeinfo", "/ap", "/inbox", "/actor",
)

OPEN: tuple[tuple[str, str, Deed], ...] = (
    ("GET", "/", public.front),
    ("GET", "/tags/{tag}.rss", feeds.tag_rss),
    ("GET", "/@{name}.rss", feeds.profile_rss),
    ("GET", "/@{name}.atom", feeds.profile_atom),
    ("GET", "/tags/{tag}", public.tag),
    ("GET", "/@{name}", public.profile),
    ("GET", "/@{name}/subscribe", subscriptions.ask_form),
    ("POST", "/@{name}/subscribe", subscriptions.ask),
    ("GET", "/@{name}/{id}", public.status),
    ("GET", "/@{name}/{id}/embed", public.embed),
    ("GET", "/collections/{id}", public.collection),
    ("GET", "/auth/sign_up", sign_in.sign_up_form),
    ("POST", "/auth/sign_up", sign_in.sign_up),
    ("GET", "/invite/{code}", inviting.door),
    ("GET", "/auth/sign_in", sign_in.sign_in_form),
    ("POST", "/auth/sign_in", sign_in.sign_in),
    ("POST", "/auth/code", sign_in.code),
    ("POST", "/auth/passkey", sign_in.passkey),
    ("GET", "/auth/forgot", sign_in.forgot_form),
    ("POST", "/auth/forgot", sign_in.forgot),
    ("GET", "/auth/reset", sign_in.reset_form),
    ("POST", "/auth/reset", sign_in.reset),
    ("GET", "/auth/address", sign_in.address),
    ("GET", "/auth/confirm", sign_in.confirm),
    ("GET", "/oauth/authorize", oauth.ask),
    ("GET", "/charter", civic.charter),
    ("GET", "/charter/changes", civic.changes),
    ("GET", "/charter/articles/{number}", civic.article),
    ("GET", "/proposals", civic.proposals),
    ("GET", "/proposals/{id:int}", civic.proposal),
    ("GET", "/register", civic.register),
    ("GET", "/register/{index:int}", civic.entry),
    ("GET", "/about", about.about),
    ("GET", "/privacy", about.privacy),
    ("GET", "/imprint", about.imprint),
    ("GET", "/docs/api", reference.api),
)
# A mail program sends this form for its reader, without our page and its secret (RFC 8058): the address proves enough.
SIGNED: tuple[tuple[str, str, Deed], ...] = (
    ("GET", "/unsubscribe", letters.ask),
    ("POST", "/unsubscribe", letters.stop),
    ("GET", "/subscriptions/confirm", subscriptions.confirm_form),
    ("POST", "/subscriptions/confirm", subscriptions.confirm),
    ("GET", "/subscriptions/stop", subscriptions.stop_form),
    ("POST", "/subscriptions/stop", subscriptions.stop),
)
INSIDE: tuple[tuple[str, str, Deed], ...] = (
    ("POST", "/auth/sign_out", sign_in.sign_out),
    ("POST", "/oauth/authorize", oauth.decide),
    ("GET", "/oauth/authorize/native", oauth.native),
    ("GET", "/settings", settings.overview),
    ("GET", "/settings/profile", settings.profile_form),
    ("POST", "/settings/profile", settings.profile),
    ("GET", "/settings/invitations", inviting.invitations),
    ("POST", "/settings/invitations", inviting.invite),
    ("GET", "/settings/export", moving.export_page),
    ("POST", "/settings/export", moving.ask_archive),
    ("GET", "/settings/export/{kind}.csv", moving.export),
    ("GET", "/settings/export/archives/{id}.zip", moving.archive),
    ("GET", "/settings/import", moving.import_form),
    ("POST", "/settings/import", moving.bring),
    ("GET", "/settings/delete", moving.delete_form),
    ("POST", "/settings/delete", moving.leave),
    ("GET", "/settings/applications", settings.applications),
    ("POST", "/settings/applications", settings.revoke),
    ("GET", "/settings/security", security.security),
    ("POST", "/settings/security/password", security.password),
    ("POST", "/settings/security/address", security.address),
    ("POST", "/settings/security/codes", security.codes),
    ("POST", "/settings/security/passkeys", security.passkeys),
    ("POST", "/settings/security/browsers", security.browsers),
    ("POST", "/write", public.write),
    ("GET", "/proposals/new", civic.proposal_form),
    ("POST", "/proposals/new", civic.propose),
    ("POST", "/proposals/{id:int}/support", civic.support),
    ("POST", "/proposals/{id:int}/ballot", civic.cast),
    ("GET", "/decisions/{id:int}", decisions.decision),
    ("POST", "/decisions/{id:int}", decisions.appeal),
    ("GET", "/holds/{id:int}", holds.hold),
    ("POST", "/holds/{id:int}", holds.appeal),
)


def routes() -> list[BaseRoute]:
    """Every page and file a browser may ask for."""
    site = Site()
    pages = [Route(path, site.page(deed), methods=[method]) for method, path, deed in OPEN]
    inside = [Route(path, site.page(deed, inside=True), methods=[method]) for method, path, deed in INSIDE]
    signed = [Route(path, site.page(deed, signed=True), methods=[method]) for method, path, deed in SIGNED]
    return [*inside, *pages, *signed, *files.routes(site.assets)]


def is_page(request: Request) -> bool:
    """Does a browser ask for a page here?"""
    path = request.url.path
    if any(path == prefix or path.startswith(f"{prefix}/") for prefix in NOT_PAGES):
        return False
    return "text/html" in request.headers.get("accept", "")


def or_page(handlers: dict[Any, Telling]) -> dict[Any, Any]:
    """The same handlers, whose answer a browser is shown as a page with the same code."""
    site = Site()

    def wrapped(handler: Telling) -> Telling:
        async def answer(request: Request, error: Exception) -> Response:
            told = await handler(request, error)
            return await _page(site, request, error, told) if is_page(request) else told

        return answer

    return {kind: wrapped(handler) for kind, handler in handlers.items()}


async def _page(site: Site, request: Request, error: Exception, told: Response) -> Response:
    visit = getattr(request.state, "visit", None)
    if not isinstance(visit, Visit):
        visit = site.visit(request)
        if told.status_code < 500:
            await visit.recognise()
    code = told.status_code
    title, sentence = words.ERRORS.get(code, words.ERRORS[500 if code >= 500 else 404 if code == 405 else 400])
    if isinstance(error, Problem):
        title, sentence = words.PROBLEMS.get(error.word, (title, sentence))
    made = visit.show("error.html", code, code=code, title=visit.say(title), sentence=visit.say(sentence))
    made.headers.update({name: value for name, value in told.headers.items() if name.startswith("x-ratelimit")})
    return made
