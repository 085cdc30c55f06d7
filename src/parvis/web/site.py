"""One browser's request to one page: its language, who is signed in, and the answer's shape."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from parvis.access import actions as access
from parvis.access import queries as sessions
from parvis.access.model import Session
from parvis.accounts import actions as accounts
from parvis.accounts.model import Account
from parvis.base.db import Db, Read
from parvis.base.errors import Forbidden, NotFound
from parvis.base.ids import Page, parsed
from parvis.base.jobs import Job
from parvis.base.settings import Settings
from parvis.text import messages
from parvis.text.messages import Locale
from parvis.views import account as people
from parvis.views import status as posts
from parvis.views.cards import Shelf
from parvis.views.status import Eye
from parvis.web import press
from parvis.web.press import Tongue

SESSION, CSRF, LANGUAGE = "parvis_session", "parvis_csrf", "lang"
MONTH, YEAR = 30 * 86400, 365 * 86400
VARY = "Accept, Accept-Language, Cookie"
FORM = 64 * 1024
UPLOAD = 4 * 1024 * 1024
# Someone suspended signs in to read the decision, to appeal (DSA article 20), to take
# along what is theirs or leave (GDPR articles 17 and 20) and to sign out, and does nothing else.
SUSPENDED_MAY = ("/decisions/", "/auth/sign_out", "/settings/export", "/settings/delete")


class Limit(msgspec.Struct, frozen=True):
    """So many in so many seconds."""

    family: str
    most: int
    seconds: int


class Limits(Protocol):
    """What the pages need of the rate limits."""

    def count(self, limit: Any, who: str, now: datetime) -> object:
        """Count one more; TooMany beyond the limit."""


class App(Protocol):
    """What the pages need of the running program."""

    settings: Settings
    db: Db
    job: Job
    shelf: Shelf
    limits: Limits

    @property
    def openapi(self) -> bytes:
        """The table of operations as a document."""


def _address(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return text
    whole = address.version == 4 or address.ipv4_mapped
    return text if whole else str(ip_network((address, 64), strict=False).network_address)


class Visit:
    """A request by a browser, on its way through a page."""

    def __init__(self, app: App, request: Request, locale: Locale, tongue: Tongue) -> None:
        self.app = app
        self.request = request
        self.locale = locale
        self.session: Session | None = None
        self.me: dict[str, Any] | None = None
        self._tongue = tongue
        self._form: FormData | None = None
        self._cookies: list[tuple[str, str, int]] = []
        self._personal = False

    @property
    def settings(self) -> Settings:
        """The city's settings."""
        return self.app.settings

    @property
    def viewer(self) -> int | None:
        """Who looks; None when nobody is signed in."""
        return self.session.account_id if self.session else None

    @property
    def eye(self) -> Eye:
        """Who looks, as views want it."""
        return Eye(self.viewer, self.app.shelf, self.settings)

    @property
    def here(self) -> str:
        """Path and query of this page."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def program(self) -> str:
        """What the browser says of itself."""
        return self.request.headers.get("user-agent", "")

    def query(self, name: str) -> str:
        """A parameter of the address; nothing when it is not there."""
        return self.request.query_params.get(name, "")

    def page(self, size: int = 20) -> Page:
        """The stretch of a list that the address asks for."""
        return Page(max_id=parsed(self.query("max_id")), limit=size)

    def older(self, ids: Sequence[int], size: int = 20) -> str | None:
        """Where the next stretch is; None when this one was not full."""
        return f"{self.request.url.path}?{urlencode({'max_id': min(ids)})}" if len(ids) >= size else None

    def say(self, message: str, **values: object) -> str:
        """An English message in the reader's language."""
        return self._tongue.say(message, **values)

    def count(self, limit: Limit, whose: str = "") -> None:
        """Count this against a limit: of whom it is about, else of who asks.

        That is the person, or when nobody is signed in the address (IPv6 by its /64).
        """
        here = str(self.viewer) if self.session else _address(self.request.client.host if self.request.client else "")
        self.app.limits.count(limit, whose or here, self.app.db.clock.now())

    async def account(self, r: Read) -> Account:
        """The account that acts."""
        return await accounts.account(r, self.viewer)

    async def recognise(self) -> None:
        """Find out who is signed in with this browser."""
        token = self.request.cookies.get(SESSION)
        if not token:
            return
        async with self.app.db.read() as r:
            self.session = await sessions.session(r, access.fingerprint(token))
            if self.viewer is not None:
                self.me = msgspec.json.decode((await people.accounts(r, self.eye, [self.viewer]))[self.viewer])

    def csrf(self) -> str:
        """What a form must send back: the session's secret, or for somebody unknown a cookie's (double submit)."""
        self._personal = True
        if self.session:
            return self.session.csrf
        value = self.request.cookies.get(CSRF) or next((v for name, v, _ in self._cookies if name == CSRF), "")
        if not value:
            value = access.fresh()
            self.remember(CSRF, value, 86400)
        return value

    async def form(self, signed: bool = False) -> FormData:
        """What the form says. Forbidden unless it was sent from a page of ours, or its address is signed by us."""
        if self._form is None:
            length = self.request.headers.get("content-length", "")
            uploads = self.request.url.path == "/settings/import"
            if not length.isdigit() or int(length) > (UPLOAD if uploads else FORM):
                raise HTTPException(413 if length.isdigit() else 411)
            self._form = await self.request.form(max_files=1 if uploads else 0)
            expected = self.session.csrf if self.session else self.request.cookies.get(CSRF, "")
            given = str(self._form.get("csrf", ""))
            elsewhere = self.request.headers.get("sec-fetch-site") == "cross-site"
            if not signed and (elsewhere or not expected or not hmac.compare_digest(given.encode(), expected.encode())):
                raise Forbidden("csrf")
        return self._form

    async def close(self) -> None:
        """Let go of what was uploaded."""
        if self._form is not None:
            await self._form.close()

    def remember(self, name: str, value: str, seconds: int) -> None:
        """Set a cookie; zero seconds drops it."""
        self._cookies.append((name, value, seconds))

    def language(self, other: str) -> str:
        """This page in another language."""
        kept = [(name, value) for name, value in self.request.query_params.multi_items() if name != "lang"]
        return f"{self.request.url.path}?{urlencode([*kept, ('lang', other)])}"

    def show(self, template: str, code: int = 200, /, **values: Any) -> Response:
        """A page."""
        other = "en" if self.locale == "fr" else "fr"
        known: dict[str, Any] = {
            "locale": self.locale, "me": self.me, "path": self.request.url.path, "city": self.city(),
            "csrf": self.csrf() if self.session else "", "other_tongue": other, "other_url": self.language(other),
        }
        body = self._tongue.templates.get_template(template).render(known | values)
        return self.finish(Response(body, code, media_type="text/html"))

    def city(self) -> dict[str, Any]:
        """What every page says of the city."""
        given = self.settings
        tongues = [tongue.strip() for tongue in given.languages.split(",") if tongue.strip()]
        return {"title": given.city_name, "description": given.city_description, "domain": given.domain,
                "origin": given.base, "languages": tongues, "contact": given.contact_email, "dev": given.dev,
                "open": given.takes_anyone}

    def go(self, where: str, status: int = 303) -> Response:
        """Send the browser elsewhere."""
        return self.finish(Response(b"", status, {"Location": quote(where, safe=":/%#?=@[]!$&'()*+,;~")}))

    def finish(self, made: Response) -> Response:
        """The answer with its cookies, and how long others may keep it: what is personal, not at all."""
        secure = self.settings.base.startswith("https://")
        for name, value, seconds in self._cookies:
            made.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")
        public = self.request.method in ("GET", "HEAD") and made.status_code == 200
        private = self._personal or self.session or self._cookies
        # Browsers ask again each time: a page kept from before signing in would look signed out.
        made.headers.setdefault(
            "Cache-Control", "public, max-age=0, s-maxage=15" if public and not private else "private, no-store"
        )
        made.headers["Vary"] = VARY
        return made

    async def statuses(self, r: Read, ids: Sequence[int]) -> list[dict[str, Any]]:
        """Posts as templates want them, in the order of the ids."""
        found = await posts.statuses(r, self.eye, ids)
        return [msgspec.json.decode(found[number]) for number in ids if number in found]

    def number(self, name: str) -> int:
        """An id in the path; NotFound when it can be none."""
        found = parsed(str(self.request.path_params[name]))
        if found is None:
            raise NotFound
        return found


