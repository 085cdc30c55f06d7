"""Asking others in: one's own invitations, and the door they open."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from parvis.access import policy as places
from parvis.access import queries as doors
from parvis.base.errors import Forbidden, Invalid, NotFound, Unauthenticated
from parvis.base.ids import parsed
from parvis.portability import actions, queries
from parvis.portability.model import InvitationWish
from parvis.text.messages import words
from parvis.web import sign_in
from parvis.web.site import Limit, Visit

INVITATIONS = Limit("invitations", 30, 86400)


async def door(visit: Visit) -> Response:
    """What an invitation leads to: for a browser the form to settle with, for an app where it can do so."""
    code = str(visit.request.path_params["code"])
    address = places.place(visit.request.client.host if visit.request.client else "")
    async with visit.app.db.read() as r:
        found = await queries.inviter(r, code)
        severity = None if address is None else await doors.ip_severity(r, address)
    if found is None:
        raise NotFound("invitation")
    if not found.live:
        raise Unauthenticated("invite_invalid")
    if visit.settings.registrations == "closed" or severity in ("sign_up_block", "no_access"):
        raise Forbidden("registrations_closed")
    accepted = visit.request.headers.get("accept", "")
    if "application/json" in accepted and "text/html" not in accepted:
        told = {"invite_code": code, "instance_api_url": f"{visit.settings.base}/api/v2/instance"}
        kept = {"Cache-Control": "private, no-store"}
        return visit.finish(Response(msgspec.json.encode(told), 200, kept, "application/json; charset=utf-8"))
    return visit.go("/") if visit.session else await sign_in.sign_up_page(visit, {"invite_code": code}, {})


async def _page(visit: Visit, errors: dict[str, str]) -> Response:
    async with visit.app.db.read() as r:
        rows = await queries.invitations(r, visit.viewer or 0)
    return visit.show(
        "invitations.html", 422 if errors else 200, rows=rows, errors=errors, done=visit.query("done"),
        closed=visit.settings.registrations == "closed",
    )


async def invitations(visit: Visit) -> Response:
    """One's invitations, and the form to make another."""
    return await _page(visit, {})


async def invite(visit: Visit) -> Response:
    """Make an invitation, or take one back."""
    form = await visit.form()
    if form.get("withdraw"):
        number = parsed(str(form.get("withdraw")))
        async with visit.app.db.write() as tx:
            await actions.withdraw(tx, await visit.account(tx), number or 0)
        return visit.go("/settings/invitations?done=withdrawn")
    visit.count(INVITATIONS)
    try:
        limits = [_number(form.get(name)) for name in ("expires_in", "most_uses")]
        wish = InvitationWish(limits[0], limits[1], form.get("follow") == "1")
        async with visit.app.db.write() as tx:
            await actions.invite(tx, await visit.account(tx), wish, visit.settings.registrations)
    except Invalid as error:
        return await _page(visit, {error.field: visit.say(words.FIELD_ERRORS[error.word])})
    except Forbidden as error:
        return await _page(visit, {"invitation": visit.say(words.PROBLEMS[error.word][1])})
    return visit.go("/settings/invitations?done=made")


def _number(given: object) -> int | None:
    """A number chosen from a list, where nothing is no limit; what is no number is none of the list."""
    text = str(given or "")
    return None if not text else parsed(text) or 0
