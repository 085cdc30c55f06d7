"""What other servers ask of this one: who is who, what was said, and the inboxes.

An inbox looks at size, form, digest and signature, keeps the request and answers 202; a worker does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Read
from parvis.base.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Problem, TooMany, Unauthenticated, Upstream
from parvis.base.ids import parsed
from parvis.base.jobs import Job
from parvis.base.settings import Settings
from parvis.federation import (
    carrying,
    contexts,
    documents,
    jsonld,
    keyring,
    proofs,
    queries,
    requests,
    synchrony,
    verbs,
    vocabulary,
    wire,
)
from parvis.federation.city import City
from parvis.federation.intake import queries as intake
from parvis.federation.jsonld import Document
from parvis.federation.model import UNKNOWN_DROPPED, KeyDoubted
from parvis.federation.proofs import Proof
from parvis.federation.signatures import BadSignature
from parvis.peers import policy as servers
from parvis.peers import queries as peers
from parvis.quotes import queries as quotes
from parvis.statuses import queries as posts
from parvis.statuses.model import Status
from parvis.text.mentions import normal_domain

SOFTWARE = {"name": "parvis", "version": "0.1.0"}
PAGE = 20
PEOPLE_PAGE = 12
DOUBT_SECONDS = 300
WAITING, STRANGERS_WAITING = 20_000, 1_000
"""So much of one server waits to be looked at: what is signed by whom we know, and what says so that it is."""
RETRY_SECONDS = "60"
CORS = {"access-control-allow-origin": "*"}
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404), (Gone, 410), (Forbidden, 403), (Unauthenticated, 401), (BadSignature, 401), (Invalid, 400),
    (Conflict, 409), (TooMany, 429), (Upstream, 503), (Problem, 422),
)


Endpoint = Callable[[Request, City], Awaitable[Response]]


class Row(msgspec.Struct, frozen=True):
    """What answers under one address; `names` are those of the parameters in its path."""

    method: str
    path: str
    endpoint: Endpoint
    names: tuple[str, ...]

    async def __call__(self, request: Request) -> Response:
        """Answer a request, also where it is refused."""
        city: City = request.app.state.app
        try:
            return await self.endpoint(request, city)
        except requests.TooLargeError:
            return _error("too_large", 413)
        except (Problem, BadSignature) as error:
            code = next(code for kind, code in _STATUS if isinstance(error, kind))
            return _error(str(error), code)


def _error(text: str, code: int, more: Mapping[str, str] | None = None) -> Response:
    headers = {**CORS, **(more or {})}
    return Response(msgspec.json.encode({"error": text}), code, media_type="application/json", headers=headers)


def _json(found: object, media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(found), media_type=media_type, headers={**CORS, "cache-control": "max-age=180"})


def _document(found: Document, *, public: bool = True) -> Response:
    return _as_document(documents.encoded(found), public=public)


def _as_document(body: bytes, *, public: bool = True) -> Response:
    caching = "public, max-age=180" if public else "private, no-store"
    headers = {**CORS, "cache-control": caching, "vary": "Accept, Signature"}
    return Response(body, media_type=f"{wire.CONTENT_TYPE}; charset=utf-8", headers=headers)


def _browser(request: Request) -> bool:
    """Would rather see a page than a document."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and "application/activity+json" not in accepted and "ld+json" not in accepted


def _page(url: str) -> Response:
    return RedirectResponse(url, 303, headers={"vary": "Accept"})


async def webfinger(request: Request, city: City) -> Response:
    """Who is behind a handle (RFC 7033)."""
    base, domain = city.settings.base, city.settings.domain
    resource = request.query_params.get("resource", "")
    if not resource:
        raise Invalid("resource", "missing")
    if _named(resource, city.settings) == wire.INSTANCE or resource == wire.instance_uri(base):
        return _fingered(wire.INSTANCE, domain, wire.instance_uri(base), f"{base}/", base)
    async with city.db.read() as read:
        account = await _fingered_account(read, resource, city.settings)
    return _fingered(account.username, domain, account.uri, account.url, base)


