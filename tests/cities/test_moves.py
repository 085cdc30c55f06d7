"""Moving from city to city: followers come along, whoever lies moves nobody, and what is arranged already stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cities.harness import Cities, City
from cities.test_follow import following, relation
from cities.test_hostile import NORD, refusals
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account, FollowWish
from parvis.base.errors import Forbidden, Invalid, NotFound, TooMany
from parvis.federation import fetch
from parvis.portability import actions as moves
from parvis.statuses import actions as statuses
from parvis.timelines import actions as lists
from parvis.timelines import queries as shelves


async def claims(city: City, by: Account, other: Account) -> None:
    """Somebody names another account as theirs."""
    await city.do(moves.claim, await city.known(by.id), other.uri)


async def leaves(city: City, by: Account, other: Account) -> None:
    """Somebody moves, as an app does it: the other account is asked for before."""
    target = await fetch.actor(city.job, other.uri, fresh=True)
    await city.do(moves.move, await city.known(by.id), target)


async def seen(city: City, account: Account) -> Account:
    """An account as a city knows it."""
    found = await city.look(people.by_uri, account.uri)
    assert found is not None, account.uri
    return found


async def read(cities: Cities, url: str, kind: str = "application/activity+json") -> Any:
    """A document."""
    return msgspec.json.decode((await cities.get(url, accept=kind)).body)


def said(by: Account, target: Account, number: int = 1, **more: Any) -> dict[str, Any]:
    """A Move as another server might write it."""
    return {"id": f"{by.uri}#moves/{number}", "type": "Move", "actor": by.uri, "object": by.uri, "target": target.uri, **more}


async def test_bela_moves_to_another_city_and_followers_of_all_cities_come_along(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela, dora, new = (await nord.person("alice"), await sued.person("bela"), await sued.person("dora"),
                              await ost.person("bela"))
    await following(cities, nord, alice, sued, bela)
    await sued.do(accounts.follow, dora, bela)
    await claims(ost, new, bela)
    assert (await read(cities, new.uri))["alsoKnownAs"] == [bela.uri]
    await leaves(sued, bela, new)
    await cities.settle()
    document = await read(cities, bela.uri)
    assert (document["movedTo"], document["@context"][-1]["movedTo"]) == (new.uri, {"@id": "as:movedTo", "@type": "@id"})
    for city, follower in ((nord, alice), (sued, dora)):
        old_there, new_there = await seen(city, bela), await seen(city, new)
        assert old_there.moved_to_id == new_there.id
        assert await relation(city, follower, new_there) == "follows"
        assert await relation(city, follower, old_there) == "follows"
        assert await relation(ost, await seen(ost, follower), new) == "follows"
        shown = await read(cities, f"{city.settings.base}/api/v1/accounts/{old_there.id}", "application/json")
        assert (shown["moved"]["acct"], shown["moved"]["moved"]) == ("bela@ost.example", None)


async def test_carl_moves_within_his_city(cities: Cities, nord: City, sued: City) -> None:
    alice, carl, new, dora = (await nord.person("alice"), await sued.person("carl"), await sued.person("carla"),
                              await sued.person("dora"))
    await following(cities, nord, alice, sued, carl)
    await sued.do(accounts.follow, dora, carl)
    await sued.do(accounts.follow, new, carl)
    await claims(sued, new, carl)
    await leaves(sued, carl, new)
    await cities.settle()
    assert await relation(nord, alice, await seen(nord, new)) == "follows"
    assert await relation(sued, dora, new) == "follows"
    assert await sued.value("SELECT count(*) FROM follows WHERE target_id = $1", new.id) == 2


async def moving(cities: Cities, nord: City, sued: City, ost: City, locked: bool = False) -> tuple[Account, Account, Account]:
    """Alice of Nord follows Bela of Süd, whose other account in Ost names that one; the latter two as Nord knows them."""
    alice, bela, new = await nord.person("alice"), await sued.person("bela"), await ost.person("bela", locked)
    await following(cities, nord, alice, sued, bela)
    await claims(ost, new, bela)
    return alice, await nord.meet("bela@sued.example"), await nord.meet("bela@ost.example")


async def test_a_follow_comes_along_as_it_was_with_its_lists_and_asks_where_one_must_ask(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela, new = await moving(cities, nord, sued, ost, locked=True)
    await nord.do(accounts.follow, alice, bela, FollowWish(reblogs=False, notify=True, languages=["fr"]))
    shelf = await nord.do(lists.make_list, alice.id, "Neighbours")
    await nord.do(lists.enlist, alice.id, shelf.id, [bela.id])
    await cities.deliver(NORD, said(bela, new), bela)
    await cities.settle()
    made = await nord.look(people.follow_between, alice.id, new.id)
    assert made
    assert (made.accepted, made.show_reblogs, made.notify, made.languages) == (False, False, True, ["fr"])
    assert await relation(ost, await seen(ost, alice), await seen(ost, new)) == "waits"
    assert [one.id for one in await nord.look(shelves.lists, alice.id, new.id)] == [shelf.id]


async def test_who_follows_the_other_account_already_does_so_as_before(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela, new = await moving(cities, nord, sued, ost)
    await nord.do(accounts.follow, alice, new, FollowWish(notify=True))
    await cities.settle()
    before = await nord.look(people.follow_between, alice.id, new.id)
    await cities.deliver(NORD, said(bela, new), bela)
    await cities.settle()
    assert before
    assert before.accepted
    assert await nord.look(people.follow_between, alice.id, new.id) == before


async def test_who_has_blocked_the_other_account_does_not_follow_it(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela, new = await moving(cities, nord, sued, ost)
    dora, emil = await nord.person("dora"), await nord.person("emil")
    for one in (dora, emil):
        await nord.do(accounts.follow, one, bela)
    await cities.settle()
    await nord.do(accounts.block, alice, new)
    await nord.do(accounts.block_domain, dora, "ost.example")
    await cities.deliver(NORD, said(bela, new), bela)
    await cities.settle()
    assert [await relation(nord, one, new) for one in (alice, dora, emil)] == ["none", "none", "follows"]
    assert await relation(nord, alice, bela) == "follows"


async def test_who_is_blocked_or_muted_is_so_after_moving(cities: Cities, nord: City, sued: City, ost: City) -> None:
    _alice, bela, new = await moving(cities, nord, sued, ost)
    dora, emil = await nord.person("dora"), await nord.person("emil")
    await nord.do(accounts.block, dora, bela)
    await nord.do(accounts.mute, emil, bela, False)
    await cities.deliver(NORD, said(bela, new), bela)
    await cities.settle()
    assert (await nord.look(people.relationships, dora.id, [new.id]))[0].blocking
    found = (await nord.look(people.relationships, emil.id, [new.id]))[0]
    assert (found.muting, found.muting_notifications, found.following) == (True, False, False)


async def nothing_moved(city: City, by: Account, source: Account, target: Account) -> None:
    """All is as it was."""
    assert (await city.known(source.id)).moved_to_id is None
    assert await relation(city, by, target) == "none"
    assert await city.value("SELECT count(*) FROM moves") == 0


async def test_nobody_moves_to_an_account_that_does_not_name_them(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, mallory = await nord.person("alice"), await sued.person("mallory")
    victim = await ost.person("bela")
    known, _ = await following(cities, nord, alice, sued, mallory)
    met = await nord.meet("bela@ost.example")
    await cities.deliver(NORD, said(mallory, victim), mallory)
    await cities.settle()
    assert await refusals(nord) == ["not_an_alias"]
    await nothing_moved(nord, alice, known, met)
    local = await nord.person("dora")
    await cities.deliver(NORD, said(mallory, local, 2), mallory)
    await cities.settle()
    assert await refusals(nord) == ["not_an_alias", "not_an_alias"]
    await nothing_moved(nord, alice, known, local)


async def test_an_alias_of_yesterday_does_not_count(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela, new = await moving(cities, nord, sued, ost)
    assert (await nord.look(people.shown, [new.id]))[0].also_known_as == [bela.uri]
    await ost.do(moves.disclaim, await seen(ost, new), bela.uri)
    await cities.deliver(NORD, said(bela, new), bela)
    await cities.settle()
    assert await refusals(nord) == ["not_an_alias"]
    await nothing_moved(nord, alice, bela, new)


async def test_nobody_moves_somebody_else(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela, new = await moving(cities, nord, sued, ost)
    mallory = await sued.person("mallory")
    await following(cities, nord, alice, sued, mallory)
    await cities.deliver(NORD, said(mallory, new, object=bela.uri), mallory)
    await cities.settle()
    assert await refusals(nord) == ["wrong_author"]
    await nothing_moved(nord, alice, bela, new)


@pytest.mark.parametrize("state", ["suspended_at = now()", "deleted_at = now()", "moved_to_id = (SELECT id FROM accounts WHERE username = 'alice')"])
async def test_nobody_moves_to_who_is_gone(cities: Cities, nord: City, sued: City, state: str) -> None:
    alice, bela, new = await nord.person("alice"), await sued.person("bela"), await nord.person("new")
    known, _ = await following(cities, nord, alice, sued, bela)
    await claims(nord, new, known)
    await nord.as_owner(f"UPDATE accounts SET {state} WHERE id = $1", new.id)
    await cities.deliver(NORD, said(bela, new), bela)
    await cities.settle()
    assert len(await refusals(nord)) == 1
    await nothing_moved(nord, alice, known, new)


async def test_a_move_of_who_was_never_met_is_dropped(cities: Cities, nord: City, sued: City, ost: City) -> None:
    bela, new = await sued.person("bela"), await ost.person("bela")
    await ost.meet("bela@sued.example")
    await claims(ost, new, bela)
    assert (await cities.deliver(NORD, said(bela, new), bela)).status == 202
    await cities.settle()
    assert await nord.look(people.by_uri, bela.uri) is None
    assert await nord.look(people.by_uri, new.uri) is None


async def test_the_same_move_takes_effect_once_and_another_after_a_week(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela, new = await moving(cities, nord, sued, ost)
    await cities.deliver(NORD, said(bela, new), bela)
    await cities.settle()
    await nord.do(accounts.unfollow, alice, new)
    await cities.deliver(NORD, said(bela, new), bela)
    await cities.deliver(NORD, said(bela, new, 2), bela)
    await cities.settle()
    assert await relation(nord, alice, new) == "none"
    assert await nord.value("SELECT count(*) FROM moves") == 1
    assert await refusals(nord) == []
    await cities.advance(timedelta(days=8))
    await cities.deliver(NORD, said(bela, new, 3), bela)
    await cities.settle()
    assert await relation(nord, alice, new) == "follows"
    assert await nord.value("SELECT count(*) FROM moves") == 2


async def test_a_move_is_taken_back_everywhere_and_no_other_follows_within_a_month(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela, new = await moving(cities, nord, sued, ost)
    here = await seen(sued, bela)
    await leaves(sued, here, new)
    await cities.settle()
    assert (await nord.known(bela.id)).moved_to_id == new.id
    with pytest.raises(Forbidden):
        await sued.post(await sued.known(here.id), "Je suis encore là")
    await sued.do(moves.stay, await sued.known(here.id))
    await cities.settle()
    assert "movedTo" not in await read(cities, here.uri)
    assert (await nord.known(bela.id)).moved_to_id is None
    assert await relation(nord, alice, new) == "follows"
    await sued.post(await sued.known(here.id), "De retour")
    with pytest.raises(NotFound):
        await sued.do(moves.stay, await sued.known(here.id))
    with pytest.raises(TooMany):
        await leaves(sued, here, new)
    await cities.advance(timedelta(days=30, minutes=1))
    await leaves(sued, here, new)
    with pytest.raises(Invalid):
        await leaves(sued, here, new)
    await cities.settle()
    assert (await nord.known(bela.id)).moved_to_id == new.id


async def test_with_an_account_that_has_moved_nothing_is_said_passed_on_or_followed(
    cities: Cities, nord: City, sued: City
) -> None:
    bela, new, dora = await sued.person("bela"), await nord.person("bela"), await sued.person("dora")
    await nord.meet("bela@sued.example")
    await claims(nord, new, bela)
    written = await sued.post(dora, "Bonjour")
    await leaves(sued, bela, new)
    gone = await sued.known(bela.id)
    for deed, what in ((statuses.reblog, written.id), (accounts.follow, dora)):
        with pytest.raises(Forbidden, match="moved"):
            await sued.do(deed, gone, what)
    with pytest.raises(Forbidden):
        await sued.do(accounts.follow, dora, gone)
    await sued.do(statuses.favourite, gone, written.id)


async def test_what_cannot_be_moved_to_changes_nothing(cities: Cities, nord: City, sued: City) -> None:
    bela, dora, emil = await sued.person("bela"), await sued.person("dora"), await sued.person("emil")
    for target in (bela, dora):
        with pytest.raises(Invalid):
            await leaves(sued, bela, target)
    for one, other in ((dora, bela), (emil, dora)):
        await claims(sued, one, other)
    await leaves(sued, dora, emil)
    with pytest.raises(Invalid, match="moved_on"):
        await leaves(sued, bela, dora)
    assert (await sued.known(bela.id)).moved_to_id is None
    assert await sued.value("SELECT count(*) FROM moves") == 1


async def test_where_an_actor_says_to_have_moved_is_believed_if_the_other_says_so_too(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    bela, mallory, new = await sued.person("bela"), await sued.person("mallory"), await ost.person("bela")
    here = await sued.meet("bela@ost.example")
    await ost.meet("bela@sued.example")
    await claims(ost, new, bela)
    for one in (bela, mallory):
        await sued.as_owner("UPDATE accounts SET moved_to_id = $2 WHERE id = $1", one.id, here.id)
    met = await nord.meet("bela@sued.example")
    assert met.moved_to_id == (await seen(nord, new)).id
    assert (await read(cities, mallory.uri))["movedTo"] == new.uri
    assert (await nord.meet("mallory@sued.example")).moved_to_id is None


async def test_two_accounts_of_which_each_has_moved_to_the_other_are_asked_for_once(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    bela, new = await sued.person("bela"), await ost.person("bela")
    for city, here, there in ((sued, bela, new), (ost, new, bela)):
        other = await city.meet(f"bela@{'ost' if there is new else 'sued'}.example")
        await claims(city, here, there)
        await city.as_owner("UPDATE accounts SET moved_to_id = $2 WHERE id = $1", here.id, other.id)
    met = await nord.meet("bela@sued.example")
    assert met.moved_to_id == (await seen(nord, new)).id
    await cities.advance(timedelta(days=8))
    before = len(cities.network.log)
    assert (await fetch.actor(nord.job, bela.uri)).moved_to_id == met.moved_to_id
    asked = [url for _, url, _ in cities.network.log[before:] if url in (bela.uri, new.uri)]
    assert sorted(asked) == sorted([bela.uri, new.uri])
