"""The security rules at the doors of a city's own people, each under its number in the design; the others stand in test_rules_of_safety.py."""

from __future__ import annotations

import ast
import re
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints

import asyncpg
import msgspec
import pytest

import footage
import parvis
from api.listening import Socket, tell
from api.test_web import Browser
from cities.harness import Cities, City
from cities.test_rules_of_safety import FAUX, Faux
from conftest import Answer, Client, Person, settle_in
from parvis.access import actions as access
from parvis.access import queries as users
from parvis.access.model import SignUp
from parvis.api import limits
from parvis.api.call import Operation
from parvis.api.operations import OPERATIONS
from parvis.federation import endpoints
from parvis.links import actions as links
from parvis.web import pages

S = "/api/v1/statuses"
SECRET = "Zwiebelturm"
ABSENT = "115000000000000001"


async def settle(city: City, *names: str) -> list[Person]:
    """People of this city who can sign in, and whom no limit stops."""
    city.app.limits.enforced = False
    return [await settle_in(city.app, name) for name in names]


async def made(someone: Client, method: str, path: str, **fields: object) -> Any:
    """A request that succeeds."""
    answer = await someone.send(method, path, json=fields)
    assert answer.status == 200, (path, answer.text)
    return answer.json()


def filled(operation: Operation, number: object) -> str:
    """The path of an operation with this in the place of what it names."""
    return re.sub(r"{\w+}", str(number), operation.path)


async def test_rule_10_hidden_and_absent_are_told_alike(nord: City) -> None:
    """10: whoever may not see a post learns no more than if there were none, from any operation that names one."""
    alice, bela = await settle(nord, "alice", "bela")
    hidden = await made(alice, "POST", S, status=f"{SECRET} entre nous", visibility="direct")
    shown = await made(alice, "POST", S, status="Pour tous")
    kept = (await made(bela, "POST", "/api/v2/filters", title="x", context=["home"]))["id"]

    def about(number: str) -> list[tuple[str, str, Any]]:
        """Every request that names a post."""
        named = [(o.method, filled(o, number), {"status": "x"}) for o in OPERATIONS if o.path.startswith(f"{S}/{{id}}")]
        return [
            *named, ("POST", S, {"status": "x", "in_reply_to_id": number}), ("POST", S, {"status": "x", "quoted_status_id": number}),
            ("POST", "/api/v1/reports", {"account_id": str(alice.account.id), "status_ids": [number]}),
            ("POST", f"/api/v2/filters/{kept}/statuses", {"status_id": number}),
        ]

    assert len(about("1")) > 25
    for who in (bela, Client(nord.app)):
        for asked in zip(about(hidden["id"]), about(ABSENT), strict=True):
            told = [await who.send(method, path, json=body) for method, path, body in asked]
            assert (told[0].status, told[0].body) == (told[1].status, told[1].body), asked
            assert told[0].status >= 400, asked
            assert SECRET not in told[0].text
    assert (await bela.get(f"{S}/{hidden['id']}")).json() == {"error": "Record not found"}
    for number, who in ((shown["id"], bela), (hidden["id"], alice)):
        assert (await who.get(f"{S}/{number}")).status == 200
    absent = hidden["uri"].replace(hidden["id"], ABSENT)
    for path in ("", "/activity", "/replies", "/likes", "/shares"):
        answers = [await Client(nord.app).get(f"{uri}{path}".removeprefix("https://nord.example"), accept="application/activity+json")
                   for uri in (hidden["uri"], absent, shown["uri"])]
        assert [(one.status, one.body) for one in answers[:2]] == [(404, answers[0].body)] * 2
        assert answers[2].status == 200


# What belongs to one person, and that only they may change, see or take away.
OWN = ("lists", "list_accounts", "filters", "filter_keywords", "filter_statuses", "scheduled_statuses", "media", "push_subscriptions",
       "collections", "markers", "conversations", "featured_tags", "account_notes", "tokens", "sessions", "users", "archives", "imports",
       "invitations", "letter_preferences", "notification_policies", "bookmarks", "pins", "domain_blocks", "tag_follows")


