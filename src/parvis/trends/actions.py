"""Counting, ranking, and choosing what the city promotes."""

from __future__ import annotations

from datetime import timedelta

from parvis.base.db import Tx
from parvis.base.ids import smallest_at
from parvis.base.jobs import Job
from parvis.trends import policy, queries
from parvis.trends.model import Place, Reviewed

STEP = 5000
CARDS_COME = timedelta(minutes=10)
"""How long the page of a link is waited for before the link is counted."""


async def fold_uses(job: Job) -> bool:
    """Add what was counted to its day; true while there may be more. What names people is forgotten when it is due."""
    async with job.db.write() as tx:
        await tx.lock("trends fold")
        return await queries.fold(tx, STEP) >= STEP


async def count_links(job: Job, lag: timedelta = CARDS_COME) -> None:
    """Count the links of the posts that are old enough for their page to have answered; each post once."""
    async with job.db.write() as tx:
        await tx.lock("trends links")
        after, upto = await queries.links_counted(tx), smallest_at(tx.now - lag)
        if upto > after:
            await queries.count_links(tx, after, upto)
            await queries.meet_publishers(tx, after, upto)
            await queries.set_links_counted(tx, upto)


async def forget(job: Job) -> None:
    """Forget who spoke of what, once nothing looks back so far."""
    async with job.db.write() as tx:
        await queries.forget_uses(tx)
        await queries.forget_days(tx)


async def rank(job: Job) -> None:
    """Make the rankings of hashtags, links, posts and authors anew, as they stand at this moment."""
    async with job.db.read() as r:
        since = r.now - policy.NEW_FOR
        known = (since, smallest_at(since))
        tags = await queries.tallies(r, "tag", *known, policy.DAYS, policy.LEAST)
        links = await queries.tallies(r, "link", *known, policy.DAYS, policy.LEAST)
        posts = await queries.liked(r, smallest_at(r.now - policy.YOUNGEST), *known, policy.LEAST)
    await _write(job, "tag", policy.ranked("tag", tags))
    await _write(job, "link", policy.ranked("link", links))
    await _write(job, "status", policy.ranked("status", policy.one_each(posts)))
    await _write(job, "account", policy.ranked("account", policy.by_author(posts)))


async def _write(job: Job, kind: str, places: list[Place]) -> None:
    async with job.db.write() as tx:
        await tx.lock(f"trends {kind}")
        await queries.drop_places(tx, kind)
        await queries.add_places(tx, kind, places)


async def review(tx: Tx, by: int, kind: Reviewed, thing_id: int, *, approved: bool) -> None:
    """Promote a thing or promote it no longer. Nothing is said of its author; it stays where it stands."""
    await queries.review(tx, kind, thing_id, approved, by)
