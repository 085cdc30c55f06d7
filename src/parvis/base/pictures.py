"""Pictures drawn anew from their pixels alone: upright, in sRGB, small enough, with nothing of what was written in."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import IO

import blurhash
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from parvis.base.works import Order, Picture, Size, Unfit, Work, fitted

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
LOSSLESS = ("PNG", "GIF")
BLUR = (32, 32)
HEAVY = 1_500_000
WRONG = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, ImageCms.PyCMSError, Warning,
         Image.DecompressionBombError)


def opened(source: IO[bytes], most: int) -> Image.Image:
    """A picture whose pixels are still to be read. Unfit when it is none, or has too many of them."""
    Image.MAX_IMAGE_PIXELS = None  # the bound is ours, and looked at before anything is decoded
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = Image.open(source, formats=FORMATS)
    except WRONG as error:
        raise Unfit("not_media") from error
    if found.width * found.height > most:
        raise Unfit("too_many_pixels")
    return found


def moves(image: Image.Image) -> bool:
    """Has it more than one frame?"""
    try:
        return bool(getattr(image, "is_animated", False))
    except WRONG as error:
        raise Unfit("not_media") from error


def upright(image: Image.Image, box: Size) -> Image.Image:
    """The pixels, as RGB or RGBA in sRGB, no more than the box holds, the right way up."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if image.format == "JPEG":
                image.draft(None, fitted(image.size, (box[0] * 2, box[1] * 2)))  # decodes large photos at a fraction
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            profile, made = image.info.get("icc_profile"), _plain(image)
            size = fitted(made.size, box)
            if size != made.size:
                made = made.resize(size, Image.Resampling.LANCZOS)
            return _bare(_in_srgb(made, profile))
    except WRONG as error:
        raise Unfit("not_media") from error


def _plain(image: Image.Image) -> Image.Image:
    """A mode that can be resized and encoded: palettes, greys of 16 bits and the like become colours."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.mode in ("RGB", "RGBA", "CMYK"):
        return image.convert("RGBA") if image.mode == "RGB" and "transparency" in image.info else image
    transparent = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    colours = image.convert("RGB") if image.mode == "RGBA" else image
    if profile:
        try:
            given, wanted = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            colours = ImageCms.profileToProfile(colours, given, wanted, outputMode="RGB") or colours
        except (ImageCms.PyCMSError, OSError, ValueError):
            colours = colours.convert("RGB")  # a broken profile says nothing
    colours = colours.convert("RGB")
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    return colours


def _bare(image: Image.Image) -> Image.Image:
    """The same pixels, without what a file said beside them: encoders would write it out again."""
    image.info.clear()
    image.getexif().clear()
    return image


def encoded(image: Image.Image, lossless: bool) -> tuple[bytes, str]:
    """The bytes and their ending: photos as JPEG; drawings as PNG unless that is heavy, and then JPEG or WebP."""
    transparent = image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)
    if transparent or lossless:
        out = io.BytesIO()
        image.save(out, "PNG")
        if out.tell() <= HEAVY:
            return out.getvalue(), "png"
    out = io.BytesIO()
    if transparent:
        image.save(out, "WEBP", quality=85, method=4)
        return out.getvalue(), "webp"
    image.convert("RGB").save(out, "JPEG", quality=85, optimize=True, progressive=True)
    return out.getvalue(), "jpg"


def written(image: Image.Image, folder: Path, name: str, *, lossless: bool) -> Picture:
    """A picture as a file of this name in the folder."""
    body, ending = encoded(image, lossless)
    (folder / f"{name}.{ending}").write_bytes(body)
    return Picture(f"{name}.{ending}", f"image/{ending}".replace("jpg", "jpeg"), image.width, image.height)


def blurred(image: Image.Image) -> str:
    """A handful of letters that look like the picture from afar."""
    tiny = image.convert("RGB").resize(BLUR)
    return str(blurhash.encode([[tiny.getpixel((x, y)) for x in range(BLUR[0])] for y in range(BLUR[1])], 4, 3))


def cover(image: Image.Image, folder: Path, order: Order) -> tuple[Picture, str]:
    """What stands for a film or a sound: a small picture and its blur."""
    small = image.resize(fitted(image.size, order.preview), Image.Resampling.LANCZOS)
    return written(small, folder, "small", lossless=False), blurred(small)


def still(image: Image.Image, folder: Path, order: Order) -> Work:
    """A picture, and a small one of it."""
    lossless = image.format in LOSSLESS
    large = upright(image, order.box)
    small = large.resize(fitted(large.size, order.preview), Image.Resampling.LANCZOS)
    file = written(large, folder, "original", lossless=lossless)
    return Work("image", file, written(small, folder, "small", lossless=lossless), blurred(small))


def colours(image: Image.Image) -> dict[str, str]:
    """What a player paints around a cover: the most of it, what can be read on that, and its liveliest colour."""
    few = image.convert("RGB").resize((64, 64)).quantize(8).convert("RGB").getcolors() or []
    ranked = [shade for _, shade in sorted(few, key=lambda one: -one[0]) if isinstance(shade, tuple)]
    if not ranked:
        return {}
    back = ranked[0]
    light = 0.299 * back[0] + 0.587 * back[1] + 0.114 * back[2] > 140
    lively = max(ranked, key=lambda shade: max(shade) - min(shade))
    named = {"background": back, "foreground": (0, 0, 0) if light else (255, 255, 255), "accent": lively}
    return {name: "#{:02x}{:02x}{:02x}".format(*shade[:3]) for name, shade in named.items()}
