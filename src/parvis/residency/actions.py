"""The deeds of residency."""

from __future__ import annotations

from datetime import datetime

from parvis.base.db import Tx
from parvis.base.errors import Invalid, NotFound
from parvis.residency import queries
from parvis.residency.model import Attestation, Provider


async def attest(tx: Tx, account_id: int, district: str, until: datetime, provider: str = "operator") -> None:
    """Say that the owner of an account lives in a district until a date; saying it again renews it."""
    if not district.strip():
        raise Invalid("district", "ERR_BLANK")
    if until <= tx.now:
        raise Invalid("until", "ERR_PAST")
    await queries.attest(tx, Attestation(account_id, district.strip(), provider, until))


async def ask(tx: Tx, provider: Provider, account_id: int) -> None:
    """Take a provider's word; NotFound when it has none on this account."""
    said = await provider.attestation(account_id)
    if said is None:
        raise NotFound("attestation", provider=provider.name)
    await attest(tx, said.account_id, said.district, said.until, provider.name)
