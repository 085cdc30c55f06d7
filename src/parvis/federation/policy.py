"""What of a lane may be understood at one moment. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.federation import jsonld
from parvis.federation.vocabulary import Activity

ADDING = frozenset(("Announce", "Create", "EmojiReact", "Like"))
"""What takes nothing back and changes nothing: two of these can change places, if neither is about the other."""
ABOUT = ("inReplyTo", "quote", "quoteUri", "quoteUrl", "_misskey_quote")


def side_by_side(said: Sequence[Activity | None]) -> int:
    """How many of the first activities of a lane need not wait for each other; None is one that cannot be read."""
    made: set[str] = set()
    for place, one in enumerate(said):
        if one is None or one.type not in ADDING:
            return place or 1
        here = {one.id, one.object} if one.type == "Create" else {one.id}
        written = one.written or {}
        about = {one.object, *(jsonld.reference(written.get(name)) for name in ABOUT)}
        if (here | about) & made:
            return place
        made |= {uri for uri in here if uri}
    return len(said)
