"""Lists whose order changes from moment to moment: they page by how many to leave out, not by ids."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import msgspec

from parvis.api.call import Call
from parvis.base.errors import Invalid

FARTHEST = 10_000


class Offset(msgspec.Struct, frozen=True, kw_only=True):
    """Which stretch of such a list."""

    limit: int | None = None
    offset: int = 0

    def stretch(self, default: int) -> tuple[int, int]:
        """How many, and after how many; the limit is capped at twice the default."""
        if self.offset < 0:
            raise Invalid("offset", "invalid")
        if self.limit is not None and self.limit < 0:
            raise Invalid("limit", "invalid")
        return min(self.limit or default, default * 2), min(self.offset, FARTHEST)


def link(call: Call, stretch: tuple[int, int], found: int) -> None:
    """The Link header: a next page when this one is full, a previous one when it is not the first."""
    limit, offset = stretch
    kept = [(name, value) for name, value in call.request.query_params.multi_items() if name != "offset"]
    base = f"{call.settings.base}{quote(call.request.url.path)}"
    ways = [("next", offset + limit)] if found >= limit else []
    ways += [("prev", max(0, offset - limit))] if offset else []
    parts = [f'<{base}?{urlencode([*kept, ("offset", str(to))])}>; rel="{way}"' for way, to in ways]
    if parts:
        call.headers["Link"] = ", ".join(parts)
