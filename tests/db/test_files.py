"""The store, in a folder, in memory and behind S3's HTTP: the same answers."""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

import footage
from conftest import Client, Server, settle_in
from parvis.app import App, build
from parvis.base import files
from parvis.base.files import Files
from parvis.base.settings import Settings
from parvis.media import reactions
from parvis.media.model import Uploaded

pytestmark = pytest.mark.enable_socket
LARGE = 12 * 1024 * 1024


class Bucket:
    """As much of S3 as a store needs: objects, ranges, uploads in parts, deletions. Unsigned requests are refused."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.largest = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.removeprefix("/square/")
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential=lucie/"):
            return web.Response(status=403)
        if request.method == "PUT":
            body = await request.read()
            self.largest = max(self.largest, len(body))
            if "uploadId" in request.query:
                self.parts[request.query["uploadId"]][int(request.query["partNumber"])] = body
            else:
                self.objects[name] = body
            return web.Response(headers={"ETag": '"e"'})
        if request.method == "POST" and "delete" in request.query:
            keys = re.findall(r"<Key>([^<]+)</Key>", await request.text())
            for key in keys:
                self.objects.pop(key, None)
            told = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            return web.Response(text=f"<DeleteResult>{told}</DeleteResult>", content_type="application/xml")
        if request.method == "POST":
            return self._in_parts(request, name)
        if request.method == "DELETE":
            self.objects.pop(name, None)
            return web.Response(status=204)
        return self._shown(request, name)

    def _in_parts(self, request: web.Request, name: str) -> web.Response:
        if "uploads" in request.query:
            number = str(len(self.parts))
            self.parts[number] = {}
            text = f"<InitiateMultipartUploadResult><UploadId>{number}</UploadId></InitiateMultipartUploadResult>"
        else:
            parts = self.parts.pop(request.query["uploadId"])
            self.objects[name] = b"".join(parts[number] for number in sorted(parts))
            text = '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>'
        return web.Response(text=text, content_type="application/xml")

    def _shown(self, request: web.Request, name: str) -> web.Response:
        if name not in self.objects:
            return web.Response(status=404)
        body, headers = self.objects[name], {"ETag": '"e"', "Last-Modified": "Fri, 01 May 2026 10:00:00 GMT"}
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(len(body))})
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        if match is None:
            return web.Response(body=body, headers=headers)
        start, end = int(match[1]), min(int(match[2]) + 1, len(body))
        return web.Response(status=206, body=body[start:end], headers={**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(body)}"})


@pytest.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Bucket, str]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "lucie")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    made, app = Bucket(), web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{rest:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield made, f"s3://square/city?endpoint=http://127.0.0.1:{port}&region=eu"
    await runner.cleanup()


@pytest.fixture(params=["folder", "memory", "s3"])
async def store(request: pytest.FixtureRequest, bucket: tuple[Bucket, str], tmp_path: Path) -> Files:
    url = {"folder": "", "memory": "memory://", "s3": bucket[1]}[request.param]
    return files.opened(msgspec.structs.replace(Settings(data=tmp_path), files_url=url))


async def whole(store: Files, name: str, start: int = 0, end: int | None = None) -> bytes:
    found = await store.body(name)
    return b"".join([piece async for piece in found.stretch(start, end)])


async def test_what_is_put_is_found_in_whole_and_in_part_and_goes(store: Files, tmp_path: Path) -> None:
    large = bytes(range(256)) * (LARGE // 256)
    (tmp_path / "source").write_bytes(large)
    await store.put("uploads/a.png", b"small")
    await store.put("uploads/b.mp4", tmp_path / "source")
    await store.put("uploads/c.mp4", io.BytesIO(large))
    assert (await store.body("uploads/b.mp4")).size == LARGE
    assert await whole(store, "uploads/a.png") == b"small"
    assert await whole(store, "uploads/c.mp4") == large
    for start, end in ((0, 10), (LARGE - 7, LARGE), (1000, 2_000_000), (LARGE, LARGE), (5, None)):
        assert await whole(store, "uploads/b.mp4", start, end) == large[start:end]
    with tempfile.TemporaryFile() as target:
        await store.fetch("uploads/b.mp4", target)
        target.seek(0)
        assert target.read() == large
    await store.delete(["uploads/a.png", "uploads/never.png"])
    for name in ("uploads/a.png", "uploads/never.png", "../secrets/seal.key"):
        with pytest.raises((FileNotFoundError, ValueError, OSError)):
            await store.body(name)
    assert await whole(store, "uploads/b.mp4", 0, 3) == large[:3]


async def test_a_large_file_goes_to_s3_in_parts(bucket: tuple[Bucket, str], tmp_path: Path) -> None:
    store = files.opened(Settings(data=tmp_path, files_url=bucket[1]))
    await store.put("uploads/large.mp4", io.BytesIO(bytes(LARGE)))
    assert len(bucket[0].objects["city/uploads/large.mp4"]) == LARGE
    assert bucket[0].largest <= 5 * 1024 * 1024


@pytest.fixture
async def app(server: Server, database_name: str, tmp_path: Path, bucket: tuple[Bucket, str]) -> AsyncIterator[App]:
    settings = Settings(
        data=tmp_path, origin="http://localhost", database_url=server.url("parvis_app", database_name), dev=True, files_url=bucket[1]
    )
    made = await build(settings, pool=3)
    yield made
    await made.close()


async def test_a_city_keeps_its_files_in_s3(app: App, bucket: tuple[Bucket, str]) -> None:
    alice = await settle_in(app, "alice")
    sent = (await alice.upload("/api/v2/media", footage.film(2))).json()
    assert [name.split("/")[1] for name in bucket[0].objects] == ["raw"]
    await reactions.make(app.job, Uploaded(int(sent["id"])))
    ready = (await alice.get(f"/api/v1/media/{sent['id']}")).json()
    assert sorted(name.split("/")[1] for name in bucket[0].objects) == ["uploads", "uploads"]
    url = ready["url"].removeprefix("http://localhost")
    shown = await Client(app).get(url)
    assert (shown.status, shown.headers["content-type"], len(shown.body) > 1000) == (200, "video/mp4", True)
    assert shown.body in bucket[0].objects.values()
    parts = await asyncio.gather(*(Client(app).get(url, range=f"bytes={at}-{at + 99}") for at in (0, 100, 200)))
    assert b"".join(part.body for part in parts) == shown.body[:300]
    assert (await alice.send("DELETE", f"/api/v1/media/{sent['id']}")).status == 200
    assert bucket[0].objects == {}
    assert not app.settings.files.exists()
