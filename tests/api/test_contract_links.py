"""Cards of linked pages: one fetch for all posts of a day, shown when they have arrived, none where a page says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from api.contract import covers
from api.town import Caller, S, Town, picture
from parvis.base.http import Http, Request, Response
from parvis.base.jobs import Job
from parvis.links import actions as links
from parvis.links import reactions
from parvis.statuses.model import Edited, Linked

PAGE = """<html lang="en"><head><meta property="og:title" content="{title}"><meta name="description" content="About it">
<meta property="og:image" content="/i.png"><meta name="author" content="Ada"><meta property="article:published_time" content="2026-03-01T10:00:00Z">
<link rel="canonical" href="{own}"></head>"""


class Web:
    """Every page of the world, and who asked for which."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[], Response]] = {}
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request.url)
        await asyncio.sleep(0)
        if request.url not in self.pages:
            raise OSError("no such host")
        return msgspec.structs.replace(self.pages[request.url](), url=request.url)

    def put(self, url: str, body: str | bytes, kind: str = "text/html; charset=utf-8", status: int = 200, **headers: str) -> None:
        """Publish a page."""
        sent = body.encode() if isinstance(body, str) else body
        self.pages[url] = lambda: Response(status, url, {"content-type": kind, **headers}, sent)

    def job(self, town: Town) -> Job:
        """The city's worker on this web."""
        return msgspec.structs.replace(town.app.job, http=Http(user_agent="test", transport=self, allow_plain_http=True))


async def linked(town: Town, web: Web, *posts: Any) -> None:
    """The worker looks at new posts and fetches what is due."""
    job = web.job(town)
    for post in posts:
        await reactions.linked(job, Linked(int(post["id"]), int(post["account"]["id"])))
    async with town.app.db.write() as tx:  # several look at once: each on a connection of its own
        await tx.run("UPDATE linked_pages SET due_at = parvis_now() WHERE due_at IS NOT NULL")
    while await links.fetch_due(job):
        pass


async def card(by: Caller, post: Any) -> Any:
    return (await by.ask("Status", "GET", f"{S}/{post['id']}"))["card"]


