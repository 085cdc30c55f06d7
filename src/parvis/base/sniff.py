"""What a file is, by its first bytes. Its name and what was said of it are not asked. Pure."""

from __future__ import annotations

HEAD = 64
SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"), (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac"), (b"ID3", "audio/mpeg"),
)
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
OLD_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip")


def content_type(head: bytes) -> str | None:
    """The type of a picture, film or sound by its first bytes; None for everything else, a page or a script too."""
    for sign, kind in SIGNS:
        if head.startswith(sign):
            return kind
    if head.startswith(b"RIFF"):
        return RIFF.get(head[8:12])
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head[:HEAD] else "video/x-matroska" if b"matroska" in head[:HEAD] else None
    if head[4:8] == b"ftyp":
        return _boxed(head)
    if head[4:8] in OLD_QUICKTIME:
        return "video/quicktime"
    return _framed(head)


def _boxed(head: bytes) -> str:
    """The family of ISO base media files, by their brands."""
    size = min(int.from_bytes(head[:4], "big"), HEAD)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return "image/avif"
    if brands & {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}:
        return "image/heic"
    if head[8:12] in (b"M4A ", b"M4B "):
        return "audio/mp4"
    return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"


def _framed(head: bytes) -> str | None:
    """Sounds without a header: MPEG audio, and AAC in ADTS, whose layer bits are zero."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        return "audio/aac" if head[1] & 0xF0 == 0xF0 else None
    return None if version == 1 or head[2] >> 4 == 15 or head[2] >> 2 & 3 == 3 else "audio/mpeg"
