"""What people show at the top of their profiles, across cities: told, taken back, forged, repeated, read once."""

from __future__ import annotations

from typing import Any

import msgspec

from cities.harness import Cities, City
from cities.test_follow import following
from cities.test_hostile import NORD, note, refusals
from cities.test_posts import arrived, friends
from conftest import Person, settle_in
from parvis.accounts.model import Account
from parvis.federation import featured
from parvis.federation.vocabulary import PUBLIC
from parvis.statuses import actions as statuses
from parvis.statuses import policy
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft
from parvis.timelines import actions as timelines


async def pinned(city: City, who: Account) -> list[str]:
    """What a city shows at the top of somebody's profile, the newest first."""
    found = await city.meet(f"{who.username}@{who.uri.split('/')[2]}")
    shown = [await city.look(posts.by_id, number) for number in await city.look(posts.pinned, found.id)]
    return [one.uri for one in shown if one]


async def seen_pinned(reader: Person, account: Account) -> list[str]:
    """The same, as somebody's client is told."""
    answer = await reader.get(f"/api/v1/accounts/{account.id}/statuses?pinned=true")
    assert answer.status == 200, answer.text
    return [one["uri"] for one in answer.json()]


async def told(city: City, kind: str) -> list[dict[str, Any]]:
    """The activities of a kind that a city has sent."""
    async with city.db.read() as read:
        bodies = [msgspec.json.decode(body) for body in await read.values("SELECT body FROM outgoing ORDER BY id")]
    return [body for body in bodies if body["type"] == kind]


def pointing(kind: str, by: Account, shown: object, name: str = "1", target: str | None = None) -> dict[str, Any]:
    """An Add or Remove as another server might write it."""
    return {
        "id": f"{by.uri}#{kind}/{name}", "type": kind, "actor": by.uri, "object": shown,
        "target": target or f"{by.uri}/collections/featured",
    }


async def say_so(cities: Cities, document: dict[str, Any], by: Account) -> None:
    """It is brought to Nord, and looked at."""
    assert (await cities.deliver(NORD, document, by)).status == 202
    await cities.settle()


