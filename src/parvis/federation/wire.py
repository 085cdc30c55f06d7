"""What we ask of other servers: signed documents and WebFinger; and the city's own actor, which signs the questions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, Unpack
from urllib.parse import quote, urlsplit

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from parvis.base import seal
from parvis.base.clock import Clock
from parvis.base.errors import Gone, Invalid, NotFound, Problem, Upstream
from parvis.base.http import Asked, Response, Sign
from parvis.base.jobs import Job
from parvis.base.settings import Settings
from parvis.federation import jsonld, message_signatures, signatures
from parvis.federation.hosts import queries as health
from parvis.federation.jsonld import Document
from parvis.peers import actions as meeting
from parvis.peers import policy as servers
from parvis.peers import queries as peers
from parvis.peers.model import Way
from parvis.text.mentions import normal_domain

ACCEPT = (
    'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
)
CONTENT_TYPE = "application/activity+json"
PROFILE = "https://www.w3.org/ns/activitystreams"
INSTANCE = "instance"
"""The city's own name in handles; nobody can settle under it."""

WAYS: Mapping[Way, Callable[..., dict[str, str]]] = {"cavage": signatures.sign, "rfc9421": message_signatures.sign}
USUAL: Final = "cavage"
"""What everybody understands so far, but for servers that have left it behind."""
NOT_UNDERSTOOD = frozenset((400, 401))

PASSING = frozenset(("unreachable", "too_slow", "unavailable"))
"""Words of Upstream that may be gone when one asks again later."""
SILENT = frozenset(("unreachable", "too_slow"))
ENOUGH = 5
"""A server that did not answer so often in a row is asked once in five minutes, whoever wants to know."""


class Finger(msgspec.Struct, frozen=True):
    """What WebFinger says of a handle: the handle it prefers, and the actor behind it."""

    username: str
    domain: str
    actor: str


def instance_uri(base: str) -> str:
    """The city's own actor."""
    return f"{base}/actor"


def key_id(actor_uri: str) -> str:
    """Under which name a key of ours is published."""
    return f"{actor_uri}#main-key"


def instance_key(settings: Settings) -> bytes:
    """The private key of the city's own actor, made at first use and kept where nobody else reads it."""
    return seal.kept(settings.secrets, "instance.key", lambda: signatures.new_key()[0].encode())


def instance_public_key(settings: Settings) -> str:
    """What others check the city's questions with."""
    public = signatures.load_private(instance_key(settings)).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def signing(private: RSAPrivateKey | bytes, actor_uri: str, clock: Clock, way: Way = USUAL) -> Sign:
    """Signs each hop of a request as an actor, with the time of that hop."""

    signer = signatures.Signer(private, key_id(actor_uri))

    async def sign(method: str, url: str, headers: dict[str, str], body: bytes | None) -> dict[str, str]:
        now: datetime = clock.now()
        return await asyncio.to_thread(WAYS[way], signer, method, url, headers, body, now)

    return sign


async def knock(
    job: Job, host: str, signer: tuple[RSAPrivateKey | bytes, str], ask: Callable[[Sign], Awaitable[Response]]
) -> Response:
    """Ask, signed as this server is known to understand it; where it does not, once more in the other way.

    A way that a server understood instead of the usual one is remembered, so that it is asked once from then on.
    """
    async with job.db.read() as read:
        first: Way = await peers.signatures(read, host) or USUAL
    answer = await ask(signing(*signer, job.db.clock, first))
    if answer.status not in NOT_UNDERSTOOD:
        return answer
    second = next(way for way in WAYS if way != first)
    again = await ask(signing(*signer, job.db.clock, second))
    if again.status in NOT_UNDERSTOOD:
        return answer
    if again.status < 400:
        async with job.db.write() as tx:
            await peers.remember_signatures(tx, host, second)
    return again


async def document(job: Job, uri: str) -> Document:
    """The ActivityPub document with that id, from the server it belongs to.

    Where another id is answered, that one is asked for once and must then answer to itself (CVE-2024-23832).
    """
    asked = uri.partition("#")[0]
    answer, found = await _fetched(job, asked)
    for _ in range(2):
        identity = jsonld.reference(found.get("id")) or ""
        if identity == answer.url:
            return found
        if not jsonld.host(identity):
            break
        answer, found = await _fetched(job, identity)
    raise Upstream("wrong_id", url=uri)


async def may_ask(job: Job, host: str) -> None:
    """Upstream for a server that a measure keeps out: nothing is asked of it."""
    async with job.db.read() as read:
        if await peers.is_kept_out(read, servers.above(host)):
            raise Upstream("domain_blocked", domain=host)


