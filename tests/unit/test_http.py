"""The one way out, against real loopback servers: 127.0.0.1 plays the public internet, 127.0.0.2 the private one."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from aiohttp import web
from hypothesis import assume, given
from hypothesis import strategies as st

from parvis.base.errors import Upstream
from parvis.base.http import REFUSED, Address, Http, Request, Resolve, Response, refused

pytestmark = pytest.mark.enable_socket

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
PUBLIC = (ip_network("127.0.0.1/32"),)

public_v4 = st.sampled_from(["1.1.1.1", "8.8.8.8", "80.67.169.12", "193.0.6.139"]).map(IPv4Address)
private_v4 = st.one_of(*[st.ip_addresses(network=net) for net in REFUSED if net.version == 4])
WRAPPINGS: dict[str, Callable[[int], int]] = {
    "mapped": lambda v4: (0xFFFF << 32) | v4,
    "translated": lambda v4: (0xFFFF << 48) | v4,
    "compatible": lambda v4: v4,
    "nat64": lambda v4: int(IPv6Address("64:ff9b::")) | v4,
    "local nat64": lambda v4: int(IPv6Address("64:ff9b:1::")) | v4,
    "6to4": lambda v4: (0x2002 << 112) | (v4 << 80) | 1,
    "teredo": lambda v4: (0x20010000 << 96) | (v4 << 64) | (v4 ^ 0xFFFFFFFF),
}
wrappings = st.sampled_from(sorted(WRAPPINGS))


def wrapped(v4: object, kind: str) -> IPv6Address:
    return IPv6Address(WRAPPINGS[kind](int(IPv4Address(str(v4)))))


def names(**book: Sequence[str]) -> Resolve:
    """A resolver which gives each name's answers one after the other, and then the last one again."""
    asked: dict[str, int] = {}

    async def resolve(host: str) -> list[Address]:
        answers = book[host.split(".")[0]]
        asked[host] = asked.get(host, -1) + 1
        return [ip_address(one) for one in answers[min(asked[host], len(answers) - 1)].split()]

    return resolve


