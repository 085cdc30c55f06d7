"""Settling here, confirming one's address, signing in and out."""

from __future__ import annotations

from starlette.responses import Response

from parvis.access import actions, policy, queries
from parvis.access.model import SignedUp, SignUp
from parvis.accounts import policy as naming
from parvis.accounts import queries as accounts
from parvis.base.db import Tx
from parvis.base.errors import Forbidden, Invalid, Unauthenticated
from parvis.charter import queries as charter
from parvis.text.messages import words
from parvis.web import shapes
from parvis.web.site import CSRF, MONTH, SESSION, Limit, Visit

SIGN_UPS = Limit("sign_up", 5, 1800)
SIGN_INS = Limit("sign_in", 25, 300)


def _safe(where: str) -> str:
    """Only a path of this site: nobody is sent elsewhere after signing in."""
    plain = where.startswith("/") and not where.startswith("//") and "\\" not in where and where.isprintable()
    return where if plain else "/"


async def _form(visit: Visit, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    async with visit.app.db.read() as r:
        rules = [shapes.article(visit, row) for row in await charter.in_force(r) if row.ceiling > 0]
    asks_why = visit.settings.registrations == "approval"
    return visit.show(
        "sign_up.html", status, csrf=visit.csrf(), values=values, errors=errors, rules=rules, asks_why=asks_why
    )


async def sign_up_form(visit: Visit) -> Response:
    """Where an account is made."""
    return visit.go("/") if visit.session else await _form(visit, {}, {})


def _mistakes(wish: SignUp) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, check in (("username", naming.username), ("email", policy.email), ("password", policy.password)):
        value: str = getattr(wish, field)
        try:
            check(value)
        except Invalid as error:
            found[field] = error.word if value else "ERR_BLANK"
    if not wish.agreement:
        found["agreement"] = "ERR_ACCEPTED"
    return found


async def sign_up(visit: Visit) -> Response:
    """Make an account; every mistake is shown at its answer. Then a letter asks to confirm the address."""
    form = await visit.form()
    values = {name: str(form.get(name, "")).strip() for name in ("username", "email", "agreement", "reason")}
    wish = SignUp(
        values["username"], values["email"], str(form.get("password", "")), visit.locale, values["agreement"] == "1",
        reason=values["reason"], address=visit.request.client.host if visit.request.client else "",
    )
    mistakes = _mistakes(wish)
    if not mistakes:
        visit.count(SIGN_UPS)
        try:
            async with visit.app.db.write() as tx:
                door = await actions.knock(tx, wish)
            at_once = policy.may_settle(door, visit.settings.registrations, wish.reason)
            prepared = await actions.prepare(visit.settings, wish)
            async with visit.app.db.write() as tx:
                await actions.sign_up(tx, prepared, visit.settings, approved=at_once)
        except Invalid as error:
            mistakes = {error.field: error.word}
    if mistakes:
        told = {name: visit.say(words.FIELD_ERRORS.get(word, words.FIELD_ERRORS["ERR_INVALID"]))
                for name, word in mistakes.items()}
        return await _form(visit, values, told, 422)
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
    return visit.show("sign_in.html", csrf=visit.csrf(), next=_safe(visit.query("next")), error=None, values={})


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
        user = await actions.proved(known, str(form.get("password", "")), actions.hasher(visit.settings))
        policy.may_sign_in(disabled=False, suspended=bool(account and account.deleted_at))
    except (Unauthenticated, Forbidden) as error:
        told = words.SIGN_IN_FAILED if isinstance(error, Unauthenticated) else words.PROBLEMS[error.word][1]
        return visit.show(
            "sign_in.html", 422, csrf=visit.csrf(), next=where, error=visit.say(told), values={"email": login}
        )
    async with visit.app.db.write() as tx:
        if user.confirmed_at is None:
            await tx.emit(SignedUp(user.account_id))
            return _letter_sent(visit, user.email)
        await _leave(visit, tx)
        token = await actions.open_session(tx, user)
    visit.remember(SESSION, token, MONTH)
    visit.remember(CSRF, "", 0)
    return visit.go(where)


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
