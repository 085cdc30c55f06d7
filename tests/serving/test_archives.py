"""An archive takes no more memory for more posts."""

from __future__ import annotations

import gc
import json
import tracemalloc
import zipfile
from typing import Any

import asyncpg

from conftest import Person
from db.test_archives import POSTS, ask, mine
from parvis.app import App
from parvis.federation import archives
from parvis.portability.model import ArchiveAsked

FEW, MANY = 150, 1500
LONG = "Une phrase assez longue pour compter. " * 60


async def test_many_posts_take_no_more_memory_than_few(
    app: App, alice: Person, bela: Person, owner: asyncpg.Connection[Any]
) -> None:
    peaks, sizes = [], []
    for person, number in ((alice, FEW), (bela, MANY)):
        await owner.execute(POSTS, person.account.id, person.account.uri, LONG, number)
        await owner.execute(
            "INSERT INTO favourites (account_id, status_id) SELECT $1, id FROM statuses WHERE account_id = $1", person.account.id)
        made = await ask(app, person)
        if person is alice:  # what is kept for good after the first time, as prepared statements, is not counted
            await archives.write(app.job, ArchiveAsked(made.id))
            await owner.execute("UPDATE archives SET file = NULL, ready_at = NULL WHERE id = $1", made.id)
        gc.collect()
        tracemalloc.start()
        await archives.write(app.job, ArchiveAsked(made.id))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        with zipfile.ZipFile(app.settings.files / str((await mine(app, person))[0].file)) as parcel:
            assert json.loads(parcel.read("outbox.json"))["totalItems"] == number
            assert json.loads(parcel.read("likes.json"))["totalItems"] == number
            sizes.append(parcel.getinfo("outbox.json").file_size)
    assert sizes[1] - sizes[0] > 5_000_000
    assert peaks[1] - peaks[0] < 200_000, peaks
