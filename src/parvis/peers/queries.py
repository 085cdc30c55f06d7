"""The SQL of other servers."""

from __future__ import annotations

from parvis.base.db import Read, Tx


async def add(tx: Tx, domain: str) -> int:
    """Insert a server; 0 when we have met it before."""
    return await tx.run("INSERT INTO peers (domain) VALUES ($1) ON CONFLICT DO NOTHING", domain)


async def hear(tx: Tx, domain: str) -> int:
    """Write that a server has spoken; at most once a minute, so that a busy server's row stays cool."""
    return await tx.run(
        """INSERT INTO peers (domain, heard_at) VALUES ($1, parvis_now())
           ON CONFLICT (domain) DO UPDATE SET heard_at = EXCLUDED.heard_at
           WHERE peers.heard_at IS NULL OR peers.heard_at < EXCLUDED.heard_at - interval '1 minute'""",
        domain,
    )


async def domains(r: Read) -> list[str]:
    """Every server this city has met."""
    return await r.values("SELECT domain FROM peers ORDER BY domain")


async def like(r: Read, text: str, limit: int) -> list[str]:
    """The servers whose domain contains a text, those that begin with it first."""
    return await r.values(
        """SELECT domain FROM peers WHERE position($1 IN domain) > 0
           ORDER BY position($1 IN domain), length(domain), domain LIMIT $2""",
        text, limit,
    )
