"""A server that a decision keeps out: nothing comes in, nothing goes out, and all is as it was when it is let in again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cities.harness import Cities, City
from cities.test_follow import following, relation
from civic import document
from parvis.access import actions as access
from parvis.access import queries as users
from parvis.access.model import SignUp
from parvis.accounts.model import Account
from parvis.base import proxy
from parvis.base.errors import Upstream
from parvis.base.http import Request
from parvis.federation import fetch
from parvis.ledger import actions as ledger
from parvis.moderation import actions as moderation
from parvis.moderation.model import DomainDraft, Level
from parvis.peers import queries as peers
from parvis.statuses import queries as posts


async def moderator(city: City, name: str) -> Account:
    prepared = await access.prepare(city.settings, SignUp(name, f"{name}@example.org", "correct horse", "en", True))
    made = await city.do(access.sign_up, prepared, city.settings, confirmed=True)
    await city.do(users.appoint, made.id, "moderator")
    return await city.known(made.id)


async def charter(city: City) -> None:
    """Rules come before the deeds they are for."""
    await city.as_owner("SELECT charter_found($1::jsonb)", json.dumps(document()))


async def turn(city: City) -> None:
    for work in (ledger.sequence, moderation.execute, moderation.lift):
        await work(city.job)


async def shut(city: City, domain: str, **other: object) -> tuple[int, Account]:
    """Keep a server out by a decision of two moderators; its number, and who could end it."""
    mona, noor = await moderator(city, "mona"), await moderator(city, "noor")
    rule = await city.value("SELECT id FROM article_versions WHERE number = 'II.1'")
    values = {"severity": "suspend", "level": Level.suspension, "reject_media": False, "reject_reports": False, **other}
    async with city.db.write() as tx:
        ground = await moderation.domain_ground(tx, domain, [rule])
        mandate = await moderation.mandate(tx, mona, ground)
        draft = DomainDraft(domain=domain, facts="They flood us.", ends_at=tx.now + timedelta(days=20), **values)  # type: ignore[arg-type]  # as above
        made = await moderation.decide_domain(tx, mona, mandate, draft)
    if values["severity"] == "suspend":
        await city.do(moderation.confirm_domain, noor, made)
    await turn(city)
    return made, mona


async def test_nothing_passes_while_a_server_is_kept_out_and_all_is_as_it_was_afterwards(
    cities: Cities, nord: City, sued: City
) -> None:
    await charter(nord)
    alice, bela = await nord.person("alice"), await sued.person("bela")
    bela_in_nord, alice_in_sued = await following(cities, nord, alice, sued, bela)
    await following(cities, sued, bela, nord, alice)
    before = await sued.post(bela, "Before")
    await cities.settle()
    copy = await nord.copy(before)
    assert copy is not None
    block, mona = await shut(nord, "sued.example")
    assert await nord.look(posts.seen, copy.id, alice.id) is None
    during = await sued.post(bela, "During")
    unheard = await nord.post(alice, "Unheard")
    cities.network.log.clear()
    await cities.settle()
    assert {status for _, url, status in cities.network.log if "nord.example" in url and "inbox" in url} == {403}
    assert not [url for _, url, _ in cities.network.log if "sued.example" in url]
    assert (await nord.copy(during), await sued.copy(unheard)) == (None, None)
    with pytest.raises(Upstream, match="domain_blocked"):
        await fetch.status(nord.job, during.uri)
    with pytest.raises(Upstream, match="domain_blocked"):
        await fetch.by_handle(nord.job, "someone", "sued.example")
    file = proxy.address(nord.settings, "https://sued.example/media/x.png")
    assert (await cities.network.send(Request("GET", file, {}))).status == 404
    rule = await nord.value("SELECT article_version_id FROM domain_decisions")
    async with nord.db.write() as tx:
        found = await peers.block(tx, block)
        assert found is not None
        assert found.article_version_id == rule
        mandate = await moderation.mandate(tx, mona, await moderation.same_ground(tx, found))
        await moderation.lift_domain(tx, mona, mandate, block, "They stopped.")
    await turn(nord)
    assert await nord.look(posts.seen, copy.id, alice.id) is not None
    assert await relation(nord, alice, await nord.known(bela_in_nord.id)) == "follows"
    assert await relation(sued, bela, alice_in_sued) == "follows"
    after, heard = await sued.post(bela, "After"), await nord.post(alice, "Heard")
    await cities.advance(timedelta(hours=3))
    await cities.settle()
    assert await nord.copy(after) is not None
    assert await sued.copy(heard) is not None


async def test_a_silenced_server_is_heard_by_those_who_follow_its_people(cities: Cities, nord: City, sued: City) -> None:
    await charter(nord)
    alice, bela = await nord.person("alice"), await sued.person("bela")
    bela_in_nord, _ = await following(cities, nord, alice, sued, bela)
    await shut(nord, "sued.example", severity="silence", level=Level.reduced_visibility, reject_media=True)
    said = await sued.post(bela, "Hello")
    await cities.settle()
    assert await nord.copy(said) is not None
    limited = await nord.known(bela_in_nord.id)
    assert (limited.limited_at is not None, limited.suspended_at) == (True, None)
    file = proxy.address(nord.settings, "https://sued.example/media/x.png")
    assert (await cities.network.send(Request("GET", file, {}))).status == 404
