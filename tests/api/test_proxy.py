"""What other servers show reaches readers through this city: fetched once, kept for a while, bounded, and media only."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import Answer as Told
from conftest import Client, Server
from parvis.app import App, build
from parvis.base import proxy, sniff
from parvis.base.cache import Cache
from parvis.base.errors import NotFound, Upstream
from parvis.base.http import Answer, Request, Response
from parvis.base.settings import BadSetting, Settings
from parvis.web import ranges

FAR = "https://far.example"


def png(size: int = 40) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((size, size), 80).save(out, "PNG")
    return out.getvalue()


class Far:
    """Another server, and how often it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, str, bytes]] = {}
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request.url)
        await asyncio.sleep(0.05)
        status, kind, body = self.files.get(request.url, (404, "text/plain", b""))
        return Response(status, request.url, {"content-type": kind, "content-length": str(len(body))}, body)


@pytest.fixture
async def far() -> Far:
    return Far()


@pytest.fixture
async def app(server: Server, database_name: str, tmp_path: Path, far: Far) -> AsyncIterator[App]:
    url = server.url("parvis_app", database_name)
    made = await build(Settings(data=tmp_path, origin="http://localhost", database_url=url, dev=True), transport=far, pool=2)
    yield made
    await made.close()


async def look(app: App, url: str, **headers: str) -> Told:
    address = proxy.address(app.settings, url).removeprefix("http://localhost")
    return await Client(app).get(address, **headers)


async def test_a_remote_picture_is_fetched_once_for_all_and_served_in_a_sandbox(app: App, far: Far) -> None:
    far.files[f"{FAR}/a"] = (200, "text/html", body := png())
    answers = await asyncio.gather(*(look(app, f"{FAR}/a") for _ in range(10)))
    assert {answer.body for answer in answers} == {body}
    again = await look(app, f"{FAR}/a")
    assert (again.status, again.body, far.asked) == (200, body, [f"{FAR}/a"])
    assert again.headers["content-type"] == "image/png"  # the bytes say it, whatever the other server said
    assert again.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in again.headers["content-security-policy"]
    assert (await look(app, f"{FAR}/a", **{"if-none-match": again.headers["etag"]})).status == 304


@pytest.mark.parametrize("body", [
    b"<html><script>alert(1)</script></html>" * 3, b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>" * 3,
    b"<?xml version='1.0'?><svg/>" * 9, b"%PDF-1.7" * 20, b"", b"\xff\xff", b"MZ" * 100,
])
async def test_what_is_no_medium_is_not_passed_on_whatever_it_says_it_is(app: App, far: Far, body: bytes) -> None:
    far.files[f"{FAR}/x.png"] = (200, "image/png", body)
    answer = await look(app, f"{FAR}/x.png")
    assert answer.status == 503
    assert body[:20] not in answer.body or not body
    assert [path for path in app.settings.cache.rglob("*") if path.is_file() and path.name not in ("lock", "total")] == []


async def test_only_addresses_that_this_city_made_are_fetched(app: App, far: Far) -> None:
    far.files[f"{FAR}/a"] = (200, "image/png", png())
    address = proxy.address(app.settings, f"{FAR}/a").removeprefix("http://localhost")
    _, _, seal, coded = address.split("/")
    other = proxy.address(app.settings, f"{FAR}/b").rpartition("/")[2]
    for path in (f"/proxy/{seal}/{other}", f"/proxy/{seal[:-1]}/{coded}", f"/proxy/x/{coded}", f"/proxy/{seal}/%FF", f"/proxy/é/{coded}"):
        assert (await Client(app).get(path)).status == 404
    assert far.asked == []


async def test_a_server_that_failed_is_left_in_peace_for_a_moment(app: App, far: Far) -> None:
    assert [(await look(app, f"{FAR}/gone")).status for _ in range(3)] == [503] * 3
    assert len(far.asked) == 1


async def test_a_part_can_be_asked_for(app: App, far: Far) -> None:
    far.files[f"{FAR}/film"] = (200, "video/mp4", body := b"\0\0\0\x18ftypisom" + bytes(range(256)) * 40)
    for asked, wanted in (("bytes=0-", body), ("bytes=100-199", body[100:200]), ("bytes=-7", body[-7:]), ("bytes=9-99999999", body[9:])):
        answer = await look(app, f"{FAR}/film", range=asked)
        start = len(body) - len(wanted) if asked != "bytes=100-199" else 100
        assert (answer.status, answer.body) == (206, wanted)
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(body)}"
    answer = await look(app, f"{FAR}/film", range="bytes=999999-")
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(body)}")
    for asked in ("bytes=5-2", "lines=1-2", "bytes=-", "bytes=1-2,4-5"):
        assert (await look(app, f"{FAR}/film", range=asked)).status == 200
    head = await Client(app).call("HEAD", proxy.address(app.settings, f"{FAR}/film").removeprefix("http://localhost"))
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(body)))
    assert len(far.asked) == 1


