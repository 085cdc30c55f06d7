"""What somebody elsewhere keeps at the top of their profile: asked for once, when they are met for the first time."""

from __future__ import annotations

from typing import Any

from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.errors import Problem
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld, threads, vocabulary
from parvis.federation.jsonld import Document
from parvis.federation.model import ProfileMet
from parvis.federation.vocabulary import Note
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts

MOST = 5
"""How many posts are taken over from a profile that is new here."""
KINDS = vocabulary.NOTE_TYPES | vocabulary.TITLED_TYPES
OPEN = ("public", "unlisted")


async def read(job: Job, event: ProfileMet) -> None:
    """Pin here what is pinned there; what cannot be had is left out."""
    async with job.db.read() as r:
        account = await people.by_id(r, event.account)
    if account is None or account.local or account.deleted_at or account.suspended_at:
        return
    for item in reversed(await _items(job, account)):  # the first pinned last, so that it stands first here, too
        try:
            await _pin(job, account, item)
        except Problem:
            continue


async def _items(job: Job, account: Account) -> list[Any]:
    """The first page of the collection, from the account's own server."""
    try:
        near = jsonld.host(account.uri)
        found = await threads.opened(job, near, account.featured_url)
        if not _listed(found) and found.get("first") is not None:
            found = await threads.opened(job, near, found["first"])
    except Problem:
        return []
    return _listed(found)[:MOST]


def _listed(page: Document) -> list[Any]:
    return [*jsonld.items(page.get("orderedItems")), *jsonld.items(page.get("items"))]


def _near(account: Account, uri: str) -> bool:
    return jsonld.host(uri) == jsonld.host(account.uri)


async def _pin(job: Job, account: Account, item: object) -> None:
    uri = jsonld.reference(item)
    if uri is None or not _near(account, uri):
        return
    async with job.db.read() as r:
        known = await posts.by_uri(r, uri)
    read_note = None if known else await _reading(job, account, uri, item)
    if known is None and read_note is None:
        return
    async with job.db.write() as tx:
        status = await fetch.keep(tx, read_note) if read_note else known
        if status is not None:
            await statuses.pin(tx, account, status.id)


async def _reading(job: Job, account: Account, uri: str, item: object) -> fetch.Reading | None:
    """An open post of this very account, written out or fetched; what it answers and quotes is not asked for."""
    found = await _note(job, uri, item)
    if found.attributed_to != account.uri or not _near(account, found.id):
        return None
    read_note = await fetch.reading(job, account, found, depth=fetch.ANCESTORS)
    return read_note if read_note.visibility in OPEN else None


async def _note(job: Job, uri: str, item: object) -> Note:
    if isinstance(item, dict) and jsonld.kind(item) in KINDS:
        return vocabulary.note(item)
    return await fetch.note(job, uri)
