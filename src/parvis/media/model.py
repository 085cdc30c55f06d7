"""What an attached file is."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["image", "gifv", "video", "audio", "unknown"]


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


class Picture(msgspec.Struct, frozen=True):
    """An image made fit to be shown: its bytes, a small one, and what stands in for it while it loads."""

    content_type: str
    body: bytes
    width: int
    height: int
    preview: bytes
    preview_width: int
    preview_height: int
    blurhash: str


class Kept(msgspec.Struct, frozen=True):
    """A picture whose files are in the store."""

    file: str
    preview_file: str
    picture: Picture
