"""Feeds, coming with what one had elsewhere, taking it along, and leaving."""

from __future__ import annotations

import re
import uuid
from typing import Any
from xml.etree import ElementTree as ET

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.test_web import PASSWORD, Browser
from api.town import picture
from conftest import Answer, Person, settle_in
from parvis import wiring
from parvis.app import App
from parvis.base import jobs
from parvis.base.errors import Invalid
from parvis.federation import imports
from parvis.portability import policy
from parvis.portability.model import Kind

A = "/api/v1/accounts"
ATOM = "{http://www.w3.org/2005/Atom}"
CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(str.strip).filter(
    lambda text: bool(text) and not text.startswith(("@", "\ufeff")) and text.lower() not in policy.FIRST)


@pytest.fixture
async def browser(app: App, alice: Person) -> Browser:
    made = Browser(app)
    await made.sign_in("alice")
    return made


@pytest.mark.parametrize("kind", list(policy.FILES))
@given(data=st.data())
def test_what_is_written_is_read_again(kind: Kind, data: st.DataObject) -> None:
    width = policy.WIDTHS[kind]
    rows = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8, unique_by=tuple))
    assert policy.read(kind, policy.written(kind, rows)) == rows


@given(text=st.text(max_size=60))
def test_no_file_is_too_strange_to_be_refused(text: str) -> None:
    try:
        rows = policy.read("lists", text)
    except Invalid:
        rows = []
    assert all(len(row) == 2 and all(row) for row in rows)


async def upload(browser: Browser, kind: str, text: str, mode: str = "merge") -> Answer:
    page = await browser.see("/settings/import")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    edge = uuid.uuid4().hex
    fields = {"csrf": csrf[1], "kind": kind, "mode": mode}
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\nContent-Type: text/csv\r\n\r\n{text}\r\n')
    body = "".join([*parts, f"--{edge}--\r\n"]).encode()
    kind_of = f"multipart/form-data; boundary={edge}"
    return await browser.call("POST", "/settings/import", body=body, headers={
        "content-type": kind_of, "accept": "text/html", "accept-language": "en"})


async def settle(app: App) -> None:
    while await imports.work(app.job):
        pass


async def test_what_one_takes_along_is_there_again_for_whoever_brings_it(app: App, browser: Browser, alice: Person, bela: Person) -> None:
    carol, dora, erik = [await settle_in(app, name) for name in ("carol", "dora", "erik")]
    await alice.post(f"{A}/{bela.account.id}/follow", json={"reblogs": False, "notify": True, "languages": ["fr", "de"]})
    await alice.post(f"{A}/{carol.account.id}/follow")
    await alice.post(f"{A}/{dora.account.id}/mute", json={"notifications": False})
    await alice.post(f"{A}/{erik.account.id}/block")
    await alice.post("/api/v1/domain_blocks", json={"domain": "spam.example"})
    post = (await bela.post("/api/v1/statuses", json={"status": "Hello"})).json()
    await alice.post(f"/api/v1/statuses/{post['id']}/bookmark")
    made = (await alice.post("/api/v1/lists", json={"title": 'Friends, "near"'})).json()
    await alice.post(f"/api/v1/lists/{made['id']}/accounts", json={"account_ids": [str(bela.account.id)]})
    files = {kind: (await browser.see(f"/settings/export/{kind}.csv")) for kind in policy.FILES}
    assert files["following"].text == ("Account address,Show boosts,Notify on new posts,Languages\n"
                                       'bela@localhost,false,true,"fr, de"\ncarol@localhost,true,false,\n')
    assert files["lists"].text == '"Friends, ""near""",bela@localhost\n'
    assert 'filename="muted_accounts.csv"' in files["mutes"].headers["content-disposition"]
    frida = await settle_in(app, "frida")
    other = Browser(app)
    await other.sign_in("frida")
    for kind, file in files.items():
        assert (await upload(other, kind, file.text)).status == 303, kind
    await settle(app)
    for kind, file in files.items():
        assert (await other.see(f"/settings/export/{kind}.csv")).text == file.text, kind
    assert [row["id"] for row in (await frida.get("/api/v1/bookmarks")).json()] == [post["id"]]
    page = (await other.see("/settings/import")).text
    assert "2 of 2 rows done, 0 of them could not be" in page