@asynccontextmanager
async def serving(handle: Handle, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client(*, resolve: Resolve | None = None, plain: bool = True) -> AsyncIterator[Http]:
    http = Http(user_agent="Parvis", allow_networks=PUBLIC, allow_plain_http=plain, resolve=resolve)
    try:
        yield http
    finally:
        await http.close()


async def hello(request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"bonjour {request.path_qs}", headers={"X-Town": "Lyon"})


def sent_to(location: str, status: int = 302) -> Handle:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": location.format(path=request.path)})

    return handle


async def word_of(sending: Awaitable[object]) -> str:
    with pytest.raises(Upstream) as caught:
        await sending
    return caught.value.word


# --- addresses ---


@given(private_v4, wrappings)
def test_a_private_address_is_refused_in_every_wrapping(v4: Address, kind: str) -> None:
    assert refused(v4)
    assert refused(wrapped(v4, kind))


@given(public_v4, wrappings)
def test_even_a_public_address_is_refused_when_wrapped(v4: IPv4Address, kind: str) -> None:
    assert not refused(v4)
    assert refused(wrapped(v4, kind))


@given(private_v4, wrappings)
def test_what_is_allowed_is_allowed_in_every_wrapping(v4: Address, kind: str) -> None:
    assert not refused(v4, [ip_network(v4)])
    assume(kind != "compatible" or int(v4) > 1)  # these two are written :: and ::1, which are no IPv4 addresses
    assert not refused(wrapped(v4, kind), [ip_network(v4)])


@given(private_v4, public_v4)
def test_allowing_a_nat64_gateway_does_not_open_the_private_network_behind_it(
    v4: Address, outside: IPv4Address
) -> None:
    gateway = [ip_network("64:ff9b::/96")]
    assert refused(wrapped(v4, "nat64"), gateway)
    assert not refused(wrapped(outside, "nat64"), gateway)


@given(st.ip_addresses())
def test_whatever_passes_is_global_unicast_for_python_too(address: Address) -> None:
    assert refused(address) or (address.is_global and not address.is_multicast and not address.is_reserved)


@given(st.ip_addresses(), st.ip_addresses())
def test_allowing_one_address_changes_nothing_for_an_unrelated_one(one: IPv4Address, other: IPv4Address) -> None:
    assert one == other or one.version != other.version or refused(one, [ip_network(other)]) == refused(one)


@pytest.mark.parametrize(
    "text", ["::", "::1", "fe80::1", "fec0::1", "fd00:ec2::254", "ff02::1", "100.100.100.200", "169.254.169.254"]
)
def test_special_addresses_are_refused_and_can_be_allowed_by_name(text: str) -> None:
    address = ip_address(text)
    assert refused(address)
    assert not refused(address, [ip_network(text)])


# --- what may be asked for ---


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://public.example/", "scheme_refused"),
        ("ftp://public.example/", "scheme_refused"),
        ("file:///etc/passwd", "bad_url"),
        ("https://alice@public.example/", "bad_url"),
        ("https://@public.example/", "bad_url"),
        ("https://", "bad_url"),
        ("/users/alice", "bad_url"),
        ("https://public.example:0/", "bad_url"),
        ("https://public.example:99999/", "bad_url"),
        ("https://public.example./", "bad_url"),
        ("https://pub%6cic.example/", "bad_url"),
        ("https://public.example\\@127.0.0.2/", "bad_url"),
        ("https://2130706434/", "bad_url"),
        ("https://0x7f000002/", "bad_url"),
        ("https://0x7f.0.0.2/", "bad_url"),
        ("https://0177.0.0.2/", "bad_url"),
        ("https://127.2/", "bad_url"),
        ("https://127.0.0.0x2/", "bad_url"),
        ("https://[fe80::1%25eth0]/", "bad_url"),
        ("https://public.example/" + "a" * 5000, "bad_url"),
        ("https://127.0.0.2/", "address_refused"),
        ("https://１２７.0.0.2/", "address_refused"),  # full-width digits are the attack
        ("https://[::1]/", "address_refused"),
        ("https://[::ffff:127.0.0.2]/", "address_refused"),
        ("https://[64:ff9b::a00:1]/", "address_refused"),
        ("https://printer.local/", "address_refused"),
        ("https://localhost/", "address_refused"),
        ("https://mixed.example/", "address_refused"),
        ("https://nobody.example/", "unreachable"),
    ],
)
@pytest.mark.asyncio
async def test_an_address_that_hides_something_is_refused(url: str, word: str) -> None:
    book = names(
        public=["127.0.0.1"], printer=["1.1.1.1"], localhost=["127.0.0.2"], mixed=["1.1.1.1 10.0.0.1"], nobody=[""]
    )
    async with client(resolve=book, plain=False) as http:
        assert await word_of(http.request("GET", url)) == word


@pytest.mark.asyncio
async def test_an_onion_name_is_not_even_looked_up() -> None:
    asked: list[str] = []

    async def resolve(host: str) -> list[Address]:
        asked.append(host)
        return [ip_address("1.1.1.1")]

    http = Http(user_agent="Parvis", resolve=resolve)
    assert await word_of(http.request("GET", "https://abcdef.onion/")) == "address_refused"
    assert asked == []
    await http.close()


@pytest.mark.asyncio
async def test_a_body_is_read_back_with_lower_case_headers_and_the_address_as_written() -> None:
    async with serving(hello) as port, client(resolve=names(localhost=["127.0.0.1"])) as http:
        answer = await http.request("GET", f"http://LOCALHOST:{port}/a%2Fb?c=%2F#part")
    assert (answer.status, answer.headers["x-town"]) == (200, "Lyon")
    assert answer.body == b"bonjour /a%2Fb?c=%2F"
    assert answer.url == f"http://localhost:{port}/a%2Fb?c=%2F"


@pytest.mark.asyncio
async def test_a_posted_body_and_its_headers_arrive_and_no_cookie_comes_back() -> None:
    seen: list[tuple[str | None, str | None, str | None, bytes]] = []

    async def inbox(request: web.Request) -> web.StreamResponse:
        told = request.headers
        seen.append((told.get("User-Agent"), told.get("Content-Type"), told.get("Cookie"), await request.read()))
        return web.Response(status=202, headers={"Set-Cookie": "crumb=1"})

    async with serving(inbox) as port, client() as http:
        for _ in range(2):
            sent = {"Content-Type": "application/activity+json"}
            await http.request("post", f"http://127.0.0.1:{port}/inbox", headers=sent, body=b"{}")
    assert seen == [("Parvis", "application/activity+json", None, b"{}")] * 2


