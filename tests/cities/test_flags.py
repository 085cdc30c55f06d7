"""Reports across cities: passed on in the city's name, taken in from others, forged, repeated, and too many."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cities.harness import Cities, City
from cities.test_domain_blocks import charter, shut
from cities.test_follow import following
from cities.test_hostile import NORD, refusals
from cities.test_posts import arrived, friends
from conftest import Person, settle_in
from parvis.accounts.model import Account
from parvis.federation import fetch
from parvis.federation.activities import flag
from parvis.ledger.model import Article
from parvis.moderation import actions as moderation
from parvis.moderation import queries as cases
from parvis.moderation.model import DecisionDraft, Level, Report
from parvis.statuses import actions as statuses
from parvis.statuses.model import Draft, Status


async def reports(city: City) -> list[Report]:
    """All that a city's moderators were told."""
    async with city.db.read() as read:
        return [one for number in await read.values("SELECT id FROM reports ORDER BY id")
                if (one := await cases.report(read, number))]


async def flags(city: City) -> list[dict[str, Any]]:
    """The Flags that a city has sent or is about to."""
    async with city.db.read() as read:
        bodies = await read.values("SELECT body FROM outgoing WHERE account_id IS NULL ORDER BY id")
    return [msgspec.json.decode(body) for body in bodies]


def flagged(by: Account, *named: str, name: str = "1", **more: Any) -> dict[str, Any]:
    """A Flag as another server might write it."""
    return {"id": f"{by.uri}#flags/{name}", "type": "Flag", "actor": by.uri, "object": list(named), "content": "Menaces", **more}


async def flagging(cities: Cities, by: Account, *named: str, **more: Any) -> None:
    """It is brought to Nord, and looked at."""
    assert (await cities.deliver(NORD, flagged(by, *named, **more), by)).status == 202
    await cities.settle()


async def report(by: Person, target: Account, **more: Any) -> dict[str, Any]:
    """Somebody reports somebody, with a client."""
    answer = await by.post("/api/v1/reports", json={"account_id": str(target.id), "comment": "Il menace", **more})
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def known(nord: City, sued: City, cities: Cities) -> tuple[Person, Account, Account, Status]:
    """Alice of Nord follows Bela of Süd, who says something: Alice, Bela at home, Bela in Nord, the copy."""
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    seen, _ = await following(cities, nord, alice.account, sued, bela)
    said = await sued.post(bela, "Je te trouverai")
    await cities.settle()
    return alice, bela, seen, await arrived(nord, said)


async def test_a_report_is_passed_on_and_does_not_say_who_made_it(cities: Cities, nord: City, sued: City) -> None:
    mona = await settle_in(sued.app, "mona", "moderator")
    alice, bela, seen, copy = await known(nord, sued, cities)
    made = await report(alice, seen, status_ids=[str(copy.id)], forward=True)
    assert made["forwarded"] is True
    await cities.settle()
    [found] = await reports(sued)
    assert (found.target_id, found.comment, found.category) == (bela.id, "Il menace", "other")
    assert [one.uri for one in [await sued.copy(copy)] if one and one.id in found.status_ids] == [copy.uri]
    reporter = await sued.known(found.account_id)
    assert (reporter.uri, reporter.actor_type) == ("https://nord.example/actor", "Application")
    [sent] = await flags(nord)
    assert (sent["type"], sent["actor"]) == ("Flag", "https://nord.example/actor")
    assert sent["object"] == [bela.uri, copy.uri]
    assert "alice" not in msgspec.json.encode(sent).decode()
    assert str(alice.account.id) not in msgspec.json.encode(sent).decode()
    [told] = (await mona.get("/api/v1/admin/reports")).json()
    assert told["account"]["account"]["acct"] == "instance@nord.example"
    assert [one["type"] for one in (await mona.get("/api/v1/notifications")).json()] == ["admin.report"]