async def test_a_pin_is_shown_in_the_other_city_and_taken_back(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    seen, _ = await following(cities, nord, alice.account, sued, bela)
    said = await sued.post(bela, "À retenir")
    await cities.settle()
    await sued.do(statuses.pin, bela, said.id)
    await cities.settle()
    assert await seen_pinned(alice, seen) == [said.uri]
    await sued.do(statuses.unpin, bela, said.id)
    await cities.settle()
    assert await seen_pinned(alice, seen) == []
    await sued.do(statuses.pin, bela, said.id)
    await cities.settle()
    assert await seen_pinned(alice, seen) == [said.uri]
    first, again = await told(sued, "Add")
    assert (first["object"], first["target"]) == (said.uri, f"{bela.uri}/collections/featured")
    assert first["id"] != again["id"]
    assert (first["to"], first["cc"]) == ([PUBLIC], [f"{bela.uri}/followers"])
    await sued.do(statuses.delete, bela, said.id)
    await cities.settle()
    assert await seen_pinned(alice, seen) == []


async def test_pinning_twice_is_told_once(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "À retenir")
    for deed in (statuses.unpin, statuses.pin, statuses.pin):
        await sued.do(deed, bela, said.id)
    await cities.settle()
    assert (len(await told(sued, "Add")), len(await told(sued, "Remove"))) == (1, 0)


async def test_what_is_over_before_it_is_told_is_not_told(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "À retenir")
    await sued.do(statuses.pin, bela, said.id)
    await sued.do(statuses.unpin, bela, said.id)
    await cities.settle()
    assert await told(sued, "Add") == []
    assert await pinned(nord, bela) == []


async def test_what_is_not_for_everybody_is_not_told(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    private = await sued.post(bela, "Entre amis", "private")
    kept = await sued.do(statuses.publish, bela, Draft(content="<p>Ici</p>", text="Ici", visibility="public", local_only=True))
    for deed in (statuses.pin, statuses.unpin):
        for said in (private, kept):
            await sued.do(deed, bela, said.id)
        await cities.settle()
    assert (await told(sued, "Add"), await told(sued, "Remove")) == ([], [])


async def test_an_unknown_post_is_fetched_for_those_whom_somebody_follows(
    cities: Cities, nord: City, sued: City
) -> None:
    bela, emil = await sued.person("bela"), await sued.person("emil")
    for person in (bela, emil):
        await nord.meet(f"{person.username}@sued.example")
    await cities.settle()
    old, other = await sued.post(bela, "D'avant"), await sued.post(emil, "D'avant aussi")
    alice = await nord.person("alice")
    await following(cities, nord, alice, sued, bela)
    assert await nord.copy(old) is None
    await say_so(cities, pointing("Add", bela, old.uri), bela)
    await say_so(cities, pointing("Add", emil, other.uri), emil)
    assert (await arrived(nord, old)).content == old.content
    assert (await pinned(nord, bela), await nord.copy(other)) == ([old.uri], None)


async def test_nobody_pins_what_others_said_or_where_others_pin(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    emil, chloe = await sued.person("emil"), await ost.person("chloe")
    await following(cities, nord, alice, sued, emil)
    await following(cities, nord, alice, ost, chloe)
    mine, theirs, unheard = await nord.post(alice, "Le mien"), await sued.post(bela, "De Bela"), await ost.post(chloe, "De Chloé")
    secret = await sued.do(statuses.publish, emil, Draft(content="<p>x</p>", text="x", visibility="public"))
    await cities.settle()
    for number, uri in enumerate((mine.uri, theirs.uri, unheard.uri, f"{chloe.uri}/statuses/9", f"{bela.uri}/statuses/9")):
        await say_so(cities, pointing("Add", emil, uri, f"{number}"), emil)
    for number, target in enumerate((f"{bela.uri}/collections/featured", f"{emil.uri}/collections/tags", f"{alice.uri}#x")):
        await say_so(cities, pointing("Add", emil, secret.uri, f"t{number}", target), emil)
    forged = pointing("Add", emil, note(bela, "9"), "forged")
    await say_so(cities, forged, emil)
    assert await nord.value("SELECT count(*) FROM pins") == 0
    await sued.do(statuses.pin, bela, theirs.id)
    await cities.settle()
    assert await pinned(nord, bela) == [theirs.uri]
    await say_so(cities, pointing("Remove", emil, theirs.uri), emil)
    await say_so(cities, pointing("Remove", emil, theirs.uri, "2", f"{bela.uri}/collections/featured"), emil)
    await say_so(cities, pointing("Remove", chloe, theirs.uri), chloe)
    assert await pinned(nord, bela) == [theirs.uri]
    assert set(await refusals(nord)) <= {"not_yours", "wrong_host", "wrong_author"}


async def test_an_add_takes_effect_once(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Une fois")
    await cities.settle()
    add = pointing("Add", bela, said.uri)
    for document in (add, add, pointing("Remove", bela, said.uri), add):
        await say_so(cities, document, bela)
    assert await pinned(nord, bela) == []
    await say_so(cities, pointing("Remove", bela, said.uri, "2"), bela)
    await say_so(cities, pointing("Add", bela, said.uri, "2"), bela)
    assert await pinned(nord, bela) == [said.uri]
    assert await refusals(nord) == []


async def test_a_profile_shows_so_much_and_no_more(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = [await sued.post(bela, f"Numéro {number}") for number in range(policy.PINS_ELSEWHERE + 1)]
    await cities.settle()
    for number, one in enumerate(said):
        await say_so(cities, pointing("Add", bela, one.uri, f"{number}"), bela)
    assert len(await pinned(nord, bela)) == policy.PINS_ELSEWHERE
    assert await refusals(nord) == ["too_many_pins"]


async def test_a_profile_that_is_new_here_brings_what_it_shows(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    said = [await sued.post(bela, f"Numéro {number}") for number in range(3)]
    hidden = await sued.post(bela, "Entre amis", "private")
    for one in (*said, hidden):
        await sued.do(statuses.pin, bela, one.id)
    seen = await nord.meet("bela@sued.example")
    await cities.settle()
    assert await seen_pinned(alice, seen) == [one.uri for one in reversed(said)]
    assert await nord.copy(hidden) is None
    asked = len(cities.network.log)
    await sued.do(statuses.unpin, bela, said[0].id)
    await nord.meet("bela@sued.example")
    await cities.settle()
    assert len(cities.network.log) == asked


async def shelf(cities: Cities, of: Account, *items: Any, host: str = "sued.example") -> None:
    """From now on this is what stands in somebody's collection of featured posts."""
    city = cities.network.hosts[host]
    document = {"id": f"{of.uri}/collections/featured", "type": "OrderedCollection", "orderedItems": list(items)}

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != f"/{of.uri.split('/', 3)[3]}/collections/featured":
            await city(scope, receive, send)
            return
        headers = [(b"content-type", b"application/activity+json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(document)})

    cities.network.hosts[host] = answering


async def test_a_collection_of_lies_brings_nothing(cities: Cities, nord: City, sued: City, ost: City) -> None:
    bela, emil, chloe = await sued.person("bela"), await sued.person("emil"), await ost.person("chloe")
    theirs, far, own = await sued.post(emil, "D'Emil"), await ost.post(chloe, "De Chloé"), await sued.post(bela, "De Bela")
    await shelf(
        cities, bela, theirs.uri, note(chloe, "1"), note(emil, "1"), own.uri, note(bela, "2", (emil.uri,)), far.uri, own.uri,
    )
    await nord.meet("bela@sued.example")
    await cities.settle()
    assert await pinned(nord, bela) == [own.uri]
    assert await nord.value("SELECT array_agg(uri) FROM statuses") == [own.uri]


async def test_a_long_collection_is_read_in_part_and_leads_nowhere_else(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    bela, emil, chloe = await sued.person("bela"), await sued.person("emil"), await ost.person("chloe")
    root = await ost.post(chloe, "Une question")
    pin = await sued.post(emil, "D'Emil")
    await sued.do(statuses.pin, emil, pin.id)
    tags = [{"type": "Mention", "href": emil.uri, "name": "@emil@sued.example"}]
    named = [
        note(bela, f"{number}", (PUBLIC, emil.uri), inReplyTo=root.uri, tag=tags) for number in range(featured.MOST + 3)
    ]
    await shelf(cities, bela, *named)
    await nord.meet("bela@sued.example")
    await cities.settle()
    assert len(await pinned(nord, bela)) == featured.MOST
    assert await nord.copy(root) is None
    assert await nord.copy(pin) is None


async def test_a_server_that_is_away_is_not_asked_again(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    said = await sued.post(bela, "À retenir")
    await sued.do(statuses.pin, bela, said.id)
    await nord.meet("bela@sued.example")
    cities.network.down.add("sued.example")
    await cities.settle()
    cities.network.down.clear()
    await cities.settle()
    assert await pinned(nord, bela) == []


async def test_hashtags_of_a_profile_travel_too(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    seen, _ = await following(cities, nord, alice.account, sued, bela)

    async def shown() -> list[str]:
        rows = (await alice.get(f"/api/v1/accounts/{seen.id}/featured_tags")).json()
        return [row["name"] for row in rows]

    await sued.do(timelines.feature_tag, bela.id, "LilleEnVert")
    await sued.do(timelines.feature_tag, bela.id, "lilleenvert")
    await cities.settle()
    assert await shown() == ["LilleEnVert"]
    [sent] = await told(sued, "Add")
    assert sent["object"] == {"type": "Hashtag", "href": "https://sued.example/tags/lilleenvert", "name": "#LilleEnVert"}
    await sued.do(timelines.unfeature_tag, bela.id, "lilleenvert")
    await cities.settle()
    assert await shown() == []
    for number in range(12):
        tag = {"type": "Hashtag", "href": f"https://sued.example/tags/t{number}", "name": f"#mot{number}"}
        await say_so(cities, pointing("Add", bela, tag, f"{number}"), bela)
    for name, wrong in (("a", {"type": "Hashtag"}), ("b", {"type": "Hashtag", "name": "#a b"}), ("c", {"type": "Hashtag", "name": 7})):
        await say_so(cities, pointing("Add", bela, wrong, name), bela)
    assert await shown() == [f"mot{number}" for number in range(10)]