def answering(body: bytes, pieces: int = 1, gate: asyncio.Event | None = None) -> Callable[[], AbstractAsyncContextManager[Answer]]:
    """Another server's answer that comes in pieces; the last waits for the gate."""

    async def chunks() -> AsyncIterator[bytes]:
        step = max(1, -(-len(body) // pieces))
        for at in range(0, len(body), step):
            if gate and at + step >= len(body):
                await gate.wait()
            yield body[at : at + step]

    @asynccontextmanager
    async def begin() -> AsyncIterator[Answer]:
        yield Answer(200, FAR, {"content-length": str(len(body))}, chunks(), lambda: None)

    return begin


async def read(cache: Cache, key: str, body: bytes, start: int = 0, end: int | None = None) -> bytes:
    found = await cache.body(key, answering(body))
    return b"".join([piece async for piece in found.stretch(start, end)])


def name(number: int) -> str:
    return f"{number:064x}"


def medium(size: int, letter: int = 0) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes([letter]) * (size - 8)


def lying(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name not in ("lock", "total"))


async def test_a_file_is_shown_while_it_still_arrives(tmp_path: Path) -> None:
    cache, gate = Cache(tmp_path, 10**6), asyncio.Event()
    found = await cache.body(name(1), answering(medium(4000), 4, gate))
    stretch = found.stretch(0, None)
    assert found.size == 4000
    first = await anext(stretch)
    assert len(first) >= 1000
    gate.set()
    assert first + b"".join([piece async for piece in stretch]) == medium(4000)
    assert await read(cache, name(1), b"never asked") == medium(4000)


async def test_what_breaks_off_is_not_kept(tmp_path: Path) -> None:
    @asynccontextmanager
    async def begin() -> AsyncIterator[Answer]:
        async def chunks() -> AsyncIterator[bytes]:
            yield medium(500)
            await asyncio.sleep(0.05)

        yield Answer(200, FAR, {"content-length": "900"}, chunks(), lambda: None)

    cache = Cache(tmp_path, 10**6)
    found = await cache.body(name(1), begin)
    with pytest.raises(Upstream):
        assert [piece async for piece in found.stretch(0, None)]
    assert lying(tmp_path) == 0


async def test_bytes_are_bounded_and_what_was_not_asked_for_longest_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000)
    for number in range(9):
        assert await read(cache, name(number), medium(1000, number)) == medium(1000, number)
        assert await read(cache, name(0), b"") == medium(1000)  # the first stays in use
        await asyncio.sleep(0.01)
    for number in range(9, 30):
        await read(cache, name(number), medium(1000, number))
        assert lying(tmp_path) <= 10_000
        assert await read(cache, name(0), b"") == medium(1000)
    assert not cache.here(name(1))
    assert cache.here(name(29))


async def test_a_restart_finds_what_was_kept_and_its_sum(tmp_path: Path) -> None:
    for start in range(0, 40, 4):
        cache = Cache(tmp_path, 5_000)
        for number in range(start, start + 4):
            await read(cache, name(number), medium(700, number))
        assert lying(tmp_path) <= 5_000
        assert int((tmp_path / "total").read_text()) == lying(tmp_path)
    (tmp_path / "total").unlink()
    assert await read(Cache(tmp_path, 5_000), name(39), b"") == medium(700, 39)


async def test_two_processes_that_fetch_the_same_do_not_hurt_each_other(tmp_path: Path) -> None:
    two = [Cache(tmp_path, 20_000) for _ in range(2)]
    for number in range(30):
        bodies = await asyncio.gather(*(read(one, name(number), medium(1500, number)) for one in two))
        assert bodies == [medium(1500, number)] * 2
        assert lying(tmp_path) <= 20_000
    assert int((tmp_path / "total").read_text()) == lying(tmp_path)
    assert list((tmp_path / "arriving").iterdir()) == []


@given(st.text(max_size=20) | st.from_regex(r"bytes=\d{0,4}-\d{0,4}", fullmatch=True), st.integers(0, 3000))
def test_a_stretch_lies_inside_the_file(asked: str, size: int) -> None:
    found = ranges.stretch(asked, size)
    if found is not None:
        assert 0 <= found[0] <= found[1] <= size


@given(st.text(max_size=200), st.binary(max_size=20))
def test_an_address_leads_back_to_its_original_and_no_other_does(url: str, noise: bytes) -> None:
    settings = msgspec.structs.replace(Settings())
    settings.__dict__["proxy_key"] = b"k" * 32
    url = url.encode(errors="replace").decode()
    seal, coded = proxy.address(settings, url).split("/")[-2:]
    assert proxy.original(settings, seal, coded) == url
    with pytest.raises(NotFound):
        proxy.original(settings, seal + noise.hex()[:1] + "x", coded)


@given(st.binary(max_size=64))
def test_bytes_of_any_kind_have_a_type_or_none(head: bytes) -> None:
    assert (sniff.content_type(head) or "image/").split("/")[0] in ("image", "video", "audio")


@pytest.mark.parametrize("given", [{"files_url": "https://x"}, {"cache_megabytes": 5}])
def test_a_setting_that_cannot_be_used_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadSetting):
        Settings(**given)
