"""A decision as those it concerns may read it, and their appeal."""

from __future__ import annotations

from starlette.responses import Response

from parvis.base.db import Read
from parvis.base.errors import Conflict, Invalid, NotFound
from parvis.charter import queries as charter
from parvis.moderation import actions, queries
from parvis.moderation.model import Decision
from parvis.text.messages import words
from parvis.web import shapes
from parvis.web.site import Visit


async def _concerned(r: Read, visit: Visit) -> Decision:
    """The decision, for the person it is about and those who reported; NotFound for everybody else."""
    found = await queries.decision(r, int(visit.request.path_params["id"]))
    if found is None:
        raise NotFound("decision")
    reporters = {report.account_id for report in await queries.reports_of_case(r, found.case_id)}
    if visit.viewer not in {found.target_id, *reporters}:
        raise NotFound("decision")
    return found


async def _page(visit: Visit, error: str = "", text: str = "", code: int = 200) -> Response:
    async with visit.app.db.read() as r:
        found = await _concerned(r, visit)
        statement = await queries.statement(r, found.id)
        cited = [] if found.article_version_id is None else [found.article_version_id]
        articles = await charter.versions_by_id(r, cited)
        until = await queries.appeal_until(r, found.id)
        waiting = [row for row in await queries.open_appeals(r) if row.decision_id == found.id]
        now = r.now
    return visit.show(
        "decision.html", code, decision=found, level=visit.say(words.LEVELS[found.level]), text=text, error=error,
        about_me=found.target_id == visit.viewer, ground=statement.ground if statement else "",
        article=shapes.article(visit, articles[0]) if articles else None, until=until,
        appealed=any(row.account_id == visit.viewer for row in waiting), open=until is not None and now < until,
    )


async def decision(visit: Visit) -> Response:
    """What was decided, on what ground and why, and how to appeal."""
    return await _page(visit)


async def appeal(visit: Visit) -> Response:
    """Ask that somebody who took no part look at it again."""
    text = str((await visit.form()).get("text", "")).strip()
    try:
        async with visit.app.db.write() as tx:
            found = await _concerned(tx, visit)
            await actions.appeal(tx, await visit.account(tx), found.id, text)
    except Invalid as error:
        told = words.FIELD_ERRORS.get(error.word, words.FIELD_ERRORS["ERR_BLANK"])
        return await _page(visit, visit.say(told), text, 422)
    except Conflict as error:
        if error.word != "already_appealed":
            raise
    return visit.go(f"/decisions/{visit.request.path_params['id']}#appeal")
