"""Two ways to sign: both are understood, and each server is spoken to as it understands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from cities.harness import Cities, City, key_pair
from cities.test_follow import following
from cities.test_hostile import NORD, create, note
from cities.test_posts import arrived, friends
from parvis.accounts.model import Account
from parvis.base.http import Request
from parvis.federation import message_signatures, wire
from parvis.federation.signatures import Signer

KIND = {"content-type": "application/activity+json"}


async def read_by_each_other(cities: Cities, nord: City, sued: City) -> tuple[Account, Account]:
    """Alice of Nord and Bela of Süd follow each other."""
    alice, bela = await friends(cities, nord, sued)
    await following(cities, sued, bela, nord, alice)
    return alice, bela


def only(app: ASGIApp, understands: Callable[[frozenset[bytes]], bool]) -> ASGIApp:
    """A server that answers 401 to signatures of another way."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        names = frozenset(name for name, _ in scope["headers"])
        if b"signature" in names and not understands(names):
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    return door


def new_way(names: frozenset[bytes]) -> bool:
    return b"signature-input" in names


def old_way(names: frozenset[bytes]) -> bool:
    return b"signature-input" not in names


async def brought(
    cities: Cities, by: Account, said: dict[str, Any], url: str = NORD, later: timedelta = timedelta(), key: int | None = None
) -> int:
    """A post signed by RFC 9421 for one address and brought to Nord's; with a key of somebody else, if one is named."""
    raw = msgspec.json.encode(create(by, said))
    signer = Signer(key_pair(len(by.username) % 4 if key is None else key)[0], wire.key_id(by.uri))
    headers = message_signatures.sign(signer, "POST", url, KIND, raw, cities.all[0].clock.now() + later)
    answer = await cities.network.send(Request("POST", NORD, KIND | {name.lower(): value for name, value in headers.items()}, raw))
    await cities.settle()
    return answer.status


@pytest.mark.shows("HTTP message signatures")
async def test_a_server_that_knows_only_rfc_9421_is_asked_twice_once(cities: Cities, nord: City, sued: City) -> None:
    cities.network.hosts["sued.example"] = only(cities.network.hosts["sued.example"], new_way)
    alice, _ = await read_by_each_other(cities, nord, sued)
    assert await nord.value("SELECT signatures FROM peers WHERE domain = 'sued.example'") == "rfc9421"
    cities.network.log.clear()
    said = await nord.post(alice, "Bonjour")
    await cities.settle()
    assert await arrived(sued, said)
    assert [status for method, url, status in cities.network.log if method == "POST" and "sued" in url] == [202]


async def test_a_server_that_knows_only_the_older_way_is_asked_once(cities: Cities, nord: City, sued: City) -> None:
    cities.network.hosts["sued.example"] = only(cities.network.hosts["sued.example"], old_way)
    alice, _ = await read_by_each_other(cities, nord, sued)
    said = await nord.post(alice, "Bonjour")
    await cities.settle()
    assert await arrived(sued, said)
    assert 401 not in [status for _, url, status in cities.network.log if "sued" in url]
    assert await nord.value("SELECT signatures FROM peers WHERE domain = 'sued.example'") is None


async def test_a_server_that_is_busy_has_understood_nothing(cities: Cities, nord: City, sued: City) -> None:
    alice, _ = await read_by_each_other(cities, nord, sued)
    inner = cities.network.hosts["sued.example"]

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        code = 503 if new_way(frozenset(name for name, _ in scope["headers"])) else 401
        await send({"type": "http.response.start", "status": code, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    cities.network.hosts["sued.example"] = busy
    said = await nord.post(alice, "Bonjour")
    await cities.settle()
    assert await nord.value("SELECT signatures FROM peers WHERE domain = 'sued.example'") is None
    cities.network.hosts["sued.example"] = inner
    await cities.advance(timedelta(minutes=1))
    await cities.settle()
    assert await arrived(sued, said)


async def test_a_server_that_went_back_is_learnt_anew(cities: Cities, nord: City, sued: City) -> None:
    alice, _ = await read_by_each_other(cities, nord, sued)
    await nord.as_owner("UPDATE peers SET signatures = 'rfc9421' WHERE domain = 'sued.example'")
    cities.network.hosts["sued.example"] = only(cities.network.hosts["sued.example"], old_way)
    said = await nord.post(alice, "Bonjour")
    await cities.settle()
    assert await arrived(sued, said)
    assert await nord.value("SELECT signatures FROM peers WHERE domain = 'sued.example'") == "cavage"


@pytest.mark.shows("HTTP message signatures", "Digest fields")
async def test_an_activity_signed_by_rfc_9421_takes_effect(cities: Cities, nord: City, sued: City) -> None:
    _, bela = await friends(cities, nord, sued)
    said = note(bela, "neuf")
    assert await brought(cities, bela, said) == 202
    assert await nord.value("SELECT count(*) FROM statuses WHERE uri = $1", said["id"]) == 1


@pytest.mark.parametrize(("url", "later", "key", "status"), [
    ("https://west.example/inbox", timedelta(), None, 401),  # what was signed for another server proves nothing here
    (f"{NORD}?x=1", timedelta(), None, 401), (NORD, timedelta(hours=2), None, 401), (NORD, timedelta(hours=-2), None, 401),
    (NORD, timedelta(), 3, 401), (NORD, timedelta(minutes=-30), None, 202),
])
async def test_it_is_good_for_this_address_for_a_while_and_with_this_key(
    cities: Cities, nord: City, sued: City, url: str, later: timedelta, key: int | None, status: int
) -> None:
    _, bela = await friends(cities, nord, sued)
    said = note(bela, "ailleurs")
    assert await brought(cities, bela, said, url, later, key) == status
    assert bool(await nord.value("SELECT count(*) FROM statuses WHERE uri = $1", said["id"])) == (status == 202)


async def test_a_document_for_some_is_shown_to_who_signs_in_the_new_way(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await read_by_each_other(cities, nord, sued)
    said = await nord.post(alice, "Entre nous", "private")
    signer = Signer(key_pair(len(bela.username) % 4)[0], wire.key_id(bela.uri))
    accept = {"accept": "application/activity+json"}
    signed = message_signatures.sign(signer, "GET", said.uri, accept, None, nord.clock.now())
    shown = await cities.network.send(Request("GET", said.uri, accept | {name.lower(): value for name, value in signed.items()}))
    assert (shown.status, (await cities.get(said.uri)).status) == (200, 404)