@pytest.mark.asyncio
async def test_connections_are_kept_between_requests() -> None:
    peers: set[object] = set()

    async def note(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="ok")

    async with serving(note) as port, client() as http:
        for _ in range(3):
            await http.request("GET", f"http://127.0.0.1:{port}/")
    assert len(peers) == 1


@pytest.mark.asyncio
async def test_a_proxy_named_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with serving(hello) as port, client() as http:
        assert (await http.request("GET", f"http://127.0.0.1:{port}/")).status == 200


@pytest.mark.asyncio
async def test_a_name_that_changes_its_address_is_connected_where_it_was_checked() -> None:
    async def outside(request: web.Request) -> web.StreamResponse:
        return web.Response(text="outside", headers={"Connection": "close"})

    async def inside(request: web.Request) -> web.StreamResponse:
        return web.Response(text="inside")

    turning = names(turning=["127.0.0.1", "127.0.0.2"])
    async with serving(outside) as port, serving(inside, "127.0.0.2", port), client(resolve=turning) as http:
        url = f"http://turning.example:{port}/"
        assert (await http.request("GET", url)).body == b"outside"
        assert await word_of(http.request("GET", url)) == "address_refused"


# --- redirects ---


@pytest.mark.parametrize("target", ["http://127.0.0.2/", "http://inside.example/", "http://[::ffff:10.0.0.1]/"])
@pytest.mark.asyncio
async def test_a_redirect_into_the_private_network_is_refused(target: str) -> None:
    async with serving(sent_to(target)) as port, client(resolve=names(inside=["127.0.0.2"])) as http:
        assert await word_of(http.request("GET", f"http://127.0.0.1:{port}/")) == "address_refused"


@pytest.mark.asyncio
async def test_a_redirect_loop_ends_at_once_and_an_endless_chain_after_three() -> None:
    hits: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        hits.append(request.path)
        target = "/loop" if request.path == "/loop" else request.path + "x"
        return web.Response(status=302, headers={"Location": target})

    async with serving(handle) as port, client() as http:
        assert await word_of(http.request("GET", f"http://127.0.0.1:{port}/loop")) == "too_many_redirects"
        assert hits == ["/loop"]
        assert await word_of(http.request("GET", f"http://127.0.0.1:{port}/a")) == "too_many_redirects"
        assert hits == ["/loop", "/a", "/ax", "/axx", "/axxx"]


@pytest.mark.asyncio
async def test_every_hop_is_signed_anew_and_secrets_stay_with_the_first_server() -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def second(request: web.Request) -> web.StreamResponse:
        seen.append((request.headers.get("Signature"), request.headers.get("Authorization")))
        return web.Response(text="here")

    async def sign(method: str, url: str, headers: dict[str, str], body: bytes | None) -> dict[str, str]:
        return {"Signature": f"{method} {url} {headers['host']} {body!r}"}

    async with serving(second) as there, serving(sent_to(f"http://127.0.0.1:{there}/b", 307)) as here, client() as http:
        first, token = f"http://127.0.0.1:{here}/a", {"Authorization": "Bearer secret"}
        answer = await http.request("POST", first, headers=token, body=b"{}", sign=sign)
    assert answer.url == f"http://127.0.0.1:{there}/b"
    assert seen == [(f"POST http://127.0.0.1:{there}/b 127.0.0.1:{there} b'{{}}'", None)]


@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.asyncio
async def test_a_delivery_is_never_turned_into_a_get(status: int) -> None:
    async with serving(sent_to("/elsewhere", status)) as port, client() as http:
        assert (await http.request("POST", f"http://127.0.0.1:{port}/", body=b"{}")).status == status


# --- size and time ---


async def ten_megabytes(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"a" * 10_000_000)


