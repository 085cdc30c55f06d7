"""Examples of the operations on files: a photo, a film, a sound, what moves, and what is none of these."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

import footage
from api.contract import covers
from api.town import Caller, S, Town
from parvis import wiring
from parvis.app import App
from parvis.base import jobs
from parvis.media import actions as media
from parvis.media import policy, reactions
from parvis.media.model import Uploaded

LATER = jobs.named(wiring.REACTIONS)
M = "/api/v1/media"
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def send(who: Caller, body: bytes, code: int = 200, path: str = "/api/v2/media", kind: str = "image/jpeg", **fields: str) -> Any:
    """Upload; what was answered."""
    answer = await who.upload(path, body, kind, **fields)
    assert answer.status == code, answer.text
    return answer.json()


async def seen(who: Caller, url: str) -> bytes:
    """What is shown under an address of this city."""
    answer = await who.get(url.removeprefix("http://localhost"))
    assert answer.status == 200, (url, answer.status)
    return answer.body


def stored(app: App) -> list[Path]:
    """All files there are, in the store and on the way there."""
    folders = (app.settings.files, app.settings.scratch)
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


async def count(town: Town, who: Caller) -> int:
    return int(await town.owner.fetchval("SELECT count(*) FROM media WHERE account_id = $1", who.account.id))


# Long enough that no picture holds one by chance: three letters stand somewhere in every fifth file of a megabyte.
WRITTEN = (b"Maison", b"48.8584", b"Exif\0\0", b"<x>Maison", b"TIT2\0\0", b"ID3\x03\0", b"ID3\x04\0", b"ICC_PROFILE", b"iCCPicc")


def bare(body: bytes) -> bool:
    """Is nothing left of what was written into the file?"""
    return not any(word in body for word in WRITTEN)


@covers("POST /api/v2/media", f"GET {M}/{{id}}", f"PUT {M}/{{id}}", f"DELETE {M}/{{id}}")
async def test_a_photo_is_ready_at_once_upright_small_enough_and_tells_nothing(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    made = await send(alice, footage.photo(orientation=6), description="Un parc", focus="0.5,-0.25")
    assert (made["type"], made["description"], made["meta"]["focus"]) == ("image", "Un parc", {"x": 0.5, "y": -0.25})
    assert (made["meta"]["original"]["size"], len(made["blurhash"]) > 20) == ("2000x3000", True)
    assert made["meta"]["small"]["width"] * made["meta"]["small"]["height"] <= 640 * 360
    for url, size in ((made["url"], (2000, 3000)), (made["preview_url"], (made["meta"]["small"]["width"], made["meta"]["small"]["height"]))):
        body = await seen(alice, url)
        image = Image.open(io.BytesIO(body))
        assert (image.size, image.format, dict(image.getexif()), "icc_profile" in image.info) == (size, "JPEG", {}, False)
        assert bare(body)
    assert not bare(footage.photo())
    path = f"{M}/{made['id']}"
    assert await alice.ask("MediaAttachment", "GET", path) == made
    changed = await alice.ask("MediaAttachment", "PUT", path, json={"description": "Un étang", "focus": "0,0"})
    assert (changed["description"], changed["meta"]["focus"]) == ("Un étang", {"x": 0.0, "y": 0.0})
    for method in ("GET", "PUT", "DELETE"):
        assert await bela.refusal(method, path) == (404, "Record not found")
    narrow = await town.with_scopes("read", "write:statuses")
    assert (await narrow.refusal("GET", path))[0] == 403
    assert (await narrow.upload("/api/v2/media", footage.drawing())).status == 403
    assert await alice.ask(None, "DELETE", path) == {}
    assert (await alice.get(made["url"].removeprefix("http://localhost"))).status == 404
    assert await alice.refusal("DELETE", path) == (404, "Record not found")


@covers("POST /api/v1/media")
async def test_older_clients_are_answered_when_the_file_is_ready(town: Town) -> None:
    alice = await town.person("alice")
    made = await send(alice, footage.film(2), path="/api/v1/media", kind="video/mp4")
    assert (made["type"], made["meta"]["original"]["duration"]) == ("video", pytest.approx(2.0, abs=0.1))
    assert (await alice.say("A film", media_ids=[made["id"]]))["media_attachments"][0]["id"] == made["id"]
    assert await alice.refusal("GET", f"{M}/{made['id']}") == (404, "Record not found")
    assert await alice.refusal("DELETE", f"{M}/{made['id']}") == (404, "Record not found")
    narrow = await town.with_scopes("read")
    assert (await narrow.upload("/api/v1/media", footage.drawing())).status == 403


async def test_a_film_of_a_minute_is_made_ready_by_a_worker(town: Town) -> None:
    alice = await town.person("alice")
    made = await send(alice, footage.film(60), 202, kind="video/mp4", description="La place")
    assert (made["type"], made["url"], made["preview_url"]) == ("video", None, None)
    waiting = await alice.get(f"{M}/{made['id']}")
    assert (waiting.status, waiting.json()["url"]) == (206, None)
    assert await alice.refusal("POST", S, json={"status": "x", "media_ids": [made["id"]]}) == (
        422, "Cannot attach files that have not finished processing. Try again in a moment!",
    )
    later = {"status": "x", "media_ids": [made["id"]], "scheduled_at": "2099-01-01T00:00:00Z"}
    assert (await alice.refusal("POST", S, json=later))[0] == 422
    await jobs.drain(town.app.job, LATER)
    ready = await alice.ask("MediaAttachment", "GET", f"{M}/{made['id']}")
    assert (ready["description"], len(ready["blurhash"]) > 10) == ("La place", True)
    meta = ready["meta"]
    assert (meta["length"][:9], meta["fps"], meta["size"], meta["audio_encode"], meta["audio_channels"]) == (
        "0:01:00.0", 12, "160x90", "aac (LC)", "stereo",
    )
    assert (meta["original"]["width"], meta["original"]["frame_rate"], meta["original"]["bitrate"] > 1000) == (160, "12/1", True)
    body = await seen(alice, ready["url"])
    assert (bare(body), body.find(b"moov") < body.find(b"mdat")) == (True, True)
    assert Image.open(io.BytesIO(await seen(alice, ready["preview_url"]))).size == (160, 90)
    with av.open(io.BytesIO(body)) as film:
        assert set(film.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
        assert [one.codec_context.name for one in film.streams] == ["aac", "h264"] or [one.codec_context.name for one in film.streams] == ["h264", "aac"]
    part = await alice.get(ready["url"].removeprefix("http://localhost"), range="bytes=10-19")
    assert (part.status, part.body, part.headers["content-type"]) == (206, body[10:20], "video/mp4")
    assert (await alice.say("Look", media_ids=[made["id"]]))["media_attachments"][0]["url"] == ready["url"]


@pytest.mark.parametrize(("name", "body", "kind"), [
    ("broken photo", footage.photo(400, 300)[:3000], "image/jpeg"), ("bomb", footage.bomb(), "image/png"),
    ("page", b"<html><script>alert(1)</script></html>", "image/png"), ("drawing that runs", b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 3, "image/svg+xml"),
    ("broken film", footage.film(2)[:4000], "video/mp4"), ("playlist", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "video/mp4"),
    ("nothing", b"", "image/png"), ("program", b"\x7fELF" + bytes(400), "image/gif"), ("no GIF", b"GIF89a nonsense", "image/gif"),
    ("no film", b"\0\0\0\x18ftypisom" + bytes(500), "video/mp4"), ("no sound", b"ID3" + bytes(900), "audio/mpeg"),
    ("large photo", b"\xff\xd8\xff" + bytes(policy.IMAGE_BYTES), "image/jpeg"), ("large page", b"<html>" * 3_000_000, "video/mp4"),
    ("no Matroska", b"\x1aE\xdf\xa3\x01webm" + bytes(300), "video/webm"),
], ids=lambda value: value if isinstance(value, str) and "/" not in value else "")
async def test_what_cannot_be_used_is_refused_and_leaves_nothing(town: Town, name: str, body: bytes, kind: str) -> None:
    alice, before = await town.person("alice"), stored(town.app)
    for path in ("/api/v2/media", "/api/v1/media"):
        refused = await send(alice, body, 422, path=path, kind=kind)
        assert refused["error"].startswith("Validation failed: File ")
    assert (await count(town, alice), stored(town.app)) == (0, before)


async def test_what_a_file_is_its_bytes_say(town: Town) -> None:
    alice = await town.person("alice")
    assert (await send(alice, footage.drawing(), kind="video/mp4"))["type"] == "image"
    assert (await send(alice, footage.sound("ogg", 1), 202, kind="image/png"))["type"] == "audio"


async def test_a_film_that_breaks_off_fails_and_what_came_of_it_goes(town: Town) -> None:
    alice = await town.person("alice")
    await jobs.drain(town.app.job, LATER)  # what others sent
    before = stored(town.app)
    whole = footage.film(30, kind="webm")
    made = await send(alice, whole[: len(whole) // 3], 202, kind="video/webm")
    assert len(stored(town.app)) == len(before) + 1
    await jobs.drain(town.app.job, LATER)
    answer = await alice.get(f"{M}/{made['id']}")
    assert (answer.status, answer.json()["error"]) == (422, "Error processing thumbnail for uploaded media: it breaks off")
    assert stored(town.app) == before
    assert (await alice.refusal("POST", S, json={"status": "x", "media_ids": [made["id"]]}))[0] == 422
    assert await alice.ask(None, "DELETE", f"{M}/{made['id']}") == {}
    assert await count(town, alice) == 0


async def test_a_worker_that_dies_over_an_upload_leaves_it_to_the_next(town: Town) -> None:
    alice = await town.person("alice")
    made = await send(alice, footage.film(20), 202, kind="video/mp4")
    dying = asyncio.create_task(reactions.make(town.app.job, Uploaded(int(made["id"]))))
    await asyncio.sleep(0.3)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await alice.get(f"{M}/{made['id']}")).status == 206
    await reactions.make(town.app.job, Uploaded(int(made["id"])))
    await reactions.make(town.app.job, Uploaded(int(made["id"])))  # at least once: a second time changes nothing
    ready = await alice.ask("MediaAttachment", "GET", f"{M}/{made['id']}")
    assert len(await seen(alice, ready["url"])) > 1000
    assert list(town.app.settings.scratch.iterdir()) == []


async def test_what_was_taken_back_while_it_was_made_ready_leaves_nothing(town: Town) -> None:
    alice = await town.person("alice")
    before = stored(town.app)
    made = await send(alice, footage.film(10), 202, kind="video/mp4")
    working = asyncio.create_task(reactions.make(town.app.job, Uploaded(int(made["id"]))))
    await asyncio.sleep(0.2)
    assert await alice.ask(None, "DELETE", f"{M}/{made['id']}") == {}
    await working
    assert (await count(town, alice), stored(town.app)) == (0, before)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_what_moves_becomes_a_film(town: Town, kind: str) -> None:
    alice = await town.person("alice")
    made = await send(alice, footage.moving(kind), 202, kind="image/gif")
    assert made["type"] == "gifv"
    await jobs.drain(town.app.job, LATER)
    ready = await alice.ask("MediaAttachment", "GET", f"{M}/{made['id']}")
    assert (ready["meta"]["size"], ready["meta"]["duration"], "audio_encode" in ready["meta"]) == ("120x80", 0.96, False)
    assert ready["url"].endswith(".mp4")


@pytest.mark.parametrize("kind", sorted(footage.SOUNDS))
async def test_a_sound_of_any_usual_kind_becomes_an_mp3(town: Town, kind: str) -> None:
    alice = await town.person("alice")
    made = await send(alice, footage.sound(kind), path="/api/v1/media", kind="audio/x")
    meta = made["meta"]
    assert (made["type"], made["preview_url"], meta["audio_encode"], meta["length"][:9]) == ("audio", None, "mp3", "0:00:03.0")
    assert meta["original"]["bitrate"] > 60_000
    body = await seen(alice, made["url"])
    assert bare(body)
    with av.open(io.BytesIO(body)) as container:
        assert (container.format.name, dict(container.metadata)) == ("mp3", {})


async def test_a_sound_shows_its_cover_and_has_its_colours(town: Town) -> None:
    alice = await town.person("alice")
    made = await send(alice, footage.covered(), path="/api/v1/media", kind="audio/mpeg")
    colours = made["meta"]["colors"]
    assert colours["foreground"] == "#ffffff"
    for shade in (colours["background"], colours["accent"]):
        assert [int(shade[at : at + 2], 16) for at in (1, 3, 5)] == pytest.approx([180, 30, 60], abs=4)
    assert made["blurhash"]
    assert Image.open(io.BytesIO(await seen(alice, made["preview_url"]))).size == (300, 300)


async def test_a_film_is_shown_the_way_it_was_filmed(town: Town) -> None:
    alice = await town.person("alice")
    for turned, size in ((0, "160x90"), (90, "90x160"), (-90, "90x160"), (180, "160x90")):
        made = await send(alice, footage.film(1, turned=turned, kind="mov"), path="/api/v1/media", kind="video/quicktime")
        assert made["meta"]["size"] == size


async def test_one_may_give_a_film_a_picture_of_ones_own(town: Town) -> None:
    alice = await town.person("alice")
    made = await send(alice, footage.film(1), 202, kind="video/mp4")
    edge = "edge"
    form = b'--edge\r\nContent-Disposition: form-data; name="thumbnail"; filename="t"\r\n\r\n' + footage.drawing(100, 50) + b"\r\n--edge--\r\n"
    headers = {"content-type": f"multipart/form-data; boundary={edge}"}
    answer = await alice.call("PUT", f"{M}/{made['id']}", headers=headers, body=form)
    assert (answer.status, answer.json()["meta"]["small"]["size"]) == (206, "100x50")
    await jobs.drain(town.app.job, LATER)
    ready = await alice.ask("MediaAttachment", "GET", f"{M}/{made['id']}")
    assert (ready["preview_url"], ready["meta"]["small"]["size"]) == (answer.json()["preview_url"], "100x50")
    bad = form.replace(footage.drawing(100, 50), footage.film(1))
    assert (await alice.call("PUT", f"{M}/{made['id']}", headers=headers, body=bad)).status == 422


async def test_a_film_or_a_sound_goes_alone(town: Town) -> None:
    alice = await town.person("alice")
    ids = [(await send(alice, body, path="/api/v1/media"))["id"] for body in (footage.sound("mp3", 1), footage.drawing(), footage.drawing())]
    assert (await alice.refusal("POST", S, json={"status": "x", "media_ids": ids[:2]}))[1].startswith("Cannot attach a video")
    assert len((await alice.say("x", media_ids=ids[1:]))["media_attachments"]) == 2


async def test_both_instances_tell_the_limits_that_are_checked(town: Town) -> None:
    for path in ("/api/v1/instance", "/api/v2/instance"):
        told = (await town.stranger.get(path)).json()["configuration"]["media_attachments"]
        assert told == {
            "supported_mime_types": list(policy.TYPES), "description_limit": policy.DESCRIPTION, "image_size_limit": policy.IMAGE_BYTES,
            "image_matrix_limit": policy.PIXELS, "video_size_limit": policy.FILE_BYTES, "video_frame_rate_limit": policy.FILM_RATE,
            "video_matrix_limit": policy.FILM_PIXELS,
        }
    alice = await town.person("alice")
    for length, code in ((10_000, 200), (10_001, 422)):
        await send(alice, footage.drawing(), code, description="x" * length)


async def test_who_leaves_for_good_takes_their_files_along(town: Town) -> None:
    alice = await town.person("alice")
    before = stored(town.app)
    made = await send(alice, footage.drawing())
    await alice.say("x", media_ids=[made["id"]])
    async with town.app.db.write() as tx:
        await reactions.queries.drop_all(tx, alice.account.id)
    assert await media.burn(town.app.job) is False
    assert stored(town.app) == before
