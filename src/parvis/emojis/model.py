"""What an emoji is."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Emoji(msgspec.Struct, frozen=True):
    """A small picture with a name: ours as files of the store, another server's by its address."""

    id: int
    shortcode: str
    domain: str | None
    file: str | None
    static_file: str | None
    remote_url: str | None
    static_url: str | None
    category: str | None
    visible_in_picker: bool
    updated_at: datetime | None


class Heard(msgspec.Struct, frozen=True):
    """An emoji as another server's document shows it."""

    shortcode: str
    url: str
    updated: datetime | None = None


class Drawing(msgspec.Struct, frozen=True):
    """A picture made fit to be an emoji: standing still, and as it was sent, when it moves."""

    still: bytes
    moving: bytes | None
    ending: str


class Kept(msgspec.Struct, frozen=True):
    """A drawing whose files are in the store."""

    file: str
    static_file: str

    @property
    def names(self) -> list[str]:
        """Its files, each once."""
        return list(dict.fromkeys((self.file, self.static_file)))
