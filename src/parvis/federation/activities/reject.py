"""Someone elsewhere does not want to be followed by someone here, or no longer."""

from __future__ import annotations

from parvis.accounts import actions as accounts
from parvis.base.db import Tx
from parvis.base.errors import NotFound
from parvis.federation.activities.accept import asked
from parvis.federation.activities.incoming import Incoming


async def receive(tx: Tx, given: Incoming) -> None:
    """The request, or the follow, is over."""
    follower = await asked(tx, given)
    if follower is not None:
        try:
            await accounts.reject_follow(tx, given.sender, follower)
        except NotFound:
            return
