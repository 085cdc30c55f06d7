"""Accounts as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parvis.base.db import Read
from parvis.views.status import Eye, entities


async def accounts(r: Read, eye: Eye, account_ids: Sequence[int]) -> Mapping[int, bytes]:
    """Account entities by id."""
    return (await entities(r, eye, (), account_ids))[1]


async def page(r: Read, eye: Eye, account_ids: Sequence[int]) -> bytes:
    """A JSON array of Account entities in the order of the ids."""
    found = await accounts(r, eye, account_ids)
    return b"[%s]" % b",".join(found[number] for number in account_ids if number in found)
