"""Finding: examples of the search operations, and who finds what."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from api.contract import covers
from api.town import A, Caller, S, Town, picture


def word(stem: str = "w") -> str:
    return stem + uuid.uuid4().hex[:10]


async def open_to_search(*people: Caller) -> None:
    for one in people:
        await one.ask(None, "PATCH", f"{A}/update_credentials", json={"indexable": True})


async def ids(who: Caller, q: str, **more: Any) -> list[str]:
    query = "".join(f"&{name}={value}" for name, value in more.items())
    found = await who.ask("Search", "GET", f"/api/v2/search?type=statuses&q={quote(q)}{query}")
    return [row["id"] for row in found["statuses"]]


@pytest.mark.shows("FEP-5feb")
@covers("GET /api/v2/search")
async def test_posts_are_found_by_those_they_are_meant_for(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    one = word()
    open_post = await alice.say(f"Les marchés du quartier {one}")
    assert await ids(alice, one) == [open_post["id"]]
    assert await ids(bela, one) == []
    assert (await town.stranger.ask("Search", "GET", f"/api/v2/search?q={one}"))["statuses"] == []
    await open_to_search(alice)
    assert await ids(bela, one) == [open_post["id"]]
    assert await ids(bela, f"MARCHE {one}") == [open_post["id"]]
    await alice.ask(None, "PATCH", f"{A}/update_credentials", json={"indexable": False})
    assert await ids(bela, one) == []
    for deed, undeed in (("favourite", "unfavourite"), ("bookmark", "unbookmark"), ("reblog", "unreblog")):
        await bela.ask("Status", "POST", f"{S}/{open_post['id']}/{deed}")
        assert await ids(bela, one) == [open_post["id"]], deed
        assert await ids(carol, one) == []
        await bela.ask("Status", "POST", f"{S}/{open_post['id']}/{undeed}")
    assert await ids(bela, one) == []
    direct = await alice.say(f"@{carol.account.username} {one}", visibility="direct")
    assert await ids(carol, one) == [direct["id"]]
    assert await ids(bela, one) == []
    await carol.ask("Relationship", "POST", f"{A}/{alice.account.id}/mute")
    assert await ids(carol, one) == []
    await carol.ask("Relationship", "POST", f"{A}/{alice.account.id}/unmute")
    await carol.ask("Relationship", "POST", f"{A}/{alice.account.id}/block")
    assert await ids(carol, one) == []


async def _library(alice: Caller, one: str) -> dict[str, str]:
    upload = await alice.upload("/api/v2/media", picture(), description=f"Un platane {one}pic")
    made = {
        "plain": await alice.say(f"{one} plain", language="fr"),
        "spanish": await alice.say(f"{one} en la plaza", language="es-MX"),
        "link": await alice.say(f"{one} https://example.org/page"),
        "sensitive": await alice.say(f"{one} secret", spoiler_text=f"Beware {one}warn"),
        "media": await alice.say(f"{one} pictured", media_ids=[upload.json()["id"]]),
    }
    made["reply"] = await alice.say(f"{one} answered", in_reply_to_id=made["plain"]["id"])
    return {name: row["id"] for name, row in made.items()}


@covers("GET /api/v2/search", "GET /api/v1/search")
async def test_operators_narrow_a_search(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    one = word()
    await open_to_search(alice, bela)
    made = await _library(alice, one)
    other = (await bela.say(f"{one} plain from #{one}tag"))["id"]
    everything = {*made.values(), other}
    today = made and (await alice.ask("Status", "GET", f"{S}/{other}"))["created_at"][:10]
    handle = alice.account.username
    for query, wanted in (
        (one, everything), (f'"{one} plain"', {made["plain"], other}), (f'"plain {one}"', set()),
        (f'{one} -"{one} plain"', everything - {made["plain"], other}), (f"{one} -answered", everything - {made["reply"]}),
        (f"{one} from:me", {other}), (f"{one} -from:me", set(made.values())), (f"{one} from:@{handle}", set(made.values())),
        (f"{one} from:{handle}@localhost from:me", everything), (f"{one} from:nobody", set()),
        (f"{one} has:media", {made["media"]}), (f"{one} has:link", {made["link"]}), (f"{one} is:reply", {made["reply"]}),
        (f"{one} is:sensitive", {made["sensitive"]}), (f"{one} -is:sensitive", everything - {made["sensitive"]}),
        (f"{one} language:es", {made["spanish"]}), (f"{one} -language:es", everything - {made["spanish"]}),
        (f"{one} in:library", {other}), (f"{one} in:public", everything), (f"{one} in:all", everything),
        (f"{one} during:{today}", everything), (f"{one} before:{today}", set()), (f"{one} after:{today}", set()),
        (f"{one} -during:{today}", set()), (f"{one} after:2020-01-01", everything), (f"{one} after:soon", set()),
        (f"{one}pic", {made["media"]}), (f"{one}warn", {made["sensitive"]}), (f"#{one}tag", {other}),
        (f"-{one}", set()), ("", set()), ("!?", set()),
    ):
        assert set(await ids(bela, query)) == wanted, query
    assert await ids(bela, f"from:@{handle} has:media") == [made["media"]]
    assert await ids(bela, one, account_id=bela.account.id) == [other]
    newest = sorted(everything, key=int, reverse=True)
    assert await ids(bela, one, limit=2) == newest[:2]
    assert await ids(bela, one, limit=2, offset=2) == newest[2:4]
    assert await ids(bela, one, limit=2, max_id=newest[1]) == newest[2:4]
    assert await ids(bela, one, limit=2, min_id=newest[4]) == newest[2:4]
    answer = await bela.get(f"/api/v1/search?q={one}tag")
    assert (answer.json()["hashtags"], answer.headers["deprecation"]) == ([f"{one}tag"], "@1570060800")
    assert answer.json()["statuses"][0]["id"] == other


@covers("GET /api/v2/search", f"GET {A}/search")
async def test_a_search_follows_what_is_changed_and_taken_back(town: Town) -> None:
    alice = await town.person("alice")
    before, after = word(), word()
    said = await alice.say(before)
    await alice.ask("Status", "PUT", f"{S}/{said['id']}", json={"status": after})
    assert (await ids(alice, before), await ids(alice, after)) == ([], [said["id"]])
    await alice.ask(None, "DELETE", f"{S}/{said['id']}")
    assert await ids(alice, after) == []
    assert await town.owner.fetchval("SELECT count(*) FROM status_words WHERE status_id = $1", int(said["id"])) == 0
    assert await alice.ask("[Account]", "GET", f"{A}/search?q={after}") == []


@covers("GET /api/v2/search", f"GET {A}/search")
async def test_people_are_found_by_their_names(town: Town) -> None:
    alice, bela, hidden, limited = await town.people("alice", "bela", "hidden", "limited")
    name = word("Hélène")
    for one in (alice, bela, hidden, limited):
        await one.ask(None, "PATCH", f"{A}/update_credentials", json={"display_name": name})
    await hidden.ask(None, "PATCH", f"{A}/update_credentials", json={"discoverable": False})
    await town.owner.execute("UPDATE accounts SET limited_at = now() WHERE id = $1", limited.account.id)
    seeker = await town.person("seeker")

    async def found(q: str, who: Caller = seeker, more: str = "") -> list[str]:
        rows = (await who.ask("Search", "GET", f"/api/v2/search?type=accounts&q={quote(q)}{more}"))["accounts"]
        assert [row["id"] for row in await seeker.ask("[Account]", "GET", f"{A}/search?q={quote(q)}{more}")] == [
            row["id"] for row in rows]
        return [row["acct"] for row in rows]

    plain = name.replace("é", "e").replace("è", "e").lower()
    names = [one.account.username for one in (alice, bela, hidden, limited)]
    assert sorted(await found(plain)) == sorted(names[:2])
    assert sorted(await found(plain[:-2])) == sorted(names[:2])
    for handle in names:
        assert (await found(f"@{handle}"))[0] == handle
        assert (await found(f"{handle}@localhost"))[0] == handle
    await seeker.ask("Relationship", "POST", f"{A}/{bela.account.id}/follow")
    assert (await found(plain))[0] == names[1]
    assert await found(plain, more="&following=true") == [names[1]]
    await seeker.ask("Relationship", "POST", f"{A}/{hidden.account.id}/follow")
    assert set(await found(plain)) == {*names[:3]}
    await seeker.ask("Relationship", "POST", f"{A}/{alice.account.id}/block")
    assert names[0] not in await found(plain)
    assert names[0] in await found(names[0])
    await town.owner.execute("UPDATE accounts SET suspended_at = now() WHERE id = $1", bela.account.id)
    assert await found(names[1]) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_what_needs_a_token_is_refused_without(town: Town) -> None:
    for query in ("resolve=true", "offset=1"):
        assert await town.stranger.refusal("GET", f"/api/v2/search?q=x&{query}") == (401, "The access token is invalid")
    assert (await town.stranger.refusal("GET", "/api/v1/search?q=x"))[0] == 401
    narrow = await town.with_scopes("read:statuses")
    for path in ("/api/v2/search?q=x", "/api/v1/search?q=x"):
        assert (await narrow.refusal("GET", path))[0] == 403




@covers("GET /api/v2/search")
async def test_a_poll_is_found_by_its_options_and_by_who_voted(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    one = word()
    said = await alice.say("Which colour for the benches?", poll={"options": [f"Bleu {one}", "Rouge"], "expires_in": 3600})
    assert await ids(alice, f"has:poll {one}") == [said["id"]]
    assert await ids(alice, f"-has:poll {one}") == []
    assert await ids(bela, one) == []
    await bela.ask("Poll", "POST", f"/api/v1/polls/{said['poll']['id']}/votes", json={"choices": [0]})
    assert await ids(bela, f"in:library {one}") == [said["id"]]
    await alice.ask("Status", "PUT", f"{S}/{said['id']}", json={
        "status": "Which colour for the benches?", "poll": {"options": [f"Vert {one}b", "Rouge"], "expires_in": 3600}})
    assert await ids(alice, f"has:poll {one}") == []
    assert await ids(alice, f"has:poll {one}b") == [said["id"]]


@covers("GET /api/v2/search")
async def test_a_previewed_page_is_an_embed(town: Town) -> None:
    alice = await town.person("alice")
    one = word()
    said = await alice.say(f"{one} https://example.org/{one}")
    assert await ids(alice, f"has:embed {one}") == []
    await town.owner.execute(
        """WITH card AS (INSERT INTO preview_cards (url, title, description, author_name, author_url, provider_name,
                             provider_url, image_description, width, height)
                         VALUES ($1, 'T', '', '', '', '', '', '', 0, 0) RETURNING id),
                page AS (INSERT INTO linked_pages (url, card_id) SELECT $1, id FROM card
                         ON CONFLICT (url) DO UPDATE SET card_id = EXCLUDED.card_id)
           SELECT""", f"https://example.org/{one}")
    await town.owner.execute("INSERT INTO status_cards (status_id, url) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                             int(said["id"]), f"https://example.org/{one}")
    assert await ids(alice, f"has:embed {one}") == [said["id"]]
