"""Someone elsewhere does not want to be followed or quoted by someone here, or no longer."""

from __future__ import annotations

from parvis.accounts import actions as accounts
from parvis.base.db import Tx
from parvis.base.errors import NotFound
from parvis.federation.activities.accept import asked, quoting_asked, relay_answers
from parvis.federation.activities.incoming import Incoming
from parvis.quotes import actions as quotes


async def receive(tx: Tx, given: Incoming) -> None:
    """The request, the follow or the quote is over."""
    if await relay_answers(tx, given, accepted=False):
        return
    quoting = await quoting_asked(tx, given)
    if quoting is not None:
        await quotes.reject(tx, given.sender, quoting)
        return
    follower = await asked(tx, given)
    if follower is not None:
        try:
            await accounts.reject_follow(tx, given.sender, follower)
        except NotFound:
            return