def _named(resource: str, settings: Settings) -> str | None:
    """The name in a handle of this city, whichever of its domains is written."""
    name, _, domain = resource.removeprefix("acct:").removeprefix("@").rpartition("@")
    own = {settings.domain, urlsplit(settings.base).netloc.lower()}
    return name if name and normal_domain(domain) in own and "/" not in name else None


async def _fingered_account(read: Read, resource: str, settings: Settings) -> Account:
    name = _named(resource, settings)
    if name is None and resource.startswith(f"{settings.base}/@"):
        name = resource.removeprefix(f"{settings.base}/@")
    found = await people.by_handle(read, name, None) if name else await people.by_uri(read, resource)
    return _here(found)


def _fingered(name: str, domain: str, uri: str, url: str, base: str) -> Response:
    links = [
        {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": url},
        {"rel": "self", "type": wire.CONTENT_TYPE, "href": uri},
        {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": f"{base}/authorize_interaction?uri={{uri}}"},
    ]
    found = {"subject": f"acct:{name}@{domain}", "aliases": [url, uri], "links": links}
    return _json(found, "application/jrd+json; charset=utf-8")


def _here(account: Account | None) -> Account:
    if account is None or not account.local:
        raise NotFound("account")
    if account.deleted_at:
        raise Gone("account")
    if account.suspended_at:
        raise Forbidden("suspended")
    return account


async def host_meta(request: Request, city: City) -> Response:
    """Where WebFinger is, for old software (RFC 6415)."""
    link = f'<Link rel="lrdd" template="{city.settings.base}/.well-known/webfinger?resource={{uri}}"/>'
    xrd = f'<?xml version="1.0" encoding="UTF-8"?><XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">{link}</XRD>'
    return Response(xrd, media_type="application/xrd+xml; charset=utf-8", headers=CORS)


async def nodeinfo_links(request: Request, city: City) -> Response:
    """Which versions of NodeInfo are spoken."""
    schema = "http://nodeinfo.diaspora.software/ns/schema"
    links = [
        {"rel": f"{schema}/{version}", "href": f"{city.settings.base}/nodeinfo/{version}"} for version in ("2.0", "2.1")
    ]
    return _json({"links": links})


async def nodeinfo(request: Request, city: City) -> Response:
    """What this server is and how lively it is."""
    version = request.path_params["version"]
    if version not in ("2.0", "2.1"):
        raise NotFound("nodeinfo")
    async with city.db.read() as read:
        usage = await queries.usage(read)
    found = {
        "version": version, "software": SOFTWARE, "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []}, "openRegistrations": city.settings.takes_anyone,
        "usage": {
            "users": {"total": usage.users, "activeMonth": usage.month, "activeHalfyear": usage.half_year},
            "localPosts": usage.posts,
        },
        # A client that does not know the software's name asks here whose API it may speak.
        "metadata": {"nodeName": city.settings.city_name, "nodeDescription": city.settings.city_description,
                     "upstream": {"name": "mastodon"}},
    }
    schema = f"http://nodeinfo.diaspora.software/ns/schema/{version}#"
    return _json(found, f'application/json; profile="{schema}"')


async def instance_actor(request: Request, city: City) -> Response:
    """The city's own actor; it is shown to everybody, signed for or not."""
    if _browser(request):
        return _page(f"{city.settings.base}/")
    found = documents.instance(city.settings.base, city.settings.city_name, wire.instance_public_key(city.settings))
    return _document(found | keyring.of_city(city.settings))


async def actor(request: Request, city: City) -> Response:
    """One of our people."""
    async with city.db.read() as read:
        account = await _owner(read, request)
    if _browser(request):
        return _page(account.url)
    found, body = await _sent(city, "actor", account.id)
    new = None if "assertionMethod" in found else await keyring.introduced(city.db, city.settings, account)
    return _document(found | new) if new else _as_document(body)


async def _sent(city: City, kind: Literal["actor", "note"], number: int) -> documents.Sent:
    made = await city.documents.of((kind, number))
    if made is None:
        raise NotFound(kind)
    return made


async def _owner(read: Read, request: Request) -> Account:
    number = parsed(request.path_params["id"])
    return _here(await people.here(read, number) if number else None)


async def outbox(request: Request, city: City) -> Response:
    """What somebody said and passed on for everybody to see."""
    async with city.db.read() as read:
        account = await _owner(read, request)
        uri = f"{account.uri}/outbox"
        if "page" not in request.query_params:
            total = await queries.spoken_count(read, account.id)
            return _document(documents.collection(uri, total, paged=True, ordered=True))
        spoken = await queries.spoken(read, account.id, _before(request), PAGE)
        said = [await _said(read, account, status, city.settings.base) for status in spoken]
    following = f"{uri}?page=true&max_id={spoken[-1].id}" if len(spoken) == PAGE else None
    return _document(documents.collection_page(uri, _address(request, uri), said, following, ordered=True))


def _before(request: Request) -> int | None:
    return parsed(request.query_params.get("max_id", ""))


def _address(request: Request, uri: str) -> str:
    return f"{uri}?{request.url.query}"


async def _said(read: Read, account: Account, status: Status, base: str) -> Document:
    """The activity by which something was said: Create, or Announce for what was passed on."""
    if status.reblog_of_id is None:
        return verbs.create(documents.note(await documents.written(read, account, status), base))
    original = await posts.by_id(read, status.reblog_of_id)
    author = await people.by_id(read, original.account_id) if original else None
    if original is None or author is None:
        raise NotFound("status")
    return verbs.announce(status, account, original, author)


async def followers(request: Request, city: City) -> Response:
    """Who follows somebody; only how many, when they prefer that."""
    return await _neighbours(request, city, "followers")


async def following(request: Request, city: City) -> Response:
    """Whom somebody follows; only how many, when they prefer that."""
    return await _neighbours(request, city, "following")


async def _neighbours(request: Request, city: City, side: str) -> Response:
    async with city.db.read() as read:
        account = await _owner(read, request)
        shown = (await people.shown(read, [account.id]))[0]
        uri, total = f"{account.uri}/{side}", shown.followers if side == "followers" else shown.following
        if shown.hide_collections or "page" not in request.query_params:
            return _document(documents.collection(uri, total, paged=not shown.hide_collections, ordered=True))
        found = await queries.neighbours(read, account.id, side == "followers", _before(request), PEOPLE_PAGE)
    onwards = f"{uri}?page=true&max_id={found[-1][0]}" if len(found) == PEOPLE_PAGE else None
    shown_uris = [actor_uri for _, actor_uri in found]
    return _document(documents.collection_page(uri, _address(request, uri), shown_uris, onwards, ordered=True))


async def followers_synchronization(request: Request, city: City) -> Response:
    """Who of the asking server's people follows somebody, and nobody else (FEP-8fcf)."""
    await synchrony.introduced(Job(city.db, city.http, city.settings), requests.fields(request))
    async with city.db.read() as read:
        account, asker = await _owner(read, request), await _signer(read, request, city)
        if asker is None:
            raise Unauthenticated("signature")
        listed = await synchrony.listed(read, account, asker)
    found = documents.collection(synchrony.address(account.uri), len(listed), paged=False, ordered=True)
    return _document(found | {"orderedItems": listed}, public=False)


async def featured(request: Request, city: City) -> Response:
    """What somebody keeps at the top of their profile, as far as everybody may see it."""
    async with city.db.read() as read:
        account = await _owner(read, request)
        notes = []
        for number in await posts.pinned(read, account.id):
            status = await posts.seen(read, number, None)
            if status is not None:
                notes.append(documents.note(await documents.written(read, account, status), city.settings.base))
    found = documents.collection(f"{account.uri}/collections/featured", len(notes), paged=False, ordered=True)
    return _document(found | {"orderedItems": notes})


async def featured_tags(request: Request, city: City) -> Response:
    """The hashtags that somebody shows on their profile."""
    async with city.db.read() as read:
        account = await _owner(read, request)
        rows = await queries.featured_tags(read, account.id)
    tags = [documents.hashtag(row.name, row.display_name, city.settings.base) for row in rows]
    found = documents.collection(f"{account.uri}/collections/tags", len(tags), paged=False, ordered=False)
    return _document(found | {"items": tags})


async def status(request: Request, city: City) -> Response:
    """One of our posts, for whoever may see it."""
    async with city.db.read() as read:
        account, found = await _post(read, request, city)
        if _browser(request):
            return _page(found.url or account.url)
        passed_on = found.reblog_of_id and await _said(read, account, found, city.settings.base)
    public = found.visibility in ("public", "unlisted")
    if passed_on:
        return _document(passed_on, public=public)
    return _as_document((await _sent(city, "note", found.id))[1], public=public)


async def status_activity(request: Request, city: City) -> Response:
    """The activity that one of our posts came with."""
    async with city.db.read() as read:
        account, found = await _post(read, request, city)
        said = await _said(read, account, found, city.settings.base)
    return _document(said, public=found.visibility in ("public", "unlisted"))


async def _post(read: Read, request: Request, city: City) -> tuple[Account, Status]:
    """The post, if whoever signed the question may see it; absent and hidden are answered alike."""
    account = await _owner(read, request)
    number = parsed(request.path_params["sid"])
    known = await posts.by_id(read, number) if number else None
    if known is None or known.account_id != account.id or known.local_only:
        raise NotFound("status")
    if known.deleted_at and known.visibility in ("public", "unlisted"):
        raise Gone("status")
    viewer = await _signer(read, request, city)
    return account, await posts.visible(read, known.id, viewer.id if viewer else None)


async def context(request: Request, city: City) -> Response:
    """What of a conversation that somebody here began is for everybody."""
    async with city.db.read() as read:
        owner, number = await _owner(read, request), request.path_params["cid"]
        return _document(await contexts.shown(read, owner, number, request.query_params))


async def quote_authorization(request: Request, city: City) -> Response:
    """That somebody agrees to be quoted by a post; gone as soon as they do no more."""
    async with city.db.read() as read:
        account, number = await _owner(read, request), parsed(request.path_params["sid"])
        found = await quotes.grant(read, account.id, number) if number else None
    if found is None:
        raise NotFound("quote_authorization")
    return _document(documents.quote_authorization(account, found), public=False)


async def _signer(read: Read, request: Request, city: City) -> Account | None:
    """Who proved to be asking: someone we know, with the key we know."""
    try:
        headers = requests.fields(request)
        proof = proofs.shown(headers)
        uri = proof.key_id.partition("#")[0].removesuffix("/main-key")
        known = await people.by_uri(read, uri)
        if known is None or known.local or known.suspended_at or known.deleted_at:
            return None
        if await peers.is_kept_out(read, servers.above(jsonld.host(uri))):
            return None
        _check_host(city, proof, headers)
        key = await keyring.named(read, known, proof)
        proof.verify(key, ("GET", city.settings.base, requests.target(request)), headers, city.clock.now())
    except BadSignature:
        return None
    return known


async def status_collection(request: Request, city: City) -> Response:
    """How often a post was answered, marked and passed on; the open replies by name."""
    kind = request.path_params["kind"]
    if kind not in ("replies", "likes", "shares"):
        raise NotFound("collection")
    async with city.db.read() as read:
        _, found = await _post(read, request, city)
        totals, uri = await queries.totals(read, found.id), f"{found.uri}/{kind}"
        total = {"replies": totals.replies, "likes": totals.favourites, "shares": totals.reblogs}[kind]
        if kind == "replies" and "page" in request.query_params:
            replies = await queries.open_replies(read, found.id, PAGE)
            return _document(documents.collection_page(uri, _address(request, uri), replies, None, ordered=False))
    return _document(documents.collection(uri, total, paged=kind == "replies", ordered=False))


async def inbox(request: Request, city: City) -> Response:
    """Take in what another server sends; a worker will look at it."""
    body = await requests.body(request)
    activity = vocabulary.activity(jsonld.document(body))
    if not activity.type:
        raise Invalid("type", "missing")
    host = jsonld.host(activity.actor)
    async with city.db.read() as read:
        if await peers.is_kept_out(read, servers.above(host)):
            raise Forbidden("domain_blocked")
        known = await people.by_uri(read, activity.actor)
        if known is None and activity.type in UNKNOWN_DROPPED and not await intake.waiting_from(read, host):
            return Response(status_code=202)
    headers = requests.fields(request)
    proof = proofs.shown(headers)
    proof.check_digest(headers, body)
    if wire.ours(city.settings, activity.actor):
        raise BadSignature("owner")
    carried = jsonld.host(proof.key_id) != host
    speaker = await carrying.bearer(city.db, activity, proof) if carried else known
    _check_host(city, proof, headers)
    most = STRANGERS_WAITING
    if speaker is not None and (speaker.public_key or carried):
        await _check_known(city, speaker, proof, request, headers)
        most = WAITING
    if carried and await carrying.is_hint(city.db, activity):
        return Response(status_code=202)
    async with city.db.read() as read:
        if await intake.waits(read, host, most):
            return _error("busy", 429, {"retry-after": RETRY_SECONDS})
    kept = {name: headers[name] for name in proof.names & headers.keys()}
    path = requests.target(request)
    await city.db.write_together(partial(intake.store, host=host, path=path, headers=kept, body=body))
    return Response(status_code=202)


def _check_host(city: City, proof: Proof, headers: dict[str, str]) -> None:
    proof.check_host(headers, jsonld.host(f"{city.settings.base}/"))


async def _check_known(
    city: City, known: Account, proof: Proof, request: Request, headers: dict[str, str]
) -> None:
    """Refuse at once what does not fit the key we know; now and then ask whether the actor has a new one."""
    key = await keyring.at_door(city.db, known, proof)
    try:
        proof.verify(key, ("POST", city.settings.base, requests.target(request)), headers, city.clock.now())
    except BadSignature:
        async with city.db.write() as tx:
            period = int(tx.now.timestamp()) // DOUBT_SECONDS
            if await intake.first_time(tx, f"{known.uri} doubted {period}"):
                await tx.emit(KeyDoubted(known.uri))
        raise


def _row(path: str, endpoint: Endpoint, method: str = "GET") -> Row:
    return Row(method, path, endpoint, tuple(re.findall(r"{(\w+)}", path)))


ROWS: tuple[Row, ...] = (
    _row("/.well-known/webfinger", webfinger),
    _row("/.well-known/host-meta", host_meta),
    _row("/.well-known/nodeinfo", nodeinfo_links),
    _row("/nodeinfo/{version}", nodeinfo),
    _row("/actor", instance_actor),
    _row("/inbox", inbox, "POST"),
    _row("/ap/users/{id}", actor),
    _row("/ap/users/{id}/inbox", inbox, "POST"),
    _row("/ap/users/{id}/outbox", outbox),
    _row("/ap/users/{id}/followers", followers),
    _row("/ap/users/{id}/followers_synchronization", followers_synchronization),
    _row("/ap/users/{id}/following", following),
    _row("/ap/users/{id}/collections/featured", featured),
    _row("/ap/users/{id}/collections/tags", featured_tags),
    _row("/ap/users/{id}/contexts/{cid}", context),
    _row("/ap/users/{id}/quote_authorizations/{sid}", quote_authorization),
    _row("/ap/users/{id}/statuses/{sid}", status),
    _row("/ap/users/{id}/statuses/{sid}/activity", status_activity),
    _row("/ap/users/{id}/statuses/{sid}/{kind}", status_collection),
)
