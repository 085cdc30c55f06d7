"""Ed25519 keys beside the RSA ones (FEP-521a): published, read from others, and what is signed with them (RFC 9421)."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms

from cities.harness import Cities, City
from cities.test_follow import following
from cities.test_hostile import NORD, create, note
from cities.test_posts import friends
from cities.test_rules_of_safety import FAUX, Faux, someone
from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.http import Request
from parvis.base.seal import Seal
from parvis.federation import fetch, keyring, message_signatures, multikeys
from parvis.federation.message_signatures import Message

KIND = {"content-type": "application/activity+json"}
ZOE = f"{FAUX}/zoe"


async def secret(city: City, of: Account) -> Ed25519PrivateKey:
    """The key of somebody, as their own city opens it."""
    kept = await city.do(keyring.own, city.settings, of)
    return Ed25519PrivateKey.from_private_bytes(Seal(city.settings.secrets).open(kept.private_key_sealed))


async def kept(city: City, of: str) -> dict[str, str]:
    """The keys that a city has of somebody."""
    async with city.db.read() as read:
        rows = await read.values(
            "SELECT ARRAY[k.key_id, k.public_key] FROM actor_keys k JOIN accounts a ON a.id = k.account_id WHERE a.uri = $1", of
        )
    return dict(rows)


async def document(cities: Cities, uri: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode((await cities.get(uri)).body)
    return found


def multikey(name: str, private: Ed25519PrivateKey, **more: Any) -> dict[str, Any]:
    """A key of Zoé's, as her server says it."""
    public = multikeys.written(private.public_key())
    return {"id": f"{ZOE}#{name}", "type": "Multikey", "controller": ZOE, "publicKeyMultibase": public, **more}


def signed(
    cities: Cities, request: Request, private: Ed25519PrivateKey, key_id: str, later: timedelta = timedelta(), says_alg: bool = False
) -> Request:
    """A request signed with Ed25519 as RFC 9421 says."""
    message = Message(request.method, request.url, dict(request.headers))
    covered = message_signatures.COVERED
    if request.body is not None:
        message.headers["content-digest"] = message_signatures.content_digest(request.body)
        covered = (*covered, "content-digest")
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519, key_resolver=MappingKeyResolver(public_keys={}, private_keys={key_id: private})
    )
    created = (cities.all[0].clock.now() + later).astimezone(UTC)
    signer.sign(message, key_id=key_id, created=created, label="sig1", covered_component_ids=covered, include_alg=says_alg,
                use_existing_digest=request.body is not None)
    return Request(request.method, request.url, {name.lower(): value for name, value in message.headers.items()}, request.body)


async def brought(
    cities: Cities, by: Account, said: dict[str, Any], private: Ed25519PrivateKey, key_id: str, **more: Any
) -> int:
    """A post signed with Ed25519 and brought to Nord."""
    request = Request("POST", NORD, KIND, msgspec.json.encode(create(by, said)))
    answer = await cities.network.send(signed(cities, request, private, key_id, **more))
    await cities.settle()
    return answer.status


async def has(city: City, said: dict[str, Any]) -> bool:
    return bool(await city.value("SELECT count(*) FROM statuses WHERE uri = $1", said["id"]))