async def belongings(city: City, account_id: int) -> dict[str, str]:
    """A mark of all that is somebody's own."""
    found = {}
    for table in OWN:
        inner = {"list_accounts": "list_id IN (SELECT id FROM lists WHERE account_id = $1)",
                 "filter_keywords": "filter_id IN (SELECT id FROM filters WHERE account_id = $1)",
                 "filter_statuses": "filter_id IN (SELECT id FROM filters WHERE account_id = $1)"}.get(table, "account_id = $1")
        found[table] = await city.value(f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {table} t WHERE {inner}", account_id)
    return found


async def furnished(alice: Person, bela: Person) -> list[str]:
    """One of everything that can belong to somebody, with a secret in it; the ids."""
    await made(alice, "POST", f"/api/v1/accounts/{bela.account.id}/follow")
    said = await made(alice, "POST", S, status=f"{SECRET}, à moi seule", visibility="direct")
    rows = [
        said, await made(alice, "POST", "/api/v1/lists", title=SECRET),
        await made(alice, "POST", "/api/v2/filters", title=SECRET, context=["home"], keywords_attributes=[{"keyword": SECRET}]),
        await made(alice, "POST", S, status=SECRET, scheduled_at=(datetime.now(UTC) + timedelta(days=2)).isoformat()),
        (await alice.upload("/api/v2/media", footage.drawing(), description=SECRET)).json(),
        await made(alice, "POST", "/api/v1/featured_tags", name="fete"),
    ]
    keyword = rows[2]["keywords"][0]
    kept = await made(alice, "POST", f"/api/v2/filters/{rows[2]['id']}/statuses", status_id=said["id"])
    await made(alice, "POST", f"/api/v1/accounts/{bela.account.id}/note", comment=SECRET)
    await made(bela, "POST", S, status=f"@{alice.account.username} salut", visibility="direct")
    conversations = (await alice.get("/api/v1/conversations")).json()
    notified = (await alice.get("/api/v1/notifications")).json()
    return [row["id"] for row in (*rows, keyword, kept, *conversations, *notified)]


async def test_rule_11_nobody_reaches_what_is_anothers(nord: City) -> None:
    """11: every operation that names a thing is tried, by the table, on everything that belongs to somebody else."""
    alice, bela, chloe = await settle(nord, "alice", "bela", "chloe")
    ids = await furnished(alice, bela)
    assert len(ids) >= 10
    before = await belongings(nord, alice.account.id)
    naming = sorted((o for o in OPERATIONS if "{" in o.path and not o.stream), key=lambda o: o.method != "GET")
    assert len(naming) > 100
    seen_by_alice = 0
    for operation in naming:
        for number in ids:
            answer = await chloe.send(operation.method, filled(operation, number), json={} if operation.method != "GET" else None)
            assert answer.status != 500, (operation.name, answer.text)
            assert SECRET not in answer.text, operation.name
            if operation.method == "GET":
                seen_by_alice += SECRET in (await alice.get(filled(operation, number))).text
    assert seen_by_alice >= 8
    after = await belongings(nord, alice.account.id)
    assert {table for table in OWN if before[table] != after[table]} == set()
    for path in ("/api/v1/lists", "/api/v2/filters", "/api/v1/scheduled_statuses", "/api/v1/conversations", "/api/v1/notifications"):
        assert len((await alice.get(path)).json()) > 0, path
        assert SECRET not in (await chloe.get(path)).text


async def test_rule_12_a_stream_asks_for_its_scope_and_ends_with_its_token(nord: City) -> None:
    """12: what a token does not cover is not streamed, and a token that is taken back closes what it opened."""
    alice, _bela = await settle(nord, "alice", "bela")
    async with nord.db.write() as tx:
        app = (await access.register_application(tx, "App", None, ["urn:ietf:wg:oauth:2.0:oob"], "read write")).application
        narrow, _ = await access.issue(tx, alice.account.id, ["write", "read:lists"], app.id)
        token, _ = await access.issue(tx, alice.account.id, ["read:statuses"], app.id)
    refused = await Socket.open(nord.app, narrow, stream="user")
    assert (refused.status, refused.error) == (403, "This action is outside the authorized scopes")
    assert (await Socket.open(nord.app, None, stream="public")).status == 401
    revoked, kept = await Socket.open(nord.app, token, stream="user"), await Socket.open(nord.app, alice.token, stream="user")
    await made(alice, "POST", S, status="Avant")
    await tell(nord.app)
    assert [[one["event"] for one in line.take()] for line in (revoked, kept)] == [["update"], ["update"]]
    async with nord.db.write() as tx:
        await access.revoke(tx, app, token)
    await made(alice, "POST", S, status="Après")
    await tell(nord.app)
    await revoked.task
    assert (revoked.heard, revoked.closed) == ([], 1008)
    assert [one["event"] for one in kept.take()] == ["update"]
    await kept.hang_up()


async def test_rule_13_every_limit_holds_on_the_path_it_is_for(cities: Cities, nord: City) -> None:
    """13: each operation with a limit is tried at it; sign-ins are counted by address and by account."""
    alice, _bela = await settle(nord, "alice", "bela")
    async with nord.db.write() as tx:
        app = (await access.register_application(tx, "App", None, ["urn:ietf:wg:oauth:2.0:oob"], "read write")).application
        app_token, *_ = await access.app_token(tx, app, "read write")
    nord.app.limits.enforced = True
    limited = [o for o in OPERATIONS if o.limit]
    assert len(limited) > 8
    for operation in limited:
        assert operation.limit
        caller: Client = Client(nord.app, app_token) if operation.who == "app" else Client(nord.app) if operation.who == "anyone" else alice
        who = str(alice.account.id) if caller is alice else "127.0.0.1"
        answers = []
        for used in (0, operation.limit.most):
            nord.app.limits = limits.Limits(enforced=True)
            for _ in range(used):
                nord.app.limits.count(operation.limit, who, nord.clock.now())
            answers.append((await caller.send(operation.method, filled(operation, 1), json={})).status)
        assert (answers[0] != 429, answers[1]) == (True, 429), operation.name
    nord.app.limits = limits.Limits(enforced=True)
    await cities.advance(timedelta(seconds=3601 - nord.clock.now().timestamp() % 3600))
    for _ in range(2):  # slowly enough for one address, or from a second one
        for login in ("alice", "ALICE@example.org") * 6:
            assert (await Browser(nord.app).sign_in(login, "wrong words")).status == 422
        await cities.advance(timedelta(minutes=6))
    assert (await Browser(nord.app).sign_in("alice", "wrong words")).status == 422
    assert (await Browser(nord.app).sign_in("alice")).status == 429
    browser = Browser(nord.app)
    assert (await browser.sign_in("bela")).status == 303
    tried = [(await Browser(nord.app).sign_in(f"nobody{number}", "wrong words")).status for number in range(24)]
    assert (tried[0], tried[-1]) == (422, 429)  # one address, whichever names it tries

    async def forgotten(by: Browser, login: str) -> int:
        return (await by.submit(await by.see("/auth/forgot"), "/auth/forgot", email=login)).status

    assert [await forgotten(browser, "alice@example.org") for _ in range(5)] == [200] * 5  # who is signed in is counted apart
    assert [await forgotten(Browser(nord.app), login) for login in ("Alice@example.org", "bela@example.org")] == [429, 200]


async def test_rule_14_foreign_files_are_remade_and_read_in_a_cell(nord: City) -> None:
    """14: what is uploaded is decoded in a process of its own, and only what was made of it anew is kept."""
    (alice,) = await settle(nord, "alice")
    smuggled = footage.photo(900, 600) + b"<script>alert(1)</script>" * 20
    assert footage.SECRET.encode() in smuggled
    file = (await alice.upload("/api/v2/media", smuggled, "image/jpeg")).json()
    kept = [path.read_bytes() for path in nord.settings.files.rglob("*") if path.is_file()]
    assert len(kept) == 2
    assert not [word for word in (footage.SECRET.encode(), b"<script>", b"Exif\0\0") for body in kept if word in body]
    assert (await alice.get(file["url"].removeprefix("https://nord.example"))).status == 200
    refused = await alice.upload("/api/v2/media", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/png")
    assert refused.status == 422
    codecs = {name for name, used in imports().items() if used & {"av", "PIL"}}
    # The operator's own files are read where they are given: emoji on the command line, and the demo's.
    assert codecs == {"base/films.py", "base/pictures.py", "emojis/actions.py", "demo.py"}
    assert {name for name, used in imports().items() if used & {"parvis.base.films", "parvis.base.pictures"}} == {"base/bench.py", "base/films.py"}
    drawing = {name for name, used in imports().items() if used & {"parvis.base.bench"}}
    assert drawing == set()  # it is only ever started, as a process


def imports() -> dict[str, set[str]]:
    """What each file imports: modules, and what is taken from them."""
    source = Path(parvis.__file__).parent
    found: dict[str, set[str]] = {}
    for path in source.rglob("*.py"):
        used = found.setdefault(path.relative_to(source).as_posix(), set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                used |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return found


EVIL = """<html><head><title>&lt;b&gt;Titre</title><meta property="og:title" content="<script>alert(1)</script>Titre">
<meta name="description" content="<img src=x onerror=alert(1)>Bonjour"><meta property="og:video" content="https://faux.example/player">
<meta name="twitter:player" content="https://faux.example/player"><meta name="fediverse:creator" content="@alice@nord.example">
<meta property="article:author" content="javascript:alert(1)"><meta property="og:image" content="javascript:alert(1)">
<link rel="alternate" type="application/json+oembed" href="https://faux.example/oembed"></head></html>"""


async def card_of(cities: Cities, nord: City, by: Person, page: str) -> dict[str, Any]:
    """The card of a page that somebody here links to."""
    said = await made(by, "POST", S, status=f"{FAUX}{page}")
    await cities.settle()
    while await links.fetch_due(nord.job):
        pass
    return dict((await made(by, "GET", f"{S}/{said['id']}"))["card"])


async def test_rule_15_a_preview_brings_no_html_of_others(cities: Cities, nord: City, sued: City) -> None:
    """15: of a page only plain words are taken: no oEmbed, no player, no markup; and no page of ours runs foreign scripts."""
    (alice,) = await settle(nord, "alice")
    faux = Faux(cities)
    faux.say("/evil", EVIL.encode(), "text/html")
    card = await card_of(cities, nord, alice, "/evil")
    assert faux.asked == ["/evil"]
    assert (card["type"], card["html"], card["embed_url"], card["image"], card["author_url"]) == ("link", "", "", None, "")
    assert (card["title"].endswith("Titre"), card["description"].endswith("Bonjour")) == (True, True)
    page = await Browser(nord.app).see("/about")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for text in (await Browser(nord.app).see("/")).text, (await Browser(nord.app).see("/@alice")).text:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<iframe" not in text


async def test_rule_16_no_page_names_its_author_by_itself(cities: Cities, nord: City, sued: City) -> None:
    """16: a page may claim an account as its author; there is no such attribution here, so none is believed unasked."""
    (alice,) = await settle(nord, "alice")
    faux = Faux(cities)
    faux.say("/evil", EVIL.encode(), "text/html")
    faux.say("/ada", b'<title>t</title><meta name="author" content="Ada">', "text/html")
    card = await card_of(cities, nord, alice, "/evil")
    assert [one for one in card["authors"] if one["account"]] == []
    assert "alice" not in msgspec.json.encode(card).decode()
    named = await card_of(cities, nord, alice, "/ada")
    assert [(one["name"], one["account"]) for one in named["authors"]] == [("Ada", None)]


async def test_rule_17_an_address_counts_once_it_is_confirmed(nord: City) -> None:
    """17: nobody acts before their address is confirmed; one address is one person's however it is written; nobody else vouches for it."""
    (alice,) = await settle(nord, "alice")

    async def sign_up(name: str, email: str) -> str:
        prepared = await access.prepare(nord.settings, SignUp(name, email, "correct horse", "en", True))
        async with nord.db.write() as tx:
            account = await access.sign_up(tx, prepared, nord.settings)
            return (await access.issue(tx, account.id, ["read", "write"], None))[0]

    with pytest.raises(Exception, match="ERR_TAKEN"):
        await sign_up("double", "ALICE@Example.ORG")
    dora = Client(nord.app, await sign_up("dora", "dora@example.org"))
    refused = await dora.post(S, json={"status": "Trop tôt"})
    assert (refused.status, refused.json()["error"]) == (403, "Your login is missing a confirmed e-mail address")
    async with nord.db.read() as r:
        user = await users.user_by_login(r, "dora")
    assert user is not None
    letter = access.confirmation_token(nord.settings, user, nord.clock.now())
    async with nord.db.write() as tx:
        assert await users.change_email(tx, user.account_id, "other@example.org")
    with pytest.raises(Exception, match="invalid"):  # the letter went to an address that is no longer hers
        await nord.do(access.confirm, nord.settings, letter)
    async with nord.db.read() as r:
        user = await users.user_by_login(r, "dora")
    assert user is not None
    assert await nord.do(access.confirm, nord.settings, access.confirmation_token(nord.settings, user, nord.clock.now()))
    assert (await dora.post(S, json={"status": "À temps"})).status == 200
    outside = {"oidc", "saml", "openid", "sso", "omniauth"}  # no other server signs anybody in here
    assert not [path for path in paths() if outside & set(re.split(r"\W+", path.lower()))]
    info = await Client(nord.app, (await token_for(nord, alice, "profile"))).get("/oauth/userinfo")
    assert (info.status, "email" in info.json()) == (200, False)


async def token_for(city: City, person: Person, scope: str) -> str:
    async with city.db.write() as tx:
        return (await access.issue(tx, person.account.id, [scope], None))[0]


def paths() -> set[str]:
    """Every path this program answers."""
    rows = [*OPERATIONS, *endpoints.ROWS]
    return {row.path for row in rows} | {str(getattr(route, "path", "")) for route in pages.routes()}


# Who has not shown a token may write these: to get one, to have letters sent, to be told of the city.
UNASKED = {"POST /api/v1/apps", "POST /oauth/token", "POST /oauth/revoke", "POST /api/v1/accounts/{id}/email_subscriptions"}


async def test_rule_19_no_other_program_has_a_door_of_its_own(nord: City) -> None:
    """19: there are no providers or plugins that could call; whoever writes shows a token, or signs as an actor at an inbox."""
    assert {o.name for o in OPERATIONS if o.method != "GET" and o.who == "anyone"} == UNASKED
    signed = {row.path for row in endpoints.ROWS if row.method == "POST"}
    assert signed == {"/inbox", "/ap/users/{id}/inbox"}
    assert not [path for path in paths() if re.search(r"fasp|provider|plugin|webhook|callback", path)]
    for path in ("/api/fasp/data_sharing/v0/announcements", "/fasp/registration", "/inbox"):
        answer = await Client(nord.app).post(path, json={"id": f"{FAUX}/1", "type": "Like", "actor": f"{FAUX}/eve"})
        assert answer.status in (401, 404, 405), path
    (alice,) = await settle(nord, "alice")
    assert (await alice.post(S, json={"status": "Avec un jeton"})).status == 200


def sample(kind: Any, text: str, ids: list[int]) -> Any:
    """A value of a parameter: texts of these words, ids of things there are."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return sample(next(one for one in typing.get_args(kind) if one is not type(None) and one is not msgspec.UnsetType), text, ids)
    if typing.get_origin(kind) is typing.Literal:
        return typing.get_args(kind)[0]
    if typing.get_origin(kind) is list:
        return [sample(typing.get_args(kind)[0], text, ids)]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {one.encode_name: sample(get_type_hints(kind)[one.name], text, ids) for one in msgspec.structs.fields(kind)}
    return {bool: True, int: ids[0], str: text}.get(kind)


def variants(operation: Operation, ids: list[int]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Bodies for an operation in each of which another parameter is far too long, the others being short."""
    hints = get_type_hints(operation.parameters)
    named = {one.name: one.encode_name for one in msgspec.structs.fields(operation.parameters) if f"{{{one.name}}}" not in operation.path}
    known: Mapping[str, Any] = {"context": ["home"], "poll": None, "scheduled_at": "", "website": "https://x.example/", "scopes": "read"}
    short = {outside: known.get(one, sample(hints[one], "bonjour", ids)) for one, outside in named.items()}
    for one, outside in named.items():
        long = sample(hints[one], "https://x.example/" + "x" * 60_000, ids)
        if long != sample(hints[one], "", ids):
            yield one, {name: value for name, value in short.items() if value is not None} | {outside: long}


LONGEST = """SELECT format('SELECT %L, max(length(%I::text)) FROM %I.%I', table_name || '.' || column_name, column_name, table_schema, table_name)
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema IN ('public', 'residency') AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'pgqueuer%'"""


async def test_rule_08_nothing_that_people_here_write_is_longer_than_we_allow(nord: City) -> None:
    """8: every parameter of every operation that writes is tried with 60,000 letters, and nothing of that length is kept."""
    alice, bela = await settle(nord, "alice", "bela")
    said = await made(alice, "POST", S, status="Bonjour")
    ids = [int(said["id"])]
    tried = 0
    for operation in OPERATIONS:
        if operation.method == "GET":
            continue
        for name, body in variants(operation, ids):
            answer: Answer = await alice.send(operation.method, filled(operation, said["id"]), json=body)
            assert answer.status != 500, (operation.name, name, answer.text)
            tried += 1
    assert tried > 60
    owner: asyncpg.Connection[Any] = await asyncpg.connect(nord.owner_url)
    sql = " UNION ALL ".join(row[0] for row in await owner.fetch(LONGEST))
    found = {row[0]: row[1] for row in await owner.fetch(sql)}
    await owner.close()
    assert {name: size for name, size in found.items() if (size or 0) > 20_000} == {}
    for path, field, fits in (("/api/v1/lists", "title", 256), ("/api/v2/filters", "title", 256), ("/api/v1/collections", "name", 40)):
        sizes = [(await bela.post(path, json={field: "x" * size, "context": ["home"]})).status for size in (fits, fits + 1)]
        assert sizes == [200, 422], path
