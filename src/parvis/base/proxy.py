"""The files of other servers have an address here: a reader never tells a stranger's server who reads, and when.

The address carries the original one and a seal over it. Only this city makes it, for what it has been told of, so
nobody can use the proxy to reach anything else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import overload

from parvis.base.errors import NotFound
from parvis.base.settings import Settings

SEAL_BYTES = 16


@overload
def address(settings: Settings, url: str) -> str: ...
@overload
def address(settings: Settings, url: None) -> None: ...
def address(settings: Settings, url: str | None) -> str | None:
    """Where this city shows a file of another server."""
    if url is None:
        return None
    return f"{settings.base}/proxy/{_seal(settings, url)}/{_coded(url.encode())}"


def original(settings: Settings, seal: str, coded: str) -> str:
    """The address behind one of ours; NotFound when we did not make it."""
    try:
        url = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise NotFound("file") from error
    if not hmac.compare_digest(_seal(settings, url).encode(), seal.encode()):
        raise NotFound("file")
    return url


def _seal(settings: Settings, url: str) -> str:
    return _coded(hmac.digest(settings.proxy_key, url.encode(), hashlib.sha256)[:SEAL_BYTES])


def _coded(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()
