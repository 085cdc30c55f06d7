"""Files: what the pages need, and what people uploaded."""

from __future__ import annotations

import re
from collections.abc import Mapping

import obstore
from obstore.store import LocalStore
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from parvis.base.settings import Settings
from parvis.web.press import TYPES, Asset

UPLOADED = re.compile(r"[a-z_]{1,20}/[A-Za-z0-9_-]{16,64}(\.small)?\.(jpg|png|gif|webp|avif|mp4|webm|mp3|ogg)\Z")
FOREVER = "public, max-age=31536000, immutable"
ROBOTS = b"User-agent: *\nDisallow: /auth/\nDisallow: /oauth/\nDisallow: /api/\n"


def routes(assets: Mapping[str, Asset], settings: Settings) -> list[BaseRoute]:
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
            found = await obstore.get_async(LocalStore(settings.files, mkdir=True), name)
        except FileNotFoundError as error:
            raise HTTPException(404) from error
        headers = {"Cache-Control": FOREVER, "Content-Security-Policy": "default-src 'none'; sandbox",
                   "Access-Control-Allow-Origin": "*"}
        return Response(bytes(await found.bytes_async()), 200, headers, TYPES[name.rpartition(".")[2]])

    async def robots(_: Request) -> Response:
        return Response(ROBOTS, 200, {"Cache-Control": "public, max-age=86400"}, TYPES["txt"])

    return [
        Route("/static/{name}", static), Route("/media/{name:path}", uploaded), Route("/robots.txt", robots),
    ]
