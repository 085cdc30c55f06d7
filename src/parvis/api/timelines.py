"""Timelines."""

from __future__ import annotations

from parvis.api.call import Call, Paged, get
from parvis.base.errors import NotFound
from parvis.text import mentions
from parvis.timelines import queries as timelines
from parvis.timelines.model import Kept
from parvis.views import status as view


class PublicPage(Paged, frozen=True, kw_only=True):
    """The public timeline, of this city or of the others."""

    local: bool = False
    remote: bool = False
    only_media: bool = False

    def where(self) -> bool | None:
        """True: only here; False: only elsewhere; None: both."""
        return True if self.local else False if self.remote else None


class TagPage(PublicPage, frozen=True, kw_only=True):
    """A hashtag's timeline."""

    hashtag: str
    any: list[str] = []
    all: list[str] = []
    none: list[str] = []


class ListPage(Paged, frozen=True, kw_only=True):
    """A list's timeline."""

    list_id: int


async def _shown(call: Call, ids: list[int]) -> bytes:
    call.link(ids)
    return await view.page(call.read, call.eye(), ids)


@get("/api/v1/timelines/home", "read:statuses")
async def home(call: Call, args: Paged) -> bytes:
    """The people and hashtags one follows."""
    return await _shown(call, await timelines.home(call.read, call.me_id, args.page()))


@get("/api/v1/timelines/public", "read:statuses", who="anyone")
async def public(call: Call, args: PublicPage) -> bytes:
    """Everybody."""
    ids = await timelines.public(call.read, call.viewer, args.page(), args.where(), args.only_media)
    return await _shown(call, ids)


@get("/api/v1/timelines/tag/{hashtag}", "read:statuses", who="anyone")
async def tag(call: Call, args: TagPage) -> bytes:
    """What carries a hashtag."""
    names = ([args.hashtag, *args.any], args.all, args.none)
    wanted = tuple([mentions.normal_tag(name) for name in part] for part in names)
    ids = await timelines.tagged(
        call.read, call.viewer, args.page(), (wanted[0], wanted[1], wanted[2]), args.where(), args.only_media
    )
    return await _shown(call, ids)


@get("/api/v1/timelines/list/{list_id}", "read:lists")
async def of_list(call: Call, args: ListPage) -> bytes:
    """The people in one of one's lists."""
    ids = await timelines.of_list(call.read, call.me_id, args.list_id, args.page())
    if not ids and await timelines.list_of(call.read, call.me_id, args.list_id) is None:
        raise NotFound("list")
    return await _shown(call, ids)


@get("/api/v1/timelines/direct", "read:statuses", deprecated=1540166400)
async def direct(call: Call, args: Paged) -> bytes:
    """What is said directly to one or by one; conversations show it better."""
    return await _shown(call, await timelines.direct(call.read, call.me_id, args.page()))


async def _kept(call: Call, rows: list[Kept]) -> bytes:
    call.link([row.row_id for row in rows])
    return await view.page(call.read, call.eye(), [row.status_id for row in rows])


@get("/api/v1/favourites", "read:favourites")
async def favourites(call: Call, args: Paged) -> bytes:
    """What one marked as a favourite."""
    return await _kept(call, await timelines.kept(call.read, "favourites", call.me_id, args.page()))


@get("/api/v1/bookmarks", "read:bookmarks")
async def bookmarks(call: Call, args: Paged) -> bytes:
    """What one kept for later."""
    return await _kept(call, await timelines.kept(call.read, "bookmarks", call.me_id, args.page()))
