"""The deeds between people. Local requests and other servers' activities call the same ones."""

from __future__ import annotations

from datetime import datetime

import msgspec

from parvis.accounts import policy, queries
from parvis.accounts.model import (
    Account,
    AccountDeleted,
    Blocked,
    DomainBlocked,
    Follow,
    FollowAccepted,
    Followed,
    FollowRejected,
    FollowRequested,
    FollowWish,
    NewAccount,
    Profile,
    ProfileEdit,
    ProfileEdited,
    Unblocked,
    Unfollowed,
)
from parvis.base.db import Read, Tx
from parvis.base.errors import Conflict, Forbidden, Invalid, NotFound
from parvis.base.jobs import Job
from parvis.peers import policy as servers
from parvis.peers import queries as peers

PLAINLY = FollowWish()


async def account(r: Read, account_id: int | None) -> Account:
    """The account, or NotFound: also when it has left, or has not been let in."""
    found = None if account_id is None else await queries.here(r, account_id)
    if found is None or found.deleted_at:
        raise NotFound("account")
    return found


async def create(tx: Tx, new: NewAccount, base: str) -> Account:
    """Someone settles here. Invalid when the name is taken."""
    policy.username(new.username)
    account_id = await queries.next_id(tx)
    made = await queries.add_local(
        tx, account_id, new, f"{base}/ap/users/{account_id}", f"{base}/@{new.username}", f"{base}/inbox"
    )
    if not made:
        raise Invalid("username", "ERR_TAKEN")
    return await account(tx, account_id)


async def remember(tx: Tx, profile: Profile) -> Account:
    """Keep what another server says of one of its people."""
    await queries.rename_away(tx, profile.username, profile.domain, profile.uri)
    return await account(tx, await queries.put_remote(tx, profile))


async def follow(
    tx: Tx, by: Account, target: Account, wish: FollowWish = PLAINLY, uri: str | None = None, ask: bool = False
) -> Follow:
    """Follow, or ask to, as one must whom `ask` says so. Doing it again changes only how one follows."""
    await tx.lock(f"follow {by.id} {target.id}")
    relationship = next(iter(await queries.relationships(tx, by.id, [target.id])), None)
    policy.may_follow(by, target, relationship)
    if by.domain is not None and await queries.blocks_domain(tx, target.id, by.domain):
        raise Forbidden("blocked")
    if target.domain is not None and await peers.is_kept_out(tx, servers.above(target.domain)):
        raise Forbidden("unavailable")
    before = await queries.follow_between(tx, by.id, target.id)
    accepted = not (ask or policy.waits(by, target))
    now = await queries.put_follow(tx, by.id, target.id, accepted, wish, uri)
    if now is None:
        raise Conflict("try_again")
    if now.accepted and not (before and before.accepted):
        await _come_into_force(tx, now, by)
    elif before is None:
        await tx.emit(FollowRequested(by.id, target.id))
    elif now.accepted and uri and not by.local:
        await tx.emit(FollowAccepted(by.id, target.id, uri))
    return now


async def _come_into_force(tx: Tx, made: Follow, by: Account) -> None:
    await queries.count_follow(tx, made.account_id, made.target_id, 1)
    await tx.emit(Followed(made.account_id, made.target_id))
    if not by.local:
        await tx.emit(FollowAccepted(made.account_id, made.target_id, made.uri))


async def accept_follow(tx: Tx, by: Account, follower: Account) -> None:
    """Let someone who asked follow. NotFound when nobody asked."""
    made = await queries.accept_follow(tx, follower.id, by.id)
    if made is None:
        raise NotFound("follow_request")
    await _come_into_force(tx, made, follower)


async def reject_follow(tx: Tx, by: Account, follower: Account) -> None:
    """Refuse someone who asked, or no longer be followed by someone. NotFound when there is neither."""
    was = await queries.drop_follow(tx, follower.id, by.id)
    if was is None:
        raise NotFound("follow_request")
    if was.accepted:
        await queries.count_follow(tx, follower.id, by.id, -1)
    await tx.emit(FollowRejected(follower.id, by.id, was.uri))


async def unfollow(tx: Tx, by: Account, target: Account) -> None:
    """Follow no more, or ask no more. Doing it twice is the same as once."""
    was = await queries.drop_follow(tx, by.id, target.id)
    if was is None:
        return
    if was.accepted:
        await queries.count_follow(tx, by.id, target.id, -1)
    await tx.emit(Unfollowed(by.id, target.id, was.id, was.uri, was.accepted))


