"""Answers from elsewhere, and what was passed on here, are brought on to those who have the post through somebody here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cities.harness import Cities, City
from cities.test_follow import following
from cities.test_hostile import NORD, create, note
from cities.test_posts import arrived
from cities.test_proofs import proved
from cities.test_quotes import say
from cities.test_screening import ACTING, SPAM, held, lay
from parvis.accounts.model import Account
from parvis.federation import fetch, forwarding
from parvis.statuses import actions as statuses
from parvis.statuses.model import Revision, Status

OST = "https://ost.example/inbox"


async def three(cities: Cities, nord: City, sued: City, ost: City) -> tuple[Account, Account]:
    """Carol of Ost follows Alice of Nord, and has never heard of Bela of Süd."""
    alice, bela, carol = await nord.person("alice"), await sued.person("bela"), await ost.person("carol")
    await following(cities, ost, carol, nord, alice)
    await sued.meet("alice@nord.example")
    return alice, bela


async def answered(cities: Cities, nord: City, sued: City, ost: City) -> tuple[Account, Account, Status]:
    """Alice says something, and Bela answers; his server knows nothing of Ost."""
    alice, bela = await three(cities, nord, sued, ost)
    first = await nord.post(alice, "Qui vient ?")
    await cities.settle()
    answer = await sued.post(bela, "Moi, @alice@nord.example", reply_to=await fetch.status(sued.job, first.uri))
    return alice, bela, answer


async def onward(city: City) -> list[dict[str, Any]]:
    """What a city brings on, that is none of its own."""
    async with city.db.read() as read:
        rows = await read.values("SELECT body FROM outgoing WHERE uri NOT LIKE $1 ORDER BY id", f"{city.settings.base}/%")
    return [msgspec.json.decode(one) for one in rows]


def edit(text: str) -> Revision:
    return Revision(content=f"<p>{text}</p>", text=text, language="fr")


@pytest.mark.shows("ActivityPub", "FEP-8b32")
async def test_an_answer_its_edit_and_its_end_reach_those_who_follow_whom_it_answers(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela, answer = await answered(cities, nord, sued, ost)
    await cities.settle()
    copy = await arrived(ost, answer)
    assert (copy.content, copy.in_reply_to_id is not None) == ((await arrived(nord, answer)).content, True)
    assert answer.uri not in [one.url for one in cities.network.sent if one.method == "GET"]
    brought = [one for one in cities.network.sent if one.url == OST and answer.uri.encode() in (one.body or b"")]
    assert [f'keyId="{alice.uri}#main-key"' in one.headers["signature"] for one in brought] == [True]
    first = next(one.body for one in cities.network.sent if one.url == NORD and answer.uri.encode() in (one.body or b""))
    assert brought[0].body == first
    await sued.do(statuses.edit, bela, answer.id, edit("Peut-être"))
    await cities.settle()
    assert (await arrived(ost, answer)).content == "<p>Peut-être</p>"
    await sued.do(statuses.delete, bela, answer.id)
    await cities.settle()
    assert (await arrived(ost, answer)).deleted_at
    assert [one["type"] for one in await onward(nord)] == ["Create", "Update", "Delete"]
    assert await onward(ost) == []
    assert await onward(sued) == []


async def test_what_was_passed_on_is_edited_and_deleted_where_it_came_from_here(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela = await three(cities, nord, sued, ost)
    await following(cities, nord, alice, sued, bela)
    said = await sued.post(bela, "À faire savoir")
    await cities.settle()
    await nord.do(statuses.reblog, alice, (await arrived(nord, said)).id)
    await cities.settle()
    assert (await arrived(ost, said)).content == said.content
    await sued.do(statuses.edit, bela, said.id, edit("Plus maintenant"))
    await cities.settle()
    assert (await arrived(ost, said)).content == "<p>Plus maintenant</p>"
    await sued.do(statuses.delete, bela, said.id)
    await cities.settle()
    assert (await arrived(ost, said)).deleted_at
    assert [one["type"] for one in await onward(nord)] == ["Update", "Delete"]


async def test_what_carries_no_good_proof_goes_no_further(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await three(cities, nord, sued, ost)
    first = await nord.post(alice, "Qui vient ?")
    await cities.settle()
    said = [create(bela, note(bela, f"{number}", inReplyTo=first.uri)) for number in range(4)]
    forged = await proved(sued, bela, said[1])
    forged["object"]["content"] = "<p>Autre chose</p>"
    for one in (said[0], forged, await proved(nord, alice, said[2])):
        assert (await cities.deliver(NORD, one, bela)).status == 202
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses WHERE in_reply_to_id = $1", first.id) == 3
    assert await onward(nord) == []
    await cities.deliver(NORD, await proved(sued, bela, said[3]), bela)
    await cities.settle()
    assert [one["id"] for one in await onward(nord)] == [said[3]["id"]]
    assert await ost.value("SELECT count(*) FROM statuses WHERE uri LIKE 'https://sued.example/%'") == 1


@pytest.mark.parametrize("why", ["for some", "unwanted", "its author is limited", "answers nobody here", "only counts"])
async def test_what_is_not_everybodys_is_not_brought_on(cities: Cities, nord: City, sued: City, ost: City, why: str) -> None:
    alice, bela = await three(cities, nord, sued, ost)
    first = await say(nord, alice, "Qui vient ?", reply_policy="followers" if why == "unwanted" else "public")
    other = await say(sued, bela, "À part")
    await cities.settle()
    if why == "its author is limited":
        met = await nord.meet("bela@sued.example")
        await nord.as_owner("UPDATE accounts SET limited_at = now() WHERE id = $1", met.id)
    to = (alice.uri,) if why == "for some" else ("https://www.w3.org/ns/activitystreams#Public", alice.uri)
    answer = note(bela, "7", to, inReplyTo=other.uri if why == "answers nobody here" else first.uri)
    await cities.deliver(NORD, await proved(sued, bela, create(bela, answer)), bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses WHERE uri = $1", answer["id"]) == 1
    if why == "only counts":
        update = create(bela, answer) | {"id": f"{answer['id']}#counts", "type": "Update"}
        await cities.deliver(NORD, await proved(sued, bela, update), bela)
        await cities.settle()
    assert [one["type"] for one in await onward(nord)] == (["Create"] if why == "only counts" else [])


async def test_an_edit_that_is_not_taken_here_goes_no_further(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await three(cities, nord, sued, ost)
    first = await nord.post(alice, "Qui vient ?")
    await cities.settle()
    answer, now = note(bela, "7", inReplyTo=first.uri), nord.clock.now()
    await cities.deliver(NORD, await proved(sued, bela, create(bela, answer)), bela)
    for number, text, hours in ((1, "Oui", 1), (2, "Autrefois", 2)):
        said = answer | {"content": f"<p>{text}</p>", "updated": (now - timedelta(hours=hours)).isoformat()}
        update = create(bela, said) | {"id": f"{answer['id']}#{number}", "type": "Update"}
        await cities.deliver(NORD, await proved(sued, bela, update), bela)
        await cities.settle()
    assert [one["type"] for one in await onward(nord)] == ["Create", "Update"]
    assert await ost.value("SELECT content FROM statuses WHERE uri = $1", answer["id"]) == "<p>Oui</p>"


async def test_what_is_kept_back_here_goes_no_further(cities: Cities, nord: City, sued: City, ost: City) -> None:
    await lay(nord, **ACTING)
    alice, _bela = await three(cities, nord, sued, ost)
    await nord.person("emil")
    await sued.meet("emil@nord.example")
    first = await nord.post(alice, "Qui vient ?")
    await cities.settle()
    copy = await fetch.status(sued.job, first.uri)
    for number, name in enumerate(("dora", "fritz", "gerda", "hugo")):
        by = await sued.person(name)
        await sued.post(by, f"@alice@nord.example @emil@nord.example {SPAM} {number}", reply_to=copy)
        await cities.settle()
    kept_back = [one.status_id for one in await held(nord)]
    uri = await nord.value("SELECT uri FROM statuses WHERE id = $1", *kept_back)
    brought = [one["object"]["id"] for one in await onward(nord)]
    assert len(brought) == 3
    assert uri not in brought


async def test_one_server_does_not_make_us_write_to_all_for_ever(
    cities: Cities, nord: City, sued: City, ost: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "MOST", 2)
    _alice, bela, answer = await answered(cities, nord, sued, ost)
    for number in range(3):
        await cities.settle()
        await sued.do(statuses.edit, bela, answer.id, edit(f"{number}"))
    await cities.settle()
    await sued.do(statuses.delete, bela, answer.id)
    await cities.settle()
    assert [one["type"] for one in await onward(nord)] == ["Create", "Update", "Delete"]
    assert (await arrived(ost, answer)).deleted_at
