"""Asking others in, bringing along what one had elsewhere, and taking everything along."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from parvis.access import actions as access
from parvis.access import policy as signing
from parvis.access.model import Door, PreparedSignUp, SignUp
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account, FollowWish, ProfileEdit, Relationship
from parvis.base.db import Read, Tx
from parvis.base.errors import Conflict, Forbidden, Invalid, NotFound
from parvis.base.jobs import Job
from parvis.base.settings import Settings
from parvis.portability import policy, queries
from parvis.portability.model import Archive, ArchiveAsked, ArchiveReady, InvitationWish, Kind, Mode, Moved
from parvis.screening import actions as screening
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Status
from parvis.text import language
from parvis.timelines import actions as lists
from parvis.timelines import queries as shelves


async def invite(tx: Tx, by: Account, wish: InvitationWish, registrations: str) -> str:
    """Ask people in; the code that they show."""
    await tx.lock(f"invite {by.id}")
    policy.may_invite(by, registrations, await queries.standing(tx, by.id))
    policy.invitation(wish)
    code = secrets.token_urlsafe(9)
    ends = None if wish.expires_in is None else tx.now + timedelta(seconds=wish.expires_in)
    await queries.add_invitation(tx, by.id, code, wish, ends)
    return code


async def withdraw(tx: Tx, by: Account, invitation_id: int) -> None:
    """Take an invitation back; whoever came by it stays. NotFound for somebody else's."""
    if not await queries.withdraw(tx, by.id, invitation_id):
        raise NotFound("invitation")


async def knock(tx: Tx, wish: SignUp) -> Door:
    """What stands against a wish to settle, and whether a resident asks them in."""
    door = await access.knock(tx, wish)
    if await screening.crowded(tx, wish.address) and door.address is None:
        door = msgspec.structs.replace(door, address="sign_up_requires_approval")
    found = await queries.inviter(tx, wish.invite_code) if wish.invite_code else None
    return msgspec.structs.replace(door, invited=found is not None and found.live)


async def settle(
    tx: Tx, prepared: PreparedSignUp, settings: Settings, door: Door, application_id: int | None = None,
    confirmed: bool = False,
) -> Account:
    """Settle here: a use of the invitation is counted with the account, or neither is there.

    What was looked at before the password was hashed is looked at again: of two who come for the last use, one has it.
    """
    wish = prepared.wish
    spent = await queries.spend(tx, wish.invite_code) if wish.invite_code else None
    door = msgspec.structs.replace(door, invited=spent is not None)
    approved = signing.may_settle(door, settings.registrations, wish.reason)
    if spent is not None:
        prepared = msgspec.structs.replace(prepared, invited_by_id=spent.account_id)
    account = await access.sign_up(tx, prepared, settings, application_id, confirmed, approved)
    if spent is not None:
        await queries.add_invited(tx, account.id, spent.id)
        await welcome(tx, account.id)
    return account


async def welcome(tx: Tx, account_id: int) -> None:
    """Whoever is let in follows who invited them, if they were invited so. Doing it twice is the same as once."""
    inviter = await queries.to_follow(tx, account_id)
    if inviter is None:
        return
    with contextlib.suppress(Forbidden, NotFound):  # who left, moved or blocked them meanwhile is not followed
        await accounts.follow(tx, await accounts.account(tx, account_id), await accounts.account(tx, inviter))


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


async def ask_archive(tx: Tx, account_id: int) -> Archive:
    """Ask for all that is one's own as one file (GDPR article 20). TooMany within a week of the last time."""
    await tx.lock(f"archive {account_id}")
    policy.may_take_along(await queries.asked_last(tx, account_id), tx.now)
    made = await queries.add_archive(tx, account_id)
    if made is None:
        raise Conflict("try_again")
    await tx.emit(ArchiveAsked(made.id))
    return made


async def archive(r: Read, account_id: int, archive_id: int) -> Archive:
    """One's own archive that lies ready, for a week; NotFound for anybody else's."""
    found = next((one for one in await queries.archives(r, account_id) if one.id == archive_id), None)
    if found is None or found.file is None:
        raise NotFound("archive")
    return found


async def archive_made(tx: Tx, archive_id: int, file: str, size: int) -> bool:
    """An archive lies in the store; False when nobody waits for it any more."""
    done = await queries.finish_archive(tx, archive_id, file, size)
    if done:
        await tx.emit(ArchiveReady(archive_id))
    return done


async def forget_archives(job: Job) -> None:
    """Drop archives a week after they were ready; one that could not be made within a day may be asked for again."""
    async with job.db.write() as tx:
        await queries.drop_old_archives(tx)


async def claim(tx: Tx, by: Account, other: str) -> None:
    """Say that another account, which may live anywhere, is one's own, too. Doing it twice is the same as once."""
    names = await _names(tx, by)
    policy.may_claim(by, other, names)
    if other not in names:
        await accounts.edit_profile(tx, by, ProfileEdit(also_known_as=[*names, other]))


async def disclaim(tx: Tx, by: Account, other: str) -> None:
    """Say so no more. NotFound when one never did."""
    names = await _names(tx, by)
    if other not in names:
        raise NotFound("alias")
    await accounts.edit_profile(tx, by, ProfileEdit(also_known_as=[one for one in names if one != other]))


async def _names(tx: Tx, by: Account) -> list[str]:
    await tx.lock(f"aliases {by.id}")
    return next((row.also_known_as for row in await people.shown(tx, [by.id])), [])


async def move(tx: Tx, by: Account, target: Account) -> None:
    """Be another account from now on, one that names this as its own: whoever follows it here follows that one, too.

    TooMany within a month of the last time, taken back or not. Of another server's people once a week is heard.
    """
    await tx.lock(f"move {by.id}")
    by, target = await accounts.account(tx, by.id), await accounts.account(tx, target.id)
    names = next((row.also_known_as for row in await people.shown(tx, [target.id])), [])
    policy.may_move(by, target, names, await queries.moved_last(tx, by.id), tx.now)
    await accounts.redirect(tx, by, target)
    await tx.emit(Moved(await queries.add_move(tx, by.id, target.id), by.id, target.id))


async def stay(tx: Tx, by: Account) -> None:
    """Take a move back. NotFound when there is none. Who follows the other account meanwhile goes on doing so."""
    if by.moved_to_id is None:
        raise NotFound("move")
    await accounts.redirect(tx, by, None)


async def carry(tx: Tx, one: Account, source: Account, target: Account) -> None:
    """Stand to an account as to the one that moved there; what one has arranged with it already stays as it is.

    A follow is like the one before, with its place in lists, and asks where the other looks at requests first.
    """
    before, now = await _between(tx, one, source), await _between(tx, one, target)
    if before.blocking and not now.following:
        await accounts.block(tx, one, target)
        return
    if before.muting and not now.muting:
        await accounts.mute(tx, one, target, before.muting_notifications, before.muting_until)
    if not before.following:
        return
    if not (now.following or now.requested):
        await accounts.follow(tx, one, target, FollowWish(before.showing_reblogs, before.notifying, before.languages))
    for shelf in await shelves.lists(tx, one.id, source.id):
        with contextlib.suppress(Invalid):  # who is in it already
            await lists.enlist(tx, one.id, shelf.id, [target.id])


async def _between(r: Read, one: Account, other: Account) -> Relationship:
    found = next(iter(await people.relationships(r, one.id, [other.id])), None)
    if found is None:
        raise NotFound("account")
    return found