@pytest.mark.shows("FEP-521a")
async def test_everybody_here_publishes_a_key_which_stays_the_same(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    first, second = await document(cities, alice.uri), await document(cities, alice.uri)
    [key] = first["assertionMethod"]
    assert (key["id"], key["type"], key["controller"]) == (f"{alice.uri}#ed25519-key", "Multikey", alice.uri)
    assert key["publicKeyMultibase"] == multikeys.written((await secret(nord, alice)).public_key())
    assert second["assertionMethod"] == [key]
    assert "https://w3id.org/security/multikey/v1" in first["@context"]
    assert first["@context"][-1]["assertionMethod"]["@id"] == "https://w3id.org/security#assertionMethod"
    assert first["publicKey"]["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY")


async def test_the_private_half_is_sealed_in_the_database(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    private = await secret(nord, alice)
    stored = await nord.value("SELECT private_key_sealed FROM actor_keys WHERE account_id = $1", alice.id)
    assert private.private_bytes_raw() not in stored
    assert Seal(nord.settings.secrets).open(stored) == private.private_bytes_raw()


@pytest.mark.shows("FEP-521a")
async def test_the_city_publishes_a_key_of_its_own(cities: Cities, nord: City) -> None:
    uri = "https://nord.example/actor"
    first, second = await document(cities, uri), await document(cities, uri)
    assert first["assertionMethod"] == second["assertionMethod"]
    [key] = multikeys.read(first, uri)
    assert key.id == f"{uri}#ed25519-key"
    raw = (nord.settings.secrets / "instance-ed25519.key").read_bytes()
    assert multikeys.written(Ed25519PrivateKey.from_private_bytes(raw).public_key()) == key.public


@pytest.mark.shows("FEP-521a")
async def test_the_keys_of_others_are_kept_and_change_as_they_say(cities: Cities, nord: City) -> None:
    faux, keys = Faux(cities), [Ed25519PrivateKey.generate() for _ in range(12)]
    many = [multikey(f"key-{number}", key) for number, key in enumerate(keys)]
    others = [multikey("x", keys[0], controller=f"{FAUX}/yves"), multikey("x", keys[0], id="https://west.example/zoe#x")]
    faux.settle("zoe", assertionMethod=[*others, *many])
    met = await fetch.actor(nord.job, ZOE)
    assert await kept(nord, ZOE) == {one["id"]: one["publicKeyMultibase"] for one in many[:10]}
    again = [multikey("key-0", keys[11]), multikey("key-1", keys[1], expires="2031-01-01T00:00:00Z")]
    faux.settle("zoe", assertionMethod=again)
    await fetch.actor(nord.job, ZOE, fresh=True)
    assert await kept(nord, ZOE) == {one["id"]: one["publicKeyMultibase"] for one in again}
    faux.settle("zoe")
    await fetch.actor(nord.job, ZOE, fresh=True)
    assert await kept(nord, ZOE) == {}
    assert (await nord.known(met.id)).public_key == met.public_key


@pytest.mark.shows("HTTP message signatures")
@pytest.mark.parametrize("says_alg", [False, True])
async def test_an_activity_signed_with_ed25519_takes_effect(cities: Cities, nord: City, sued: City, says_alg: bool) -> None:
    _, bela = await friends(cities, nord, sued)
    said = note(bela, "neuf")
    await secret(sued, bela)
    await fetch.actor(nord.job, bela.uri, fresh=True)
    assert await brought(cities, bela, said, await secret(sued, bela), multikeys.name(bela.uri), says_alg=says_alg) == 202
    assert await has(nord, said)


async def test_a_key_that_is_not_known_yet_is_asked_for_and_the_next_try_succeeds(cities: Cities, nord: City, sued: City) -> None:
    _, bela = await friends(cities, nord, sued)
    said, private = note(bela, "neuf"), Ed25519PrivateKey.generate()
    await sued.as_owner("UPDATE actor_keys SET public_key = $1", multikeys.written(private.public_key()))
    assert await brought(cities, bela, said, private, multikeys.name(bela.uri)) == 401
    assert await brought(cities, bela, said, private, multikeys.name(bela.uri)) == 202
    assert await has(nord, said)


async def test_somebody_never_met_who_has_no_other_key_is_heard(cities: Cities, nord: City) -> None:
    alice, faux, private = await nord.person("alice"), Faux(cities), Ed25519PrivateKey.generate()
    zoe = someone(faux.settle("zoe", publicKey=None, assertionMethod=[multikey("a", private)]))
    said = note(zoe, "1", (alice.uri,))
    assert await brought(cities, zoe, said, private, f"{ZOE}#a") == 202
    assert await has(nord, said)
    later = note(zoe, "2", (alice.uri,))
    assert await brought(cities, zoe, later, private, f"{ZOE}#a") == 202
    assert await has(nord, later)


@pytest.mark.parametrize(("key_id", "more", "later"), [
    (f"{ZOE}#b", {}, timedelta()),  # a name that she does not publish
    (f"{ZOE}#a", {"expires": "2020-01-01T00:00:00Z"}, timedelta()), (f"{ZOE}#a", {"revoked": "2020-01-01T00:00:00Z"}, timedelta()),
    (f"{ZOE}#a", {"controller": f"{FAUX}/yves"}, timedelta()), (f"{FAUX}/yves#a", {}, timedelta()),
    (f"{ZOE}#a", {}, timedelta(hours=-2)), (f"{ZOE}#a", {}, timedelta(hours=2)),
])
async def test_a_key_that_is_not_hers_or_is_over_proves_nothing(
    cities: Cities, nord: City, key_id: str, more: dict[str, Any], later: timedelta
) -> None:
    alice, faux, private = await nord.person("alice"), Faux(cities), Ed25519PrivateKey.generate()
    zoe = someone(faux.settle("zoe", assertionMethod=[multikey("a", private, **more)]))
    await fetch.actor(nord.job, ZOE)
    said = note(zoe, "1", (alice.uri,))
    assert await brought(cities, zoe, said, private, key_id, later=later) == 401
    assert not await has(nord, said)


async def test_what_was_signed_with_another_key_is_refused(cities: Cities, nord: City, sued: City) -> None:
    _, bela = await friends(cities, nord, sued)
    said = note(bela, "faux")
    await secret(sued, bela)
    await fetch.actor(nord.job, bela.uri, fresh=True)
    assert await brought(cities, bela, said, Ed25519PrivateKey.generate(), multikeys.name(bela.uri)) == 401
    assert not await has(nord, said)


async def test_a_document_for_some_is_shown_to_who_signs_with_ed25519(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    await following(cities, sued, bela, nord, alice)
    said = await nord.post(alice, "Entre nous", "private")
    private = await secret(sued, bela)
    await fetch.actor(nord.job, bela.uri, fresh=True)
    asked = Request("GET", said.uri, {"accept": "application/activity+json"}, None)
    shown = await cities.network.send(signed(cities, asked, private, multikeys.name(bela.uri)))
    other = await cities.network.send(signed(cities, asked, Ed25519PrivateKey.generate(), multikeys.name(bela.uri)))
    assert (shown.status, other.status) == (200, 404)


async def test_the_keys_of_somebody_who_is_met_are_those_of_their_document(cities: Cities, nord: City, sued: City) -> None:
    _, bela = await friends(cities, nord, sued)
    [key] = (await document(cities, bela.uri))["assertionMethod"]
    assert await kept(nord, bela.uri) == {key["id"]: key["publicKeyMultibase"]}
    assert await nord.look(people.by_uri, bela.uri)
