"""The pages, as a browser without any script gets them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from email import message_from_bytes, policy
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import pytest

from conftest import Answer, Client, Person, settle_in
from parvis import wiring
from parvis.app import App
from parvis.base import jobs
from parvis.charter import actions as charter
from parvis.charter import queries as articles
from parvis.ledger import actions as ledger
from parvis.moderation import actions as moderation
from parvis.moderation.model import DecisionDraft, Level

PASSWORD = "correct horse"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-to-accept-it"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
OOB = "urn:ietf:wg:oauth:2.0:oob"
BACK = "com.example.app:/callback"


class Browser(Client):
    """Follows links, fills in forms, keeps cookies, and runs no script."""

    async def see(self, path: str, language: str = "en") -> Answer:
        """A page."""
        return await self.call("GET", path, headers={"accept": "text/html", "accept-language": language})

    async def submit(self, page: Answer, action: str, **given: str) -> Answer:
        """Send a page's form with its hidden fields."""
        form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)
        assert form, f"no form sends to {action}"
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.group())
        fields = {name: unescape(value) for name, value in hidden} | given
        return await self.post(action, form=fields, headers={"accept": "text/html", "accept-language": "en"})

    async def sign_in(self, name: str, password: str = PASSWORD) -> Answer:
        """Sign in by the form."""
        page = await self.see("/auth/sign_in")
        return await self.submit(page, "/auth/sign_in", email=name, password=password)


@pytest.fixture
async def browser(app: App) -> Browser:
    return Browser(app)


@pytest.fixture
async def city(app: App, owner: asyncpg.Connection[Any], alice: Person, bela: Person) -> dict[str, str]:
    """A city with a charter, two residents, a conversation and a proposal put to the vote."""
    document = charter.document(charter.provisional())
    small = {"support_least": 2, "support_percent": 0, "quorum_least": 1, "quorum_percent": 0}
    for article in document["articles"]:
        kept = article.get("parameters", {})
        kept |= {name: value for name, value in small.items() if name in kept}
    await owner.fetchval("SELECT charter_found($1)", json.dumps(document))
    for person in (alice, bela):
        await owner.execute(
            """INSERT INTO residency.attestations (account_id, district, provider, valid_until)
               VALUES ($1, '11', 'operator', parvis_now() + interval '1 year')""", person.account.id)
    first = (await alice.post("/api/v1/statuses", json={"status": "Hello #Market <b>", "language": "en"})).json()
    reply = {"status": "@alice welcome", "in_reply_to_id": first["id"], "language": "en"}
    await bela.post("/api/v1/statuses", json=reply)
    made = (await alice.post("/api/v1/charter/proposals", json={
        "title": "Lost animals", "text": "Anyone may announce a lost animal.", "ceiling": 1})).json()
    return {"status": first["id"], "proposal": made["id"]}


PAGES = (
    "/", "/@alice", "/@alice/{status}", "/@alice/{status}/embed", "/tags/market", "/auth/sign_in", "/auth/sign_up", "/charter",
    "/charter/articles/II.1", "/charter/articles/II.1?at=2020-01-01", "/charter/changes?from=0&to=0", "/proposals",
    "/proposals/{proposal}", "/register", "/about", "/privacy", "/imprint",
)


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_every_page_answers_in_both_languages_with_one_heading(
    city: dict[str, str], browser: Browser, language: str
) -> None:
    for path in (page.format(**city) for page in PAGES):
        page = await browser.see(path, language)
        assert page.status == 200, path
        assert f'<html lang="{language}">' in page.text, path
        assert page.text.count("<h1") == 1, path
        assert "{{" not in page.text, path


async def test_a_person_settles_confirms_signs_in_writes_and_leaves(app: App, browser: Browser) -> None:
    page = await browser.see("/auth/sign_up")
    sent = await browser.submit(
        page, "/auth/sign_up", username="celia", email="celia@example.org", password=PASSWORD, agreement="1"
    )
    assert (sent.status, "celia@example.org" in sent.text) == (200, True)
    assert "Look in your mailbox" in (await browser.sign_in("celia")).text
    assert "parvis_session" not in browser.cookies

    await jobs.drain(app.job, jobs.named(wiring.REACTIONS))
    letter = message_from_bytes(sorted(app.settings.mails.iterdir())[0].read_bytes(), policy=policy.default)
    body = letter.get_body(("plain",))
    assert body is not None
    link = re.search(r"http://localhost(/auth/confirm\?token=\S+)", body.get_content())
    assert link
    assert "Your address is confirmed" in (await browser.see(link.group(1))).text

    answer = await browser.sign_in("celia@example.org")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    front = await browser.see("/")
    assert front.headers["cache-control"] == "private, no-store"
    wrote = await browser.submit(front, "/write", status="Bonjour #Paris", visibility="public", language="fr")
    assert wrote.status == 303
    stranger = await Browser(app).see("/")
    assert "Bonjour" in stranger.text
    assert 'href="http://localhost/tags/paris"' in stranger.text
    assert (await browser.submit(await browser.see("/"), "/auth/sign_out")).status == 303
    assert "parvis_session" not in browser.cookies
    assert "Sign out" not in (await browser.see("/")).text


