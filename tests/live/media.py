"""Pictures, films and sounds over HTTP: made ready by a worker, refused without a trace, with memory that stays as it is."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from stage import City, Person, cities, must, play, step, within

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import footage

MEGABYTE = 1024 * 1024
LARGE = 98 * MEGABYTE
EDGE = "edge"
GROWTH = 48


def resident(city: City) -> dict[int, int]:
    """How many megabytes each process of the city holds just now, and held at most."""
    found = {}
    for pid in city.family():
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found[pid] = max((int(line.split()[1]) // 1024 for line in lines if line.startswith(("VmHWM", "VmRSS"))), default=0)
    return found


def upload(who: Person, body: bytes, kind: str, path: str = "/api/v2/media", **fields: str) -> requests.Response:
    """Send a file."""
    return who.http.post(who.city.origin + path, files={"file": ("file", body, kind)}, data=fields, timeout=300)


def ready(who: Person, number: str) -> dict[str, Any] | None:
    """The file once it is ready."""
    answer = who.http.get(f"{who.city.origin}/api/v1/media/{number}", timeout=30)
    must(answer.status_code in (200, 206), f"the file: {answer.status_code} {answer.text}")
    return answer.json() if answer.status_code == 200 else None


def shown(url: str, **headers: str) -> requests.Response:
    """A file as anyone is shown it."""
    answer = requests.get(url, headers=headers, timeout=60)
    must(answer.status_code in (200, 206), f"{url}: {answer.status_code}")
    must(answer.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer.headers["Content-Security-Policy"], "its shelter")
    return answer


def a_photo(alice: Person) -> None:
    """3,000 x 2,000 pixels, with the place where it was taken."""
    body = footage.photo(3000, 2000)
    began = time.monotonic()
    answer = upload(alice, body, "image/jpeg", description="Un parc")
    took = time.monotonic() - began
    must(answer.status_code == 200, f"the photo: {answer.status_code} {answer.text}")
    made = answer.json()
    picture = shown(made["url"]).content
    must(b"Maison" in body and b"Exif" in body, "the photo tells nothing to begin with")
    must(not any(word in picture for word in (b"Maison", b"Exif", b"GPS", b"ICC")), "the place survived")
    must(made["blurhash"] and shown(made["preview_url"]).content, "the preview")
    step(f"a photo of 3,000 x 2,000 ({len(body) // 1024} KB) is shown in {len(picture) // 1024} KB, without its place", took)


def a_film(alice: Person, *, killed: bool) -> None:
    """A minute; whoever is killed over it, it becomes ready."""
    body = footage.film(60, (320, 180))
    answer = upload(alice, body, "video/mp4")
    must(answer.status_code == 202 and answer.json()["url"] is None, f"the film: {answer.status_code} {answer.text}")
    number = answer.json()["id"]
    early = alice.http.post(f"{alice.city.origin}/api/v1/statuses", json={"status": "x", "media_ids": [number]}, timeout=30)
    must(early.status_code == 422, "a post took a film that is not ready")
    if killed:
        scratch = alice.city.folder / "scratch"
        within(30, "a worker is at it", lambda: any(scratch.glob("*/original.mp4")))
        alice.city.kill(everyone=True)
        step("kill -9 of everyone while it is made")
        alice.city.start()
    made = within(90, "a film of 60 s is ready" + (", after all" if killed else ""), lambda: ready(alice, number))
    must(made["meta"]["length"].startswith("0:01:00") and made["blurhash"] and made["preview_url"], f"the film: {made['meta']}")
    whole = shown(made["url"])
    part = shown(made["url"], Range="bytes=1000-1999")
    must(part.status_code == 206 and part.content == whole.content[1000:2000], "a part of the film")
    must(b"Maison" not in whole.content and whole.headers["Content-Type"] == "video/mp4", "what the film tells")
    alice.post("/api/v1/statuses", status="La place", media_ids=[number])
    step(f"{len(body) // 1024} KB came in, {len(whole.content) // 1024} KB are shown, {made['meta']['original']['bitrate'] // 1000} kb/s")


def what_cannot_be_used(alice: Person) -> None:
    """A broken file, a bomb, a lie: 422, and nothing stays."""
    folders = [alice.city.folder / name for name in ("files", "scratch")]
    before = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    bomb = footage.bomb()
    for name, body, kind in (
        ("a broken photo", footage.photo(600, 400)[:5000], "image/jpeg"), ("a broken film", footage.film(2)[:3000], "video/mp4"),
        (f"a bomb of 30,000 x 30,000 pixels in {len(bomb) // 1024} KB", bomb, "image/png"),
        ("a page that says it is a picture", b"<html><script>alert(1)</script></html>", "image/png"),
        ("17 MB of a photo", b"\xff\xd8\xff" + bytes(17 * MEGABYTE), "image/jpeg"),
    ):
        began = time.monotonic()
        answer = upload(alice, body, kind)
        must(answer.status_code == 422 and "error" in answer.json(), f"{name}: {answer.status_code} {answer.text}")
        step(f"{name}: 422", time.monotonic() - began)
    after = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    must(before == after, f"left behind: {after - before}")
    step("nothing of them is left")


def large_film(film: bytes) -> Iterator[bytes]:
    """A short film with 98 MB of nothing behind it, a megabyte at a time."""
    yield f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\nContent-Type: video/mp4\r\n\r\n'.encode()
    yield film + (LARGE + 8).to_bytes(4, "big") + b"free"
    for _ in range(LARGE // MEGABYTE):
        yield bytes(MEGABYTE)
    yield f"\r\n--{EDGE}--\r\n".encode()


def a_large_body(alice: Person) -> None:
    """98 MB stream to disk; no process of the server grows by anything like that."""
    headers = {"Content-Type": f"multipart/form-data; boundary={EDGE}"}
    film, before = footage.film(2), resident(alice.city)
    began = time.monotonic()
    answer = alice.http.post(f"{alice.city.origin}/api/v2/media", data=large_film(film), headers=headers, timeout=300)
    took = time.monotonic() - began
    must(answer.status_code == 202, f"98 MB: {answer.status_code} {answer.text}")
    within(60, "a film of 98 MB is ready", lambda: ready(alice, answer.json()["id"]))
    after = resident(alice.city)
    growth = max(after[pid] - before[pid] for pid in before if pid in after)
    must(growth <= GROWTH, f"a process grew by {growth} MB")
    step(f"98 MB came in: the largest process holds {max(after.values())} MB at most, none grew by more than {growth} MB", took)
    answer = alice.http.post(f"{alice.city.origin}/api/v1/statuses", data=large_film(film), headers=headers, timeout=300)
    must(answer.status_code == 413, f"98 MB where no file is wanted: {answer.status_code}")
    step("98 MB where no file is wanted: 413")


def others_pictures(folder: Path) -> None:
    """A picture of another city is shown by way of this one, once fetched also when that one is gone."""
    with cities(City(folder / "here"), City(folder / "there")) as (here, there):
        alice, bela = here.person("alice"), there.person("bela")
        found = alice.find(bela.handle)
        alice.post(f"/api/v1/accounts/{found['id']}/follow")
        within(20, "alice follows bela", lambda: alice.get("/api/v1/accounts/relationships", id=found["id"])[0]["following"])
        file = upload(bela, footage.photo(800, 600), "image/jpeg").json()
        bela.post("/api/v1/statuses", status="Une photo", media_ids=[file["id"]])
        post = within(20, "the post with a photo arrives", alice.home)[0]
        attached = post["media_attachments"][0]
        must(attached["remote_url"] == file["url"] and attached["url"].startswith(f"{here.origin}/proxy/"), f"{attached}")
        must(shown(attached["url"]).content == shown(file["url"]).content, "the photo differs")
        other = attached["url"].rpartition("/")[0] + "/aHR0cDovL2xvY2FsaG9zdA"
        must(requests.get(other, timeout=30).status_code == 404, "a forged address is fetched")
        there.stop()
        must(shown(attached["url"], Range="bytes=0-9").status_code == 206, "the photo is gone with its city")
        step("a photo of another city is shown through this one, and still when that one is down")


def scenario(folder: Path) -> None:
    """One city, then two."""
    with cities(City(folder / "one")) as (city,):
        alice = city.person("alice")
        a_photo(alice)
        a_film(alice, killed=False)
        what_cannot_be_used(alice)
        a_large_body(alice)
        a_film(alice, killed=True)
    others_pictures(folder)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
    sys.exit(play("pictures, films and sounds", scenario))
