"""What is asked of the workshop, and what comes out of it. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Size = tuple[int, int]
Kind = Literal["image", "gifv", "video", "audio"]


class Bounds(msgspec.Struct, frozen=True):
    """How large what comes in may be."""

    pixels: int
    film_pixels: int
    frames: int
    rate: int
    seconds: int


class Order(msgspec.Struct, frozen=True):
    """What to make: pictures no larger than the box, films no larger than theirs; `quick` leaves films for later."""

    bounds: Bounds
    box: Size
    preview: Size
    film: Size
    film_rate: int
    film_bytes: int
    only_pictures: bool = False
    quick: bool = False


class Rations(msgspec.Struct, frozen=True):
    """What one order may use: bytes of memory, seconds of the processor, bytes a file, open files."""

    memory: int
    seconds: int
    written: int
    files: int = 64


class Picture(msgspec.Struct, frozen=True):
    """A picture that was made: the name of its file in the folder of the order, and what stands in while it loads."""

    file: str
    content_type: str
    width: int
    height: int


class Work(msgspec.Struct, frozen=True):
    """What was made of a file. Nothing of it but its kind, when it is a film and films were left for later."""

    kind: Kind
    file: Picture | None = None
    preview: Picture | None = None
    blurhash: str | None = None
    meta: dict[str, Any] = {}


class Unfit(Exception):
    """The file cannot be used; one word says why."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Told(msgspec.Struct, frozen=True):
    """What the process that did the work answers: what it made, or why it did not."""

    work: Work | None = None
    unfit: str | None = None


def fitted(size: Size, box: Size) -> Size:
    """A size that holds no more pixels than the box, whatever its shape."""
    width, height = size
    if width * height <= box[0] * box[1]:
        return size
    scale = (box[0] * box[1] / (width * height)) ** 0.5
    return max(1, int(width * scale)), max(1, int(height * scale))
