"""What keeps an account shut for others: password, codes, passkeys, browsers, the address for letters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pyotp
import segno
from starlette.responses import Response

from parvis.access import actions, policy, queries
from parvis.access.model import User
from parvis.base.db import Read
from parvis.base.errors import Invalid, NotFound, Unauthenticated
from parvis.base.ids import parsed
from parvis.factors import actions as factors
from parvis.factors import queries as keys
from parvis.text.messages import words
from parvis.web.site import MONTH, SESSION, Limit, Visit

TRIES = Limit("password", 20, 900)


async def _user(r: Read, visit: Visit) -> User:
    found = await queries.user(r, visit.viewer or 0)
    if found is None:
        raise NotFound("account")
    return found


async def page(visit: Visit, status: int = 200, **more: Any) -> Response:
    """All of it, with what was just done or went wrong."""
    async with visit.app.db.read() as r:
        user, account = await _user(r, visit), await visit.account(r)
        factor = await keys.factor(r, user.account_id)
        passkeys = await keys.passkeys(r, user.account_id)
        browsers = await queries.browsers(r, user.account_id)
        now = r.now
    mine = actions.fingerprint(visit.request.cookies.get(SESSION, ""))
    waiting = factors.totp_secret(visit.settings, factor.sealed) if factor and factor.proved_at is None else ""
    shown: dict[str, Any] = {"errors": {}, "done": visit.query("done"), "codes": []} | more
    return visit.show(
        "security.html", status, user=user, factor=factor, passkeys=passkeys, secret=waiting,
        drawn=_drawn(visit, account.username, waiting) if waiting else "",
        browsers=[(one, one.token_hash == mine) for one in browsers],
        options=factors.passkey_options(visit.settings, account, [], now), **shown,
    )


def _drawn(visit: Visit, name: str, secret: str) -> str:
    who, city = f"{name}@{visit.settings.domain}", visit.settings.city_name
    uri = pyotp.TOTP(secret).provisioning_uri(name=who, issuer_name=city)
    drawn: str = segno.make(uri, error="m").svg_inline(scale=5, border=4, light="#fff")
    return drawn


async def security(visit: Visit) -> Response:
    """What keeps this account shut for others."""
    return await page(visit)


async def proved(visit: Visit) -> User:
    """Who is signed in, once they have typed their password again."""
    given = str((await visit.form()).get("current", ""))
    visit.count(TRIES)
    async with visit.app.db.read() as r:
        user = await _user(r, visit)
    try:
        return await actions.proved(user, given, actions.hasher(visit.settings))
    except Unauthenticated as error:
        raise Invalid("current", "ERR_PASSWORD") from error


Change = Callable[[Visit], Awaitable[Response]]


async def _tried(visit: Visit, part: str, deed: Change) -> Response:
    """A change; what is wrong is told where it was typed."""
    try:
        return await deed(visit)
    except Invalid as error:
        told = words.FIELD_ERRORS.get(error.word, words.FIELD_ERRORS["ERR_INVALID"])
        return await page(visit, 422, errors={f"{part}_{error.field}": visit.say(told)})


async def password(visit: Visit) -> Response:
    """Another password: all other browsers and all apps are signed out."""
    async def deed(visit: Visit) -> Response:
        wanted = policy.password(str((await visit.form()).get("password", "")))
        user = await proved(visit)
        hashed = await asyncio.to_thread(actions.hasher(visit.settings).hash, wanted)
        async with visit.app.db.write() as tx:
            await actions.change_password(tx, user.account_id, hashed)
            visit.remember(SESSION, await actions.open_session(tx, user, visit.program), MONTH)
        return visit.go("/settings/security?done=password")

    return await _tried(visit, "password", deed)


async def address(visit: Visit) -> Response:
    """Another address for letters: it counts once the letter sent there is answered."""
    async def deed(visit: Visit) -> Response:
        wanted = policy.email(str((await visit.form()).get("email", "")).strip())
        user = await proved(visit)
        async with visit.app.db.write() as tx:
            await actions.wish_address(tx, user.account_id, wanted)
        return visit.go("/settings/security?done=address")

    return await _tried(visit, "address", deed)


async def codes(visit: Visit) -> Response:
    """Ask for a code when signing in, make recovery codes anew, or ask for none any more."""
    async def deed(visit: Visit) -> Response:
        form = await visit.form()
        wanted = form.get("wanted")
        if wanted == "prove":
            visit.count(TRIES)
            async with visit.app.db.write() as tx:
                made = await factors.prove_totp(tx, visit.settings, visit.viewer or 0, str(form.get("code", "")))
            return await page(visit, codes=made, done="codes")
        user = await proved(visit)
        async with visit.app.db.write() as tx:
            if wanted == "begin":
                await factors.new_totp(tx, visit.settings, user.account_id)
            elif wanted == "renew":
                made = await factors.new_recovery_codes(tx, user.account_id)
            elif wanted == "end":
                await factors.drop_totp(tx, user.account_id)
        if wanted == "renew":
            return await page(visit, codes=made, done="codes")
        return visit.go(f"/settings/security?done={'no_codes' if wanted == 'end' else ''}#codes")

    return await _tried(visit, "codes", deed)


async def passkeys(visit: Visit) -> Response:
    """Keep a passkey that was just made, or do away with one."""
    async def deed(visit: Visit) -> Response:
        form = await visit.form()
        dropped = parsed(str(form.get("drop", "")))
        async with visit.app.db.write() as tx:
            if dropped is not None:
                await keys.drop_passkey(tx, visit.viewer or 0, dropped)
            else:
                credential, name = str(form.get("credential", "")), str(form.get("name", ""))
                await factors.add_passkey(tx, visit.settings, visit.viewer or 0, credential, name)
        return visit.go("/settings/security?done=passkeys#passkeys")

    return await _tried(visit, "passkeys", deed)


async def browsers(visit: Visit) -> Response:
    """Sign another browser out."""
    session = parsed(str((await visit.form()).get("session", "")))
    if session is None:
        raise NotFound("session")
    async with visit.app.db.write() as tx:
        await queries.drop_browser(tx, visit.viewer or 0, session)
    return visit.go("/settings/security?done=browsers#browsers")
