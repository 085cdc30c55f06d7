"""What a city tells other servers about itself and its people."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cities.harness import Cities, City
from cities.test_follow import following
from parvis.accounts import actions as accounts
from parvis.accounts.model import ProfileEdit
from parvis.federation import fetch, wire
from parvis.statuses import actions as statuses
from parvis.timelines import actions as timelines


async def read(cities: Cities, url: str) -> dict[str, Any]:
    """A document that is there."""
    answer = await cities.get(url)
    assert answer.status == 200, (url, answer.status, answer.body)
    return dict(msgspec.json.decode(answer.body))


@pytest.mark.shows("WebFinger")
async def test_webfinger_finds_people_by_handle_and_by_address(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    for resource in ("acct:alice@nord.example", "acct:ALICE@Nord.Example", alice.uri, alice.url):
        found = await read(cities, f"https://nord.example/.well-known/webfinger?resource={resource}")
        assert found["subject"] == "acct:alice@nord.example"
        assert {"rel": "self", "type": "application/activity+json", "href": alice.uri} in found["links"]
        assert alice.url in found["aliases"]


@pytest.mark.parametrize("resource", ["acct:alice@elsewhere.example", "acct:nobody@nord.example", "nonsense"])
async def test_webfinger_does_not_know_others(cities: Cities, nord: City, resource: str) -> None:
    await nord.person("alice")
    answer = await cities.get(f"https://nord.example/.well-known/webfinger?resource={resource}")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (404, "*")
    assert (await cities.get("https://nord.example/.well-known/webfinger")).status == 400


@pytest.mark.shows("NodeInfo", "FEP-f1d5")
async def test_nodeinfo_says_what_this_is(cities: Cities, nord: City) -> None:
    await nord.person("alice")
    links = (await read(cities, "https://nord.example/.well-known/nodeinfo"))["links"]
    found = [await read(cities, link["href"]) for link in links]
    assert [one["version"] for one in found] == ["2.0", "2.1"]
    assert found[0]["software"]["name"] == "parvis"
    assert found[0]["usage"]["users"]["total"] == 1
    assert (await cities.get("https://nord.example/nodeinfo/9.9")).status == 404


@pytest.mark.shows("host-meta")
async def test_a_client_that_does_not_know_the_name_learns_whose_api_it_may_speak(cities: Cities, nord: City) -> None:
    found = await read(cities, "https://nord.example/nodeinfo/2.0")
    assert found["metadata"]["upstream"] == {"name": "mastodon"}
    meta = await cities.get("https://nord.example/.well-known/host-meta")
    assert b"/.well-known/webfinger?resource={uri}" in meta.body


async def test_a_browser_is_sent_to_the_page(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    said = await nord.post(alice, "Bonjour")
    for uri, page in ((alice.uri, alice.url), (said.uri, said.url)):
        answer = await cities.get(uri, accept="text/html,application/xhtml+xml,*/*;q=0.8")
        assert (answer.status, answer.headers["location"]) == (303, page)
        plain = await cities.get(uri, accept="*/*")
        assert plain.headers["content-type"].startswith("application/activity+json")


async def test_the_city_itself_is_an_actor_that_others_can_check(cities: Cities, nord: City, sued: City) -> None:
    found = await fetch.actor(sued.job, "https://nord.example/actor")
    assert (found.actor_type, found.acct) == ("Application", "instance@nord.example")
    assert found.public_key == wire.instance_public_key(nord.settings)
    assert (nord.settings.secrets / "instance.key").stat().st_mode & 0o777 == 0o600


async def test_every_question_to_another_city_is_signed(cities: Cities, nord: City, sued: City) -> None:
    await sued.person("bela")
    await nord.meet("bela@sued.example")
    asked = [one for one in cities.network.sent if "/ap/users/" in one.url]
    assert asked
    assert all('keyId="https://nord.example/actor#main-key"' in one.headers["signature"] for one in asked)


@pytest.mark.shows("ActivityPub")
async def test_the_outbox_holds_what_everybody_may_read(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    said = [await nord.post(alice, f"{number}", "unlisted" if number % 2 else "public") for number in range(23)]
    await nord.post(alice, "Entre amis", "private")
    await nord.do(statuses.reblog, alice, said[0].id)
    outbox = await read(cities, f"{alice.uri}/outbox")
    assert outbox["totalItems"] == 24
    first = await read(cities, outbox["first"])
    second = await read(cities, first["next"])
    kinds = [one["type"] for one in first["orderedItems"] + second["orderedItems"]]
    assert kinds == ["Announce"] + ["Create"] * 23
    assert second["orderedItems"][-1]["object"]["id"] == said[0].uri
    assert "next" not in second


async def test_followers_are_listed_unless_hidden(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    await following(cities, sued, bela, nord, alice)
    followers = await read(cities, f"{alice.uri}/followers")
    assert followers["totalItems"] == 1
    assert (await read(cities, followers["first"]))["orderedItems"] == [bela.uri]
    assert (await read(cities, f"{bela.uri}/following?page=true"))["orderedItems"] == [alice.uri]
    await nord.do(accounts.edit_profile, alice, ProfileEdit(hide_collections=True))
    hidden = await read(cities, f"{alice.uri}/followers?page=true")
    assert hidden["totalItems"] == 1
    assert "orderedItems" not in hidden
    assert "first" not in hidden


async def test_pins_and_collections_of_a_post(cities: Cities, nord: City) -> None:
    alice, emil = await nord.person("alice"), await nord.person("emil")
    said = await nord.post(alice, "Épinglé")
    reply = await nord.post(emil, "Bien", reply_to=said)
    await nord.do(statuses.pin, alice, said.id)
    await nord.do(statuses.favourite, emil, said.id)
    await nord.do(statuses.reblog, emil, said.id)
    featured = await read(cities, f"{alice.uri}/collections/featured")
    assert [one["id"] for one in featured["orderedItems"]] == [said.uri]
    assert (await read(cities, f"{alice.uri}/collections/tags"))["totalItems"] == 0
    totals = [(await read(cities, f"{said.uri}/{kind}"))["totalItems"] for kind in ("replies", "likes", "shares")]
    assert totals == [1, 1, 1]
    assert (await read(cities, f"{said.uri}/replies?page=true"))["items"] == [reply.uri]
    activity = await read(cities, f"{said.uri}/activity")
    assert (activity["type"], activity["object"]["id"]) == ("Create", said.uri)


async def test_the_hashtags_of_a_profile_are_a_collection_that_the_actor_names(cities: Cities, nord: City) -> None:
    alice = await nord.person("alice")
    for text in ("#LilleEnVert", "Été"):
        await nord.do(timelines.feature_tag, alice.id, text)
    document = await read(cities, alice.uri)
    assert document["featuredTags"] == f"{alice.uri}/collections/tags"
    shown = await read(cities, document["featuredTags"])
    assert (shown["type"], shown["totalItems"]) == ("Collection", 2)
    assert shown["items"] == [
        {"type": "Hashtag", "href": "https://nord.example/tags/lilleenvert", "name": "#LilleEnVert"},
        {"type": "Hashtag", "href": "https://nord.example/tags/ete", "name": "#Été"},
    ]
    await nord.do(timelines.unfeature_tag, alice.id, "lilleenvert")
    assert (await read(cities, document["featuredTags"]))["totalItems"] == 1


@pytest.mark.shows("FEP-5feb")
async def test_whether_somebody_wants_to_be_found_travels_with_them(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await nord.person("alice"), await sued.person("bela")
    await following(cities, sued, bela, nord, alice)
    copy = await sued.meet("alice@nord.example")
    for wanted in (False, True, False):
        await nord.do(accounts.edit_profile, alice, ProfileEdit(indexable=wanted))
        await cities.settle()
        assert (await read(cities, alice.uri))["indexable"] is wanted
        assert await sued.value("SELECT indexable FROM accounts WHERE id = $1", copy.id) is wanted


@pytest.mark.parametrize("path", ["/ap/users/1", "/ap/users/x", "/ap/users/99999999999999999999", "/ap/users/1/outbox"])
async def test_what_is_not_there_is_said_in_json(cities: Cities, nord: City, path: str) -> None:
    answer = await cities.get(f"https://nord.example{path}")
    assert answer.status == 404
    assert "error" in msgspec.json.decode(answer.body)


async def test_people_are_found_by_handle_and_posts_by_address(cities: Cities, nord: City, sued: City) -> None:
    bela = await sued.person("bela")
    said = await sued.post(bela, "Cherchez-moi")
    for text in ("bela@sued.example", " @bela@SUED.example", bela.uri):
        found = await fetch.resolve(nord.job, text)
        assert found is not None
        assert found.uri == bela.uri
    for text in (said.uri, said.url or ""):
        post = await fetch.resolve(nord.job, text)
        assert post is not None, text
        assert post.uri == said.uri
    for text in ("nobody@sued.example", "bela@nowhere.example", "bonjour", "https://sued.example/nothing", ""):
        assert await fetch.resolve(nord.job, text) is None
