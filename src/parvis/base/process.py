"""What a process must know of its surroundings: its parent, its children, its neighbours, and whose request this is."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

PR_SET_PDEATHSIG = 1
PARENT = "PARVIS_PARENT"
PATIENCE = 15.0
LIVELY = 30.0
MOST_FILES, SPARE, FEWEST = 65_536, 200, 128


class Ended(Exception):  # read aloud at the prompt
    """A child without which the rest is no use has ended; one sentence."""


class Busy(Exception):  # read aloud at the prompt
    """Another process holds what this one needs; one sentence."""


def die_with_parent() -> None:
    """End this process when its parent ends, however it ends: no orphan keeps the port and the old code.

    The kernel's signal is sent when the thread that started us ends, so children are started by main threads only. A
    parent that dies before we ask for the signal is noticed by its number, which it left in the environment.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = int(os.environ.get(PARENT) or os.getppid())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(70)

    if os.getppid() != parent:
        os._exit(70)
    threading.Thread(target=watch, daemon=True, name="parent watch").start()


def with_parent(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child that dies with this process."""
    return {**environment, PARENT: str(os.getpid())}


def open_files() -> int:
    """Let this process and its children hold as many connections as the system allows; how many.

    A server stops accepting at a number of its own, and every stream counts for as long as it is listened to.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return max(FEWEST, wanted - SPARE)


class Child:
    """One process that `tend` keeps alive: its name, how it is started, and whether it may be started again."""

    def __init__(self, name: str, code: str, environment: Mapping[str, str], *, again: bool) -> None:
        self.name = name
        self.again = again
        self._code = code
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._born = 0.0

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches us alone, and we stop all in order."""
        self._born = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603  # our own code
            [sys.executable, "-c", self._code], env=with_parent(self._environment), start_new_session=True
        )

    @property
    def ended(self) -> int | None:
        """With which code it ended; None while it lives."""
        return None if self._process is None else self._process.poll()

    @property
    def short_lived(self) -> bool:
        """It ended so soon that starting it again would help nobody."""
        return time.monotonic() - self._born < LIVELY

    def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def tend(children: Sequence[Child], ready: Callable[[], bool], say: Callable[[], None]) -> None:
    """Run children until INT or TERM; `say` is called once `ready` is true. Stops all, last first, whatever happens."""
    stop = threading.Event()
    before = {sign: signal.signal(sign, lambda *_: stop.set()) for sign in (signal.SIGINT, signal.SIGTERM)}
    said = False
    try:
        for child in children:
            child.start()
        while not stop.wait(0.5 if said else 0.05):
            for child in children:
                _revive(child)
            if not said and ready():
                said = True
                say()
    finally:
        for child in reversed(children):
            child.stop()
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _revive(child: Child) -> None:
    if child.ended is None:
        return
    if not child.again or child.short_lived:
        raise Ended(f"The {child.name} ended with code {child.ended}; its last words are above.")
    child.start()


def listens(address: str, port: int) -> bool:
    """Does someone accept connections there?"""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(address, address)  # noqa: S104  # compared only
    try:
        socket.create_connection((here, port), timeout=1).close()
    except OSError:
        return False
    return True


def free(address: str, port: int, patience: float = 3.0) -> None:
    """Busy unless the port can be had: a server whose parent was just killed gets a moment to be gone."""
    deadline = time.monotonic() + patience
    while True:
        try:
            family, kind, _, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
                return
        except OSError as error:
            if time.monotonic() > deadline:
                why = error.strerror or str(error)
                raise Busy(f"Port {port} of {address} cannot be used ({why}): choose another with --port.") from error
            time.sleep(0.1)


@contextlib.contextmanager
def alone(path: Path, sentence: str) -> Iterator[None]:
    """Hold a lock file while the block runs; Busy with that sentence when another process holds it."""
    with _opened(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(sentence) from error
        yield


@contextlib.contextmanager
def among(path: Path, last: Callable[[], None]) -> Iterator[None]:
    """Be one of those who use a thing; the last to leave calls `last`, also when others were killed before."""
    with _opened(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                last()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield lock
    finally:
        os.close(lock)


def client(
    peer: Sequence[object] | None, headers: Mapping[bytes, bytes], proxies: Sequence[IPv4Network | IPv6Network]
) -> tuple[str, int]:
    """Whose request this is: the nearest address in X-Forwarded-For that no trusted proxy holds."""
    address = str(peer[0]) if peer else ""
    if not proxies or b"x-forwarded-for" not in headers:
        return address, 0
    chain = [part.strip() for part in headers[b"x-forwarded-for"].decode("latin-1").split(",")]
    while chain and _trusted(address, proxies):
        before = chain.pop()
        if not before:
            break
        address = before
    return address, 0


def _trusted(address: str, proxies: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies if network.version == found.version)
