"""Coming with what one had elsewhere, taking it along, and leaving."""

from __future__ import annotations

from typing import Any, get_args

from starlette.datastructures import UploadFile
from starlette.responses import Response

from parvis.accounts import actions as accounts
from parvis.base.errors import Invalid, NotFound, TooMany
from parvis.portability import actions, policy, queries
from parvis.portability.model import Kind, Mode
from parvis.text.messages import words
from parvis.web import ranges, security
from parvis.web.site import SESSION, Limit, Visit

IMPORTS = Limit("import", 20, 86400)


def _kind(text: str) -> Kind:
    found: Kind | None = next((kind for kind in get_args(Kind) if kind == text), None)
    if found is None:
        raise NotFound("kind")
    return found


def _kinds(visit: Visit) -> list[tuple[str, str]]:
    return [(kind, visit.say(words.BROUGHT[kind])) for kind in get_args(Kind)]


async def _export_page(visit: Visit, status: int = 200, error: str = "") -> Response:
    async with visit.app.db.read() as r:
        rows = await queries.archives(r, visit.viewer or 0)
        last = await queries.asked_last(r, visit.viewer or 0)
        again = last + policy.WEEK if last and r.now < last + policy.WEEK else None
    return visit.show(
        "export.html", status, kinds=_kinds(visit), archives=rows, again=again, week=policy.WEEK, error=error,
        asked=visit.query("done") == "1",
    )


async def export_page(visit: Visit) -> Response:
    """What one can take along."""
    return await _export_page(visit)


async def ask_archive(visit: Visit) -> Response:
    """Ask for all that is one's own as one file."""
    try:
        async with visit.app.db.write() as tx:
            await actions.ask_archive(tx, (await visit.account(tx)).id)
    except TooMany as error:
        return await _export_page(visit, 429, visit.say(words.PROBLEMS[error.word][1]))
    return visit.go("/settings/export?done=1")


async def archive(visit: Visit) -> Response:
    """One's own archive, whole or from where a download broke off; nobody else's is there."""
    async with visit.app.db.read() as r:
        owner = await visit.account(r)
        found = await actions.archive(r, owner.id, visit.number("id"))
    try:
        body = await visit.app.job.files.body(found.file or "")
    except FileNotFoundError as error:
        raise NotFound("archive") from error
    made = ranges.answer(visit.request, body, "application/zip", str(found.id), "private, no-store")
    name = f"{owner.username}-{visit.settings.domain.replace(':', '-')}-{found.created_at:%Y-%m-%d}.zip"
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    made.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    del made.headers["Access-Control-Allow-Origin"]
    return visit.finish(made)


async def export(visit: Visit) -> Response:
    """A file as Mastodon writes it, which any Mastodon server takes in."""
    kind = _kind(str(visit.request.path_params["kind"]))
    async with visit.app.db.read() as r:
        rows = await queries.taken(r, kind, visit.viewer or 0, visit.settings.domain)
    made = Response(policy.written(kind, rows), media_type="text/csv")
    made.headers["Content-Disposition"] = f'attachment; filename="{policy.FILES[kind]}"'
    return visit.finish(made)


async def _import_page(visit: Visit, errors: dict[str, str]) -> Response:
    async with visit.app.db.read() as r:
        rows = await queries.imports(r, visit.viewer or 0)
        failed = await queries.failures(r, visit.viewer or 0, rows[0].id) if rows else []
    return visit.show(
        "import.html", 422 if errors else 200, kinds=_kinds(visit), errors=errors, failures=failed,
        imports=[(row, visit.say(words.BROUGHT[row.kind])) for row in rows],
    )


async def import_form(visit: Visit) -> Response:
    """Where files are brought, and what became of those that were."""
    return await _import_page(visit, {})


async def _text(given: Any) -> str:
    try:
        return (await given.read()).decode("utf-8") if isinstance(given, UploadFile) else ""
    except UnicodeDecodeError as error:
        raise Invalid("file", "ERR_FILE") from error


async def bring(visit: Visit) -> Response:
    """Take a file in; it is worked through row by row."""
    form = await visit.form()
    kind = _kind(str(form.get("kind", "")))
    mode: Mode = "overwrite" if form.get("mode") == "overwrite" else "merge"
    visit.count(IMPORTS)
    try:
        text = await _text(form.get("file"))
        async with visit.app.db.write() as tx:
            await actions.bring(tx, await visit.account(tx), kind, mode, text, visit.settings.domain)
    except Invalid as error:
        told = words.FIELD_ERRORS.get(error.word, words.FIELD_ERRORS["ERR_FILE"])
        return await _import_page(visit, {"file": visit.say(told)})
    return visit.go("/settings/import")


async def delete_form(visit: Visit) -> Response:
    """What happens when one leaves, and the form to do it."""
    return visit.show("delete.html", error="")


async def leave(visit: Visit) -> Response:
    """Leave for good: posts, media and relations go, the name stays taken. Ballots that were cast stay as they are."""
    try:
        user = await security.proved(visit)
    except Invalid as error:
        return visit.show("delete.html", 422, error=visit.say(words.FIELD_ERRORS[error.word]))
    async with visit.app.db.write() as tx:
        await accounts.close(tx, await accounts.account(tx, user.account_id))
    visit.remember(SESSION, "", 0)
    return visit.go("/")
