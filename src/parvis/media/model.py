"""What an attached file is."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from parvis.base.works import Picture, Work

Kind = Literal["image", "gifv", "video", "audio", "unknown"]
State = Literal["waiting", "ready", "failed"]


class Media(msgspec.Struct, frozen=True):
    """A file of a post, kept here or on another server."""

    id: int
    account_id: int
    status_id: int | None
    kind: Kind
    content_type: str
    file: str | None
    preview_file: str | None
    remote_url: str | None
    width: int | None
    height: int | None
    preview_width: int | None
    preview_height: int | None
    description: str | None
    focus_x: float
    focus_y: float
    blurhash: str | None
    state: State
    failure: str | None
    raw_file: str | None
    preview_remote_url: str | None
    meta: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """All it has in the store."""
        return [name for name in (self.file, self.preview_file, self.raw_file) if name]


class Kept(msgspec.Struct, frozen=True):
    """What was made of a file, and the names under which it is in the store."""

    file: str
    preview_file: str | None
    work: Work


class Cover(msgspec.Struct, frozen=True):
    """A small picture that stands for a file instead of the one that was made."""

    file: str
    picture: Picture
    blurhash: str | None


class Raw(msgspec.Struct, frozen=True):
    """A film, sound or moving picture as it came; it waits in the store for a worker."""

    file: str
    kind: Kind
    size: int


class Said(msgspec.Struct, frozen=True):
    """What its owner says of a file."""

    description: str | None = None
    focus: tuple[float, float] = (0.0, 0.0)
    cover: Cover | None = None


class Uploaded(msgspec.Struct, frozen=True):
    """A file came in that takes a while to be made ready."""

    media: int