async def _answer(job: Job, url: str, **more: Unpack[Asked]) -> Response:
    """What a server answers. One that was silent again and again is not asked: that costs everybody who waits."""
    near = jsonld.host(url)
    await may_ask(job, near)
    async with job.db.read() as read:
        silences = await health.silences(read, near)
    if silences >= ENOUGH:
        async with job.db.write() as tx:
            if not await health.turn(tx, near):
                raise Upstream("unreachable", url=url)
    try:
        found = await job.http.request("GET", url, **more)
    except Upstream as error:
        if error.word in SILENT:
            async with job.db.write() as tx:
                await health.note_silence(tx, near)
        raise
    if silences:
        async with job.db.write() as tx:
            await health.end_silence(tx, near)
    return found


async def lives(job: Job, host: str) -> bool:
    """Does a server say what it is (NodeInfo)? One that was away and does is delivered to again."""
    url = f"{scheme(job.settings, host)}://{host}/.well-known/nodeinfo"
    try:
        answer = await _answer(job, url, headers={"accept": "application/json"}, redirects=1, limit=100_000)
        _check_status(answer)
        jsonld.document(answer.body)
    except Problem:
        return False
    await _present(job, host)
    return True


async def _present(job: Job, host: str) -> None:
    """A server has answered as one does that is there."""
    async with job.db.read() as read:
        away = await peers.is_away(read, host)
    if away:
        async with job.db.write() as tx:
            await meeting.came_back(tx, host)


async def _fetched(job: Job, url: str) -> tuple[Response, Document]:
    answer = await knock(
        job, jsonld.host(url), (instance_key(job.settings), instance_uri(job.settings.base)),
        lambda sign: _answer(job, url, headers={"accept": ACCEPT}, sign=sign),
    )
    _check_status(answer)
    if not speaks_activitypub(answer.headers.get("content-type", "")):
        raise Upstream("wrong_content_type", url=url)
    try:
        found = jsonld.document(answer.body)
    except Invalid as error:
        raise Upstream(error.word, url=url) from error
    await _present(job, jsonld.host(answer.url))
    return answer, found


def _check_status(answer: Response) -> None:
    if answer.status == 404:
        raise NotFound("remote")
    if answer.status == 410:
        raise Gone("remote")
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise Upstream("unavailable", url=answer.url, status=answer.status)
    if answer.status != 200:
        raise Upstream("refused", url=answer.url, status=answer.status)


def speaks_activitypub(content_type: str) -> bool:
    """Only these types may be taken for a statement of a server: an uploaded file never has them (CVE-2024-25623)."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower() == CONTENT_TYPE:
        return True
    profiles = [value.strip('"') for name, _, value in (one.partition("=") for one in parameters) if name == "profile"]
    return kind.lower() == "application/ld+json" and any(PROFILE in one.split() for one in profiles)


async def finger(job: Job, username: str, domain: str) -> Finger:
    """Who is behind a handle. The handle another domain prefers for itself counts only if that domain agrees."""
    first = await _fingered(job, f"{username}@{domain}", domain)
    if first.domain == domain:
        return first
    second = await _fingered(job, f"{first.username}@{first.domain}", first.domain)
    if (second.domain, second.actor) != (first.domain, first.actor):
        raise Upstream("wrong_webfinger", domain=domain)
    return second


async def _fingered(job: Job, handle: str, domain: str) -> Finger:
    resource = quote(f"acct:{handle}", safe=":@")
    url = f"{scheme(job.settings, domain)}://{domain}/.well-known/webfinger?resource={resource}"
    answer = await _answer(
        job, url, headers={"accept": "application/jrd+json, application/json"}, redirects=1, limit=100_000
    )
    _check_status(answer)
    try:
        return _read_finger(jsonld.document(answer.body))
    except Invalid as error:
        raise Upstream("wrong_webfinger", domain=domain) from error


def scheme(settings: Settings, host: str) -> str:
    """How a server is reached: by https, but on this machine as this one is."""
    return urlsplit(settings.base).scheme if host.partition(":")[0] in ("localhost", "127.0.0.1") else "https"


def _read_finger(found: Document) -> Finger:
    subject = jsonld.text(found.get("subject")).removeprefix("acct:")
    username, _, host = subject.rpartition("@")
    domain = normal_domain(host)
    for link in jsonld.items(found.get("links")):
        own = isinstance(link, dict) and link.get("rel") == "self"
        if own and speaks_activitypub(jsonld.text(link.get("type"))):
            href = jsonld.address(link.get("href"))
            if href and username and domain:
                return Finger(username, domain, href)
    raise Invalid("links", "missing")


def ours(settings: Settings, uri: str) -> bool:
    """Does this address belong to this city?"""
    return jsonld.host(uri) == jsonld.host(settings.base)
