"""Servers that do not answer: left alone, after a week taken to be away, and there again as soon as they are heard from."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from cities.harness import Cities, City, key_pair
from cities.test_follow import following
from cities.test_posts import arrived, friends
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.errors import Upstream
from parvis.federation import delivery, fetch, wire
from parvis.peers import queries as peers

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
INBOX = "https://nord.example/inbox"


async def days(cities: Cities, city: City, number: int) -> None:
    """So many days pass; what is due is done."""
    for _ in range(number):
        await cities.advance(timedelta(days=1))
        await cities.settle()
        await delivery.prune(city.job)


async def away(cities: Cities, nord: City, sued: City) -> tuple[Account, Account]:
    """Alice of Nord follows Bela of Süd, and for a week nothing could be brought to Nord."""
    alice, bela = await friends(cities, nord, sued)
    cities.network.down.add("nord.example")
    await sued.post(bela, "Vous êtes là ?")
    await cities.settle()
    await days(cities, sued, 7)
    assert await sued.look(peers.is_away, "nord.example")
    cities.network.tried.clear()
    return alice, bela


async def waiting(city: City) -> int:
    """How much this city has written for others."""
    return int(await city.value("SELECT (SELECT count(*) FROM outgoing) + (SELECT count(*) FROM deliveries)"))


async def test_after_seven_days_a_host_is_away_and_nothing_is_written_for_it(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    _alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    cities.network.down.add("nord.example")
    await sued.post(bela, "Vous êtes là ?")
    await cities.settle()
    await days(cities, sued, 6)
    assert not await sued.look(peers.is_away, "nord.example")
    assert await waiting(sued) == 2
    await days(cities, sued, 1)
    assert await sued.look(peers.is_away, "nord.example")
    assert await sued.value("SELECT count(*) FROM delivery_hosts") == 0
    cities.network.tried.clear()
    await sued.post(bela, "Tant pis")
    await cities.settle()
    assert (cities.network.tried, await waiting(sued)) == ([], 0)
    await following(cities, ost, chloe, sued, bela)
    said = await sued.post(bela, "Pour les autres")
    await cities.settle()
    await arrived(ost, said)
    assert not [url for url in cities.network.tried if "nord.example" in url]


async def test_whoever_received_something_is_not_away(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    for _ in range(2):
        cities.network.down.add("nord.example")
        await sued.post(bela, "Vous êtes là ?")
        await cities.settle()
        await days(cities, sued, 4)
        cities.network.down.clear()
        await days(cities, sued, 1)
    assert not await sued.look(peers.is_away, "nord.example")


async def test_a_host_that_fails_only_now_and_then_begins_to_fail_afresh(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    cities.network.down.add("nord.example")
    await sued.post(bela, "Un")
    await cities.settle()
    await days(cities, sued, 3)
    since = await sued.value("SELECT failing_since FROM delivery_hosts")
    await sued.as_owner(
        """INSERT INTO deliveries (host, outgoing_id, inbox)
           SELECT host, outgoing_id, 'https://nord.example/zzz' FROM deliveries"""
    )
    cities.network.down.clear()
    inner = cities.network.hosts["nord.example"]

    async def half(scope, receive, send):
        if scope["path"] == "/zzz":
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await inner(scope, receive, send)

    cities.network.hosts["nord.example"] = half
    await days(cities, sued, 1)
    assert await sued.value("SELECT failures FROM delivery_hosts") == 1
    assert await sued.value("SELECT failing_since FROM delivery_hosts") > since


async def test_hearing_from_a_host_that_is_away_wakes_it_at_once(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await away(cities, nord, sued)
    cities.network.down.clear()
    await nord.post(alice, "@bela@sued.example nous revoilà")
    await cities.settle()
    assert not await sued.look(peers.is_away, "nord.example")
    said = await sued.post(bela, "Bon retour")
    await cities.settle()
    await arrived(nord, said)


async def test_a_follow_that_comes_from_there_is_answered(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await away(cities, nord, sued)
    cities.network.down.clear()
    emil = await nord.person("emil")
    await following(cities, nord, emil, sued, bela)
    assert await nord.value("SELECT accepted FROM follows WHERE account_id = $1", emil.id)


@pytest.mark.parametrize("how", ["heard", "probed"])
async def test_whoever_asked_to_follow_meanwhile_asks_again(cities: Cities, nord: City, sued: City, how: str) -> None:
    alice, bela = await away(cities, nord, sued)
    seen = await sued.look(people.by_uri, alice.uri)
    assert seen is not None
    await sued.do(accounts.follow, bela, seen)
    await cities.settle()
    assert cities.network.tried == []
    cities.network.down.clear()
    if how == "heard":
        await nord.post(alice, "@bela@sued.example nous revoilà")
    else:
        await cities.advance(timedelta(days=1))
        await delivery.probe(sued.job)
    await cities.settle()
    assert await sued.value("SELECT accepted FROM follows WHERE account_id = $1", bela.id)
    known = await nord.look(people.by_uri, bela.uri)
    assert known is not None
    assert await nord.look(people.follow_between, known.id, alice.id) is not None


async def test_what_somebody_else_signed_wakes_nobody(cities: Cities, nord: City, sued: City) -> None:
    alice, _bela = await away(cities, nord, sued)
    like = {"id": f"{alice.uri}#1", "type": "Like", "actor": alice.uri, "object": alice.uri}
    answer = await cities.deliver("https://sued.example/inbox", like, alice, key_pair(9)[0])
    await cities.settle()
    assert answer.status == 401
    assert await sued.look(peers.is_away, "nord.example")


async def test_it_is_asked_now_and_then_whether_it_is_there(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await away(cities, nord, sued)
    question = "https://nord.example/.well-known/nodeinfo"
    assert not await delivery.probe(sued.job)
    for times in (1, 2):
        await cities.advance(timedelta(days=1))
        assert await delivery.probe(sued.job)
        assert not await delivery.probe(sued.job)
        assert cities.network.tried == [question] * times
    assert await sued.look(peers.is_away, "nord.example")
    cities.network.down.clear()
    await cities.advance(timedelta(days=1))
    await delivery.probe(sued.job)
    assert not await sued.look(peers.is_away, "nord.example")
    said = await sued.post(bela, "Bon retour")
    await cities.settle()
    await arrived(nord, said)


async def test_the_longer_it_is_away_the_rarer_it_is_asked(cities: Cities, nord: City, sued: City) -> None:
    await away(cities, nord, sued)
    asked = []
    for day in range(200):
        await cities.advance(timedelta(days=1))
        if await delivery.probe(sued.job):
            asked.append(day)
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert gaps == sorted(gaps)
    assert (gaps[0], max(gaps)) == (1, 30)


async def test_who_answers_a_question_is_there(cities: Cities, nord: City, sued: City) -> None:
    alice, _bela = await away(cities, nord, sued)
    cities.network.down.clear()
    await fetch.actor(sued.job, alice.uri, fresh=True)
    assert not await sued.look(peers.is_away, "nord.example")


async def test_a_page_that_is_not_a_server_of_ours_is_no_answer(cities: Cities, nord: City, sued: City) -> None:
    await away(cities, nord, sued)

    async def parked(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<h1>This domain is for sale</h1>"})

    cities.network.hosts["nord.example"] = parked
    cities.network.down.clear()
    await cities.advance(timedelta(days=1))
    await delivery.probe(sued.job)
    assert cities.network.tried == ["https://nord.example/.well-known/nodeinfo"]
    assert await sued.look(peers.is_away, "nord.example")


async def test_a_host_that_speaks_but_does_not_listen_costs_one_attempt_in_five_minutes(
    cities: Cities, nord: City, sued: City
) -> None:
    alice, bela = await friends(cities, nord, sued)
    await nord.meet("bela@sued.example")
    cities.network.down.add("nord.example")
    said = await sued.post(bela, "Vous m'entendez ?")
    await cities.settle()
    assert cities.network.tried.count(INBOX) == 1 + await before(cities)
    cities.network.tried.clear()
    for number in range(5):
        await nord.post(alice, f"@bela@sued.example {number}")
        await cities.settle()
    assert cities.network.tried.count(INBOX) == 1
    await cities.advance(timedelta(seconds=301))
    await sued.as_owner("UPDATE delivery_hosts SET due_at = due_at + interval '1 hour'")
    for number in range(5):
        await nord.post(alice, f"@bela@sued.example encore {number}")
        await cities.settle()
    assert cities.network.tried.count(INBOX) == 2
    cities.network.down.clear()
    await cities.advance(timedelta(seconds=301))
    await nord.post(alice, "@bela@sued.example enfin")
    await cities.settle()
    await arrived(nord, said)


async def before(cities: Cities) -> int:
    """How much had been brought to Nord before."""
    return len([url for _, url, _ in cities.network.log if url == INBOX])


async def test_a_host_that_does_not_answer_is_not_asked_by_everybody(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    far = [await ost.post(chloe, f"Au loin {number}") for number in range(9)]
    cities.network.down.add("ost.example")
    cities.network.tried.clear()
    for number, one in enumerate(far):
        boost = {"id": f"{bela.uri}/boost/{number}", "type": "Announce", "actor": bela.uri, "object": one.uri, "to": [PUBLIC]}
        await cities.deliver(INBOX, boost, bela)
        await cities.settle()  # what comes at one moment is asked at one moment
    assert len([url for url in cities.network.tried if "ost.example" in url]) == wire.ENOUGH
    cities.network.tried.clear()
    await cities.advance(timedelta(seconds=301))
    await cities.settle()
    assert len([url for url in cities.network.tried if "ost.example" in url]) == 1
    cities.network.down.clear()
    for _ in range(2):  # one asks, and is answered; the others have waited for it
        await cities.advance(timedelta(seconds=301))
        await cities.settle()
    for one in far:
        await arrived(nord, one)
    assert await nord.value("SELECT count(*) FROM silent_hosts") == 0


async def test_hearing_from_it_ends_that_too(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    cities.network.down.add("sued.example")
    for _ in range(wire.ENOUGH + 3):
        with pytest.raises(Upstream):
            await wire.document(nord.job, bela.uri)
    cities.network.down.clear()
    with pytest.raises(Upstream):
        await wire.document(nord.job, bela.uri)
    await sued.post(bela, "Nous revoilà")
    await cities.settle()
    assert (await wire.document(nord.job, bela.uri))["id"] == bela.uri
