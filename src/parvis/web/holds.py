"""A post that is kept back, as its author reads of it; and their appeal."""

from __future__ import annotations

from starlette.responses import Response

from parvis.base.db import Read
from parvis.base.errors import Conflict, Invalid
from parvis.charter import queries as charter
from parvis.screening import actions
from parvis.screening.model import Hold, State
from parvis.statuses import queries as posts
from parvis.text.messages import words
from parvis.web import shapes
from parvis.web.site import Visit

HEADINGS = {
    State.held: words.HELD_NOW, State.released: words.HELD_OUT, State.lapsed: words.HELD_OUT,
    State.confirmed: words.HELD_REMOVED,
}


async def _own(r: Read, visit: Visit) -> Hold:
    """The reader's own; NotFound for everybody else."""
    return await actions.own(r, int(visit.request.path_params["id"]), visit.viewer or 0)


async def _page(visit: Visit, error: str = "", text: str = "", code: int = 200) -> Response:
    async with visit.app.db.read() as r:
        found = await _own(r, visit)
        articles = await charter.versions_by_id(r, [found.article_version_id])
        post = await posts.by_id(r, found.status_id)
    return visit.show(
        "hold.html", code, hold=found, heading=visit.say(HEADINGS[State(found.state)]), text=text, error=error,
        rules=[visit.say(words.RULES[rule]) for rule in found.rules], article=shapes.article(visit, articles[0]),
        said=post.text if post and not post.deleted_at else "", held=found.state == State.held,
    )


async def hold(visit: Visit) -> Response:
    """What was noticed, in the name of which article, until when, and how to appeal."""
    return await _page(visit)


async def appeal(visit: Visit) -> Response:
    """Say why a post should come out."""
    text = str((await visit.form()).get("text", "")).strip()
    try:
        async with visit.app.db.write() as tx:
            await actions.appeal(tx, await visit.account(tx), (await _own(tx, visit)).id, text)
    except Invalid as error:
        told = words.FIELD_ERRORS.get(error.word, words.FIELD_ERRORS["ERR_BLANK"])
        return await _page(visit, visit.say(told), text, 422)
    except Conflict as error:
        if error.word != "already_appealed":
            raise
    return visit.go(f"/holds/{visit.request.path_params['id']}#appeal")
