"""Fetching the pages that posts point to: each once for all posts of a day."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from urllib.parse import urlsplit

import structlog

from parvis.base.db import Tx
from parvis.base.errors import Upstream
from parvis.base.jobs import Job
from parvis.links import policy, queries
from parvis.links.model import Page, Wanted
from parvis.text.page import MOST, decoded

log = structlog.get_logger()

TOGETHER = 8
SECONDS = 15.0
CROWD = 60.0
"""A post of another server reaches many at once: each waits up to a minute before it asks for the page."""
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
HEADERS = {"accept": "text/html, application/xhtml+xml;q=0.9"}


class AgainError(Exception):
    """The page may be there later; how long it asks to be left alone."""

    def __init__(self, asked: str | None = None) -> None:
        super().__init__("again")
        self.asked = asked


async def look(tx: Tx, status_id: int, own: str) -> None:
    """Find which page a post points to, and have it fetched. A post with pictures or a quote shows those instead."""
    post = await queries.linking(tx, status_id)
    url = None if post is None or post.fuller else policy.first_link(post.content, own, post.people)
    if post is None or url is None:
        await queries.unlink(tx, status_id)
        return
    await queries.want(tx, url, timedelta(seconds=0 if post.local else random.uniform(1, CROWD)))
    await queries.link(tx, status_id, url)


async def fetch_due(job: Job) -> bool:
    """Fetch the pages whose time has come; true while there may be more."""
    async with job.db.write() as tx:
        due = await queries.lease(tx, TOGETHER)
    await asyncio.gather(*(_fetch(job, wanted) for wanted in due))
    return len(due) == TOGETHER


async def _fetch(job: Job, wanted: Wanted) -> None:
    found: Page | None = None
    try:
        found = await _read(job, wanted.url)
    except AgainError as again:
        if wanted.tries < policy.TRIES:
            async with job.db.write() as tx:
                await queries.put_off(tx, wanted.url, policy.delay(wanted.tries, again.asked))
            return
    except Exception:
        log.exception("preview", url=wanted.url)
    async with job.db.write() as tx:
        card = None
        while found is not None and card is None:
            card = await queries.put_card(tx, found)
        await queries.fetched(tx, wanted.url, card)


async def _read(job: Job, url: str) -> Page | None:
    """What a page says about itself; None when it is no page or says nothing."""
    address = url if job.settings.dev else url.replace("http://", "https://", 1)
    try:
        async with job.http.stream("GET", address, headers=HEADERS, limit=2 * MOST, seconds=SECONDS) as answer:
            if answer.status in PASSING:
                raise AgainError(answer.headers.get("retry-after"))
            kind = answer.headers.get("content-type", "")
            if answer.status != 200 or kind.split(";")[0].strip().lower() not in ("text/html", "application/xhtml+xml"):
                return None
            body = bytearray()
            async for chunk in answer.chunks:
                body += chunk
                if len(body) >= MOST:
                    break
    except Upstream as error:
        if error.word in ("unreachable", "too_slow"):
            raise AgainError from error
        return None
    place = policy.normal(answer.url)
    return await asyncio.to_thread(_understood, bytes(body), kind, place) if place else None


def _understood(body: bytes, kind: str, place: str) -> Page | None:
    return policy.page(decoded(body, kind), place)


def own_host(job: Job) -> str:
    """The host of this city: its own pages need no preview."""
    return urlsplit(job.settings.base).netloc
