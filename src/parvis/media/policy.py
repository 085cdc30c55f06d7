"""What may be uploaded, and what is made of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base import sniff
from parvis.base.errors import Invalid
from parvis.base.works import Bounds, Order, Size
from parvis.media.model import Media

IMAGE_BYTES = 16 * 1024 * 1024
FILE_BYTES = 99 * 1024 * 1024
PIXELS = 33_177_600
FILM_PIXELS = 8_294_400
FILM_RATE = 120
FILM_FRAMES = 36_000
SECONDS = 3 * 3600
DESCRIPTION = 10_000
LARGEST = (3840, 2160)
PREVIEW = (640, 360)
FILM = (1920, 1080)
SMOOTH = 60
TYPES = (
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "video/webm", "video/mp4", "video/quicktime",
    "audio/wave", "audio/wav", "audio/x-wav", "audio/x-pn-wave", "audio/vnd.wave", "audio/ogg", "audio/vorbis",
    "audio/mpeg", "audio/mp3", "audio/webm", "audio/flac", "audio/aac", "audio/m4a", "audio/x-m4a", "audio/mp4",
)
BOUNDS = Bounds(PIXELS, FILM_PIXELS, FILM_FRAMES, FILM_RATE, SECONDS)


def most_bytes(head: bytes) -> int:
    """99 MB of a film or a sound, as its first bytes say; 16 MB of anything else."""
    kind = sniff.content_type(head)
    return IMAGE_BYTES if kind is None or kind.startswith("image/") else FILE_BYTES


def may_upload(size: int, head: bytes) -> None:
    """Something, and not too much of it."""
    if size > most_bytes(head):
        raise Invalid("file", "too_large", limit=most_bytes(head))
    if size == 0:
        raise Invalid("file", "blank")


def order(box: Size = LARGEST, *, only_pictures: bool = False, quick: bool = False) -> Order:
    """What the workshop is asked for."""
    return Order(BOUNDS, box, PREVIEW, FILM, SMOOTH, FILE_BYTES, only_pictures, quick)


def may_go_together(files: Sequence[Media]) -> None:
    """A post shows pictures, or one film or sound; and only what is ready."""
    if any(file.state != "ready" for file in files):
        raise Invalid("media_ids", "media_not_ready")
    if len(files) > 1 and any(file.kind in ("video", "audio") for file in files):
        raise Invalid("media_ids", "media_mixed")


def description(text: str | None) -> str | None:
    """Alternative text: at most 10,000 characters, nothing rather than blanks."""
    if text is None or not text.strip():
        return None
    if len(text) > DESCRIPTION:
        raise Invalid("description", "too_long", limit=DESCRIPTION)
    return text.strip()


def focus(text: str | None) -> tuple[float, float]:
    """A focal point written "x,y", each between -1 and 1."""
    if not text:
        return (0.0, 0.0)
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise Invalid("focus", "invalid") from error
    if not (-1 <= x <= 1 and -1 <= y <= 1):
        raise Invalid("focus", "invalid")
    return (x, y)
