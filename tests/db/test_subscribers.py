"""Who is asked to confirm, how often, and that each letter is made once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from conftest import Person, settle_in
from parvis.app import App
from parvis.base.errors import Invalid, NotFound
from parvis.notifications.channels import queries, subscribers
from parvis.notifications.model import NewsDue

VERA = "vera@visitor.example"


async def ahead(app: App, owner: asyncpg.Connection[Any], **by: float) -> None:
    app.clock.offset += timedelta(**by)
    await owner.execute("DELETE FROM clock_offset")
    await owner.execute("INSERT INTO clock_offset (ahead) VALUES ($1)", app.clock.offset)


async def offering(app: App, owner: asyncpg.Connection[Any], name: str) -> Person:
    person = await settle_in(app, name)
    await owner.execute("UPDATE accounts SET email_subscriptions = true WHERE id = $1", person.account.id)
    return person


async def asked(app: App, owner: asyncpg.Connection[Any], person: Person, email: str) -> int:
    """Ask, and count how many letters are then waiting to be sent in all."""
    async with app.db.write() as tx:
        await subscribers.subscribe(tx, person.account, email, "en")
    found: int = await owner.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint LIKE '%subscribers.send_confirmation'")
    return found


async def test_a_mailbox_is_asked_rarely_however_often_somebody_types_it(app: App, owner: asyncpg.Connection[Any]) -> None:
    hall = await offering(app, owner, "hall")
    assert await asked(app, owner, hall, VERA) == 1
    assert await asked(app, owner, hall, "VERA@visitor.example") == 1
    await ahead(app, owner, minutes=59)
    assert await asked(app, owner, hall, VERA) == 1
    for expected in (2, 3, 3, 3):
        await ahead(app, owner, minutes=61)
        assert await asked(app, owner, hall, VERA) == expected
    assert await owner.fetchval("SELECT count(*) FROM email_subscribers") == 1


async def test_a_mailbox_is_asked_for_three_accounts_at_a_time(app: App, owner: asyncpg.Connection[Any]) -> None:
    people = [await offering(app, owner, name) for name in ("hall", "library", "pool", "theatre")]
    assert [await asked(app, owner, one, VERA) for one in people] == [1, 2, 3, 3]
    await owner.execute("UPDATE email_subscribers SET confirmed_at = now() WHERE account_id = $1", people[0].account.id)
    assert await asked(app, owner, people[0], VERA) == 3  # who receives them is not asked again
    assert await asked(app, owner, people[3], VERA) == 4


async def test_addresses_that_are_kept_out_are_not_written_to_and_nobody_learns_of_it(
    app: App, mona: Person, owner: asyncpg.Connection[Any]
) -> None:
    hall = await offering(app, owner, "hall")
    made = await mona.post("/api/v1/admin/email_domain_blocks", json={"domain": "spam.example", "comment": "Throwaway"})
    assert made.status == 200, made.text
    made = await mona.post("/api/v1/admin/canonical_email_blocks", json={"email": "vera@visitor.example", "comment": "Asked for it"})
    assert made.status == 200, made.text
    for email in ("x@spam.example", "x@mail.spam.example", "V.era+news@visitor.example"):
        assert await asked(app, owner, hall, email) == 0, email
    assert await owner.fetchval("SELECT count(*) FROM email_subscribers") == 0
    assert await asked(app, owner, hall, "otto@visitor.example") == 1


async def test_only_people_of_this_city_who_offer_it_can_be_subscribed_to(app: App, alice: Person, owner: asyncpg.Connection[Any]) -> None:
    with pytest.raises(NotFound):
        await asked(app, owner, alice, VERA)
    hall = await offering(app, owner, "hall")
    with pytest.raises(Invalid):
        await asked(app, owner, hall, "nonsense")
    for wish in ("UPDATE users SET disabled_at = now()", "UPDATE accounts SET suspended_at = now()"):
        await owner.execute(wish)
        with pytest.raises(NotFound):
            await asked(app, owner, hall, VERA)
        await owner.execute(wish.replace("now()", "NULL"))
    assert await asked(app, owner, hall, VERA) == 1


async def test_each_letter_of_a_post_becomes_a_job_once_even_when_the_spreading_is_done_again(
    app: App, owner: asyncpg.Connection[Any]
) -> None:
    hall = await offering(app, owner, "hall")
    await owner.execute(
        """INSERT INTO email_subscribers (account_id, email, confirmed_at)
           SELECT $1, 'v' || n || '@visitor.example', CASE WHEN n % 5 > 0 THEN now() END FROM generate_series(1, 250) n""", hall.account.id)
    said = int((await hall.post("/api/v1/statuses", json={"status": "For two hundred"})).json()["id"])
    async with app.db.write() as tx:  # a worker that died after the first hundred
        first = await queries.next_subscribers(tx, said, 100)
    async with app.db.write() as tx:
        second = await queries.next_subscribers(tx, said, 100)
    assert (len(first), len(second), len({*first, *second})) == (100, 100, 200)
    await owner.execute("UPDATE news_due SET after = $1", first[-1])
    jobs = "SELECT count(*) FROM pgqueuer WHERE entrypoint LIKE '%subscribers.send'"
    for _ in range(2):
        await subscribers.spread(app.job, NewsDue(said))
        assert await owner.fetchval(jobs) == 100
    assert await owner.fetchval("SELECT count(*) FROM news_due") == 0


async def test_a_post_without_readers_by_letter_leaves_nothing(app: App, owner: asyncpg.Connection[Any]) -> None:
    hall = await offering(app, owner, "hall")
    await asked(app, owner, hall, VERA)  # not confirmed
    await hall.post("/api/v1/statuses", json={"status": "For nobody"})
    assert await owner.fetchval("SELECT count(*) FROM news_due") == 0
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint LIKE '%subscribers.spread'") == 0
