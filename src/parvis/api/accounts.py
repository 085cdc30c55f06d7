"""People."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec

from parvis.access import actions as access
from parvis.access import policy as signing
from parvis.access import queries as users
from parvis.access.model import SignUp
from parvis.accounts import actions as accounts
from parvis.accounts import policy as naming
from parvis.accounts import queries
from parvis.accounts.model import Account, FollowWish, ProfileEdit
from parvis.api import entities, limits
from parvis.api.call import Call, Nothing, Paged, get, patch, post
from parvis.api.uploads import Upload
from parvis.base.db import Tx
from parvis.base.errors import Invalid, NotFound
from parvis.federation import fetch
from parvis.media import actions as media
from parvis.portability import actions as coming
from parvis.quotes.model import QuotePolicy
from parvis.screening import actions as screening
from parvis.search import policy as searching
from parvis.search import queries as finding
from parvis.search.model import Stretch
from parvis.statuses.model import Visibility
from parvis.text import language
from parvis.text import mentions as words
from parvis.timelines import queries as timelines
from parvis.timelines.model import Choice
from parvis.views import account as view
from parvis.views import queries as views
from parvis.views import status as posts

AVATAR = (400, 400)
HEADER = (1500, 500)
SHOWS = ("show_media", "show_media_replies", "show_featured", "attribution_domains", "email_subscriptions")


class One(msgspec.Struct, frozen=True, kw_only=True):
    """One account."""

    id: int


class Several(msgspec.Struct, frozen=True, kw_only=True):
    """Some accounts."""

    id: list[int] = []
    with_suspended: bool = False


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody gives to settle here."""

    username: str
    email: str
    password: str
    agreement: bool = False
    locale: str = "fr"
    reason: str = ""
    invite_code: str | None = None
    date_of_birth: str | None = None


class NewField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a profile."""

    name: str = ""
    value: str = ""


class NewSource(msgspec.Struct, frozen=True, kw_only=True):
    """How new posts are made."""

    privacy: Visibility | None = None
    sensitive: bool | None = None
    language: str | None = None
    quote_policy: QuotePolicy | None = None


class ChangedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody changes about themselves."""

    display_name: str | None = None
    note: str | None = None
    avatar: Upload | None = None
    avatar_description: str | None = None
    header: Upload | None = None
    header_description: str | None = None
    locked: bool | None = None
    bot: bool | None = None
    discoverable: bool | None = None
    hide_collections: bool | None = None
    indexable: bool | None = None
    show_media: bool | None = None
    show_media_replies: bool | None = None
    show_featured: bool | None = None
    attribution_domains: list[str] | None = None
    email_subscriptions: bool | None = None
    fields_attributes: list[NewField] | None = None


class ChangedCredentials(ChangedPerson, frozen=True, kw_only=True):
    """The same, and how their new posts are made."""

    source: NewSource | None = None


class WantedStatuses(Paged, frozen=True, kw_only=True):
    """Which of somebody's posts."""

    id: int
    only_media: bool = False
    exclude_replies: bool = False
    exclude_reblogs: bool = False
    pinned: bool = False
    tagged: str | None = None


