"""What several people write at one moment is one transaction; what fails is its author's alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parvis.base.db import Db, Tx
from parvis.base.errors import Refused

ADD = "INSERT INTO peers (domain) VALUES ($1)"


def adding(name: str, *, refused: bool = False) -> Callable[[Tx], Awaitable[tuple[str, int]]]:
    """A deed that adds a server, and tells in which transaction."""

    async def deed(tx: Tx) -> tuple[str, int]:
        await tx.run(ADD, name)
        if refused:
            raise Refused("never")
        return name, await tx.value("SELECT pg_current_xact_id()::text::bigint")

    return deed


async def domains(db: Db) -> set[str]:
    async with db.read() as r:
        return set(await r.values("SELECT domain FROM peers"))


async def test_who_comes_while_others_write_shares_the_next_commit(db: Db) -> None:
    made = await asyncio.gather(*(db.write_together(adding(f"s{number}.example")) for number in range(5)))
    assert [name for name, _ in made] == [f"s{number}.example" for number in range(5)]
    assert len({transaction for _, transaction in made}) < 5
    assert await domains(db) == {name for name, _ in made}


async def test_what_the_database_refuses_spoils_nobody_else_s(db: Db) -> None:
    names = ["a.example", "b.example", "a.example", "c.example"]  # a name can be added once
    made = await asyncio.gather(*(db.write_together(adding(name)) for name in names), return_exceptions=True)
    assert sum(isinstance(one, Exception) for one in made) == 1
    assert isinstance(made[0], Exception) or isinstance(made[2], Exception)
    assert await domains(db) == set(names)


async def test_deeds_that_wait_for_each_other_crosswise_are_all_done(db: Db) -> None:
    def locking(first: str, second: str) -> Callable[[Tx], Awaitable[None]]:
        async def deed(tx: Tx) -> None:
            await tx.lock(first)
            await asyncio.sleep(0.05)
            await tx.lock(second)
            await tx.run(ADD, f"{first}-{second}.example")

        return deed

    async def elsewhere() -> None:  # another process
        async with db.write() as tx:
            await locking("y", "x")(tx)

    async def here() -> None:
        await asyncio.gather(db.write_together(adding("z.example")), db.write_together(locking("x", "y")),
                             db.write_together(locking("x", "w")))

    (ours, _) = await asyncio.gather(here(), elsewhere(), return_exceptions=True)  # PostgreSQL ends one of the two
    assert ours is None
    assert {"z.example", "x-y.example", "x-w.example"} <= await domains(db)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), min_size=1, max_size=12))
async def test_each_is_done_once_or_refused_whatever_happens_to_the_others(db: Db, refused: list[bool]) -> None:
    before = await domains(db)
    start = len(before)
    deeds = [adding(f"n{start}x{number}.example", refused=no) for number, no in enumerate(refused)]
    made = await asyncio.gather(*(db.write_together(deed) for deed in deeds), return_exceptions=True)
    assert [isinstance(one, Refused) for one in made] == refused
    assert len(await domains(db)) == start + refused.count(False)


async def test_whoever_goes_away_has_still_said_it(db: Db) -> None:
    gone = asyncio.create_task(db.write_together(adding("gone.example")))
    stays = asyncio.create_task(db.write_together(adding("stays.example")))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await domains(db) == {"gone.example", "stays.example"}
