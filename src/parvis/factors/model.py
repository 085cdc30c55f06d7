"""What else than a password opens an account."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Factor(msgspec.Struct, frozen=True):
    """What else than a password somebody signs in with; a secret that was not proved yet has no date."""

    sealed: bytes
    proved_at: datetime | None
    last_step: int
    recovery_codes: int


class Passkey(msgspec.Struct, frozen=True):
    """A key in somebody's device, and what it is called."""

    id: int
    account_id: int
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    used_at: datetime | None


class Signed(msgspec.Struct, frozen=True):
    """What a browser signed, as it says."""

    clientDataJSON: str  # noqa: N815  # WebAuthn's own word


class Credential(msgspec.Struct, frozen=True):
    """As much of a browser's answer as is needed to find what was asked."""

    response: Signed


class Said(msgspec.Struct, frozen=True):
    """The question that was signed."""

    challenge: str
