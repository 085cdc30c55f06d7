"""Relays: asked by the operator, given what is public, and believed in nothing but where a post is."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec
import pytest
from starlette.types import Receive, Scope, Send

from cities.harness import Cities, City, key_pair
from cities.test_posts import arrived
from parvis import desk
from parvis.accounts.model import Account
from parvis.base.errors import Conflict, Invalid, NotFound
from parvis.base.http import Request
from parvis.federation import fetch, relays, signatures
from parvis.federation.relaying import queries as relaying

RELAY = "https://relay.example/actor"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
NORD = "https://nord.example/inbox"


class Relay:
    """A relay: its actor, and what its inbox has heard."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.actor = {
            "id": RELAY, "type": "Application", "preferredUsername": "relay", "inbox": "https://relay.example/inbox",
            "publicKey": {"id": f"{RELAY}#main-key", "owner": RELAY, "publicKeyPem": key_pair(len("relay") % 4)[1]},
        }
        self.finger = {
            "subject": "acct:relay@relay.example",
            "links": [{"rel": "self", "type": "application/activity+json", "href": RELAY}],
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        if scope["path"] == "/inbox":
            self.heard.append(msgspec.json.decode((await receive())["body"]))
        else:
            body = msgspec.json.encode(self.finger if "webfinger" in scope["path"] else self.actor)
        kind = b"application/activity+json"
        await send({"type": "http.response.start", "status": 202 if not body else 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body})


async def states(city: City) -> list[str]:
    return [relay.state for relay in await city.look(relaying.known)]


async def asked(cities: Cities, nord: City) -> tuple[Relay, Account, dict[str, Any]]:
    """Nord asks a relay; the relay as Nord knows it, and what it was sent."""
    relay = Relay()
    cities.network.hosts["relay.example"] = relay
    await nord.do(relays.add, RELAY)
    await cities.settle()
    assert await states(nord) == ["asked"]
    return relay, await fetch.actor(nord.job, RELAY), relay.heard[-1]


async def answer(cities: Cities, by: Account, kind: str, follow: dict[str, Any]) -> None:
    said = {"id": f"{by.uri}#{kind}", "type": kind, "actor": by.uri, "object": follow}
    assert (await cities.deliver(NORD, said, by)).status == 202
    await cities.settle()


async def agreed(cities: Cities, nord: City) -> tuple[Relay, Account]:
    """A relay that has said yes."""
    relay, known, follow = await asked(cities, nord)
    await answer(cities, known, "Accept", follow)
    assert await states(nord) == ["accepted"]
    relay.heard.clear()
    return relay, known


async def test_a_relay_is_asked_by_following_everybody(cities: Cities, nord: City) -> None:
    relay, _known, follow = await asked(cities, nord)
    assert (follow["type"], follow["actor"], follow["object"]) == ("Follow", "https://nord.example/actor", PUBLIC)
    assert len(relay.heard) == 1
    with pytest.raises(Conflict):
        await nord.do(relays.add, RELAY)


async def test_public_posts_go_to_a_relay_that_agreed_and_no_others_do(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    relay, known, follow = await asked(cities, nord)
    await nord.post(alice, "Trop tôt")
    await cities.settle()
    assert len(relay.heard) == 1
    await answer(cities, known, "Accept", follow)
    for visibility in ("unlisted", "private", "direct", "public"):
        said = await nord.post(alice, "Bonjour", visibility)
    await cities.settle()
    assert [(one["type"], one["object"]["id"]) for one in relay.heard[1:]] == [("Create", said.uri)]
    assert relay.heard[-1]["actor"] == alice.uri


async def test_a_relay_that_refuses_is_given_nothing(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    relay, known, follow = await asked(cities, nord)
    await answer(cities, known, "Reject", follow)
    assert await states(nord) == ["refused"]
    await nord.post(alice, "Bonjour")
    await cities.settle()
    assert len(relay.heard) == 1


async def test_nobody_else_can_answer_for_a_relay(cities: Cities, nord: City, sued: City) -> None:
    _relay, _known, follow = await asked(cities, nord)
    bela = await sued.person("bela")
    await answer(cities, bela, "Accept", follow)
    assert await states(nord) == ["asked"]


async def test_a_relay_is_left_again(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    relay, _known = await agreed(cities, nord)
    await nord.do(relays.remove, RELAY, nord.settings.base)
    await nord.post(alice, "Bonjour")
    await cities.settle()
    assert [(one["type"], one["object"]["type"]) for one in relay.heard] == [("Undo", "Follow")]
    assert await states(nord) == []
    with pytest.raises(NotFound):
        await nord.do(relays.remove, RELAY, nord.settings.base)


async def test_what_a_relay_announces_is_taken_from_where_it_is(cities: Cities, nord: City, sued: City) -> None:
    _relay, known = await agreed(cities, nord)
    said = await sued.post(await sued.person("bela"), "Pour tous")
    boost = {"id": f"{RELAY}#1", "type": "Announce", "actor": RELAY, "object": said.uri, "to": [PUBLIC]}
    await cities.deliver(NORD, boost, known)
    await cities.settle()
    assert (await arrived(nord, said)).content == said.content
    assert await nord.value("SELECT count(*) FROM statuses WHERE reblog_of_id IS NOT NULL") == 0


async def forwarded(cities: Cities, by: Account, document: dict[str, Any], key: str | None = None) -> int:
    """A relay brings what somebody else said, under its own signature; the status of the answer."""
    body, kind = msgspec.json.encode(document), {"content-type": "application/activity+json"}
    signer = signatures.Signer(key or key_pair(len(by.username) % 4)[0], f"{by.uri}#main-key")
    proofs = signatures.sign(signer, "POST", NORD, kind, body, cities.all[0].clock.now())
    found = await cities.network.send(Request("POST", NORD, {**kind, **{n.lower(): v for n, v in proofs.items()}}, body))
    await cities.settle()
    return found.status


async def test_of_what_a_relay_forwards_nothing_is_believed_but_where_it_is(cities: Cities, nord: City, sued: City) -> None:
    _relay, known = await agreed(cities, nord)
    bela = await sued.person("bela")
    said = await sued.post(bela, "Pour tous")
    forged = {"id": said.uri, "type": "Note", "attributedTo": bela.uri, "content": "<p>BUY</p>", "to": [PUBLIC]}
    create = {"id": f"{said.uri}/activity", "type": "Create", "actor": bela.uri, "object": forged, "to": [PUBLIC]}
    create["signature"] = {"type": "RsaSignature2017", "creator": f"{bela.uri}#main-key", "signatureValue": "AA=="}
    assert await forwarded(cities, known, create) == 202
    assert (await arrived(nord, said)).content == said.content
    made_up = create | {"id": f"{said.uri}1/activity", "object": forged | {"id": f"{said.uri}1"}}
    assert await forwarded(cities, known, made_up) == 202
    assert await nord.value("SELECT count(*) FROM statuses") == 1


async def test_whoever_is_no_relay_forwards_nothing(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    said = await sued.post(bela, "Pour tous")
    create = {"id": f"{said.uri}/activity", "type": "Create", "actor": bela.uri, "object": said.uri, "to": [PUBLIC]}
    _relay, known, follow = await asked(cities, nord)
    assert await forwarded(cities, known, create) == 401
    await answer(cities, known, "Accept", follow)
    assert await forwarded(cities, known, create, key_pair(9)[0]) == 401
    assert await nord.value("SELECT count(*) FROM statuses") == 0



async def test_the_operator_asks_lists_and_leaves_by_command(
    cities: Cities, nord: City, capsys: pytest.CaptureFixture[str]
) -> None:
    relay = Relay()
    cities.network.hosts["relay.example"] = relay
    here, args = desk.Here(nord.settings, nord.db, "", None), argparse.Namespace(url=RELAY)
    with pytest.raises(Invalid):
        await desk.add_relay(here, argparse.Namespace(url="relay.example"))
    await desk.add_relay(here, args)
    await cities.settle()
    await answer(cities, await fetch.actor(nord.job, RELAY), "Accept", relay.heard[-1])
    capsys.readouterr()
    await desk.list_relays(here, args)
    assert capsys.readouterr().out == f"accepted {RELAY}\n"
    await desk.remove_relay(here, args)
    with pytest.raises(desk.Refusal):
        await desk.remove_relay(here, args)
    assert await states(nord) == []


async def test_a_relay_is_not_given_what_somebody_limited_says(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    relay, _known = await agreed(cities, nord)
    await nord.as_owner("UPDATE accounts SET limited_at = now() WHERE id = $1", alice.id)
    await nord.post(alice, "Bonjour")
    await cities.settle()
    assert relay.heard == []
