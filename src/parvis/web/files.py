"""Files: what the pages need, and what people uploaded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from parvis.base import proxy, sniff
from parvis.base.errors import NotFound
from parvis.peers import queries as peers
from parvis.peers.policy import above
from parvis.web import ranges
from parvis.web.press import TYPES, Asset

UPLOADED = re.compile(r"[a-z_]{1,20}/[A-Za-z0-9_-]{16,64}(\.small)?\.(jpg|png|gif|webp|avif|mp4|webm|mp3|ogg)\Z")
FOREVER = "public, max-age=31536000, immutable"
WEEK: Final = 7 * 86_400
A_WEEK = f"public, max-age={WEEK}"
LARGEST: Final = 100_000_000
LONGEST: Final = 120.0
FETCHES: Final = (600, 300)
ROBOTS = b"User-agent: *\nDisallow: /auth/\nDisallow: /oauth/\nDisallow: /api/\n"


def routes(assets: Mapping[str, Asset]) -> list[BaseRoute]:
    """Where files are served."""

    async def static(request: Request) -> Response:
        found = assets.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        asked_by_tag = request.query_params.get("v") == found.tag
        headers = {"Cache-Control": FOREVER if asked_by_tag else "public, max-age=3600", "ETag": f'"{found.tag}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(b"", 304, headers)
        return Response(found.body, 200, headers, found.content_type)

    async def uploaded(request: Request) -> Response:
        name = request.path_params["name"]
        if not UPLOADED.match(name):
            raise HTTPException(404)
        try:
            found = await request.app.state.app.job.files.body(name)
        except FileNotFoundError as error:
            raise HTTPException(404) from error
        return ranges.answer(request, found, TYPES[name.rpartition(".")[2]], name.partition("/")[2], FOREVER)

    async def robots(_: Request) -> Response:
        return Response(ROBOTS, 200, {"Cache-Control": "public, max-age=86400"}, TYPES["txt"])

    return [
        Route("/static/{name}", static), Route("/media/{name:path}", uploaded), Route("/proxy/{seal}/{coded}", remote),
        Route("/robots.txt", robots),
    ]


async def remote(request: Request) -> Response:
    """A picture, film or sound of another server, fetched once for all who look at it, and kept for a while."""
    app = request.app.state.app
    url = proxy.original(app.settings, request.path_params["seal"], request.path_params["coded"])
    async with app.db.read() as r:
        if await peers.are_files_kept_out(r, above(urlsplit(url).netloc)):
            raise NotFound("file")
    key = cache_key(url, app.clock.now())
    if not app.cache.here(key):
        app.limits.allow("proxy", *FETCHES, request.client.host if request.client else "", app.clock.now())
    found = await app.cache.body(key, lambda: app.http.stream(
        "GET", url, headers={"accept": "image/*, video/*, audio/*"}, limit=LARGEST, seconds=LONGEST
    ))
    return ranges.answer(request, found, sniff.content_type(found.head) or "application/octet-stream", key[:32], A_WEEK)


def cache_key(url: str, now: datetime) -> str:
    """Under what a file is kept: it changes once a week, at a moment of its own, so that no copy grows old."""
    digest = hashlib.sha256(url.encode())
    week = (int(now.timestamp()) + int.from_bytes(digest.digest()[:4], "big") % WEEK) // WEEK
    digest.update(week.to_bytes(8, "big"))
    return digest.hexdigest()
