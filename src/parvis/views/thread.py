"""A post's surroundings as a viewer is shown them: what it replies to, and what replies to it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parvis.base.db import Read
from parvis.base.settings import Settings
from parvis.views import queries
from parvis.views.cards import Shelf
from parvis.views.looks import Look
from parvis.views.model import Around
from parvis.views.status import Eye, composed, sights


class Thread(msgspec.Struct, frozen=True):
    """The Status entities of a post, of those above it and below it; `far`: more is known where it is from."""

    status: bytes
    above: list[bytes]
    below: list[bytes]
    far: bool

    @property
    def entity(self) -> bytes:
        """A Context entity."""
        return b'{"ancestors":[%s],"descendants":[%s]}' % (b",".join(self.above), b",".join(self.below))


async def threads(r: Read, shelf: Shelf, settings: Settings, asked: Sequence[Around]) -> dict[Around, Thread]:
    """The surroundings of each post that its viewer may see, for all who ask, with one statement."""
    known, placed = await queries.around(r, asked)
    looks = {one: Look(one.viewer, tuple(place.status_id for place in placed[one])) for one in asked}
    seen = await sights(r, shelf, settings, list(looks.values()), known=known)
    made = {}
    for one, look in looks.items():
        shown, _ = composed(Eye(one.viewer, shelf, settings), look, seen[look])
        if one.status_id in shown:
            above, below = (
                [shown[place.status_id] for place in placed[one] if place.side == side and place.status_id in shown]
                for side in (-1, 1)
            )
            far = any(place.far for place in placed[one] if not place.side)
            made[one] = Thread(shown[one.status_id], above, below, far)
    return made
