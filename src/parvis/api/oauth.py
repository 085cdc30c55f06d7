"""OAuth 2 as Mastodon speaks it. The authorize page is the web face's."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from parvis.access import actions as access
from parvis.access import policy
from parvis.access import queries as users
from parvis.access.model import Application
from parvis.accounts import actions as accounts
from parvis.api import entities, limits
from parvis.api.call import Call, Nothing, get, post
from parvis.base import webpush
from parvis.base.errors import Invalid, NotFound, Unauthenticated
from parvis.views import account as view


class NewApplication(msgspec.Struct, frozen=True, kw_only=True):
    """What an app says of itself."""

    client_name: str
    redirect_uris: list[str]
    scopes: str = "read"
    website: str | None = None


class TokenWish(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown for a token."""

    grant_type: str
    client_id: str | None = None
    client_secret: str | None = None
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str | None = None
    scope: str | None = None


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """Which token ends."""

    token: str
    client_id: str | None = None
    client_secret: str | None = None


@post("/api/v1/apps", limit=limits.APPS)
async def register(call: Call, args: NewApplication) -> dict[str, Any]:
    """Make an app known."""
    made = await access.register_application(
        call.tx, args.client_name, args.website, args.redirect_uris, args.scopes
    )
    return entities.registration(made, webpush.public_key(call.settings.secrets))


@get("/api/v1/apps/verify_credentials", who="token")
async def verify_app(call: Call, _: Nothing) -> dict[str, Any]:
    """Which app am I?"""
    app_id = call.bearer.application_id if call.bearer else None
    found = None if app_id is None else await users.application_by_id(call.read, app_id)
    if found is None:
        raise NotFound("application")
    return entities.application(found, webpush.public_key(call.settings.secrets))


def _basic(call: Call, client_id: str | None, secret: str | None) -> tuple[str | None, str | None]:
    """The client's id and secret, from the body or by HTTP Basic (RFC 6749 §2.3.1)."""
    kind, _, text = call.request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return client_id, secret
    try:
        name, _, word = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthenticated("invalid_client") from error
    return unquote(name), unquote(word)


def _token(token: str, made: datetime, scopes: list[str]) -> dict[str, Any]:
    return {
        "access_token": token, "token_type": "Bearer", "scope": " ".join(scopes), "created_at": int(made.timestamp())
    }


@post("/oauth/token", private=True)
async def token(call: Call, args: TokenWish) -> dict[str, Any]:
    """Trade a code, or an app's own credentials, for a token."""
    app: Application = await access.client(call.tx, *_basic(call, args.client_id, args.client_secret))
    if args.grant_type == "authorization_code":
        return _token(*await access.redeem(call.tx, app, args.code, args.redirect_uri, args.code_verifier))
    if args.grant_type == "client_credentials":
        return _token(*await access.app_token(call.tx, app, args.scope))
    raise Invalid("grant_type", "unsupported_grant_type")


@post("/oauth/revoke", private=True)
async def revoke(call: Call, args: Revocation) -> dict[str, Any]:
    """End a token. Doing it twice is the same as once."""
    app = await access.client(call.tx, *_basic(call, args.client_id, args.client_secret))
    await access.revoke(call.tx, app, args.token)
    return {}


@get("/oauth/userinfo", "profile", private=True)
async def userinfo(call: Call, _: Nothing) -> dict[str, Any]:
    """Who signed in, in OpenID Connect's words."""
    me = await accounts.account(call.read, call.me_id)
    shown = entities.decoded((await view.accounts(call.read, call.eye(), [me.id]))[me.id])
    return {
        "iss": call.settings.base, "sub": me.uri, "name": me.display_name or me.username,
        "preferred_username": me.username, "profile": me.url, "picture": shown["avatar"],
    }


@get("/.well-known/oauth-authorization-server", tx="none")
async def discovery(call: Call, _: Nothing) -> dict[str, Any]:
    """Where everything is (RFC 8414)."""
    base = call.settings.base
    return {
        "issuer": f"{base}/", "service_documentation": "https://docs.joinmastodon.org/",
        "authorization_endpoint": f"{base}/oauth/authorize", "token_endpoint": f"{base}/oauth/token",
        "revocation_endpoint": f"{base}/oauth/revoke", "userinfo_endpoint": f"{base}/oauth/userinfo",
        "app_registration_endpoint": f"{base}/api/v1/apps", "scopes_supported": list(policy.SCOPES),
        "response_types_supported": ["code"], "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }
