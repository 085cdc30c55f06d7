"""An activity whose sender is proved, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.federation import jsonld
from parvis.federation.jsonld import Document
from parvis.federation.vocabulary import Activity
from parvis.statuses import queries as posts
from parvis.statuses.model import Status

Deed = Callable[[Tx], Awaitable[None]]
"""What an activity does here, once everything it needs has been fetched."""


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """An activity, who proved to have said it, whose own inbox it came to, and whether a relay brought it."""

    sender: Account
    activity: Activity
    base: str
    owner: int | None = None
    relayed: bool = False

    def near(self, uri: str | None) -> bool:
        """Does this id belong to the sender's own server? Of other servers' things the sender cannot speak."""
        return bool(uri) and jsonld.host(uri or "") == jsonld.host(self.sender.uri)


async def nothing(tx: Tx) -> None:
    """What does not concern this city has no effect."""


async def person(r: Read, uri: str | None) -> Account | None:
    """Someone of this city who is here."""
    found = await people.by_uri(r, uri) if uri else None
    return found if found and found.local and not found.deleted_at else None


async def post(r: Read, uri: str | None, viewer: int) -> Status | None:
    """A post known here that the viewer may see."""
    found = await posts.by_uri(r, uri) if uri else None
    return await posts.seen(r, found.id, viewer) if found else None


def inner(given: Incoming) -> tuple[str, str | None]:
    """The kind of the activity that this one answers or takes back, and what that one was about."""
    written: Document = given.activity.written or {}
    return jsonld.kind(written), jsonld.reference(written.get("object"))
