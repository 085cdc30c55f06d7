"""The SQL of relays."""

from __future__ import annotations

import msgspec

from parvis.base.db import Read, Tx

RELAY = "id, actor, account_id, state"


class Relay(msgspec.Struct, frozen=True):
    """A relay that this city has asked, and what it said."""

    id: int
    actor: str
    account_id: int | None
    state: str


async def ask(tx: Tx, actor: str) -> int | None:
    """Insert a relay; None when it was asked before."""
    found: int | None = await tx.value(
        "INSERT INTO relays (actor) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id", actor
    )
    return found


async def leave(tx: Tx, actor: str) -> Relay | None:
    """Remove a relay; what it was."""
    return await tx.one(Relay, f"DELETE FROM relays WHERE actor = $1 RETURNING {RELAY}", actor)


async def known(r: Read) -> list[Relay]:
    """Every relay, the one asked first first."""
    return await r.all(Relay, f"SELECT {RELAY} FROM relays ORDER BY id")


async def by_id(r: Read, relay_id: int) -> Relay | None:
    """One relay."""
    return await r.one(Relay, f"SELECT {RELAY} FROM relays WHERE id = $1", relay_id)


async def meet(tx: Tx, relay_id: int, account_id: int) -> bool:
    """Write which account a relay is; False when that is known, or it was removed meanwhile."""
    return bool(
        await tx.run("UPDATE relays SET account_id = $2 WHERE id = $1 AND account_id IS NULL", relay_id, account_id)
    )


async def answer(tx: Tx, account_id: int, accepted: bool) -> bool:
    """Write what a relay says; False for whoever was not asked."""
    return bool(
        await tx.run(
            """UPDATE relays SET state = CASE WHEN $2::boolean THEN 'accepted' ELSE 'refused' END
               WHERE account_id = $1""",
            account_id, accepted,
        )
    )


async def agreed(r: Read, account_id: int) -> bool:
    """Is this a relay that agreed?"""
    return bool(
        await r.value("SELECT EXISTS (SELECT FROM relays WHERE account_id = $1 AND state = 'accepted')", account_id)
    )


async def inboxes(r: Read) -> list[str]:
    """Where public posts are brought so that they are passed on."""
    return await r.values(
        """SELECT a.inbox_url FROM relays JOIN accounts a ON a.id = relays.account_id
           WHERE relays.state = 'accepted' AND a.suspended_at IS NULL AND a.deleted_at IS NULL AND a.inbox_url <> ''"""
    )
