"""An archive is asked for once a week, and is made once whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import json
import zipfile
from typing import Any

import asyncpg

from conftest import Person
from parvis.app import App
from parvis.base.errors import TooMany
from parvis.federation import archives
from parvis.portability import actions, queries
from parvis.portability.model import Archive, ArchiveAsked

POSTS = """
    INSERT INTO statuses (id, account_id, uri, url, local, text, content, visibility, language, conversation_id)
    SELECT n.id, $1, $2 || '/statuses/' || n.id, $2 || '/' || n.id, true, '', '<p>' || $3 || n.place || '</p>', 'public', 'fr', n.id
    FROM (SELECT parvis_id() AS id, place FROM generate_series(1, $4::int) place) n"""


async def ask(app: App, person: Person) -> Archive:
    async with app.db.write() as tx:
        return await actions.ask_archive(tx, person.account.id)


async def mine(app: App, person: Person) -> list[Archive]:
    async with app.db.read() as r:
        return await queries.archives(r, person.account.id)


async def test_of_many_who_ask_at_once_one_is_heard(app: App, alice: Person, bela: Person) -> None:
    answers = await asyncio.gather(*(ask(app, alice) for _ in range(5)), ask(app, bela), return_exceptions=True)
    assert sorted(type(one).__name__ for one in answers) == ["Archive"] * 2 + [TooMany.__name__] * 4
    assert (len(await mine(app, alice)), len(await mine(app, bela))) == (1, 1)


async def test_made_twice_it_lies_there_once(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    made = await ask(app, alice)
    await asyncio.gather(*(archives.write(app.job, ArchiveAsked(made.id)) for _ in range(2)))
    await archives.write(app.job, ArchiveAsked(made.id))
    kept = (await mine(app, alice))[0]
    assert [path.name for path in app.settings.files.rglob("*.zip")] == [str(kept.file).rpartition("/")[2]]
    assert await owner.fetchval("SELECT count(*) FROM doomed_files WHERE name = $1", kept.file) == 0
    assert list(app.settings.scratch.iterdir()) == []


async def test_what_nobody_waits_for_any_more_leaves_nothing_in_the_store(
    app: App, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    made = await ask(app, alice)
    put = app.job.files.put

    async def meanwhile(name: str, source: Any) -> None:
        await put(name, source)
        await owner.execute("DELETE FROM users WHERE account_id = $1", alice.account.id)

    app.job.files.put = meanwhile  # type: ignore[method-assign]  # somebody leaves at the worst moment
    await archives.write(app.job, ArchiveAsked(made.id))
    assert list(app.settings.files.rglob("*.zip")) == []


async def test_one_that_was_not_made_within_a_day_may_be_asked_for_again(
    app: App, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    lost = await ask(app, alice)
    await owner.execute("UPDATE archives SET created_at = parvis_now() - interval '25 hours'")
    await actions.forget_archives(app.job)
    again = await ask(app, alice)
    assert again.id != lost.id
    await archives.write(app.job, ArchiveAsked(lost.id))
    assert [one.ready_at for one in await mine(app, alice)] == [None]


async def test_a_file_that_is_lost_in_the_store_stops_nothing(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    await owner.execute(POSTS, alice.account.id, alice.account.uri, "Words ", 1)
    await owner.execute(
        """INSERT INTO media (account_id, status_id, kind, content_type, file)
           SELECT account_id, id, 'image', 'image/png', 'uploads/lost-lost-lost-lost.png' FROM statuses""")
    made = await ask(app, alice)
    await archives.write(app.job, ArchiveAsked(made.id))
    with zipfile.ZipFile(next(app.settings.files.rglob("*.zip"))) as parcel:
        assert not [name for name in parcel.namelist() if name.startswith("media_attachments")]
        assert json.loads(parcel.read("outbox.json"))["totalItems"] == 1
