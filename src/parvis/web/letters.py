"""Letters are stopped from the letter itself, without signing in."""

from __future__ import annotations

from starlette.responses import Response

from parvis.notifications.channels import mail
from parvis.text.messages import words
from parvis.web.site import Visit


def _show(visit: Visit, kind: str, done: str) -> Response:
    made = visit.show(
        "unsubscribe.html", csrf=visit.csrf(), done=done, said=visit.say(words.LETTERS[kind]), here=visit.here
    )
    made.headers["Referrer-Policy"] = "no-referrer"  # the address stops letters: it is nobody else's business
    return made


async def ask(visit: Visit) -> Response:
    """Ask first: programs that look at the links of a letter must not stop anything."""
    _, kind = mail.unsubscribing(visit.settings, visit.query("token"))
    return _show(visit, kind, "")


async def stop(visit: Visit) -> Response:
    """Stop letters of this kind, or all."""
    token, form = visit.query("token"), await visit.form(signed=True)
    _, kind = mail.unsubscribing(visit.settings, token)
    every = form.get("every") == "1"
    async with visit.app.db.write() as tx:
        await mail.stop_letters(tx, visit.settings, token, every)
    return _show(visit, kind, "all" if every else "one")
