"""The one way out: every request this program sends to another server passes through `Http`.

A name is resolved once, every address it has is checked, and the connection goes to exactly those addresses; each
redirect starts again from the beginning (learned from GHSA-xfrj-c749-jxxq, GHSA-crr4-7rm4-8gpw, GHSA-vwhj-3g83-v276).

Failures are `Upstream` with one of these words: bad_url, scheme_refused, address_refused, unreachable, too_slow,
too_large, too_many_redirects, too_many_requests.
"""

from __future__ import annotations

import asyncio
import copy
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Protocol, TypedDict, Unpack

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from parvis.base.errors import Upstream

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str], Awaitable[Sequence[Address]]]
Sign = Callable[[str, str, dict[str, str], bytes | None], Awaitable[dict[str, str]]]

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0
URL_LENGTH: Final = 4096

VISIBLE: Final = re.compile(r"[!-~]+")
LITERAL: Final = re.compile(r"[0-9]+(?:\.[0-9]+){3}|[0-9a-f.]*:[0-9a-f:.]*")
# If its last label is a number, some resolvers take a name for an IPv4 address: 2130706433, 0x7f.1 (WHATWG URL §3.5).
NAME: Final = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_-]{1,63}\.)*(?!(?:[0-9]+|0x[0-9a-f]*)\Z)[a-z0-9_-]{1,63}")
# Names that never belong to the public internet (RFC 6761, 6762, 7686, 8375, 9476).
INNER_NAMES: Final = (".localhost", ".local", ".internal", ".onion", ".i2p", ".alt", ".home.arpa")

REDIRECTS: Final = {301, 302, 303, 307, 308}
# 301, 302 and 303 may turn a POST into a GET, and a delivery would seem to have arrived; these two keep it a POST.
KEEPING_REDIRECTS: Final = {307, 308}
SECRET_HEADERS: Final = {"authorization", "cookie", "proxy-authorization"}

# The IANA special-purpose registries (RFC 6890 and its updates). Of IPv6 only 2000::/3 is given out to the public: the
# rest is refused, and with it loopback, link-, site- and unique-local, multicast, v4-mapped, v4-compatible and NAT64;
# then 2001::/23 is Teredo, benchmarking and ORCHID, 2002::/16 is 6to4. 168.63.129.16 controls machines inside Azure.
SPECIAL: Final = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
    192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32
    ::/3 4000::/2 8000::/1 2001::/23 2001:db8::/32 2002::/16 3fff::/20
"""
REFUSED: Final[tuple[Network, ...]] = tuple(ip_network(text) for text in SPECIAL.split())

# Where an IPv6 address carries an IPv4 one: network, distance from the right in bits, mask it is hidden under.
EMBEDDINGS: Final[tuple[tuple[IPv6Network, int, int], ...]] = (
    (IPv6Network("::ffff:0:0/96"), 0, 0),  # v4-mapped, RFC 4291
    (IPv6Network("::ffff:0:0:0/96"), 0, 0),  # v4-translated, RFC 2765
    (IPv6Network("::/96"), 0, 0),  # v4-compatible, RFC 4291
    (IPv6Network("64:ff9b::/96"), 0, 0),  # NAT64, RFC 6052
    (IPv6Network("64:ff9b:1::/48"), 0, 0),  # local NAT64, RFC 8215, in its usual /96 form
    (IPv6Network("2002::/16"), 80, 0),  # 6to4, RFC 3056
    (IPv6Network("2001::/32"), 64, 0),  # Teredo server, RFC 4380
    (IPv6Network("2001::/32"), 0, 0xFFFFFFFF),  # Teredo client, every bit turned
)


class Request(msgspec.Struct, frozen=True):
    """One hop, checked and signed, as it goes to the transport."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Response(msgspec.Struct, frozen=True):
    """A whole answer; `url` is where it came from after redirects, header names are lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True):
    """An answer whose body is still on its way."""

    status: int
    url: str
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    close: Callable[[], object]


class Transport(Protocol):
    """The one seam: tests carry a request to an application in the same process."""

    async def send(self, request: Request) -> Response:
        """Carry one request, whose redirects the caller follows."""
        ...


class Asked(TypedDict, total=False):
    """What a caller may say about a request; the defaults stand in `Errand`."""

    headers: Mapping[str, str]
    body: bytes | None
    limit: int
    seconds: float
    redirects: int
    sign: Sign | None


class Errand(msgspec.Struct, frozen=True):
    """Limits of the fediverse's usual JSON document: 1 MB, 30 seconds for everything, 3 redirects."""

    headers: Mapping[str, str] = {}
    body: bytes | None = None
    limit: int = 1_000_000
    seconds: float = 30.0
    redirects: int = 3
    sign: Sign | None = None


