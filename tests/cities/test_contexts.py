"""The list of a whole conversation, as the author of its first post has it: shown to others, and read from them (FEP-7888)."""

from __future__ import annotations

from typing import Any

import pytest

from cities.harness import Cities, City
from cities.test_endpoints import read
from cities.test_quotes import say
from cities.test_rules_of_safety import FAUX, POSTS, Faux, stands
from conftest import Person, settle_in
from parvis.federation import contexts, fetch, threads
from parvis.federation.vocabulary import PUBLIC
from parvis.statuses import actions as statuses
from parvis.statuses.model import Draft, Status


@pytest.mark.shows("FEP-7888", "FEP-f228")
async def test_the_posts_of_a_conversation_name_its_list(cities: Cities, nord: City, sued: City) -> None:
    alice, emil, bela = await nord.person("alice"), await nord.person("emil"), await sued.person("bela")
    first = await nord.post(alice, "Qui vient ?")
    answer = await nord.post(emil, "Moi", "unlisted", reply_to=first)
    far = await sued.post(bela, "Me too, @alice@nord.example", reply_to=await fetch.status(sued.job, first.uri))
    await cities.settle()
    address = f"{alice.uri}/contexts/{first.id}"
    for said in (first, answer):
        assert (await read(cities, said.uri))["context"] == address
    assert "context" not in await read(cities, far.uri)
    shown = await read(cities, address)
    assert (shown["type"], shown["totalItems"], shown["attributedTo"]) == ("OrderedCollection", 3, alice.uri)
    page = await read(cities, shown["first"])
    assert (page["type"], page["orderedItems"]) == ("OrderedCollectionPage", [first.uri, answer.uri, far.uri])
    assert "next" not in page


async def test_a_list_holds_what_everybody_may_see_and_its_owner_wants(cities: Cities, nord: City, sued: City) -> None:
    alice, emil = await nord.person("alice"), await nord.person("emil")
    first = await say(nord, alice, "Mes abonnés seulement", reply_policy="followers")
    private = await nord.post(alice, "Entre nous", "private", reply_to=first)
    gone = await nord.post(alice, "Pardon", reply_to=first)
    kept = await nord.post(alice, "Voilà", reply_to=first)
    within = Draft(content="<p>Ici</p>", text="Ici", visibility="public", local_only=True, in_reply_to_id=kept.id)
    await nord.do(statuses.publish, alice, within)
    unwanted = await nord.post(alice, "Non", reply_to=first)
    await nord.as_owner("UPDATE statuses SET reply_hidden = true WHERE id = $1", unwanted.id)
    await nord.do(statuses.delete, alice, gone.id)
    await nord.do(statuses.reblog, emil, first.id)
    address = f"{alice.uri}/contexts/{first.id}"
    assert (await read(cities, address))["totalItems"] == 2
    assert (await read(cities, f"{address}?page=true"))["orderedItems"] == [first.uri, kept.uri]
    assert "context" not in await read(cities, unwanted.uri)
    assert await nord.value("SELECT visibility FROM statuses WHERE id = $1", private.id) == "private"


async def test_there_is_no_list_of_what_is_not_for_everybody_or_began_elsewhere(cities: Cities, nord: City, sued: City) -> None:
    alice, emil, bela = await nord.person("alice"), await nord.person("emil"), await sued.person("bela")
    private = await nord.post(alice, "Entre nous", "private")
    open_answer = await nord.post(alice, "Quand même", reply_to=private)
    answer = await nord.post(alice, "Bonjour", reply_to=await fetch.status(nord.job, (await sued.post(bela, "Hello")).uri))
    gone = await nord.post(alice, "Oui")
    last = await nord.post(emil, "Non", reply_to=gone)
    await nord.do(statuses.delete, alice, gone.id)
    for said in (open_answer, answer, last):
        assert "context" not in await read(cities, said.uri)
    for number in (private.id, open_answer.id, answer.conversation_id, gone.id, last.id, 1, "x"):
        assert (await cities.get(f"{alice.uri}/contexts/{number}")).status == 404, number
    shown = await nord.post(alice, "Public")
    assert (await cities.get(f"{emil.uri}/contexts/{shown.id}")).status == 404
    assert (await cities.get(f"{alice.uri}/contexts/{shown.id}")).status == 200


async def test_a_long_conversation_is_listed_in_pages(
    cities: Cities, nord: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contexts, "PAGE", 2)
    alice = await nord.person("alice")
    said = [await nord.post(alice, "0")]
    said += [await nord.post(alice, f"{number}", reply_to=said[0]) for number in range(1, 5)]
    page = await read(cities, (await read(cities, f"{alice.uri}/contexts/{said[0].id}"))["first"])
    listed = page["orderedItems"]
    while "next" in page:
        address = page["next"]
        page = await read(cities, address)
        assert page["id"] == address
        listed += page["orderedItems"]
    assert listed == [one.uri for one in said]


