"""Two cities agree on who follows whom: what one of them has lost is found out by the next post for followers only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from starlette.types import Receive, Scope, Send

from cities.harness import Cities, City, key_pair
from cities.test_follow import following, relation
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.errors import Upstream
from parvis.base.http import Request
from parvis.federation import outbox, signatures, synchrony, wire

SYNC = "followers_synchronization"


async def readers(cities: Cities, nord: City, sued: City) -> tuple[Account, Account, Account]:
    """Alice and Emil of Nord follow Bela of Süd."""
    alice, emil, bela = await nord.person("alice"), await nord.person("emil"), await sued.person("bela")
    await following(cities, nord, alice, sued, bela)
    await following(cities, nord, emil, sued, bela)
    cities.network.log.clear()
    cities.network.sent.clear()
    return alice, emil, bela


async def lose(city: City, by: Account, target: Account) -> None:
    """A city forgets that somebody follows, and nobody is told."""
    await city.as_owner(
        """DELETE FROM follows WHERE account_id = (SELECT id FROM accounts WHERE uri = $1)
           AND target_id = (SELECT id FROM accounts WHERE uri = $2)""",
        by.uri, target.uri,
    )


async def between(city: City, by: Account, target: Account) -> str:
    """How one follows another, as this city sees it."""
    sides = [await city.look(people.by_uri, one.uri) for one in (by, target)]
    assert sides[0] and sides[1]
    return await relation(city, sides[0], sides[1])


async def whisper(cities: Cities, city: City, by: Account) -> None:
    """Somebody says something to their followers alone."""
    await city.post(by, "Entre nous", "private")
    await cities.settle()


def asked(cities: Cities) -> list[str]:
    """Which lists of followers were asked for."""
    return [url for method, url, _ in cities.network.log if method == "GET" and url.endswith(SYNC)]


def sent(cities: Cities, kind: str) -> list[Request]:
    """The activities of a kind that travelled."""
    return [one for one in cities.network.sent if one.body and msgspec.json.decode(one.body)["type"] == kind]


async def bring(cities: Cities, sender: Account, header: str, signed: bool = True) -> int:
    """Bring an activity with such a header to Nord, as the sender's server would."""
    body = msgspec.json.encode({"id": f"{sender.uri}#{hash(header)}", "type": "Like", "actor": sender.uri, "object": sender.uri})
    given, to = {"content-type": wire.CONTENT_TYPE, synchrony.HEADER: header}, "https://nord.example/inbox"
    signer = signatures.Signer(key_pair(len(sender.username) % 4)[0], f"{sender.uri}#main-key")
    covered = given if signed else {"content-type": wire.CONTENT_TYPE}
    proofs = signatures.sign(signer, "POST", to, covered, body, cities.all[0].clock.now())
    answer = await cities.network.send(Request("POST", to, given | {n.lower(): v for n, v in proofs.items()}, body))
    await cities.settle()
    return answer.status


