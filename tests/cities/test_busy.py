"""Of one server only so much waits: it is asked to come again, and what it brings then is taken."""

from __future__ import annotations

import pytest

from cities.harness import Cities, City
from cities.test_posts import friends
from cities.test_review import NORD, create, note
from parvis.federation import endpoints


async def test_a_server_that_brings_too_much_comes_again_later(
    cities: Cities, nord: City, sued: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    _alice, bela = await friends(cities, nord, sued)
    monkeypatch.setattr(endpoints, "WAITING", 2)
    answers = [await cities.deliver(NORD, create(bela, note(bela, str(n))), bela) for n in range(4)]
    assert [one.status for one in answers] == [202, 202, 429, 429]
    assert answers[2].headers["retry-after"] == "60"
    assert await nord.value("SELECT count(*) FROM inbox_items") == 2
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses WHERE NOT local") == 2
    assert (await cities.deliver(NORD, create(bela, note(bela, "2")), bela)).status == 202
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses WHERE NOT local") == 3


async def test_what_only_says_who_signed_it_keeps_nobody_waiting(
    cities: Cities, nord: City, sued: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    _alice, bela = await friends(cities, nord, sued)
    eve = await sued.person("eve")
    monkeypatch.setattr(endpoints, "STRANGERS_WAITING", 1)
    said = [await cities.deliver(NORD, create(eve, note(eve, str(n))), eve) for n in range(3)]
    assert [one.status for one in said] == [202, 429, 429]
    assert (await cities.deliver(NORD, create(bela, note(bela, "1")), bela)).status == 202
