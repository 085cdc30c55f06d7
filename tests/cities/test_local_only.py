"""A post that stays in its city: whatever is done with it there, no other server learns of it."""

from __future__ import annotations

import random

import pytest

from cities.harness import Cities, City
from cities.test_follow import following
from cities.test_posts import friends
from parvis.accounts.model import Account
from parvis.base.errors import Forbidden, NotFound, Problem
from parvis.federation import outbox
from parvis.moderation.model import Level, MeasureTaken
from parvis.quotes import actions as quotes
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft, Openness, Revision, Status

DEEDS = ("reply", "quote", "reblog", "unreblog", "favourite", "unfavourite", "pin", "edit", "open", "measure", "delete")


async def keep(city: City, by: Account, text: str = "Entre nous", parent: Status | None = None) -> Status:
    """Somebody says something that stays here: by their wish, or because they answer such a post."""
    draft = Draft(
        content=f"<p>{text}</p>", text=text, visibility="public", local_only=parent is None,
        in_reply_to_id=parent.id if parent else None, openness=Openness(quote_automatic=("public",)),
    )
    return await city.do(statuses.publish, by, draft)


async def one_more(city: City, by: Account, deed: str, post: Status) -> Status | None:
    """One deed on such a post; what it makes."""
    if deed == "reply":
        return await keep(city, by, "Une réponse", post)
    if deed == "quote":
        draft = Draft(content="<p>Regardez</p>", text="Regardez", visibility="public")
        return await city.do(quotes.publish, by, draft, post.id)
    if deed == "edit":
        return await city.do(statuses.edit, by, post.id, Revision(content="<p>Autre</p>", text="Autre"))
    if deed == "open":
        return await city.do(statuses.open_to, by, post.id, Openness(quote_automatic=("public",), reply_policy="public"))
    if deed == "measure":
        await outbox.measured(city.job, MeasureTaken(1, post.account_id, Level.removal, (post.id,)))
        return None
    done = await city.do(getattr(statuses, deed), by, post.id)
    return done if deed == "reblog" else None


async def addresses(city: City) -> set[str]:
    """Of everything that stays in a city."""
    async with city.db.read() as read:
        return set(await read.values("SELECT uri FROM statuses WHERE local_only"))


async def leaked(cities: Cities, city: City, people: list[Account], stranger: Account) -> list[str]:
    """Where one of these addresses has gone, or is answered."""
    kept = await addresses(city)
    async with city.db.read() as read:
        bodies = [body.decode() for body in await read.values("SELECT body FROM outgoing")]
    found = [f"sent: {uri}" for uri in kept for body in bodies if uri in body]
    for other in cities.all:
        if other is not city:
            known = await other.value("SELECT count(*) FROM statuses WHERE uri = ANY($1::text[])", list(kept))
            found += [f"known: {other.domain}"] * known
    for person in people:
        for path in ("outbox", "outbox?page=true", "collections/featured", "followers", "following"):
            answer = await cities.get(f"{person.uri}/{path}")
            found += [f"{path}: {uri}" for uri in kept if uri in answer.body.decode()]
    async with city.db.read() as read:
        open_posts = await read.values("SELECT uri FROM statuses WHERE NOT local_only AND local AND reblog_of_id IS NULL")
    for uri in open_posts:
        answer = await cities.get(f"{uri}/replies?page=true")
        found += [f"replies: {one}" for one in kept if one in answer.body.decode()]
    for uri in kept:
        for end in ("", "/activity", "/replies", "/likes", "/shares"):
            for who in (None, stranger):
                if (await cities.get(f"{uri}{end}", who)).status != 404:
                    found.append(f"answered: {uri}{end}")
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_done_with_it_here_no_other_server_learns_of_it(
    cities: Cities, nord: City, sued: City, seed: int
) -> None:
    chance = random.Random(seed)
    alice, bela = await friends(cities, nord, sued)
    emil = await nord.person("emil")
    await following(cities, sued, bela, nord, alice)
    await following(cities, sued, bela, nord, emil)
    posts_here = [await keep(nord, alice), await keep(nord, emil, "Pour @bela@sued.example")]
    open_post = await nord.post(alice, "Pour tous")
    for _ in range(14):
        post, by = chance.choice(posts_here), chance.choice((alice, emil))
        try:
            made = await one_more(nord, by, chance.choice(DEEDS), post)
        except Problem:
            continue
        if made is not None:
            posts_here.append(made)
    await cities.settle()
    assert await sued.copy(open_post) is not None
    assert await leaked(cities, nord, [alice, emil], bela) == []


async def test_it_is_not_there_for_those_who_live_elsewhere(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    kept = await keep(nord, alice)
    seen_bela = await nord.meet("bela@sued.example")
    assert await nord.look(posts.seen, kept.id, alice.id) is not None
    for viewer in (None, seen_bela.id):
        assert await nord.look(posts.seen, kept.id, viewer) is None
    with pytest.raises(NotFound):
        await nord.do(statuses.favourite, seen_bela, kept.id)
    note = {"id": f"{bela.uri}/statuses/3", "type": "Note", "attributedTo": bela.uri, "inReplyTo": kept.uri,
            "to": ["https://www.w3.org/ns/activitystreams#Public"], "cc": [alice.uri], "content": "Je devine"}
    for number, activity in enumerate((
        {"type": "Like", "object": kept.uri}, {"type": "Announce", "object": kept.uri, "to": note["to"]},
        {"type": "Create", "object": note, "to": note["to"]},
        {"type": "QuoteRequest", "object": kept.uri, "instrument": {**note, "id": f"{bela.uri}/statuses/4", "quote": kept.uri}},
    )):
        sent = {"@context": "https://www.w3.org/ns/activitystreams", "id": f"{bela.uri}#{number}", "actor": bela.uri, **activity}
        await cities.deliver("https://nord.example/inbox", sent, bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM favourites WHERE status_id = $1", kept.id) == 0
    assert await nord.value("SELECT count(*) FROM statuses WHERE in_reply_to_id = $1 OR reblog_of_id = $1", kept.id) == 0
    assert await nord.value("SELECT count(*) FROM quotes WHERE quoted_id = $1", kept.id) == 0


async def test_it_does_not_quote_whom_it_would_have_to_ask(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await sued.do(statuses.publish, bela, Draft(
        content="<p>Une vérité</p>", text="Une vérité", visibility="public", openness=Openness(quote_automatic=("public",))
    ))
    await cities.settle()
    copy = await nord.copy(said)
    assert copy is not None
    draft = Draft(content="<p>Regardez</p>", text="Regardez", visibility="public", local_only=True)
    with pytest.raises(Forbidden):
        await nord.do(quotes.publish, alice, draft, copy.id)
