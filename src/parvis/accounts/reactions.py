"""What follows a changed profile: the pages it links to are asked whether they link back."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog

from parvis.accounts import queries
from parvis.accounts.model import ProfileEdited
from parvis.base.clock import mastodon_time
from parvis.base.errors import Upstream
from parvis.base.jobs import Job
from parvis.text import page

log = structlog.get_logger()

SECONDS = 15.0
HEADERS = {"accept": "text/html, application/xhtml+xml;q=0.9"}


async def profile_edited(job: Job, event: ProfileEdited) -> None:
    """Look at each page that a profile links to and that is not known to be this person's yet (rel="me")."""
    async with job.db.read() as r:
        account = await queries.by_id(r, event.account)
        rows = await queries.shown(r, [event.account])
        now = r.now
    if account is None or account.deleted_at or not account.local or not rows:
        return
    for field in rows[0].fields:
        address = str(field.get("value_text", "")).strip()
        if field.get("verified_at") or not address.startswith(("https://", "http://")):
            continue
        if await _links_back(job, address, {account.url, account.uri}):
            async with job.db.write() as tx:
                await queries.verify_field(tx, account.id, field["value_text"], mastodon_time(now))


async def _links_back(job: Job, address: str, own: Collection[str]) -> bool:
    """Does the page at an address link to one of somebody's own with rel="me"?"""
    place = address if job.settings.dev else address.replace("http://", "https://", 1)
    body = bytearray()
    try:
        async with job.http.stream("GET", place, headers=HEADERS, limit=2 * page.MOST, seconds=SECONDS) as answer:
            kind = answer.headers.get("content-type", "")
            if answer.status != 200 or kind.split(";")[0].strip().lower() not in page.HTML:
                return False
            async for chunk in answer.chunks:
                body += chunk
                if len(body) >= page.MOST:
                    break
            base = answer.url
    except Upstream as error:
        log.info("a page cannot be asked whose it is", url=address, why=error.word)
        return False
    return await asyncio.to_thread(_named, bytes(body), kind, base, own)


def _named(body: bytes, kind: str, base: str, own: Collection[str]) -> bool:
    return page.says_me(page.decoded(body, kind), base, own)
