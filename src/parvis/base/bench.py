"""The other end of the workshop: a process that reads one file, does one order and ends. It has nothing to lose.

It is given no secret, little memory, little time and an empty folder outside of which it reaches nothing; the file is
its input, its answer leaves as JSON.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path
from typing import IO

import msgspec

from parvis.base import cell, films, pictures, process, sniff
from parvis.base.works import Order, Rations, Told, Unfit, Work


def confine(rations: Rations) -> None:
    """From here on the kernel ends this process when it takes more than its share."""
    for what, most in (
        (resource.RLIMIT_AS, rations.memory), (resource.RLIMIT_CPU, rations.seconds), (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, rations.written), (resource.RLIMIT_NOFILE, rations.files),
    ):
        resource.setrlimit(what, (most, most))


def worked(source: IO[bytes], folder: Path, order: Order) -> Work:
    """One order. What the file is, its first bytes say."""
    kind = sniff.content_type(source.read(sniff.HEAD))
    source.seek(0)
    if kind is None:
        raise Unfit("not_media")
    if not kind.startswith("image/"):
        if order.only_pictures:
            raise Unfit("not_media")
        return films.recorded(source, kind, folder, order)
    with contextlib.closing(pictures.opened(source, order.bounds.pixels)) as image:
        if pictures.moves(image) and not order.only_pictures:
            return films.animated(image, folder, order)
        return pictures.still(image, folder, order)


def main(asked: str, given: str) -> None:
    """Do the order that came as JSON, with the file on standard input, in the folder one stands in."""
    cell.shut_in(Path.cwd())  # before any thread: they would stay outside
    process.die_with_parent()
    confine(msgspec.json.decode(given, type=Rations))
    try:
        with open(0, "rb", closefd=False) as source:
            told = Told(work=worked(source, Path.cwd(), msgspec.json.decode(asked, type=Order)))
    except Unfit as error:
        told = Told(unfit=error.word)
    except MemoryError:
        told = Told(unfit="too_heavy")
    sys.stdout.buffer.write(msgspec.json.encode(told))