@pytest.mark.shows("FEP-8fcf")
async def test_what_is_for_followers_carries_the_digest_of_those_who_live_there(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, emil, bela = await readers(cities, nord, sued)
    chloe = await ost.person("chloe")
    await following(cities, ost, chloe, sued, bela)
    cities.network.sent.clear()
    await whisper(cities, sued, bela)
    told = {one.url: one.headers for one in sent(cities, "Create")}
    for inbox, there in (("https://nord.example/inbox", [emil.uri, alice.uri]), ("https://ost.example/inbox", [chloe.uri])):
        said = signatures.pairs(told[inbox][synchrony.HEADER])
        assert said == {
            "collectionId": f"{bela.uri}/followers", "url": f"{bela.uri}/{SYNC}", "digest": synchrony.digest(there),
        }
        assert synchrony.HEADER in signatures.parse(told[inbox]["signature"]).headers
    assert asked(cities) == []


@pytest.mark.parametrize("visibility", ["public", "unlisted", "direct"])
async def test_what_is_for_others_too_carries_none(cities: Cities, nord: City, sued: City, visibility: str) -> None:
    _alice, _emil, bela = await readers(cities, nord, sued)
    await sued.meet("alice@nord.example")
    await sued.post(bela, "Bonjour @alice@nord.example", visibility)
    await cities.settle()
    assert [synchrony.HEADER in one.headers for one in sent(cities, "Create")] == [False]


@pytest.mark.shows("FEP-8fcf")
async def test_a_follow_that_only_the_other_city_knows_of_is_taken_back(cities: Cities, nord: City, sued: City) -> None:
    alice, emil, bela = await readers(cities, nord, sued)
    await lose(nord, alice, bela)
    await whisper(cities, sued, bela)
    assert asked(cities) == [f"{bela.uri}/{SYNC}"]
    assert [await between(city, alice, bela) for city in (nord, sued)] == ["none", "none"]
    assert [await between(city, emil, bela) for city in (nord, sued)] == ["follows", "follows"]
    await following(cities, nord, alice, sued, bela)
    assert [await between(city, alice, bela) for city in (nord, sued)] == ["follows", "follows"]


@pytest.mark.shows("FEP-8fcf")
async def test_a_follow_that_only_this_city_knows_of_is_over(cities: Cities, nord: City, sued: City) -> None:
    alice, emil, bela = await readers(cities, nord, sued)
    await lose(sued, alice, bela)
    await whisper(cities, sued, bela)
    assert [await between(nord, one, bela) for one in (alice, emil)] == ["none", "follows"]
    seen = await nord.look(people.by_uri, bela.uri)
    assert seen is not None
    assert (await nord.look(people.shown, [seen.id]))[0].followers == 1
    assert sent(cities, "Undo") == []


async def test_a_request_whose_answer_was_lost_comes_into_force(cities: Cities, nord: City, sued: City) -> None:
    alice, _emil, bela = await readers(cities, nord, sued)
    await nord.as_owner("UPDATE follows SET accepted = false WHERE account_id = $1", alice.id)
    await whisper(cities, sued, bela)
    assert [await between(city, alice, bela) for city in (nord, sued)] == ["follows", "follows"]


async def test_the_list_is_asked_for_once_an_hour_at_most(cities: Cities, nord: City, sued: City) -> None:
    alice, emil, bela = await readers(cities, nord, sued)
    await lose(nord, alice, bela)
    await whisper(cities, sued, bela)
    await following(cities, nord, alice, sued, bela)
    await lose(nord, emil, bela)
    await whisper(cities, sued, bela)
    assert (len(asked(cities)), await between(sued, emil, bela)) == (1, "follows")
    await cities.advance(timedelta(hours=1))
    await whisper(cities, sued, bela)
    assert (len(asked(cities)), await between(sued, emil, bela)) == (2, "none")


@pytest.mark.shows("FEP-8fcf")
async def test_each_city_is_told_of_its_own_people_alone(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, emil, bela = await readers(cities, nord, sued)
    chloe, hugo = await ost.person("chloe"), await sued.person("hugo")
    await following(cities, ost, chloe, sued, bela)
    await sued.do(accounts.follow, hugo, bela)
    url = f"{bela.uri}/{SYNC}"
    for by, there in ((alice, [alice.uri, emil.uri]), (chloe, [chloe.uri])):
        answer = await cities.get(url, by)
        found = msgspec.json.decode(answer.body)
        assert (answer.status, found["id"], found["type"], found["orderedItems"]) == (200, url, "OrderedCollection", there)
        assert answer.headers["cache-control"] == "private, no-store"


async def test_whoever_does_not_say_who_they_are_is_told_nothing(cities: Cities, nord: City, sued: City) -> None:
    alice, _emil, bela = await readers(cities, nord, sued)
    url = f"{bela.uri}/{SYNC}"
    assert (await cities.get(url)).status == 401
    proofs = signatures.sign(signatures.Signer(key_pair(9)[0], f"{alice.uri}#main-key"), "GET", url, {}, None, nord.clock.now())
    assert (await cities.network.send(Request("GET", url, proofs))).status == 401
    assert (await cities.get(f"https://sued.example/ap/users/1/{SYNC}", alice)).status == 404


async def test_a_city_that_was_never_met_is_asked_who_it_is(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, _emil, bela = await readers(cities, nord, sued)
    found = await wire.document(ost.job, f"{bela.uri}/{SYNC}")
    assert found["orderedItems"] == []
    assert await sued.look(people.by_uri, "https://ost.example/actor") is not None
    cities.network.down.add("nord.example")
    with pytest.raises(Upstream):
        await wire.document(nord.job, f"{bela.uri}/{SYNC}")


async def test_of_very_many_followers_nothing_is_said(cities: Cities, nord: City, sued: City) -> None:
    alice, _emil, bela = await readers(cities, nord, sued)
    await sued.as_owner("DELETE FROM account_counts WHERE account_id = $1", bela.id)
    await sued.as_owner(
        "INSERT INTO account_counts (account_id, followers) VALUES ($1, $2::int)", bela.id, outbox.MOST_COMPARED + 1
    )
    await whisper(cities, sued, bela)
    assert [synchrony.HEADER in one.headers for one in sent(cities, "Create")] == [False]
    assert (await cities.get(f"{bela.uri}/{SYNC}", alice)).status == 404


def header(collection: str, url: str, digest: str = "0" * 64) -> str:
    return f'collectionId="{collection}", url="{url}", digest="{digest}"'


async def test_a_header_that_speaks_of_others_or_is_not_signed_is_not_read(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    _alice, _emil, bela = await readers(cities, nord, sued)
    mine, url = f"{bela.uri}/followers", f"{bela.uri}/{SYNC}"
    wrong = [
        header(f"{bela.uri}1/followers", url), header(mine, url.replace("sued", "ost")), header(mine, url.replace("https", "http")),
        header(mine, url, "0" * 63), header(mine, url, "z" * 64), f'collectionId="{mine}", url="{url}"', "nonsense", '="',
    ]
    for one in wrong:
        assert await bring(cities, bela, one) == 202
    assert await bring(cities, bela, header(mine, url), signed=False) == 202
    assert [url for method, url, _ in cities.network.log if method == "GET"] == []
    assert await nord.value("SELECT count(*) FROM inbox_refusals") == 0


async def test_a_list_that_is_not_the_one_announced_changes_nothing(cities: Cities, nord: City, sued: City) -> None:
    alice, emil, bela = await readers(cities, nord, sued)
    await lose(nord, alice, bela)
    await lose(sued, emil, bela)
    assert await bring(cities, bela, header(f"{bela.uri}/followers", f"{bela.uri}/{SYNC}")) == 202
    assert asked(cities) == [f"{bela.uri}/{SYNC}"]
    assert [await between(sued, alice, bela), await between(nord, emil, bela)] == ["follows", "follows"]


async def test_whoever_began_to_follow_meanwhile_stays(cities: Cities, nord: City, sued: City) -> None:
    _alice, _emil, bela = await readers(cities, nord, sued)
    seen = await nord.look(people.by_uri, bela.uri)
    assert seen is not None
    event: dict[str, Any] = {"account": seen.id, "url": f"{bela.uri}/{SYNC}", "known": "0" * 64, "mark": 1}
    await sued.as_owner("DELETE FROM follows")
    await synchrony.synchronise(nord.job, synchrony.FollowersDiffer(listed="0" * 64, **event))
    assert asked(cities) == [f"{bela.uri}/{SYNC}"]
    assert await nord.value("SELECT count(*) FROM follows") == 2


async def test_a_list_may_come_in_pages_of_its_own_server(cities: Cities, nord: City, sued: City) -> None:
    pages: dict[str, dict[str, Any]] = {
        "/list": {"first": "https://far.example/1"},
        "/1": {"items": ["https://nord.example/1"], "next": "https://far.example/2"},
        "/2": {"orderedItems": ["https://nord.example/2", 3], "next": "https://sued.example/3"},
    }

    async def far(scope: Scope, _receive: Receive, send: Send) -> None:
        body = msgspec.json.encode({"id": f"https://far.example{scope['path']}", **pages[scope["path"]]})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", wire.CONTENT_TYPE.encode())]})
        await send({"type": "http.response.body", "body": body})

    cities.network.hosts["far.example"] = far
    dora = msgspec.structs.replace(await sued.person("dora"), uri="https://far.example/dora")
    found = await synchrony.theirs(nord.job, dora, "https://far.example/list")
    assert found == {"https://nord.example/1", "https://nord.example/2"}
    assert {url.split("/")[2] for _, url, _ in cities.network.log} == {"far.example"}


@pytest.mark.shows("FEP-8fcf")
def test_the_digest_is_that_of_the_proposal() -> None:
    both = [f"https://testing.example.org/users/{number}" for number in (1, 2)]
    assert synchrony.digest(both) == "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"
    assert synchrony.digest(both) == synchrony.digest(reversed(both))
    assert synchrony.digest([]) == "0" * 64
    assert synchrony.digest([both[0], *both]) == synchrony.digest(both[1:])


@pytest.mark.parametrize(("uri", "origin"), [
    ("https://nord.example/ap/users/1", "https://nord.example/"), ("https://nord.example:8443/x", "https://nord.example:8443/"),
    ("https://Nord.example", "https://nord.example/"), ("http://nord.example/x", "http://nord.example/"), ("acct:a@b", ""), ("", ""),
])
def test_ids_of_a_server_begin_alike(uri: str, origin: str) -> None:
    assert synchrony.origin(uri) == origin
