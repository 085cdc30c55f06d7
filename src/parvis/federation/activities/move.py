"""Someone elsewhere is another account from now on."""

from __future__ import annotations

from functools import partial

from parvis.accounts.model import Account
from parvis.base.db import Tx
from parvis.base.errors import Invalid
from parvis.base.jobs import Job
from parvis.federation import fetch, jsonld
from parvis.federation.activities.incoming import Deed, Incoming, nothing
from parvis.portability import actions, policy, queries


async def fetched(job: Job, given: Incoming) -> Deed:
    """Ask the other account whether it names the sender as its own; of each sender once a week."""
    sender, target = given.sender, jsonld.address(given.activity.said.get("target"))
    if given.activity.object != sender.uri:
        raise Invalid("object", "wrong_author")
    if target is None:
        raise Invalid("target", "missing")
    async with job.db.read() as read:
        last = await queries.moved_last(read, sender.id)
        if last is not None and read.now < last + policy.rests(sender):
            return nothing
    return partial(receive, sender=sender, target=await fetch.actor(job, target, fresh=True))


async def receive(tx: Tx, sender: Account, target: Account) -> None:
    """Note where they are, and let those who follow them here follow them there."""
    await actions.move(tx, sender, target)
