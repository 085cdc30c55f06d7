"""Files that can be fetched again, on disk, bounded in bytes; what was not asked for longest goes first.

Several processes share one folder. A file appears whole by a rename, under a lock, with the sum of all sizes beside it;
what was fetched by two at once counts once. A process that is killed leaves a half file in `arriving`, which is swept.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import structlog

from parvis.base import sniff
from parvis.base.errors import Upstream
from parvis.base.files import STEP, Body
from parvis.base.http import Answer

log = structlog.get_logger()

Begin = Callable[[], AbstractAsyncContextManager[Answer]]
AT_ONCE: Final = 16
AFTER_EVICTION: Final = 0.9
HALF_FILES_LIVE: Final = 3600.0
SULK: Final = 30.0
SULKS: Final = 1000


class Arriving:
    """A file on its way in; everybody who wants it reads along."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size: int | None = None
        self.head = b""
        self.written = 0
        self.ended = False
        self.problem: Upstream | None = None
        self._moved = asyncio.Condition()

    async def move(self, written: int = 0, *, ended: bool = False) -> None:
        """Tell the readers that there is more, or that there will be no more."""
        async with self._moved:
            self.written += written
            self.ended = self.ended or ended
            self._moved.notify_all()

    async def past(self, position: int) -> bool:
        """Wait for the byte at this position; False when the file ends before it, Upstream when it will never come."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.written > position or self.ended)
        if self.problem and self.written <= position:
            raise self.problem
        return self.written > position

    async def stretch(self, start: int, end: int | None) -> AsyncIterator[bytes]:
        """The bytes from start to before end, as they come."""
        with self.path.open("rb", buffering=0) as file:
            while (end is None or start < end) and await self.past(start):
                there = self.written if end is None else min(self.written, end)
                piece = await asyncio.to_thread(os.pread, file.fileno(), min(STEP, there - start), start)
                start += len(piece)
                yield piece


class Cache:
    """The folder, and what this process is just fetching into it."""

    def __init__(self, folder: Path, budget: int) -> None:
        self._folder = folder
        self._budget = budget
        self._arriving: dict[str, Arriving] = {}
        self._failed: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)

    def here(self, key: str) -> bool:
        """Is the file here, on its way, or known not to come?"""
        return key in self._arriving or key in self._failed or self._path(key).exists()

    async def body(self, key: str, begin: Begin) -> Body:
        """The file under this key, fetched if it is not here. Upstream when it cannot be had, or is no medium."""
        found = await asyncio.to_thread(self._kept, key)
        if found is not None:
            return found
        self._sulk(key)
        arriving = self._arriving.get(key) or self._order(key, begin)
        if not await arriving.past(sniff.HEAD - 1) and not arriving.written:
            raise Upstream("empty")
        return Body(arriving.size, arriving.head, arriving.stretch)

    async def close(self) -> None:
        """Stop fetching."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _kept(self, key: str) -> Body | None:
        path = self._path(key)
        try:
            with path.open("rb", buffering=0) as file:
                os.utime(file.fileno())  # it was asked for just now
                size, head = os.fstat(file.fileno()).st_size, os.pread(file.fileno(), sniff.HEAD, 0)
        except FileNotFoundError:
            return None

        async def stretch(start: int, end: int | None) -> AsyncIterator[bytes]:
            with path.open("rb", buffering=0) as file:
                while start < (size if end is None else end):
                    wanted = min(STEP, (size if end is None else end) - start)
                    piece = await asyncio.to_thread(os.pread, file.fileno(), wanted, start)
                    if not piece:
                        return
                    start += len(piece)
                    yield piece

        return Body(size, head, stretch)

    def _sulk(self, key: str) -> None:
        """A server that just failed is left in peace for a moment."""
        until = self._failed.get(key)
        if until is None:
            return
        if until > asyncio.get_running_loop().time():
            raise Upstream("failed_before")
        del self._failed[key]

    def _order(self, key: str, begin: Begin) -> Arriving:
        drafts = self._folder / "arriving"
        drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=drafts)
        arriving = self._arriving[key] = Arriving(Path(name))
        task = asyncio.create_task(self._fetch(key, arriving, descriptor, begin))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return arriving

    async def _fetch(self, key: str, arriving: Arriving, descriptor: int, begin: Begin) -> None:
        draft = arriving.path
        try:
            async with self._gate, begin() as answer:
                await self._take(arriving, descriptor, answer)
            arriving.path = await asyncio.to_thread(self._keep, key, draft, arriving.written)
        except Upstream as problem:
            arriving.problem = problem
            if len(self._failed) >= SULKS:
                self._failed.clear()
            self._failed[key] = asyncio.get_running_loop().time() + SULK
        except Exception as error:
            arriving.problem = Upstream("unreachable")
            log.exception("a file of another server", error=str(error))
        finally:
            os.close(descriptor)
            self._arriving.pop(key, None)
            if arriving.path == draft:
                arriving.problem = arriving.problem or Upstream("unreachable")
            draft.unlink(missing_ok=True)  # here and not in a thread: nobody opens it at this moment
            await arriving.move(ended=True)

    async def _take(self, arriving: Arriving, descriptor: int, answer: Answer) -> None:
        """Write a body down as it comes; nothing is shown before its first bytes say that it is a medium."""
        if answer.status != 200:
            raise Upstream("refused", status=answer.status)
        length = answer.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and "content-encoding" not in answer.headers:
            arriving.size = int(length)
        waiting = 0
        async for chunk in answer.chunks:
            await asyncio.to_thread(_write, descriptor, chunk)
            waiting += len(chunk)
            if len(arriving.head) < sniff.HEAD:
                arriving.head = (arriving.head + chunk)[: sniff.HEAD]
            if len(arriving.head) == sniff.HEAD:
                _look(arriving.head)
                await arriving.move(waiting)
                waiting = 0
        _look(arriving.head)
        if arriving.size is not None and arriving.size != arriving.written + waiting:
            raise Upstream("truncated")
        arriving.size = arriving.written + waiting
        await arriving.move(waiting)

    def _keep(self, key: str, draft: Path, size: int) -> Path:
        """Give a whole file its place, and move others out when there would be too many bytes."""
        path = self._path(key)
        if size > self._budget:
            raise Upstream("too_large")
        with self._locked():
            if not path.exists():
                total = self._total()
                if total + size > self._budget:
                    total = self._evict(min(int(self._budget * AFTER_EVICTION), self._budget - size))
                self._write_total(total + size)
                path.parent.mkdir(mode=0o700, exist_ok=True)
                path.hardlink_to(draft)
        return path

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.utime(lock)
            yield
        finally:
            os.close(lock)

    def _total(self) -> int:
        try:
            return int((self._folder / "total").read_text())
        except (FileNotFoundError, ValueError):
            return sum(size for _, size, _ in self._entries())

    def _write_total(self, total: int) -> None:
        draft = self._folder / "total.draft"
        draft.write_text(str(total))
        draft.replace(self._folder / "total")

    def _entries(self) -> list[tuple[float, int, Path]]:
        found = []
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name != "arriving":
                for entry in os.scandir(folder):
                    stat = entry.stat()
                    found.append((stat.st_mtime, stat.st_size, Path(entry.path)))
        return found

    def _evict(self, target: int) -> int:
        """Remove what was not asked for longest until this many bytes are left; and half files that nobody writes."""
        entries = sorted(self._entries())
        total = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if total <= target:
                break
            path.unlink(missing_ok=True)
            total -= size
        now = (self._folder / "lock").stat().st_mtime
        for draft in (self._folder / "arriving").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if draft.stat().st_mtime < now - HALF_FILES_LIVE:
                    draft.unlink()
        return total


def _write(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _look(head: bytes) -> None:
    if sniff.content_type(head) is None:
        raise Upstream("not_media")
