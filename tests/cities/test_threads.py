"""Replies that nobody sent us are asked for when somebody reads the conversation."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cities.harness import Cities, City
from cities.test_rules_of_safety import FAUX, Hydra
from conftest import Person, settle_in
from parvis.accounts.model import Account
from parvis.federation import fetch, threads
from parvis.statuses.model import Status


async def conversation(sued: City, ost: City, bela: Account) -> tuple[Status, list[Status]]:
    """Bela of Süd says something; Dora answers there, Carol from Ost, and Bela answers Carol."""
    dora, carol = await sued.person("dora"), await ost.person("carol")
    root = await sued.post(bela, "What do you think?")
    first = await sued.post(dora, "Good", reply_to=root)
    met = await fetch.status(ost.job, root.uri)
    second = await ost.post(carol, f"@{bela.username}@{sued.domain} Bad", reply_to=met)
    return root, [first, second]


async def texts(reader: Person, number: int) -> list[str]:
    answer = await reader.get(f"/api/v1/statuses/{number}/context")
    assert answer.status == 200, answer.text
    return [row["uri"] for row in answer.json()["descendants"]]


async def test_reading_a_conversation_brings_what_was_never_sent(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    root, replies = await conversation(sued, ost, bela)
    await cities.settle()
    answer = await sued.post(bela, "Why?", reply_to=await sued.copy(replies[1]))
    await cities.settle()
    copy = await fetch.status(nord.job, root.uri)
    told = await alice.get(f"/api/v1/statuses/{copy.id}/context")
    assert told.json()["descendants"] == []
    header = told.headers["mastodon-async-refresh"]
    assert header == f'id="context-{copy.id}", retry=3, result_count=0'
    running = (await alice.get(f"/api/v1_alpha/async_refreshes/context-{copy.id}")).json()["async_refresh"]
    assert running == {"id": f"context-{copy.id}", "status": "running", "result_count": 0}
    asked = len(cities.network.log)
    again = await alice.get(f"/api/v1/statuses/{copy.id}/context")
    assert again.headers["mastodon-async-refresh"] == header
    await cities.settle()
    done = (await alice.get(f"/api/v1_alpha/async_refreshes/context-{copy.id}")).json()["async_refresh"]
    assert (done["status"], done["result_count"]) == ("finished", 3)
    assert set(await texts(alice, copy.id)) == {*(one.uri for one in replies), answer.uri}
    assert len(cities.network.log) > asked
    quiet = len(cities.network.log)
    assert "mastodon-async-refresh" not in (await alice.get(f"/api/v1/statuses/{copy.id}/context")).headers
    await cities.settle()
    assert len(cities.network.log) == quiet
    await cities.advance(timedelta(minutes=16))
    assert "mastodon-async-refresh" in (await alice.get(f"/api/v1/statuses/{copy.id}/context")).headers
    await cities.settle()
    done = (await alice.get(f"/api/v1_alpha/async_refreshes/context-{copy.id}")).json()["async_refresh"]
    assert (done["status"], done["result_count"]) == ("finished", 0)


async def test_a_server_that_is_away_ends_the_refresh(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    root, _ = await conversation(sued, ost, bela)
    await cities.settle()
    copy = await fetch.status(nord.job, root.uri)
    cities.network.down.add("sued.example")
    assert "mastodon-async-refresh" in (await alice.get(f"/api/v1/statuses/{copy.id}/context")).headers
    await threads.complete(nord.job, threads.ThreadWanted(copy.id))
    done = (await alice.get(f"/api/v1_alpha/async_refreshes/context-{copy.id}")).json()["async_refresh"]
    assert (done["status"], done["result_count"]) == ("finished", 0)


async def test_a_server_cannot_make_us_ask_for_ever(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    root = await sued.post(bela, "Loud")
    for number in range(threads.MOST + 5):
        await sued.post(bela, f"Reply {number}", reply_to=root)
    copy = await fetch.status(nord.job, root.uri)
    await alice.get(f"/api/v1/statuses/{copy.id}/context")
    await threads.complete(nord.job, threads.ThreadWanted(copy.id))
    assert 0 < len(await texts(alice, copy.id)) <= threads.MOST


async def test_a_conversation_costs_so_many_requests_and_no_more(
    cities: Cities, nord: City, sued: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    hydra = Hydra(cities)
    copy = await fetch.status(nord.job.rationed(10), f"{FAUX}/p")
    hydra.asked.clear()
    monkeypatch.setattr(threads, "REQUESTS", 30)
    await threads.complete(nord.job, threads.ThreadWanted(copy.id))
    assert 20 < len(hydra.asked) <= 30
