"""Pages that posts point to."""

from __future__ import annotations

import msgspec

from parvis.api.call import Call, Paged, get
from parvis.base.errors import Invalid
from parvis.links import policy
from parvis.links import queries as links
from parvis.statuses import queries as posts
from parvis.timelines import queries as timelines
from parvis.views import status as view
from parvis.views.cards import preview_card


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One post."""

    id: int


class LinkPage(Paged, frozen=True, kw_only=True):
    """A page's timeline."""

    url: str


@get("/api/v1/timelines/link", "read:statuses", who="anyone")
async def timeline(call: Call, args: LinkPage) -> bytes:
    """Public posts that point to a page, by the address they have or by the page's own."""
    wanted = policy.normal(args.url)
    if wanted is None:
        raise Invalid("url", "invalid")
    ids = await timelines.linked(call.read, call.viewer, args.page(), wanted)
    call.link(ids)
    return await view.page(call.read, call.eye(), ids)


@get("/api/v1/statuses/{id}/card", "read:statuses", who="anyone", deprecated=1540857600)
async def card(call: Call, args: One) -> bytes:
    """The preview of the page that a post points to; empty when there is none. A Status has it as `card`."""
    await posts.visible(call.read, args.id, call.viewer)
    found = await links.card(call.read, args.id)
    return b"{%s}" % (preview_card(found, call.settings) if found else b"")
