"""What many speak of these days, and what the city chose to promote no longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from parvis.api import entities, offsets
from parvis.api.call import Call, Paged, get, post, put
from parvis.api.offsets import Offset
from parvis.base.clock import mastodon_time
from parvis.base.errors import Forbidden, NotFound, Refused
from parvis.moderation import queries as moderation
from parvis.statuses import queries as posts
from parvis.text import language as codes
from parvis.trends import actions, queries
from parvis.trends.queries import Publisher, TrendingLink, TrendingTag
from parvis.views import link as pages
from parvis.views import status as view
from parvis.views import tag as labels
from parvis.views.cards import Shelf

TAGS, STATUSES, LINKS, PUBLISHERS = 10, 20, 10, 40


class Ranking(Offset, frozen=True, kw_only=True):
    """A stretch of a ranking: of everything, or of one language."""

    language: str | None = None

    def tongue(self) -> str:
        """The language as rankings know it; '' for all."""
        return (codes.valid(self.language or "") or "").partition("-")[0]


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One of them."""

    id: int


class TagChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be done with a hashtag. Whether it may be used and found is for the charter, not for a switch."""

    id: int
    trendable: bool | None = None
    listable: bool | None = None
    usable: bool | None = None


async def _tags(call: Call, rows: Sequence[TrendingTag]) -> list[dict[str, Any]]:
    return await labels.tags(call.read, call.eye(), [row.name for row in rows])


@get("/api/v1/trends/tags")
async def tags(call: Call, args: Ranking) -> list[dict[str, Any]]:
    """The hashtags that most people use these days."""
    stretch = args.stretch(TAGS)
    rows = await queries.tags(call.read, args.tongue(), *stretch)
    offsets.link(call, stretch, len(rows))
    return await _tags(call, rows)


@get("/api/v1/trends", deprecated=1648598400)
async def tags_v0(call: Call, args: Ranking) -> list[dict[str, Any]]:
    """The same, as older clients ask for it."""
    stretch = args.stretch(TAGS)
    rows = await queries.tags(call.read, args.tongue(), *stretch)
    offsets.link(call, stretch, len(rows))
    return await _tags(call, rows)


@get("/api/v1/trends/statuses")
async def statuses(call: Call, args: Ranking) -> bytes:
    """The posts that most people like and pass on these days, one of each author."""
    stretch = args.stretch(STATUSES)
    ids = await queries.statuses(call.read, call.viewer, args.tongue(), *stretch)
    offsets.link(call, stretch, len(ids))
    return await view.page(call.read, call.eye(), ids)


async def _links(call: Call, rows: Sequence[TrendingLink]) -> list[msgspec.Raw]:
    shown = await pages.links(call.read, call.eye(), [row.id for row in rows])
    return [msgspec.Raw(shown[row.id]) for row in rows if row.id in shown]


@get("/api/v1/trends/links")
async def links(call: Call, args: Ranking) -> list[msgspec.Raw]:
    """The pages that most people point to these days."""
    stretch = args.stretch(LINKS)
    rows = await queries.links(call.read, args.tongue(), *stretch)
    offsets.link(call, stretch, len(rows))
    return await _links(call, rows)


@get("/api/v1/trends/reviews")
async def reviews(call: Call, args: Paged) -> list[dict[str, Any]]:
    """What the city chose to promote or not, by whom and when: everybody may know."""
    page = args.page()
    rows = await queries.reviews(call.read, page.before, page.limit)
    call.link([row.id for row in rows])
    return [
        {
            "id": str(row.id), "kind": row.kind, "thing_id": str(row.thing_id), "name": row.name,
            "approved": row.approved, "by": row.username, "created_at": mastodon_time(row.created_at),
        }
        for row in rows
    ]


async def _reviewing(call: Call) -> None:
    if not await moderation.is_moderator(call.read, call.me_id):
        raise Forbidden("not_a_moderator")


async def _admin_tags(call: Call, rows: Sequence[TrendingTag]) -> list[dict[str, Any]]:
    """Hashtags for those who review: nothing waits for them, and only promotion is theirs to choose."""
    return [
        {**entity, "trendable": not row.rejected, "usable": True, "listable": True, "requires_review": False}
        for row, entity in zip(rows, await _tags(call, rows), strict=True)
    ]


async def _known_tag(call: Call, tag_id: int) -> TrendingTag:
    found = await queries.tag(call.read, tag_id)
    if found is None:
        raise NotFound("tag")
    return found


@get("/api/v1/admin/trends/tags", "admin:read")
async def admin_tags(call: Call, args: Ranking) -> list[dict[str, Any]]:
    """The ranking of hashtags with those that are not promoted."""
    await _reviewing(call)
    return await _admin_tags(call, await queries.tags(call.read, args.tongue(), *args.stretch(TAGS), rejected=True))


@get("/api/v1/admin/trends/statuses", "admin:read")
async def admin_statuses(call: Call, args: Ranking) -> bytes:
    """The ranking of posts with those that are not promoted."""
    await _reviewing(call)
    ids = await queries.statuses(call.read, call.viewer, args.tongue(), *args.stretch(STATUSES), rejected=True)
    return await view.page(call.read, call.eye(), ids)


async def _review_tag(call: Call, tag_id: int, *, approved: bool) -> dict[str, Any]:
    await _reviewing(call)
    await _known_tag(call, tag_id)
    await actions.review(call.tx, call.me_id, "tag", tag_id, approved=approved)
    return (await _admin_tags(call, [await _known_tag(call, tag_id)]))[0]


@post("/api/v1/admin/trends/tags/{id}/approve", "admin:write")
async def approve_tag(call: Call, args: One) -> dict[str, Any]:
    """Promote a hashtag again."""
    return await _review_tag(call, args.id, approved=True)


@post("/api/v1/admin/trends/tags/{id}/reject", "admin:write")
async def reject_tag(call: Call, args: One) -> dict[str, Any]:
    """Promote a hashtag no longer; whoever wants may use it."""
    return await _review_tag(call, args.id, approved=False)


async def _review_status(call: Call, status_id: int, *, approved: bool) -> bytes:
    await _reviewing(call)
    status = await posts.visible(call.tx, status_id, None)
    await actions.review(call.tx, call.me_id, "status", status.id, approved=approved)
    stranger = view.Eye(None, Shelf(), call.settings)  # a moderator decides also where they blocked the author
    return (await view.statuses(call.read, stranger, [status.id]))[status.id]


@post("/api/v1/admin/trends/statuses/{id}/approve", "admin:write")
async def approve_status(call: Call, args: One) -> bytes:
    """Promote a post again."""
    return await _review_status(call, args.id, approved=True)


@post("/api/v1/admin/trends/statuses/{id}/reject", "admin:write")
async def reject_status(call: Call, args: One) -> bytes:
    """Promote a post no longer; it stays where it stands."""
    return await _review_status(call, args.id, approved=False)


async def _admin_links(call: Call, rows: Sequence[TrendingLink]) -> list[dict[str, Any]]:
    return [
        {**entities.decoded(bytes(entity)), "trendable": not row.rejected, "requires_review": False}
        for row, entity in zip(rows, await _links(call, rows), strict=True)
    ]


@get("/api/v1/admin/trends/links", "admin:read")
async def admin_links(call: Call, args: Ranking) -> list[dict[str, Any]]:
    """The ranking of links with those that are not promoted."""
    await _reviewing(call)
    return await _admin_links(call, await queries.links(call.read, args.tongue(), *args.stretch(LINKS), rejected=True))


async def _review_link(call: Call, card_id: int, *, approved: bool) -> dict[str, Any]:
    await _reviewing(call)
    if await queries.link(call.tx, card_id) is None:
        raise NotFound("link")
    await actions.review(call.tx, call.me_id, "link", card_id, approved=approved)
    found = await queries.link(call.tx, card_id)
    return (await _admin_links(call, [found] if found else []))[0]


@post("/api/v1/admin/trends/links/{id}/approve", "admin:write")
async def approve_link(call: Call, args: One) -> dict[str, Any]:
    """Promote a page again."""
    return await _review_link(call, args.id, approved=True)


@post("/api/v1/admin/trends/links/{id}/reject", "admin:write")
async def reject_link(call: Call, args: One) -> dict[str, Any]:
    """Promote a page no longer; whoever wants may point to it."""
    return await _review_link(call, args.id, approved=False)


def _publisher(row: Publisher) -> dict[str, Any]:
    return {
        "id": str(row.id), "domain": row.domain, "trendable": not row.rejected, "requires_review": False,
        "reviewed_at": mastodon_time(row.reviewed_at) if row.reviewed_at else None, "requested_review_at": None,
    }


@get("/api/v1/admin/trends/links/publishers", "admin:read")
async def publishers(call: Call, args: Paged) -> list[dict[str, Any]]:
    """Whose pages were linked, those met last first."""
    await _reviewing(call)
    page = args.page(PUBLISHERS)
    rows = await queries.publishers(call.read, page.before, page.limit)
    call.link([row.id for row in rows])
    return [_publisher(row) for row in rows]


async def _review_publisher(call: Call, publisher_id: int, *, approved: bool) -> dict[str, Any]:
    await _reviewing(call)
    if await queries.publisher(call.tx, publisher_id) is None:
        raise NotFound("publisher")
    await actions.review(call.tx, call.me_id, "publisher", publisher_id, approved=approved)
    found = await queries.publisher(call.tx, publisher_id)
    if found is None:
        raise NotFound("publisher")
    return _publisher(found)


@post("/api/v1/admin/trends/links/publishers/{id}/approve", "admin:write")
async def approve_publisher(call: Call, args: One) -> dict[str, Any]:
    """Promote a publisher's pages again."""
    return await _review_publisher(call, args.id, approved=True)


