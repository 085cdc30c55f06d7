"""Where uploaded files are kept: a folder, or any S3-compatible store. The ending of a name tells the type."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import obstore
from obstore.store import LocalStore, MemoryStore, S3Store

from parvis.base.settings import Settings

Store = LocalStore | MemoryStore | S3Store
PART = 5 * 1024 * 1024
AT_ONCE = 2
STEP = 256 * 1024


class Body(msgspec.Struct, frozen=True):
    """What can be read of a file: its size if it is known, and any stretch of it (first byte, byte after the last)."""

    size: int | None
    head: bytes
    stretch: Callable[[int, int | None], AsyncIterator[bytes]]


class Files:
    """The store. Names are chosen at random and never used twice, so what a name stands for never changes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, name: str, source: Path | IO[bytes] | bytes) -> None:
        """Keep a file, whole or not at all; a large one travels in pieces."""
        await obstore.put_async(self._store, name, source, chunk_size=PART, max_concurrency=AT_ONCE)

    async def body(self, name: str) -> Body:
        """A file to be read; FileNotFoundError when there is none."""
        size = (await obstore.head_async(self._store, name))["size"]

        async def stretch(start: int, end: int | None) -> AsyncIterator[bytes]:
            if start >= size:
                return
            found = await obstore.get_async(self._store, name, options={"range": (start, size if end is None else end)})
            async for piece in found.stream(STEP):
                yield bytes(piece)

        return Body(size, b"", stretch)

    async def fetch(self, name: str, target: IO[bytes]) -> None:
        """Copy a file out of the store, piece by piece; FileNotFoundError when there is none."""
        found = await obstore.get_async(self._store, name)
        async for piece in found.stream(STEP):
            await asyncio.to_thread(target.write, bytes(piece))
        await asyncio.to_thread(target.flush)

    async def delete(self, names: Iterable[str]) -> None:
        """Take files out; one that is not there is as good as deleted."""
        given = list(names)
        if given and isinstance(self._store, S3Store):  # one request for many, and none is missed
            await obstore.delete_async(self._store, given)
            return
        for name in given:
            with contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._store, name)


def opened(settings: Settings) -> Files:
    """The store these settings name."""
    parts = urlsplit(settings.files_url)
    if parts.scheme == "s3":
        given = dict(parse_qsl(parts.query))
        plain = given.get("endpoint", "").startswith("http://")
        return Files(s3(parts.netloc, parts.path.strip("/") or None, given, plain=plain))
    return Files(MemoryStore() if parts.scheme == "memory" else LocalStore(settings.files, mkdir=True))


def s3(bucket: str, prefix: str | None, given: dict[str, str], *, plain: bool) -> S3Store:
    """A bucket; who may write there is said by the usual AWS variables."""
    where: dict[str, Any] = {"region": given.get("region") or os.environ.get("AWS_REGION") or "us-east-1"}
    if "endpoint" in given:
        where |= {"endpoint": given["endpoint"], "virtual_hosted_style_request": given.get("style") == "host"}
    return S3Store(bucket, prefix=prefix, client_options={"allow_http": plain}, **where)
