"""Somebody's public posts by letter, for whoever has no account here: asked for, confirmed and stopped."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.base.db import Read
from parvis.base.errors import Invalid, NotFound
from parvis.notifications.channels import queries, subscribers
from parvis.text.messages import words
from parvis.web.site import Limit, Visit

ASKED = Limit("subscriptions", 5, 1800)


def _page(visit: Visit, step: str, status: int = 200, **values: Any) -> Response:
    made = visit.show("subscription.html", status, step=step, here=visit.here, csrf=visit.csrf(), **values)
    made.headers["Referrer-Policy"] = "no-referrer"  # the address begins or stops letters: it is nobody else's business
    return made


async def _offering(r: Read, visit: Visit) -> Account:
    found = await accounts.by_handle(r, str(visit.request.path_params["name"]), None)
    if found is None or not await queries.offers_letters(r, found.id):
        raise NotFound("no_email_subscriptions")
    return found


def _asking(visit: Visit, person: Account, email: str = "", error: str = "") -> Response:
    return _page(
        visit, "ask", 422 if error else 200, name=person.display_name or person.username, email=email,
        errors={"email": error} if error else {},
    )


async def ask_form(visit: Visit) -> Response:
    """Where a visitor says where the posts go."""
    async with visit.app.db.read() as r:
        return _asking(visit, await _offering(r, visit))


async def ask(visit: Visit) -> Response:
    """Send the letter that asks to confirm; the page is the same whatever is known of the address."""
    visit.count(ASKED)
    email = str((await visit.form()).get("email", "")).strip()
    async with visit.app.db.read() as r:
        person = await _offering(r, visit)
    try:
        async with visit.app.db.write() as tx:
            await subscribers.subscribe(tx, person, email, visit.locale)
    except Invalid as error:
        told = words.FIELD_ERRORS.get(error.word, words.FIELD_ERRORS["ERR_INVALID"])
        return _asking(visit, person, email, visit.say(told))
    return _page(visit, "sent", mails="" if visit.settings.smtp_url else str(visit.settings.mails))


async def confirm_form(visit: Visit) -> Response:
    """Ask first: programs that look at the links of a letter must not answer for its reader."""
    try:
        async with visit.app.db.read() as r:
            found = await subscribers.waiting(r, visit.settings, visit.query("token"))
    except Invalid:
        return _page(visit, "broken", 422)
    return _page(visit, "confirm", name=found.name, email=found.email)


async def confirm(visit: Visit) -> Response:
    """Begin to send posts; a link works once."""
    try:
        async with visit.app.db.write() as tx:
            found = await subscribers.confirm(tx, visit.settings, visit.query("token"))
    except Invalid:
        return _page(visit, "broken", 422)
    return _page(visit, "confirmed", name=found.name)


async def stop_form(visit: Visit) -> Response:
    """Ask first here, too."""
    async with visit.app.db.read() as r:
        found = await subscribers.leaving(r, visit.settings, visit.query("token"))
    return _page(visit, "stop", name=found.name) if found else _page(visit, "stopped")


async def stop(visit: Visit) -> Response:
    """Send no more and forget the address: by this page's button, or by a mail program for its reader (RFC 8058)."""
    async with visit.app.db.write() as tx:
        await subscribers.stop(tx, visit.settings, visit.query("token"))
    return _page(visit, "stopped")