async def bomb(request: web.Request) -> web.StreamResponse:
    return web.Response(body=gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("handle", [ten_megabytes, bomb])
@pytest.mark.asyncio
async def test_a_body_beyond_the_limit_is_cut_even_when_it_came_compressed(handle: Handle) -> None:
    async with serving(handle) as port, client() as http:
        assert await word_of(http.request("GET", f"http://127.0.0.1:{port}/")) == "too_large"


@pytest.mark.parametrize(("limit", "fits"), [(1000, True), (999, False)])
@pytest.mark.asyncio
async def test_the_limit_counts_decompressed_bytes(limit: int, fits: bool) -> None:
    async def small(request: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(bytes(1000)), headers={"Content-Encoding": "gzip"})

    async with serving(small) as port, client() as http:
        sending = http.request("GET", f"http://127.0.0.1:{port}/", limit=limit)
        if fits:
            assert (await sending).body == bytes(1000)
        else:
            assert await word_of(sending) == "too_large"


@pytest.mark.asyncio
async def test_a_body_that_drips_is_cut_at_the_deadline() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b".")
            await asyncio.sleep(0.02)

    async with serving(drip) as port, client() as http:
        began = time.monotonic()
        assert await word_of(http.request("GET", f"http://127.0.0.1:{port}/", seconds=0.3)) == "too_slow"
        assert 0.25 < time.monotonic() - began < 2


@pytest.mark.asyncio
async def test_the_deadline_covers_the_redirects_together() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return web.Response(status=302, headers={"Location": request.path + "x"})

    async with serving(slow) as port, client() as http:
        sending = http.request("GET", f"http://127.0.0.1:{port}/a", seconds=0.3, redirects=20)
        assert await word_of(sending) == "too_slow"


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_or_talks_nonsense_is_unreachable() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ready\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with client() as http:
        assert await word_of(http.request("GET", f"http://127.0.0.1:{port}/")) == "unreachable"
        server.close()
        await server.wait_closed()
        assert await word_of(http.request("GET", f"http://127.0.0.1:{port}/")) == "unreachable"


@pytest.mark.asyncio
async def test_a_stream_hands_over_pieces_and_keeps_the_same_limit() -> None:
    async with serving(ten_megabytes) as port, client() as http:
        url, size = f"http://127.0.0.1:{port}/", 0
        async with http.stream("GET", url, limit=10_000_000) as answer:
            assert (answer.status, answer.headers["content-length"]) == (200, "10000000")
            async for chunk in answer.chunks:
                size += len(chunk)
        assert size == 10_000_000
        with pytest.raises(Upstream, match="too_large"):
            async with http.stream("GET", url, limit=9_999_999) as answer:
                async for _ in answer.chunks:
                    pass
        async with http.stream("GET", url) as answer:
            assert answer.status == 200  # leaving without reading closes the connection


# --- the seam, and the order of things ---


class Village:
    """A transport that answers by itself."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        if request.url.endswith("/old"):
            return Response(301, request.url, {"Location": "https://bela.test/new"}, b"")
        if request.url.endswith("/trap"):
            return Response(301, request.url, {"Location": "https://169.254.169.254/"}, b"")
        return Response(200, request.url, {"Content-Type": "text/plain"}, b"salut")


@pytest.mark.asyncio
async def test_the_guards_hold_for_a_transport_of_tests_as_well() -> None:
    village = Village()
    http = Http(user_agent="Parvis", transport=village)
    answer = await http.request("GET", "https://alice.test/old")
    assert answer == Response(200, "https://bela.test/new", {"content-type": "text/plain"}, b"salut")
    assert [request.headers["host"] for request in village.asked] == ["alice.test", "bela.test"]
    assert await word_of(http.request("GET", "https://alice.test/trap")) == "address_refused"
    assert await word_of(http.request("GET", "https://alice.test/", limit=4)) == "too_large"
    await http.close()


@pytest.mark.asyncio
async def test_one_errand_sends_so_many_requests_and_each_redirect_counts() -> None:
    village = Village()
    http = Http(user_agent="Parvis", transport=village)
    errand = http.rationed(3)
    for name in ("old", "new"):
        assert (await errand.request("GET", f"https://alice.test/{name}")).status == 200
    assert await word_of(errand.request("GET", "https://alice.test/new")) == "too_many_requests"
    assert len(village.asked) == 3
    assert (await http.request("GET", "https://alice.test/new")).status == 200
    await http.close()


@pytest.mark.asyncio
async def test_nothing_is_sent_while_a_transaction_is_open() -> None:
    village, open_now = Village(), [True]
    http = Http(user_agent="Parvis", transport=village, busy=lambda: open_now[0])
    with pytest.raises(RuntimeError, match="transaction"):
        await http.request("GET", "https://alice.test/")
    assert village.asked == []
    open_now[0] = False
    assert (await http.request("GET", "https://alice.test/")).body == b"salut"
    await http.close()
