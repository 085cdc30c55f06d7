"""Spam across cities: what comes from elsewhere is kept back, and what is kept back here goes nowhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cities.harness import Cities, City
from cities.test_follow import following, relation
from cities.test_quotes import kinds
from civic import document
from parvis.accounts import actions as accounts
from parvis.accounts.model import Account
from parvis.base.ids import Page
from parvis.screening import actions as screening
from parvis.screening import queries
from parvis.screening.model import Hold, HoldFilter
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft, Revision, Status

SPAM = "Achetez vos médicaments pas chers dès maintenant, livraison rapide partout en France, sans ordonnance"
ACTING: Mapping[str, Any] = {f"{rule}_mode": 2 for rule in ("young", "strangers", "names", "links", "alike", "burst")}


async def lay(city: City, **numbers: Any) -> None:
    """A charter whose rules of screening act."""
    await city.as_owner("SELECT charter_found($1::jsonb)", json.dumps(document(**numbers)))


async def say(city: City, by: Account, text: str, *named: Account, **more: Any) -> Status:
    """Somebody posts, by the way in."""
    handles = " ".join(f"@{one.acct}" for one in named)
    async with city.db.write() as tx:
        made = await statuses.compose(tx, f"{handles} {text}", city.settings.base, city.domain)
        draft = Draft(content=made.content, text=f"{handles} {text}", visibility="public", mentions=made.mentions)
        return await screening.publish(tx, by, draft, more.get("quoted"))


async def held(city: City) -> list[Hold]:
    return await city.look(queries.page, Page(), HoldFilter(state="held"))


async def moderator(city: City) -> Account:
    """Somebody who decides here."""
    mona = await city.person("mona")
    await city.as_owner("INSERT INTO users (account_id, email, password_hash, role) VALUES ($1, 'm@example.org', 'x', 'moderator')", mona.id)
    return mona


async def settler(city: City, name: str) -> Account:
    """Somebody who can be told of things here."""
    made = await city.person(name)
    await city.as_owner("INSERT INTO users (account_id, email, password_hash) VALUES ($1, $2, 'x')", made.id, f"{name}@example.org")
    return made


async def wave(cities: Cities, here: City, there: City, *victims: Account) -> list[Status]:
    """Four people of a city write the same to others elsewhere."""
    sent = []
    for number, name in enumerate(("dora", "emil", "fritz", "gerda")):
        by = await here.person(name)
        known = [await here.meet(f"{one.username}@{there.domain}") for one in victims]
        sent.append(await say(here, by, f"{SPAM} {number}", *known))
        await cities.settle()
    return sent


async def test_a_wave_from_elsewhere_is_kept_back_and_let_out_by_a_moderator(cities: Cities, nord: City, sued: City) -> None:
    await lay(sued, **ACTING)
    mona, alice, bela = await moderator(sued), await settler(sued, "alice"), await settler(sued, "bela")
    sent = await wave(cities, nord, sued, alice, bela)
    found, = await held(sued)
    last = await sued.copy(sent[-1])
    assert last is not None
    assert (found.status_id, found.rules) == (last.id, ["alike", "strangers", "young"])
    assert await kinds(sued, alice) == ["mention"] * 3
    assert await sued.look(posts.seen, last.id, alice.id) is None
    await sued.do(screening.release, mona, found.id, "Une annonce.")
    await cities.settle()
    assert await kinds(sued, alice) == ["mention"] * 4
    assert await sued.look(posts.seen, last.id, alice.id) is not None


async def test_at_the_founding_a_wave_is_only_counted_and_without_a_charter_too(cities: Cities, nord: City, sued: City) -> None:
    await lay(sued)
    alice, bela = await settler(sued, "alice"), await settler(sued, "bela")
    await wave(cities, nord, sued, alice, bela)
    assert await held(sued) == []
    assert await held(nord) == []
    assert await kinds(sued, alice) == ["mention"] * 4
    for city, local in ((sued, False), (nord, True)):
        counted = {row.rule: row.times for row in await city.look(queries.counts, 1) if row.local is local and not row.acted}
        assert counted["hold"] == 1


async def test_what_is_kept_back_here_goes_nowhere_until_it_comes_out(cities: Cities, nord: City, sued: City) -> None:
    await lay(nord, naming_young_from=1)
    mona, alice = await moderator(nord), await settler(nord, "alice")
    bela, chidi = await settler(sued, "bela"), await settler(sued, "chidi")
    known = [await nord.meet(f"{name}@sued.example") for name in ("bela", "chidi")]
    status = await say(nord, alice, "Bonjour", *known)
    await cities.settle()
    assert await sued.copy(status) is None
    found, = await held(nord)
    assert await kinds(nord, alice) == ["moderation_warning"]
    for address in (status.uri, f"{status.uri}/replies"):
        assert (await cities.get(address, by=bela)).status == 404
    await nord.do(statuses.pin, alice, status.id)
    await cities.settle()
    assert await sued.copy(status) is None
    await nord.do(screening.release, mona, found.id, "Une annonce.")
    await cities.settle()
    assert await sued.copy(status) is not None
    assert await kinds(sued, chidi) == ["mention"]


async def test_what_its_author_takes_back_before_it_comes_out_is_never_heard_of(cities: Cities, nord: City, sued: City) -> None:
    await lay(nord, naming_young_from=0)
    alice = await settler(nord, "alice")
    await settler(sued, "bela")
    status = await say(nord, alice, "Bonjour", await nord.meet("bela@sued.example"))
    await nord.do(statuses.delete, alice, status.id)
    await cities.settle()
    assert [one for one in cities.network.sent if one.method == "POST"] == []


async def test_a_quote_is_settled_when_it_comes_out(cities: Cities, nord: City, sued: City) -> None:
    await lay(nord, naming_young_from=0)
    mona, alice, bela = await moderator(nord), await settler(nord, "alice"), await settler(nord, "bela")
    quoted = await say(nord, bela, "Le marché rouvre")
    await nord.as_owner("UPDATE statuses SET quote_automatic = '{public}' WHERE id = $1", quoted.id)
    status = await say(nord, alice, "Regardez", bela, quoted=quoted.id)
    assert await kinds(nord, bela) == []
    assert await nord.value("SELECT count(*) FROM quotes WHERE status_id = $1", status.id) == 0
    found, = await held(nord)
    await nord.do(screening.release, mona, found.id, "Une citation.")
    assert sorted(await kinds(nord, bela)) == ["mention", "quote"]
    assert await nord.value("SELECT state FROM quotes WHERE status_id = $1", status.id) == "accepted"


async def test_whoever_follows_a_flood_from_elsewhere_waits_for_an_answer(cities: Cities, nord: City, sued: City) -> None:
    await lay(sued, follows_young_from=1)
    bela, chidi, alice = await settler(sued, "bela"), await settler(sued, "chidi"), await nord.person("alice")
    bela_in_nord, alice_in_sued = await following(cities, nord, alice, sued, bela)
    chidi_in_nord, _ = await following(cities, nord, alice, sued, chidi)
    assert await relation(nord, alice, bela_in_nord) == "follows"
    assert await relation(nord, alice, chidi_in_nord) == "waits"
    await sued.do(accounts.accept_follow, chidi, alice_in_sued)
    await cities.settle()
    assert await relation(nord, alice, chidi_in_nord) == "follows"


async def test_an_edit_from_elsewhere_that_names_a_flood_is_not_taken(cities: Cities, nord: City, sued: City) -> None:
    await lay(sued, naming_young_from=1)
    bela, chidi, alice = await settler(sued, "bela"), await settler(sued, "chidi"), await nord.person("alice")
    known = [await nord.meet(f"{name}@sued.example") for name in ("bela", "chidi")]
    status = await say(nord, alice, "Bonjour", known[0])
    await cities.settle()
    copy = await sued.copy(status)
    assert copy is not None
    for said, named in (("Bonsoir", known[:1]), ("Achetez", known)):
        await cities.advance(timedelta(minutes=1))
        await nord.do(statuses.edit, alice, status.id, Revision(
            content=f"<p>{said}</p>", text=said, mentions=tuple(one.id for one in named)))
        await cities.settle()
        found = await sued.copy(status)
        assert found is not None
        assert found.content == "<p>Bonsoir</p>"
    assert await kinds(sued, chidi) == []
    assert await kinds(sued, bela) == ["mention"]
    counted = {(row.rule, row.acted) for row in await sued.look(queries.counts, 1)}
    assert ("naming", True) in counted


async def test_the_same_post_brought_twice_is_kept_back_once(cities: Cities, nord: City, sued: City) -> None:
    await lay(sued, naming_young_from=0)
    bela, alice = await settler(sued, "bela"), await nord.person("alice")
    status = await say(nord, alice, "Bonjour", await nord.meet("bela@sued.example"))
    await cities.settle()
    document_ = {
        "@context": "https://www.w3.org/ns/activitystreams", "id": f"{status.uri}/again", "type": "Create", "actor": alice.uri,
        "object": status.uri,
    }
    await cities.deliver(f"{bela.uri}/inbox", document_, alice)
    await cities.settle()
    assert len(await held(sued)) == 1
    assert await kinds(sued, bela) == []
