"""The SQL of second factors."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.factors.model import Factor, Passkey

PASSKEY = "id, account_id, public_key, sign_count, name, created_at, used_at"


async def factor(r: Read, account_id: int) -> Factor | None:
    """What else somebody signs in with."""
    return await r.one(
        Factor,
        """SELECT sealed, proved_at, last_step,
                  (SELECT count(*) FROM recovery_codes c WHERE c.account_id = u.account_id)::int
           FROM totps u WHERE account_id = $1""",
        account_id,
    )


async def put_totp(tx: Tx, account_id: int, sealed: bytes) -> int:
    """Another secret, not proved yet."""
    return await tx.run(
        """INSERT INTO totps (account_id, sealed) VALUES ($1, $2)
           ON CONFLICT (account_id) DO UPDATE SET sealed = EXCLUDED.sealed, proved_at = NULL, last_step = 0""",
        account_id, sealed,
    )


async def prove_totp(tx: Tx, account_id: int) -> int:
    """From now on a code is asked for."""
    return await tx.run("UPDATE totps SET proved_at = parvis_now() WHERE account_id = $1", account_id)


async def use_step(tx: Tx, account_id: int, step: int) -> bool:
    """Use a code up; False when it, or a later one, was used before."""
    return bool(
        await tx.run("UPDATE totps SET last_step = $2 WHERE account_id = $1 AND last_step < $2", account_id, step)
    )


async def put_recovery_codes(tx: Tx, account_id: int, hashes: Sequence[bytes]) -> int:
    """These codes, and none of those before."""
    return await tx.run(
        """WITH gone AS (DELETE FROM recovery_codes WHERE account_id = $1)
           INSERT INTO recovery_codes (account_id, code_hash) SELECT $1, unnest($2::bytea[])""",
        account_id, list(hashes),
    )


async def use_recovery_code(tx: Tx, account_id: int, code_hash: bytes) -> bool:
    """Use a code up; False when there is none such."""
    return bool(
        await tx.run("DELETE FROM recovery_codes WHERE account_id = $1 AND code_hash = $2", account_id, code_hash)
    )


async def add_sign_in(tx: Tx, token_hash: bytes, account_id: int | None) -> bool:
    """Note a sign-in on its way for ten minutes; False when it was noted before."""
    return bool(
        await tx.run(
            """INSERT INTO sign_ins (token_hash, account_id, due_at)
               VALUES ($1, $2, parvis_now() + interval '10 minutes') ON CONFLICT DO NOTHING""",
            token_hash, account_id,
        )
    )


async def try_sign_in(tx: Tx, token_hash: bytes, most: int) -> int | None:
    """Count a try; whose sign-in it is, or None when there is none, or too many tries were made."""
    found: int | None = await tx.value(
        """UPDATE sign_ins SET tries = tries + 1
           WHERE token_hash = $1 AND due_at > parvis_now() AND tries < $2 RETURNING account_id""",
        token_hash, most,
    )
    return found


async def drop_sign_in(tx: Tx, token_hash: bytes) -> int:
    """The sign-in is done."""
    return await tx.run("DELETE FROM sign_ins WHERE token_hash = $1", token_hash)


async def add_passkey(
    tx: Tx, account_id: int, credential_id: bytes, public_key: bytes, sign_count: int, name: str
) -> bool:
    """Insert a passkey; False when it is known."""
    return bool(
        await tx.run(
            """INSERT INTO passkeys (account_id, credential_id, public_key, sign_count, name)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
            account_id, credential_id, public_key, sign_count, name,
        )
    )


async def passkeys(r: Read, account_id: int) -> list[Passkey]:
    """Somebody's passkeys."""
    return await r.all(Passkey, f"SELECT {PASSKEY} FROM passkeys WHERE account_id = $1 ORDER BY id", account_id)


async def passkey(r: Read, credential_id: bytes) -> Passkey | None:
    """The passkey with that id."""
    return await r.one(Passkey, f"SELECT {PASSKEY} FROM passkeys WHERE credential_id = $1", credential_id)


async def use_passkey(tx: Tx, passkey_id: int, sign_count: int) -> int:
    """Note that a passkey was used, and how often it says it was."""
    return await tx.run(
        "UPDATE passkeys SET sign_count = $2, used_at = parvis_now() WHERE id = $1", passkey_id, sign_count
    )


async def drop_passkey(tx: Tx, account_id: int, passkey_id: int) -> int:
    """Remove one of somebody's passkeys."""
    return await tx.run("DELETE FROM passkeys WHERE account_id = $1 AND id = $2", account_id, passkey_id)


async def drop_totp(tx: Tx, account_id: int) -> int:
    """No secret any more."""
    return await tx.run("DELETE FROM totps WHERE account_id = $1", account_id)


async def drop_old(tx: Tx) -> int:
    """Drop sign-ins that were left half-made."""
    return await tx.run("DELETE FROM sign_ins WHERE due_at < parvis_now()")
