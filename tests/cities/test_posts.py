"""Posts across cities: they arrive, are answered, liked, passed on, changed and deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cities.harness import Cities, City
from cities.test_follow import following
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account, ProfileEdit
from parvis.federation import jsonld, outbox
from parvis.federation import queries as sent
from parvis.media import queries as media
from parvis.moderation.model import Level, MeasureTaken
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft, Revision, Status


async def friends(cities: Cities, nord: City, sued: City) -> tuple[Account, Account]:
    """Alice of Nord follows Bela of Süd."""
    alice, bela = await nord.person("alice"), await sued.person("bela")
    await following(cities, nord, alice, sued, bela)
    return alice, bela


async def arrived(city: City, status: Status) -> Status:
    """The copy that a city has."""
    found = await city.copy(status)
    assert found is not None, status.uri
    return found


async def count(city: City, table: str, status: Status) -> int:
    """How many favourites or reblogs of a post a city knows."""
    if table == "reblogs":
        sql = "SELECT count(*) FROM statuses WHERE reblog_of_id = $1 AND deleted_at IS NULL"
    else:
        sql = "SELECT count(*) FROM favourites WHERE status_id = $1"
    return int(await city.value(sql, status.id))


@pytest.mark.shows("ActivityPub")
async def test_a_post_arrives_with_all_it_says(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    await sued.meet("alice@nord.example")
    said = await sued.post(bela, "Bonjour @alice@nord.example, on se voit à la #Fête ?")
    await cities.settle()
    copy = await arrived(nord, said)
    assert (copy.visibility, copy.language, copy.local) == ("public", "fr", False)
    assert "Bonjour" in copy.content
    assert f'href="{alice.url}"' in copy.content
    assert abs(copy.created_at - said.created_at) < timedelta(milliseconds=1)
    assert [(one.account_id, one.silent) for one in await nord.look(posts.mentioned, copy.id)] == [(alice.id, False)]
    assert [name for _, name, _ in (await nord.look(sent.outline, copy.id)).tags] == ["fete"]


async def test_each_visibility_stays_what_it_is(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    for visibility in ("public", "unlisted", "private"):
        said = await sued.post(bela, "Bonjour à tous", visibility)
        await cities.settle()
        assert (await arrived(nord, said)).visibility == visibility


async def test_a_reply_travels_back_and_finds_its_place(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Qui vient ?")
    await cities.settle()
    reply = await nord.post(alice, "Moi, @bela@sued.example !", reply_to=await arrived(nord, said))
    await cities.settle()
    back = await arrived(sued, reply)
    assert (back.in_reply_to_id, back.in_reply_to_account_id) == (said.id, bela.id)
    assert back.conversation_id == said.conversation_id


async def test_an_answer_to_something_unknown_brings_the_thread(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    _alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    said = await ost.post(chloe, "Une question")
    found = await sued.meet("chloe@ost.example")
    seen = await sued.do(statuses.publish, found, Draft(content="<p>Une question</p>", visibility="public", uri=said.uri))
    reply = await sued.post(bela, "Une réponse", reply_to=seen)
    await cities.settle()
    copy = await arrived(nord, reply)
    assert copy.in_reply_to_id == (await arrived(nord, said)).id


async def test_a_like_arrives_once_and_is_taken_back(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Aimez-moi")
    await cities.settle()
    copy = await arrived(nord, said)
    await nord.do(statuses.favourite, alice, copy.id)
    await cities.settle()
    assert await count(sued, "favourites", said) == 1
    await nord.do(statuses.unfavourite, alice, copy.id)
    await cities.settle()
    assert await count(sued, "favourites", said) == 0


async def test_a_boost_tells_the_author_and_reaches_followers_elsewhere(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    await following(cities, ost, chloe, nord, alice)
    said = await sued.post(bela, "Passez-le")
    await cities.settle()
    await nord.do(statuses.reblog, alice, (await arrived(nord, said)).id)
    await cities.settle()
    assert await count(sued, "reblogs", said) == 1
    in_ost = await arrived(ost, said)
    assert (in_ost.content, in_ost.visibility) == (said.content, "public")
    assert await count(ost, "reblogs", in_ost) == 1
    await nord.do(statuses.unreblog, alice, (await arrived(nord, said)).id)
    await cities.settle()
    assert await count(sued, "reblogs", said) == 0
    assert await count(ost, "reblogs", in_ost) == 0


async def test_an_edit_arrives_and_the_older_text_is_kept(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Rendez-vous à 8 h")
    await cities.settle()
    await sued.do(statuses.edit, bela, said.id, Revision(content="<p>Rendez-vous à 9 h</p>", text="Rendez-vous à 9 h"))
    await cities.settle()
    copy = await arrived(nord, said)
    assert copy.content == "<p>Rendez-vous à 9 h</p>"
    assert copy.edited_at is not None
    assert [edit.content for edit in await nord.look(posts.edits, copy.id)] == [said.content]


async def test_a_deleted_post_is_gone_and_is_not_made_again(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "Oubliez cela")
    await cities.settle()
    create = await sued.value("SELECT body FROM outgoing WHERE uri = $1", f"{said.uri}/activity")
    await sued.do(statuses.delete, bela, said.id)
    await cities.settle()
    assert (await arrived(nord, said)).deleted_at is not None
    assert (await cities.get(said.uri)).status == 410
    await nord.as_owner("DELETE FROM activities_done WHERE uri = $1", f"{said.uri}/activity")
    seen_bela = await nord.meet("bela@sued.example")
    answer = await cities.deliver("https://nord.example/inbox", jsonld.document(create), seen_bela)
    assert answer.status == 202
    await cities.settle()
    assert (await arrived(nord, said)).deleted_at is not None


async def test_a_direct_post_reaches_only_its_addressee(cities: Cities, nord: City, sued: City, ost: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    await following(cities, ost, chloe, sued, bela)
    await sued.meet("alice@nord.example")
    said = await sued.post(bela, "@alice@nord.example entre nous", "direct")
    await cities.settle()
    copy = await arrived(nord, said)
    assert copy.visibility == "direct"
    assert await nord.look(posts.seen, copy.id, alice.id) is not None
    assert await nord.look(posts.seen, copy.id, None) is None
    assert await ost.copy(said) is None


async def test_a_private_post_is_not_fetched_by_a_stranger_but_by_a_follower(
    cities: Cities, nord: City, sued: City, ost: City
) -> None:
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    said = await sued.post(bela, "Entre amis", "private")
    await cities.settle()
    assert (await cities.get(said.uri)).status == 404
    assert (await cities.get(said.uri, chloe)).status == 404
    assert (await cities.get(said.uri, alice)).status == 200
    assert (await cities.get(f"{said.uri}/activity")).status == 404


async def test_a_media_description_and_focus_travel(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    made = await sued.value(
        """INSERT INTO media (account_id, kind, content_type, file, description, width, height, focus_x, focus_y, blurhash)
           VALUES ($1, 'image', 'image/jpeg', 'a/b.jpg', 'un chat', 640, 480, 0.5, -0.25, 'LEHV6n') RETURNING id""",
        bela.id,
    )
    draft = Draft(content="<p>Un chat</p>", text="Un chat", visibility="public", media=(made,))
    said = await sued.do(statuses.publish, bela, draft)
    await cities.settle()
    file = (await nord.look(media.of_statuses, [(await arrived(nord, said)).id]))[0]
    assert (file.remote_url, file.description) == ("https://sued.example/media/a/b.jpg", "un chat")
    assert (file.width, file.height, file.blurhash) == (640, 480, "LEHV6n")
    assert (file.focus_x, file.focus_y) == (0.5, -0.25)


async def test_a_changed_profile_reaches_followers(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    await sued.do(accounts.edit_profile, bela, ProfileEdit(display_name="Béla B.", note="<p>Pianiste</p>"))
    await cities.settle()
    seen = await nord.look(people.by_uri, bela.uri)
    assert seen is not None
    assert (seen.display_name, seen.note) == ("Béla B.", "<p>Pianiste</p>")


async def test_a_city_that_was_down_gets_everything_in_order_when_it_is_back(
    cities: Cities, nord: City, sued: City
) -> None:
    _alice, bela = await friends(cities, nord, sued)
    cities.network.down.add("nord.example")
    said = [await sued.post(bela, f"Message {number}") for number in range(3)]
    await cities.settle()
    assert await sued.value("SELECT failures FROM delivery_hosts WHERE host = 'nord.example'") == 1
    cities.network.down.clear()
    await cities.settle()
    assert await nord.copy(said[0]) is None
    await cities.advance(timedelta(seconds=32))
    await cities.settle()
    async with sued.db.read() as read:
        sent = await read.values("SELECT uri FROM outgoing WHERE uri LIKE '%/activity' ORDER BY id")
    copies = {f"{one.uri}/activity": (await arrived(nord, one)).id for one in said}
    assert sorted(copies, key=copies.__getitem__) == sent
    assert await sued.value("SELECT count(*) FROM deliveries") == 0
    assert await sued.value("SELECT count(*) FROM delivery_hosts") == 0


async def test_hearing_from_a_city_ends_its_back_off(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    cities.network.down.add("nord.example")
    said = await sued.post(bela, "Vous êtes là ?")
    await cities.settle()
    cities.network.down.clear()
    await cities.settle()
    assert await nord.copy(said) is None
    await nord.post(alice, "@bela@sued.example nous sommes là")
    await cities.settle()
    await arrived(nord, said)
    assert await sued.value("SELECT count(*) FROM deliveries") == 0


async def test_one_inbox_of_a_city_is_asked_once_however_many_follow(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    emil = await nord.person("emil")
    await following(cities, nord, emil, sued, bela)
    cities.network.log.clear()
    await sued.post(bela, "Pour vous deux")
    await cities.settle()
    assert [url for method, url, _ in cities.network.log if method == "POST"] == ["https://nord.example/inbox"]


async def test_what_a_measure_removes_here_is_deleted_elsewhere(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    said = await sued.post(bela, "BUY NOW")
    await cities.settle()
    assert (await arrived(nord, said)).deleted_at is None
    await sued.as_owner("UPDATE statuses SET removed_at = parvis_now() WHERE id = $1", said.id)
    await outbox.measured(sued.job, MeasureTaken(1, bela.id, Level.removal, (said.id,)))
    await cities.settle()
    assert (await arrived(nord, said)).deleted_at is not None
