"""Accounts as they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read
from parvis.views import queries
from parvis.views.cards import opened
from parvis.views.status import Eye, stock


async def accounts(r: Read, eye: Eye, account_ids: Sequence[int]) -> dict[int, bytes]:
    """Account entities by id."""
    if not account_ids:
        return {}
    states = await queries.account_states(r, account_ids)
    await stock(r, eye, (), ((state.id, state.version) for state in states))
    shown = {}
    for state in states:
        card = eye.shelf.card("account", state.id, state.version)
        if card is not None:
            day = state.last_status_at.isoformat() if state.last_status_at else None
            shown[state.id] = b"{%s,%s}" % (card, opened({
                "statuses_count": state.statuses, "followers_count": state.followers,
                "following_count": state.following, "last_status_at": day,
            }))
    return shown


async def page(r: Read, eye: Eye, account_ids: Sequence[int]) -> bytes:
    """A JSON array of Account entities in the order of the ids."""
    found = await accounts(r, eye, account_ids)
    return b"[%s]" % b",".join(found[number] for number in account_ids if number in found)
