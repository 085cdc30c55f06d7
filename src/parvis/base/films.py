"""Films and sounds recorded anew from their frames alone: H.264 and AAC in an MP4 that starts at once, or MP3.

The container is opened as what its first bytes say it is, and only by codecs that people's devices write: ffmpeg knows
hundreds more, and playlists that would have it read other files.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Literal

import av
import msgspec
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.stream import Disposition
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageSequence

from parvis.base import pictures
from parvis.base.works import Order, Picture, Size, Unfit, Work, fitted

DEMUXERS = {
    "video/mp4": "mov", "video/quicktime": "mov", "audio/mp4": "mov", "video/webm": "matroska", "audio/flac": "flac",
    "video/x-matroska": "matroska", "audio/ogg": "ogg", "audio/wav": "wav", "audio/mpeg": "mp3", "audio/aac": "aac",
}
PICTURES = frozenset(("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "theora", "prores"))
SOUNDS = frozenset(("aac", "mp3", "opus", "vorbis", "flac", "alac"))
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
MP3_BITS = (128_000, 192_000)
AAC_BITS = 128_000
VIDEO_BITS = (300_000, 5_000_000)
USUAL_RATE = Fraction(25)
FRAME_MILLISECONDS = (17, 100)
THREADS = 2
MILLISECOND = Fraction(1, 1000)
EARLY = 10_000
PATIENCE = 100
MOST_OF_IT = 0.8
TURNS: dict[int, tuple[tuple[str, str | None], ...]] = {
    90: (("transpose", "cclock"),), -90: (("transpose", "clock"),), 180: (("hflip", None), ("vflip", None)),
    -180: (("hflip", None), ("vflip", None)),
}
BARE = {"id3v2_version": "0", "write_id3v1": "0", "fflags": "+bitexact"}
MOVABLE = {"movflags": "+faststart", "fflags": "+bitexact"}


def recorded(source: IO[bytes], kind: str, folder: Path, order: Order) -> Work:
    """A film or a sound. Unfit when it is none, breaks off, or is too long or too large."""
    try:
        with _opened(source, kind) as container:
            film, sound = _streams(container)
            if film is None and sound is None:
                raise Unfit("not_media")
            _look(container, film, order)
            if order.quick:
                return Work("video" if film else "audio")
        source.seek(0)
        with _opened(source, kind) as container:
            film, sound = _streams(container)
            if film is not None:
                return _film(container, film, sound, folder, order)
            if sound is None:
                raise Unfit("not_media")
            work = _sound(container, sound, folder, order)
        return _covered(work, source, kind, folder, order)
    except MemoryError as error:
        raise Unfit("too_heavy") from error
    except (FFmpegError, ValueError, OSError, EOFError, ArithmeticError) as error:
        raise Unfit("not_media") from error


def _opened(source: IO[bytes], kind: str) -> InputContainer:
    if kind not in DEMUXERS:
        raise Unfit("not_media")
    found = av.open(source, "r", format=DEMUXERS[kind])
    if not isinstance(found, InputContainer):
        raise TypeError("what is read is an input")
    return found


def _streams(container: InputContainer) -> tuple[VideoStream | None, AudioStream | None]:
    """The film and the sound that are meant: no covers, and nothing of an unusual codec."""
    films = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    film = next((one for one in films if one.codec_context.codec.canonical_name in PICTURES), None)
    sound = next((one for one in container.streams.audio if _usual(one.codec_context.codec.canonical_name)), None)
    return film, sound


def _usual(name: str) -> bool:
    return name in SOUNDS or name.startswith("pcm_")


def _look(container: InputContainer, film: VideoStream | None, order: Order) -> None:
    """What the file says of itself is checked before anything is decoded."""
    if container.duration and container.duration > order.bounds.seconds * 1_000_000:
        raise Unfit("too_long")
    if film is None:
        return
    context = film.codec_context
    if context.width < 1 or context.height < 1:
        raise Unfit("not_media")
    if context.width * context.height > order.bounds.film_pixels:
        raise Unfit("too_many_pixels")
    if (film.average_rate or 0) > order.bounds.rate:
        raise Unfit("too_many_frames")


def _even(size: Size) -> Size:
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)


class Reel:
    """An MP4 that is being written: frames go in, come out upright and evenly timed, and an early one is the cover."""

    def __init__(self, path: Path, order: Order, seconds: float, rate: Fraction = USUAL_RATE) -> None:
        self.path = path
        self.rate = rate
        self.frames = 0
        self.heard = 0.0
        self.size = (0, 0)
        self.cover: Image.Image | None = None
        self.sound: AudioStream | None = None
        self._order = order
        self._seconds = seconds
        self._out = av.open(str(path), "w", format="mp4", options=MOVABLE)
        self._film: VideoStream | None = None
        self._graph: Graph | None = None
        self._early: list[AudioFrame] = []

    def tune(self, source: AudioStream) -> None:
        """There will be sound."""
        self.sound = _voice(self._out, "aac", source, AAC_BITS)

    def begin(self, size: Size, base: Fraction) -> None:
        """There will be frames of this size, timed in units of `base`."""
        self.size = size
        most = self._order.film_bytes * 8 / max(self._seconds, 1) - AAC_BITS
        bits = int(min(VIDEO_BITS[1], max(VIDEO_BITS[0], most)))
        film = self._film = self._out.add_stream("libx264", rate=self.rate, options={
            "preset": "veryfast", "crf": "23", "maxrate": str(bits), "bufsize": str(bits * 2), "profile": "high",
            "threads": str(THREADS),
        })
        film.width, film.height = size
        film.pix_fmt = "yuv420p"
        film.gop_size = max(1, round(self.rate * 2))
        film.codec_context.time_base = base
        for frame in self._early:
            self.hear(frame)

    def feed(self, frame: VideoFrame, shape: Fraction) -> None:
        """One frame of the source, whose pixels have this shape."""
        if frame.width * frame.height > self._order.bounds.film_pixels:
            raise Unfit("too_many_pixels")
        if self._graph is None:
            self._graph = self._screen(frame, shape)
        self._graph.vpush(frame)
        self._develop(self._graph)

    def draw(self, frame: VideoFrame) -> None:
        """One frame as it is shown."""
        if self._film is None:
            raise Unfit("not_media")
        self.frames += 1
        if self.frames > self._order.bounds.frames:
            raise Unfit("too_long")
        if self.cover is None or self.frames == round(self.rate * Fraction(min(1.0, self._seconds / 10))):
            self.cover = _image(frame)
        frame.pict_type = PictureType.NONE
        self._out.mux(self._film.encode(frame))

    def hear(self, frame: AudioFrame) -> None:
        """A moment of sound; it waits for the first frame, without which there is no header."""
        if self._film is None:
            if len(self._early) >= EARLY:
                raise Unfit("not_media")
            self._early.append(frame)
        elif self.sound is not None:
            self.heard += frame.samples / frame.sample_rate
            self._out.mux(self.sound.encode(frame))

    def finish(self) -> None:
        """Write what is still on its way, and the index."""
        if self._graph is not None:
            self._graph.vpush(None)
            self._develop(self._graph)
        if self._film is None:
            raise Unfit("not_media")
        self._out.mux(self._film.encode(None))
        if self.sound is not None:
            self._out.mux(self.sound.encode(None))
        self._out.close()

    def _develop(self, graph: Graph) -> None:
        while True:
            try:
                self.draw(graph.vpull())
            except (BlockingIOError, EOFError):
                return

    def _screen(self, frame: VideoFrame, shape: Fraction) -> Graph:
        turn = TURNS.get(frame.rotation, ())
        size = (max(1, round(frame.width * shape)), frame.height)
        size = _even(fitted(size[::-1] if frame.rotation in (90, -90) else size, self._order.film))
        self.begin(size, 1 / self.rate)
        graph = Graph()
        graph.threads = 1
        nodes = [graph.add_buffer(None, frame.width, frame.height, frame.format, None, frame.time_base)]
        scaled = f"{size[0]}:{size[1]}:out_color_matrix=bt709:out_range=tv"
        for name, given in (*turn, ("scale", scaled), ("setsar", "1"), ("fps", str(self.rate)), ("format", "yuv420p"),
                            ("buffersink", None)):
            nodes.append(graph.add(name, given))
        graph.link_nodes(*nodes).configure()
        return graph


def _voice(out: OutputContainer, codec: Literal["aac", "libmp3lame"], source: AudioStream, bits: int) -> AudioStream:
    rate = next((rate for rate in RATES if rate >= source.rate), RATES[-1])
    voice = out.add_stream(codec, rate=rate)
    voice.layout = "mono" if source.channels == 1 else "stereo"
    voice.bit_rate = bits
    return voice


def _frames(container: InputContainer, streams: list[Any], order: Order) -> Iterator[VideoFrame | AudioFrame]:
    """What can be decoded, timed from the beginning; a few broken pieces are passed over."""
    start, broken = Fraction(container.start_time or 0, 1_000_000), 0
    for packet in container.demux(streams):
        try:
            frames = packet.decode()
        except FFmpegError as error:
            broken += 1
            if broken > PATIENCE or isinstance(error, MemoryError):
                raise
            continue
        for frame in frames:
            if not isinstance(frame, VideoFrame | AudioFrame):
                continue
            if frame.pts is not None and frame.time_base:
                frame.pts -= round(start / frame.time_base)
                if frame.pts * frame.time_base > order.bounds.seconds:
                    raise Unfit("too_long")
            yield frame


def _film(container: InputContainer, film: VideoStream, sound: AudioStream | None, folder: Path, order: Order) -> Work:
    said = (container.duration or 0) / 1_000_000
    rate = max(Fraction(1), min(Fraction(order.film_rate), Fraction(film.average_rate or USUAL_RATE)))
    reel = Reel(folder / "original.mp4", order, said, rate.limit_denominator(1001))
    film.thread_count = THREADS
    if sound is not None:
        reel.tune(sound)
    for frame in _frames(container, [one for one in (film, sound) if one is not None], order):
        if isinstance(frame, VideoFrame):
            reel.feed(frame, film.sample_aspect_ratio or Fraction(1))
        else:
            reel.hear(frame)
    reel.finish()
    seconds = float(reel.frames / reel.rate)
    if not reel.frames or max(seconds, reel.heard) < said * MOST_OF_IT - 1:
        raise Unfit("broken")
    return _shown("video", reel, max(seconds, reel.heard), folder, order)


def _shown(kind: Literal["video", "gifv"], reel: Reel, seconds: float, folder: Path, order: Order) -> Work:
    """A film with its cover, and all that is known of it."""
    if reel.cover is None:
        raise Unfit("not_media")
    preview, blur = pictures.cover(reel.cover, folder, order)
    width, height = reel.size
    meta: dict[str, Any] = {
        "length": _length(seconds), "duration": round(seconds, 2), "fps": round(reel.rate), "size": f"{width}x{height}",
        "width": width, "height": height, "aspect": round(width / height, 6), **_told(reel.sound),
        "original": {
            "frame_rate": f"{reel.rate.numerator}/{reel.rate.denominator}", "duration": round(seconds, 3),
            "bitrate": _bits(reel.path, seconds),
        },
    }
    return Work(kind, Picture(reel.path.name, "video/mp4", width, height), preview, blur, meta)


def _sound(container: InputContainer, sound: AudioStream, folder: Path, order: Order) -> Work:
    path = folder / "original.mp3"
    said = (container.duration or 0) / 1_000_000
    bits = next((bits for bits in MP3_BITS if bits >= (sound.bit_rate or container.bit_rate)), MP3_BITS[-1])
    heard = 0.0
    with av.open(str(path), "w", format="mp3", options=BARE) as out:
        voice = _voice(out, "libmp3lame", sound, bits if sound.rate > 24_000 else min(bits, 128_000))
        for frame in _frames(container, [sound], order):
            if isinstance(frame, AudioFrame):
                heard += frame.samples / frame.sample_rate
                out.mux(voice.encode(frame))
        out.mux(voice.encode(None))
        told = _told(voice)
    if not heard or heard < said * MOST_OF_IT - 1:
        raise Unfit("broken")
    meta = {"length": _length(heard), "duration": round(heard, 2), **told,
            "original": {"duration": round(heard, 6), "bitrate": _bits(path, heard)}}
    return Work("audio", Picture(path.name, "audio/mpeg", 0, 0), meta=meta)


def _covered(work: Work, source: IO[bytes], kind: str, folder: Path, order: Order) -> Work:
    """The same sound with the picture on its cover, if it has one that can be read."""
    source.seek(0)
    with _opened(source, kind) as container:
        covers = [one for one in container.streams.video if one.disposition & Disposition.attached_pic]
        found = next((bytes(packet) for packet in container.demux(covers[:1]) if packet.size), b"") if covers else b""
    try:
        image = pictures.upright(pictures.opened(io.BytesIO(found), order.bounds.pixels), order.box)
    except Unfit:
        return work
    preview, blur = pictures.cover(image, folder, order)
    return msgspec.structs.replace(
        work, preview=preview, blurhash=blur, meta={**work.meta, "colors": pictures.colours(image)}
    )


def animated(image: Image.Image, folder: Path, order: Order) -> Work:
    """A picture that moves becomes a film without sound; where it was transparent, white shows."""
    if image.width * image.height > order.bounds.film_pixels:
        raise Unfit("too_many_pixels")
    if order.quick:
        return Work("gifv")
    reel = Reel(folder / "original.mp4", order, 0)
    reel.begin(_even(fitted(image.size, order.film)), MILLISECOND)
    at, shown, last = 0, -FRAME_MILLISECONDS[0], None
    try:
        for still in ImageSequence.Iterator(image):
            if at - shown >= FRAME_MILLISECONDS[0]:
                last, shown = _on_white(still, reel.size), at
                reel.draw(_timed(last, at))
            lasts = int(still.info.get("duration") or 0)
            at += lasts if lasts > 10 else FRAME_MILLISECONDS[1]  # as browsers play what says it takes no time
            if at > order.bounds.seconds * 1000:
                raise Unfit("too_long")
    except pictures.WRONG as error:
        raise Unfit("not_media") from error
    if last is not None and at - shown > 2 * FRAME_MILLISECONDS[0]:
        reel.draw(_timed(last, at - FRAME_MILLISECONDS[0]))  # the last frame stays as long as it should
    reel.finish()
    reel.rate = Fraction(reel.frames * 1000, max(1, at)).limit_denominator(1001)
    return _shown("gifv", reel, at / 1000, folder, order)


def _on_white(image: Image.Image, size: Size) -> Image.Image:
    found = image.convert("RGBA").resize(size, Image.Resampling.BILINEAR)
    return Image.alpha_composite(Image.new("RGBA", size, "white"), found).convert("RGB")


def _timed(image: Image.Image, at: int) -> VideoFrame:
    made: VideoFrame = VideoFrame.from_image(image)  # type: ignore[no-untyped-call]  # av
    frame = made.reformat(format="yuv420p")
    frame.pts, frame.time_base = at, MILLISECOND
    return frame


def _image(frame: VideoFrame) -> Image.Image:
    made: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # av
    return made


def _told(sound: AudioStream | None) -> dict[str, Any]:
    if sound is None:
        return {}
    names = {"aac": "aac (LC)", "libmp3lame": "mp3"}
    return {
        "audio_encode": names[sound.codec_context.name], "audio_bitrate": f"{sound.rate} Hz",
        "audio_channels": "mono" if sound.channels == 1 else "stereo",
    }


def _length(seconds: float) -> str:
    hundredths = round(seconds * 100)
    return f"{hundredths // 360_000}:{hundredths // 6000 % 60:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"


def _bits(path: Path, seconds: float) -> int:
    return int(path.stat().st_size * 8 / max(seconds, 0.001))
