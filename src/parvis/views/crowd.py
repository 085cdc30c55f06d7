"""Posts as many viewers see them at once, with as many queries as for one.

Whatever makes one Status differ between two viewers must stand in `unlike`, too: a test compares the two ways.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from parvis.base.db import Read
from parvis.streams import queries as streams
from parvis.views.looks import Look as At
from parvis.views.status import Eye, composed, sights

Look = tuple[int, int]  # who looks, and at which post


async def to_each(r: Read, eye: Eye, looks: Sequence[Look], hidden_in: str = "") -> dict[Look, bytes]:
    """Status entities, each made for its viewer; what they may not see is left out."""
    if not looks:
        return {}
    wanted: dict[int, list[int]] = defaultdict(list)
    for viewer, number in looks:
        wanted[viewer].append(number)
    made: dict[Look, bytes] = {}
    asked = [At(viewer, tuple(numbers)) for viewer, numbers in wanted.items()]
    for at, sight in (await sights(r, eye.shelf, eye.settings, asked)).items():
        posts, _ = composed(msgspec.structs.replace(eye, viewer=at.viewer), at, sight, hidden_in)
        made |= {(at.viewer or 0, number): post for number, post in posts.items()}
    return made


async def to_all(r: Read, eye: Eye, looks: Sequence[Look]) -> dict[Look, bytes]:
    """Status entities for many who look at few posts: made once for all to whom a post is the same.

    Who may see a post must have been found out before.
    """
    if not looks:
        return {}
    whys: dict[Look, set[str]] = defaultdict(set)
    for row in await streams.unlike(r, list({number for _, number in looks}), list({viewer for viewer, _ in looks})):
        whys[row.viewer, row.status_id].add(row.why)
    first: dict[tuple[int, frozenset[str] | int], Look] = {}
    stands_for: dict[Look, Look] = {}
    for look in looks:
        viewer, number = look
        why = frozenset(whys.get(look, ()))
        stands_for[look] = first.setdefault((number, viewer if "" in why else why), look)
    made = await to_each(r, eye, list(first.values()))
    return {look: made[other] for look, other in stands_for.items() if other in made}
