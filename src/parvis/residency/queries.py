"""The SQL of residency."""

from __future__ import annotations

from parvis.base.db import Read, Tx
from parvis.residency.model import Attestation, Resident


async def resident(r: Read, account_id: int) -> Resident | None:
    """Where this account's owner lives now; None when nobody attests it."""
    return await r.one(
        Resident,
        """SELECT account_id, district, provider, attested_at, valid_until FROM residency.attestations
           WHERE account_id = $1 AND valid_until > parvis_now() AND is_resident($1, parvis_now())
           ORDER BY valid_until DESC LIMIT 1""",
        account_id,
    )


async def residents(r: Read) -> int:
    """How many people are attested to live here now."""
    return int(await r.value("SELECT residents()"))


async def attest(tx: Tx, said: Attestation) -> None:
    """Write an attestation down, or renew it."""
    await tx.run(
        """INSERT INTO residency.attestations (account_id, district, provider, valid_until) VALUES ($1, $2, $3, $4)
           ON CONFLICT (account_id, provider) DO UPDATE SET district = $2, valid_until = $4""",
        said.account_id, said.district, said.provider, said.until,
    )
