"""Following across cities: asked, granted, refused, ended."""

from __future__ import annotations

import pytest

from cities.harness import Cities, City
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account


async def relation(city: City, by: Account, target: Account) -> str:
    """How one follows another, as this city sees it."""
    found = await city.look(people.follow_between, by.id, target.id)
    return "none" if found is None else "follows" if found.accepted else "waits"


async def following(cities: Cities, here: City, by: Account, there: City, target: Account) -> tuple[Account, Account]:
    """`by` follows `target`; each of them as the other's city knows them."""
    seen = await here.meet(f"{target.username}@{there.domain}")
    await here.do(accounts.follow, by, seen)
    await cities.settle()
    known = await there.look(people.by_uri, by.uri)
    assert known is not None
    return seen, known


@pytest.mark.shows("ActivityPub")
async def test_alice_follows_bela_in_another_city_and_both_cities_know(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    bela_in_nord, alice_in_sued = await following(cities, nord, alice, sued, bela)
    assert await relation(nord, alice, bela_in_nord) == "follows"
    assert await relation(sued, alice_in_sued, bela) == "follows"
    assert (bela_in_nord.acct, bela_in_nord.display_name) == ("bela@sued.example", "Bela")
    assert alice_in_sued.acct == "alice@nord.example"


async def test_a_locked_account_accepts_a_request(cities: Cities, nord: City, sued: City) -> None:
    alice, dora = await nord.person("alice"), await sued.person("dora", locked=True)
    dora_in_nord, alice_in_sued = await following(cities, nord, alice, sued, dora)
    assert dora_in_nord.locked
    assert await relation(nord, alice, dora_in_nord) == "waits"
    assert await relation(sued, alice_in_sued, dora) == "waits"
    await sued.do(accounts.accept_follow, dora, alice_in_sued)
    await cities.settle()
    assert await relation(nord, alice, dora_in_nord) == "follows"


async def test_a_locked_account_rejects_a_request(cities: Cities, nord: City, sued: City) -> None:
    alice, dora = await nord.person("alice"), await sued.person("dora", locked=True)
    dora_in_nord, alice_in_sued = await following(cities, nord, alice, sued, dora)
    await sued.do(accounts.reject_follow, dora, alice_in_sued)
    await cities.settle()
    assert await relation(nord, alice, dora_in_nord) == "none"
    assert await relation(sued, alice_in_sued, dora) == "none"


async def test_a_follower_is_sent_away_later(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    bela_in_nord, alice_in_sued = await following(cities, nord, alice, sued, bela)
    await sued.do(accounts.reject_follow, bela, alice_in_sued)
    await cities.settle()
    assert await relation(nord, alice, bela_in_nord) == "none"


async def test_alice_unfollows_and_follows_again(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    bela_in_nord, alice_in_sued = await following(cities, nord, alice, sued, bela)
    await nord.do(accounts.unfollow, alice, bela_in_nord)
    await cities.settle()
    assert await relation(sued, alice_in_sued, bela) == "none"
    await following(cities, nord, alice, sued, bela)
    assert await relation(nord, alice, bela_in_nord) == "follows"
    assert await relation(sued, alice_in_sued, bela) == "follows"


async def test_a_block_ends_follows_in_both_directions_and_can_be_taken_back(
    cities: Cities, nord: City, sued: City
) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    bela_in_nord, alice_in_sued = await following(cities, nord, alice, sued, bela)
    await following(cities, sued, bela, nord, alice)
    await sued.do(accounts.block, bela, alice_in_sued)
    await cities.settle()
    assert await relation(nord, alice, bela_in_nord) == "none"
    assert await relation(sued, bela, alice_in_sued) == "none"
    assert await relation(nord, bela_in_nord, alice) == "none"
    assert (await nord.look(people.relationships, alice.id, [bela_in_nord.id]))[0].blocked_by
    await sued.do(accounts.unblock, bela, alice_in_sued)
    await cities.settle()
    assert not (await nord.look(people.relationships, alice.id, [bela_in_nord.id]))[0].blocked_by


async def test_someone_blocked_who_asks_again_is_told_no(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    alice_in_sued = await sued.meet("alice@nord.example")
    await sued.do(accounts.block, bela, alice_in_sued)
    bela_in_nord = await nord.meet("bela@sued.example")
    await nord.do(accounts.follow, alice, bela_in_nord)
    await cities.settle()
    assert await relation(nord, alice, bela_in_nord) == "none"


async def test_somebody_who_leaves_is_gone_everywhere(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    _, alice_in_sued = await following(cities, nord, alice, sued, bela)
    await nord.do(accounts.close, alice)
    await cities.settle()
    assert (await sued.known(alice_in_sued.id)).deleted_at is not None
    assert (await cities.get(alice.uri)).status == 410


async def test_blocking_a_domain_ends_follows_both_ways_and_the_other_city_knows(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    bela_in_nord, alice_in_sued = await following(cities, nord, alice, sued, bela)
    await following(cities, sued, bela, nord, alice)
    assert await relation(nord, bela_in_nord, alice) == "follows"
    await nord.do(accounts.block_domain, alice, "sued.example")
    await cities.settle()
    for here, there in ((alice_in_sued, bela), (bela, alice_in_sued)):
        assert await relation(sued, here, there) == "none"
    await sued.do(accounts.follow, bela, alice_in_sued)
    await cities.settle()
    assert await relation(sued, bela, alice_in_sued) == "none"
    assert await relation(nord, bela_in_nord, alice) == "none"