Deed = Callable[[Visit], Awaitable[Response]]


class Site:
    """What all pages share: the templates in each language and the files they need."""

    def __init__(self) -> None:
        self.assets = press.assets()
        self.tongues: Mapping[Locale, Tongue] = {
            locale: press.tongue(locale, self.assets) for locale in messages.LOCALES
        }

    def visit(self, request: Request) -> Visit:
        """A visit in the reader's language: the address says it, else a cookie, else the browser."""
        chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE)
        locale = messages.negotiated(request.headers.get("accept-language"), chosen)
        made = Visit(request.app.state.app, request, locale, self.tongues[locale])
        if request.query_params.get("lang") in messages.LOCALES and request.cookies.get(LANGUAGE) != locale:
            made.remember(LANGUAGE, locale, YEAR)
        return made

    def page(
        self, deed: Deed, *, inside: bool = False, signed: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that answers with a page; `inside`: only for people who are signed in, others sign in first.

        `signed`: whoever has the address may send the form, from anywhere.
        """

        async def answered(request: Request, visit: Visit) -> Response:
            await visit.recognise()
            if request.method == "POST":
                await visit.form(signed)
            if inside and visit.session is None:
                back = visit.here if request.method == "GET" else "/"
                return visit.go(f"/auth/sign_in?{urlencode({'next': back})}")
            if inside and visit.session and visit.session.suspended and not request.url.path.startswith(SUSPENDED_MAY):
                raise Forbidden("account_suspended")
            return await deed(visit)

        async def answer(request: Request) -> Response:
            visit = self.visit(request)
            request.state.visit = visit
            try:
                return await answered(request, visit)
            finally:
                await visit.close()

        return answer