class ListOfOne(Paged, frozen=True, kw_only=True):
    """A list that belongs to one account."""

    id: int


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """Whom one follows, and how."""

    id: int
    reblogs: bool = True
    notify: bool = False
    languages: list[str] | None = None


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """Whom one mutes, and for how long."""

    id: int
    notifications: bool = True
    duration: int = 0


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A private note on somebody."""

    id: int
    comment: str = ""


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """Whom one looks for."""

    q: str = ""
    limit: int = 40
    offset: int = 0
    resolve: bool = False
    following: bool = False


class Handle(msgspec.Struct, frozen=True, kw_only=True):
    """A handle."""

    acct: str


async def shown(call: Call, account_id: int) -> bytes:
    """One account as it is shown."""
    found = await view.accounts(call.read, call.eye(), [account_id])
    if account_id not in found:
        raise NotFound("account")
    return found[account_id]


@post("/api/v1/accounts", "write:accounts", who="app", tx="none", limit=limits.SIGN_UP)
async def sign_up(call: Call, args: NewPerson) -> dict[str, Any]:
    """Settle here; the token works once the address is confirmed, at once in a --dev city."""
    if not args.agreement:
        raise Invalid("agreement", "ERR_ACCEPTED")
    locale = "fr" if args.locale.startswith("fr") else "en"
    place = call.request.client.host if call.request.client else ""
    wish = SignUp(
        args.username, args.email, args.password, locale, True, reason=args.reason, address=place,
        invite_code=args.invite_code or "",
    )
    async with call.opening("write"):
        door = await coming.knock(call.tx, wish)
    signing.may_settle(door, call.settings.registrations, wish.reason)
    signing.old_enough(args.date_of_birth or "", call.settings.min_age, call.now.date())
    prepared = await access.prepare(call.settings, wish)
    app_id, scopes = (call.bearer.application_id, call.bearer.scopes) if call.bearer else (None, ["read"])
    async with call.opening("write"):
        account = await coming.settle(call.tx, prepared, call.settings, door, app_id, confirmed=call.settings.dev)
        token, made = await access.issue(call.tx, account.id, scopes, app_id)
    return {
        "access_token": token, "token_type": "Bearer", "scope": " ".join(scopes), "created_at": int(made.timestamp())
    }


async def credentials(call: Call) -> dict[str, Any]:
    """Who acts, as they are shown to themselves."""
    me = call.me_id
    entity = entities.decoded(await shown(call, me))
    more = await queries.shown(call.read, [me])
    user = await users.user(call.read, me)
    if user is None or not more:
        raise NotFound("account")
    return entities.credentials(entity, more[0], user, await queries.requests_count(call.read, me))


@get("/api/v1/accounts/verify_credentials", "read:accounts")
async def verify_credentials(call: Call, _: Nothing) -> dict[str, Any]:
    """Who am I?"""
    return await credentials(call)


@patch("/api/v1/accounts/update_credentials", "write:accounts", tx="none")
async def update_credentials(call: Call, args: ChangedCredentials) -> dict[str, Any]:
    """Change one's profile; pictures are made ready before the transaction."""
    files = await pictures(call, args)
    async with call.opening("write"):
        me = await call.me()
        await accounts.edit_profile(call.tx, me, edit(call, args, files))
        source = args.source
        if source is not None:
            chosen = language.valid(source.language) if source.language else None
            await users.prefer(call.tx, me.id, source.privacy, source.sensitive, chosen, source.quote_policy)
        return await credentials(call)


async def pictures(call: Call, args: ChangedPerson) -> dict[str, str]:
    """The pictures that were sent, made ready and kept before anything is opened."""
    files: dict[str, str] = {}
    for name, box in (("avatar", AVATAR), ("header", HEADER)):
        upload = getattr(args, name)
        if upload is not None:
            files[f"{name}_file"] = (await media.keep(call.job, name, upload.file, box)).file
    return files


def edit(call: Call, args: ChangedPerson, files: dict[str, str]) -> ProfileEdit:
    """What was given, checked and made into HTML."""
    given: dict[str, Any] = dict(files)
    for name in ("display_name", "avatar_description", "header_description", "locked", "bot", "discoverable",
                 "hide_collections", "indexable", *SHOWS):
        value = getattr(args, name)
        if value is not None:
            given[name] = value
    base = call.settings.base
    if args.note is not None:
        given |= {"note_text": args.note, "note": naming.written(args.note, base)}
    if args.fields_attributes is not None:
        given["fields"] = naming.typed_fields([(row.name, row.value) for row in args.fields_attributes], base)
    return ProfileEdit(**given)


@get("/api/v1/accounts/relationships", "read:follows")
async def relationships(call: Call, args: Several) -> list[dict[str, Any]]:
    """How one stands to some accounts; unknown ones are left out."""
    rows = await queries.relationships(call.read, call.me_id, args.id[:80])
    return [entities.relationship(row) for row in rows]


@get("/api/v1/accounts/search", "read:accounts", tx="none")
async def search(call: Call, args: Searched) -> bytes:
    """Look for people; with resolve, also on other servers."""
    found: list[int] = []
    if args.resolve and "@" in args.q.strip("@"):
        met = await fetch.resolve(call.job, args.q.strip())
        found = [met.id] if isinstance(met, Account) else []
    async with call.opening("read"):
        limit, offset = max(0, min(args.limit, 80)), max(0, min(args.offset, 10_000))
        whom = searching.named(args.q, call.settings.domain)
        rows = await finding.accounts(
            call.read, call.viewer, whom, searching.pattern(whom.text), Stretch(limit, offset), args.following
        )
        return await view.page(call.read, call.eye(), list(dict.fromkeys([*found, *rows]))[:limit])


