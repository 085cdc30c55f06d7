"""What people set for themselves: an overview, their profile, the apps that act for them."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response

from parvis.access import actions, queries
from parvis.accounts import actions as accounts
from parvis.accounts import policy as naming
from parvis.accounts import queries as people
from parvis.accounts.model import ProfileEdit
from parvis.base.errors import Invalid, NotFound
from parvis.base.ids import parsed
from parvis.text.messages import words
from parvis.web.site import Visit

TICKS = ("locked", "bot", "discoverable", "indexable", "hide_collections", "show_media", "show_media_replies",
         "show_featured", "email_subscriptions")


async def overview(visit: Visit) -> Response:
    """Where everything is that one can set."""
    return visit.show("settings.html")


async def profile_form(visit: Visit) -> Response:
    """Where one says who one is."""
    async with visit.app.db.read() as r:
        account = await visit.account(r)
        shown = (await people.shown(r, [account.id]))[0]
    fields = [(row["name"], row.get("value_text", "")) for row in shown.fields]
    values: dict[str, Any] = {name: getattr(account, name) for name in ("display_name", "locked", "bot")}
    values |= {name: getattr(shown, name) for name in TICKS if name not in values}
    values |= {"note": shown.note_text, "domains": "\n".join(shown.attribution_domains)}
    return _profile_page(visit, values, fields, {})


def _profile_page(
    visit: Visit, values: dict[str, Any], fields: list[tuple[str, str]], errors: dict[str, str]
) -> Response:
    rows = [*fields, *[("", "")] * naming.FIELDS_LIMIT][: naming.FIELDS_LIMIT]
    return visit.show(
        "settings_profile.html", 422 if errors else 200, values=values, fields=rows, errors=errors,
        done=visit.query("done") == "1", note_limit=naming.NOTE_LIMIT, name_limit=naming.NAME_LIMIT,
    )


def _typed(form: FormData) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    values: dict[str, Any] = {name: form.get(name) == "1" for name in TICKS}
    for name in ("display_name", "note", "domains"):
        values[name] = str(form.get(name, "")).replace("\r\n", "\n").strip()
    names = [str(form.get(f"field_name_{place}", "")).strip() for place in range(naming.FIELDS_LIMIT)]
    texts = [str(form.get(f"field_value_{place}", "")).strip() for place in range(naming.FIELDS_LIMIT)]
    return values, [pair for pair in zip(names, texts, strict=True) if any(pair)]


async def profile(visit: Visit) -> Response:
    """Change what one says about oneself."""
    values, fields = _typed(await visit.form())
    base = visit.settings.base
    try:
        edit = ProfileEdit(
            display_name=values["display_name"], note_text=values["note"], note=naming.written(values["note"], base),
            fields=naming.typed_fields(fields, base), attribution_domains=values["domains"].split(),
            **{name: values[name] for name in TICKS},
        )
        async with visit.app.db.write() as tx:
            await accounts.edit_profile(tx, await visit.account(tx), edit)
    except Invalid as error:
        field = {"note_text": "note", "attribution_domains": "domains"}.get(error.field, error.field)
        told = words.FIELD_ERRORS.get(error.word, words.FIELD_ERRORS["ERR_INVALID"])
        return _profile_page(visit, values, fields, {field: visit.say(told)})
    return visit.go("/settings/profile?done=1")


async def applications(visit: Visit) -> Response:
    """Which apps may act for one."""
    async with visit.app.db.read() as r:
        rows = await queries.authorised(r, visit.viewer or 0)
    return visit.show("applications.html", applications=rows, done=visit.query("done") == "1")


async def revoke(visit: Visit) -> Response:
    """Let an app act for oneself no more."""
    number = parsed(str((await visit.form()).get("application", "")))
    if number is None:
        raise NotFound("application")
    async with visit.app.db.write() as tx:
        await actions.revoke_application(tx, visit.viewer or 0, number)
    return visit.go("/settings/applications?done=1")
