"""Polls across cities: the question arrives, votes travel to who asked, totals to all, and no vote counts twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cities.harness import Cities, City
from cities.test_follow import following
from cities.test_posts import arrived, friends
from parvis.accounts.model import Account
from parvis.base.errors import Invalid, NotFound
from parvis.federation import fetch, jsonld, verbs, vocabulary
from parvis.polls import actions as polls
from parvis.polls import queries
from parvis.polls.model import Cast, NewPoll, Poll
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft, Revision, Status

HOUR = timedelta(hours=1)


async def ask(city: City, by: Account, *options: str, **more: Any) -> Status:
    """Somebody asks something, for an hour."""
    poll = NewPoll(options=options or ("Oui", "Non"), expires_at=city.clock.now() + HOUR, **more)
    return await city.do(statuses.publish, by, Draft(content="<p>Qui vient ?</p>", text="Qui vient ?", visibility="public", poll=poll))


async def poll_of(city: City, status: Status) -> Poll:
    found = await city.look(queries.of_status, (await arrived(city, status)).id)
    assert found is not None
    return found


async def counts(city: City, status: Status) -> tuple[list[int], int | None]:
    """How often each answer was chosen, and by how many."""
    poll = await poll_of(city, status)
    options = await city.look(queries.options, poll.id)
    return [option.votes for option in options], await city.look(queries.voters, poll.id)


async def vote(city: City, by: Account, status: Status, *chosen: int) -> None:
    await city.do(statuses.vote, by, (await poll_of(city, status)).id, chosen)


async def sweep(cities: Cities) -> None:
    """Every city looks whether something ends or is to be told, and what follows arrives."""
    for city in cities.all:
        await polls.sweep(city.job)
        await polls.fold_counts(city.job)
    await cities.settle()


async def test_a_question_arrives_and_votes_travel_back(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    await following(cities, ost, chloe, sued, bela)
    asked = await ask(sued, bela, "Oui", "Non", "Peut-être", multiple=True)
    await cities.settle()
    poll = await poll_of(nord, asked)
    here = await poll_of(sued, asked)
    assert (poll.multiple, poll.local, here.local) == (True, False, True)
    assert poll.expires_at is not None
    assert here.expires_at is not None
    assert abs(poll.expires_at - here.expires_at) < timedelta(milliseconds=2)
    await vote(nord, alice, asked, 0, 2)
    assert await counts(nord, asked) == ([1, 0, 1], 1)
    await cities.settle()
    assert await counts(sued, asked) == ([1, 0, 1], 1)
    assert await count_of_posts(sued) == 1
    assert await counts(ost, asked) == ([0, 0, 0], 0)
    await sweep(cities)
    assert await counts(ost, asked) == ([0, 0, 0], 0)  # not yet: at most every three minutes
    await vote(ost, chloe, asked, 1)
    await cities.settle()
    await cities.advance(timedelta(minutes=3, seconds=1))
    await sweep(cities)
    assert [await counts(city, asked) for city in cities.all] == [([1, 1, 1], 2)] * 3
    assert (await arrived(ost, asked)).edited_at is None
    assert await nord.look(posts.edits, (await arrived(nord, asked)).id) == []
    updates = await sued.value("SELECT count(*) FROM outgoing WHERE uri LIKE '%#updates/%'")
    assert updates == 1


async def count_of_posts(city: City) -> int:
    return int(await city.value("SELECT count(*) FROM statuses"))


async def test_the_end_is_told_everywhere(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    asked = await ask(sued, bela)
    await cities.settle()
    for city, who in ((nord, alice), (sued, bela)):
        await city.as_owner("INSERT INTO users (account_id, email, password_hash) VALUES ($1, 'a@b.example', '')", who.id)
    await vote(nord, alice, asked, 1)
    await cities.settle()
    await cities.advance(HOUR + timedelta(seconds=2))
    await sweep(cities)
    await sweep(cities)
    assert await counts(nord, asked) == ([0, 1], 1)
    for city, who in ((nord, alice), (sued, bela)):
        told = await city.value("SELECT count(*) FROM notifications WHERE kind = 'poll' AND account_id = $1", who.id)
        assert told == 1
    with pytest.raises(Invalid):
        await vote(nord, alice, asked, 0)
    said = (await cities.get(asked.uri)).body.decode()
    assert '"closed"' in said
    assert '"type":"Question"' in said


async def test_a_vote_from_elsewhere_counts_once_and_only_where_it_may(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    asked = await ask(sued, bela)
    private = await sued.do(statuses.publish, bela, Draft(
        content="<p>?</p>", text="?", visibility="direct", poll=NewPoll(options=("a", "b"), expires_at=sued.clock.now() + HOUR)))
    await cities.settle()

    async def send(number: int, name: str, to: Status) -> None:
        made = verbs.vote(alice, Cast(number, 0, name), to.uri, bela.uri)
        assert (await cities.deliver(bela.inbox_url or f"{bela.uri}/inbox", made, alice)).status == 202
        await cities.settle()

    for number, name in enumerate(("Oui", "Oui", "Non", "Autre")):
        await send(number, name, asked)
    assert await counts(sued, asked) == ([1, 0], 1)
    await send(9, "a", private)
    assert await counts(sued, private) == ([0, 0], 0)
    assert await count_of_posts(sued) == 2
    await cities.advance(HOUR + timedelta(seconds=2))
    dora = await nord.person("dora_long")
    late = verbs.vote(dora, Cast(1, 0, "Non"), asked.uri, bela.uri)
    await cities.deliver(f"{bela.uri}/inbox", late, dora)
    await cities.settle()
    assert await counts(sued, asked) == ([1, 0], 1)


async def test_other_answers_reset_the_votes_everywhere(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    asked = await ask(sued, bela)
    await cities.settle()
    await vote(nord, alice, asked, 1)
    await cities.settle()
    await cities.advance(timedelta(seconds=5))
    other = NewPoll(options=("Midi", "Soir"), expires_at=sued.clock.now() + HOUR)
    await sued.do(statuses.edit, bela, asked.id, Revision(content="<p>Quand ?</p>", text="Quand ?", poll=other))
    await cities.settle()
    assert [await counts(city, asked) for city in (nord, sued)] == [([0, 0], 0)] * 2
    titles = [option.title for option in await nord.look(queries.options, (await poll_of(nord, asked)).id)]
    assert titles == ["Midi", "Soir"]
    await vote(nord, alice, asked, 0)
    await cities.settle()
    assert await counts(sued, asked) == ([1, 0], 1)


async def test_totals_of_another_server_never_lose_a_vote_made_here(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    asked = await ask(sued, bela)
    await cities.settle()
    await vote(nord, alice, asked, 1)
    copy = await arrived(nord, asked)
    old = NewPoll(options=("Oui", "Non"), votes=(7, 0), voters=7, expires_at=(await poll_of(nord, asked)).expires_at)
    await nord.do(polls.recount, copy.id, old)
    assert await counts(nord, asked) == ([7, 1], 7)
    changed = NewPoll(options=("Autre", "Non"), votes=(0, 0), voters=0)
    await nord.do(polls.recount, copy.id, changed)  # counts are no edit
    assert await counts(nord, asked) == ([7, 1], 7)


async def test_who_looks_asks_at_most_once_a_minute(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    dora = await sued.person("dora")
    asked = await ask(sued, bela)
    await cities.settle()
    await vote(sued, dora, asked, 0)
    copy = await arrived(nord, asked)

    async def asked_for() -> int:
        return sum(1 for method, url, _ in cities.network.log if method == "GET" and url == asked.uri)

    before = await asked_for()
    await fetch.poll(nord.job, copy.id)
    assert await asked_for() == before
    await cities.advance(timedelta(minutes=2))
    for _ in range(3):
        await fetch.poll(nord.job, copy.id)
    assert await asked_for() == before + 1
    assert await counts(nord, asked) == ([1, 0], 1)
    cities.network.down.add("sued.example")
    await cities.advance(timedelta(minutes=2))
    await fetch.poll(nord.job, copy.id)
    assert await counts(nord, asked) == ([1, 0], 1)
    with pytest.raises(NotFound):
        await nord.do(statuses.vote, alice, 12, [0])


async def test_secret_totals_stay_secret(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    asked = await ask(sued, bela, hide_totals=True)
    await cities.settle()
    await vote(nord, alice, asked, 1)
    await cities.settle()
    said = vocabulary.note(jsonld.document((await cities.get(asked.uri)).body))
    assert said.question is not None
    assert (said.question.votes, said.question.voters, said.question.closed) == ((0, 0), 1, False)
    await cities.advance(HOUR + timedelta(seconds=2))
    said = vocabulary.note(jsonld.document((await cities.get(asked.uri)).body))
    assert said.question is not None
    assert (said.question.votes, said.question.closed) == ((0, 1), True)
