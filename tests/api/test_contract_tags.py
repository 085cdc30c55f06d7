"""Hashtags: looked at, followed, shown on a profile."""

from __future__ import annotations

from urllib.parse import quote

from api.contract import covers
from api.town import A, Town

T = "/api/v1/tags"
F = "/api/v1/featured_tags"
HOME = "/api/v1/timelines/home"


@covers(f"GET {T}/{{name}}")
async def test_a_hashtag_is_shown_however_it_is_spelled_and_also_if_nobody_used_it(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    await alice.say("#Théâtre and again")
    await alice.say("#THEATRE")
    await bela.say("#theatre")
    await bela.say("#theatre", visibility="unlisted")
    for spelled in ("theatre", "Théâtre", "THEATRE", "#théâtre"):
        shown = await alice.ask("Tag", "GET", f"{T}/{quote(spelled)}")
        assert (shown["name"], shown["url"]) == ("theatre", "http://localhost/tags/theatre")
        assert (shown["following"], shown["featuring"]) == (False, False)
        assert len(shown["history"]) == 7
        assert (shown["history"][0]["uses"], shown["history"][0]["accounts"]) == ("3", "2")
        days = [int(day["day"]) for day in shown["history"]]
        assert days == [days[0] - number * 86400 for number in range(7)]
        assert days[0] % 86400 == 0
    unused = await town.stranger.ask("Tag", "GET", f"{T}/NeverUsedHere")
    assert (unused["name"], {day["uses"] for day in unused["history"]}, len(unused["history"])) == ("neverusedhere", {"0"}, 7)
    assert "following" not in unused
    for wrong in ("12", "a b", "a-b", "%23", "x" * 201, "%00"):
        assert await alice.refusal("GET", f"{T}/{quote(wrong, safe='%')}") == (404, "Record not found"), wrong


@covers(f"POST {T}/{{name}}/follow", f"POST {T}/{{name}}/unfollow", "GET /api/v1/followed_tags")
async def test_public_posts_with_a_followed_hashtag_are_at_home(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    followed = await alice.ask("Tag", "POST", f"{T}/Vélo/follow")
    assert (followed["name"], followed["following"]) == ("velo", True)
    await alice.ask("Tag", "POST", f"{T}/velo/follow")
    await alice.ask("Tag", "POST", f"{T}/lille/follow")
    rows = await alice.ask("[Tag]", "GET", "/api/v1/followed_tags")
    assert [(row["name"], row["following"]) for row in rows] == [("lille", True), ("velo", True)]
    first = await alice.get("/api/v1/followed_tags?limit=1")
    assert [row["name"] for row in first.json()] == ["lille"]
    older = first.headers["link"].split(">")[0].removeprefix("<http://localhost")
    assert [row["name"] for row in (await alice.get(older)).json()] == ["velo"]
    found = await alice.ask("Search", "GET", "/api/v2/search?q=velo&type=hashtags")
    assert [(row["name"], row["following"]) for row in found["hashtags"]] == [("velo", True)]
    both = await bela.say("#VÉLO #Lille")
    await bela.say("#velo", visibility="unlisted")
    await carol.ask(None, "POST", f"/api/v1/statuses/{both['id']}/reblog")
    reply = await carol.say("More #velo", in_reply_to_id=both["id"])
    assert [row["id"] for row in await alice.ask("[Status]", "GET", HOME)] == [reply["id"], both["id"]]
    await alice.ask(None, "POST", f"{A}/{carol.account.id}/mute")
    assert [row["id"] for row in await alice.ask("[Status]", "GET", HOME)] == [both["id"]]
    assert (await alice.ask("Tag", "POST", f"{T}/V%C3%A9lo/unfollow"))["following"] is False
    assert (await alice.ask("Tag", "POST", f"{T}/velo/unfollow"))["following"] is False
    assert [row["id"] for row in await alice.ask("[Status]", "GET", HOME)] == [both["id"]]
    await alice.ask("Tag", "POST", f"{T}/lille/unfollow")
    assert await alice.ask("[Status]", "GET", HOME) == []
    assert (await alice.refusal("POST", f"{T}/a%20b/follow"))[0] == 404
    narrow = await town.with_scopes("read:statuses", "write:statuses")
    for method, path in (("POST", f"{T}/x/follow"), ("POST", f"{T}/x/unfollow"), ("GET", "/api/v1/followed_tags")):
        assert (await narrow.refusal(method, path))[0] == 403


@covers(f"GET {F}", f"POST {F}", f"DELETE {F}/{{id}}", f"GET {F}/suggestions", f"GET {A}/{{id}}/featured_tags",
        f"POST {T}/{{id}}/feature", f"POST {T}/{{id}}/unfeature")
async def test_a_profile_shows_up_to_ten_hashtags(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    for text in ("#NoiseMap one", "#NoiseMap two #trees", "#trees", "#NoiseMap"):
        await alice.say(text)
    await alice.say("#NoiseMap", visibility="private")
    wished = await alice.ask("[Tag]", "GET", f"{F}/suggestions")
    assert [row["name"] for row in wished] == ["noisemap", "trees"]
    made = await alice.ask("FeaturedTag", "POST", F, json={"name": "#NoiseMap"})
    assert (made["name"], made["statuses_count"], made["url"]) == ("NoiseMap", "3", "http://localhost/tags/noisemap")
    assert made["last_status_at"] is not None
    assert await alice.ask("FeaturedTag", "POST", F, form={"name": "noisemap"}) == made
    assert [row["name"] for row in await alice.ask("[Tag]", "GET", f"{F}/suggestions")] == ["trees"]
    assert (await alice.ask("Tag", "GET", f"{T}/noisemap"))["featuring"] is True
    assert (await alice.ask("Tag", "POST", f"{T}/{wished[1]['id']}/feature"))["featuring"] is True
    assert (await alice.ask("Tag", "POST", f"{T}/Pools/feature"))["name"] == "pools"
    shown = await town.stranger.ask("[FeaturedTag]", "GET", f"{A}/{alice.account.id}/featured_tags")
    assert [(row["name"], row["statuses_count"]) for row in shown] == [("NoiseMap", "3"), ("trees", "2"), ("Pools", "0")]
    assert shown[2]["last_status_at"] is None
    assert await alice.ask("[FeaturedTag]", "GET", F) == shown
    assert await bela.refusal("DELETE", f"{F}/{made['id']}") == (404, "Record not found")
    assert await alice.ask(None, "DELETE", f"{F}/{made['id']}") == {}
    assert (await alice.ask("Tag", "POST", f"{T}/pools/unfeature"))["featuring"] is False
    assert (await alice.ask("Tag", "POST", f"{T}/pools/unfeature"))["featuring"] is False
    assert [row["name"] for row in await alice.ask("[FeaturedTag]", "GET", F)] == ["trees"]
    for number in range(9):
        await alice.ask("Tag", "POST", f"{T}/more{number}/feature")
    assert await alice.refusal("POST", f"{T}/eleventh/feature") == (422, "Validation failed: Featured tags has too many entries")
    assert (await alice.refusal("POST", F, json={"name": "eleventh"}))[0] == 422
    assert (await alice.ask("Tag", "POST", f"{T}/more1/feature"))["featuring"] is True
    assert len(await alice.ask("[FeaturedTag]", "GET", F)) == 10
    assert (await bela.refusal("POST", F, json={"name": "a b"}))[0] == 422
    assert (await bela.refusal("POST", F))[0] == 400
    assert (await bela.refusal("POST", f"{T}/12/feature"))[0] == 404
    assert (await bela.refusal("GET", f"{A}/12/featured_tags"))[0] == 404
    narrow = await town.with_scopes("read:statuses", "write:statuses")
    for method, path in (("GET", F), ("POST", F), ("GET", f"{F}/suggestions"), ("POST", f"{T}/x/feature")):
        assert (await narrow.refusal(method, path, json={"name": "x"}))[0] == 403
