"""Files to attach."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.api import entities, limits
from parvis.api.call import Call, get, post, put
from parvis.api.parameters import Upload
from parvis.base.errors import NotFound
from parvis.media import actions as media


class NewMedia(msgspec.Struct, frozen=True, kw_only=True):
    """A file and what it shows."""

    file: Upload
    description: str | None = None
    focus: str | None = None


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    id: int


class ChangedMedia(msgspec.Struct, frozen=True, kw_only=True):
    """A file described anew."""

    id: int
    description: str | None = None
    focus: str | None = None


async def _take(call: Call, args: NewMedia) -> dict[str, Any]:
    kept = await media.keep(call.job.files, "uploads", args.file.body)
    try:
        async with call.opening("write"):
            made = await media.upload(call.tx, await call.me(), kept, args.description, args.focus)
    except BaseException:
        await media.discard(call.job.files, [kept.file, kept.preview_file])
        raise
    return entities.media(made, call.settings)


@post("/api/v2/media", "write:media", tx="none", limit=limits.MEDIA)
async def upload(call: Call, args: NewMedia) -> dict[str, Any]:
    """Send a picture; it is ready when the answer comes."""
    return await _take(call, args)


@post("/api/v1/media", "write:media", tx="none", limit=limits.MEDIA, deprecated=1619827200)
async def upload_v1(call: Call, args: NewMedia) -> dict[str, Any]:
    """The same, as older clients send it."""
    return await _take(call, args)


@get("/api/v1/media/{id}", "write:media")
async def show(call: Call, args: One) -> dict[str, Any]:
    """A file of one's own that no post has taken yet."""
    found = await media.own(call.read, args.id, call.me_id)
    if found.status_id is not None:
        raise NotFound("media")
    return entities.media(found, call.settings)


@put("/api/v1/media/{id}", "write:media")
async def change(call: Call, args: ChangedMedia) -> dict[str, Any]:
    """Describe a picture that no post has taken yet; later it is described by editing the post."""
    if (await media.own(call.tx, args.id, call.me_id)).status_id is not None:
        raise NotFound("media")
    found = await media.describe(call.tx, await call.me(), args.id, args.description, args.focus)
    return entities.media(found, call.settings)