async def test_mistakes_in_a_sign_up_are_shown_all_at_once_and_lose_nothing(browser: Browser, alice: Person) -> None:
    page = await browser.see("/auth/sign_up")
    given = {"username": "no spaces", "email": "nobody", "password": "short"}
    answer = await browser.submit(page, "/auth/sign_up", **given)
    assert answer.status == 422
    assert answer.text.count('class="wrong"') == 4
    assert 'value="no spaces"' in answer.text
    assert "short" not in re.findall(r'type="password"[^>]*', answer.text)[0]
    taken = await browser.submit(
        page, "/auth/sign_up", username="ALICE", email="x@example.org", password=PASSWORD, agreement="1"
    )
    assert "taken already" in taken.text


async def test_a_wrong_password_opens_nothing_and_says_not_which_half_was_wrong(
    browser: Browser, alice: Person
) -> None:
    wrong = await browser.sign_in("alice", "wrong horse")
    nobody = await browser.sign_in("nobody", "wrong horse")
    sentence = "This address and this password do not go together."
    assert [(a.status, sentence in a.text) for a in (wrong, nobody)] == [(422, True), (422, True)]
    assert "parvis_session" not in browser.cookies


@pytest.mark.parametrize("path", ["/auth/sign_in", "/auth/sign_up", "/write", "/auth/sign_out", "/oauth/authorize"])
async def test_a_form_from_elsewhere_changes_nothing(browser: Browser, alice: Person, path: str) -> None:
    html = {"accept": "text/html", "accept-language": "en"}
    fields = {"status": "forged", "csrf": "guessed", "email": "alice", "password": PASSWORD}
    assert (await browser.post(path, form=fields, headers=html)).status == 403
    await browser.sign_in("alice")
    answer = await browser.post(path, form=fields, headers=html)
    assert answer.status == 403
    assert "This form has expired" in answer.text
    assert "forged" not in (await browser.see("/")).text
    assert "Sign out" in (await browser.see("/")).text


