"""What of another server's conversation nobody sent us: asked for when somebody here reads it."""

from __future__ import annotations

from collections import deque

import msgspec

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
SHARE = 20
"""How many posts are asked for of a server that another one names: nobody makes us knock at a third door for ever."""
OPEN = ("public", "unlisted")


class Errand(msgspec.Struct):
    """A conversation that is being completed: what was asked for so far, and how much of that was new."""

    status: int
    conversation: int
    asked: set[str] = msgspec.field(default_factory=set)
    made: int = 0

    def spare(self, uri: str, near: str) -> bool:
        """May this post be asked for, too, when the server `near` names it?"""
        far = jsonld.host(uri)
        fair = far == near or sum(jsonld.host(one) == far for one in self.asked) < SHARE
        return uri not in self.asked and len(self.asked) < MOST and fair


async def want(tx: Tx, status_id: int) -> Refresh | None:
    """Have a conversation completed, unless that is under way or was done a quarter of an hour ago."""
    found = await queries.want_thread(tx, status_id)
    if found is not None and found.fresh:
        await tx.emit(ThreadWanted(status_id))
    return found


async def complete(job: Job, event: ThreadWanted) -> None:
    """Ask for the list that the server of the first post has of all this, then for the replies, and those to these."""
    job = job.rationed(REQUESTS)
    async with job.db.read() as read:
        root = await posts.by_id(read, event.status)
        first = await posts.by_id(read, root.conversation_id) if root else None
    errand = Errand(event.status, root.conversation_id if root else 0)
    if first and not first.local and first.visibility in OPEN:
        await _take(job, errand, first.uri, "context")
    waiting = deque([root.uri] if root and not root.local else [])
    for _ in range(COLLECTIONS):
        if not waiting:
            break
        waiting += await _take(job, errand, waiting.popleft(), "replies")
    async with job.db.write() as tx:
        await queries.thread_found(tx, event.status, errand.made, done=True)


async def _take(job: Job, errand: Errand, uri: str, name: str) -> list[str]:
    """Ask for what a post's own server lists and nobody here knows; what of that came."""
    listed, came = await _listed(job, uri, name), list[str]()
    async with job.db.read() as read:
        unknown = await queries.unknown(read, [one for one in listed if not wire.ours(job.settings, one)])
    for one in unknown:
        if errand.spare(one, jsonld.host(uri)) and await _met(job, errand, one):
            came.append(one)
    return came


async def _met(job: Job, errand: Errand, uri: str) -> bool:
    """Fetch a post from its own server, and keep it if it answers what is known of this conversation.

    Whoever lists it can list anything; what does not say itself that it belongs here is none of ours.
    """
    errand.asked.add(uri)
    try:
        found = await fetch.note(job, uri)
        async with job.db.read() as read:
            parent = await posts.by_uri(read, found.in_reply_to) if found.in_reply_to else None
        if parent is None or parent.conversation_id != errand.conversation:
            return False
        await fetch.taken(job, found)
    except Problem:
        return False
    errand.made += 1
    async with job.db.write() as tx:
        await queries.thread_found(tx, errand.status, errand.made, done=False)
    return True


async def _listed(job: Job, uri: str, name: str) -> list[str]:
    """What a post's own server lists in a collection of that post; nothing when it does not say.

    It may lie on no other server: of that one's things this one cannot speak.
    """
    near, found = jsonld.host(uri), list[str]()
    try:
        written = (await wire.document(job, uri)).get(name)
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
