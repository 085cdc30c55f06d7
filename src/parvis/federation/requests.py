"""A request of another server, as its signature sees it."""

from __future__ import annotations

from starlette.requests import Request

from parvis.federation import jsonld


class TooLargeError(Exception):
    """The body is larger than anybody has reason to send."""


async def body(request: Request) -> bytes:
    """The body, or TooLargeError as soon as it is."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > jsonld.MAX_BYTES:
        raise TooLargeError
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > jsonld.MAX_BYTES:
            raise TooLargeError
    return bytes(found)


def fields(request: Request) -> dict[str, str]:
    """Header fields by name; one that came twice is joined, as signatures see it."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def target(request: Request) -> str:
    """The target as it was asked for, byte for byte: that is what is signed."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    return f"{path}?{request.url.query}" if request.url.query else path
