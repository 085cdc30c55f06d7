"""Taking files in: what they show is made anew in the workshop, then the store, then the row.

A name is reserved before anything is put under it: what no row names within the hour is taken out again, whatever died.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import Invalid, NotFound
from parvis.base.files import Files
from parvis.base.jobs import Job
from parvis.base.works import Order, Size, Unfit, Work
from parvis.media import policy, queries
from parvis.media.model import Cover, Kept, Media, Raw, Said, Uploaded

AT_ONCE = 200


@contextlib.asynccontextmanager
async def _worked(job: Job, source: IO[bytes], order: Order) -> AsyncIterator[tuple[Path, Work]]:
    """The workshop's work on what somebody sent: Invalid when it is not fit for use."""
    try:
        async with job.workshop.worked(source, order) as made:
            yield made
    except Unfit as error:
        raise Invalid("file", error.word) from error


async def keep(job: Job, kind: str, source: IO[bytes] | bytes, box: Size = policy.LARGEST) -> Kept:
    """Make a picture, and put it into the store without a small one. Outside any transaction."""
    with _on_disk(job, source) as file:
        async with _worked(job, file, policy.order(box, only_pictures=True)) as (folder, work):
            return await store(job, f"{kind}/{secrets.token_urlsafe(16)}", folder, work, preview=False)


@contextlib.contextmanager
def _on_disk(job: Job, source: IO[bytes] | bytes) -> Iterator[IO[bytes]]:
    if not isinstance(source, bytes):
        yield source
        return
    job.settings.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=job.settings.scratch) as file:
        file.write(source)
        file.flush()
        yield file


async def take(job: Job, source: IO[bytes] | bytes, *, wait: bool) -> Kept | Raw:
    """Make a picture at once; what takes longer only if the caller waits, otherwise it is kept as it came."""
    with _on_disk(job, source) as file:
        async with _worked(job, file, policy.order(quick=not wait)) as (folder, work):
            if work.file is not None:
                return await store(job, f"uploads/{secrets.token_urlsafe(16)}", folder, work)
        raw = Raw(f"raw/{secrets.token_urlsafe(16)}", work.kind, await asyncio.to_thread(file.seek, 0, io.SEEK_END))
        await reserve(job, [raw.file])
        await asyncio.to_thread(file.seek, 0)
        await job.files.put(raw.file, file)
        return raw


async def store(job: Job, stem: str, folder: Path, work: Work, *, preview: bool = True) -> Kept:
    """Put what the workshop made into the store."""
    if work.file is None:
        raise Unfit("not_media")
    small = work.preview if preview else None
    preview_file = f"{stem}.small{Path(small.file).suffix}" if small else None
    kept = Kept(f"{stem}{Path(work.file.file).suffix}", preview_file, work)
    await reserve(job, [name for name in (kept.file, kept.preview_file) if name])
    await job.files.put(kept.file, folder / work.file.file)
    if small and kept.preview_file:
        await job.files.put(kept.preview_file, folder / small.file)
    return kept


async def reserve(job: Job, names: Sequence[str]) -> None:
    """Announce names that are about to be put into the store: what no row takes within the hour goes again."""
    async with job.db.write() as tx:
        await queries.reserve(tx, names)


async def said(job: Job, description: str | None, focus: str | None, cover: IO[bytes] | None) -> Said:
    """What an owner says of a file, checked; the cover is in the store already."""
    text, point = policy.description(description), policy.focus(focus)
    if cover is None:
        return Said(text, point)
    kept = await keep(job, "uploads", cover, policy.PREVIEW)
    if kept.work.file is None:
        raise Invalid("thumbnail", "not_media")
    return Said(text, point, Cover(kept.file, kept.work.file, kept.work.blurhash))


async def upload(tx: Tx, by: Account, made: Kept | Raw, words: Said) -> Media:
    """Give a file in the store to the account that sent it; one that is not ready is made so by a worker."""
    if isinstance(made, Kept):
        return await own(tx, await queries.add(tx, by.id, made, words), by.id)
    media_id = await queries.add_waiting(tx, by.id, made, words)
    await tx.emit(Uploaded(media_id))
    return await own(tx, media_id, by.id)


async def own(r: Read, media_id: int, account_id: int) -> Media:
    """A file of one's own; NotFound otherwise."""
    found = await queries.by_id(r, media_id, account_id)
    if found is None:
        raise NotFound("media")
    return found


async def free(r: Read, media_id: int, account_id: int) -> Media:
    """A file of one's own that no post has taken; NotFound otherwise."""
    found = await own(r, media_id, account_id)
    if found.status_id is not None:
        raise NotFound("media")
    return found


async def describe(tx: Tx, by: Account, media_id: int, description: str | None, focus: str | None) -> Media:
    """Say what a file shows, and where its heart is."""
    before = await own(tx, media_id, by.id)
    point = policy.focus(focus) if focus is not None else (before.focus_x, before.focus_y)
    text = before.description if description is None else policy.description(description)
    await queries.describe(tx, media_id, by.id, text, point)
    return await own(tx, media_id, by.id)


async def may_attach(r: Read, by: Account, media_ids: Sequence[int]) -> None:
    """May a post show these? All one's own, ready, and of kinds that go together."""
    if not media_ids:
        return
    files = await queries.among(r, by.id, media_ids)
    if len(files) != len(set(media_ids)):
        raise Invalid("media_ids", "not_found")
    policy.may_go_together(files)


async def remove(tx: Tx, by: Account, media_id: int) -> Media:
    """Take back an upload that no post shows; what it was. NotFound otherwise."""
    gone = await queries.remove(tx, media_id, by.id)
    if gone is None:
        raise NotFound("media")
    return gone


async def discard(files: Files, names: Iterable[str]) -> None:
    """Take files out of the store now; the sweep would find them later."""
    await files.delete(names)


async def forget_stale(job: Job) -> bool:
    """Delete uploads that no post took within a day; those of a deleted post have a day to be posted anew."""
    await asyncio.to_thread(job.workshop.sweep)
    async with job.db.write() as tx:
        gone = await queries.stale(tx)
    await discard(job.files, [name for media in gone for name in media.names])
    return len(gone) >= AT_ONCE


async def burn(job: Job) -> bool:
    """Take out of the store what no row names any more. Whoever dies over it leaves it to the next."""
    async with job.db.read() as r:
        names = await queries.doomed(r, AT_ONCE)
    if names:
        await job.files.delete(names)
        async with job.db.write() as tx:
            await queries.burnt(tx, names)
    return len(names) >= AT_ONCE
