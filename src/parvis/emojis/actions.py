"""The deeds on emoji: this city draws its own, and hears of others'."""

from __future__ import annotations

import asyncio
import io
import secrets
import warnings
from collections.abc import Sequence

from PIL import Image, UnidentifiedImageError

from parvis.base.db import Tx
from parvis.base.errors import Invalid, NotFound
from parvis.base.files import Files
from parvis.emojis import policy, queries
from parvis.emojis.model import Drawing, Emoji, Heard, Kept

ENDINGS = {"PNG": "png", "GIF": "gif", "WEBP": "webp"}


def drawing(body: bytes) -> Drawing:
    """A picture of at most 256 KB, its first frame as PNG; one that moves is kept as it is beside that."""
    policy.may_draw(len(body))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(body), formats=tuple(ENDINGS))
            if opened.width * opened.height > policy.PIXELS:
                raise Invalid("file", "too_many_pixels", limit=policy.PIXELS)
            still = opened.convert("RGBA")
            still.thumbnail((policy.SIDE, policy.SIDE), Image.Resampling.LANCZOS)
            out = io.BytesIO()
            still.save(out, "PNG", optimize=True)
    except Invalid:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise Invalid("file", "not_an_image") from error
    moves = bool(getattr(opened, "is_animated", False))
    return Drawing(out.getvalue(), body if moves else None, ENDINGS[opened.format or "PNG"])


async def keep(files: Files, body: bytes) -> Kept:
    """Draw in a thread and put the files into the store. Outside any transaction."""
    made = await asyncio.to_thread(drawing, body)
    name = f"emojis/{secrets.token_urlsafe(16)}"
    kept = Kept(f"{name}.{made.ending}" if made.moving else f"{name}.small.png", f"{name}.small.png")
    await files.put(kept.static_file, made.still)
    if made.moving:
        await files.put(kept.file, made.moving)
    return kept


async def discard(files: Files, names: Sequence[str]) -> None:
    """Take files out of the store; one that is not there is as good as deleted."""
    await files.delete(names)


async def add(tx: Tx, shortcode: str, kept: Kept, category: str | None) -> list[str]:
    """Give this city an emoji, or draw one anew; the files that are of no use any more."""
    name = policy.shortcode(shortcode)
    before = await queries.ours(tx, name)
    await queries.put(tx, name, kept, policy.category(category))
    return _files(before)


async def remove(tx: Tx, shortcode: str) -> list[str]:
    """Take one of this city's emoji away; the files that are of no use any more."""
    name = policy.shortcode(shortcode)
    before = await queries.ours(tx, name)
    if before is None:
        raise NotFound("emoji")
    await queries.drop(tx, name)
    return _files(before)


def _files(emoji: Emoji | None) -> list[str]:
    return list(dict.fromkeys(name for name in (emoji.file, emoji.static_file) if name)) if emoji else []


async def learn(tx: Tx, domain: str | None, heard: Sequence[Heard]) -> None:
    """Hear of another server's emoji. Nothing is fetched: whoever sees them asks their own server for the picture."""
    if domain is not None and heard:
        await queries.learn(tx, domain, heard)