async def test_overwriting_ends_what_is_not_in_the_file_and_strange_files_change_nothing(app: App, browser: Browser, alice: Person, bela: Person) -> None:
    carol = await settle_in(app, "carol")
    await alice.post(f"{A}/{bela.account.id}/follow")
    for text in ("", "\n\n", '"open', "a@" + "x" * 2001, "\x00"):
        wrong = await upload(browser, "following", text, "overwrite")
        assert (wrong.status, "This is no such file" in wrong.text) == (422, True)
    assert (await upload(browser, "nonsense", "x")).status == 404
    assert [row["id"] for row in (await alice.get(f"{A}/{alice.account.id}/following")).json()] == [str(bela.account.id)]
    assert (await upload(browser, "following", "Account address\ncarol@localhost\nnobody@localhost\nalice\n", "overwrite")).status == 303
    await settle(app)
    assert [row["id"] for row in (await alice.get(f"{A}/{alice.account.id}/following")).json()] == [str(carol.account.id)]
    page = (await browser.see("/settings/import")).text
    assert "3 of 3 rows done, 2 of them could not be" in page
    assert "nobody@localhost" in page
    assert "follow_self" in page


async def test_feeds_show_public_posts_and_nothing_else(app: App, alice: Person, bela: Person) -> None:
    media = (await alice.upload("/api/v2/media", picture())).json()
    await jobs.drain(app.job, jobs.named(wiring.REACTIONS))
    await alice.post("/api/v1/statuses", json={"status": "A <picture> & #Market", "media_ids": [media["id"]]})
    for visibility in ("unlisted", "private", "direct"):
        await alice.post("/api/v1/statuses", json={"status": f"Hidden {visibility} #market", "visibility": visibility})
    theirs = (await bela.post("/api/v1/statuses", json={"status": "Hers"})).json()
    await alice.post(f"/api/v1/statuses/{theirs['id']}/reblog")
    reader = Browser(app)
    for path in ("/@alice.rss", "/tags/market.rss"):
        answer = await reader.see(path)
        assert answer.headers["content-type"].startswith("application/rss+xml"), path
        channel = ET.fromstring(answer.body).find("channel")
        assert channel is not None
        own = channel.find(f"{ATOM}link")
        assert own is not None
        assert own.attrib["href"] == f"http://localhost{path}"
        items = channel.findall("item")
        assert len(items) == 1
        assert items[0].findtext("title") == "A <picture> & #Market"
        assert "&lt;picture&gt;" in str(items[0].findtext("description"))
        enclosure = items[0].find("enclosure")
        assert enclosure is not None
        assert enclosure.attrib["type"].startswith("image/")
    feed = ET.fromstring((await reader.see("/@alice.atom")).body)
    assert [one.findtext(f"{ATOM}title") for one in feed.findall(f"{ATOM}entry")] == ["A <picture> & #Market"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", str(feed.findtext(f"{ATOM}updated")))
    assert 'type="application/atom+xml" href="http://localhost/@alice.atom"' in (await reader.see("/@alice")).text
    assert 'href="/tags/market.rss"' in (await reader.see("/tags/market")).text
    assert (await reader.see("/@nobody.rss")).status == 404
    assert ET.fromstring((await reader.see("/@bela.atom")).body).find(f"{ATOM}entry") is not None


async def test_who_leaves_takes_all_along_but_the_name(app: App, browser: Browser, alice: Person, bela: Person, owner: asyncpg.Connection[Any]) -> None:
    post = (await alice.post("/api/v1/statuses", json={"status": "Hello"})).json()
    await bela.post(f"/api/v1/statuses/{post['id']}/reblog")
    await alice.post(f"{A}/{bela.account.id}/follow")
    await bela.post(f"{A}/{alice.account.id}/follow")
    page = await browser.see("/settings/delete")
    wrong = await browser.submit(page, "/settings/delete", current="wrong horse")
    assert (wrong.status, "This is not your password" in wrong.text) == (422, True)
    assert (await alice.get(f"/api/v1/statuses/{post['id']}")).status == 200
    assert (await browser.submit(page, "/settings/delete", current=PASSWORD)).headers["location"] == "/"
    await jobs.drain(app.job, jobs.named(wiring.REACTIONS))
    assert (await Browser(app).see("/@alice")).status == 410
    assert (await Browser(app).see("/@alice.rss")).status == 410
    assert (await bela.get(f"/api/v1/statuses/{post['id']}")).status == 404
    assert (await alice.get(f"{A}/verify_credentials")).status in (401, 403)
    assert (await bela.get(f"{A}/{bela.account.id}/followers")).json() == []
    assert (await bela.get(f"{A}/{bela.account.id}")).json()["followers_count"] == 0
    assert (await Browser(app).sign_in("alice")).status == 422
    number = alice.account.id
    assert await owner.fetchval("SELECT count(*) FROM users WHERE account_id = $1", number) == 0
    assert await owner.fetchval("SELECT count(*) FROM statuses WHERE account_id = $1 AND content <> ''", number) == 0
    assert await owner.fetchval("SELECT username FROM accounts WHERE id = $1", number) == "alice"
    page = await Browser(app).see("/auth/sign_up")
    assert page.status == 200
