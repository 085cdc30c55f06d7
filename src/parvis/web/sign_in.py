"""Settling here, confirming one's address, signing in and out."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from parvis.access import actions, policy, queries
from parvis.access.model import SignedUp, SignUp, User
from parvis.accounts import policy as naming
from parvis.accounts import queries as accounts
from parvis.base.db import Tx
from parvis.base.errors import Forbidden, Invalid, Unauthenticated
from parvis.charter import queries as charter
from parvis.factors import actions as factors
from parvis.factors import policy as limits
from parvis.factors import queries as halves
from parvis.portability import actions as settling
from parvis.portability import queries as coming
from parvis.text.messages import words
from parvis.views import account as people
from parvis.web import shapes
from parvis.web.site import CSRF, MONTH, SESSION, Limit, Visit

SIGN_UPS = Limit("sign_up", 5, 1800)
SIGN_INS = Limit("sign_in", 25, 300)
FORGOTTEN = Limit("forgotten", 5, 1800)
# However many addresses they come from: passwords tried for one account, and letters sent to one.
SIGN_INS_OF_ONE = Limit("sign_in_of", 25, 3600)
FORGOTTEN_OF_ONE = Limit("forgotten_of", 5, 1800)
WAITING = "parvis_sign_in"
ASKED = ("username", "email", "agreement", "reason", "invite_code", "date_of_birth")


def _safe(where: str) -> str:
    """Only a path of this site: nobody is sent elsewhere after signing in."""
    plain = where.startswith("/") and not where.startswith("//") and "\\" not in where and where.isprintable()
    return where if plain else "/"


async def sign_up_page(visit: Visit, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    """The form to settle with; whoever comes by an invitation sees whose it is."""
    async with visit.app.db.read() as r:
        rules = [shapes.article(visit, row) for row in await charter.in_force(r) if row.ceiling > 0]
        found = await coming.inviter(r, values.get("invite_code", ""))
        known = {} if found is None or not found.live else await people.accounts(r, visit.eye, [found.account_id])
    inviter = next((msgspec.json.decode(card) for card in known.values()), None)
    asks_why = visit.settings.registrations == "approval" and inviter is None
    return visit.show(
        "sign_up.html", status, csrf=visit.csrf(), values=values, errors=errors, rules=rules, asks_why=asks_why,
        inviter=inviter, follows=found is not None and found.follow, min_age=visit.settings.min_age,
    )


async def sign_up_form(visit: Visit) -> Response:
    """Where an account is made; where nobody can make one without an invitation, the page says so."""
    if visit.session:
        return visit.go("/")
    if not visit.settings.takes_anyone:
        raise Forbidden("not_invited" if visit.settings.registrations == "invitation" else "registrations_closed")
    return await sign_up_page(visit, {}, {})


def _mistakes(visit: Visit, wish: SignUp, born: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, check in (("username", naming.username), ("email", policy.email), ("password", policy.password)):
        value: str = getattr(wish, field)
        try:
            check(value)
        except Invalid as error:
            found[field] = error.word if value else "ERR_BLANK"
    try:
        policy.old_enough(born, visit.settings.min_age, visit.app.db.clock.now().date())
    except Invalid as error:
        found[error.field] = error.word
    if not wish.agreement:
        found["agreement"] = "ERR_ACCEPTED"
    return found


async def sign_up(visit: Visit) -> Response:
    """Make an account; every mistake is shown at its answer. Then a letter asks to confirm the address."""
    form = await visit.form()
    values = {name: str(form.get(name, "")).strip() for name in ASKED}
    wish = SignUp(
        values["username"], values["email"], str(form.get("password", "")), visit.locale, values["agreement"] == "1",
        reason=values["reason"], address=visit.request.client.host if visit.request.client else "",
        invite_code=values["invite_code"],
    )
    mistakes = _mistakes(visit, wish, values["date_of_birth"])
    if not mistakes:
        visit.count(SIGN_UPS)
        try:
            async with visit.app.db.write() as tx:
                door = await settling.knock(tx, wish)
            policy.may_settle(door, visit.settings.registrations, wish.reason)
            prepared = await actions.prepare(visit.settings, wish)
            async with visit.app.db.write() as tx:
                await settling.settle(tx, prepared, visit.settings, door)
        except Invalid as error:
            mistakes = {error.field: error.word}
    if mistakes:
        told = {name: visit.say(words.FIELD_ERRORS.get(word, words.FIELD_ERRORS["ERR_INVALID"]))
                for name, word in mistakes.items()}
        return await sign_up_page(visit, values, told, 422)
    return _letter_sent(visit, wish.email)


def _letter_sent(visit: Visit, email: str) -> Response:
    mails = str(visit.settings.mails) if visit.settings.dev and not visit.settings.smtp_url else ""
    return visit.show("sent.html", email=email, mails=mails)


async def confirm(visit: Visit) -> Response:
    """The link of the letter: the address is confirmed. Following it twice does no harm."""
    try:
        async with visit.app.db.write() as tx:
            await actions.confirm(tx, visit.settings, visit.query("token"))
    except Invalid:
        return visit.show("confirm.html", 400, ok=False)
    made = visit.show("confirm.html", ok=True)
    made.headers["Cache-Control"] = "private, no-store"
    return made


async def sign_in_form(visit: Visit) -> Response:
    """Where people sign in; `next` is where they go then."""
    again = visit.query("again") == "1"
    if visit.session and not again:
        return visit.go(_safe(visit.query("next")))
    return _sign_in_page(visit, _safe(visit.query("next")), None, "")


def _sign_in_page(visit: Visit, where: str, error: str | None, login: str, status: int = 200) -> Response:
    return visit.show(
        "sign_in.html", status, csrf=visit.csrf(), next=where, error=error, values={"email": login},
        changed=visit.query("changed") == "1",
        options=factors.sign_in_options(visit.settings, visit.app.db.clock.now()),
    )


async def sign_in(visit: Visit) -> Response:
    """Sign a browser in. Someone whose address is not confirmed is sent the letter again."""
    form = await visit.form()
    login, where = str(form.get("email", "")).strip(), _safe(str(form.get("next", "/")))
    visit.count(SIGN_INS)
    try:
        async with visit.app.db.read() as r:
            await actions.may_enter(r, visit.request.client.host if visit.request.client else "")
            known = await queries.user_by_login(r, login)
            account = await accounts.by_id(r, known.account_id) if known else None
        visit.count(SIGN_INS_OF_ONE, str(known.account_id) if known else login.lower())
        user = await actions.proved(known, str(form.get("password", "")), actions.hasher(visit.settings))
        policy.may_sign_in(disabled=False, suspended=bool(account and account.deleted_at))
    except (Unauthenticated, Forbidden) as error:
        told = words.SIGN_IN_FAILED if isinstance(error, Unauthenticated) else words.PROBLEMS[error.word][1]
        return _sign_in_page(visit, where, visit.say(told), login, 422)
    async with visit.app.db.write() as tx:
        if user.confirmed_at is None:
            await tx.emit(SignedUp(user.account_id))
            return _letter_sent(visit, user.email)
        waiting = await factors.begin_sign_in(tx, user.account_id)
        if waiting is None:
            await _enter(visit, tx, user)
    if waiting is not None:
        visit.remember(WAITING, waiting, 600)
        return _ask_code(visit, where)
    return visit.go(where)


async def _enter(visit: Visit, tx: Tx, user: User) -> None:
    """Sign this browser in, and out of what it was signed in as before."""
    await _leave(visit, tx)
    visit.remember(SESSION, await actions.open_session(tx, user, visit.program), MONTH)
    visit.remember(CSRF, "", 0)


def _ask_code(visit: Visit, where: str, error: str | None = None) -> Response:
    return visit.show("code.html", 422 if error else 200, csrf=visit.csrf(), next=where, error=error)


async def code(visit: Visit) -> Response:
    """The second step: the code of an app, or a recovery code. After five wrong ones the password is asked again."""
    form = await visit.form()
    where, token = _safe(str(form.get("next", "/"))), visit.request.cookies.get(WAITING, "")
    visit.count(SIGN_INS)
    mark = actions.fingerprint(token)
    async with visit.app.db.write() as tx:
        account_id = await halves.try_sign_in(tx, mark, limits.TRIES)
    if account_id is None:
        visit.remember(WAITING, "", 0)
        return visit.go(f"/auth/sign_in?{urlencode({'next': where})}")
    async with visit.app.db.write() as tx:
        user = await queries.user(tx, account_id)
        good = await factors.prove_code(tx, visit.settings, account_id, str(form.get("code", "")))
        if good and user:
            await halves.drop_sign_in(tx, mark)
            await _enter(visit, tx, user)
    if not good:
        return _ask_code(visit, where, visit.say(words.FIELD_ERRORS["ERR_CODE"]))
    visit.remember(WAITING, "", 0)
    return visit.go(where)


async def passkey(visit: Visit) -> Response:
    """Sign in with a passkey: it stands for password and code alike."""
    form = await visit.form()
    where = _safe(str(form.get("next", "/")))
    visit.count(SIGN_INS)
    try:
        async with visit.app.db.write() as tx:
            await actions.may_enter(tx, visit.request.client.host if visit.request.client else "")
            account_id = await factors.prove_passkey(tx, visit.settings, str(form.get("credential", "")))
            user, account = await queries.user(tx, account_id), await accounts.by_id(tx, account_id)
            if user is None or account is None:
                raise Forbidden("login_disabled")
            policy.may_sign_in(disabled=user.disabled_at is not None, suspended=account.deleted_at is not None)
            await _enter(visit, tx, user)
    except (Invalid, Forbidden) as error:
        told = words.FIELD_ERRORS["ERR_PASSKEY"] if isinstance(error, Invalid) else words.PROBLEMS["login_disabled"][1]
        return _sign_in_page(visit, where, visit.say(told), "", 422)
    return visit.go(where)


async def forgot_form(visit: Visit) -> Response:
    """Where somebody who forgot their password asks for a letter."""
    return visit.show("forgot.html", csrf=visit.csrf(), sent=False)


async def forgot(visit: Visit) -> Response:
    """Send the letter, if there is such a person; the page says the same either way."""
    form = await visit.form()
    login = str(form.get("email", "")).strip()
    visit.count(FORGOTTEN)
    visit.count(FORGOTTEN_OF_ONE, login.lower())
    async with visit.app.db.write() as tx:
        await actions.forgot(tx, login)
    return visit.show("forgot.html", csrf=visit.csrf(), sent=True)


async def reset_form(visit: Visit) -> Response:
    """Where the letter leads: another password is chosen."""
    return await _reset_page(visit, visit.query("token"), {})


async def _reset_page(visit: Visit, token: str, errors: dict[str, str]) -> Response:
    try:
        async with visit.app.db.read() as r:
            await actions.holder(r, visit.settings, "password", token)
    except Invalid:
        return visit.show("reset.html", 400, ok=False)
    made = visit.show("reset.html", 422 if errors else 200, ok=True, csrf=visit.csrf(), token=token, errors=errors)
    made.headers["Referrer-Policy"] = "no-referrer"
    return made


async def reset(visit: Visit) -> Response:
    """Another password: all browsers and apps are signed out."""
    form = await visit.form()
    token, password = str(form.get("token", "")), str(form.get("password", ""))
    visit.count(SIGN_INS)
    try:
        policy.password(password)
    except Invalid as error:
        return await _reset_page(visit, token, {"password": visit.say(words.FIELD_ERRORS[error.word])})
    hashed = await asyncio.to_thread(actions.hasher(visit.settings).hash, password)
    try:
        async with visit.app.db.write() as tx:
            await actions.reset_password(tx, visit.settings, token, hashed)
    except Invalid:
        return visit.show("reset.html", 400, ok=False)
    visit.remember(SESSION, "", 0)
    return visit.go("/auth/sign_in?changed=1")


async def address(visit: Visit) -> Response:
    """The link of the letter sent to a new address: from now on letters go there."""
    try:
        async with visit.app.db.write() as tx:
            await actions.change_address(tx, visit.settings, visit.query("token"))
    except Invalid:
        return visit.show("confirm.html", 400, ok=False)
    made = visit.show("confirm.html", ok=True)
    made.headers["Cache-Control"] = "private, no-store"
    return made


async def _leave(visit: Visit, tx: Tx) -> None:
    token = visit.request.cookies.get(SESSION)
    if token:
        await queries.drop_session(tx, actions.fingerprint(token))


async def sign_out(visit: Visit) -> Response:
    """Sign this browser out."""
    async with visit.app.db.write() as tx:
        await _leave(visit, tx)
    visit.remember(SESSION, "", 0)
    return visit.go("/")
