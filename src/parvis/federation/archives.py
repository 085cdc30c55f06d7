"""What a person takes along, in the words of ActivityPub: one zip, written page by page.

Many posts take no more memory than few. The layout is that of Mastodon's archives, so that others can read it.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import tempfile
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import IO

import msgspec
import structlog

from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base import mail
from parvis.base.db import Read
from parvis.base.jobs import Job
from parvis.federation import documents, verbs
from parvis.federation.jsonld import Document
from parvis.media import actions as media
from parvis.portability import actions, policy, queries
from parvis.portability.model import ArchiveAsked
from parvis.statuses import queries as posts
from parvis.statuses.model import Status
from parvis.text import messages

log = structlog.get_logger()

PAGE = 50
MEDIA = "media_attachments/files"
LOCAL_ONLY = {"localOnly": "https://code.europa.eu/parvis/parvis#localOnly"}
CONTEXT = [*documents.in_context(dict.fromkeys(documents.TERMS))["@context"], LOCAL_ONLY]
README = {"README.txt": messages.LOCALES[1], "LISEZMOI.txt": messages.LOCALES[0]}


class Parcel:
    """A zip that is being packed: one entry after the other, each as it comes."""

    def __init__(self, job: Job, file: IO[bytes], now: datetime) -> None:
        self._zip = zipfile.ZipFile(file, "w")
        self._job = job
        self.now = now

    async def put(self, name: str, pieces: AsyncIterator[bytes], *, squeezed: bool = True) -> None:
        """Write an entry piece by piece."""
        about = zipfile.ZipInfo(name, (self.now.year, self.now.month, self.now.day, self.now.hour, self.now.minute, 0))
        about.compress_type = zipfile.ZIP_DEFLATED if squeezed else zipfile.ZIP_STORED
        about.external_attr = 0o600 << 16
        with self._zip.open(about, "w", force_zip64=True) as entry:
            async for piece in pieces:
                await asyncio.to_thread(entry.write, piece)

    async def put_file(self, name: str, file: str) -> None:
        """Copy a file out of the store; one that is lost there is left out."""
        try:
            body = await self._job.files.body(file)
        except FileNotFoundError:
            log.warning("a file is not in the store", file=file)
            return
        await self.put(name, body.stretch(0, None), squeezed=False)

    async def close(self) -> None:
        """Write what stands at the end of a zip."""
        await asyncio.to_thread(self._zip.close)


async def write(job: Job, event: ArchiveAsked) -> None:
    """Put an archive together and into the store; nothing when that was done before, or its owner has left."""
    async with job.db.read() as r:
        wanted, now = await queries.archive(r, event.archive), r.now
        account = await people.by_id(r, wanted.account_id) if wanted and wanted.ready_at is None else None
    if account is None or account.deleted_at:
        return
    job.settings.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=job.settings.scratch) as file:
        parcel = Parcel(job, file, now)
        try:
            await _pack(job, account, parcel)
        finally:
            await parcel.close()
        size, name = await asyncio.to_thread(file.seek, 0, io.SEEK_END), f"archives/{secrets.token_urlsafe(24)}.zip"
        await asyncio.to_thread(file.seek, 0)
        await media.reserve(job, [name])
        await job.files.put(name, file)
    async with job.db.write() as tx:
        done = await actions.archive_made(tx, event.archive, name, size)
    if not done:
        await media.discard(job.files, [name])


async def _pack(job: Job, account: Account, parcel: Parcel) -> None:
    values = {"city": mail.city(job.settings), "username": account.username, "day": f"{parcel.now:%Y-%m-%d}"}
    for name, locale in README.items():
        await parcel.put(name, _whole(messages.plain("archive", locale, values).encode()))
    await _pack_profile(job, account, parcel)
    await parcel.put("outbox.json", _collection("outbox.json", _said(job, account)))
    for name, table in (("likes.json", "favourites"), ("bookmarks.json", "bookmarks")):
        await parcel.put(name, _collection(name, _marked(job, account, table)))
    for kind, name in policy.FILES.items():
        if kind == "bookmarks":  # as many as somebody likes
            await parcel.put(name, _rows(_marked(job, account, "bookmarks")))
            continue
        async with job.db.read() as r:
            rows = await queries.taken(r, kind, account.id, job.settings.domain)
        await parcel.put(name, _whole(policy.written(kind, rows).encode()))
    async for file in _files(job, account):
        await parcel.put_file(_place(file), file)


async def _pack_profile(job: Job, account: Account, parcel: Parcel) -> None:
    async with job.db.read() as r:
        shown = (await people.shown(r, [account.id]))[0]
        actor = await documents.profile(r, account, shown, job.settings.base)
    actor |= {name: f"{name}.json" for name in ("outbox", "likes", "bookmarks")}
    for word, name, file in (("icon", "avatar", shown.avatar_file), ("image", "header", shown.header_file)):
        if file:
            place = f"{name}.{file.rpartition('.')[2]}"
            actor[word]["url"] = place
            await parcel.put_file(place, file)
    await parcel.put("actor.json", _whole(documents.encoded(actor)))


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _collection(name: str, items: AsyncIterator[object]) -> AsyncIterator[bytes]:
    """An OrderedCollection of what comes; how much that was stands at its end."""
    head = msgspec.json.encode({"@context": CONTEXT, "id": name, "type": "OrderedCollection"})
    yield head[:-1] + b',"orderedItems":['
    total = 0
    async for item in items:
        yield (b",\n" if total else b"\n") + msgspec.json.encode(item)
        total += 1
    yield b'\n],"totalItems":%d}' % total


async def _rows(uris: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for uri in uris:
        yield policy.written("bookmarks", [[uri]]).encode()


async def _said(job: Job, account: Account) -> AsyncIterator[Document]:
    """What somebody wrote and passed on, a page at a time."""
    after: int | None = 0
    while after is not None:
        async with job.db.read() as r:
            page = await queries.said(r, account.id, after, PAGE)
            found = [await _activity(r, account, status, job.settings.base) for status in page]
        for one in found:
            if one is not None:
                yield one
        after = page[-1].id if page else None


async def _activity(r: Read, account: Account, status: Status, base: str) -> Document | None:
    """The activity by which something was said. For its author alone, what stays in the city is written out as well."""
    if status.reblog_of_id is None:
        note = documents.note(await documents.written(r, account, _opened(status)), base)
        for file in note["attachment"]:
            file["url"] = _place(file["url"].removeprefix(documents.file_url(base, "")))
        return verbs.create(note | ({"localOnly": True} if status.local_only else {}))
    original = await posts.by_id(r, status.reblog_of_id)
    author = await people.by_id(r, original.account_id) if original and not original.deleted_at else None
    if original is None or author is None:
        return None
    return verbs.announce(status, account, _opened(original), author)


def _opened(status: Status) -> Status:
    return msgspec.structs.replace(status, local_only=False)


async def _marked(job: Job, account: Account, table: str) -> AsyncIterator[str]:
    """The addresses of what somebody marked, a page at a time."""
    after: int | None = 0
    while after is not None:
        async with job.db.read() as r:
            page = await queries.marked(r, table, account.id, after, PAGE)
        for one in page:
            yield one.uri
        after = page[-1].status_id if page else None


async def _files(job: Job, account: Account) -> AsyncIterator[str]:
    """The files of somebody's posts, a page at a time."""
    after: int | None = 0
    while after is not None:
        async with job.db.read() as r:
            page = await queries.filed(r, account.id, after, PAGE)
        for one in page:
            if one.file:
                yield one.file
        after = page[-1].status_id if page else None


def _place(file: str) -> str:
    """Where a file of a post is in the archive."""
    return f"{MEDIA}/{file.rpartition('/')[2]}"
