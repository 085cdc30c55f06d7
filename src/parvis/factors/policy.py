"""Which code is right. Pure."""

from __future__ import annotations

import hmac

import pyotp

TRIES = 5
"""After so many wrong codes the password is asked again."""


def step(secret: str, code: str, now: int) -> int | None:
    """Which half-minute a code belongs to: this one, the one before or the next (RFC 6238 §5.2); None for none."""
    totp = pyotp.TOTP(secret)
    around = (now // 30 + offset for offset in (0, -1, 1))
    return next((one for one in around if hmac.compare_digest(totp.at(one * 30).encode(), code.encode())), None)


def plain(code: str) -> str:
    """A code as it is compared: people type spaces, dashes and capitals."""
    return "".join(letter for letter in code.lower() if letter.isalnum())