def refused(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """An address outside the public internet is refused unless allowed; an IPv4 address inside an IPv6 one counts."""
    inner = embedded(address)
    if inner and all(within(one, allowed) for one in inner):
        return False
    if within(address, allowed):
        return any(refused(one, allowed) for one in inner)
    return within(address, REFUSED)


def within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether any of the networks holds this address."""
    return any(address in network for network in networks)


def embedded(address: Address) -> list[IPv4Address]:
    """The IPv4 addresses which an IPv6 address carries inside itself."""
    number = int(address)
    if isinstance(address, IPv4Address) or number <= 1:  # :: and ::1 lie in ::/96 but carry nothing
        return []
    return [IPv4Address((number >> shift) & 0xFFFFFFFF ^ mask) for net, shift, mask in EMBEDDINGS if address in net]


class Http:
    """The outbound client; one per App."""

    def __init__(
        self,
        *,
        user_agent: str,
        transport: Transport | None = None,
        allow_networks: Sequence[Network] = (),
        allow_plain_http: bool = False,
        busy: Callable[[], bool] = lambda: False,
        resolve: Resolve | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._schemes = {"https", "http"} if allow_plain_http else {"https"}
        self._allowed = tuple(allow_networks)
        self._busy = busy
        self._left: int | None = None
        self._wire = Wire(resolve or addresses_of, self._allowed)
        self._open: Callable[[Request], Awaitable[Answer]] = partial(carry, transport) if transport else self._wire.open

    def rationed(self, most: int) -> Http:
        """The same way out for one errand of several requests: so many may be sent, each redirect counts as one."""
        made = copy.copy(self)
        made._left = most
        return made

    async def request(self, method: str, url: str, **asked: Unpack[Asked]) -> Response:
        """Send a request and read the whole answer, within its limits."""
        async with self.stream(method, url, **asked) as answer:
            body = b"".join([chunk async for chunk in answer.chunks])
        return Response(answer.status, answer.url, answer.headers, body)

    @asynccontextmanager
    async def stream(self, method: str, url: str, **asked: Unpack[Asked]) -> AsyncIterator[Answer]:
        """Send a request and hand over the body piece by piece, within the same limits; leaving the block closes it."""
        if self._busy():
            raise RuntimeError("no request may be sent while a transaction is open: fetch first, then act")
        errand = Errand(**asked)
        deadline = asyncio.get_running_loop().time() + errand.seconds
        answer = await self._follow(method.upper(), parsed(url), errand, deadline)
        try:
            yield msgspec.structs.replace(answer, chunks=measured(answer, errand.limit, deadline))
        finally:
            answer.close()

    async def close(self) -> None:
        """Close the kept connections."""
        await self._wire.close()

    async def _follow(self, method: str, url: URL, errand: Errand, deadline: float) -> Answer:
        headers = {"user-agent": self._user_agent} | lowered(errand.headers)
        seen: set[URL] = set()
        while True:
            self._check(url)
            self._spend(url)
            signed = {**headers, "host": url.raw_authority}
            if errand.sign is not None:
                signed |= lowered(await errand.sign(method, str(url), dict(signed), errand.body))
            async with in_time(deadline, url):
                answer = await self._open(Request(method, str(url), signed, errand.body))
            if not redirected(method, answer):
                return answer
            answer.close()
            seen.add(url)
            target = parsed(answer.headers["location"], url)
            if target in seen or len(seen) > errand.redirects:
                raise Upstream("too_many_redirects", host=url.raw_host)
            if target.origin() != url.origin():
                headers = {name: value for name, value in headers.items() if name not in SECRET_HEADERS}
            url = target

    def _spend(self, url: URL) -> None:
        if self._left is not None:
            if self._left == 0:
                raise Upstream("too_many_requests", host=url.raw_host)
            self._left -= 1

    def _check(self, url: URL) -> None:
        if url.scheme not in self._schemes:
            raise Upstream("scheme_refused", scheme=url.scheme)
        literal = literal_of(url.raw_host or "")
        if literal is not None and refused(literal, self._allowed):
            raise Upstream("address_refused", host=url.raw_host)


def parsed(text: str, base: URL | None = None) -> URL:
    """Read an address byte for byte as it is written, only the host in lower case; no user name may hide in it."""
    try:
        # Re-quoting would turn %2F into a slash in a query, and the id fetched would no longer be the id asked for.
        url = URL(text, encoded=bool(VISIBLE.fullmatch(text)))
        url = base.join(url) if base else url
        host, port = (url.raw_host or "").lower(), url.explicit_port
        # ip_address refuses what LITERAL lets pass but is none: octal, short or too long forms.
        if len(text) > URL_LENGTH or "@" in url.raw_authority or port == 0 or not host:
            raise ValueError("not an address of a server")
        if literal_of(host) is None and not NAME.fullmatch(host):
            raise ValueError("not a name of a server")
        name = f"[{host}]" if ":" in host else host
        place = name if url.is_default_port() else f"{name}:{port}"
        return URL(f"{url.scheme}://{place}{url.raw_path_qs}", encoded=True)
    except ValueError as cause:
        raise Upstream("bad_url") from cause


def literal_of(host: str) -> Address | None:
    """The address a host is, if it is one and no name; other spellings of a number raise ValueError."""
    return ip_address(host) if LITERAL.fullmatch(host) else None


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """Header names have no case (RFC 9110 §5.1); ours are lower."""
    return {name.lower(): value for name, value in headers.items()}


def redirected(method: str, answer: Answer) -> bool:
    """Whether to go on elsewhere: a POST is only sent on where it stays a POST."""
    codes = REDIRECTS if method in {"GET", "HEAD"} else KEEPING_REDIRECTS
    return answer.status in codes and "location" in answer.headers


@asynccontextmanager
async def in_time(deadline: float, url: URL) -> AsyncIterator[None]:
    """Give up at the deadline, and say what went wrong in our own words."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as cause:
        raise Upstream("too_slow", host=url.raw_host) from cause
    except (aiohttp.ClientError, OSError) as cause:
        raise Upstream("unreachable", host=url.raw_host) from cause


async def measured(answer: Answer, limit: int, deadline: float) -> AsyncIterator[bytes]:
    """Pass the body on, counting what it has become after decompression."""
    url, size = URL(answer.url, encoded=True), 0
    while True:
        async with in_time(deadline, url):
            chunk = await anext(answer.chunks, None)
        if chunk is None:
            return
        size += len(chunk)
        if size > limit:
            raise Upstream("too_large", host=url.raw_host, limit=limit)
        yield chunk


async def carry(transport: Transport, request: Request) -> Answer:
    """Let a transport of tests answer."""
    response = await transport.send(request)
    return Answer(response.status, request.url, lowered(response.headers), pieces(response.body), lambda: None)


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body that is already here, as a stream."""
    yield body


async def addresses_of(host: str) -> list[Address]:
    """Ask the system's resolver for every address of a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ip_address(info[4][0]) for info in found]


class Wire(AbstractResolver):
    """The real network: it stands between a name and the socket, and keeps a pool of connections."""

    def __init__(self, resolve: Resolve, allowed: Sequence[Network]) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._session: aiohttp.ClientSession | None = None

    async def open(self, request: Request) -> Answer:
        """Send one hop; the body stays on the wire until it is read."""
        self._session = self._session or self._pool()
        url, given, body = URL(request.url, encoded=True), request.headers, request.body
        response = await self._session.request(request.method, url, headers=given, data=body, allow_redirects=False)
        headers = {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}
        return Answer(response.status, request.url, headers, response.content.iter_any(), response.release)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of the name must be allowed, one bad one refuses it; the pool connects to exactly these."""
        inner = f".{host}".endswith(INNER_NAMES)
        if inner and not self._allowed:  # not even asked: the question itself would leak
            raise Upstream("address_refused", host=host)
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await self._resolve(host)
        if not found:
            raise OSError("the name has no address")
        if any(refused(one, self._allowed) or (inner and not within(one, self._allowed)) for one in found):
            raise Upstream("address_refused", host=host)
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV  # nobody looks it up a second time
        shown = [str(one) for one in found]
        return [ResolveResult(hostname=host, host=a, port=port, family=family, proto=0, flags=flags) for a in shown]

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    def _pool(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self, use_dns_cache=False, limit=200, limit_per_host=8),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
            skip_auto_headers=("Content-Type", "User-Agent"),
            trust_env=False,
        )
