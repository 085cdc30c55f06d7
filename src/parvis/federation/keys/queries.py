"""The SQL of Ed25519 keys."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parvis.base.db import Read, Tx
from parvis.federation.multikeys import Multikey


class Own(msgspec.Struct, frozen=True):
    """The key of somebody here; the private half opens only with this city's seal."""

    public_key: str
    private_key_sealed: bytes


async def own(r: Read, account_id: int) -> Own | None:
    """The key of somebody here, if they have one already."""
    return await r.one(
        Own,
        """SELECT public_key, private_key_sealed FROM actor_keys
           WHERE account_id = $1 AND private_key_sealed IS NOT NULL""",
        account_id,
    )


async def add_own(tx: Tx, account_id: int, key_id: str, new: Own) -> Own | None:
    """Give somebody here a key; the one they have, if another was quicker."""
    return await tx.one(
        Own,
        """INSERT INTO actor_keys (account_id, key_id, public_key, private_key_sealed) VALUES ($1, $2, $3, $4)
           ON CONFLICT (account_id, key_id) DO UPDATE SET key_id = EXCLUDED.key_id
           RETURNING public_key, private_key_sealed""",
        account_id, key_id, new.public_key, new.private_key_sealed,
    )


async def public(r: Read, account_id: int, key_id: str) -> str | None:
    """The key that an account publishes under this name, unless its time is over."""
    found: str | None = await r.value(
        """SELECT public_key FROM actor_keys
           WHERE account_id = $1 AND key_id = $2 AND (expires_at IS NULL OR expires_at > parvis_now())""",
        account_id, key_id,
    )
    return found


async def replace(tx: Tx, account_id: int, keys: Sequence[Multikey]) -> int:
    """Keep the keys that somebody elsewhere publishes now, and no others."""
    return await tx.run(
        """WITH given AS (SELECT * FROM unnest($2::text[], $3::text[], $4::timestamptz[]) g (key_id, public, expires)),
                gone AS (DELETE FROM actor_keys WHERE account_id = $1 AND key_id <> ALL ($2::text[]))
           INSERT INTO actor_keys (account_id, key_id, public_key, expires_at)
           SELECT $1::bigint, key_id, public, expires FROM given
           ON CONFLICT (account_id, key_id) DO UPDATE SET public_key = EXCLUDED.public_key,
               expires_at = EXCLUDED.expires_at
           WHERE (actor_keys.public_key, actor_keys.expires_at)
               IS DISTINCT FROM (EXCLUDED.public_key, EXCLUDED.expires_at)""",
        account_id, [one.id for one in keys], [one.public for one in keys], [one.expires for one in keys],
    )
