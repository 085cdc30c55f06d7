"""Quotes across cities: asked for, granted, refused, taken back, forged, and seen from a third city."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cities.harness import Cities, City
from cities.test_follow import following
from cities.test_posts import arrived, friends
from parvis.accounts.model import Account
from parvis.base.errors import Forbidden, NotFound, Upstream
from parvis.base.ids import Page
from parvis.federation import fetch
from parvis.notifications import queries as notifications
from parvis.notifications.model import Choice
from parvis.quotes import actions as quotes
from parvis.quotes import queries
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft, Openness, Revision, Status
from parvis.views import queries as looking
from parvis.views import status as views
from parvis.views.cards import Shelf
from parvis.views.model import Around
from parvis.views.status import Eye

CONTEXT = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{CONTEXT}#Public"


async def say(city: City, by: Account, text: str, quote: tuple[str, ...] = ("public",), **more: Any) -> Status:
    """Somebody posts, and says who may quote it."""
    reply = more.pop("reply_policy", "public")
    draft = Draft(
        content=f"<p>{text}</p>", text=text, visibility=more.pop("visibility", "public"),
        openness=Openness(quote_automatic=quote, reply_policy=reply), **more,
    )
    return await city.do(statuses.publish, by, draft)


async def quote(city: City, by: Account, quoted: Status, text: str = "Regardez") -> Status:
    """Somebody quotes what their city knows."""
    draft = Draft(content=f"<p>{text}</p>", text=text, visibility="public")
    return await city.do(quotes.publish, by, draft, quoted.id)


async def state(city: City, status: Status) -> str | None:
    """How a city sees the quote in a post."""
    known = await city.copy(status)
    found = known and await city.look(queries.of, known.id)
    return found.state if found else None


async def kinds(city: City, who: Account) -> list[str]:
    """Of what somebody was told."""
    return [row.kind for row in await city.look(notifications.page, who.id, Page(), Choice())]


async def listening(city: City, who: Account) -> None:
    """Somebody can sign in, and so is told of things."""
    await city.as_owner(
        "INSERT INTO users (account_id, email, password_hash) VALUES ($1, $2, '')", who.id, f"{who.username}@example.org"
    )


async def quoted_by_alice(cities: Cities, nord: City, sued: City, **more: Any) -> tuple[Account, Account, Status, Status]:
    """Bela of Süd says something, and Alice of Nord, who follows her, quotes it."""
    alice, bela = await friends(cities, nord, sued)
    await listening(nord, alice)
    await listening(sued, bela)
    said = await say(sued, bela, "Une vérité", **more)
    await cities.settle()
    made = await quote(nord, alice, await arrived(nord, said))
    await cities.settle()
    return alice, bela, said, made


@pytest.mark.shows("FEP-044f")
async def test_a_quote_is_asked_for_and_granted(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela, said, made = await quoted_by_alice(cities, nord, sued)
    assert await state(nord, made) == "accepted"
    assert await state(sued, made) == "accepted"
    assert "quote" in await kinds(sued, bela)
    assert await sued.value("SELECT sum(quotes) FROM status_count_deltas WHERE status_id = $1", said.id) == 1
    note = await document(cities, made.uri)
    assert (note["quote"], note["quoteUri"], note["_misskey_quote"]) == (said.uri, said.uri, said.uri)
    assert note["content"].startswith('<p class="quote-inline">RE: <a href="https://sued.example/@bela/')
    copy = await arrived(sued, made)
    assert "quote-inline" in copy.content
    async with sued.db.read() as read:
        shown = (await views.statuses(read, Eye(None, Shelf(), sued.settings), [copy.id]))[copy.id]
    entity = msgspec.json.decode(shown)
    assert (entity["content"], entity["quote"]["quoted_status"]["id"]) == ("<p>Regardez</p>", str(said.id))
    agreement = await document(cities, note["quoteAuthorization"])
    assert agreement["type"] == "QuoteAuthorization"
    assert (agreement["attributedTo"], agreement["interactingObject"], agreement["interactionTarget"]) == (
        bela.uri, made.uri, said.uri
    )


async def document(cities: Cities, uri: str) -> Any:
    """What a city says under an address."""
    answer = await cities.get(uri)
    assert answer.status == 200, (uri, answer.status)
    return msgspec.json.decode(answer.body)


async def test_who_does_not_let_others_quote_is_not_even_asked(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await say(sued, bela, "Entre nous", ())
    await cities.settle()
    copy = await arrived(nord, said)
    assert (copy.quote_automatic, copy.quote_manual) == ([], [])
    with pytest.raises(Forbidden):
        await quote(nord, alice, copy)


@pytest.mark.shows("FEP-044f")
async def test_a_request_against_the_authors_rule_is_rejected(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await say(sued, bela, "Une vérité")
    await cities.settle()
    copy = await arrived(nord, said)
    await sued.do(statuses.open_to, bela, said.id, Openness())
    made = await quote(nord, alice, copy)
    assert await state(nord, made) == "pending"
    await cities.settle()
    assert (await arrived(nord, said)).quote_automatic == []
    assert await state(nord, made) == "rejected"
    assert await state(sued, made) in (None, "pending")
    assert "quote" not in await kinds(sued, bela)
    note = await document(cities, made.uri)
    assert "quoteUri" not in note
    assert "quote-inline" not in note["content"]


@pytest.mark.shows("FEP-044f")
async def test_an_author_takes_their_agreement_back(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    await following(cities, ost, chloe, nord, alice)
    said = await say(sued, bela, "Une vérité")
    await cities.settle()
    made = await quote(nord, alice, await arrived(nord, said))
    await cities.settle()
    assert [await state(city, made) for city in (nord, sued, ost)] == ["accepted"] * 3
    agreement = (await document(cities, made.uri))["quoteAuthorization"]
    copy = await arrived(sued, made)
    with pytest.raises(NotFound):
        await sued.do(quotes.revoke, await sued.meet("alice@nord.example"), copy.id)
    await sued.do(quotes.revoke, bela, copy.id, said.id)
    await cities.settle()
    assert [await state(city, made) for city in (nord, sued, ost)] == ["revoked"] * 3
    assert (await cities.get(agreement)).status == 404
    assert "quoteAuthorization" not in await document(cities, made.uri)
    await sued.do(quotes.revoke, bela, copy.id, said.id)
    await cities.settle()
    assert await sued.value("SELECT sum(quotes) FROM status_count_deltas WHERE status_id = $1", said.id) == 0


async def test_a_deleted_post_is_gone_from_what_quotes_it(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela, said, made = await quoted_by_alice(cities, nord, sued)
    await sued.do(statuses.delete, bela, said.id)
    await cities.settle()
    assert [await state(city, made) for city in (nord, sued)] == ["deleted", "deleted"]
    assert (await document(cities, made.uri))["quote"] == {"type": "Tombstone"}


async def test_quoting_oneself_needs_no_leave_anywhere(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await say(sued, bela, "Une vérité", ())
    made = await quote(sued, bela, said)
    await cities.settle()
    assert [await state(city, made) for city in (nord, sued)] == ["accepted", "accepted"]
    assert "quoteAuthorization" not in await document(cities, made.uri)


@pytest.mark.shows("FEP-044f")
async def test_a_third_city_believes_only_the_authors_own_server(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    await following(cities, ost, chloe, nord, alice)
    said, other = await say(sued, bela, "Une vérité"), await say(sued, bela, "Une autre", ())
    await cities.settle()
    made = await quote(nord, alice, await arrived(nord, said))
    await cities.settle()
    granted = (await document(cities, made.uri))["quoteAuthorization"]
    forged = {
        "not the author's server": (said.uri, f"{alice.uri}/quote_authorizations/{made.id}"),
        "an agreement to another quote": (said.uri, granted),
        "an agreement about another post": (other.uri, granted),
        "no agreement but a post": (other.uri, other.uri),
        "nothing there": (other.uri, f"{bela.uri}/quote_authorizations/1"),
        "none": (other.uri, None),
    }
    for number, (why, (target, agreement)) in enumerate(forged.items()):
        uri = f"{alice.uri}/statuses/{number + 1}"
        note: dict[str, Any] = {
            "id": uri, "type": "Note", "attributedTo": alice.uri, "to": [PUBLIC], "cc": [], "content": why, "quote": target,
        }
        if agreement:
            note["quoteAuthorization"] = agreement
        create = {"@context": CONTEXT, "id": f"{uri}/activity", "type": "Create", "actor": alice.uri, "to": [PUBLIC], "object": note}
        for city in (ost, sued):
            await cities.deliver(f"https://{city.domain}/inbox", create, alice)
        await cities.settle()
        copy = await ost.look(posts.by_uri, uri)
        assert copy is not None
        assert await state(ost, copy) == "pending", why
        known = await sued.look(posts.by_uri, uri)
        assert known is None or await state(sued, known) == "pending", why
    assert await state(ost, made) == "accepted"


@pytest.mark.shows("FEP-044f")
async def test_an_agreement_must_say_everything_right(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela, said, made = await quoted_by_alice(cities, nord, sued)
    agreement = (await document(cities, made.uri))["quoteAuthorization"]
    right = (agreement, bela.uri, made.uri, said.uri)
    assert await fetch.agreement(nord.job, *right)
    for place in range(4):
        wrong = [*right]
        wrong[place] = f"{wrong[place]}x"
        assert not await fetch.agreement(nord.job, *wrong)
    cities.network.down.add("sued.example")
    with pytest.raises(Upstream):
        await fetch.agreement(nord.job, *right)


async def test_only_the_author_who_was_asked_can_answer(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    mallory = await ost.person("mallory")
    said = await say(sued, bela, "Une vérité")
    await cities.settle()
    cities.network.down.add("sued.example")
    made = await quote(nord, alice, await arrived(nord, said))
    await cities.settle()
    request = {"id": f"{alice.uri}#quote_requests/{made.id}", "type": "QuoteRequest", "actor": alice.uri,
               "object": said.uri, "instrument": made.uri}
    for number, asked in enumerate((request["id"], request)):
        for kind in ("Accept", "Reject"):
            answer = {"@context": CONTEXT, "id": f"{mallory.uri}#{kind}/{number}", "type": kind, "actor": mallory.uri,
                      "object": asked, "result": f"{mallory.uri}/quote_authorizations/1"}
            await cities.deliver("https://nord.example/inbox", answer, mallory)
    await cities.settle()
    assert await state(nord, made) == "pending"
    cities.network.down.clear()
    far = {"@context": CONTEXT, "id": f"{bela.uri}#accepts/9", "type": "Accept", "actor": bela.uri, "object": request,
           "result": f"{mallory.uri}/quote_authorizations/1"}
    await cities.deliver("https://nord.example/inbox", far, bela)
    await cities.settle()
    found = await nord.look(queries.of, made.id)
    assert found is not None
    assert found.approval_uri is None or found.approval_uri.startswith(bela.uri)


async def test_nobody_asks_in_anothers_name(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    mallory = await ost.person("mallory")
    said = await say(sued, bela, "Une vérité")
    hers = await nord.post(alice, "Sans citation")
    await cities.settle()
    instruments: list[Any] = [
        hers.uri,
        {"id": hers.uri, "type": "Note", "attributedTo": alice.uri, "to": [PUBLIC], "quote": said.uri, "content": "x"},
        {"id": f"{mallory.uri}/statuses/1", "type": "Note", "attributedTo": alice.uri, "to": [PUBLIC], "quote": said.uri, "content": "x"},
        {"id": f"{mallory.uri}/statuses/2", "type": "Note", "attributedTo": mallory.uri, "to": [PUBLIC], "content": "quotes nothing"},
    ]
    for number, instrument in enumerate(instruments):
        asked = {"@context": CONTEXT, "id": f"{mallory.uri}#quote_requests/{number}", "type": "QuoteRequest",
                 "actor": mallory.uri, "object": said.uri, "instrument": instrument}
        await cities.deliver("https://sued.example/inbox", asked, mallory)
    await cities.settle()
    assert await sued.value("SELECT count(*) FROM quotes") == 0
    assert "quote" not in await kinds(sued, bela)


async def test_a_quote_that_was_never_asked_for_is_not_shown(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await nord.post(alice, "De moi")
    await cities.settle()
    note = {"id": f"{bela.uri}/statuses/5", "type": "Note", "attributedTo": bela.uri, "to": [PUBLIC], "content": "Misskey",
            "quoteUri": said.uri, "_misskey_quote": said.uri}
    create = {"@context": CONTEXT, "id": f"{bela.uri}/statuses/5/activity", "type": "Create", "actor": bela.uri, "to": [PUBLIC], "object": note}
    await cities.deliver("https://nord.example/inbox", create, bela)
    await cities.settle()
    copy = await nord.look(posts.by_uri, note["id"])
    assert copy is not None
    assert await state(nord, copy) == "unauthorized"
    assert "quote" not in await kinds(nord, alice)


async def test_followers_only_quotes_across_cities(cities: Cities, nord: City, sued: City) -> None:
    _alice, _bela, _said, made = await quoted_by_alice(cities, nord, sued, quote=("followers",))
    assert await state(nord, made) == "accepted"
    emil = await nord.person("emil")
    said = await nord.look(posts.by_uri, _said.uri)
    assert said is not None
    assert said.quote_automatic == ["followers"]
    with pytest.raises(Forbidden):
        await quote(nord, emil, said)


async def test_those_who_quote_are_told_of_an_edit(cities: Cities, nord: City, sued: City) -> None:
    alice, bela, said, made = await quoted_by_alice(cities, nord, sued)
    await sued.do(statuses.edit, bela, said.id, Revision(content="<p>Autre chose</p>", text="Autre chose"))
    await cities.settle()
    rows = await nord.look(notifications.page, alice.id, Page(), Choice(kinds=["quoted_update"]))
    assert [row.status_id for row in rows] == [made.id]


async def test_an_answer_that_is_not_wanted_is_out_of_sight(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    await listening(sued, bela)
    emil = await nord.person("emil")
    said = await say(sued, bela, "Mes abonnés seulement", reply_policy="followers")
    await cities.settle()
    copy = await arrived(nord, said)
    assert copy.reply_policy == "followers"
    welcome = await nord.post(alice, "Merci, @bela@sued.example", reply_to=copy)
    with pytest.raises(Forbidden):
        await nord.post(emil, "Moi aussi, @bela@sued.example", reply_to=copy)
    uri = f"{emil.uri}/statuses/7"
    note = {"id": uri, "type": "Note", "attributedTo": emil.uri, "to": [PUBLIC, bela.uri], "content": "@bela !",
            "inReplyTo": said.uri, "tag": [{"type": "Mention", "href": bela.uri, "name": "@bela@sued.example"}]}
    create = {"@context": CONTEXT, "id": f"{uri}/activity", "type": "Create", "actor": emil.uri, "to": [PUBLIC], "object": note}
    await sued.meet("emil@nord.example")
    await cities.deliver("https://sued.example/inbox", create, emil)
    await cities.settle()
    hidden = await sued.look(posts.by_uri, uri)
    assert hidden is not None
    assert hidden.reply_hidden
    around = Around(None, said.id, 40, 60, 20)
    _, placed = await sued.look(looking.around, [around])
    assert [place.status_id for place in placed[around] if place.side == 1] == [(await arrived(sued, welcome)).id]
    assert await kinds(sued, bela) == ["mention"]
    assert await sued.value("SELECT sum(replies) FROM status_count_deltas WHERE status_id = $1", said.id) == 1
    emils = await sued.meet("emil@nord.example")
    await sued.do(statuses.delete, emils, hidden.id)
    assert await sued.value("SELECT sum(replies) FROM status_count_deltas WHERE status_id = $1", said.id) == 1


async def test_a_changed_rule_travels(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await say(sued, bela, "Une vérité")
    await cities.settle()
    await sued.do(statuses.open_to, bela, said.id, Openness(quote_automatic=("followers",), reply_policy="mentioned"))
    await cities.settle()
    copy = await arrived(nord, said)
    assert (copy.quote_automatic, copy.reply_policy, copy.edited_at) == (["followers"], "nobody", None)
