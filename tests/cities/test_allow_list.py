"""A city that speaks only with servers that are welcome: the others are told nothing, asked nothing and not listened to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cities.harness import Cities, City
from cities.test_domain_blocks import moderator
from cities.test_follow import following, relation
from parvis.accounts import actions as accounts
from parvis.base.errors import Forbidden, Refused, Upstream
from parvis.federation import fetch
from parvis.peers import queries as peers


async def test_only_welcome_servers_are_spoken_with(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela, olga = await nord.person("alice"), await sued.person("bela"), await ost.person("olga")
    mona = await moderator(nord, "mona")
    for there, other in ((sued, bela), (ost, olga)):
        await following(cities, nord, alice, there, other)
        await following(cities, there, other, nord, alice)
    olga_in_nord = await nord.meet("olga@ost.example")
    await nord.do(peers.allow, "sued.example", mona.id)
    await nord.do(peers.close)
    cities.network.log.clear()
    heard, unheard = await sued.post(bela, "From a friend"), await ost.post(olga, "From a stranger")
    said = await nord.post(alice, "To friends")
    whispered = await nord.post(alice, "To followers", "private")
    await cities.settle()
    assert (await nord.copy(heard) is not None, await nord.copy(unheard)) == (True, None)
    assert (await sued.copy(said) is not None, await ost.copy(said)) == (True, None)
    assert not [url for _, url, _ in cities.network.log if "ost.example" in url]
    assert {status for _, url, status in cities.network.log if url == "https://nord.example/inbox"} == {202, 403}
    assert (await cities.get(whispered.uri, by=olga)).status == 404
    assert (await cities.get(whispered.uri, by=bela)).status == 200
    for ask in (fetch.status(nord.job, unheard.uri), fetch.by_handle(nord.job, "someone", "ost.example")):
        with pytest.raises(Upstream, match="domain_blocked"):
            await ask
    dora = await nord.person("dora")
    with pytest.raises(Forbidden, match="unavailable"):
        await nord.do(accounts.follow, dora, olga_in_nord)
    assert await relation(nord, dora, olga_in_nord) == "none"

    await nord.do(peers.allow, "ost.example", mona.id)
    later = await ost.post(olga, "Now a friend, too")
    await cities.advance(timedelta(hours=3))  # who was refused waits before they try again
    await cities.settle()
    assert await nord.copy(later) is not None
    place = "https://nord.example/api/v2/instance"
    assert (await cities.get(place, accept="application/json")).body.count(b'"limited_federation":true') == 1
    await nord.do(peers.open_up)
    assert (await cities.get(place, accept="application/json")).body.count(b'"limited_federation":false') == 1
    assert not await nord.look(peers.is_closed)


async def test_that_a_city_has_an_allow_list_and_how_many_are_on_it_is_on_the_record(nord: City) -> None:
    alice, mona = await nord.person("alice"), await moderator(nord, "mona")
    with pytest.raises(Refused, match="not_a_moderator"):
        await nord.do(peers.allow, "sued.example", alice.id)
    assert (await nord.do(peers.close), await nord.do(peers.close)) == (1, 0)
    await nord.do(peers.allow, "sued.example", mona.id)
    assert (await nord.do(peers.open_up), await nord.do(peers.open_up)) == (1, 0)
    told = await nord.value("""SELECT array_agg((e ->> 'protection') || ' ' || (e ->> 'change') || ' ' || (e ->> 'standing') ORDER BY id)
        FROM (SELECT id, convert_from(data, 'UTF8')::jsonb AS e FROM ledger_leaves WHERE kind = 'protection') l""")
    assert told == ["allow_list added 1", "domain_allows added 1", "allow_list removed 0"]
