"""What we note about other servers."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Tx
from parvis.peers import queries
from parvis.peers.model import CameBack


async def seen(tx: Tx, domain: str) -> None:
    """We have met this server: one of its people is known here now."""
    await queries.add(tx, domain)


async def heard_from(tx: Tx, domain: str) -> None:
    """This server is alive: something that it signed has just arrived."""
    if await queries.hear(tx, domain):
        await tx.emit(CameBack(domain))


async def went_away(tx: Tx, domains: Sequence[str]) -> None:
    """Nothing could be brought to these servers for a week: nothing is written for them until they are heard from."""
    await queries.leave(tx, domains)


async def came_back(tx: Tx, domain: str) -> None:
    """This server has answered: it is there again."""
    if await queries.come_back(tx, domain):
        await tx.emit(CameBack(domain))
