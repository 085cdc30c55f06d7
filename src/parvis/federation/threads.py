"""The replies to another server's post that nobody sent us: asked for when somebody here reads the conversation."""

from __future__ import annotations

from collections import deque

from parvis.base.db import Tx
from parvis.base.errors import Problem
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld, queries, wire
from parvis.federation.jsonld import Document
from parvis.federation.model import Refresh, ThreadWanted
from parvis.statuses import queries as posts

MOST = 40
"""How many posts are asked for in one go."""
COLLECTIONS = 8
"""Of how many posts the replies are asked for."""
PAGES = 2
REQUESTS = 400
"""How many requests all this may take: the posts, their authors, and whatever these point at."""


async def want(tx: Tx, status_id: int) -> Refresh | None:
    """Have a conversation completed, unless that is under way or was done a quarter of an hour ago."""
    found = await queries.want_thread(tx, status_id)
    if found is not None and found.fresh:
        await tx.emit(ThreadWanted(status_id))
    return found


async def complete(job: Job, event: ThreadWanted) -> None:
    """Ask a post's server for its replies, and theirs for the replies to these, within a budget."""
    job = job.rationed(REQUESTS)
    async with job.db.read() as read:
        root = await posts.by_id(read, event.status)
    waiting, known, made = deque([root.uri] if root and not root.local else []), set[str](), 0
    for _ in range(COLLECTIONS):
        if not waiting:
            break
        for uri in await _replies(job, waiting.popleft()):
            if uri in known or len(known) >= MOST:
                continue
            known.add(uri)
            if await _met(job, uri):
                made += 1
                waiting.append(uri)
                async with job.db.write() as tx:
                    await queries.thread_found(tx, event.status, made, done=False)
    async with job.db.write() as tx:
        await queries.thread_found(tx, event.status, made, done=True)


async def _met(job: Job, uri: str) -> bool:
    """Was it unknown, and is it known now?"""
    async with job.db.read() as read:
        if wire.ours(job.settings, uri) or await posts.by_uri(read, uri):
            return False
    try:
        await fetch.status(job, uri)
    except Problem:
        return False
    return True


async def _replies(job: Job, uri: str) -> list[str]:
    """What a post's own server says replies to it; nothing when it does not say."""
    near, found = jsonld.host(uri), list[str]()
    try:
        written = (await wire.document(job, uri)).get("replies")
        page: object = await opened(job, near, written)
        if isinstance(page, dict) and page.get("first") is not None:
            found += _named(page)
            page = page["first"]
        for _ in range(PAGES):
            shown = await opened(job, near, page)
            found += _named(shown)
            page = shown.get("next")
            if page is None:
                break
    except Problem:
        return found
    return found


async def opened(job: Job, near: str, value: object) -> Document:
    """A collection or one of its pages: written out, or asked for from the same server."""
    if isinstance(value, dict):
        return value
    address = jsonld.address(value)
    return await wire.document(job, address) if address and jsonld.host(address) == near else {}


def _named(page: Document) -> list[str]:
    named = [*jsonld.references(page.get("items")), *jsonld.references(page.get("orderedItems"))]
    return [uri for uri in named if jsonld.host(uri)]