@get("/api/v1/accounts/lookup", "read:accounts", who="anyone")
async def lookup(call: Call, args: Handle) -> bytes:
    """Who has this handle, among those known here? Nothing is fetched."""
    name, _, domain = args.acct.strip().lstrip("@").partition("@")
    local = not domain or domain.lower() == call.settings.domain
    found = await queries.by_handle(call.read, name, None if local else domain)
    if found is None or found.deleted_at:
        raise NotFound("account")
    return await shown(call, found.id)


@get("/api/v1/accounts/familiar_followers", "read:follows")
async def familiar_followers(call: Call, args: Several) -> list[dict[str, Any]]:
    """Whom of those one follows follow these accounts, too."""
    wanted = dict.fromkeys(args.id[:20])
    found = {number: await queries.familiar_followers(call.read, call.me_id, number) for number in wanted}
    people = await view.accounts(call.read, call.eye(), list({person for row in found.values() for person in row}))
    return [
        {"id": str(number), "accounts": [msgspec.Raw(people[person]) for person in row if person in people]}
        for number, row in found.items()
    ]


@get("/api/v1/accounts/{id}", "read:accounts", who="anyone")
async def show(call: Call, args: One) -> bytes:
    """Look at one account."""
    await accounts.account(call.read, args.id)
    return await shown(call, args.id)


@get("/api/v1/accounts", "read:accounts", who="anyone")
async def several(call: Call, args: Several) -> bytes:
    """Look at some accounts."""
    if len(args.id) > 40:
        raise Invalid("id", "too_many")
    return await view.page(call.read, call.eye(), args.id)


@get("/api/v1/accounts/{id}/statuses", "read:statuses", who="anyone")
async def statuses(call: Call, args: WantedStatuses) -> bytes:
    """Somebody's posts, as far as one may see them."""
    if args.pinned:
        ids = await timelines.pinned(call.read, call.viewer, args.id)
    else:
        tag = words.normal_tag(args.tagged) if args.tagged else None
        choice = Choice(args.only_media, args.exclude_replies, args.exclude_reblogs, tag)
        ids = await timelines.account(call.read, call.viewer, args.id, args.page(), choice)
        call.link(ids)
    if not ids:
        await accounts.account(call.read, args.id)
    return await posts.page(call.read, call.eye(), ids)


async def people_of(call: Call, name: str, whose: int, args: Paged) -> bytes:
    """One of the lists of accounts, with its links."""
    rows = await views.listed(call.read, name, whose, args.page(40), call.viewer)
    if not rows:
        await accounts.account(call.read, whose)
    call.link([row.row_id for row in rows])
    return await view.page(call.read, call.eye(), [row.account_id for row in rows])


@get("/api/v1/accounts/{id}/followers", "read:accounts", who="anyone")
async def followers(call: Call, args: ListOfOne) -> bytes:
    """Who follows somebody, unless they keep it to themselves."""
    return await people_of(call, "followers", args.id, args)


@get("/api/v1/accounts/{id}/following", "read:accounts", who="anyone")
async def following(call: Call, args: ListOfOne) -> bytes:
    """Whom somebody follows, unless they keep it to themselves."""
    return await people_of(call, "following", args.id, args)


@get("/api/v1/blocks", "read:blocks")
async def blocks(call: Call, args: Paged) -> bytes:
    """Whom one blocks."""
    return await people_of(call, "blocked", call.me_id, args)


@get("/api/v1/mutes", "read:mutes")
async def mutes(call: Call, args: Paged) -> list[dict[str, Any]]:
    """Whom one mutes, and until when."""
    people = msgspec.json.decode(await people_of(call, "muted", call.me_id, args), type=list[dict[str, Any]])
    rows = await queries.relationships(call.read, call.me_id, [int(person["id"]) for person in people])
    until = {row.id: entities.relationship(row)["muting_expires_at"] for row in rows}
    return [{**person, "mute_expires_at": until.get(int(person["id"]))} for person in people]


@get("/api/v1/follow_requests", "read:follows")
async def follow_requests(call: Call, args: Paged) -> bytes:
    """Who asks to follow."""
    return await people_of(call, "requests", call.me_id, args)