@covers(f"GET {S}/{{id}}/card", "GET /api/v1/timelines/link")
async def test_a_page_is_fetched_once_and_shown_on_all_posts_that_point_to_it(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    web, host = Web(), f"https://a{alice.account.id}.example"
    web.put(f"{host}/x?from=me", PAGE.format(title="A page", own="/x"))
    posts = [await by.say(f"Look {number} {host}/x?from=me#top") for number, by in enumerate([alice, bela, alice])]
    assert await card(bela, posts[0]) is None
    assert await bela.ask(None, "GET", f"{S}/{posts[0]['id']}/card") == {}
    await asyncio.gather(*(linked(town, web, post) for post in posts))
    assert web.asked == [f"{host}/x?from=me"]
    shown = await card(bela, posts[0])
    assert (shown["url"], shown["title"], shown["description"], shown["type"]) == (f"{host}/x", "A page", "About it", "link")
    assert (shown["author_name"], [author["name"] for author in shown["authors"]]) == ("Ada", ["Ada"])
    assert (shown["published_at"], shown["language"], shown["blurhash"]) == ("2026-03-01T10:00:00.000Z", "en", None)
    assert shown["image"]
    assert await bela.ask("PreviewCard", "GET", f"{S}/{posts[0]['id']}/card") == shown
    assert [await card(town.stranger, post) for post in posts] == [shown] * 3
    wrapper = await bela.ask("Status", "POST", f"{S}/{posts[0]['id']}/reblog")
    assert wrapper["reblog"]["card"] == shown
    hidden = await alice.say(f"{host}/x?from=me", visibility="unlisted")
    await linked(town, web, hidden)
    assert len(web.asked) == 1
    for url in (f"{host}/x", f"{host}/x?from=me", f"{host}/x#part"):
        rows = await town.stranger.ask("[Status]", "GET", f"/api/v1/timelines/link?url={quote(url)}")
        assert [row["id"] for row in rows] == [post["id"] for post in reversed(posts)]
    page = await town.stranger.get(f"/api/v1/timelines/link?url={quote(host)}/x&limit=1")
    assert f"max_id={posts[2]['id']}" in page.headers["link"]
    rest = await town.stranger.ask("[Status]", "GET", f"/api/v1/timelines/link?url={quote(host)}/x&max_id={posts[2]['id']}")
    assert [row["id"] for row in rest] == [posts[1]["id"], posts[0]["id"]]
    assert await town.stranger.ask("[Status]", "GET", f"/api/v1/timelines/link?url={quote(host)}/other") == []
    assert (await town.stranger.refusal("GET", "/api/v1/timelines/link?url=javascript:alert(1)"))[0] == 422
    assert (await town.stranger.refusal("GET", "/api/v1/timelines/link"))[0] == 400
    private = await alice.say(f"{host}/x", visibility="direct")
    assert await bela.refusal("GET", f"{S}/{private['id']}/card") == (404, "Record not found")
    narrow = await town.with_scopes("read:accounts")
    assert (await narrow.refusal("GET", f"{S}/{posts[0]['id']}/card"))[0] == 403
    assert (await narrow.refusal("GET", f"/api/v1/timelines/link?url={quote(host)}"))[0] == 403
    assert (await town.stranger.get(f"{S}/{posts[0]['id']}/card")).headers["deprecation"] == "@1540857600"


@covers(f"POST {S}")
async def test_a_page_that_changes_is_seen_the_next_day_on_old_posts_too(town: Town) -> None:
    alice = await town.person("alice")
    web, url = Web(), f"https://b{alice.account.id}.example/"
    web.put(url, PAGE.format(title="Yesterday", own=url))
    first = await alice.say(url)
    await linked(town, web, first)
    assert (await card(alice, first))["title"] == "Yesterday"
    await town.owner.execute("UPDATE linked_pages SET fetched_at = fetched_at - interval '25 hours' WHERE url = $1", url)
    web.put(url, PAGE.format(title="Today", own=url))
    second = await alice.say(f"Again {url}")
    await linked(town, web, second)
    assert [(await card(alice, post))["title"] for post in (first, second)] == ["Today", "Today"]
    await town.owner.execute("UPDATE linked_pages SET fetched_at = fetched_at - interval '25 hours' WHERE url = $1", url)
    web.put(url, "gone", status=404)
    await linked(town, web, await alice.say(f"And again {url}"))
    assert ((await card(alice, first))["title"], len(web.asked)) == ("Today", 3)


@covers(f"POST {S}")
async def test_what_says_nothing_has_no_card_and_is_not_asked_again_and_again(town: Town) -> None:
    alice = await town.person("alice")
    web, host = Web(), f"https://c{alice.account.id}.example"
    web.put(f"{host}/image", b"\x89PNG", "image/png")
    web.put(f"{host}/huge", "<title>t</title>" + "x" * 2_000_000)
    web.put(f"{host}/empty", "")
    web.put(f"{host}/fed", '{"type": "Note"}', "application/activity+json")
    web.put(f"{host}/moved", "", status=302, location="https://127.0.0.1/admin")
    for name in ("image", "huge", "empty", "fed", "moved"):
        said = await alice.say(f"{host}/{name}")
        await linked(town, web, said)
        await linked(town, web, said)
        assert await card(alice, said) is None, name
    assert len(web.asked) == 5
    web.put(f"{host}/busy", "", status=503, **{"retry-after": "600"})
    said = await alice.say(f"{host}/busy")
    for tries in range(1, 7):
        await linked(town, web, said)
        assert web.asked.count(f"{host}/busy") == min(tries, 4)
    row = await town.owner.fetchrow("SELECT due_at, card_id FROM linked_pages WHERE url = $1", f"{host}/busy")
    assert (row["due_at"], row["card_id"]) == (None, None)


@covers(f"POST {S}", f"PUT {S}/{{id}}")
async def test_pictures_come_before_cards_and_an_edit_may_point_elsewhere(town: Town) -> None:
    alice = await town.person("alice")
    web, host = Web(), f"https://d{alice.account.id}.example"
    for name in ("one", "two"):
        web.put(f"{host}/{name}", f"<title>{name}</title>")
    file = (await alice.upload("/api/v2/media", picture())).json()["id"]
    shown = await alice.say(f"{host}/one", media_ids=[file])
    said = await alice.say(f"{host}/one")
    quoting = await alice.say(f"{host}/one", quoted_status_id=said["id"])
    await linked(town, web, shown, said, quoting)
    assert (await card(alice, shown), await card(alice, quoting), (await card(alice, said))["title"]) == (None, None, "one")
    edit = Edited(int(said["id"]), alice.account.id)
    for text, title in ((f"{host}/two", "two"), ("nothing", None), (f"@{alice.account.username} #tag http://localhost/about", None)):
        await alice.ask("Status", "PUT", f"{S}/{said['id']}", json={"status": text})
        await reactions.edited(web.job(town), edit)
        await linked(town, web)
        found = await card(alice, said)
        assert (found and found["title"]) == title, text


@covers(f"POST {S}")
async def test_a_page_speaks_for_no_other(town: Town) -> None:
    alice = await town.person("alice")
    web, host = Web(), f"https://e{alice.account.id}.example"
    web.put(f"{host}/mine", PAGE.format(title="Mine", own=f"{host}/mine"))
    web.put(f"{host}/evil", PAGE.format(title="Defaced", own=f"{host}/mine"))
    web.put("https://evil.example/", PAGE.format(title="Elsewhere", own=f"{host}/mine"))
    posts = [await alice.say(url) for url in (f"{host}/mine", f"{host}/evil", "https://evil.example/")]
    for post in posts:
        await linked(town, web, post)
    found = [await card(alice, post) for post in posts]
    assert [(one["title"], one["url"]) for one in found] == [
        ("Mine", f"{host}/mine"), ("Mine", f"{host}/mine"), ("Elsewhere", "https://evil.example/")]
