"""Bringing along what one had elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account, FollowWish
from parvis.base.db import Tx
from parvis.base.errors import NotFound
from parvis.portability import policy, queries
from parvis.portability.model import Kind, Mode
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Status
from parvis.text import language
from parvis.timelines import actions as lists
from parvis.timelines import queries as shelves


async def bring(tx: Tx, by: Account, kind: Kind, mode: Mode, text: str, domain: str) -> int:
    """Take a file in, to be worked through row by row; to overwrite, what it does not name ends at once."""
    rows = policy.read(kind, text)
    if mode == "overwrite":
        named = {policy.key(kind, row) for row in rows}
        for row in await queries.taken(tx, kind, by.id, domain):
            if policy.key(kind, row) not in named:
                await _end(tx, by, kind, row, domain)
    return await queries.add(tx, by.id, kind, mode, rows)


async def known(tx: Tx, acct: str, domain: str) -> Account | None:
    """Who has this handle, among those known here."""
    name, _, host = acct.partition("@")
    found = await people.by_handle(tx, name, None if host.lower() in ("", domain) else host)
    return found if found and not found.deleted_at else None


async def _end(tx: Tx, by: Account, kind: Kind, row: Sequence[str], domain: str) -> None:
    if kind == "domain_blocks":
        await accounts.unblock_domain(tx, by, row[0])
        return
    if kind == "bookmarks":
        post = await posts.by_uri(tx, row[0])
        if post is not None:
            await posts.drop_bookmark(tx, post.id, by.id)
        return
    target = await known(tx, row[1] if kind == "lists" else row[0], domain)
    if target is None:
        return
    if kind == "lists":
        for one in await shelves.lists(tx, by.id):
            if one.title == row[0]:
                await lists.delist(tx, by.id, one.id, [target.id])
        return
    deeds = {"following": accounts.unfollow, "mutes": accounts.unmute, "blocks": accounts.unblock}
    await deeds[kind](tx, by, target)


async def take(tx: Tx, by: Account, kind: Kind, row: Sequence[str], found: Account | Status | None) -> None:
    """Do what a row says, to whom or what it names: the same deeds as by hand, so that none is a way around a rule."""
    if kind == "domain_blocks":
        await accounts.block_domain(tx, by, row[0].lower())
    elif kind == "bookmarks" and isinstance(found, Status):
        await statuses.bookmark(tx, by, found.id)
    elif not isinstance(found, Account):
        raise NotFound("account")
    elif kind == "following":
        languages = [code for code in map(language.valid, row[3].replace(",", " ").split()) if code] or None
        wish = FollowWish(policy.truth(row[1], True), policy.truth(row[2], False), languages)
        await accounts.follow(tx, by, found, wish)
    elif kind == "mutes":
        await accounts.mute(tx, by, found, policy.truth(row[1], True))
    elif kind == "blocks":
        await accounts.block(tx, by, found)
    elif kind == "lists":
        mine = next((one for one in await shelves.lists(tx, by.id) if one.title == row[0]), None)
        mine = mine or await lists.make_list(tx, by.id, row[0])
        await lists.enlist(tx, by.id, mine.id, [found.id])
