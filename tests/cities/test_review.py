"""What a hostile server tries: to speak of what is not its own, to tie knots, to ask in another's name."""

from __future__ import annotations

import msgspec

from cities.harness import Cities, City, key_pair
from cities.test_follow import relation
from cities.test_hostile import NORD, create, note, refusals
from cities.test_posts import friends
from parvis.accounts import actions as accounts
from parvis.base.http import Request
from parvis.federation import fetch, signatures
from parvis.federation.vocabulary import PUBLIC
from parvis.views import queries as views
from parvis.views.model import Around


async def test_a_post_that_hides_anothers_id_in_a_list_is_refused(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    stolen = note(bela, "1") | {"id": ["https://ost.example/ap/users/1/statuses/1"]}
    forged = {"id": f"{bela.uri}/a", "type": "Create", "actor": bela.uri, "object": [stolen, f"{bela.uri}/statuses/1"]}
    await cities.deliver(NORD, forged, bela)
    await cities.settle()
    assert await refusals(nord) == ["wrong_host"]
    assert await nord.value("SELECT count(*) FROM statuses") == 0


async def test_a_page_on_another_server_is_not_a_posts_own(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await nord.post(alice, "La mienne", "private")
    await cities.deliver(NORD, create(bela, note(bela, "1", url=said.url)), bela)
    await cities.settle()
    assert await nord.value("SELECT url FROM statuses WHERE account_id <> $1", alice.id) == f"{bela.uri}/statuses/1"


async def test_a_post_that_answers_itself_makes_no_ring(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    await cities.deliver(NORD, create(bela, note(bela, "1", inReplyTo=f"{bela.uri}/statuses/1")), bela)
    await cities.deliver(NORD, create(bela, note(bela, "2", inReplyTo=f"{bela.uri}/statuses/3")), bela)
    await cities.deliver(NORD, create(bela, note(bela, "3", inReplyTo=f"{bela.uri}/statuses/4")), bela)
    await cities.deliver(NORD, create(bela, note(bela, "4", inReplyTo=f"{bela.uri}/statuses/2")), bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses") == 4
    for number in await nord.value("SELECT array_agg(id) FROM statuses"):
        around = Around(None, number, 50, 50, 50)
        _, placed = await nord.look(views.around, [around])
        assert len(placed[around]) == len({place.status_id for place in placed[around]})


async def test_a_reply_that_came_before_its_post_is_counted_once(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    await cities.deliver(NORD, create(bela, note(bela, "2", inReplyTo=f"{bela.uri}/statuses/1")), bela)
    await cities.settle()
    await cities.deliver(NORD, create(bela, note(bela, "1")), bela)
    await cities.settle()
    replies = "SELECT coalesce(sum(replies), 0)::int FROM status_count_deltas"
    assert await nord.value(replies) == 1
    reply = f"{bela.uri}/statuses/2"
    gone = {"id": f"{reply}#delete", "type": "Delete", "actor": bela.uri, "object": reply}
    await cities.deliver(NORD, gone, bela)
    await cities.settle()
    assert await nord.value(replies) == 0


async def test_an_inbox_of_nobody_makes_no_post_of_concern(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    for number, inbox in enumerate(("999", "99999999999999999999", "abc", bela.id)):
        to = f"https://nord.example/ap/users/{inbox}/inbox"
        await cities.deliver(to, create(bela, note(bela, f"p{number}")), bela)
        await cities.deliver(to, create(bela, note(bela, f"d{number}", ("https://far.example/u",))), bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM statuses") == 0
    assert await nord.value("SELECT count(*) FROM inbox_items") == 0


async def test_a_suspended_follower_no_longer_reads_private_posts(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Entre amis", "private")
    assert (await cities.get(said.uri, alice)).status == 200
    await sued.as_owner("UPDATE accounts SET suspended_at = now() WHERE uri = $1", alice.uri)
    assert (await cities.get(said.uri, alice)).status == 404


async def test_a_signature_made_for_another_server_is_not_ours(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Entre amis", "private")
    now, private = sued.clock.now(), key_pair(len(alice.username) % 4)[0]
    path = said.uri.removeprefix("https://sued.example")
    signed = signatures.sign(
        signatures.Signer(private, f"{alice.uri}#main-key"), "GET", f"https://evil.example{path}", {}, None, now
    )
    headers = {"accept": "application/activity+json"} | {name.lower(): value for name, value in signed.items()}
    answer = await cities.network.send(Request("GET", said.uri, headers))
    assert answer.status in (401, 404)
    body = create(bela, note(bela, "1"))
    evil = signatures.sign(
        signatures.Signer(key_pair(len(bela.username) % 4)[0], f"{bela.uri}#main-key"), "POST", "https://evil.example/inbox", {},
        msgspec.json.encode(body), now,
    )
    replayed = {"content-type": "application/activity+json"} | {name.lower(): value for name, value in evil.items()}
    assert (await cities.network.send(Request("POST", NORD, replayed, msgspec.json.encode(body)))).status == 401


async def test_a_handle_that_moved_to_another_actor_is_known_again(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    known = await nord.meet("bela@sued.example")
    await nord.as_owner("UPDATE accounts SET uri = uri || '/before' WHERE id = $1", known.id)
    found = await fetch.actor(nord.job, bela.uri)
    assert (found.acct, found.id != known.id) == ("bela@sued.example", True)
    assert (await nord.meet("bela@sued.example")).id == found.id


async def test_a_deleted_announce_is_a_boost_taken_back(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await nord.post(alice, "Passez-moi")
    boost = {"id": f"{bela.uri}/boost", "type": "Announce", "actor": bela.uri, "object": said.uri, "to": [PUBLIC]}
    await cities.deliver(NORD, boost, bela)
    await cities.settle()
    reblogs = "SELECT coalesce(sum(reblogs), 0)::int FROM status_count_deltas"
    assert await nord.value(reblogs) == 1
    gone = {"id": f"{bela.uri}/boost#delete", "type": "Delete", "actor": bela.uri, "object": f"{bela.uri}/boost"}
    await cities.deliver(NORD, gone, bela)
    await cities.settle()
    assert await nord.value(reblogs) == 0


async def test_zero_bytes_in_a_post_hold_up_nobody(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    files = [{"type": "Document", "mediaType": "image/png", "url": "https://sued.example/a.png", "name": "a\x00b"}]
    await cities.deliver(NORD, create(bela, note(bela, "1", (alice.uri,), attachment=files)), bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM inbox_items") == 0


async def test_nobody_who_is_blocked_is_heard(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    known = await nord.meet("bela@sued.example")
    said = await nord.post(alice, "Chez moi")
    await nord.do(accounts.block, alice, known)
    tags = [{"type": "Mention", "href": alice.uri, "name": "@alice@nord.example"}]
    await cities.deliver(NORD, create(bela, note(bela, "1", (PUBLIC, alice.uri), tag=tags)), bela)
    for kind in ("Like", "Announce", "Follow"):
        target = alice.uri if kind == "Follow" else said.uri
        act = {"id": f"{bela.uri}#{kind}", "type": kind, "actor": bela.uri, "object": target, "to": [PUBLIC]}
        await cities.deliver(NORD, act, bela)
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM notifications WHERE account_id = $1", alice.id) == 0
    assert await relation(nord, known, alice) == "none"
    assert await nord.value("SELECT count(*) FROM favourites") == 0
    copy = await nord.value("SELECT id FROM statuses WHERE account_id = $1", known.id)
    assert await nord.value("SELECT count(*) FROM seen_by($1) WHERE id = $2", alice.id, copy) == 0
