"""What one is told, one by one and in groups, and whom one lets tell."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from parvis.api.call import Call, Nothing, Paged, delete, get, patch, post, put
from parvis.base.errors import Forbidden, NotFound
from parvis.base.ids import parsed
from parvis.notifications import actions, queries
from parvis.notifications.model import GROUPED, Choice, PolicyWish
from parvis.views import account as people
from parvis.views import notification as view
from parvis.views.notification import Speech

ALONE = "ungrouped-"
GROUPS_IN_V1: list[str] = []


class Wanted(Paged, frozen=True, kw_only=True):
    """Which notifications."""

    types: list[str] = []
    exclude_types: list[str] = []
    account_id: int | None = None
    include_filtered: bool = False
    supported_types: list[str] | None = None

    def choice(self, grouped: list[str]) -> Choice:
        """The same, as the room wants it."""
        return Choice(
            kinds=self.types, without=self.exclude_types, by=self.account_id, filtered=self.include_filtered,
            grouped=grouped,
        )


class WantedGroups(Wanted, frozen=True, kw_only=True):
    """Which notifications, and which kinds of them as groups."""

    grouped_types: list[str] | None = None
    expand_accounts: Literal["full", "partial_avatars"] = "full"

    @property
    def grouped(self) -> list[str]:
        """The kinds to group: no more than those that have groups."""
        return [kind for kind in GROUPED if self.grouped_types is None or kind in self.grouped_types]


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One notification."""

    id: int
    supported_types: list[str] | None = None


class Several(msgspec.Struct, frozen=True, kw_only=True):
    """Some notifications, or requests."""

    id: list[int] = []
    ids: list[int] = []


class OneGroup(msgspec.Struct, frozen=True, kw_only=True):
    """One group."""

    group_key: str
    supported_types: list[str] | None = None


class PeopleOfGroup(Paged, frozen=True, kw_only=True):
    """Who is in a group."""

    group_key: str


def _speech(call: Call, known: list[str] | None) -> Speech:
    return Speech((call.bearer.locale if call.bearer else None) or "fr", known)


def _key(text: str) -> tuple[str, int | None]:
    """A group's key, and the notification's id where it stands alone."""
    return text, parsed(text.removeprefix(ALONE)) if text.startswith(ALONE) else None


@get("/api/v1/notifications", "read:notifications")
async def several(call: Call, args: Wanted) -> bytes:
    """The newest first."""
    rows = await queries.page(call.read, call.me_id, args.page(40), args.choice(GROUPS_IN_V1))
    call.link([row.id for row in rows])
    speech = _speech(call, args.supported_types)
    return b"[%s]" % b",".join(await view.notifications(call.read, call.eye(), rows, speech))


def _most(limit: int | None) -> int:
    """How far to count: to a hundred, or as the app asks, to a thousand."""
    return max(1, min(100 if limit is None else limit, 1000))


@get("/api/v1/notifications/unread_count", "read:notifications")
async def unread_count(call: Call, args: Wanted) -> dict[str, int]:
    """How many there are that one has not read, up to a hundred."""
    choice = args.choice(GROUPS_IN_V1)
    return {"count": await queries.unread(call.read, call.me_id, _most(args.limit), choice)}


@get("/api/v1/notifications/{id}", "read:notifications")
async def show(call: Call, args: One) -> bytes:
    """One of them."""
    row = await queries.one(call.read, call.me_id, args.id)
    speech = _speech(call, args.supported_types)
    found = await view.notifications(call.read, call.eye(), [row], speech) if row else []
    if not found:
        raise NotFound("notification")
    return found[0]


@post("/api/v1/notifications/clear", "write:notifications")
async def clear(call: Call, _: Nothing) -> dict[str, Any]:
    """Take all away, but what waits for an answer."""
    await queries.clear(call.tx, call.me_id)
    return {}


async def _dismiss(call: Call, number: int) -> dict[str, Any]:
    if not await queries.dismiss(call.tx, call.me_id, [number]):
        raise NotFound("notification")
    return {}


@post("/api/v1/notifications/{id}/dismiss", "write:notifications")
async def dismiss(call: Call, args: One) -> dict[str, Any]:
    """Take one away."""
    return await _dismiss(call, args.id)


@post("/api/v1/notifications/dismiss", "write:notifications", deprecated=1420070400)
async def dismiss_by_id(call: Call, args: One) -> dict[str, Any]:
    """Take one away, as older apps ask for it."""
    return await _dismiss(call, args.id)


@delete("/api/v1/notifications/{id}", "write:notifications")
async def drop(call: Call, args: One) -> dict[str, Any]:
    """Take one away, as some apps ask for it."""
    return await _dismiss(call, args.id)


@delete("/api/v1/notifications/destroy_multiple", "write:notifications")
async def drop_several(call: Call, args: Several) -> dict[str, Any]:
    """Take some away; those that are not there are no mistake."""
    await queries.dismiss(call.tx, call.me_id, [*args.ids, *args.id])
    return {}


