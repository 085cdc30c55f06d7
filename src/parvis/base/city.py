"""The city's own row: what it was founded as, and in a --dev city how far its clock was moved. The owner writes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from parvis.base.db import Read, Tx
from parvis.base.settings import Settings


class City(msgspec.Struct, frozen=True):
    """What is fixed for good at the founding: every address ever given out has the origin in it."""

    origin: str
    handle_domain: str
    dev: bool


class OtherCity(Exception):  # read aloud at the prompt
    """The database belongs to a city founded otherwise; one sentence."""


async def city(r: Read) -> City | None:
    """The city this database was founded for."""
    return await r.one(City, "SELECT origin, handle_domain, dev FROM city")


async def founded(owner_url: str) -> bool:
    """Is there a city in this database, or is it empty?"""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(owner_url)
    try:
        return bool(await connection.fetchval("SELECT to_regclass('city') IS NOT NULL"))
    finally:
        await connection.close()


async def clock_ahead(r: Read) -> timedelta:
    """How far the city's clock is ahead of the machine's."""
    ahead: timedelta = await r.value("SELECT coalesce(max(ahead), interval '0') FROM clock_offset")
    return ahead


async def found(tx: Tx, settings: Settings) -> bool:
    """Record what the city is founded as; False when it was before."""
    return bool(
        await tx.run(
            "INSERT INTO city (origin, handle_domain, dev) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            settings.base, settings.domain, settings.dev,
        )
    )


async def advance_clock(tx: Tx, by: timedelta) -> None:
    """Move the city's clock forward."""
    await set_clock(tx, await clock_ahead(tx) + by)


async def set_clock(tx: Tx, ahead: timedelta) -> None:
    """Set the city's clock: how a seed writes a history. Zero is the machine's own time."""
    await tx.run("DELETE FROM clock_offset")
    if ahead:
        await tx.run("INSERT INTO clock_offset (ahead) VALUES ($1)", ahead)


def compared(found: City, settings: Settings) -> None:
    """OtherCity when these settings are not those the city was founded with."""
    if found.origin != settings.base:
        raise OtherCity(
            f"This city was founded as {found.origin} and all its addresses say so: it cannot become {settings.base}."
        )
    if found.handle_domain != settings.domain:
        raise OtherCity(
            f"People here are called @name@{found.handle_domain}: that domain cannot become {settings.domain}."
        )
    if found.dev != settings.dev:
        asked, was = ("with", "without") if settings.dev else ("without", "with")
        raise OtherCity(f"This city was founded {was} --dev and cannot be served {asked} it.")


async def founded_at(r: Read) -> datetime:
    """Since when there is this city; this moment where nobody has founded one."""
    found: datetime | None = await r.value("SELECT founded_at FROM city")
    return found or r.now
