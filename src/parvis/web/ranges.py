"""Answers with a file, whole or the stretch that was asked for (RFC 9110 §14)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from parvis.base.files import Body

ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
SHELTER = {
    "Content-Security-Policy":
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def answer(request: Request, body: Body, content_type: str, tag: str, caching: str) -> Response:
    """A file in a shelter of its own: it keeps its type, runs nothing, and may be kept by whoever asked for it."""
    headers = {**SHELTER, "Cache-Control": caching, "ETag": f'"{tag}"', "Content-Type": content_type}
    if request.headers.get("if-none-match") in (headers["ETag"], "*"):
        return Response(b"", 304, headers)
    if body.size is None:
        return _answer(request, 200, headers, body.stretch(0, None))
    headers["Accept-Ranges"] = "bytes"
    wanted = None
    if request.headers.get("if-range") in (None, headers["ETag"]):
        wanted = stretch(request.headers.get("range", ""), body.size)
    if wanted is None:
        return _answer(request, 200, headers | {"Content-Length": str(body.size)}, body.stretch(0, body.size))
    start, end = wanted
    if start >= end:
        return Response(b"", 416, {**headers, "Content-Range": f"bytes */{body.size}"})
    shown = {"Content-Range": f"bytes {start}-{end - 1}/{body.size}", "Content-Length": str(end - start)}
    return _answer(request, 206, headers | shown, body.stretch(start, end))


def stretch(asked: str, size: int) -> tuple[int, int] | None:
    """First byte and byte after the last of a Range header; empty when it lies outside, None when all is meant."""
    match = ONE_RANGE.fullmatch(asked.replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    return (start, end) if start < size else (size, size)


def _answer(request: Request, code: int, headers: Mapping[str, str], chunks: AsyncIterator[bytes]) -> Response:
    """The length stays in the headers where the body is not asked for."""
    return Response(b"", code, headers) if request.method == "HEAD" else StreamingResponse(chunks, code, headers)
