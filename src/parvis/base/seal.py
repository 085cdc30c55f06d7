"""Secrets: files of mode 0600 in one folder, and the seal that closes private keys kept in the database."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet


def kept(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """The secret of that name; made on first use, by whichever process is first, and never shown to other users."""
    path = folder / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".{name}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(make())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()


class Seal:
    """Closes and opens what only this city's servers may read: a stolen database alone signs nothing."""

    def __init__(self, folder: Path) -> None:
        self._fernet = Fernet(kept(folder, "seal.key", Fernet.generate_key))

    def close(self, plain: bytes) -> bytes:
        """Encrypt and authenticate."""
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """The plain bytes; cryptography's InvalidToken when they were sealed elsewhere."""
        return self._fernet.decrypt(sealed)
