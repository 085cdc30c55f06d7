"""10,000 deliveries through a stopped database, a full disk and a killed worker: nothing is lost, repeats were in flight."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import requests
from neighbours import IN_FLIGHT, Neighbours
from stage import City, Person, alive, below, cities, must, play, step, within

from parvis.base import postgres

HOSTS, POSTS = 100, 100
ALL = HOSTS * POSTS
MIDDLES = tuple(share * ALL // 5 for share in (1, 2, 3))
YOUNG = 31.0
"""A job worker that dies sooner after its start ends the server: starting it again would help nobody."""
AWAY = 3.0
PACE, SLOW = 0.1, 0.15
"""A server takes longer to answer than it takes until the next post: at every moment something is on its way."""


class Writer(threading.Thread):
    """Posts until enough posts were answered with 200, whatever happens to the server."""

    def __init__(self, author: Person) -> None:
        super().__init__(daemon=True)
        self.author = author
        self.made: list[str] = []
        self.refused: set[int] = set()

    def run(self) -> None:
        """Post."""
        while len(self.made) < POSTS:
            answer = requests.post(
                f"{self.author.city.origin}/api/v1/statuses", json={"status": f"post {len(self.made)}"}, timeout=30,
                headers={"Authorization": f"Bearer {self.author.token}", "Idempotency-Key": f"post {len(self.made)}"},
            )
            if answer.status_code == 200:
                self.made.append(answer.json()["uri"])
            else:
                self.refused.add(answer.status_code)
            time.sleep(PACE)


def scenario(folder: Path) -> None:
    """alice posts to a hundred servers; the database stops, the disk is full, the job worker is killed."""
    neighbours = Neighbours(HOSTS, pause=SLOW)
    with cities(City(folder / "city")) as (city,):
        began = time.monotonic()
        alice = city.person("alice")
        neighbours.follow(alice.uri)
        within(60, f"{HOSTS} servers follow alice", lambda: followers(alice) == HOSTS)
        time.sleep(max(0.0, began + YOUNG - time.monotonic()))
        writer = Writer(alice)
        writer.start()
        moments = []
        for many, fault in zip(MIDDLES, (stop_database, fill_disk, kill_worker), strict=True):
            within(90, f"{many:,} deliveries arrived", lambda many=many: neighbours.arrived() >= many)  # type: ignore[misc]
            must(neighbours.arrived() < ALL, "all deliveries arrived before anything failed")
            moments += fault(city)
        writer.join(60)
        must(len(writer.made) == POSTS, f"only {len(writer.made)} posts were answered")
        must(writer.refused == {503}, f"posts were refused while the database was away: {writer.refused}")
        step(f"{POSTS} posts were answered 200, and 503 while the database was away")
        here = alice.posts_of(alice.id)
        must(here == Counter(writer.made), f"{len(here)} posts are there, {len(writer.made)} were answered")
        within(120, f"all {ALL:,} deliveries arrived", lambda: neighbours.arrived() == ALL)
        time.sleep(IN_FLIGHT)
        repeated = neighbours.check_repeats(moments)
        must(repeated, "nothing was on its way when something failed")
        step(f"{repeated} of {ALL:,} deliveries were repeated, all in flight at a fault, all under the same activity id")


def followers(person: Person) -> int:
    """How many follow somebody."""
    return int(person.get(f"/api/v1/accounts/{person.id}")["followers_count"])


def kill_worker(city: City) -> list[float]:
    """kill -9 of the job worker alone, which is started again."""
    workers = [pid for pid in city.family() if b"worker.start" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    must(len(workers) == 1, f"{len(workers)} job workers")
    os.kill(workers[0], signal.SIGKILL)
    step("kill -9 of the job worker")
    return [time.time()]


def stop_database(city: City) -> list[float]:
    """PostgreSQL ends at once (SIGQUIT), and comes back after a while."""
    began = time.time()
    os.kill(city.postmaster, signal.SIGQUIT)
    told = within(30, "a stopped database is told", lambda: unanswered(city))
    must(told == (503, "5"), f"without a database: {told}")
    page = requests.get(f"{city.origin}/", headers={"Accept": "text/html"}, timeout=30)
    must(page.status_code == 503 and "<h1" in page.text, f"without a database the front page is {page.status_code}")
    time.sleep(AWAY)
    postgres.start(city.folder)
    step("the database was away", time.time() - began)
    return [began, time.time()]


def fill_disk(city: City) -> list[float]:
    """No file of PostgreSQL takes anything more (RLIMIT_FSIZE), as on a full disk; after a while there is room again."""
    began = time.time()
    root = city.postmaster
    for pid in below(root):
        limit(pid, "0")
    told = within(30, "a full disk is told", lambda: refusal(city))
    time.sleep(AWAY)
    for pid in below(root):
        limit(pid, "unlimited")
    gave_up = not alive(root)
    postgres.start(city.folder)
    must(told == 503, f"on a full disk: {told}")
    step(f"the disk was full; PostgreSQL {'had given up, and was started again' if gave_up else 'went on'}", time.time() - began)
    return [began, time.time()]


def unanswered(city: City) -> tuple[int, str | None] | None:
    """The code that whoever looks is told, and when to come again; None while they are shown what they want to see."""
    told = requests.get(f"{city.origin}/api/v1/timelines/public", timeout=30)
    return None if told.status_code == 200 else (told.status_code, told.headers.get("Retry-After"))


def refusal(city: City) -> int | None:
    """The code with which a question that writes is refused; None while it is answered."""
    wish = {"client_name": "App", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}
    code = requests.post(f"{city.origin}/api/v1/apps", json=wish, timeout=30).status_code
    return code if code >= 400 else None


def limit(pid: int, size: str) -> None:
    """So large may a file be that this process writes to; its own account says so, for root may not everywhere."""
    with contextlib.suppress(FileNotFoundError):
        owner = Path(f"/proc/{pid}").stat()
        ours = {} if owner.st_uid == os.geteuid() else {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        subprocess.run(["prlimit", "--pid", str(pid), f"--fsize={size}:"], check=False, capture_output=True, **ours)


if __name__ == "__main__":
    sys.exit(play("10,000 deliveries and what fails", scenario))
