"""Files to attach."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from parvis.api import entities, errors, limits
from parvis.api.call import Call, delete, get, post, put
from parvis.api.uploads import Upload
from parvis.base.errors import NotFound
from parvis.media import actions as media
from parvis.media import policy, queries
from parvis.media.model import Media

FAILED = "Error processing thumbnail for uploaded media"
PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Authorization, Origin"}


class NewMedia(msgspec.Struct, frozen=True, kw_only=True):
    """A file, what it shows, and perhaps a picture that stands for it."""

    file: Upload
    thumbnail: Upload | None = None
    description: str | None = None
    focus: str | None = None


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    id: int


class ChangedMedia(msgspec.Struct, frozen=True, kw_only=True):
    """A file described anew."""

    id: int
    thumbnail: Upload | None = None
    description: str | None = None
    focus: str | None = None


async def _take(call: Call, args: NewMedia, *, wait: bool) -> Media:
    policy.may_upload(args.file.size, args.file.head)
    words = await media.said(call.job, args.description, args.focus, args.thumbnail.file if args.thumbnail else None)
    made = await media.take(call.job, args.file.file, wait=wait)
    async with call.opening("write"):
        return await media.upload(call.tx, await call.me(), made, words)


def _answer(call: Call, code: int, found: Media) -> Response:
    """The file with a code that says how far it is."""
    return errors.answer(code, entities.media(found, call.settings), PRIVATE)


@post("/api/v2/media", "write:media", tx="none", limit=limits.MEDIA)
async def upload(call: Call, args: NewMedia) -> Response:
    """Send a file. A picture is ready at once (200); a film, sound or moving picture in a while (202, without url)."""
    made = await _take(call, args, wait=False)
    return _answer(call, 200 if made.state == "ready" else 202, made)


@post("/api/v1/media", "write:media", tx="none", limit=limits.MEDIA, deprecated=1619827200)
async def upload_v1(call: Call, args: NewMedia) -> dict[str, Any]:
    """The same, as older clients send it: the answer comes when the file is ready."""
    return entities.media(await _take(call, args, wait=True), call.settings)


@get("/api/v1/media/{id}", "write:media")
async def show(call: Call, args: One) -> Response:
    """A file of one's own that no post has taken: ready (200), not yet (206), or never (422)."""
    found = await media.free(call.read, args.id, call.me_id)
    if found.state == "failed":
        why = errors.CAUSES.get(found.failure or "", "could not be read")
        return errors.answer(422, {"error": f"{FAILED}: it {why}"}, PRIVATE)
    return _answer(call, 200 if found.state == "ready" else 206, found)


@put("/api/v1/media/{id}", "write:media", tx="none")
async def change(call: Call, args: ChangedMedia) -> Response:
    """Describe a file that no post has taken yet; later it is described by editing the post."""
    async with call.opening("read"):
        await media.free(call.read, args.id, call.me_id)
    cover = args.thumbnail.file if args.thumbnail else None
    words = await media.said(call.job, args.description, args.focus, cover)
    async with call.opening("write"):
        me = await call.me()
        if (await media.own(call.tx, args.id, me.id)).status_id is not None:
            raise NotFound("media")
        await queries.cover(call.tx, args.id, me.id, words)
        found = await media.describe(call.tx, me, args.id, args.description, args.focus)
    return _answer(call, 206 if found.state == "waiting" else 200, found)


@delete("/api/v1/media/{id}", "write:media", tx="none")
async def destroy(call: Call, args: One) -> dict[str, Any]:
    """Take back an upload that no post shows."""
    async with call.opening("write"):
        gone = await media.remove(call.tx, await call.me(), args.id)
    await media.discard(call.job.files, gone.names)
    return {}