async def block(tx: Tx, by: Account, target: Account, uri: str | None = None) -> None:
    """Have nothing to do with someone: follows end in both directions."""
    policy.may_stand_apart(by, target)
    made = await queries.put_block(tx, by.id, target.id, uri)
    if made is None:
        return
    await unfollow(tx, by, target)
    was = await queries.drop_follow(tx, target.id, by.id)
    if was is not None:
        if was.accepted:
            await queries.count_follow(tx, target.id, by.id, -1)
        await tx.emit(FollowRejected(target.id, by.id, was.uri))
    await tx.emit(Blocked(by.id, target.id, made))


async def unblock(tx: Tx, by: Account, target: Account) -> None:
    """Take a block back. Follows do not come back by themselves."""
    was = await queries.drop_block(tx, by.id, target.id)
    if was is not None:
        await tx.emit(Unblocked(by.id, target.id, was))


async def mute(tx: Tx, by: Account, target: Account, notifications: bool = True, until: datetime | None = None) -> None:
    """No longer be shown someone's posts; they are not told."""
    policy.may_stand_apart(by, target)
    await queries.put_mute(tx, by.id, target.id, notifications, until)


async def unmute(tx: Tx, by: Account, target: Account) -> None:
    """Be shown someone's posts again."""
    await queries.drop_mute(tx, by.id, target.id)


async def block_domain(tx: Tx, by: Account, domain: str) -> None:
    """Have nothing to do with anybody of a domain: follows and requests end in both directions."""
    if not await queries.put_domain_block(tx, by.id, domain):
        return
    ended = await queries.drop_follows_across(tx, by.id, domain)
    for was in ended:
        if was.account_id == by.id:
            await tx.emit(Unfollowed(was.account_id, was.target_id, was.id, was.uri, was.accepted))
        else:
            await tx.emit(FollowRejected(was.account_id, was.target_id, was.uri))
    ties = [was.account_id == by.id for was in ended if was.accepted]
    await tx.emit(DomainBlocked(by.id, domain, ties.count(False), ties.count(True)))


async def unblock_domain(tx: Tx, by: Account, domain: str) -> None:
    """Take a block of a domain back. Follows do not come back by themselves."""
    await queries.drop_domain_block(tx, by.id, domain)


async def annotate(tx: Tx, by: Account, target: Account, comment: str) -> None:
    """Keep a private note about someone."""
    await queries.put_note(tx, by.id, target.id, policy.profile_text("comment", comment, 2000))


async def edit_profile(tx: Tx, by: Account, edit: ProfileEdit) -> None:
    """Change what one says about oneself."""
    given = [name for name in queries.CHANGED if getattr(edit, name) is not msgspec.UNSET]
    if not given:
        return
    for field, limit in policy.LIMITS.items():
        value = getattr(edit, field)
        if isinstance(value, str):
            policy.profile_text(field.removesuffix("_text"), value, limit)
    if not isinstance(edit.attribution_domains, msgspec.UnsetType):
        edit = msgspec.structs.replace(edit, attribution_domains=policy.domains(edit.attribution_domains))
    if not isinstance(edit.fields, msgspec.UnsetType):
        before = (await queries.shown(tx, [by.id]))[0].fields
        edit = msgspec.structs.replace(edit, fields=policy.still_verified(before, edit.fields))
    await queries.change(tx, by.id, edit, given)
    await tx.emit(ProfileEdited(by.id))


async def endorse(tx: Tx, by: Account, target: Account) -> None:
    """Recommend somebody one follows on one's profile. Doing it twice is the same as once."""
    policy.may_recommend(next(iter(await queries.relationships(tx, by.id, [target.id])), None))
    await queries.put_endorsement(tx, by.id, target.id)


async def unendorse(tx: Tx, by: Account, target: Account) -> None:
    """Recommend somebody no more."""
    await queries.drop_endorsement(tx, by.id, target.id)


async def redirect(tx: Tx, by: Account, target: Account | None) -> None:
    """Say where somebody has moved to; None: they are here again."""
    if await queries.redirect(tx, by.id, target.id if target else None) and by.local:
        await tx.emit(ProfileEdited(by.id))


async def close(tx: Tx, by: Account) -> None:
    """Leave for good."""
    if await queries.close(tx, by.id):
        await tx.emit(AccountDeleted(by.id))


async def end_ties(tx: Tx, account_id: int) -> None:
    """Follows, blocks, mutes and notes of and about somebody who has left are gone."""
    await queries.drop_ties(tx, account_id)


async def fold_counts(job: Job) -> bool:
    """Add waiting count deltas to their bases; true while there may be more."""
    async with job.db.write() as tx:
        return await queries.fold_counts(tx) >= 5000