@get("/api/v2/notifications", "read:notifications")
async def groups(call: Call, args: WantedGroups) -> bytes:
    """The newest first, those of a group as one where its newest stands."""
    rows = await queries.groups(call.read, call.me_id, args.page(40), args.choice(args.grouped))
    call.link([row.id for row in rows])
    partial = args.expand_accounts == "partial_avatars"
    return await view.groups(call.read, call.eye(), rows, _speech(call, args.supported_types), partial)


@get("/api/v2/notifications/unread_count", "read:notifications")
async def unread_groups(call: Call, args: WantedGroups) -> dict[str, int]:
    """How many groups there are with something one has not read."""
    choice = args.choice(args.grouped)
    return {"count": await queries.unread(call.read, call.me_id, _most(args.limit), choice)}


@get("/api/v2/notifications/{group_key}", "read:notifications")
async def group(call: Call, args: OneGroup) -> bytes:
    """One group."""
    row = await queries.group(call.read, call.me_id, *_key(args.group_key))
    if row is None:
        raise NotFound("group")
    return await view.groups(call.read, call.eye(), [row], _speech(call, args.supported_types))


@post("/api/v2/notifications/{group_key}/dismiss", "write:notifications")
async def dismiss_group(call: Call, args: OneGroup) -> dict[str, Any]:
    """Take a whole group away; one that is not there is no mistake."""
    await queries.dismiss_group(call.tx, call.me_id, *_key(args.group_key))
    return {}


@get("/api/v2/notifications/{group_key}/accounts", who="user")
async def people_of_group(call: Call, args: PeopleOfGroup) -> bytes:
    """Everybody in a group, the last who came first."""
    # Mastodon documents the one scope and looks at the other; an app with either is right to ask.
    if not (call.may("read:notifications") or call.may("write:notifications")):
        raise Forbidden("scope")
    rows = await queries.members(call.read, call.me_id, args.page(40), *_key(args.group_key))
    call.link([row.id for row in rows])
    return await people.page(call.read, call.eye(), [row.account_id for row in rows])


async def _policy(call: Call) -> dict[str, Any]:
    found = await queries.policy(call.read, call.me_id)
    if found is None:
        raise NotFound("policy")
    return {
        "for_not_following": found.for_not_following, "for_not_followers": found.for_not_followers,
        "for_new_accounts": found.for_new_accounts, "for_private_mentions": found.for_private_mentions,
        "for_limited_accounts": found.for_limited_accounts,
        "summary": {
            "pending_requests_count": found.requests, "pending_notifications_count": found.notifications,
        },
    }


@get("/api/v2/notifications/policy", "read:notifications")
async def policy(call: Call, _: Nothing) -> dict[str, Any]:
    """What becomes of notifications by people one has little to do with."""
    return await _policy(call)


@patch("/api/v2/notifications/policy", "write:notifications")
async def change_policy(call: Call, args: PolicyWish) -> dict[str, Any]:
    """Change it, for what is told from now on."""
    await queries.put_policy(call.tx, call.me_id, args)
    return await _policy(call)


@put("/api/v2/notifications/policy", "write:notifications")
async def put_policy(call: Call, args: PolicyWish) -> dict[str, Any]:
    """The same, as one app asks for it."""
    await queries.put_policy(call.tx, call.me_id, args)
    return await _policy(call)


@get("/api/v1/notifications/requests", "read:notifications")
async def requests(call: Call, args: Paged) -> bytes:
    """Those whose notifications were filtered and who wait for an answer."""
    rows = await queries.requests(call.read, call.me_id, args.page(40))
    call.link([row.id for row in rows])
    return b"[%s]" % b",".join(await view.requests(call.read, call.eye(), rows))


@get("/api/v1/notifications/requests/merged", "read:notifications", tx="none")
async def merged(_: Call, __: Nothing) -> dict[str, bool]:
    """Whether what was accepted stands among the rest: always, since it is done at once."""
    return {"merged": True}


@get("/api/v1/notifications/requests/{id}", "read:notifications")
async def request(call: Call, args: One) -> bytes:
    """One who waits."""
    row = await queries.request(call.read, call.me_id, args.id)
    found = await view.requests(call.read, call.eye(), [row]) if row else []
    if not found:
        raise NotFound("request")
    return found[0]


@post("/api/v1/notifications/requests/{id}/accept", "write:notifications")
async def accept(call: Call, args: One) -> dict[str, Any]:
    """Let somebody tell from now on, and show what they told."""
    if not await actions.accept(call.tx, call.me_id, [args.id]):
        raise NotFound("request")
    return {}


@post("/api/v1/notifications/requests/{id}/dismiss", "write:notifications")
async def refuse(call: Call, args: One) -> dict[str, Any]:
    """Take away what somebody told."""
    if not await queries.refuse(call.tx, call.me_id, [args.id]):
        raise NotFound("request")
    return {}


@post("/api/v1/notifications/requests/accept", "write:notifications")
async def accept_several(call: Call, args: Several) -> dict[str, Any]:
    """Let several tell; those that are not there are no mistake."""
    await actions.accept(call.tx, call.me_id, [*args.id, *args.ids])
    return {}


@post("/api/v1/notifications/requests/dismiss", "write:notifications")
async def refuse_several(call: Call, args: Several) -> dict[str, Any]:
    """Take away what several told."""
    await queries.refuse(call.tx, call.me_id, [*args.id, *args.ids])
    return {}
