"""Announcements: written at the operator's desk, published, read, reacted to, ended."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from api.contract import covers
from api.test_contract_emojis import draw, erase
from api.town import Caller, Town, picture
from parvis import desk
from parvis.announcements import actions as announcements
from parvis.announcements.model import Announced, AnnouncementReacted, AnnouncementWithdrawn, Notice
from parvis.base.db import Reactions
from parvis.base.errors import Invalid
from parvis.wiring import SCHEDULE

PATH = "/api/v1/announcements"
GONE = (404, "Record not found")


def here(town: Town) -> desk.Here:
    return desk.Here(town.app.settings, town.app.db, "", None)


async def announce(town: Town, text: str, **more: Any) -> str:
    """What `parvis announce` does; the id."""
    given = {"starts": None, "ends": None, "at": None, "all_day": False, "withdraw": None, **more}
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk, "tell", lambda result: said.append(str(result)))
        await desk.announce(here(town), Namespace(text=text, **given))
    return said[0]


async def seen(caller: Caller, query: str = "") -> list[Any]:
    found: list[Any] = await caller.ask("[Announcement]", "GET", PATH + query)
    return found


async def of(caller: Caller, number: str) -> Any:
    return next(row for row in await seen(caller, "?with_dismissed=true") if row["id"] == number)


@covers(f"GET {PATH}", f"POST {PATH}/{{id}}/dismiss")
async def test_an_announcement_is_read_and_then_shown_only_on_request(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    await draw(town, "city", picture())
    post = await bela.say("Come to the market")
    hidden = await bela.say("For my followers", visibility="private")
    text = f"Market on Sunday :city:, says @{bela.account.username}: {post['url']} {hidden['url']} #Market"
    number = await announce(town, text)
    row = await of(alice, number)
    assert "Market on Sunday" in row["content"]
    assert (row["read"], row["starts_at"], row["ends_at"], row["all_day"]) == (False, None, None, False)
    assert [one["acct"] for one in row["mentions"]] == [bela.account.username]
    assert row["statuses"] == [{"id": post["id"], "url": post["url"]}]
    assert [one["name"] for one in row["tags"]] == ["market"]
    assert [one["shortcode"] for one in row["emojis"]] == ["city"]
    assert await alice.ask(None, "POST", f"{PATH}/{number}/dismiss") == {}
    assert await alice.ask(None, "POST", f"{PATH}/{number}/dismiss") == {}
    assert number not in [one["id"] for one in await seen(alice)]
    assert (await of(alice, number))["read"] is True
    assert number in [one["id"] for one in await seen(bela)]
    assert await alice.refusal("POST", f"{PATH}/12/dismiss") == GONE
    assert (await town.stranger.refusal("GET", PATH))[0] == 401
    narrow = await town.with_scopes("read")
    assert number in [one["id"] for one in await seen(narrow)]
    assert (await narrow.refusal("POST", f"{PATH}/{number}/dismiss"))[0] == 403
    await bela.ask(None, "DELETE", f"/api/v1/statuses/{post['id']}")
    assert (await of(alice, number))["statuses"] == []
    assert await announce(town, "", withdraw=int(number)) == f"{number} is withdrawn."
    assert number not in [one["id"] for one in await seen(bela)]
    with pytest.raises(desk.Refusal, match="Nothing is announced"):
        await announce(town, "", withdraw=int(number))
    await erase(town, "city")


@covers(f"PUT {PATH}/{{id}}/reactions/{{name}}", f"DELETE {PATH}/{{id}}/reactions/{{name}}")
async def test_people_react_with_emoji_of_unicode_and_of_the_city(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    await draw(town, "cheer", picture())
    number = await announce(town, "The bridge is open")

    def at(name: str) -> str:
        return f"{PATH}/{number}/reactions/{quote(name)}"

    for caller, name in ((alice, "👍"), (bela, "👍"), (bela, "👍"), (alice, "cheer")):
        assert await caller.ask(None, "PUT", at(name)) == {}
    thumb, cheer = (await of(alice, number))["reactions"]
    assert thumb == {"name": "👍", "count": 2, "me": True}
    assert (cheer["name"], cheer["count"], cheer["me"], cheer["url"] == cheer["static_url"]) == ("cheer", 1, True, True)
    assert (await town.stranger.get(cheer["url"].removeprefix("http://localhost"))).status == 200
    assert [one["me"] for one in (await of(bela, number))["reactions"]] == [True, False]
    assert await alice.ask(None, "DELETE", at("👍")) == {}
    assert await alice.ask(None, "DELETE", at("👍")) == {}
    assert [(one["name"], one["count"], one["me"]) for one in (await of(alice, number))["reactions"]] == [
        ("👍", 1, False), ("cheer", 1, True)]
    for name in ("nothing", "ab", "👍👍", "1", "x" * 3000):
        code, words = await alice.refusal("PUT", at(name))
        assert (code, words) == (422, "Validation failed: Name is no emoji, neither of Unicode nor of this city")
    for name in ("❤️", "🇫🇷", "👩‍🚀", "1️⃣", "🤷🏽‍♀️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"):
        await bela.ask(None, "PUT", at(name))
    code, words = await alice.refusal("PUT", at("🎉"))
    assert (code, "at most eight different reactions" in words) == (422, True)
    await alice.ask(None, "PUT", at("🇫🇷"))
    assert len((await of(alice, number))["reactions"]) == 8
    narrow = await town.with_scopes("write:accounts", "read")
    for verb in ("PUT", "DELETE"):
        assert (await narrow.refusal(verb, at("👍")))[0] == 403
        assert await alice.refusal(verb, f"{PATH}/12/reactions/x") == GONE
    await erase(town, "cheer")
    assert {"name": "cheer", "count": 1, "me": True} in (await of(alice, number))["reactions"]
    assert await alice.ask(None, "DELETE", at("cheer")) == {}


async def ahead(town: Town, step: timedelta) -> None:
    """Time passes in the city, and the schedule turns."""
    town.app.clock.offset += step
    await town.owner.execute(
        "INSERT INTO clock_offset (ahead) VALUES ($1) ON CONFLICT (one) DO UPDATE SET ahead = EXCLUDED.ahead", town.app.clock.offset)
    await announcements.sweep(town.app.job)


@pytest.fixture
def told(town: Town, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What those who listen are told."""
    heard: list[object] = []

    async def note(_: object, event: object) -> None:
        heard.append(event)

    kinds = (Announced, AnnouncementReacted, AnnouncementWithdrawn)
    noted = {kind: Reactions(now=(note,)) for kind in kinds}
    monkeypatch.setattr(town.app.db, "reactions", {**town.app.db.reactions, **noted})
    return heard


