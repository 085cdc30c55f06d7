"""Files that come with a request: straight to disk as they come in, each no larger than its kind may be."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from parvis.base import sniff
from parvis.base.errors import Invalid
from parvis.media import policy

MOST = policy.FILE_BYTES + policy.IMAGE_BYTES + 2_000_000
FILES = 10
FIELDS = 1000
TEXT = 1_000_000
WRITTEN_AT_ONCE = 1024 * 1024
BAD = "The request's body is not valid multipart/form-data"


class Upload:
    """A file that came with a request. It has no name on disk, and is gone when the request is answered."""

    def __init__(self, file: IO[bytes], content_type: str) -> None:
        self.file = file
        self.content_type = content_type
        self.head = b""
        self.size = 0
        self._waiting = bytearray()

    def receive(self, piece: bytes) -> None:
        """A piece more; what is beyond the limit of the file's kind is counted and thrown away."""
        self.size += len(piece)
        if len(self.head) < sniff.HEAD:
            self.head = (self.head + piece)[: sniff.HEAD]
        if not self.too_large:
            self._waiting += piece

    @property
    def too_large(self) -> bool:
        """Is it larger than a file of its kind may be?"""
        return self.size > policy.most_bytes(self.head)

    async def write(self, least: int = WRITTEN_AT_ONCE) -> None:
        """Put on disk what came in, if it is worth the while."""
        if len(self._waiting) >= max(1, least):
            piece, self._waiting = self._waiting, bytearray()
            await asyncio.to_thread(self.file.write, piece)

    async def end(self, name: str) -> None:
        """The file is complete; Invalid when it was too large."""
        if self.too_large:
            raise Invalid(name, "too_large", limit=policy.most_bytes(self.head))
        await self.write(1)
        await asyncio.to_thread(self.file.flush)
        await asyncio.to_thread(self.file.seek, 0)

    def __repr__(self) -> str:
        return f"Upload({self.size} bytes)"


class Form:
    """The parts of a multipart body, in their order."""

    def __init__(self, content_type: str, folder: Path, *, files: bool) -> None:
        self.most = MOST if files else TEXT
        self.pairs: list[tuple[str, str | Upload]] = []
        self.uploads: list[Upload] = []
        self._folder = folder
        self._header = (b"", b"")
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._text = bytearray()
        self._texts = 0
        self._upload: Upload | None = None
        self._ended = False
        _, options = parse_options_header(content_type)
        self._parser = MultipartParser(options.get(b"boundary", b""), {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_part_end": self._finish, "on_end": self._end,
            "on_header_field": self._field, "on_header_value": self._value, "on_header_end": self._header_end,
            "on_headers_finished": self._open,
        })

    async def read(self, chunks: AsyncIterator[bytes]) -> list[tuple[str, str | Upload]]:
        """Everything; 400 for what is no such form, Invalid for a file that is too large."""
        any_at_all = False
        async for chunk in chunks:
            any_at_all = any_at_all or bool(chunk)
            try:
                self._parser.write(chunk)
            except MultipartParseError as error:
                raise HTTPException(400, BAD) from error
            for upload in self.uploads:
                await upload.write()
        if any_at_all and not self._ended:
            raise HTTPException(400, BAD)
        for name, value in self.pairs:
            if isinstance(value, Upload):
                await value.end(name)
        return self.pairs

    def close(self) -> None:
        """Give the files back."""
        for upload in self.uploads:
            upload.file.close()

    def _begin(self) -> None:
        self._headers, self._text, self._upload, self._name = {}, bytearray(), None, ""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _header_end(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = (b"", b"")

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._name = options.get(b"name", b"").decode(errors="replace")
        if len(self.pairs) >= FIELDS or not self._name:
            raise HTTPException(400, BAD)
        if b"filename" not in options:
            return
        if len(self.uploads) >= FILES:
            raise HTTPException(400, "Too many files")
        file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # `close` ends it
        self._upload = Upload(file, self._headers.get(b"content-type", b"").decode("latin-1"))
        self.uploads.append(self._upload)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._upload is not None:
            self._upload.receive(data[start:end])
            return
        self._texts += end - start
        if self._texts > TEXT:
            raise HTTPException(413, "The request's body is too large")
        self._text += data[start:end]

    def _finish(self) -> None:
        self.pairs.append((self._name, self._upload or self._text.decode(errors="replace")))

    def _end(self) -> None:
        self._ended = True
