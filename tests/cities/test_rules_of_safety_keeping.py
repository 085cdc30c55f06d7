"""The security rules of what is kept here: what concerns this city, once, and at no cost when strangers are gone.

The others stand in test_rules_of_safety.py and test_rules_of_safety_within.py.
"""

from __future__ import annotations

import asyncio

from cities.harness import Cities, City
from cities.test_hostile import NORD, create, note
from cities.test_posts import friends
from cities.test_rules_of_safety import FAUX, POSTS, Faux, someone, stands
from parvis.federation import fetch, inbox
from parvis.federation.vocabulary import PUBLIC


async def test_rule_21_only_what_concerns_this_city_is_kept(cities: Cities, nord: City, sued: City, ost: City) -> None:
    """21: followed, addressed, or in answer to a post of ours or of somebody followed here; all else is not kept, nor asked for."""
    alice, bela = await friends(cities, nord, sued)
    chloe, eve = await ost.person("chloe"), await sued.person("eve")
    mine, followed = await nord.post(alice, "Bonjour"), await sued.post(bela, "Salut")
    strange = await ost.post(chloe, "Au loin")
    await fetch.status(nord.job, strange.uri)  # somebody looked it up: known here, but nobody's concern
    far = await ost.post(chloe, "Plus loin")
    await cities.settle()
    before = await stands(nord, POSTS)
    cities.network.log.clear()
    nothing = [note(eve, "1"), note(eve, "2", inReplyTo=strange.uri), note(eve, "3", (PUBLIC, "https://nord.example/ap/users/1"))]
    for said in nothing:
        await cities.deliver(NORD, create(eve, said), eve)
        changed = {"id": f"{said['id']}#u", "type": "Update", "actor": eve.uri, "object": said | {"updated": "2026-01-01T00:00:00Z"}}
        await cities.deliver(NORD, changed, eve)
    await cities.deliver(NORD, {"id": f"{eve.uri}/b", "type": "Announce", "actor": eve.uri, "object": far.uri, "to": [PUBLIC]}, eve)
    await cities.settle()
    assert await stands(nord, POSTS) == before
    assert [url for _, url, _ in cities.network.log if "ost.example" in url] == []
    for said in (note(eve, "4", inReplyTo=mine.uri), note(eve, "5", inReplyTo=followed.uri), note(eve, "6", (alice.uri,))):
        await cities.deliver(NORD, create(eve, said), eve)
    await cities.deliver(NORD, create(bela, note(bela, "7")), bela)
    await cities.settle()
    assert await stands(nord, POSTS) == before + 4


async def test_rule_22_what_comes_many_times_at_once_happens_once(cities: Cities, nord: City, sued: City) -> None:
    """22: one thing with one id is made once and counted once, whatever arrives at the same moment."""
    alice, bela = await friends(cities, nord, sued)
    said, mine = await sued.post(bela, "Une fois"), await nord.post(alice, "Aimez-moi")
    found = await asyncio.gather(*(fetch.status(nord.job, said.uri) for _ in range(5)))
    assert len({one.id for one in found}) == 1
    like = {"type": "Like", "actor": bela.uri, "object": mine.uri}
    boost = {"type": "Announce", "actor": bela.uri, "object": mine.uri, "to": [PUBLIC]}
    for number in range(4):
        for name, one in (("like", like), ("boost", boost)):
            await cities.deliver(NORD, one | {"id": f"{bela.uri}#{name}{number % 2}"}, bela)
    # Two workers at one lane: its lease ran out while the first was still at it.
    await asyncio.gather(*(_at_once(nord) for _ in range(3)))
    await cities.settle()
    assert await stands(nord, "SELECT count(*) FROM favourites") == 1
    assert await stands(nord, "SELECT count(*) FROM statuses WHERE reblog_of_id IS NOT NULL") == 1
    counted = "SELECT (coalesce(sum(d.favourites), 0), coalesce(sum(d.reblogs), 0))::text FROM status_count_deltas d WHERE status_id = $1"
    assert await nord.value(counted, mine.id) == "(1,1)"
    await sued.post(bela, "Encore une")
    await cities.settle()
    assert await stands(nord, POSTS) == 3


async def _at_once(city: City) -> None:
    await city.db.pool.execute("UPDATE inbox_hosts SET lease_until = NULL")
    await inbox.receive(city.job)


async def test_rule_23_that_a_stranger_is_gone_costs_nothing(cities: Cities, nord: City, sued: City) -> None:
    """23: a Delete or Update of somebody never met is answered 202 and dropped, before any request and without a trace."""
    alice, bela = await friends(cities, nord, sued)
    faux = Faux(cities)
    eve = someone(faux.settle("eve"))
    cities.network.log.clear()
    for number in range(20):
        kind = ("Delete", "Update")[number % 2]
        gone = {"id": f"{eve.uri}#{number}", "type": kind, "actor": eve.uri, "object": eve.uri}
        assert (await cities.deliver(NORD, gone, eve)).status == 202
    assert await stands(nord, "SELECT count(*) FROM inbox_items") == 0
    first = {"id": f"{eve.uri}#f", "type": "Dance", "actor": f"{FAUX}/nobody", "object": alice.uri}  # something of theirs waits
    await cities.deliver(NORD, first, someone({"id": f"{FAUX}/nobody", "preferredUsername": "eve"}))
    await cities.deliver(NORD, {"id": f"{eve.uri}#d", "type": "Delete", "actor": eve.uri, "object": eve.uri}, eve)
    await cities.settle()
    assert faux.asked == ["/nobody"]
    assert await stands(nord, "SELECT count(*) FROM accounts WHERE uri = $1", eve.uri) == 0
    assert await stands(nord, "SELECT count(*) FROM inbox_items") == 0
    await cities.deliver(NORD, {"id": f"{bela.uri}#d", "type": "Delete", "actor": bela.uri, "object": bela.uri}, bela)
    await cities.settle()
    assert await stands(nord, "SELECT count(*) FROM accounts WHERE uri = $1 AND deleted_at IS NOT NULL", bela.uri) == 1
