"""What people say about themselves and whom they recommend; and the letter that confirms an address, asked for by an app."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path

from api.contract import covers
from api.town import A, Town, picture
from conftest import Client
from parvis import wiring
from parvis.base import jobs
from parvis.base.http import Http, Request, Response

P = "/api/v1/profile"
E = "/api/v1/endorsements"


@covers(f"GET {P}", f"PATCH {P}", f"PUT {P}", f"DELETE {P}/avatar", f"DELETE {P}/header")
async def test_a_profile_is_read_and_changed_as_it_was_typed(town: Town) -> None:
    alice = await town.person("alice")
    empty = await alice.ask("Profile", "GET", P)
    assert (empty["avatar"], empty["note"], empty["show_media"], empty["attribution_domains"]) == (None, "", True, [])
    wish = {"display_name": "Alice", "note": "I *write*.\n\nHere.", "show_media": False, "show_media_replies": False,
            "show_featured": False, "attribution_domains": ["https://Blog.example.org/x", "news.example"],
            "fields_attributes": [{"name": "Site", "value": "https://alice.example"}]}
    made = await alice.ask("Profile", "PATCH", P, json=wish)
    assert made["note"] == wish["note"]
    assert made["attribution_domains"] == ["blog.example.org", "news.example"]
    assert made["fields"] == [{"name": "Site", "value": "https://alice.example", "verified_at": None}]
    shown = await town.stranger.ask("Account", "GET", f"{A}/{alice.account.id}")
    assert (shown["show_media"], shown["show_media_replies"], shown["show_featured"]) == (False, False, False)
    assert shown["note"].startswith("<p>")
    changed = await alice.ask("Profile", "PUT", P, form={"show_media": "true", "attribution_domains[]": ""})
    assert (changed["show_media"], changed["show_featured"], changed["attribution_domains"]) == (True, False, [])
    own = await alice.ask("CredentialAccount", "GET", f"{A}/verify_credentials")
    assert own["source"]["attribution_domains"] == []
    edge = "edge"
    body = b"".join(
        b"--edge\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"f.png\"\r\nContent-Type: image/png\r\n\r\n%s\r\n"
        % (name, picture(900, 900)) for name in (b"avatar", b"header")) + b"--edge--\r\n"
    drawn = await alice.call("PATCH", P, body=body, headers={"content-type": f"multipart/form-data; boundary={edge}"})
    assert drawn.json()["avatar"].startswith("http://localhost/media/")
    await alice.ask("CredentialAccount", "DELETE", f"{P}/avatar")
    assert (await alice.ask("Profile", "GET", P))["avatar"] is None
    await alice.ask("CredentialAccount", "DELETE", f"{P}/header")
    assert (await alice.ask("Profile", "GET", P))["header"] is None


@covers()
async def test_what_no_profile_can_say_is_refused_and_changes_nothing(town: Town) -> None:
    alice = await town.person("alice")
    for wish in ({"attribution_domains": ["no domain"]}, {"attribution_domains": [f"{n}.example" for n in range(11)]},
                 {"display_name": "x" * 41}):
        code, _ = await alice.refusal("PATCH", P, json={"show_media": False, **wish})
        assert code == 422
    assert (await alice.ask("Profile", "GET", P))["show_media"] is True
    for scope, allowed in (("profile", True), ("read:accounts", True), ("read:statuses", False)):
        narrow = await town.with_scopes(scope)
        assert ((await narrow.get(P)).status == 200) is allowed
        assert (await narrow.refusal("PATCH", P, json={}))[0] == 403
    assert (await town.stranger.refusal("GET", P))[0] == 401


@covers(f"POST {A}/{{id}}/endorse", f"POST {A}/{{id}}/unendorse", f"POST {A}/{{id}}/pin", f"POST {A}/{{id}}/unpin",
        f"GET {E}", f"GET {A}/{{id}}/endorsements", f"GET {A}/{{id}}/identity_proofs")
async def test_one_recommends_whom_one_follows_and_no_longer(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    b, c = bela.account.id, carol.account.id
    code, words = await alice.refusal("POST", f"{A}/{b}/endorse")
    assert (code, words) == (422, "Validation failed: Account must be followed by you")
    for number in (b, c):
        await alice.ask(None, "POST", f"{A}/{number}/follow")
    assert (await alice.ask("Relationship", "POST", f"{A}/{b}/endorse"))["endorsed"] is True
    assert (await alice.ask("Relationship", "POST", f"{A}/{b}/endorse"))["endorsed"] is True
    answer = await alice.post(f"{A}/{c}/pin")
    assert answer.headers["deprecation"].startswith("@")
    listed = await alice.ask("[Account]", "GET", E)
    assert [row["id"] for row in listed] == [str(c), str(b)]
    first = await town.stranger.get(f"{A}/{alice.account.id}/endorsements?limit=1")
    older = first.headers["link"].split(">")[0].removeprefix("<http://localhost")
    assert [row["id"] for row in first.json()] == [str(c)]
    assert [row["id"] for row in await town.stranger.ask("[Account]", "GET", older)] == [str(b)]
    await alice.ask(None, "POST", f"{A}/{b}/unfollow")
    assert (await alice.ask("[Relationship]", "GET", f"{A}/relationships?id[]={b}"))[0]["endorsed"] is False
    await alice.ask("Relationship", "POST", f"{A}/{c}/unpin")
    assert await alice.ask("[Account]", "GET", E) == []
    await alice.ask("Relationship", "POST", f"{A}/{c}/endorse")
    assert (await alice.ask("Relationship", "POST", f"{A}/{c}/unendorse"))["endorsed"] is False
    assert await alice.ask(None, "GET", f"{A}/{b}/identity_proofs") == []
    assert (await town.stranger.refusal("GET", f"{A}/12/endorsements"))[0] == 404
    narrow = await town.with_scopes("read:statuses", "write:statuses")
    for method, path in (("GET", E), ("POST", f"{A}/{b}/endorse"), ("POST", f"{A}/{b}/unendorse")):
        assert (await narrow.refusal(method, path))[0] == 403


def _links(folder: Path) -> list[tuple[str, str]]:
    found = []
    for path in sorted(folder.iterdir()):
        letter = message_from_bytes(path.read_bytes(), policy=policy.default)
        body = letter.get_body(("plain",))
        match = re.search(r"http://localhost(/auth/confirm\?token=\S+)", body.get_content()) if body else None
        if match:
            found.append((str(letter["To"]), match[1]))
    return found


@covers("POST /api/v1/emails/confirmations", "GET /api/v1/emails/check_confirmation")
async def test_the_letter_of_confirmation_is_asked_for_again_by_the_app_one_settled_with(town: Town) -> None:
    app = (await town.stranger.post("/api/v1/apps", json={
        "client_name": "App", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write"})).json()
    token = (await town.stranger.post("/oauth/token", json={
        "grant_type": "client_credentials", "client_id": app["client_id"], "client_secret": app["client_secret"],
        "scope": "read write"})).json()["access_token"]
    newcomer = await town.person("frida")
    other = await town.person("other")
    seen = newcomer.account.id
    made = (await Client(town.app, token).post(A, json={
        "username": f"dora_{seen % 9999}", "email": "dora@exmaple.org", "password": "correct horse", "agreement": True,
        "locale": "en"})).json()
    newcomer.token = made["access_token"]
    assert await newcomer.ask(None, "GET", "/api/v1/emails/check_confirmation") is True  # a --dev city waits for nobody
    assert (await newcomer.refusal("POST", "/api/v1/emails/confirmations"))[0] == 403
    dora = int((await newcomer.ask(None, "GET", f"{A}/verify_credentials"))["id"])
    await town.owner.execute("UPDATE users SET confirmed_at = NULL WHERE account_id = $1", dora)
    assert await newcomer.ask(None, "GET", "/api/v1/emails/check_confirmation") is False
    assert (await newcomer.refusal("GET", f"{A}/verify_credentials"))[0] == 403
    taken = await town.owner.fetchval("SELECT email FROM users WHERE account_id = $1", other.account.id)
    refused = await newcomer.refusal("POST", "/api/v1/emails/confirmations", json={"email": taken})
    assert refused == (422, "Validation failed: Email has already been taken")
    assert await newcomer.ask(None, "POST", "/api/v1/emails/confirmations", json={"email": "dora@example.org"}) == {}
    await jobs.drain(town.app.job, jobs.named(wiring.REACTIONS))
    link = dict(_links(town.app.settings.mails))["dora@example.org"]
    assert (await town.stranger.get(link)).status == 200
    assert await newcomer.ask(None, "GET", "/api/v1/emails/check_confirmation") is True


class Pages:
    """Other sites."""

    def __init__(self, **pages: str) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request.url)
        name = request.url.split("//")[1].split(".")[0]
        found = self.pages.get(name)
        return Response(200 if found else 404, request.url, {"content-type": "text/html; charset=utf-8"}, (found or "").encode())


@covers()
async def test_a_link_is_verified_when_its_page_links_back_and_again_when_it_changes(town: Town) -> None:
    alice = await town.person("alice")
    name = alice.account.username
    pages = Pages(mine=f'<p><a rel="me nofollow" href="http://localhost/@{name}">me</a>', other='<a href="x" rel="me">x</a>')
    job = type(town.app.job)(town.app.db, Http(user_agent="t", transport=pages, allow_plain_http=True), town.app.settings)
    fields = [{"name": "Mine", "value": "https://mine.example/"}, {"name": "Other", "value": "https://other.example/"},
              {"name": "Gone", "value": "https://gone.example/"}, {"name": "Text", "value": "no link"}]
    await alice.ask("Profile", "PATCH", P, json={"fields_attributes": fields})
    await jobs.drain(job, jobs.named(wiring.REACTIONS))
    shown = (await alice.ask("Account", "GET", f"{A}/{alice.account.id}"))["fields"]
    assert [bool(row["verified_at"]) for row in shown] == [True, False, False, False]
    pages.asked.clear()
    await alice.ask("Profile", "PATCH", P, json={"fields_attributes": fields[:1]})
    await jobs.drain(job, jobs.named(wiring.REACTIONS))
    assert pages.asked == []
    assert (await alice.ask("Profile", "GET", P))["fields"][0]["verified_at"]
    changed = [{"name": "Mine", "value": "https://other.example/"}]
    assert (await alice.ask("Profile", "PATCH", P, json={"fields_attributes": changed}))["fields"][0]["verified_at"] is None
