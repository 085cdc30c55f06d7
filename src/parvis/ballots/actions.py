"""The deeds of voting.

Secrecy, honestly: a ballot is stored with its voter. The application's database role cannot read the grades of any
ballot, nor a tally before the close, but the owner of the database could. Blind tokens from two issuers, and ballots
encrypted to trustees, are not yet there: until they are, these votes are confidential, not secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parvis.ballots import queries
from parvis.ballots.majority import Mention
from parvis.ballots.model import Result
from parvis.base.db import Read, Tx
from parvis.base.errors import Invalid, NotFound


async def open_box(tx: Tx, question_hash: bytes, options: Sequence[str], length: str) -> int:
    """Put a question to the vote from now on; its hash goes on every ballot."""
    return await queries.open_box(tx, question_hash, options, length)


async def cast(tx: Tx, voter: int, box_id: int, grades: Mapping[str, Mention]) -> None:
    """Cast a ballot, or replace it. Refused when the box is closed or the voter not on its roll."""
    box = await queries.box(tx, box_id)
    if box is None:
        raise NotFound("box")
    unknown = set(grades) - set(box.options)
    if unknown:
        raise Invalid("grades", "ERR_INCLUSION", options=sorted(unknown))
    await queries.put(tx, box_id, voter, box.question_hash, {name: int(given) for name, given in grades.items()})


async def tally(r: Read, box_id: int) -> list[Result]:
    """The result by rank. Refused before the close."""
    return await queries.tally(r, box_id)
