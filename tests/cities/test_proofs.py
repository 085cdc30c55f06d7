"""Proofs in what is said to everybody (FEP-8b32): made here, and believed of others, whoever brings it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cities.harness import Cities, City, key_pair
from cities.test_ed25519 import has, secret
from cities.test_follow import following
from cities.test_hostile import NORD, create, note, refusals
from cities.test_posts import arrived, friends
from cities.test_relays import RELAY, agreed, forwarded
from parvis.accounts.model import Account
from parvis.federation import fetch, integrity, multikeys
from parvis.federation.signatures import BadSignature
from parvis.federation.vocabulary import PUBLIC
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Revision

Document = dict[str, Any]


async def proved(city: City, by: Account, said: Document, later: timedelta = timedelta(), private: Ed25519PrivateKey | None = None) -> Document:
    """An activity with a proof by its actor; or by another key, if one is given."""
    key, now = private or await secret(city, by), city.clock.now() + later
    context = ["https://www.w3.org/ns/activitystreams", integrity.CONTEXT]
    return integrity.made({"@context": context} | said, key, multikeys.name(by.uri), now)


async def carrier(cities: Cities, nord: City, ost: City) -> Account:
    """Otto of Ost, whom Nord knows: his server passes on what others said."""
    otto = await ost.person("otto")
    await nord.meet("otto@ost.example")
    return otto


async def sent(city: City, kind: str) -> list[Document]:
    """What a city wrote for others, of one type."""
    async with city.db.read() as read:
        bodies = await read.values("SELECT body FROM outgoing ORDER BY id")
    return [one for one in map(msgspec.json.decode, bodies) if one["type"] == kind]


async def key_of(cities: Cities, uri: str) -> str:
    """The key that somebody publishes."""
    [key] = multikeys.read(msgspec.json.decode((await cities.get(uri)).body), uri)
    return key.public


def asked(cities: Cities, host: str) -> list[str]:
    """What a server was asked for, of itself."""
    return [url for method, url, _ in cities.network.log if method == "GET" and f"//{host}/" in url]


@pytest.mark.shows("FEP-8b32")
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_what_is_said_to_everybody_carries_its_authors_proof(cities: Cities, nord: City, sued: City, visibility: str) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Salut à tous", visibility)
    await cities.settle()
    [made] = await sent(sued, "Create")
    claim = integrity.shown(made, bela.uri)
    assert claim is not None
    assert claim.method == f"{bela.uri}#ed25519-key"
    integrity.verify(made, claim, await key_of(cities, bela.uri), sued.clock.now())
    assert made["@context"] == made["proof"]["@context"]
    assert integrity.CONTEXT in made["@context"]
    assert await arrived(nord, said)


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_said_to_some_carries_none(cities: Cities, nord: City, sued: City, visibility: str) -> None:
    alice, bela = await friends(cities, nord, sued)
    await sued.meet("alice@nord.example")
    said = await sued.post(bela, f"@{alice.username}@nord.example rien que pour toi", visibility)
    await cities.settle()
    [made] = await sent(sued, "Create")
    assert "proof" not in made
    assert integrity.CONTEXT not in made["@context"]
    assert await arrived(nord, said)


async def test_an_edit_carries_a_proof_of_its_own(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Premier jet")
    await cities.settle()
    await sued.do(statuses.edit, bela, said.id, Revision(content="<p>Mieux</p>", text="Mieux", language="fr"))
    await cities.settle()
    [made], [first] = await sent(sued, "Update"), await sent(sued, "Create")
    claim = integrity.shown(made, bela.uri)
    assert claim is not None
    integrity.verify(made, claim, await key_of(cities, bela.uri), sued.clock.now())
    assert claim.value != first["proof"]["proofValue"]
    assert (await arrived(nord, said)).content == "<p>Mieux</p>"


@pytest.mark.shows("FEP-8b32", "FEP-fe34")
async def test_what_somebody_else_brings_is_its_authors_and_nobody_is_asked(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    said = note(bela, "porté", content="<p>Porté par Otto</p>")
    cities.network.down.add("sued.example")
    cities.network.tried.clear()
    answer = await cities.deliver(NORD, await proved(sued, bela, create(bela, said)), otto)
    await cities.settle()
    assert answer.status == 202
    assert not [url for url in cities.network.tried if "sued.example" in url]
    kept = await nord.look(posts.by_uri, said["id"])
    assert kept is not None
    assert kept.content == "<p>Porté par Otto</p>"
    assert (await nord.known(kept.account_id)).uri == bela.uri


async def test_what_really_was_sent_can_be_passed_on(cities: Cities, nord: City, sued: City, ost: City) -> None:
    """The very bytes that one city wrote for another reach a third, which was away."""
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    await following(cities, ost, otto, sued, bela)
    cities.network.down.add("nord.example")
    said = await sued.post(bela, "Attention, travaux rue Haute")
    await cities.settle()
    [made] = await sent(sued, "Create")
    cities.network.down.clear()
    cities.network.down.add("sued.example")
    assert (await cities.deliver(NORD, made, otto)).status == 202
    await cities.settle()
    assert (await arrived(nord, said)).content == said.content


async def test_somebody_never_met_is_met_when_an_answer_of_theirs_is_brought(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    otto = await carrier(cities, nord, ost)
    first = await nord.post(alice, "Qui vient ?")
    said = note(bela, "moi", inReplyTo=first.uri)
    assert (await cities.deliver(NORD, await proved(sued, bela, create(bela, said)), otto)).status == 202
    await cities.settle()
    assert await has(nord, said)
    assert said["id"] not in asked(cities, "sued.example")
    assert bela.uri in asked(cities, "sued.example")


async def test_edits_and_deletions_are_taken_as_well(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    said = note(bela, "1", published="2020-01-01T00:00:00Z")
    now = nord.clock.now().isoformat()
    update = {"id": f"{said['id']}#updates/1", "type": "Update", "actor": bela.uri, "object": said | {"content": "<p>Mieux</p>", "updated": now}}
    delete = {"id": f"{said['id']}#delete", "type": "Delete", "actor": bela.uri, "object": {"id": said["id"], "type": "Tombstone"}}
    steps = [(create(bela, said), "<p>Salut</p>", True), (update, "<p>Mieux</p>", True), (delete, "", False), (create(bela, said), "", False)]
    for activity, content, is_there in steps:
        assert (await cities.deliver(NORD, await proved(sued, bela, activity), otto)).status == 202
        await cities.settle()
        kept = await nord.look(posts.by_uri, said["id"])
        assert kept is not None
        assert (kept.deleted_at is None) == is_there
        assert not is_there or kept.content == content
    assert await refusals(nord) == []


async def test_our_deletions_carry_a_proof_as_well(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    said = await sued.post(bela, "Trop dit")
    await cities.settle()
    cities.network.down.add("nord.example")
    await sued.do(statuses.delete, bela, said.id)
    await cities.settle()
    [made] = await sent(sued, "Delete")
    cities.network.down.clear()
    cities.network.down.add("sued.example")
    assert (await cities.deliver(NORD, made, otto)).status == 202
    await cities.settle()
    assert (await arrived(nord, said)).deleted_at is not None


async def test_who_is_deleted_at_once_after_they_were_brought_does_not_stay(cities: Cities, nord: City, sued: City) -> None:
    _relay, known = await agreed(cities, nord)
    bela = await sued.person("bela")
    said = note(bela, "1")
    delete = {"id": f"{said['id']}#delete", "type": "Delete", "actor": bela.uri, "object": said["id"], "to": [PUBLIC]}
    for activity in (create(bela, said), delete):  # of somebody never met, and nothing is looked at meanwhile
        assert (await cities.deliver(NORD, await proved(sued, bela, activity), known)).status == 202
    await cities.settle()
    kept = await nord.look(posts.by_uri, said["id"])
    assert kept is not None
    assert kept.deleted_at is not None


async def test_who_brings_is_heard_from_and_the_author_is_not(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    await nord.as_owner("UPDATE peers SET away_since = now()")
    await cities.deliver(NORD, await proved(sued, bela, create(bela, note(bela, "1"))), otto)
    await cities.settle()
    async with nord.db.read() as read:
        assert await read.values("SELECT domain FROM peers WHERE away_since IS NOT NULL") == ["sued.example"]


async def test_the_same_thing_twice_takes_effect_once(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    said = note(bela, "1")
    for _ in range(2):
        await cities.deliver(NORD, await proved(sued, bela, create(bela, said)), otto)
        await cities.deliver(NORD, create(bela, said), bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses WHERE uri = $1", said["id"]) == 1
    assert await nord.value("SELECT count(*) FROM activities_done WHERE uri = $1", f"{said['id']}/activity") == 1
    assert await refusals(nord) == []


def change(activity: Document) -> Document:
    return activity | {"object": activity["object"] | {"content": "<p>BUY</p>"}}


def another_author(activity: Document) -> Document:
    return activity | {"actor": f"{activity['actor']}0"}


@pytest.mark.shows("FEP-8b32", "FEP-fe34")
@pytest.mark.parametrize("change", [
    change, another_author, lambda one: one | {"id": f"{one['id']}2"}, lambda one: one | {"to": []},
    lambda one: one | {"proof": one["proof"] | {"created": "2020-01-01T00:00:00Z"}},
    lambda one: one | {"proof": {name: value for name, value in one["proof"].items() if name != "created"}},
    lambda one: one | {"proof": one["proof"] | {"proofValue": "z1111"}},
    lambda one: one | {"@context": []},
])
async def test_a_bad_proof_proves_nothing_and_changes_nothing(
    cities: Cities, nord: City, sued: City, ost: City, change: Callable[[Document], Document]
) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    said = note(bela, "1")
    before = await nord.value("SELECT count(*) FROM accounts")
    await cities.deliver(NORD, change(await proved(sued, bela, create(bela, said))), otto)
    await cities.settle()
    assert not await has(nord, said)
    assert len(await refusals(nord)) == 1
    assert await nord.value("SELECT count(*) FROM accounts") == before


@pytest.mark.parametrize("later", [timedelta(hours=-14), timedelta(hours=2)])
async def test_a_proof_of_another_time_proves_nothing(cities: Cities, nord: City, sued: City, ost: City, later: timedelta) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    said = note(bela, "1")
    await cities.deliver(NORD, await proved(sued, bela, create(bela, said), later), otto)
    await cities.settle()
    assert not await has(nord, said)
    assert await refusals(nord) == ["expired" if later < timedelta() else "future"]


@pytest.mark.shows("FEP-fe34")
async def test_nobody_speaks_for_another_by_a_proof_of_their_own(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto, mallory = await carrier(cities, nord, ost), await sued.person("mallory")
    await nord.meet("mallory@sued.example")
    said = note(bela, "1")
    foreign = note(otto, "1")
    hers = await proved(sued, mallory, create(bela, said))
    theirs = await proved(sued, bela, create(bela, foreign))
    lent = await proved(sued, bela, create(bela, note(mallory, "2") | {"id": f"{bela.uri}/statuses/2"}))
    named = await proved(sued, bela, create(bela, said), private=await secret(sued, mallory))
    elsewhere = integrity.made(create(bela, said), await secret(ost, otto), multikeys.name(otto.uri), nord.clock.now())
    answers = [(await cities.deliver(NORD, one, otto)).status for one in (hers, theirs, lent, named, elsewhere)]
    await cities.settle()
    assert answers == [202, 401, 202, 202, 401]
    assert len(await refusals(nord)) == 3
    assert await nord.value("SELECT count(*) FROM statuses") == 0


async def test_a_stranger_brings_nothing(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await ost.person("otto")
    activity = await proved(sued, bela, create(bela, note(bela, "1")))
    assert (await cities.deliver(NORD, activity, otto)).status == 401
    await nord.meet("otto@ost.example")
    assert (await cities.deliver(NORD, activity, otto, key=key_pair(9)[0])).status == 401
    assert (await cities.deliver(NORD, {**activity, "proof": None}, otto)).status == 401
    await nord.as_owner("UPDATE accounts SET suspended_at = now() WHERE uri = $1", otto.uri)
    assert (await cities.deliver(NORD, activity, otto)).status == 401
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses") == 0


async def test_of_somebody_suspended_nothing_comes_in_whoever_brings_it(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    await nord.as_owner("UPDATE accounts SET suspended_at = now() WHERE uri = $1", bela.uri)
    await cities.deliver(NORD, await proved(sued, bela, create(bela, note(bela, "1"))), otto)
    await cities.settle()
    assert await refusals(nord) == ["suspended"]


@pytest.mark.parametrize("kind", ["Follow", "Like", "Announce", "Undo", "Block", "Move", "Flag"])
async def test_what_is_said_to_one_server_comes_from_who_says_it(cities: Cities, nord: City, sued: City, ost: City, kind: str) -> None:
    alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    activity = await proved(sued, bela, {"id": f"{bela.uri}#1", "type": kind, "actor": bela.uri, "object": bela.uri, "target": alice.uri})
    assert (await cities.deliver(NORD, activity, otto)).status == 401


async def test_a_letter_is_not_put_into_anothers_box(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    said = note(bela, "lettre", (otto.uri,))
    assert (await cities.deliver(f"{alice.uri}/inbox", await proved(sued, bela, create(bela, said)), otto)).status == 202
    await cities.settle()
    kept = await nord.look(posts.by_uri, said["id"])
    assert kept is None or await nord.look(posts.seen, kept.id, alice.id) is None


async def test_a_key_that_changed_is_asked_for_once(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    otto = await carrier(cities, nord, ost)
    await nord.as_owner("DELETE FROM actor_keys")
    await nord.as_owner("UPDATE accounts SET fetched_at = fetched_at - interval '1 hour'")
    said = note(bela, "1")
    await cities.deliver(NORD, await proved(sued, bela, create(bela, said)), otto)
    await cities.settle()
    assert await has(nord, said)
    cities.network.log.clear()
    for number in range(3):  # forged: within a minute nobody is asked again
        forged = await proved(sued, bela, create(bela, note(bela, f"f{number}")), private=Ed25519PrivateKey.generate())
        await cities.deliver(NORD, forged, otto)
    await cities.settle()
    assert asked(cities, "sued.example") == []
    assert await refusals(nord) == ["signature"] * 3


@pytest.mark.shows("FEP-8b32")
async def test_what_comes_from_its_author_needs_no_proof_and_a_bad_one_does_no_harm(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    good = await proved(sued, bela, create(bela, note(bela, "1")))
    bad = change(await proved(sued, bela, create(bela, note(bela, "2"))))
    odd = create(bela, note(bela, "3")) | {"proof": [None, 7, {"type": []}]}
    assert [(await cities.deliver(NORD, one, bela)).status for one in (good, bad, odd)] == [202] * 3
    await cities.settle()
    assert [await has(nord, one["object"]) for one in (good, bad, odd)] == [True] * 3


async def test_a_good_proof_is_no_excuse_for_a_bad_signature(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    activity = await proved(sued, bela, create(bela, note(bela, "1")))
    assert (await cities.deliver(NORD, activity, bela, key=key_pair(9)[0])).status == 401


@pytest.mark.shows("FEP-8b32")
async def test_what_a_relay_brings_with_a_proof_is_taken_as_it_is(cities: Cities, nord: City, sued: City) -> None:
    _relay, known = await agreed(cities, nord)
    bela = await sued.person("bela")
    await nord.meet("bela@sued.example")
    said = note(bela, "1", content="<p>Pour tous</p>")
    activity = await proved(sued, bela, create(bela, said))
    await fetch.actor(nord.job, bela.uri, fresh=True)
    cities.network.down.add("sued.example")
    assert await forwarded(cities, known, activity) == 202
    kept = await nord.look(posts.by_uri, said["id"])
    assert kept is not None
    assert kept.content == "<p>Pour tous</p>"
    assert await nord.value("SELECT count(*) FROM statuses WHERE reblog_of_id IS NOT NULL") == 0
    update = {"id": f"{said['id']}#updates/1", "type": "Update", "actor": bela.uri, "to": [PUBLIC],
              "object": said | {"content": "<p>Mieux</p>", "updated": nord.clock.now().isoformat()}}
    assert await forwarded(cities, known, await proved(sued, bela, update)) == 202
    kept = await nord.look(posts.by_uri, said["id"])
    assert kept is not None
    assert kept.content == "<p>Mieux</p>"


async def test_of_a_relay_a_bad_proof_is_as_good_as_none(cities: Cities, nord: City, sued: City) -> None:
    _relay, known = await agreed(cities, nord)
    bela = await sued.person("bela")
    said = await sued.post(bela, "Pour tous")
    lie = create(bela, note(bela, "x") | {"id": said.uri})
    assert await forwarded(cities, known, change(await proved(sued, bela, lie))) == 202
    assert (await arrived(nord, said)).content == said.content
    assert await refusals(nord) == []
    assert RELAY in known.uri


async def test_a_relay_is_not_asked_for_letters(cities: Cities, nord: City, sued: City) -> None:
    _relay, known = await agreed(cities, nord)
    bela = await sued.person("bela")
    said = note(bela, "1", (f"{bela.uri}/followers",))
    assert await forwarded(cities, known, await proved(sued, bela, create(bela, said))) == 202
    assert not await has(nord, said)


async def test_the_key_that_signs_is_the_one_that_is_published(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    activity = await proved(sued, bela, create(bela, note(bela, "1")))
    claim = integrity.shown(activity, bela.uri)
    assert claim is not None
    integrity.verify(activity, claim, await key_of(cities, bela.uri), sued.clock.now())
    with pytest.raises(BadSignature, match="signature"):
        integrity.verify(change(activity), claim, await key_of(cities, bela.uri), sued.clock.now())