@pytest.mark.asyncio(loop_scope="module")
async def test_an_announcement_comes_when_it_is_due_and_goes_when_it_is_over(town: Town, told: list[object]) -> None:
    alice = await town.person("alice")
    now = town.app.clock.now()
    assert announcements.sweep in [deed for _, deed in SCHEDULE]
    later, over, day = (now + timedelta(hours=n) for n in (2, 5, 30))
    number = await announce(town, "Soon", at=later.isoformat(), starts=later.isoformat(), ends=over.isoformat())
    whole = await announce(town, "A whole day", starts=day.date().isoformat(), all_day=True)
    never = await announce(town, "Never", at=later.isoformat())
    await announce(town, "", withdraw=int(never))
    await announcements.sweep(town.app.job)
    assert (number in [one["id"] for one in await seen(alice)], told) == (False, [Announced(int(whole))])
    assert await alice.refusal("POST", f"{PATH}/{number}/dismiss") == GONE
    row = await of(alice, whole)
    midnight = datetime.combine(day.date(), datetime.min.time(), UTC)
    assert [datetime.fromisoformat(row[name]) - midnight for name in ("starts_at", "ends_at")] == [
        timedelta(0), timedelta(hours=23, minutes=59, seconds=59)]
    await ahead(town, timedelta(hours=3))
    assert told[1:] == [Announced(int(number))]
    assert [row["id"] for row in await seen(alice)][-2:] == [number, whole]
    await alice.ask(None, "PUT", f"{PATH}/{number}/reactions/{quote('👍')}")
    await alice.ask(None, "PUT", f"{PATH}/{number}/reactions/{quote('👍')}")
    await ahead(town, timedelta(hours=3))
    assert told[2:] == [AnnouncementReacted(int(number), "👍"), AnnouncementWithdrawn(int(number))]
    await ahead(town, timedelta(seconds=1))
    assert len(told) == 4
    left = [row["id"] for row in await seen(alice)]
    assert (number in left, whole in left, never in left) == (False, True, False)


@covers()
async def test_what_cannot_be_announced_is_refused(town: Town) -> None:
    alice, now = await town.person("alice"), town.app.clock.now()
    before = len(await seen(alice))
    past, soon, later = (now + timedelta(hours=n) for n in (-1, 1, 2))
    async with town.app.db.write() as tx:
        for notice, field in (
            (Notice(text=" "), "text"), (Notice(text="x" * 5001), "text"), (Notice(text="x", all_day=True), "starts_at"),
            (Notice(text="x", ends_at=past), "ends_at"), (Notice(text="x", starts_at=later, ends_at=soon), "ends_at"),
            (Notice(text="x", due_at=later, ends_at=soon), "ends_at"),
        ):
            with pytest.raises(Invalid) as refused:
                await announcements.announce(tx, notice, "http://localhost", "localhost")
            assert refused.value.field == field
    with pytest.raises(desk.Refusal, match="is no time"):
        await announce(town, "x", starts="tomorrow")
    assert len(await seen(alice)) == before
