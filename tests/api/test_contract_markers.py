"""Where one stopped reading, and direct conversations."""

from __future__ import annotations

from api.contract import covers
from api.facts import faults
from api.town import A, Caller, S, Town

C = "/api/v1/conversations"
M = "/api/v1/markers"
BOTH = f"{M}?timeline[]=home&timeline[]=notifications"


@covers(f"GET {M}", f"POST {M}")
async def test_where_one_stopped_reading_is_kept_for_each_timeline(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    assert await alice.ask(None, "GET", BOTH) == {}
    made = await alice.ask(None, "POST", M, form={"home[last_read_id]": "103194548672408537"})
    assert list(made) == ["home"]
    moved = await alice.ask(None, "POST", M, json={"home": {"last_read_id": "12"}, "notifications": {"last_read_id": "35"}})
    assert {place: (mark["last_read_id"], mark["version"]) for place, mark in moved.items()} == {
        "home": ("12", made["home"]["version"] + 1), "notifications": ("35", 1)}
    assert await alice.ask(None, "GET", BOTH) == moved
    assert [faults("Marker", mark) for mark in moved.values()] == [[], []]
    rows = await alice.ask(None, "GET", f"{M}?timeline[]=home")
    assert list(rows) == ["home"]
    assert await alice.ask(None, "GET", M) == {}
    assert await alice.ask(None, "GET", f"{M}?timeline[]=public") == {}
    assert await bela.ask(None, "GET", BOTH) == {}
    assert (await alice.refusal("POST", M, json={"home": {"last_read_id": "x"}}))[0] == 422
    narrow = await town.with_scopes("read:lists", "write:lists")
    assert [(await narrow.refusal(method, M))[0] for method in ("GET", "POST")] == [403, 403]


async def direct(by: Caller, *to: Caller, reply: str | None = None) -> str:
    """Say something to some people alone."""
    names = " ".join(f"@{one.account.username}" for one in to)
    return str((await by.say(f"{names} Psst", visibility="direct", in_reply_to_id=reply))["id"])


async def seen(caller: Caller) -> list[tuple[bool, set[str], str | None]]:
    """Somebody's conversations: unread? with whom? the last post."""
    rows = await caller.ask("[Conversation]", "GET", C)
    return [(row["unread"], {one["id"] for one in row["accounts"]}, (row["last_status"] or {}).get("id")) for row in rows]


@covers(f"GET {C}", f"POST {C}/{{id}}/read", f"POST {C}/{{id}}/unread", f"DELETE {C}/{{id}}", "GET /api/v1/timelines/direct")
async def test_who_speaks_directly_has_a_conversation_for_each_circle(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    a, b, c = (str(one.account.id) for one in (alice, bela, carol))
    first = await direct(alice, bela)
    assert await seen(alice) == [(False, {b}, first)]
    assert await seen(bela) == [(True, {a}, first)]
    answer = await direct(bela, alice, reply=first)
    wider = await direct(alice, bela, carol, reply=answer)
    assert await seen(alice) == [(False, {b, c}, wider), (True, {b}, answer)]
    assert await seen(bela) == [(True, {a, c}, wider), (False, {a}, answer)]
    assert await seen(carol) == [(True, {a, b}, wider)]
    await alice.say("Open to all")
    own = await direct(carol)
    assert (await seen(carol))[0] == (False, {c}, own)
    newest = (await alice.ask("[Conversation]", "GET", f"{C}?limit=1"))[0]
    page = await alice.get(f"{C}?limit=1")
    older = page.headers["link"].split(">")[0].removeprefix("<http://localhost")
    row = (await alice.ask("[Conversation]", "GET", older))[0]
    assert (page.json()[0]["id"], row["last_status"]["id"]) == (newest["id"], answer)
    assert (await alice.ask("Conversation", "POST", f"{C}/{row['id']}/read"))["unread"] is False
    assert await seen(alice) == [(False, {b, c}, wider), (False, {b}, answer)]
    assert (await alice.ask("Conversation", "POST", f"{C}/{row['id']}/unread"))["unread"] is True
    for path in (f"{C}/{row['id']}/read", f"{C}/{row['id']}/unread"):
        assert await bela.refusal("POST", path) == (404, "Record not found")
    assert await bela.refusal("DELETE", f"{C}/{row['id']}") == (404, "Record not found")
    assert await alice.ask(None, "DELETE", f"{C}/{row['id']}") == {}
    assert await seen(alice) == [(False, {b, c}, wider)]
    assert [one["id"] for one in await alice.ask("[Status]", "GET", "/api/v1/timelines/direct")] == [wider, answer, first]
    assert [one["id"] for one in await carol.ask("[Status]", "GET", "/api/v1/timelines/direct?limit=1")] == [own]
    assert (await alice.get("/api/v1/timelines/direct")).headers["deprecation"].startswith("@")
    narrow = await town.with_scopes("read:lists", "write:statuses")
    for method, path in (("GET", C), ("POST", f"{C}/1/read"), ("POST", f"{C}/1/unread"), ("DELETE", f"{C}/1")):
        assert (await narrow.refusal(method, path))[0] == 403


@covers()
async def test_a_conversation_falls_back_to_what_is_left_of_it_and_ends_with_its_last_post(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    a, b, c = (str(one.account.id) for one in (alice, bela, carol))
    first = await direct(alice, bela)
    second = await direct(alice, bela, reply=first)
    await alice.ask("Status", "PUT", f"{S}/{second}", json={"status": f"@{bela.account.username} more"})
    await bela.ask("Conversation", "POST", f"{C}/{(await bela.ask(None, 'GET', C))[0]['id']}/read")
    await alice.ask(None, "DELETE", f"{S}/{second}")
    assert (await seen(alice), await seen(bela)) == ([(False, {b}, first)], [(False, {a}, first)])
    names = f"@{bela.account.username} @{carol.account.username}"
    await alice.ask("Status", "PUT", f"{S}/{first}", json={"status": f"{names} more"})
    assert (await seen(bela), await seen(carol)) == ([(True, {a, c}, first)], [(True, {a, b}, first)])
    await alice.ask(None, "DELETE", f"{S}/{first}")
    assert [await seen(one) for one in (alice, bela, carol)] == [[], [], []]


@covers()
async def test_nobody_is_called_to_a_conversation_with_whom_they_want_nothing_to_do_with(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    a, b = alice.account.id, bela.account.id
    first = await direct(bela, alice)
    await alice.ask(None, "POST", f"{S}/{first}/mute")
    await alice.ask("Conversation", "POST", f"{C}/{(await alice.ask(None, 'GET', C))[0]['id']}/read")
    second = await direct(bela, alice, reply=first)
    assert await seen(alice) == [(False, {str(b)}, second)]
    await alice.ask(None, "POST", f"{A}/{b}/mute")
    third = await direct(bela, alice)
    assert await seen(alice) == [(False, {str(b)}, second)]
    assert (await seen(bela))[0] == (False, {str(a)}, third)
    await alice.ask(None, "POST", f"{A}/{b}/block")
    assert await seen(alice) == []
    assert [row[2] for row in await seen(bela)] == [third, second]
    answer = await direct(alice, bela)
    assert answer not in [row[2] for row in await seen(bela)]
