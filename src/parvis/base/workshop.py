"""Where foreign pictures, films and sounds are decoded: never in a process that serves, or that holds a secret.

Each order has a process of its own with a bounded share of memory and time. A bomb or a fault of a codec ends that
process and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import msgspec
import structlog

from parvis.base import process
from parvis.base.works import Order, Rations, Told, Unfit, Work

log = structlog.get_logger()

CODE = "import sys; from parvis.base.bench import main; main(*sys.argv[1:])"
QUICK = Rations(memory=1536 * 1024 * 1024, seconds=30, written=128 * 1024 * 1024)
SLOW = Rations(memory=3072 * 1024 * 1024, seconds=1800, written=256 * 1024 * 1024)
PATIENCE = 2.5
QUICK_AT_ONCE = 2
OLD = 6 * 3600.0


class Workshop:
    """Takes orders: two quick ones at once, and one slow one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._quick = asyncio.Semaphore(QUICK_AT_ONCE)
        self._slow = asyncio.Semaphore(1)

    @contextlib.asynccontextmanager
    async def worked(self, source: IO[bytes], order: Order) -> AsyncIterator[tuple[Path, Work]]:
        """What was made of a file, and the folder it lies in until the block ends. Unfit when nothing was."""
        quick = order.quick or order.only_pictures
        folder = await asyncio.to_thread(self._empty_folder)
        try:
            async with self._quick if quick else self._slow:
                told = await _told(source, folder, order, QUICK if quick else SLOW)
            if told.work is None:
                raise Unfit(told.unfit or "not_media")
            yield folder, told.work
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove the folders of those who were killed."""
        if not self._folder.is_dir():
            return
        with tempfile.NamedTemporaryFile(dir=self._folder) as now:
            old = os.fstat(now.fileno()).st_mtime - OLD
        for left in self._folder.iterdir():
            if left.is_dir() and left.stat().st_mtime < old:
                shutil.rmtree(left, ignore_errors=True)

    def _empty_folder(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self._folder))


async def _told(source: IO[bytes], folder: Path, order: Order, rations: Rations) -> Told:
    """The answer of a process of its own; it is killed when it is late, or when nobody waits any more."""
    source.seek(0)
    asked = [msgspec.json.encode(part).decode() for part in (order, rations)]
    surroundings = process.with_parent({"PYTHONPATH": os.pathsep.join(sys.path), "LC_ALL": "C.UTF-8"})
    with (folder / "cries").open("wb") as cries:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CODE, *asked, stdin=source.fileno(), stdout=asyncio.subprocess.PIPE, stderr=cries,
            cwd=folder, env=surroundings, start_new_session=True,
        )
    try:
        async with asyncio.timeout(rations.seconds * PATIENCE):
            said, _ = await child.communicate()
    except TimeoutError:
        return Told(unfit="too_heavy")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode == 0:
        return msgspec.json.decode(said, type=Told)
    cried = (await asyncio.to_thread((folder / "cries").read_bytes))[-2000:].decode(errors="replace")
    log.warning("a file could not be worked on", code=child.returncode, cried=cried)
    heavy = child.returncode in (-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGXFSZ)
    return Told(unfit="too_heavy" if heavy else "not_media")