@post("/api/v1/admin/trends/links/publishers/{id}/reject", "admin:write")
async def reject_publisher(call: Call, args: One) -> dict[str, Any]:
    """Promote a publisher's pages no longer."""
    return await _review_publisher(call, args.id, approved=False)


@get("/api/v1/admin/tags", "admin:read")
async def all_tags(call: Call, args: Paged) -> list[dict[str, Any]]:
    """Every hashtag, the newest first."""
    await _reviewing(call)
    page = args.page()
    rows = await queries.all_tags(call.read, page.before, page.limit)
    call.link([row.id for row in rows])
    return await _admin_tags(call, rows)


@get("/api/v1/admin/tags/{id}", "admin:read")
async def one_tag(call: Call, args: One) -> dict[str, Any]:
    """One hashtag."""
    await _reviewing(call)
    return (await _admin_tags(call, [await _known_tag(call, args.id)]))[0]


@put("/api/v1/admin/tags/{id}", "admin:write")
async def change_tag(call: Call, args: TagChoice) -> dict[str, Any]:
    """Choose whether a hashtag is promoted; its use and its being found are no moderator's to end."""
    await _reviewing(call)
    if args.usable is False or args.listable is False:
        raise Refused("hashtags_are_free")
    known = await _known_tag(call, args.id)
    if args.trendable is not None and args.trendable is known.rejected:
        await actions.review(call.tx, call.me_id, "tag", args.id, approved=args.trendable)
    return (await _admin_tags(call, [await _known_tag(call, args.id)]))[0]
