"""What is over is forgotten by the schedule."""

from __future__ import annotations

from typing import Any

import asyncpg

from conftest import Person
from parvis import wiring
from parvis.access import actions as access
from parvis.access import queries
from parvis.app import App


async def test_codes_and_browsers_whose_time_is_over_are_forgotten_by_the_schedule(
    app: App, alice: Person, owner: asyncpg.Connection[Any]
) -> None:
    async with app.db.write() as tx:
        made = await access.register_application(tx, "Tusk", None, [access.policy.OOB], "read")
        for name in (b"old", b"new"):
            await queries.add_session(tx, name, alice.account.id, "csrf", "")
            await queries.add_code(tx, name, made.application.id, alice.account.id, access.policy.OOB, (["read"], None))
    await owner.execute("UPDATE sessions SET due_at = parvis_now() - interval '1 second' WHERE token_hash = 'old'")
    await owner.execute("UPDATE authorization_codes SET due_at = parvis_now() - interval '2 hours' WHERE code_hash = 'old'")
    deed = next(deed for every, deed in wiring.SCHEDULE if deed is access.forget_old and every <= 3600)
    await deed(app.job)
    for table, column in (("sessions", "token_hash"), ("authorization_codes", "code_hash")):
        assert [row[0] for row in await owner.fetch(f"SELECT {column} FROM {table}")] == [b"new"], table
