"""A post is found by its page, whether it is of this city or of another."""

from __future__ import annotations

from typing import Any

import asyncpg

from conftest import Person
from parvis.app import App
from parvis.statuses import queries


async def test_a_post_is_found_by_its_page_and_only_by_its_own(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    said = (await alice.post("/api/v1/statuses", json={"status": "Bonjour"})).json()
    far = "https://ailleurs.example/@bela/7"
    number = await owner.fetchval(
        """INSERT INTO statuses (account_id, uri, url, local, visibility, conversation_id)
           VALUES ($1, 'https://ailleurs.example/notes/7', $2, false, 'public', 1) RETURNING id""", alice.account.id, far)
    async with app.db.read() as r:
        for url, wanted in ((said["url"], int(said["id"])), (far, number), (f"{far}8", None), (said["url"] + "0", None),
                            (f"https://ailleurs.example/@alice/{said['id']}", None), ("", None), ("9" * 40, None), ("/" + "9" * 30, None)):
            found = await queries.by_url(r, url)
            assert (found.id if found else None) == wanted, url