async def opened(city: City, reader: Person, uri: str) -> list[str]:
    """Somebody reads a conversation; what they see of it in the end."""
    copy = await fetch.status(city.job, uri)
    await reader.get(f"/api/v1/statuses/{copy.id}/context")
    await threads.complete(city.job, threads.ThreadWanted(copy.id))
    return [row["uri"] for row in (await reader.get(f"/api/v1/statuses/{copy.id}/context")).json()["descendants"]]


@pytest.mark.shows("FEP-7888", "FEP-f228")
async def test_one_list_brings_a_conversation_in_which_nobody_here_is(
    cities: Cities, nord: City, sued: City, ost: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "COLLECTIONS", 0)  # not a single post is asked for its replies
    alice, bela, carol = await settle_in(nord.app, "alice"), await sued.person("bela"), await ost.person("carol")
    first = await sued.post(bela, "What do you think?")
    answer = await ost.post(carol, "Good, @bela@sued.example", reply_to=await fetch.status(ost.job, first.uri))
    await cities.settle()
    last = await sued.post(bela, "Why?", reply_to=await sued.copy(answer))
    await cities.settle()
    assert await opened(nord, alice, first.uri) == [answer.uri, last.uri]
    asked = [one.url for one in cities.network.sent]
    assert any(url.startswith(f"{bela.uri}/contexts/") for url in asked)
    assert answer.uri in asked


def conversation(faux: Faux, *listed: Any, **more: Any) -> str:
    """Ann of a hostile server says something; what its list holds."""
    faux.settle("ann")
    faux.say("/ann/1", said(1, context=f"{FAUX}/list", **more))
    faux.say("/list", {"id": f"{FAUX}/list", "type": "OrderedCollection", "attributedTo": f"{FAUX}/ann",
                       "orderedItems": [f"{FAUX}/ann/1", *listed]})
    return f"{FAUX}/ann/1"


def said(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"{FAUX}/ann/{number}", "type": "Note", "attributedTo": f"{FAUX}/ann", "content": f"<p>{number}</p>",
            "to": [PUBLIC], **more}


async def test_a_list_is_only_believed_in_what_the_posts_say_themselves(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    faux = Faux(cities)
    strange = await sued.post(bela, "Elsewhere")
    lie = {"id": f"{FAUX}/ann/2", "type": "Note", "attributedTo": f"{FAUX}/ann", "content": "<p>A lie</p>", "to": [PUBLIC],
           "inReplyTo": f"{FAUX}/ann/1"}
    root = conversation(faux, lie, strange.uri, f"{FAUX}/ann/3", {"id": "https://nord.example/ap/users/1/statuses/1"}, 7)
    faux.say("/ann/2", said(2, inReplyTo=root))
    faux.say("/ann/3", said(3, inReplyTo=f"{FAUX}/another"))
    assert await opened(nord, alice, root) == [f"{FAUX}/ann/2"]
    assert await nord.value("SELECT content FROM statuses WHERE uri = $1", f"{FAUX}/ann/2") == "<p>2</p>"
    assert await stands(nord, POSTS) == 2


@pytest.mark.parametrize("how", ["another server's", "an actor", "written out", "no address"])
async def test_a_list_lies_on_the_server_of_the_post_that_names_it(cities: Cities, nord: City, sued: City, how: str) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    faux, sued_root = Faux(cities), await sued.post(bela, "Mine")
    named: dict[str, Any] = {
        "another server's": f"{bela.uri}/contexts/{sued_root.id}", "an actor": f"{FAUX}/ann",
        "written out": {"type": "Collection", "items": "nothing"}, "no address": "tag:faux.example,2026:1",
    }
    root = conversation(faux)
    faux.say("/ann/1", said(1, context=named[how]))
    assert await opened(nord, alice, root) == []
    assert not any("/contexts/" in one.url for one in cities.network.sent)
    assert await stands(nord, POSTS) == 1


async def test_a_list_cannot_make_us_ask_for_ever(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    faux = Faux(cities)
    root = conversation(faux, *(f"{FAUX}/ann/{number}" for number in range(2, 100)))
    for number in range(2, 100):
        faux.say(f"/ann/{number}", said(number, inReplyTo=root))
    assert len(await opened(nord, alice, root)) == threads.MOST
    assert len(await opened(nord, alice, root)) == 2 * threads.MOST
    strange: list[Status] = [await sued.post(bela, f"{number}") for number in range(threads.SHARE + 5)]
    conversation(faux, *(one.uri for one in strange))
    before = len(cities.network.sent)
    await opened(nord, alice, root)
    asked = {one.url for one in cities.network.sent[before:]} & {one.uri for one in strange}
    assert len(asked) == threads.SHARE
