"""A process that shuts itself in: from then on it reaches one folder and its own program, no network and no neighbour.

Landlock does it, in Linux since 5.13, without any right. An older kernel, or one built without it, lets us go on
without: then the process has only its limits of memory and time.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PR_SET_NO_NEW_PRIVS: Final = 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_ASKED: Final = 1
BENEATH: Final = 1
EXECUTE, WRITE, READ, LIST, REMOVE_FILE, MAKE_FILE = (1 << bit for bit in (0, 1, 2, 3, 5, 8))
TRUNCATE: Final = 1 << 14
# What a version of Landlock can refuse: 13 things from the first on, then moving away, cutting short, asking devices.
FILES: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
ALL_FILES: Final = (1 << 16) - 1
NETWORK: Final = 0b11
NEIGHBOURS: Final = 0b11


def shut_in(folder: Path) -> bool:
    """Reach only this folder and what Python itself is made of; False where the kernel cannot do that."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_ASKED)
    if version < 1:
        return False
    files = FILES.get(version, ALL_FILES)
    asked = struct.pack("=QQQ", files, NETWORK if version >= 4 else 0, NEIGHBOURS if version >= 6 else 0)
    rules = libc.syscall(CREATE_RULESET, asked, ctypes.c_size_t(24 if version >= 6 else 16 if version >= 4 else 8), 0)
    if rules < 0:
        return False
    try:
        _allow(libc, rules, (folder,), files & (WRITE | READ | LIST | REMOVE_FILE | MAKE_FILE | TRUNCATE))
        _allow(libc, rules, _program(), EXECUTE | READ | LIST)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _program() -> list[Path]:
    places = {sys.prefix, sys.base_prefix, *sys.path, "/lib", "/lib64"}
    return [Path(place) for place in places if place and Path(place).is_dir()]


def _allow(libc: ctypes.CDLL, rules: int, places: Iterable[Path], access: int) -> None:
    for place in places:
        opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
        try:
            if libc.syscall(ADD_RULE, rules, BENEATH, struct.pack("=Qi", access, opened), 0) != 0:
                raise OSError(ctypes.get_errno(), "a place cannot be named to Landlock")
        finally:
            os.close(opened)
