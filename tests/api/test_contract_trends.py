"""What trends: examples of the operations, and what makes a thing trend or not."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from api.contract import covers
from api.town import A, Caller, S, Town
from parvis.statuses import actions as statuses
from parvis.trends import actions as trends

T = "/api/v1/trends"
ADMIN = "/api/v1/admin"


async def known_for_long(town: Town, *people: Caller) -> None:
    await town.owner.execute("UPDATE accounts SET created_at = created_at - interval '4 days' WHERE id = ANY($1)",
                             [one.account.id for one in people])


async def crowd(town: Town, *names: str) -> list[Caller]:
    people = await town.people(*names)
    await known_for_long(town, *people)
    return people


async def turn(town: Town) -> None:
    """Let counts be folded and the rankings be made."""
    while await trends.fold_uses(town.app.job):
        pass
    await statuses.fold_counts(town.app.job)
    await trends.rank(town.app.job)


async def names(who: Caller, path: str = f"{T}/tags?limit=20") -> list[str]:
    return [row["name"] for row in await who.ask("[Tag]", "GET", path)]


def word(stem: str) -> str:
    return stem + uuid.uuid4().hex[:8]


@covers(f"GET {T}", f"GET {T}/tags", f"GET {ADMIN}/trends/tags", f"POST {ADMIN}/trends/tags/{{id}}/approve",
        f"POST {ADMIN}/trends/tags/{{id}}/reject", f"GET {T}/reviews", f"GET {ADMIN}/tags", f"GET {ADMIN}/tags/{{id}}",
        f"PUT {ADMIN}/tags/{{id}}")
async def test_a_hashtag_trends_when_many_use_it_until_a_moderator_chooses_otherwise(town: Town) -> None:
    people = await crowd(town, "alice", "bela", "carol", "dora")
    mona = await town.person("mona", "moderator")
    busy, less, few, young = word("busy"), word("less"), word("few"), word("young")
    for one in people:
        await one.say(f"Come! #{busy}", language="fr")
    for one in people[:3]:
        await one.say(f"Come! #{less}", language="de")
    for _ in range(5):
        await people[0].say(f"Me! #{few} me!")
    for one in await town.people("new", "newer", "newest"):
        await one.say(f"Buy! #{young}")
    assert await names(town.stranger) == []
    await turn(town)
    assert await names(town.stranger) == [busy, less]
    assert await names(town.stranger, f"{T}?limit=20") == [busy, less]
    assert await names(town.stranger, f"{T}/tags?language=fr-CA") == [busy]
    assert await names(town.stranger, f"{T}/tags?language=de") == [less]
    first = await town.stranger.get(f"{T}/tags?limit=1")
    assert [t["name"] for t in first.json()] == [busy]
    assert first.headers["link"] == f'<http://localhost{T}/tags?limit=1&offset=1>; rel="next"'
    second = await town.stranger.get(f"{T}/tags?limit=1&offset=1")
    assert [t["name"] for t in second.json()] == [less]
    assert f'<http://localhost{T}/tags?limit=1&offset=0>; rel="prev"' in second.headers["link"]
    shown = (await town.stranger.ask("[Tag]", "GET", f"{T}/tags"))[0]
    assert (len(shown["history"]), shown["history"][0]["uses"], shown["history"][0]["accounts"]) == (7, "4", "4")
    assert (await town.stranger.get(T)).headers["deprecation"] == "@1648598400"

    made = await mona.ask("Tag", "POST", f"{ADMIN}/trends/tags/{shown['id']}/reject")
    assert (made["trendable"], made["usable"], made["requires_review"]) == (False, True, False)
    assert await names(town.stranger) == [less]
    assert [(t["name"], t["trendable"]) for t in await mona.ask("[Tag]", "GET", f"{ADMIN}/trends/tags")] == [(busy, False), (less, True)]
    said = (await town.stranger.ask(None, "GET", f"{T}/reviews"))[0]
    assert (said["kind"], said["name"], said["approved"], said["by"]) == ("tag", busy, False, mona.account.username)
    found = await people[0].ask("Search", "GET", f"/api/v2/search?q={busy}&exclude_unreviewed=true")
    assert found["hashtags"] == []
    assert len((await people[0].ask("Search", "GET", f"/api/v2/search?q={busy}"))["hashtags"]) == 1
    assert (await mona.ask("Tag", "GET", f"{ADMIN}/tags/{shown['id']}"))["trendable"] is False
    assert (await mona.ask("Tag", "POST", f"{ADMIN}/trends/tags/{shown['id']}/approve"))["trendable"] is True
    assert await names(town.stranger) == [busy, less]
    assert (await mona.ask("Tag", "PUT", f"{ADMIN}/tags/{shown['id']}", json={"trendable": False}))["trendable"] is False
    assert await names(town.stranger) == [less]
    code, text = await mona.refusal("PUT", f"{ADMIN}/tags/{shown['id']}", json={"usable": False})
    assert (code, "hashtags_are_free" in text) == (422, True)
    rows = await mona.ask("[Tag]", "GET", f"{ADMIN}/tags?limit=2")
    assert [int(row["id"]) for row in rows] == sorted((int(row["id"]) for row in rows), reverse=True)
    older = await mona.ask("[Tag]", "GET", f"{ADMIN}/tags?limit=2&max_id={rows[-1]['id']}")
    assert {row["id"] for row in rows} & {row["id"] for row in older} == set()
    await mona.ask("Tag", "PUT", f"{ADMIN}/tags/{shown['id']}", json={"trendable": True})
    reviews = await town.stranger.ask(None, "GET", f"{T}/reviews?limit=4")
    assert [row["approved"] for row in reviews] == [True, False, True, False]


@covers(f"GET {T}/statuses", f"GET {ADMIN}/trends/statuses", f"POST {ADMIN}/trends/statuses/{{id}}/approve",
        f"POST {ADMIN}/trends/statuses/{{id}}/reject")
async def test_a_post_trends_when_many_like_it_and_may_be_promoted(town: Town) -> None:
    alice, bela, *fans = await crowd(town, "alice", "bela", "carol", "dora", "emil", "finn")
    mona = await town.person("mona", "moderator")
    best = await alice.say("The best", language="fr")
    second = await alice.say("Alice again")
    other = await bela.say("Also good", language="de")
    calm = await bela.say("Shocking", sensitive=True)
    reply = await bela.say("A reply", in_reply_to_id=best["id"])
    quiet = await bela.say("Unlisted", visibility="unlisted")
    for number, fan in enumerate(fans):
        for said in (best, second, calm, reply, quiet):
            await fan.ask("Status", "POST", f"{S}/{said['id']}/favourite")
        await fan.ask("Status", "POST", f"{S}/{best['id']}/reblog")
        if number < 3:
            await fan.ask("Status", "POST", f"{S}/{other['id']}/reblog")
    await turn(town)

    async def shown(who: Caller = town.stranger, query: str = "") -> list[str]:
        return [row["id"] for row in await who.ask("[Status]", "GET", f"{T}/statuses{query}")]

    assert await shown() == [best["id"], other["id"]]
    assert await shown(query="?language=de") == [other["id"]]
    assert await shown(query="?limit=1&offset=1") == [other["id"]]
    await fans[0].ask("Relationship", "POST", f"{A}/{bela.account.id}/mute")
    assert await shown(fans[0]) == [best["id"]]
    await bela.ask("Relationship", "POST", f"{A}/{alice.account.id}/block")
    assert await shown(bela) == [other["id"]]
    await mona.ask("Status", "POST", f"{ADMIN}/trends/statuses/{best['id']}/reject")
    assert await shown() == [other["id"]]
    assert [row["id"] for row in await mona.ask("[Status]", "GET", f"{ADMIN}/trends/statuses")] == [best["id"], other["id"]]
    await town.stranger.ask("Status", "GET", f"{S}/{best['id']}")
    said = (await town.stranger.ask(None, "GET", f"{T}/reviews"))[0]
    assert (said["kind"], said["name"], said["approved"]) == ("status", best["url"], False)
    await mona.ask("Status", "POST", f"{ADMIN}/trends/statuses/{best['id']}/approve")
    assert await shown() == [best["id"], other["id"]]
    await alice.ask(None, "PATCH", f"{A}/update_credentials", json={"discoverable": False})
    assert await shown() == [other["id"]]
    await bela.ask(None, "DELETE", f"{S}/{other['id']}")
    assert await shown() == []


@covers(f"GET {T}/tags")
async def test_who_is_limited_counts_no_longer_and_their_posts_are_not_promoted(town: Town) -> None:
    people = await crowd(town, "alice", "bela", "carol")
    tag = word("loud")
    said = [await one.say(f"Hear! #{tag}") for one in people]
    for one in people[1:]:
        await one.ask("Status", "POST", f"{S}/{said[0]['id']}/favourite")
    third = (await crowd(town, "dora"))[0]
    await third.ask("Status", "POST", f"{S}/{said[0]['id']}/favourite")
    await turn(town)
    assert tag in await names(town.stranger)
    await town.owner.execute("UPDATE accounts SET limited_at = now() WHERE id = $1", people[0].account.id)
    assert said[0]["id"] not in [row["id"] for row in await town.stranger.ask("[Status]", "GET", f"{T}/statuses")]
    await turn(town)
    assert tag not in await names(town.stranger)


@covers(f"GET {T}/reviews")
async def test_only_moderators_choose_what_is_promoted(town: Town) -> None:
    alice = await town.person("alice")
    said = await alice.say(f"#{word('tag')}")
    tag = (await alice.ask("Search", "GET", f"/api/v2/search?q={said['tags'][0]['name']}"))["hashtags"][0]["id"]
    narrow = await town.with_scopes("read", "write", "admin:read:accounts")
    mona = await town.person("mona", "moderator")
    for method, path in (
        ("GET", "trends/tags"), ("GET", "trends/statuses"), ("GET", "tags"), ("GET", f"tags/{tag}"), ("PUT", f"tags/{tag}"),
        *(("POST", f"trends/{kind}/{number}/{deed}") for kind, number in (("tags", tag), ("statuses", said["id"]))
          for deed in ("approve", "reject")),
    ):
        assert (await alice.refusal(method, f"{ADMIN}/{path}"))[0] == 403, path
        assert (await narrow.refusal(method, f"{ADMIN}/{path}"))[1] == "This action is outside the authorized scopes", path
        assert (await town.stranger.refusal(method, f"{ADMIN}/{path}"))[0] == 401, path
        if (absent := path.replace(tag, "12").replace(said["id"], "12")) != path:
            assert await mona.refusal(method, f"{ADMIN}/{absent}") == (404, "Record not found")
    rows = await town.stranger.ask(None, "GET", f"{T}/reviews?limit=1")
    assert all(row["thing_id"] not in (tag, said["id"]) for row in rows)


async def point(town: Town, path: str, *people: Caller) -> str:
    """Each of these people points to a page, whose card has come."""
    url = f"https://{path}/{uuid.uuid4().hex[:8]}"
    for one in people:
        said = await one.say(f"Read {url}", language="fr")
        await town.owner.execute("INSERT INTO linked_pages (url) VALUES ($1) ON CONFLICT DO NOTHING", url)
        await town.owner.execute("INSERT INTO status_cards (status_id, url) VALUES ($1, $2) ON CONFLICT DO NOTHING", int(said["id"]), url)
    await town.owner.execute(
        """WITH card AS (INSERT INTO preview_cards (url, title, description, author_name, author_url, provider_name,
                             provider_url, image_description, width, height)
                         VALUES ($1, 'A page', 'About something', '', '', '', '', '', 0, 0) RETURNING id)
           UPDATE linked_pages SET card_id = card.id FROM card WHERE linked_pages.url = $1""", url)
    return url


@covers(f"GET {T}/links", f"GET {ADMIN}/trends/links", f"POST {ADMIN}/trends/links/{{id}}/approve",
        f"POST {ADMIN}/trends/links/{{id}}/reject", f"GET {ADMIN}/trends/links/publishers",
        f"POST {ADMIN}/trends/links/publishers/{{id}}/approve", f"POST {ADMIN}/trends/links/publishers/{{id}}/reject")
async def test_a_link_trends_when_many_point_to_it(town: Town) -> None:
    people = await crowd(town, "alice", "bela", "carol", "dora")
    mona = await town.person("mona", "moderator")
    host = f"{word('h')}.example"
    best, second, few = await point(town, host, *people), await point(town, "other.example", *people[:3]), await point(town, host, people[0])
    await trends.count_links(town.app.job)
    await turn(town)
    assert few not in await urls(town.stranger)
    assert best not in await urls(town.stranger)
    for _ in range(2):  # each post counts once
        await trends.count_links(town.app.job, timedelta(0))
    await turn(town)
    assert await urls(town.stranger) == [best, second]
    assert await urls(town.stranger, "?language=de") == []
    assert await urls(town.stranger, "?limit=1&offset=1") == [second]
    first = (await town.stranger.ask("[TrendsLink]", "GET", f"{T}/links"))[0]
    assert (first["title"], first["history"][0]["uses"], first["history"][0]["accounts"], len(first["history"])) == ("A page", "4", "4", 7)

    made = await mona.ask("TrendsLink", "POST", f"{ADMIN}/trends/links/{first['id']}/reject")
    assert (made["trendable"], made["requires_review"]) == (False, False)
    assert await urls(town.stranger) == [second]
    rows = await mona.ask("[TrendsLink]", "GET", f"{ADMIN}/trends/links")
    assert [(row["url"], row["trendable"]) for row in rows] == [(best, False), (second, True)]
    assert (await town.stranger.ask(None, "GET", f"{T}/reviews"))[0]["name"] == best
    await mona.ask("TrendsLink", "POST", f"{ADMIN}/trends/links/{first['id']}/approve")
    assert await urls(town.stranger) == [best, second]
    known = {row["domain"]: row for row in await mona.ask(None, "GET", f"{ADMIN}/trends/links/publishers")}
    assert (known[host]["trendable"], known[host]["reviewed_at"]) == (True, None)
    path = f"{ADMIN}/trends/links/publishers/{known[host]['id']}"
    assert (await mona.ask(None, "POST", f"{path}/reject"))["trendable"] is False
    assert await urls(town.stranger) == [second]
    assert (await town.stranger.ask(None, "GET", f"{T}/reviews"))[0]["name"] == host
    made = await mona.ask(None, "POST", f"{path}/approve")
    assert (made["trendable"], made["reviewed_at"] is not None) == (True, True)
    assert await urls(town.stranger) == [best, second]
    one = await mona.ask(None, "GET", f"{ADMIN}/trends/links/publishers?limit=1")
    older = await mona.ask(None, "GET", f"{ADMIN}/trends/links/publishers?limit=1&max_id={one[0]['id']}")
    assert int(older[0]["id"]) < int(one[0]["id"])
    for method, absent in (("GET", "links"), ("GET", "links/publishers"), *(("POST", f"{kind}/12/{deed}") for kind in (
            "links", "links/publishers") for deed in ("approve", "reject"))):
        assert (await people[0].refusal(method, f"{ADMIN}/trends/{absent}"))[0] == 403
        if method == "POST":
            assert (await mona.refusal(method, f"{ADMIN}/trends/{absent}"))[0] == 404


async def urls(who: Caller, query: str = "") -> list[str]:
    return [row["url"] for row in await who.ask("[TrendsLink]", "GET", f"{T}/links{query}")]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_moderator_who_blocked_somebody_decides_on_their_post_all_the_same(town: Town) -> None:
    bela, mona = await town.person("bela"), await town.person("mona", "moderator")
    said = (await bela.say("Seen by all"))["id"]
    await mona.ask("Relationship", "POST", f"{A}/{bela.account.id}/block")
    for choice in ("reject", "approve"):
        shown = await mona.ask("Status", "POST", f"/api/v1/admin/trends/statuses/{said}/{choice}")
        assert shown["id"] == said
