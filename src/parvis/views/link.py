"""Pages that posts point to, as they are shown by themselves."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read
from parvis.views.cards import opened
from parvis.views.status import Eye
from parvis.views.stock import Stock
from parvis.views.tag import history
from parvis.views.uses import queries


async def links(r: Read, eye: Eye, ids: Sequence[int]) -> dict[int, bytes]:
    """Trends::Link entities by the ids of the cards: a card, and how the page was linked these days."""
    found = await queries.links(r, ids) if ids else []
    await Stock(eye.shelf, eye.settings).links(r, ((row.id, row.version) for row in found))
    return {
        row.id: b"{%b,%b}" % (
            eye.shelf.card("card", row.id, row.version) or b"",
            opened({"id": str(row.id), "history": history(row, r.now)}),
        )
        for row in found
    }
