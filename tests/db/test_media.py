"""A file is in the store as long as a row names it, and no longer, whatever died in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import footage
from conftest import Client, Person, settle_in
from parvis.app import App
from parvis.base.errors import Invalid
from parvis.media import actions as media
from parvis.media import queries, reactions
from parvis.media.model import Uploaded

S = "/api/v1/statuses"
DAY = timedelta(days=1, minutes=1)


class City:
    """One city, its clock and its store."""

    def __init__(self, app: App, owner: asyncpg.Connection[Any]) -> None:
        self.app, self.owner = app, owner

    @property
    def files(self) -> set[str]:
        """All names in the store."""
        root = self.app.settings.files
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}

    async def pass_by(self, step: timedelta) -> None:
        """Time passes, and the sweeps of the schedule with it."""
        self.app.clock.offset += step
        await self.owner.execute(
            "INSERT INTO clock_offset (ahead) VALUES ($1) ON CONFLICT (one) DO UPDATE SET ahead = EXCLUDED.ahead", self.app.clock.offset
        )
        await media.forget_stale(self.app.job)
        await media.burn(self.app.job)

    async def rows(self) -> int:
        return int(await self.owner.fetchval("SELECT count(*) FROM media"))


@pytest.fixture
async def city(app: App, owner: asyncpg.Connection[Any]) -> AsyncIterator[City]:
    made = City(app, owner)
    yield made
    doomed = {row["name"] for row in await owner.fetch("SELECT name FROM doomed_files")}
    rows = await owner.fetch("SELECT unnest(ARRAY[file, preview_file, raw_file]) AS name FROM media")
    faces = await owner.fetch("SELECT unnest(ARRAY[avatar_file, header_file]) AS name FROM accounts")
    named = {row["name"] for row in [*rows, *faces] if row["name"]}
    assert named <= made.files <= named | doomed  # nothing is lost, nothing is an orphan
    assert not named & doomed
    assert list(app.settings.scratch.iterdir()) == []


async def sent(who: Client, body: bytes | None = None) -> Any:
    answer = await who.upload("/api/v2/media", body or footage.drawing())
    assert answer.status in (200, 202), answer.text
    return answer.json()


async def said(who: Client, *ids: str) -> Any:
    answer = await who.post(S, json={"status": "Look", "media_ids": list(ids)})
    assert answer.status == 200, answer.text
    return answer.json()


async def test_an_upload_that_no_post_takes_goes_after_a_day(city: City, alice: Person) -> None:
    await sent(alice)
    await said(alice, (await sent(alice))["id"])
    await city.pass_by(timedelta(hours=23))
    assert (await city.rows(), len(city.files)) == (2, 4)
    await city.pass_by(timedelta(hours=2))
    assert (await city.rows(), len(city.files)) == (1, 2)


async def test_the_files_of_a_deleted_post_can_be_posted_anew_for_a_day(city: City, alice: Person) -> None:
    file = await sent(alice)
    post = await said(alice, file["id"])
    await city.pass_by(DAY * 3)
    gone = await alice.send("DELETE", f"{S}/{post['id']}")
    assert gone.json()["media_attachments"][0]["id"] == file["id"]
    await city.pass_by(timedelta(hours=23))
    again = await said(alice, file["id"])
    assert (await alice.get(again["media_attachments"][0]["url"].removeprefix("http://localhost"))).status == 200
    await city.pass_by(DAY)
    assert len(city.files) == 2
    await alice.send("DELETE", f"{S}/{again['id']}")
    await city.pass_by(DAY)
    assert (await city.rows(), city.files) == (0, set())


async def test_with_delete_media_the_files_go_at_once_those_of_its_history_too(city: City, alice: Person) -> None:
    first, second = await sent(alice), await sent(alice)
    post = await said(alice, first["id"])
    assert (await alice.send("PUT", f"{S}/{post['id']}", json={"status": "x", "media_ids": [second["id"]]})).status == 200
    await city.pass_by(DAY * 9)
    history = (await alice.get(f"{S}/{post['id']}/history")).json()
    old = history[0]["media_attachments"][0]["url"].removeprefix("http://localhost")
    assert (await alice.get(old)).status == 200  # an earlier state of the post shows it
    assert (await alice.send("DELETE", f"{S}/{post['id']}?delete_media=true")).status == 200
    assert (await city.rows(), city.files) == (0, set())


async def test_a_file_in_an_edit_history_goes_with_its_post(city: City, alice: Person) -> None:
    first = await sent(alice)
    post = await said(alice, first["id"])
    assert (await alice.send("PUT", f"{S}/{post['id']}", json={"status": "x", "media_ids": []})).status == 200
    other = await said(alice, first["id"])  # and may be shown elsewhere
    await alice.send("DELETE", f"{S}/{post['id']}")
    await city.pass_by(DAY)
    assert len(city.files) == 2
    await alice.send("DELETE", f"{S}/{other['id']}")
    await city.pass_by(DAY)
    assert city.files == set()


async def test_a_replaced_portrait_goes_after_an_hour(city: City, alice: Person) -> None:
    for _ in range(3):
        body = footage.drawing()
        edge = b"--e\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"a\"\r\n\r\n%s\r\n"
        form = edge % (b"avatar", body) + edge % (b"header", body) + b"--e--\r\n"
        headers = {"content-type": "multipart/form-data; boundary=e"}
        answer = await alice.call("PATCH", "/api/v1/accounts/update_credentials", headers=headers, body=form)
        assert answer.status == 200, answer.text
    assert len(city.files) == 6
    await city.pass_by(timedelta(hours=1, minutes=1))
    assert len(city.files) == 2
    shown = answer.json()
    for name in ("avatar", "header"):
        assert (await alice.get(shown[name].removeprefix("http://localhost"))).status == 200


async def test_what_was_put_into_the_store_by_somebody_who_died_goes(city: City, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dies(*_: object) -> int:
        raise SystemError("the power fails here")

    monkeypatch.setattr(queries, "add", dies)
    assert (await alice.upload("/api/v2/media", footage.drawing())).status == 500
    assert (len(city.files), await city.rows()) == (2, 0)
    await city.pass_by(timedelta(hours=1, minutes=1))
    assert city.files == set()


async def test_who_is_deleted_takes_everything_along(city: City, bela: Person) -> None:
    for _ in range(2):
        await said(bela, (await sent(bela))["id"])
    async with city.app.db.write() as tx:
        await queries.drop_all(tx, bela.account.id)
    await city.pass_by(timedelta(minutes=1))
    assert (await city.rows(), city.files) == (0, set())


async def test_nobody_shows_what_is_not_theirs_or_not_ready(city: City, alice: Person, bela: Person) -> None:
    file, film = await sent(alice), await sent(alice, footage.film(1))
    async with city.app.db.read() as r:
        for who, ids, word in ((bela, [file["id"]], "not_found"), (alice, [film["id"]], "media_not_ready"), (alice, ["1"], "not_found")):
            with pytest.raises(Invalid) as caught:
                await media.may_attach(r, who.account, [int(one) for one in ids])
            assert caught.value.word == word
    with pytest.raises(asyncpg.CheckViolationError):
        await city.owner.execute("UPDATE media SET status_id = parvis_id() WHERE id = $1", int(film["id"]))
    await reactions.make(city.app.job, Uploaded(int(film["id"])))
    await reactions.make(city.app.job, Uploaded(12345))  # long gone


async def test_an_upload_whose_raw_file_is_lost_fails(city: City, alice: Person) -> None:
    film = await sent(alice, footage.film(1))
    for name in city.files:
        (Path(city.app.settings.files) / name).unlink()
    await reactions.make(city.app.job, Uploaded(int(film["id"])))
    assert (await alice.get(f"/api/v1/media/{film['id']}")).json()["error"].endswith("it was lost")


async def test_what_moves_in_a_profile_stands_still(city: City) -> None:
    carol = await settle_in(city.app, "carol")
    kept = await media.keep(city.app.job, "avatar", footage.moving())
    assert kept.file.endswith(".png")
    with pytest.raises(Invalid):
        await media.keep(city.app.job, "avatar", footage.film(1))
    assert carol.account.id
