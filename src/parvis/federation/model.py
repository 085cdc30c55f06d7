"""What happens between servers that is worth an event."""

from __future__ import annotations

import msgspec


class KeyDoubted(msgspec.Struct, frozen=True):
    """A request came that does not fit the key we know of its actor: perhaps the actor has a new one."""

    actor: str
