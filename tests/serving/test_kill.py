"""kill -9 of `parvis serve` alone: everything it started dies with it, and a second start finds the port free."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from parvis.base import postgres

PARVIS = [sys.executable, "-c", "import sys; from parvis.cli import main; sys.exit(main())"]
PATIENCE = 60.0


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("kill") / "data"
    yield data
    with contextlib.suppress(postgres.CannotStart):
        postgres.stop(data)
    shutil.rmtree(data, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def family(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        for task in Path(f"/proc/{found[-1]}/task").iterdir():
            waiting += [int(child) for child in (task / "children").read_text().split()]
    return found


def served(data: Path, port: int) -> subprocess.Popen[bytes]:
    log = data.with_name("log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*PARVIS, "serve", "--dev", "--data", str(data), "--port", str(port), "--origin", f"http://localhost:{port}"],
            stdout=out, stderr=out,
        )
    deadline = time.monotonic() + PATIENCE
    while b"Parvis serves" not in log.read_bytes():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return process


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_whoever_kills_only_the_parent_kills_all_and_a_second_start_serves(data: Path) -> None:
    port = free_port()
    first = served(data, port)
    everyone = family(first.pid)
    assert len(everyone) >= 5  # the parent, the job worker, the web server and its two workers
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    deadline = time.monotonic() + 5
    while any(alive(pid) for pid in everyone) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [pid for pid in everyone if alive(pid)] == []
    second = served(data, port)
    others = family(second.pid)
    second.terminate()
    assert second.wait(30) == 0
    assert [pid for pid in others if alive(pid)] == []
    assert postgres.running(data) is None  # the last of its users stopped it
