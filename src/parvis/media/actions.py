"""Taking a picture in: decode, turn upright, strip, make smaller, make its blur; then the store, then the row."""

from __future__ import annotations

import asyncio
import io
import secrets
import warnings

import blurhash
from PIL import Image, ImageOps, UnidentifiedImageError

from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Invalid, NotFound
from parvis.base.files import Files
from parvis.base.jobs import Job
from parvis.media import policy, queries
from parvis.media.model import Kept, Media, Picture

LARGEST = (3840, 2160)
PREVIEW = (640, 360)
BLUR = (32, 32)
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")


def _fit(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Made smaller to hold no more pixels than the box, whatever its shape."""
    pixels = box[0] * box[1]
    if image.width * image.height <= pixels:
        return image
    scale = (pixels / (image.width * image.height)) ** 0.5
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _encoded(image: Image.Image, transparent: bool) -> bytes:
    out = io.BytesIO()
    if transparent:
        image.save(out, "PNG", optimize=True)
    else:
        image.save(out, "JPEG", quality=85, optimize=True, progressive=True)
    return out.getvalue()


def picture(body: bytes, box: tuple[int, int] = LARGEST) -> Picture:
    """An image re-encoded without anything its camera wrote into it. Invalid when it is none, or a bomb."""
    policy.may_upload(len(body))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(body), formats=FORMATS)
            if opened.width * opened.height > policy.PIXELS:
                raise Invalid("file", "too_many_pixels", limit=policy.PIXELS)
            upright = ImageOps.exif_transpose(opened)
            transparent = "A" in upright.getbands() or "transparency" in upright.info
            image = _fit(upright.convert("RGBA" if transparent else "RGB"), box)
    except Invalid:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise Invalid("file", "not_an_image") from error
    small = _fit(image, PREVIEW)
    tiny = small.convert("RGB").resize(BLUR)
    pixels = [[tiny.getpixel((x, y)) for x in range(BLUR[0])] for y in range(BLUR[1])]
    return Picture(
        "image/png" if transparent else "image/jpeg", _encoded(image, transparent), image.width, image.height,
        _encoded(small, transparent), small.width, small.height, blurhash.encode(pixels, 4, 3),
    )


async def keep(files: Files, kind: str, body: bytes, box: tuple[int, int] = LARGEST) -> Kept:
    """Decode in a thread and put both sizes into the store. Outside any transaction."""
    made = await asyncio.to_thread(picture, body, box)
    ending = made.content_type.removeprefix("image/").replace("jpeg", "jpg")
    name = f"{kind}/{secrets.token_urlsafe(16)}"
    kept = Kept(f"{name}.{ending}", f"{name}.small.{ending}", made)
    await files.put(kept.file, made.body)
    await files.put(kept.preview_file, made.preview)
    return kept


async def upload(tx: Tx, by: Account, kept: Kept, description: str | None, focus: str | None) -> Media:
    """Give a picture in the store to the account that sent it."""
    media_id = await queries.add(tx, by.id, kept, policy.description(description), policy.focus(focus))
    return await own(tx, media_id, by.id)


async def own(r: Read, media_id: int, account_id: int) -> Media:
    """A file of one's own; NotFound otherwise."""
    found = await queries.by_id(r, media_id, account_id)
    if found is None:
        raise NotFound("media")
    return found


async def describe(tx: Tx, by: Account, media_id: int, description: str | None, focus: str | None) -> Media:
    """Say what a picture shows, and where its heart is."""
    before = await own(tx, media_id, by.id)
    point = policy.focus(focus) if focus is not None else (before.focus_x, before.focus_y)
    text = before.description if description is None else policy.description(description)
    await queries.describe(tx, media_id, by.id, text, point)
    return await own(tx, media_id, by.id)


async def discard(files: Files, names: list[str]) -> None:
    """Take files out of the store; one that is not there is as good as deleted."""
    await files.delete(names)


async def forget_stale(job: Job) -> bool:
    """Delete uploads that no post took within a day."""
    async with job.db.write() as tx:
        gone = await queries.stale(tx)
    await discard(job.files, [name for media in gone for name in (media.file, media.preview_file) if name])
    return len(gone) >= 200
