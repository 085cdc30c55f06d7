"""Emoji between cities: they go out with what names them, and are taken in by address, never fetched."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import msgspec
from PIL import Image

from cities.harness import Cities, City
from cities.test_endpoints import read
from cities.test_posts import arrived, friends
from conftest import Client
from parvis.accounts import actions as accounts
from parvis.accounts.model import Account, ProfileEdit
from parvis.base import proxy
from parvis.base.clock import mastodon_time
from parvis.emojis import actions as emojis
from parvis.emojis import policy
from parvis.federation import documents, verbs
from parvis.statuses import actions as statuses
from parvis.statuses.model import Revision


async def draw(city: City, name: str) -> None:
    """A city has an emoji."""
    out = io.BytesIO()
    Image.new("RGBA", (16, 16), (90, 140, 90, 128)).save(out, "PNG")
    await city.do(emojis.add, name, await emojis.keep(city.job.files, out.getvalue()), None)


async def shown(city: City, path: str) -> list[tuple[str, str]]:
    """The emoji of an entity, as the city's clients see them."""
    answer = await Client(city.app).get(path)
    assert answer.status == 200, answer.text
    return [(one["shortcode"], original(city, one["url"])) for one in answer.json()["emojis"]]


def original(city: City, url: str) -> str:
    """Where a picture comes from that the city shows through its proxy."""
    _, mark, sealed = url.partition(f"{city.settings.base}/proxy/")
    return proxy.original(city.settings, *sealed.split("/")) if mark else url


def tag(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"type": "Emoji", "name": f":{name}:", "icon": {"type": "Image", "mediaType": "image/png", "url": url}, **more}


async def test_an_emoji_travels_with_the_post_and_the_profile_that_name_it(cities: Cities, nord: City, sued: City) -> None:
    _alice, bela = await friends(cities, nord, sued)
    await draw(sued, "tram")
    await sued.do(accounts.edit_profile, bela, ProfileEdit(display_name="Bela :tram:"))
    said = await sued.post(bela, "Je prends le :tram: demain")
    await cities.settle()
    note = await read(cities, said.uri)
    found = next(one for one in note["tag"] if one["type"] == "Emoji")
    assert (found["name"], found["icon"]["mediaType"], "id" in found) == (":tram:", "image/png", False)
    assert found["icon"]["url"].startswith("https://sued.example/media/emojis/")
    assert (await cities.get(found["icon"]["url"])).status == 200
    assert "toot:Emoji" in msgspec.json.encode(note["@context"]).decode()
    assert (await read(cities, bela.uri))["tag"] == [found]
    copy = await arrived(nord, said)
    assert await shown(nord, f"/api/v1/statuses/{copy.id}") == [("tram", found["icon"]["url"])]
    assert await shown(nord, f"/api/v1/accounts/{copy.account_id}") == [("tram", found["icon"]["url"])]
    assert (await Client(nord.app).get("/api/v1/custom_emojis")).json() == []
    asked = [request.url for request in cities.network.sent if "/media/" in request.url]
    assert asked == [found["icon"]["url"]]  # by this test alone
    await draw(sued, "tram")
    await sued.do(statuses.edit, bela, said.id, Revision(content="<p>Le :tram: !</p>", text="Le :tram: !"))
    await cities.settle()
    renewed = await shown(nord, f"/api/v1/statuses/{copy.id}")
    assert [name for name, _ in renewed] == ["tram"]
    assert renewed[0][1] != found["icon"]["url"]


async def create(cities: Cities, nord: City, by: Account, number: int, *tags: dict[str, Any]) -> int:
    """A post of Bela's server with these tags comes in; its id here."""
    uri, now = f"{by.uri}/statuses/{number}", mastodon_time(nord.clock.now())
    names = " ".join(str(one.get("name")) for one in tags)
    note = {
        "id": uri, "type": "Note", "attributedTo": by.uri, "to": [documents.PUBLIC], "cc": [], "published": now,
        "content": f"<p>{names}</p>", "tag": list(tags),
    }
    answer = await cities.deliver("https://nord.example/inbox", verbs.create(note), by)
    assert answer.status == 202
    await cities.settle()
    return int(await nord.value("SELECT id FROM statuses WHERE uri = $1", uri))


async def test_of_another_servers_emoji_only_what_is_fit_is_learnt(cities: Cities, nord: City, sued: City) -> None:
    await friends(cities, nord, sued)
    bela = await nord.meet("bela@sued.example")
    place = "https://sued.example/e"
    wrong = [
        tag("plain", "http://sued.example/e.png"), tag("x", f"{place}.png"), tag("a-b", f"{place}.png"), tag("nowhere", ""),
        tag("script", "javascript:alert(1)"), tag("long", f"{place}{'x' * 3000}"), {"type": "Emoji", "name": ":bare:"},
        {"type": "Emoji", "name": 7, "icon": 8}, tag("a" * 101, f"{place}.png"),
    ]
    number = await create(cities, nord, bela, 900, tag("fine", f"{place}.png"), *wrong)
    assert await shown(nord, f"/api/v1/statuses/{number}") == [("fine", f"{place}.png")]
    assert await nord.value("SELECT count(*) FROM custom_emojis") == 1
    await create(cities, nord, bela, 901, *(tag(f"many_{one}", f"{place}{one}.png") for one in range(80)))
    assert await nord.value("SELECT count(*) FROM custom_emojis") == 1 + policy.HEARD


async def test_an_emoji_changes_only_to_what_is_not_older(cities: Cities, nord: City, sued: City) -> None:
    await friends(cities, nord, sued)
    bela, now = await nord.meet("bela@sued.example"), nord.clock.now()
    address = "SELECT remote_url FROM custom_emojis WHERE shortcode = 'blob' AND domain = 'sued.example'"
    for number, (url, when, kept) in enumerate((
        ("https://sued.example/1.png", now, "https://sued.example/1.png"),
        ("https://sued.example/0.png", now - timedelta(days=1), "https://sued.example/1.png"),
        ("https://sued.example/2.png", now + timedelta(seconds=1), "https://sued.example/2.png"),
    )):
        await create(cities, nord, bela, 910 + number, tag("blob", url, updated=mastodon_time(when)))
        assert await nord.value(address) == kept
    await create(cities, nord, bela, 920, tag("blob", "https://sued.example/3.png"))
    assert await nord.value(address) == "https://sued.example/3.png"


async def test_an_emoji_of_the_same_name_is_each_citys_own(cities: Cities, nord: City, sued: City) -> None:
    alice, bela = await friends(cities, nord, sued)
    for city in (nord, sued):
        await draw(city, "tram")
    theirs, ours = await sued.post(bela, "Notre :tram:"), await nord.post(alice, "Et le nôtre :tram:")
    await cities.settle()
    copy = await arrived(nord, theirs)
    urls = [(await shown(nord, f"/api/v1/statuses/{number}"))[0][1] for number in (copy.id, ours.id)]
    assert [url.partition("/media/")[0] for url in urls] == ["https://sued.example", "https://nord.example"]
