"""Whatever a file does to the process that decodes it, it does to nothing else."""

from __future__ import annotations

import asyncio
import ctypes
import io
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from PIL import Image

import footage
from parvis.base import cell, workshop
from parvis.base.works import Order, Unfit, Work
from parvis.base.workshop import QUICK, SLOW, Workshop
from parvis.media import policy

MEGABYTE = 1024 * 1024
PROBE = """
import os, signal, socket, sys
from pathlib import Path
from parvis.base import cell
if not cell.shut_in(Path.cwd()):
    sys.exit("no Landlock")
Path("mine").write_text("mine"), Path("mine").read_text(), Path("mine").unlink()
import colorsys  # its own program stays within reach
def tried(deed):
    try:
        deed()
    except OSError as error:
        return type(error).__name__
    return "done"
print(tried(lambda: Path(sys.argv[1]).read_text()), tried(lambda: os.listdir("..")), tried(lambda: Path("../other").write_text("x")),
      tried(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 1)), tried(lambda: os.kill(os.getppid(), 0)))
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    yield Workshop(tmp_path)
    assert list(tmp_path.iterdir()) == []


async def work(shop: Workshop, body: bytes, order: Order | None = None) -> Work:
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        async with shop.worked(file, order or policy.order()) as (_, made):
            return made


async def refusal(shop: Workshop, body: bytes, order: Order | None = None) -> str:
    with pytest.raises(Unfit) as caught:
        await work(shop, body, order)
    return caught.value.word


@pytest.mark.enable_socket
def test_a_process_that_is_shut_in_reaches_its_folder_and_nothing_else(tmp_path: Path) -> None:
    folder, secret = tmp_path / "scratch", tmp_path / "seal.key"
    folder.mkdir()
    secret.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as there:
        done = subprocess.run(
            [sys.executable, "-c", PROBE, str(secret), str(there.getsockname()[1])], cwd=folder, capture_output=True, text=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
        )
    known = ctypes.CDLL(None).syscall(cell.CREATE_RULESET, None, ctypes.c_size_t(0), cell.VERSION_ASKED)
    if known < 6:  # a kernel that cannot do all of it does what it can, and the workshop works all the same
        assert "PermissionError" in done.stdout or "no Landlock" in done.stderr
    else:
        assert done.stdout.split() == ["PermissionError"] * 5, done.stderr


async def test_a_file_that_wants_too_much_memory_ends_its_process_only(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "SLOW", msgspec.structs.replace(SLOW, memory=300 * MEGABYTE))
    out = io.BytesIO()
    Image.new("RGB", (7000, 4700)).save(out, "PNG")
    assert await refusal(shop, out.getvalue()) in ("too_heavy", "not_media")
    monkeypatch.undo()
    assert (await work(shop, out.getvalue())).kind == "image"


async def test_a_file_that_wants_too_much_time_ends_its_process_only(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "SLOW", msgspec.structs.replace(SLOW, seconds=1))
    assert await refusal(shop, footage.film(60, (640, 360))) == "too_heavy"


async def test_a_process_that_hangs_is_ended(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "CODE", "import time; time.sleep(60)")
    monkeypatch.setattr(workshop, "QUICK", msgspec.structs.replace(QUICK, seconds=1))
    assert await refusal(shop, footage.drawing(), policy.order(quick=True)) == "too_heavy"


async def test_a_fault_of_a_codec_is_a_refusal(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "CODE", "import os; os.abort()")
    assert await refusal(shop, footage.drawing()) == "not_media"


async def test_a_process_ends_when_nobody_waits_for_it(shop: Workshop, tmp_path: Path) -> None:
    working = asyncio.create_task(work(shop, footage.film(60, (640, 360))))
    while not any(tmp_path.glob("*/original.mp4")):
        await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    done = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


async def test_a_process_is_told_no_secret(shop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARVIS_DATABASE_URL", "postgresql://secret")
    monkeypatch.setattr(workshop, "CODE", "import os, sys; sys.exit(len([n for n in os.environ if n.startswith(('PARVIS_D', 'AWS'))]))")
    with tempfile.TemporaryFile() as file, pytest.raises(msgspec.DecodeError):  # it ended well, and said nothing
        async with shop.worked(file, policy.order()):
            pass


@pytest.mark.parametrize(("change", "word"), [
    ({"seconds": 1}, "too_long"), ({"frames": 5}, "too_long"), ({"film_pixels": 100}, "too_many_pixels"), ({"rate": 5}, "too_many_frames"),
])
async def test_films_have_bounds(shop: Workshop, change: dict[str, int], word: str) -> None:
    order = policy.order()
    assert await refusal(shop, footage.film(2), msgspec.structs.replace(order, bounds=msgspec.structs.replace(order.bounds, **change))) == word


async def test_a_film_is_made_smaller_and_slower(shop: Workshop) -> None:
    order = msgspec.structs.replace(policy.order(), film=(100, 60), film_rate=6)
    made = await work(shop, footage.film(2), order)
    assert made.file is not None
    assert made.file.width * made.file.height <= 6000
    assert made.meta["original"]["frame_rate"] == "6/1"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
async def test_pictures_of_every_mode_are_read(shop: Workshop, mode: str, kind: str) -> None:
    out = io.BytesIO()
    try:
        Image.new("L", (40, 30), 200).convert("RGBA" if mode == "LA" else "L").convert(mode).save(out, kind)
    except (OSError, ValueError):
        return  # nobody can send that either
    made = await work(shop, out.getvalue(), policy.order(quick=True))
    assert made.file is not None
    assert (made.kind, made.file.width, made.file.height) == ("image", 40, 30)


def test_the_folders_of_those_who_were_killed_are_swept(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "original.mp4").write_bytes(b"x")
    os.utime(old, (1, 1))
    Workshop(tmp_path).sweep()
    assert list(tmp_path.iterdir()) == [new]