async def test_a_report_stays_here_when_nobody_asks_to_pass_it_on(cities: Cities, nord: City, sued: City) -> None:
    alice, _bela, seen, copy = await known(nord, sued, cities)
    emil = await nord.person("emil")
    assert (await report(alice, seen, status_ids=[str(copy.id)]))["forwarded"] is False
    assert (await report(alice, emil, forward=True))["forwarded"] is False
    assert (await report(alice, seen, forward=True, forward_to_domains=["ost.example"]))["forwarded"] is False
    await cities.settle()
    assert await flags(nord) == []
    assert await reports(sued) == []


async def test_the_servers_of_those_who_are_answered_are_told_if_they_are_named(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela = await settle_in(nord.app, "alice"), await sued.person("bela")
    chloe = await ost.person("chloe")
    seen, _ = await following(cities, nord, alice.account, sued, bela)
    await following(cities, nord, alice.account, ost, chloe)
    root = await ost.post(chloe, "Bonjour")
    await cities.settle()
    found = await sued.meet("chloe@ost.example")
    from_ost = await fetch.status(sued.job, root.uri)
    said = await sued.post(bela, f"@{found.acct} Je te trouverai", reply_to=from_ost)
    await cities.settle()
    cited = [str((await arrived(nord, said)).id)]
    both = await report(alice, seen, status_ids=cited, forward=True, forward_to_domains=["sued.example", "OST.example"])
    assert both["forwarded"] is True
    await cities.settle()
    assert [(await sued.known(one.account_id)).uri for one in await reports(sued)] == ["https://nord.example/actor"]
    assert await reports(ost) == []  # of nobody who lives there
    inboxes = [one.url for one in cities.network.sent if one.method == "POST" and b'"Flag"' in (one.body or b"")]
    assert sorted(inboxes) == ["https://ost.example/inbox", "https://sued.example/inbox"]


async def test_a_flag_becomes_a_report_on_each_person_with_their_own_posts(
    cities: Cities, nord: City, sued: City
) -> None:
    alice, bela = await friends(cities, nord, sued)
    emil = await nord.person("emil")
    first, second = await nord.post(alice, "Un"), await nord.post(emil, "Deux")
    await flagging(cities, bela, alice.uri, second.uri, first.uri, "https://ost.example/ap/users/1", "rien", first.uri)
    [found] = await reports(nord)
    assert (found.target_id, found.status_ids, found.comment) == (alice.id, [first.id], "Menaces")
    assert (await nord.known(found.account_id)).uri == bela.uri
    await flagging(cities, bela, second.uri, name="2", content="x" * 6_000 + "\x00")
    found = (await reports(nord))[-1]
    assert (found.target_id, found.status_ids, len(found.comment)) == (emil.id, [second.id], 5_000)
    await flagging(cities, bela, alice.uri, emil.uri, name="3", content=["deux", "langues"])
    assert [(one.target_id, one.comment) for one in (await reports(nord))[2:]] == [(alice.id, "deux"), (emil.id, "deux")]


async def test_a_flag_takes_effect_once(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    for _ in range(3):
        await flagging(cities, bela, alice.uri)
    assert len(await reports(nord)) == 1


@pytest.mark.parametrize("named", [
    (), ("https://ost.example/ap/users/1",), ("https://nord.example/ap/users/1",), ("https://nord.example/actor",),
    ("https://sued.example/ap/users/1/statuses/2",),
])
async def test_a_flag_without_anybody_of_ours_does_nothing(
    cities: Cities, nord: City, sued: City, named: tuple[str, ...]
) -> None:
    _alice, bela = await friends(cities, nord, sued)
    await flagging(cities, bela, bela.uri, *named)
    assert await reports(nord) == []
    assert await refusals(nord) == []


async def test_nobody_shows_our_moderators_what_they_cannot_know(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    emil = await nord.person("emil")
    private, direct = await nord.post(emil, "Entre amis", "private"), await nord.post(emil, "Pour toi", "direct")
    kept = await nord.do(statuses.publish, emil, Draft(content="<p>Ici</p>", text="Ici", visibility="public", local_only=True))
    gone = await nord.post(emil, "Oubliez")
    await nord.do(statuses.delete, emil, gone.id)
    open_post = await nord.post(emil, "Pour tous", "unlisted")
    everything = [one.uri for one in (private, direct, kept, gone, open_post)]
    await flagging(cities, bela, emil.uri, *everything)
    assert [one.status_ids for one in await reports(nord)] == [[open_post.id]]
    await flagging(cities, bela, private.uri, direct.uri, kept.uri, gone.uri, name="2")
    assert len(await reports(nord)) == 1
    await following(cities, sued, bela, nord, emil)
    await flagging(cities, bela, emil.uri, *everything, name="3")
    assert [sorted(one.status_ids) for one in await reports(nord)][1:] == [[private.id, open_post.id]]
    assert alice.id not in {one.target_id for one in await reports(nord)}


async def test_a_flag_of_somebody_who_does_not_sign_it_is_refused(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    assert (await cities.deliver(NORD, flagged(bela, alice.uri), chloe)).status == 401
    lie = flagged(chloe, alice.uri) | {"id": f"{bela.uri}#flags/1"}
    assert (await cities.deliver(NORD, lie, chloe)).status == 202
    await cities.settle()
    assert (await reports(nord), await refusals(nord)) == ([], ["wrong_host"])


async def test_one_server_does_not_drown_the_moderators(
    cities: Cities, nord: City, sued: City, ost: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bela = await friends(cities, nord, sued)
    emil, chloe = await sued.person("emil"), await ost.person("chloe")
    monkeypatch.setattr(flag, "REPORTS", 2)
    for number, by in enumerate((bela, emil, bela, emil)):
        await flagging(cities, by, alice.uri, name=f"{number}")
    assert len(await reports(nord)) == 2
    assert await refusals(nord) == ["too_many", "too_many"]
    await flagging(cities, chloe, alice.uri)
    assert len(await reports(nord)) == 3


async def test_reports_of_a_server_whose_reports_are_not_wanted_are_dropped(
    cities: Cities, nord: City, sued: City
) -> None:
    await charter(nord)
    alice, bela = await friends(cities, nord, sued)
    await shut(nord, "sued.example", severity="noop", level=Level.reduced_visibility, reject_reports=True)
    await flagging(cities, bela, alice.uri)
    assert await reports(nord) == []


async def test_who_is_reported_never_learns_by_whom(cities: Cities, nord: City, sued: City) -> None:
    await charter(nord)
    alice, mona = await settle_in(nord.app, "alice"), await settle_in(nord.app, "mona", "moderator")
    bela = await sued.person("bela")
    await following(cities, sued, bela, nord, alice.account)
    await alice.post("/api/v1/notifications/clear")
    said = await nord.post(alice.account, "Je dis tout")
    await flagging(cities, bela, alice.account.uri, said.uri)
    assert (await alice.get("/api/v1/notifications")).json() == []
    [found] = await reports(nord)
    rule = await nord.value("SELECT id FROM article_versions WHERE number = 'II.1'")
    async with nord.db.write() as tx:
        mandate = await moderation.mandate(tx, mona.account, Article(rule))
        draft = DecisionDraft(target_id=alice.account.id, level=Level.warning, facts="Trop fort.", case_id=found.case_id)
        made = await moderation.decide(tx, mona.account, mandate, draft)
    await cities.settle()
    [told] = (await alice.get("/api/v1/notifications")).json()
    statement = await nord.look(cases.statement, made)
    assert told["type"] == "moderation_warning"
    assert "bela" not in str(told) + str(statement)
    assert bela.uri not in str(told) + str(statement)


async def test_who_was_written_to_may_have_it_looked_at(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    await sued.meet("alice@nord.example")
    await nord.meet("chloe@ost.example")
    threat = await nord.post(alice, "@bela@sued.example Je te trouverai", "direct")
    other = await nord.post(alice, "@chloe@ost.example Entre nous", "direct")
    await cities.settle()
    await flagging(cities, bela, alice.uri, threat.uri, other.uri)
    await flagging(cities, chloe, alice.uri, threat.uri, other.uri)
    assert [one.status_ids for one in await reports(nord)] == [[threat.id], [other.id]]
