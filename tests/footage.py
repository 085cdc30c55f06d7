"""Pictures, films and sounds that tests take in: made here, with everything in them that must not survive."""

from __future__ import annotations

import io
import zlib
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from PIL import Image, ImageCms, PngImagePlugin

SECRET = "Maison de Lucie, 48.8584 N"


def photo(width: int = 3000, height: int = 2000, orientation: int = 1) -> bytes:
    """A photo with all a camera writes into it: where, when, by whom, a comment, a profile."""
    image = Image.merge("RGB", [Image.effect_noise((width // 20, height // 20), 90).resize((width, height)) for _ in range(3)])
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B], exif[0x0132] = orientation, SECRET, "Lucie", "2026:05:01 10:00:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88, exif=exif, icc_profile=profile, comment=SECRET.encode(), xmp=f"<x>{SECRET}</x>".encode())
    return out.getvalue()


def drawing(width: int = 64, height: int = 48) -> bytes:
    """A small PNG, transparent, with words in it."""
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", SECRET)
    out = io.BytesIO()
    Image.new("RGBA", (width, height), (90, 140, 90, 120)).save(out, "PNG", pnginfo=words)
    return out.getvalue()


def moving(kind: str = "GIF", frames: int = 12, size: tuple[int, int] = (121, 81)) -> bytes:
    """A picture that moves."""
    stills = [Image.effect_noise(size, 60).convert("P") for _ in range(frames)]
    out = io.BytesIO()
    stills[0].save(out, kind, save_all=True, append_images=stills[1:], duration=80, loop=0)
    return out.getvalue()


def film(seconds: int = 60, size: tuple[int, int] = (160, 90), turned: int = 0, kind: str = "mp4") -> bytes:
    """A film with sound, filmed with the device turned; its container says where."""
    codecs = {"mp4": ("libx264", "aac"), "webm": ("libvpx", "libopus"), "mov": ("libx264", "aac")}[kind]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"film.{kind}"
        with av.open(str(path), "w") as out:
            shown = out.add_stream(codecs[0], rate=12, options={"preset": "ultrafast"} if kind != "webm" else {"deadline": "realtime"})
            shown.width, shown.height, shown.pix_fmt = size[0], size[1], "yuv420p"
            if turned:
                shown.set_display_rotation(turned)
            heard = out.add_stream(codecs[1], rate=48000)
            heard.layout = "stereo"
            out.metadata.update({"comment": SECRET, "title": SECRET, "location": "+48.8584+002.2945/"})
            stills = [Image.effect_noise(size, 50).convert("RGB") for _ in range(4)]
            for number in range(seconds * 12):
                out.mux(shown.encode(timed(av.VideoFrame.from_image(stills[number // 12 % 4]), number, 12)))
            out.mux(shown.encode(None))
            hear(out, heard, seconds)
        return path.read_bytes()


def timed(frame: av.VideoFrame, at: int, rate: int) -> av.VideoFrame:
    frame.pts, frame.time_base = at, Fraction(1, rate)
    return frame


def hear(out: av.container.OutputContainer, stream: av.AudioStream, seconds: int) -> None:
    for at in range(0, seconds * 48000, 1024):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=1024)
        frame.sample_rate, frame.pts, frame.time_base = 48000, at, Fraction(1, 48000)
        frame.planes[0].update((zlib.crc32(at.to_bytes(4, "big")).to_bytes(4, "big") * 2048)[: frame.planes[0].buffer_size])
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


SOUNDS = {
    "mp3": "libmp3lame", "ogg": "libopus", "wav": "pcm_s16le", "flac": "flac", "ipod": "aac", "adts": "aac",
}


def sound(kind: str = "mp3", seconds: int = 3) -> bytes:
    """A sound with a title."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(SOUNDS[kind], rate=48000)
        stream.layout = "stereo"
        container.metadata["title"] = SECRET
        hear(container, stream, seconds)
    return out.getvalue()


def covered() -> bytes:
    """An MP3 whose ID3 tag shows a cover."""
    image = io.BytesIO()
    Image.new("RGB", (300, 300), (180, 30, 60)).save(image, "JPEG")
    picture = b"\0image/jpeg\0\x03\0" + image.getvalue()
    frame = b"APIC" + len(picture).to_bytes(4, "big") + b"\0\0" + picture
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame + sound("mp3")


def bomb(side: int = 30_000) -> bytes:
    """A PNG of a hundred kilobytes that would be a picture of 900 million pixels."""
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    return out.getvalue()
