"""Taking along all that is one's own: what is in the file, who gets it, and how long it lies there."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import asyncpg
import pytest

from api.test_web import PASSWORD, Browser
from api.town import picture
from conftest import Answer, Client, Person, settle_in
from parvis import wiring
from parvis.app import App
from parvis.base import jobs
from parvis.media import actions as media
from parvis.portability import actions as portability
from parvis.portability import policy as rules

PAGE = "/settings/export"
S = "/api/v1/statuses"


@pytest.fixture
async def browser(app: App, alice: Person) -> Browser:
    made = Browser(app)
    await made.sign_in("alice")
    return made


async def settle(app: App) -> None:
    await jobs.drain(app.job, jobs.named(wiring.REACTIONS))


async def asked(app: App, browser: Browser) -> str:
    """Ask for the archive, let the worker make it; where it is."""
    sent = await browser.submit(await browser.see(PAGE), PAGE)
    assert sent.headers["location"] == f"{PAGE}?done=1"
    waiting = (await browser.see(f"{PAGE}?done=1")).text
    assert "being put together" in waiting
    await settle(app)
    page = (await browser.see(PAGE)).text
    return page.partition('href="/settings/export/archives/')[2].partition('"')[0]


def opened(answer: Answer) -> zipfile.ZipFile:
    assert answer.status == 200
    parcel = zipfile.ZipFile(io.BytesIO(answer.body))
    assert parcel.testzip() is None
    return parcel


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    elif isinstance(value, str):
        yield value


async def portrait(alice: Person) -> None:
    edge = "x7"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="avatar"; filename="f.png"\r\nContent-Type: image/png\r\n\r\n'
    body = head.encode() + picture() + f"\r\n--{edge}--\r\n".encode()
    sent = await alice.call("PATCH", "/api/v1/accounts/update_credentials", body=body,
                            headers={"content-type": f"multipart/form-data; boundary={edge}"})
    assert sent.status == 200


async def test_all_that_is_ones_own_is_in_the_file_and_nothing_of_others(
    app: App, browser: Browser, alice: Person, bela: Person
) -> None:
    await portrait(alice)
    file = (await alice.upload("/api/v2/media", picture())).json()
    texts = {}
    for visibility in ("public", "unlisted", "private", "direct"):
        given: dict[str, Any] = {"status": f"A {visibility} word", "visibility": visibility}
        given |= {"media_ids": [file["id"]]} if visibility == "public" else {}
        made = (await alice.post(S, json=given)).json()
        texts[made["uri"]] = f"<p>A {visibility} word</p>"
    stays = (await alice.post(S, json={"status": "For the city", "local_only": True})).json()
    gone = (await alice.post(S, json={"status": "Gone"})).json()
    await alice.send("DELETE", f"{S}/{gone['id']}")
    theirs = (await bela.post(S, json={"status": "The words of Bela"})).json()
    for deed in ("reblog", "favourite", "bookmark"):
        assert (await alice.post(f"{S}/{theirs['id']}/{deed}")).status == 200
    inside = (await bela.post(S, json={"status": "Bela to the city", "local_only": True})).json()
    assert (await alice.post(f"{S}/{inside['id']}/reblog")).status == 200
    await alice.post(f"/api/v1/accounts/{bela.account.id}/follow")
    place = f"{PAGE}/archives/{await asked(app, browser)}"
    answer = await browser.see(place)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="alice-localhost-')
    assert answer.headers["cache-control"] == "private, no-store"
    assert "access-control-allow-origin" not in answer.headers
    with opened(answer) as parcel:
        found = {name: parcel.read(name) for name in parcel.namelist()}
    said = json.loads(found["outbox.json"])
    assert (said["type"], said["totalItems"]) == ("OrderedCollection", len(said["orderedItems"]))
    notes = {one["object"]["id"]: one["object"] for one in said["orderedItems"] if one["type"] == "Create"}
    assert {uri: note["content"] for uri, note in notes.items() if uri in texts} == texts
    assert [uri for uri, note in notes.items() if note.get("localOnly")] == [stays["uri"]]
    assert gone["uri"] not in notes
    assert [one["object"] for one in said["orderedItems"] if one["type"] == "Announce"] == [theirs["uri"], inside["uri"]]
    attached = [one["url"] for note in notes.values() for one in note["attachment"]]
    assert len(attached) == 1
    assert found[attached[0]] == (await Client(app).get(file["url"].removeprefix("http://localhost"))).body
    assert all("Bela" not in text for text in leaves(said))
    actor = json.loads(found["actor.json"])
    assert (actor["preferredUsername"], actor["outbox"], actor["likes"]) == ("alice", "outbox.json", "likes.json")
    assert found[actor["icon"]["url"]]
    assert "PRIVATE" not in found["actor.json"].decode()
    for name in ("likes.json", "bookmarks.json"):
        assert json.loads(found[name])["orderedItems"] == [theirs["uri"]], name
    assert found["bookmarks.csv"].decode() == f"{theirs['uri']}\n"
    for kind, name in rules.FILES.items():
        assert found[name].decode() == (await browser.see(f"{PAGE}/{kind}.csv")).text, kind
    for readme, word in (("README.txt", "Your private key is not in it"), ("LISEZMOI.txt", "Votre clé privée n’y est pas")):
        text = found[readme].decode()
        assert word in text
        for name in found:
            family = name.partition("/")[0].partition(".")[0]
            assert family in text, name


async def test_only_its_owner_gets_it_and_a_letter_leads_them_there(app: App, browser: Browser, bela: Person) -> None:
    place = f"{PAGE}/archives/{await asked(app, browser)}"
    whole = await browser.see(place)
    part = await browser.call("GET", place, headers={"accept": "text/html", "range": "bytes=10-"})
    assert (part.status, part.body) == (206, whole.body[10:])
    other = Browser(app)
    assert (await other.see(place)).headers["location"].startswith("/auth/sign_in?next=")
    await other.sign_in("bela")
    for path in (place, f"{PAGE}/archives/1.zip", f"{PAGE}/archives/x.zip"):
        assert (await other.see(path)).status == 404, path
    letters = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in app.settings.mails.iterdir()]
    found = [one for one in letters if one["subject"].startswith("Your archive is ready")]
    assert [one["to"] for one in found] == ["alice@example.org"]
    body = found[0].get_body(("plain",))
    assert body is not None
    assert "http://localhost/settings/export\n" in body.get_content()
    assert ".zip" not in body.get_content()
    names = [path.relative_to(app.settings.files).as_posix() for path in app.settings.files.rglob("*.zip")]
    assert len(names) == 1
    assert (await Client(app).get(f"/media/{names[0]}")).status == 404


async def test_it_is_asked_for_once_a_week_and_gone_after_one(
    app: App, browser: Browser, owner: asyncpg.Connection[Any]
) -> None:
    first = await asked(app, browser)
    page = await browser.see(PAGE)
    assert 'method="post" action="/settings/export"' not in page.text
    assert "You can ask for another from" in page.text
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    early = await browser.post(PAGE, form={"csrf": csrf}, headers={"accept": "text/html", "accept-language": "en"})
    assert (early.status, "once a week at most" in early.text) == (429, True)
    for later in (6, 7):  # days; the database's clock and the app's move together
        await owner.execute("DELETE FROM clock_offset")
        await owner.execute("INSERT INTO clock_offset (ahead) VALUES (make_interval(days => $1, mins => 1))", later)
        app.clock.offset = timedelta(days=later, minutes=1)
        assert (await browser.see(f"{PAGE}/archives/{first}")).status == (200 if later == 6 else 404)
        forget = next(deed for every, deed in wiring.SCHEDULE if deed is portability.forget_archives and every <= 3600)
        await forget(app.job)
        await media.burn(app.job)
        assert len(list(app.settings.files.rglob("*.zip"))) == (1 if later == 6 else 0)
    assert await asked(app, browser) != first


async def test_who_leaves_leaves_no_archive_behind(app: App, browser: Browser, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    await asked(app, browser)
    assert len(list(app.settings.files.rglob("*.zip"))) == 1
    page = await browser.see("/settings/delete")
    await browser.submit(page, "/settings/delete", current=PASSWORD)
    await settle(app)
    await media.burn(app.job)
    assert list(app.settings.files.rglob("*.zip")) == []
    assert await owner.fetchval("SELECT count(*) FROM archives") == 0


async def test_who_is_suspended_may_take_along_what_is_theirs(
    app: App, browser: Browser, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    await owner.execute("ALTER TABLE accounts DISABLE TRIGGER USER")
    await owner.execute("UPDATE accounts SET suspended_at = parvis_now() WHERE id = $1", alice.account.id)
    assert (await browser.see("/settings/profile")).status == 403
    with opened(await browser.see(f"{PAGE}/archives/{await asked(app, browser)}")) as parcel:
        assert json.loads(parcel.read("actor.json"))["id"] == alice.account.uri


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_page_is_shown_in_both_languages(app: App, browser: Browser, language: str) -> None:
    await asked(app, browser)
    page = await browser.see(PAGE, language)
    assert (page.status, page.text.count("<h1"), f'<html lang="{language}">' in page.text) == (200, 1, True)
    assert ("Mo" if language == "fr" else "MB") in page.text


async def test_the_letter_is_in_the_language_of_its_reader(app: App) -> None:
    celia = await settle_in(app, "celia")
    async with app.db.write() as tx:
        await tx.run("UPDATE users SET locale = 'fr' WHERE account_id = $1", celia.account.id)
        await portability.ask_archive(tx, celia.account.id)
    await settle(app)
    letters = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in app.settings.mails.iterdir()]
    assert [one["subject"] for one in letters] == ["Votre archive est prête – Parvis"]
    assert [one["to"] for one in letters] == ["celia@example.org"]
