"""Letting an app act in one's name (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from parvis.access import actions, policy, queries
from parvis.access.model import Application
from parvis.base.errors import Forbidden, Invalid
from parvis.text.messages import words
from parvis.web.site import Visit

FIELDS = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")


class Wish(msgspec.Struct, frozen=True):
    """What an app asks, checked as far as the address to which the answer goes."""

    app: Application
    redirect_uri: str
    fields: Mapping[str, str]

    def back(self, **said: str) -> str:
        """The app's address with an answer, and with its state."""
        state = {"state": self.fields["state"]} if self.fields["state"] else {}
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{urlencode(said | state)}"


async def _wish(visit: Visit, given: Mapping[str, Any]) -> Wish:
    """Who asks, and where the answer goes. What is wrong here is shown, never sent anywhere (RFC 6749 §4.1.2.1)."""
    fields = {name: str(given.get(name, "")) for name in FIELDS}
    async with visit.app.db.read() as r:
        app = await queries.application(r, fields["client_id"])
    if app is None:
        raise Invalid("client_id", "invalid_request")
    return Wish(app, policy.may_redirect(fields["redirect_uri"], app.redirect_uris), fields)


def _asked(wish: Wish) -> tuple[list[str], str | None]:
    """The scopes and the challenge; Invalid carries the OAuth word of what is wrong with them."""
    if wish.fields["response_type"] != "code":
        raise Invalid("response_type", "unsupported_response_type")
    scopes = policy.scopes(wish.fields["scope"], wish.app.scopes)
    return scopes, policy.challenge(wish.fields["code_challenge"], wish.fields["code_challenge_method"])


def _refused(visit: Visit, wish: Wish, error: Invalid) -> Response:
    if wish.redirect_uri == policy.OOB:
        raise Invalid(error.field, "invalid_request") from error
    return visit.go(wish.back(error=error.word, error_description=error.field))


def _sentence(visit: Visit, scope: str) -> str:
    parent = scope.rpartition(":")[0]
    found = words.SCOPES.get(scope) or words.SCOPES.get(parent) or words.SCOPES[scope.partition(":")[0]]
    return visit.say(found)


async def ask(visit: Visit) -> Response:
    """Ask the person, once they are signed in, whether the app may."""
    wish = await _wish(visit, visit.request.query_params)
    try:
        scopes, _ = _asked(wish)
    except Invalid as error:
        return _refused(visit, wish, error)
    if visit.session is None or visit.query("force_login").lower() in ("true", "1"):
        kept = [(name, value) for name, value in visit.request.query_params.multi_items() if name != "force_login"]
        return visit.go(f"/auth/sign_in?{urlencode({'next': f'/oauth/authorize?{urlencode(kept)}', 'again': '1'})}")
    return visit.show(
        "authorize.html", app=wish.app, fields={name: value for name, value in wish.fields.items() if value},
        csrf=visit.csrf(), scopes=[{"name": scope, "sentence": _sentence(visit, scope)} for scope in scopes],
    )


async def decide(visit: Visit) -> Response:
    """The person's answer goes back to the app: a code, or that they refused."""
    form = await visit.form()
    wish = await _wish(visit, form)
    try:
        scopes, challenge = _asked(wish)
    except Invalid as error:
        return _refused(visit, wish, error)
    if form.get("decision") != "allow":
        return visit.go("/" if wish.redirect_uri == policy.OOB else wish.back(error="access_denied"))
    async with visit.app.db.write() as tx:
        user = await queries.user(tx, visit.viewer or 0)
        if user is None:
            raise Forbidden("login_disabled")
        code = await actions.authorize(tx, user, wish.app, wish.redirect_uri, scopes, challenge)
    if wish.redirect_uri == policy.OOB:
        return visit.go(f"/oauth/authorize/native?{urlencode({'code': code})}")
    return visit.go(wish.back(code=code))


async def native(visit: Visit) -> Response:
    """The code, to be copied into an app that has no address of its own."""
    return visit.show("oob.html", code=visit.query("code"))
