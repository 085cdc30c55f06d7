"""Ids are made in SQL by parvis_id(): 48 bits of milliseconds, 16 of a sequence. Here they are only read."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

LARGEST = 2**63 - 1


def moment(number: int) -> datetime:
    """When an id was made."""
    return datetime.fromtimestamp((number >> 16) / 1000, UTC)


def smallest_at(when: datetime) -> int:
    """The lowest id that could have been made at a moment: the edge of a window in a timeline."""
    return int(when.timestamp() * 1000) << 16


def parsed(text: str) -> int | None:
    """A client's id as a number, or None when it can be no id of ours."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if number <= LARGEST else None


class Page(msgspec.Struct, frozen=True):
    """Which stretch of a list a client asks for: exclusive bounds, newest first."""

    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
    limit: int = 20

    @property
    def before(self) -> int:
        """Only rows below this id."""
        return LARGEST if self.max_id is None else self.max_id

    @property
    def after(self) -> int:
        """Only rows above this id."""
        return max(self.min_id or 0, self.since_id or 0)

    @property
    def upwards(self) -> bool:
        """With min_id the rows nearest above it are wanted, not the newest ones."""
        return self.min_id is not None


def both_ways(sql: str) -> tuple[str, str]:
    """A statement that pages downwards (marked `DESC /*page*/`), and the same one upwards."""
    return sql.replace(" /*page*/", ""), sql.replace("DESC /*page*/", "ASC")
