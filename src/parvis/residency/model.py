"""What is known of a resident, and who may attest it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec


class Resident(msgspec.Struct, frozen=True):
    """A valid attestation, at the moment of asking."""

    account_id: int
    district: str
    provider: str
    attested_at: datetime
    valid_until: datetime


class Attestation(msgspec.Struct, frozen=True):
    """What a provider says: this account's owner lives in this district until then."""

    account_id: int
    district: str
    provider: str
    until: datetime


class Provider(Protocol):
    """Someone whose word on residency the city accepts: the operator now; a letter, a counter, a partner later."""

    @property
    def name(self) -> str:
        """Under which name its word is kept."""

    async def attestation(self, account_id: int) -> Attestation | None:
        """What it can say of this account, or nothing."""


class Operator(msgspec.Struct, frozen=True):
    """The operator at the command line, who has seen a proof and writes down what it showed."""

    district: str
    until: datetime
    name: str = "operator"

    async def attestation(self, account_id: int) -> Attestation | None:
        """What the operator typed."""
        return Attestation(account_id, self.district, self.name, self.until)
