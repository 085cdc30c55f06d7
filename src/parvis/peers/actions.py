"""What we note about other servers."""

from __future__ import annotations

from parvis.base.db import Tx
from parvis.peers import queries


async def seen(tx: Tx, domain: str) -> None:
    """We have met this server: one of its people is known here now."""
    await queries.add(tx, domain)


async def heard_from(tx: Tx, domain: str) -> None:
    """This server is alive: something that it signed has just arrived."""
    await queries.hear(tx, domain)
