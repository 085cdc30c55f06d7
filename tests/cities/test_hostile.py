"""What a city refuses: lies, forgeries, replays, and what does not concern it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cities.harness import Cities, City, key_pair
from cities.test_follow import following, relation
from cities.test_posts import arrived, friends
from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.federation import fetch
from parvis.federation.vocabulary import PUBLIC

NORD = "https://nord.example/inbox"


def note(by: Account, name: str, to: tuple[str, ...] = (PUBLIC,), **more: Any) -> dict[str, Any]:
    """A Note as another server might write it."""
    return {
        "id": f"{by.uri}/statuses/{name}", "type": "Note", "attributedTo": by.uri, "content": "<p>Salut</p>",
        "to": list(to), "cc": [], **more,
    }


def create(by: Account, said: dict[str, Any]) -> dict[str, Any]:
    """Its Create."""
    return {"id": f"{said['id']}/activity", "type": "Create", "actor": by.uri, "to": said["to"], "object": said}


async def refusals(city: City) -> list[str]:
    """Why requests were refused."""
    async with city.db.read() as read:
        return await read.values("SELECT reason FROM inbox_refusals ORDER BY id")


async def test_a_replayed_activity_takes_effect_once(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await nord.post(alice, "Une fois")
    like = {"id": f"{bela.uri}#likes/1", "type": "Like", "actor": bela.uri, "object": said.uri}
    assert [(await cities.deliver(NORD, like, bela)).status for _ in range(3)] == [202, 202, 202]
    await cities.settle()
    undo = {"id": f"{bela.uri}#likes/1#undo", "type": "Undo", "actor": bela.uri, "object": like}
    await cities.deliver(NORD, undo, bela)
    await cities.settle()
    await cities.deliver(NORD, like, bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM favourites") == 0
    assert await nord.value("SELECT count(*) FROM activities_done WHERE uri = $1", like["id"]) == 1


async def test_a_follow_replayed_after_it_ended_has_no_effect(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    follow = {"id": f"{bela.uri}#follows/7", "type": "Follow", "actor": bela.uri, "object": alice.uri}
    undo = {"id": f"{bela.uri}#follows/7#undo", "type": "Undo", "actor": bela.uri, "object": follow}
    await cities.deliver(NORD, follow, bela)
    recorded = cities.network.sent[-1]
    await cities.settle()
    known = await nord.meet("bela@sued.example")
    assert await relation(nord, known, alice) == "follows"
    await cities.deliver(NORD, undo, bela)
    await cities.settle()
    assert (await cities.network.send(recorded)).status == 202
    await cities.settle()
    assert await relation(nord, known, alice) == "none"
    await cities.advance(timedelta(seconds=2))
    await cities.deliver(NORD, follow, bela)
    await cities.settle()
    assert await relation(nord, known, alice) == "follows"


async def test_an_undo_that_comes_first_is_remembered(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    follow = {"id": f"{bela.uri}#follows/8", "type": "Follow", "actor": bela.uri, "object": alice.uri}
    undo = {"id": f"{bela.uri}#follows/8#undo", "type": "Undo", "actor": bela.uri, "object": follow}
    await cities.deliver(NORD, undo, bela)
    await cities.deliver(NORD, follow, bela)
    await cities.settle()
    assert await relation(nord, await nord.meet("bela@sued.example"), alice) == "none"


async def test_the_wrong_key_of_someone_known_is_refused_at_the_door(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    wrong = key_pair(len(bela.username) % 4 + 1)[0]
    answer = await cities.deliver(NORD, create(bela, note(bela, "1")), bela, key=wrong)
    assert answer.status == 401
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses") == 0


async def test_the_wrong_key_of_someone_unknown_is_refused_by_the_worker(
    cities: Cities, nord: City, sued: City
) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    wrong = key_pair(len(bela.username) % 4 + 1)[0]
    answer = await cities.deliver(NORD, create(bela, note(bela, "1", (alice.uri,))), bela, key=wrong)
    assert answer.status == 202
    await cities.settle()
    assert await refusals(nord) == ["signature"]
    assert await nord.value("SELECT count(*) FROM statuses") == 0


async def test_a_new_key_is_learned_after_the_first_refusal(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    private, public = key_pair(len(bela.username) % 4 + 1)
    await sued.value("UPDATE accounts SET public_key = $2 WHERE id = $1", bela.id, public)
    said = create(bela, note(bela, "1"))
    assert (await cities.deliver(NORD, said, bela, key=private)).status == 401
    await cities.settle()
    assert (await cities.deliver(NORD, said, bela, key=private)).status == 202
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses") == 1


async def test_a_digest_of_another_body_is_refused(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    answer = await cities.deliver(
        NORD, create(bela, note(bela, "1")), bela, digest="SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    )
    assert (answer.status, answer.body) == (401, b'{"error":"digest"}')


async def test_no_signature_is_refused(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    answer = await cities.deliver(NORD, create(bela, note(bela, "1")), bela, signature="")
    assert answer.status == 401


@pytest.mark.parametrize("missing", ["id", "actor", "type"])
async def test_an_activity_without_its_parts_is_refused(
    cities: Cities, nord: City, sued: City, missing: str
) -> None:
    bela = await sued.person("bela")
    said = create(bela, note(bela, "1"))
    del said[missing]
    answer = await cities.deliver(NORD, said, bela)
    assert answer.status == 400
    assert b"error" in answer.body


async def test_a_body_of_more_than_a_megabyte_is_refused(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    answer = await cities.deliver(NORD, create(bela, note(bela, "1", content="x" * 1_000_001)), bela)
    assert answer.status == 413


async def test_nobody_speaks_for_another(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    forged = create(bela, note(bela, "1"))
    assert (await cities.deliver(NORD, forged, chloe)).status == 401
    lying_id = create(chloe, note(chloe, "2", (alice.uri,))) | {"id": f"{bela.uri}/statuses/2/activity"}
    lying_object = create(chloe, note(bela, "3", (alice.uri,))) | {"id": f"{chloe.uri}/3"}
    lying_author = create(chloe, note(chloe, "4", (alice.uri,), attributedTo=bela.uri))
    for lie in (lying_id, lying_object, lying_author):
        assert (await cities.deliver(NORD, lie, chloe)).status == 202
    await cities.settle()
    assert await refusals(nord) == ["wrong_host", "wrong_host", "wrong_author"]
    assert await nord.value("SELECT count(*) FROM statuses") == 0


async def test_nobody_deletes_anothers_post(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    emil = await sued.person("emil")
    said = await sued.post(bela, "Je reste")
    await cities.settle()
    await nord.meet("emil@sued.example")
    theft = {"id": f"{emil.uri}#delete", "type": "Delete", "actor": emil.uri, "object": said.uri}
    assert (await cities.deliver(NORD, theft, emil)).status == 202
    await cities.settle()
    assert (await arrived(nord, said)).deleted_at is None
    assert await refusals(nord) == ["wrong_author"]


async def test_only_the_one_who_was_asked_accepts(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, dora, chloe = await nord.person("alice"), await sued.person("dora", locked=True), await ost.person("chloe")
    dora_in_nord, _ = await following(cities, nord, alice, sued, dora)
    made = await nord.look(people.follow_between, alice.id, dora_in_nord.id)
    assert made is not None
    follow = {"id": f"{alice.uri}#follows/{made.id}", "type": "Follow", "actor": alice.uri, "object": dora.uri}
    accept = {"id": f"{chloe.uri}#accepts/1", "type": "Accept", "actor": chloe.uri, "object": follow}
    await cities.deliver(NORD, accept, chloe)
    await cities.settle()
    assert await relation(nord, alice, dora_in_nord) == "waits"


async def test_a_delete_of_someone_never_met_is_dropped_before_anything(
    cities: Cities, nord: City, sued: City
) -> None:
    bela = await sued.person("bela")
    gone = {"id": f"{bela.uri}#delete", "type": "Delete", "actor": bela.uri, "object": bela.uri}
    cities.network.log.clear()
    assert (await cities.deliver(NORD, gone, bela)).status == 202
    await cities.settle()
    assert [url for _, url, _ in cities.network.log] == [NORD]
    assert await nord.value("SELECT count(*) FROM inbox_items") == 0


async def test_a_post_that_concerns_nobody_here_is_not_kept(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    await cities.deliver(NORD, create(bela, note(bela, "1")), bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses") == 0
    assert await refusals(nord) == []


async def test_who_is_named_but_not_addressed_does_not_see_a_post(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    emil = await nord.person("emil")
    tags = [{"type": "Mention", "href": emil.uri, "name": "@emil@nord.example"}]
    await cities.deliver(NORD, create(bela, note(bela, "1", (alice.uri,), tag=tags)), bela)
    await cities.settle()
    assert await nord.value("SELECT visibility FROM statuses") == "direct"
    assert await nord.value("SELECT array_agg(account_id) FROM mentions") == [alice.id]


async def test_an_id_that_another_server_answers_for_is_not_believed(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    bela = await sued.person("bela")
    said = await sued.post(bela, "De Süd")
    body = (await cities.get(said.uri)).body

    async def liar(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/activity+json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.replace(b"De S", b"Faux S")})

    cities.network.hosts["faux.example"] = liar
    found = await fetch.resolve(nord.job, "https://faux.example/note")
    assert found is not None
    assert found.uri == said.uri
    assert "Faux" not in getattr(found, "content", "")


async def test_an_upload_is_not_taken_for_a_statement(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    said = await sued.post(bela, "De Süd")
    body = (await cities.get(said.uri)).body.replace(b"sued.example", b"faux.example")

    async def store(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    cities.network.hosts["faux.example"] = store
    assert await fetch.resolve(nord.job, said.uri.replace("sued", "faux")) is None


async def test_a_private_post_cannot_be_boosted_from_elsewhere(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Entre amis", "private")
    await cities.settle()
    copy = await arrived(nord, said)
    boost = {
        "id": f"{alice.uri}/boost", "type": "Announce", "actor": alice.uri, "object": said.uri, "to": [PUBLIC], "cc": [],
    }
    await sued.meet("alice@nord.example")
    await cities.deliver("https://sued.example/inbox", boost, alice)
    await cities.settle()
    assert await sued.value("SELECT count(*) FROM statuses WHERE reblog_of_id IS NOT NULL") == 0
    assert copy.visibility == "private"


async def test_a_failing_fetch_waits_and_holds_up_nobody(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    far = await ost.post(chloe, "Au loin")
    cities.network.down.add("ost.example")
    boost = {"id": f"{bela.uri}/boost", "type": "Announce", "actor": bela.uri, "object": far.uri, "to": [PUBLIC]}
    await cities.deliver(NORD, boost, bela)
    await cities.deliver(NORD, create(bela, note(bela, "1")), bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses WHERE reblog_of_id IS NULL") == 1
    assert await nord.value("SELECT host FROM inbox_items") == "sued.example~1"
    cities.network.down.clear()
    await nord.db.pool.execute("UPDATE inbox_hosts SET due_at = due_at - interval '1 minute'")
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses WHERE reblog_of_id IS NOT NULL") == 1
    assert await nord.value("SELECT count(*) FROM inbox_hosts") == 0


async def test_someone_suspended_here_is_not_heard(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    await nord.as_owner("UPDATE accounts SET suspended_at = now() WHERE uri = $1", bela.uri)
    await sued.post(bela, "M'entendez-vous ?")
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses") == 0
    assert await refusals(nord) == ["suspended"]


async def test_a_like_and_a_boost_are_taken_back_under_another_id(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await nord.post(alice, "Aimez-moi")
    for number in (1, 2):
        like = {"id": f"{bela.uri}#likes/{number}", "type": "Like", "actor": bela.uri, "object": said.uri}
        boost = {
            "id": f"{bela.uri}#boosts/{number}", "type": "Announce", "actor": bela.uri, "object": said.uri,
            "to": [PUBLIC],
        }
        for activity in (like, boost):
            await cities.deliver(NORD, activity, bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM favourites") == 1
    for activity in (like, boost):
        await cities.deliver(NORD, {"id": f"{activity['id']}/u", "type": "Undo", "actor": bela.uri, "object": activity}, bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM favourites") == 0
    assert await nord.value("SELECT count(*) FROM statuses WHERE reblog_of_id IS NOT NULL AND deleted_at IS NULL") == 0
