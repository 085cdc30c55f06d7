"""Looking back on a year."""

from __future__ import annotations

from parvis.base.db import Read, Tx
from parvis.base.errors import Invalid, NotFound
from parvis.years import policy, queries
from parvis.years.model import Stage, YearAsked


async def stage(r: Read, account_id: int, year: int) -> Stage:
    """How far a year of somebody's is: made, being made, to be asked for, or nothing to look back on (yet)."""
    found = await queries.report(r, account_id, year)
    if found is not None:
        return "generating" if found.data is None else "available"
    fit = policy.may_look_back(year, r.now) and await queries.posted(r, account_id, year)
    return "eligible" if fit else "ineligible"


async def ask(tx: Tx, account_id: int, year: int) -> Stage:
    """Have a year of one's own made, once. Invalid when it is not over yet, or one said nothing in it."""
    now = await stage(tx, account_id, year)
    if now == "ineligible":
        raise Invalid("year", "nothing_to_look_back_on")
    if now != "available" and await queries.ask(tx, account_id, year):
        await tx.emit(YearAsked(account_id, year))
    return "available" if now == "available" else "generating"


async def read(tx: Tx, account_id: int, year: int) -> None:
    """One has looked at a year of one's own. Doing it twice is the same as once."""
    if not await queries.read(tx, account_id, year):
        raise NotFound("annual_report")
