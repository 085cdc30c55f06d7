"""What the live scenarios share: real servers in their own folders, requests to them, and steps that are printed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

PARVIS = [sys.executable, "-c", "import sys; from parvis.cli import main; sys.exit(main())"]
BEGAN = time.monotonic()
PASSWORD = "place-publique"


class Failed(Exception):
    """A step did not happen as it must."""


def tell(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def step(name: str, seconds: float | None = None, said: str = "ok") -> None:
    """Print one step of a scenario."""
    took = "" if seconds is None else f"  {seconds:.2f} s"
    tell(f"{time.monotonic() - BEGAN:7.2f}  {said:6}  {name}{took}")


def must(truth: object, sentence: str) -> None:
    """Fail the scenario unless this is so."""
    if not truth:
        raise Failed(sentence)


def within(seconds: float, name: str, ready: Callable[[], Any]) -> Any:
    """Ask again and again until there is an answer; the step and how long it took are printed."""
    began = time.monotonic()
    while True:
        found = ready()
        if found:
            step(name, time.monotonic() - began)
            return found
        if time.monotonic() - began > seconds:
            raise Failed(f"{name}: not within {seconds} s")
        time.sleep(0.02)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class City:
    """One `parvis serve --dev` with its own folder and database."""

    def __init__(self, folder: Path, port: int | None = None, *options: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.origin = f"http://localhost:{self.port}"
        self.domain = f"localhost:{self.port}"
        self.options = options
        self.log = folder.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> City:
        """Start, and wait for the line that says it accepts connections."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            before = log.tell()
            self.process = subprocess.Popen(
                [*PARVIS, "serve", "--dev", "--data", str(self.folder), "--port", str(self.port), "--origin", self.origin,
                 *self.options], stdout=log, stderr=log,
            )
        while b"Parvis serves" not in self.log.read_bytes()[before:]:
            if self.process.poll() is not None or time.monotonic() - began > 60:
                raise Failed(f"{self.origin} did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        step(f"{self.origin} serves", time.monotonic() - began)
        return self

    def stop(self) -> None:
        """Stop in order."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def family(self) -> list[int]:
        """The parent and every process below it, PostgreSQL not counted: that one is nobody's child."""
        assert self.process
        return below(self.process.pid)

    @property
    def postmaster(self) -> int:
        """The first process of its own PostgreSQL."""
        return int((self.folder / "postgres/postmaster.pid").read_text().split()[0])

    def kill(self, *, everyone: bool) -> list[int]:
        """kill -9 the parent alone, or everyone and PostgreSQL too; waits until all are gone. Who was killed."""
        family = self.family()
        victims = family if everyone else family[:1]
        if everyone:
            victims = [*victims, self.postmaster]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self.process
        self.process.wait()
        deadline = time.monotonic() + 5
        while any(alive(pid) for pid in family) and time.monotonic() < deadline:
            time.sleep(0.01)
        must(not any(alive(pid) for pid in family), "a child outlived its parent")
        return victims

    def run(self, *arguments: str, code: int = 0) -> str:
        """A command of the command line on this city; what it printed."""
        done = subprocess.run(
            [*PARVIS, *arguments, "--data", str(self.folder)], capture_output=True, text=True, timeout=120, check=False
        )
        must(done.returncode == code, f"parvis {' '.join(arguments)}: code {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout.strip()

    def person(self, name: str, *, role: str | None = None, district: str | None = None) -> Person:
        """Someone who lives here, with a token."""
        options = ["--role", role] if role else []
        account = self.run(
            "account", "create", name, "--email", f"{name}@example.org", "--password", PASSWORD, "--confirmed", *options
        )
        if district:
            self.run("resident", "attest", name, "--district", district)
        scopes = "read write follow push admin:read admin:write" if role else "read write follow push"
        return Person(self, name, account, self.run("token", "create", name, "--scopes", scopes))


class Person:
    """Someone with a token, who speaks Mastodon's API."""

    def __init__(self, city: City, name: str, account: str, token: str) -> None:
        self.city, self.name, self.id, self.token = city, name, account, token
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.handle = f"{name}@{city.domain}"

    def ask(self, method: str, path: str, code: int = 200, **fields: Any) -> Any:
        """One request; its JSON. Any other code fails the scenario."""
        key = "params" if method == "GET" else "json"
        answer = self.http.request(method, self.city.origin + path, timeout=30, **{key: fields} if fields else {})
        must(answer.status_code == code, f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def get(self, path: str, **fields: Any) -> Any:
        """GET."""
        return self.ask("GET", path, **fields)

    def post(self, path: str, **fields: Any) -> Any:
        """POST."""
        return self.ask("POST", path, **fields)

    @property
    def uri(self) -> str:
        """Their ActivityPub id."""
        return str(self.get("/api/v1/accounts/verify_credentials")["uri"])

    def posts_of(self, account: str) -> Counter[str]:
        """Every post of an account as this person sees it, by its address, and how often each is there."""
        found: Counter[str] = Counter()
        last: dict[str, str] = {}
        while page := self.get(f"/api/v1/accounts/{account}/statuses", limit=40, **last):
            found.update(status["uri"] for status in page)
            last = {"max_id": page[-1]["id"]}
        return found

    def find(self, handle: str) -> Any:
        """The account behind a handle, fetched from its server when it is not known yet."""
        found = self.get("/api/v2/search", q=f"@{handle}", resolve="true", type="accounts")["accounts"]
        must(found, f"{handle} is not found")
        return found[0]

    def home(self) -> list[Any]:
        """The home timeline."""
        found: list[Any] = self.get("/api/v1/timelines/home")
        return found

    def notified(self, kind: str, by: str) -> bool:
        """Has someone done that to this person?"""
        return any(n["type"] == kind and n["account"]["acct"] == by for n in self.get("/api/v1/notifications"))


def below(pid: int) -> list[int]:
    """A process and all that it started."""
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{found[-1]}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
    return found


def alive(pid: int) -> bool:
    """Is there such a process, zombies not counted?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="parvis-live-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def cities(*made: City) -> Iterator[tuple[City, ...]]:
    """Serve these while the block runs."""
    try:
        for city in made:
            city.start()
        yield made
    finally:
        for city in made:
            city.stop()


def play(name: str, scenario: Callable[[Path], None]) -> int:
    """Run a scenario in a fresh folder; the exit code."""
    tell(f"— {name}")
    with folder() as path:
        try:
            scenario(path)
        except Exception as error:
            step(f"{name}: {type(error).__name__}: {error}", said="FAILED")
            for log in path.glob("*.log"):
                tell(f"{log.name}: {log.read_text(errors='replace')[-3000:]}")
            return 1
    step(name)
    return 0
