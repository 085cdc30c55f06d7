"""Multipart bodies, whole or in any pieces: the parts, in their order; files on disk, bounded by their kind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect
from starlette.exceptions import HTTPException

from parvis.api import uploads
from parvis.api.media import NewMedia
from parvis.api.parameters import _takes_files
from parvis.api.statuses import Several
from parvis.api.uploads import Form, Upload
from parvis.base.errors import Invalid
from parvis.media import policy

EDGE = "edge"
PHOTO, FILM = b"\xff\xd8\xff\xe0", b"\0\0\0\x18ftypisom"
quiet = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def body(*parts: tuple[str, bytes, bool], end: bool = True) -> bytes:
    made = b""
    for name, value, is_file in parts:
        file = '; filename="a.png"\r\nContent-Type: image/png' if is_file else ""
        made += f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"
    return made + (f"--{EDGE}--\r\n".encode() if end else b"")


async def _read(folder: Path, chunks: list[bytes], files: bool = True) -> list[tuple[str, str | bytes]]:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    form = Form(f"multipart/form-data; boundary={EDGE}", folder, files=files)
    try:
        found = await form.read(stream())
        return [(name, value.file.read() if isinstance(value, Upload) else value) for name, value in found]
    finally:
        form.close()
        assert list(folder.iterdir()) == []  # files have no names to be forgotten under


def read(folder: Path, chunks: list[bytes], files: bool = True) -> list[tuple[str, str | bytes]]:
    return asyncio.run(_read(folder, chunks, files))


part = st.tuples(st.text("abc[]", min_size=1, max_size=6), st.binary(max_size=300).map(lambda b: b.replace(b"--edge", b"")), st.booleans())


@quiet
@given(st.lists(part, max_size=6), st.lists(st.integers(1, 90), max_size=20))
def test_parts_are_read_whatever_pieces_they_come_in(tmp_path: Path, parts: list[tuple[str, bytes, bool]], cuts: list[int]) -> None:
    whole, chunks = body(*parts), []
    for cut in cuts:
        chunks.append(whole[:cut])
        whole = whole[cut:]
    found = read(tmp_path, [*chunks, whole])
    assert found == [(name, value if is_file else value.decode(errors="replace")) for name, value, is_file in parts]


@quiet
@given(st.binary(max_size=400))
def test_junk_is_refused_and_nothing_else(tmp_path: Path, junk: bytes) -> None:
    with contextlib.suppress(HTTPException):
        read(tmp_path, [junk])


@pytest.mark.parametrize("wrong", [b"x", body(("a", b"b", False), end=False), f"--{EDGE}\r\n\r\nno name\r\n--{EDGE}--".encode()])
def test_half_a_form_is_none(tmp_path: Path, wrong: bytes) -> None:
    with pytest.raises(HTTPException):
        read(tmp_path, [wrong])


@pytest.mark.parametrize(("head", "most"), [(PHOTO, policy.IMAGE_BYTES), (FILM, policy.FILE_BYTES), (b"<html", policy.IMAGE_BYTES)])
def test_each_kind_has_its_limit_while_it_comes_in(tmp_path: Path, head: bytes, most: int) -> None:
    async def stream(size: int) -> AsyncIterator[bytes]:
        yield body(("file", head, True), end=False)[:-2]
        piece, left = bytes(1024 * 1024), size - len(head)
        while left:
            yield piece[:left]
            left -= min(left, len(piece))
        yield f"\r\n--{EDGE}--\r\n".encode()

    async def sizes() -> None:
        for size, fits in ((most, True), (most + 1, False)):
            form = Form(f"multipart/form-data; boundary={EDGE}", tmp_path, files=True)
            try:
                if fits:
                    await form.read(stream(size))
                    assert form.uploads[0].size == size
                else:
                    with pytest.raises(Invalid) as caught:
                        await form.read(stream(size))
                    assert (caught.value.field, caught.value.word) == ("file", "too_large")
                assert form.uploads[0].file.seek(0, 2) <= most  # no more reaches the disk
            finally:
                form.close()

    asyncio.run(sizes())


def test_there_are_only_so_many_parts_and_so_much_text(tmp_path: Path) -> None:
    for parts in ([("f", b"x", True)] * (uploads.FILES + 1), [("a", b"b", False)] * (uploads.FIELDS + 1), [("a", b"x" * (uploads.TEXT + 1), False)]):
        with pytest.raises(HTTPException):
            read(tmp_path, [body(*parts)])


def test_only_operations_that_take_files_let_large_bodies_in() -> None:
    def takes(shape: type) -> bool:
        kind = inspect.type_info(shape)
        assert isinstance(kind, inspect.StructType)
        return any(_takes_files(field.type) for field in kind.fields)

    assert (takes(NewMedia), takes(Several)) == (True, False)