async def test_a_form_with_the_right_token_but_sent_by_another_site_is_refused(
    browser: Browser, alice: Person
) -> None:
    await browser.sign_in("alice")
    token = re.findall(r'name="csrf" value="([^"]+)"', (await browser.see("/")).text)[0]
    forged = await browser.post(
        "/write", form={"csrf": token, "status": "forged"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert forged.status == 403


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", ""])
async def test_signing_in_leads_nowhere_but_to_this_site(browser: Browser, alice: Person, where: str) -> None:
    page = await browser.see(f"/auth/sign_in?{urlencode({'next': where})}")
    answer = await browser.submit(page, "/auth/sign_in", email="alice", password=PASSWORD, next=where)
    assert answer.headers["location"] == "/"


async def test_a_post_that_is_too_long_is_given_back_with_the_reason(browser: Browser, alice: Person) -> None:
    await browser.sign_in("alice")
    answer = await browser.submit(await browser.see("/"), "/write", status="é" * 501)
    assert answer.status == 422
    assert "é" * 501 in answer.text
    assert "500" in answer.text


async def test_a_reply_written_here_stands_under_its_post(
    browser: Browser, city: dict[str, str]
) -> None:
    await browser.sign_in("bela")
    page = await browser.see(f"/@alice/{city['status']}")
    sent = await browser.submit(page, "/write", status="@alice see you there")
    assert sent.headers["location"].startswith("http://localhost/@bela/")
    assert "see you there" in (await Browser(browser.app).see(f"/@alice/{city['status']}")).text


async def test_what_people_type_is_never_markup(browser: Browser, alice: Person) -> None:
    await alice.call("PATCH", "/api/v1/accounts/update_credentials", headers={"content-type": "application/json"},
                     body=json.dumps({"display_name": "<script>alert(1)</script>"}).encode())
    await alice.post("/api/v1/statuses", json={"status": "<img src=x onerror=alert(1)>", "spoiler_text": "<i>x</i>"})
    for path in ("/", "/@alice"):
        page = (await browser.see(path)).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<i>x</i>" not in page
        assert "&lt;script&gt;" in page


async def test_other_programs_are_sent_to_the_actor_and_the_note(browser: Browser, city: dict[str, str]) -> None:
    wanted = {"accept": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'}
    actor = await browser.call("GET", "/@alice", headers=wanted)
    assert actor.status == 303
    assert re.fullmatch(r"http://localhost/ap/users/\d+", actor.headers["location"])
    note = await browser.call("GET", f"/@alice/{city['status']}", headers={"accept": "application/activity+json"})
    assert note.headers["location"].endswith(f"/statuses/{city['status']}")
    page = await browser.see(f"/@alice/{city['status']}")
    assert f'rel="alternate" type="application/activity+json" href="{note.headers["location"]}"' in page.text
    assert "Accept" in page.headers["vary"]


async def test_what_is_missing_gone_or_not_for_me_says_so(
    browser: Browser, alice: Person, city: dict[str, str]
) -> None:
    secret = (await alice.post("/api/v1/statuses", json={"status": "hush", "visibility": "private"})).json()["id"]
    await alice.call("DELETE", f"/api/v1/statuses/{city['status']}")
    expected = {
        "/@nobody": 404, "/@alice/123": 404, "/@alice/x": 404, f"/@bela/{secret}": 404, f"/@alice/{secret}": 404,
        f"/@alice/{city['status']}": 410, "/nowhere": 404, "/charter/articles/IX.9": 404, "/proposals/1": 404,
        "/register/999": 404, "/charter/changes?from=7&to=8": 404, "/charter/changes": 404, "/media/../x": 404,
        "/media/avatars/nothing-here-at-all.png": 404, "/static/../pages.py": 404, "/static/nothing.css": 404,
    }
    for path, code in expected.items():
        page = await browser.see(path)
        assert (path, page.status) == (path, code)
        assert f"Error {code}" in page.text
        assert "hush" not in page.text
    assert (await browser.get("/nowhere")).json()["error"]
    assert (await browser.call("GET", "/api/v1/nowhere", headers={"accept": "text/html"})).json()["error"]
    await browser.sign_in("alice")
    assert "hush" in (await browser.see(f"/@alice/{secret}")).text


async def test_a_chosen_language_stays_chosen(browser: Browser) -> None:
    assert '<html lang="fr">' in (await browser.see("/about?lang=fr", "en")).text
    assert '<html lang="fr">' in (await browser.see("/privacy", "en")).text
    link = re.search(r'href="([^"]*lang=en[^"]*)"', (await browser.see("/proposals?max_id=5", "en")).text)
    assert link
    assert unescape(link.group(1)) == "/proposals?max_id=5&lang=en"


async def test_pages_for_everybody_may_be_kept_by_shared_caches_and_forms_may_not(browser: Browser) -> None:
    assert "s-maxage=15" in (await browser.see("/")).headers["cache-control"]
    assert (await browser.see("/auth/sign_in")).headers["cache-control"] == "private, no-store"
    page = await browser.see("/")
    style = re.search(r'href="(/static/style\.css\?v=\w+)"', page.text)
    assert style
    assert "immutable" in (await browser.get(style.group(1))).headers["cache-control"]
    for name in ("avatar.png", "header.png"):
        picture = await browser.get(f"/static/{name}")
        assert (picture.status, picture.headers["content-type"]) == (200, "image/png")


# ------------------------------------------------------------------------------------------------ letting apps act

async def register(client: Client, uris: str) -> dict[str, str]:
    made = await client.post("/api/v1/apps", json={
        "client_name": "Reader", "redirect_uris": uris, "scopes": "read write:statuses", "website": "https://reader.example"})
    found: dict[str, str] = made.json()
    return found


def asking(app: dict[str, str], **changed: str) -> str:
    fields = {
        "client_id": app["client_id"], "redirect_uri": BACK, "response_type": "code", "scope": "read write:statuses",
        "state": "st&te=1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }
    return "/oauth/authorize?" + urlencode({name: value for name, value in (fields | changed).items() if value})


def query(answer: Answer) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def test_an_app_with_its_own_scheme_gets_a_code_that_its_verifier_opens(browser: Browser, alice: Person) -> None:
    app = await register(browser, BACK)
    first = await browser.see(asking(app))
    assert first.headers["location"].startswith("/auth/sign_in?next=")
    form = await browser.see(first.headers["location"])
    inside = await browser.submit(form, "/auth/sign_in", email="alice", password=PASSWORD)
    consent = await browser.see(inside.headers["location"])
    assert "Reader asks to use your account" in consent.text
    assert "write:statuses" in consent.text
    allowed = await browser.submit(consent, "/oauth/authorize", decision="allow")
    assert allowed.status == 303
    assert allowed.headers["location"].startswith(f"{BACK}?code=")
    assert query(allowed)["state"] == "st&te=1"
    trade = {"grant_type": "authorization_code", "code": query(allowed)["code"], "redirect_uri": BACK,
             "client_id": app["client_id"], "client_secret": app["client_secret"]}
    assert (await Client(browser.app).post("/oauth/token", form=trade | {"code_verifier": "wrong"})).status == 400
    again = await browser.submit(await browser.see(asking(app)), "/oauth/authorize", decision="allow")
    trade |= {"code": query(again)["code"], "code_verifier": VERIFIER}
    token = (await Client(browser.app).post("/oauth/token", form=trade)).json()
    assert token["scope"] == "read write:statuses"
    mine = await Client(browser.app, token["access_token"]).get("/api/v1/accounts/verify_credentials")
    assert mine.json()["username"] == "alice"


async def test_an_app_without_an_address_shows_a_code_to_copy(browser: Browser, alice: Person) -> None:
    app = await register(browser, OOB)
    await browser.sign_in("alice")
    path = asking(app, redirect_uri=OOB, code_challenge="", code_challenge_method="", state="")
    allowed = await browser.submit(await browser.see(path), "/oauth/authorize", decision="allow")
    assert allowed.headers["location"].startswith("/oauth/authorize/native?code=")
    shown = await browser.see(allowed.headers["location"])
    code = re.search(r'class="code-out">([^<]+)<', shown.text)
    assert code
    token = await Client(browser.app).post("/oauth/token", form={
        "grant_type": "authorization_code", "code": code.group(1), "redirect_uri": OOB,
        "client_id": app["client_id"], "client_secret": app["client_secret"]})
    assert token.status == 200, token.text


async def test_refusing_sends_no_code(browser: Browser, alice: Person) -> None:
    app = await register(browser, BACK)
    await browser.sign_in("alice")
    answer = await browser.submit(await browser.see(asking(app)), "/oauth/authorize", decision="deny")
    assert query(answer) == {"error": "access_denied", "state": "st&te=1"}


@pytest.mark.parametrize(("changed", "word"), [
    ({"scope": "read write"}, "invalid_scope"), ({"scope": "nonsense"}, "invalid_scope"),
    ({"response_type": "token"}, "unsupported_response_type"), ({"code_challenge_method": "plain"}, "invalid_request"),
])
async def test_what_an_app_asks_wrongly_is_told_to_the_app(
    browser: Browser, alice: Person, changed: dict[str, str], word: str
) -> None:
    app = await register(browser, BACK)
    await browser.sign_in("alice")
    answer = await browser.see(asking(app, **changed))
    assert answer.headers["location"].startswith(f"{BACK}?")
    assert (query(answer)["error"], query(answer)["state"]) == (word, "st&te=1")


@pytest.mark.parametrize("changed", [
    {"client_id": "unknown"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": BACK + "/more"},
    {"redirect_uri": ""},
])
async def test_nobody_is_sent_to_an_address_that_was_not_registered(
    browser: Browser, alice: Person, changed: dict[str, str]
) -> None:
    app = await register(browser, BACK)
    await browser.sign_in("alice")
    answer = await browser.see(asking(app, **changed))
    assert answer.status == 400
    assert "location" not in answer.headers
    assert "Nothing was given to it" in answer.text


async def test_an_app_can_ask_that_one_signs_in_again(browser: Browser, alice: Person) -> None:
    app = await register(browser, BACK)
    await browser.sign_in("alice")
    answer = await browser.see(asking(app, force_login="true"))
    form = await browser.see(answer.headers["location"])
    assert form.status == 200
    assert 'type="password"' in form.text
    inside = await browser.submit(form, "/auth/sign_in", email="alice", password=PASSWORD)
    assert "Reader asks" in (await browser.see(inside.headers["location"])).text


# ------------------------------------------------------------------------------------------------------- the rules

async def test_residents_propose_sign_and_vote_with_forms_only(
    browser: Browser, city: dict[str, str], app: App
) -> None:
    await browser.sign_in("bela")
    page = await browser.see(f"/proposals/{city['proposal']}")
    assert (await browser.submit(page, f"/proposals/{city['proposal']}/support", support="1")).status == 303
    await charter.sweep(app.job)
    page = await browser.see(f"/proposals/{city['proposal']}")
    vote = {"mention.text": "tres_bien", "mention.status_quo": "passable"}
    cast = await browser.submit(page, f"/proposals/{city['proposal']}/ballot", **vote)
    assert cast.headers["location"].endswith("?voted=1#vote")
    after = await browser.see(f"/proposals/{city['proposal']}?voted=1")
    assert "Your vote is in the box" in after.text
    assert "checked" not in after.text
    assert "Result of the vote" not in after.text
    front = await Browser(app).see("/")
    assert "Lost animals" in front.text

    new = await browser.see("/proposals/new")
    wrong = await browser.submit(new, "/proposals/new", title="", text="Quiet after ten.", scope="posts", ceiling="1")
    assert wrong.status == 422
    assert "Quiet after ten." in wrong.text
    made = await browser.submit(
        new, "/proposals/new", title="Quiet", text="Quiet after ten.", scope="posts", ceiling="1", article="II.1"
    )
    assert "article II.1" in (await browser.see(made.headers["location"])).text


async def test_who_is_no_resident_is_told_why_they_cannot_sign(
    browser: Browser, city: dict[str, str], app: App
) -> None:
    await settle_in(app, "nils")
    await browser.sign_in("nils")
    page = await browser.see(f"/proposals/{city['proposal']}")
    assert "Verified residents can sign." in page.text
    token = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
    html = {"accept": "text/html", "accept-language": "en"}
    answer = await browser.post(
        f"/proposals/{city['proposal']}/support", form={"csrf": token, "support": "1"}, headers=html
    )
    assert answer.status == 422
    assert "Only residents can do this" in answer.text


async def test_a_stranger_who_wants_to_propose_signs_in_first(browser: Browser) -> None:
    answer = await browser.see("/proposals/new")
    assert (answer.status, answer.headers["location"]) == (303, "/auth/sign_in?next=%2Fproposals%2Fnew")


async def test_the_register_shows_each_entry_with_its_proof(browser: Browser, city: dict[str, str], app: App) -> None:
    waiting = await browser.see("/register")
    assert "No decision has been recorded yet" in waiting.text
    while await ledger.sequence(app.job):
        pass
    register_page = await browser.see("/register")
    assert register_page.text.count('class="entry"') == 2
    entry = await browser.see("/register/0")
    assert "Version 0 of the charter" in entry.text
    assert entry.text.count('class="hash"') >= 3


async def test_the_person_concerned_reads_the_reasons_and_appeals_and_nobody_else_sees_them(
    browser: Browser, city: dict[str, str], app: App, mona: Person, bela: Person
) -> None:
    reply = (await bela.get(f"/api/v1/accounts/{bela.account.id}/statuses")).json()[0]["id"]
    async with app.db.write() as tx:
        rule = next(row.id for row in await articles.in_force(tx) if row.number == "II.1")
        ground = await moderation.ground_for(tx, bela.account.id, article_ids=[rule], status_ids=[int(reply)])
        mandate = await moderation.mandate(tx, mona.account, ground)
        made = await moderation.decide(tx, mona.account, mandate, DecisionDraft(
            target_id=bela.account.id, level=Level.warning, facts="A threat, in so many words.", status_ids=(int(reply),)))
    await browser.sign_in("alice")
    assert (await browser.see(f"/decisions/{made}")).status == 404
    concerned = Browser(app)
    await concerned.sign_in("bela")
    page = await concerned.see(f"/decisions/{made}")
    assert "A threat, in so many words." in page.text
    assert "II.1" in page.text
    blank = await concerned.submit(page, f"/decisions/{made}", text=" ")
    assert blank.status == 422
    sent = await concerned.submit(page, f"/decisions/{made}", text="It was a quotation.")
    assert sent.status == 303
    assert "Your appeal is recorded" in (await concerned.see(f"/decisions/{made}")).text


async def test_a_suspended_person_signs_in_to_appeal_and_does_nothing_else(app: App, alice: Person, owner: Any) -> None:
    await owner.execute("ALTER TABLE accounts DISABLE TRIGGER USER")
    await owner.execute("UPDATE accounts SET suspended_at = parvis_now() WHERE id = $1", alice.account.id)
    browser = Client(app)
    form = await browser.get("/auth/sign_in", accept="text/html")
    csrf = re.search(r'name="csrf" value="([^"]+)"', form.text)
    assert csrf
    entered = await browser.post("/auth/sign_in", form={
        "csrf": csrf[1], "email": "alice@example.org", "password": "correct horse", "next": "/about",
    })
    assert entered.status == 303, entered.text
    page = await browser.get("/about", accept="text/html")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    refused = await browser.post("/write", form={"csrf": csrf[1], "status": "I am here"}, headers={"accept": "text/html"})
    assert refused.status == 403
    assert (await browser.get("/decisions/1", accept="text/html")).status == 404  # reached, and there is none of that number
