"""What may be uploaded. Pure."""

from __future__ import annotations

from parvis.base.errors import Invalid

BYTES = 16 * 1024 * 1024
PIXELS = 33_177_600
DESCRIPTION = 10_000
TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/avif")


def may_upload(size: int) -> None:
    """At most 16 MB."""
    if size > BYTES:
        raise Invalid("file", "too_large", limit=BYTES)
    if size == 0:
        raise Invalid("file", "blank")


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
