"""Posts in another language, by a translation server of the test's own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from api.contract import covers
from api.town import Caller, S, Town, picture
from parvis.access import actions as access
from parvis.app import App, build
from parvis.base.http import Request, Response
from parvis.statuses import queries

TRANSLATE = "https://translate.example"
LANGUAGES = "/api/v1/instance/translation_languages"


class Interpreter:
    """Speaks LibreTranslate's API: it shouts, keeps the tags, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: bytes | None = None

    async def send(self, request: Request) -> Response:
        if request.url == f"{TRANSLATE}/languages":
            body: object = [{"code": "fr", "name": "French", "targets": ["fr", "en"]}, {"code": "en", "targets": ["fr"]}]
            return Response(200, request.url, {}, msgspec.json.encode(body))
        assert (request.method, request.url) == ("POST", f"{TRANSLATE}/translate")
        wanted = msgspec.json.decode(request.body or b"")
        self.asked.append(wanted)
        if self.answer is not None:
            return Response(200, request.url, {}, self.answer)
        done = [f"<b>{wanted['target']}</b> {text}<script>x</script>" for text in wanted["q"]]
        guessed = [{"language": "fr", "confidence": 90}] * len(done)
        return Response(200, request.url, {}, msgspec.json.encode({"translatedText": done, "detectedLanguage": guessed}))


@contextlib.asynccontextmanager
async def bilingual(town: Town) -> AsyncIterator[tuple[App, Interpreter]]:
    """The same city, with a translation server."""
    given = msgspec.structs.replace(town.app.settings, translate_url=TRANSLATE, translate_key="k3y")
    interpreter = Interpreter()
    app = await build(given, transport=interpreter, pool=2)
    try:
        yield app, interpreter
    finally:
        await app.close()


@covers(f"POST {S}/{{id}}/translate", f"GET {LANGUAGES}")
async def test_a_post_is_translated_with_all_that_is_written_on_it(town: Town) -> None:
    alice = await town.person("alice")
    file = (await alice.upload("/api/v2/media", picture(), description="Un chat & <un> chien")).json()
    said = await alice.say("Bonjour à tous", spoiler_text="Attention", media_ids=[file["id"]], language="fr")
    async with bilingual(town) as (app, interpreter):
        caller = Caller(app, town.succeeded, alice.token)
        pairs = await caller.ask(None, "GET", LANGUAGES)
        assert pairs == {"fr": ["en"], "en": ["fr"], "und": ["en", "fr"]}
        made = await caller.ask("Translation", "POST", f"{S}/{said['id']}/translate", json={"lang": "en"})
        assert made["content"] == "<b>en</b> <p>Bonjour à tous</p>"
        assert (made["spoiler_text"], made["language"], made["detected_source_language"]) == ("en Attention", "en", "fr")
        assert made["media_attachments"] == [{"id": file["id"], "description": "en Un chat & <un> chien"}]
        assert (made["provider"], made["poll"]) == ("LibreTranslate", None)
        asked = interpreter.asked[0]
        assert (asked["api_key"], asked["source"], asked["target"], asked["format"]) == ("k3y", "fr", "en", "html")
        assert await caller.ask("Translation", "POST", f"{S}/{said['id']}/translate", json={"lang": "en"}) == made
        assert len(interpreter.asked) == 1
        await alice.ask("Status", "PUT", f"{S}/{said['id']}", json={"status": "Bonsoir"})
        again = await caller.ask("Translation", "POST", f"{S}/{said['id']}/translate", json={})
        assert (again["content"], again["spoiler_text"]) == ("<b>en</b> <p>Bonsoir</p>", "")
        wrapper = await caller.ask("Status", "POST", f"{S}/{said['id']}/reblog")
        assert (await caller.ask("Translation", "POST", f"{S}/{wrapper['id']}/translate"))["content"] == again["content"]
        assert (await caller.ask(None, "GET", "/api/v2/instance"))["configuration"]["translation"] == {"enabled": True}
        async with town.app.db.write() as tx:
            token, _ = await access.issue(tx, None, ("read",), None)
        nobody = Caller(app, town.succeeded, token)
        assert (await nobody.ask("Translation", "POST", f"{S}/{said['id']}/translate", json={"lang": "de"}))["language"] == "de"


@covers()
async def test_only_what_everybody_may_read_leaves_the_city_to_be_translated(town: Town) -> None:
    alice = await town.person("alice")
    async with bilingual(town) as (app, interpreter):
        caller = Caller(app, town.succeeded, alice.token)
        for more in ({"visibility": "private"}, {"visibility": "direct"}, {"local_only": True}):
            said = await alice.say("Entre nous", **more)
            assert (await caller.refusal("POST", f"{S}/{said['id']}/translate"))[0] == 403
        said = await alice.say("Pour tous")
        assert (await caller.refusal("POST", f"{S}/{said['id']}/translate", json={"lang": "no language"}))[0] == 422
        assert (await caller.refusal("POST", f"{S}/1/translate"))[0] == 404
        assert interpreter.asked == []
        for nonsense in (b"nonsense", b'{"translatedText": []}', b'{"translatedText": "one"}'):
            interpreter.answer = nonsense
            assert (await caller.refusal("POST", f"{S}/{said['id']}/translate"))[0] == 503
        narrow = Caller(app, town.succeeded, (await town.with_scopes("read:accounts")).token)
        assert (await narrow.refusal("POST", f"{S}/{said['id']}/translate"))[0] == 403
        assert (await Caller(app, town.succeeded).refusal("POST", f"{S}/{said['id']}/translate"))[0] == 401


@covers()
async def test_the_options_of_a_poll_are_translated(town: Town) -> None:
    alice = await town.person("alice")
    said = await alice.say("Qui vient ?", language="fr", poll={"options": ["Oui & toujours", "Non"], "expires_in": 3600})
    async with bilingual(town) as (app, _):
        caller = Caller(app, town.succeeded, alice.token)
        made = await caller.ask("Translation", "POST", f"{S}/{said['id']}/translate", json={"lang": "en"})
        assert made["poll"] == {"id": said["poll"]["id"], "options": [{"title": "en Oui & toujours"}, {"title": "en Non"}]}


@covers()
async def test_without_a_translation_server_nothing_is_translated(town: Town) -> None:
    alice = await town.person("alice")
    said = await alice.say("Bonjour")
    assert await alice.refusal("POST", f"{S}/{said['id']}/translate") == (404, "Record not found")
    assert await alice.ask(None, "GET", LANGUAGES) == {}
    assert (await alice.ask(None, "GET", "/api/v2/instance"))["configuration"]["translation"] == {"enabled": False}


@covers()
async def test_translations_are_forgotten_after_a_week_and_beyond_a_number(town: Town) -> None:
    alice = await town.person("alice")
    said = await alice.say("Bonjour")
    await town.owner.executemany(
        "INSERT INTO translations (status_id, version, target, body, due_at) VALUES ($1, 1, $2, '{}', parvis_now() + $3 * interval '1 day')",
        [(int(said["id"]), "aa", -1), (int(said["id"]), "bb", 20), (int(said["id"]), "cc", 21)],
    )
    async with town.app.db.write() as tx:
        await queries.forget_translations(tx, 1)
    rows = await town.owner.fetch("SELECT target FROM translations WHERE status_id = $1", int(said["id"]))
    assert [row["target"] for row in rows] == ["cc"]
