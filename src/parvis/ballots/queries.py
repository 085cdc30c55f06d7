"""The SQL of ballots. The database gives no grade of a ballot to this program, and no tally before the box closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parvis.ballots.model import Box, Result
from parvis.base.db import Read, Tx


async def open_box(tx: Tx, question_hash: bytes, options: Sequence[str], length: str) -> int:
    """A box that opens now, for so long."""
    return int(await tx.value(
        """INSERT INTO ballot_boxes (question_hash, options, opens_at, closes_at)
           VALUES ($1, $2, parvis_now(), parvis_now() + $3::text::interval) RETURNING id""",
        question_hash, list(options), length,
    ))


async def box(r: Read, box_id: int) -> Box | None:
    """One box."""
    return await r.one(
        Box, "SELECT id, question_hash, options, opens_at, closes_at FROM ballot_boxes WHERE id = $1", box_id
    )


async def put(tx: Tx, box_id: int, voter: int, question_hash: bytes, grades: Mapping[str, int]) -> None:
    """Cast a ballot; a later one replaces it."""
    await tx.run(
        """INSERT INTO ballots (box_id, voter, question_hash, grades) VALUES ($1, $2, $3, $4)
           ON CONFLICT (box_id, voter) DO UPDATE SET question_hash = $3, grades = $4""",
        box_id, voter, question_hash, dict(grades),
    )


async def has_cast(r: Read, box_id: int, voter: int) -> bool:
    """Is there a ballot of this voter? What it says is not to be read."""
    return bool(await r.value("SELECT EXISTS (SELECT FROM ballots WHERE box_id = $1 AND voter = $2)", box_id, voter))


async def tally(r: Read, box_id: int) -> list[Result]:
    """The result by rank; the database refuses it while the box is open."""
    return await r.all(Result, "SELECT option, profile, median, place FROM ballot_tally($1)", box_id)