Between = Callable[[Tx, Account, Account], Awaitable[object]]


async def between(call: Call, account_id: int, deed: Between) -> dict[str, Any]:
    """A deed of one to another; how they stand then."""
    target = await accounts.account(call.tx, account_id)
    await deed(call.tx, await call.me(), target)
    return await _standing(call, target.id)


async def _standing(call: Call, account_id: int) -> dict[str, Any]:
    rows = await queries.relationships(call.tx, call.me_id, [account_id])
    return entities.relationship(rows[0])


@post("/api/v1/accounts/{id}/follow", "write:follows", limit=limits.FOLLOW)
async def follow(call: Call, args: Follow) -> dict[str, Any]:
    """Follow, or ask to."""
    languages = [code for code in map(language.valid, args.languages or ()) if code] or None
    wish = FollowWish(args.reblogs, args.notify, languages)
    target = await accounts.account(call.tx, args.id)
    await screening.follow(call.tx, await call.me(), target, wish)
    return await _standing(call, target.id)


@post("/api/v1/accounts/{id}/unfollow", "write:follows")
async def unfollow(call: Call, args: One) -> dict[str, Any]:
    """Follow no more."""
    return await between(call, args.id, accounts.unfollow)


@post("/api/v1/accounts/{id}/remove_from_followers", "write:follows")
async def remove_from_followers(call: Call, args: One) -> dict[str, Any]:
    """No longer be followed by somebody."""
    target = await accounts.account(call.tx, args.id)
    made = await queries.follow_between(call.tx, target.id, call.me_id)
    if made is not None:
        await accounts.reject_follow(call.tx, await call.me(), target)
    return await _standing(call, target.id)


@post("/api/v1/accounts/{id}/block", "write:blocks")
async def block(call: Call, args: One) -> dict[str, Any]:
    """Have nothing to do with somebody."""
    return await between(call, args.id, accounts.block)


@post("/api/v1/accounts/{id}/unblock", "write:blocks")
async def unblock(call: Call, args: One) -> dict[str, Any]:
    """Take a block back."""
    return await between(call, args.id, accounts.unblock)


@post("/api/v1/accounts/{id}/mute", "write:mutes")
async def mute(call: Call, args: Mute) -> dict[str, Any]:
    """No longer be shown somebody's posts, for a time or for good."""
    if not 0 <= args.duration <= 10 * 366 * 86400:
        raise Invalid("duration", "invalid")
    target = await accounts.account(call.tx, args.id)
    until = call.tx.now + timedelta(seconds=args.duration) if args.duration else None
    await accounts.mute(call.tx, await call.me(), target, args.notifications, until)
    return await _standing(call, target.id)


@post("/api/v1/accounts/{id}/unmute", "write:mutes")
async def unmute(call: Call, args: One) -> dict[str, Any]:
    """Be shown somebody's posts again."""
    return await between(call, args.id, accounts.unmute)


@post("/api/v1/accounts/{id}/note", "write:accounts")
async def note(call: Call, args: Note) -> dict[str, Any]:
    """Keep a private note on somebody."""
    target = await accounts.account(call.tx, args.id)
    await accounts.annotate(call.tx, await call.me(), target, args.comment)
    return await _standing(call, target.id)


@post("/api/v1/follow_requests/{id}/authorize", "write:follows")
async def authorize_follow(call: Call, args: One) -> dict[str, Any]:
    """Let somebody follow."""
    return await between(call, args.id, accounts.accept_follow)


@post("/api/v1/follow_requests/{id}/reject", "write:follows")
async def reject_follow(call: Call, args: One) -> dict[str, Any]:
    """Refuse somebody who asks to follow."""
    return await between(call, args.id, accounts.reject_follow)


@get("/api/v1/preferences", "read:accounts")
async def preferences(call: Call, _: Nothing) -> dict[str, Any]:
    """How one's posts are made and shown."""
    user = await users.user(call.read, call.me_id)
    if user is None:
        raise NotFound("account")
    return {
        "posting:default:visibility": user.default_privacy, "posting:default:sensitive": user.default_sensitive,
        "posting:default:language": user.default_language, "posting:default:quote_policy": user.default_quote_policy,
        "reading:expand:media": "default", "reading:expand:spoilers": False, "reading:autoplay:gifs": False,
    }
