"""kill -9 while 200 posts are written and delivered: what was answered exists once, what is repeated was in flight."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from stage import City, Failed, Person, cities, free_port, must, play, step, within

POSTS, WRITERS = 200, 4
KILLS = ((60, False), (130, True))
IN_FLIGHT = 3.0


class Recorder:
    """Another server with one person, whose inbox writes down what arrives and when."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard: list[tuple[float, dict[str, Any]]] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                found = recorder.page(self.path.partition("?")[0])
                body = json.dumps(found).encode() if found else b"{}"
                self.answer(200 if found else 404, body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.heard.append((time.time(), json.loads(body)))
                time.sleep(0.02)
                self.answer(202, b"")

            def answer(self, code: int, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", "application/activity+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
        self.pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.handle_error = lambda *_: None  # a killed sender breaks its connections
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self, path: str) -> dict[str, Any] | None:
        """The few documents that make a person of another server."""
        base = f"http://localhost:{self.port}"
        return {
            "/.well-known/webfinger": {
                "subject": f"acct:rec@localhost:{self.port}", "aliases": [f"{base}/actor"],
                "links": [{"rel": "self", "type": "application/activity+json", "href": f"{base}/actor"}],
            },
            "/actor": {
                "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
                "id": f"{base}/actor", "type": "Person", "preferredUsername": "rec", "inbox": f"{base}/inbox",
                "outbox": f"{base}/outbox", "followers": f"{base}/followers",
                "publicKey": {"id": f"{base}/actor#main-key", "owner": f"{base}/actor", "publicKeyPem": self.pem},
            },
        }.get(path)


class Writers:
    """Threads that post until enough posts were answered with 200, whatever happens to the server."""

    def __init__(self, author: Person, recorder: Recorder) -> None:
        self.author, self.recorder = author, recorder
        self.lock = threading.Lock()
        self.numbers = iter(range(10**6))
        self.answered: dict[str, str] = {}
        self.threads = [threading.Thread(target=self.write, daemon=True) for _ in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self) -> None:
        """Post, and remember what was answered."""
        while len(self.answered) < POSTS:
            with self.lock:
                text = f"post {next(self.numbers)} @rec@localhost:{self.recorder.port}"
            try:
                made = requests.post(
                    f"{self.author.city.origin}/api/v1/statuses", json={"status": text}, timeout=10,
                    headers={"Authorization": f"Bearer {self.author.token}"},
                )
            except requests.RequestException:
                time.sleep(0.1)
                continue
            if made.status_code == 200:
                self.answered[made.json()["uri"]] = text
            time.sleep(0.02)


def posts_of(reader: Person, account: str) -> Counter[str]:
    """Every post of an account as someone sees it, by its address, and how often each is there."""
    found: Counter[str] = Counter()
    last = ""
    while True:
        page = reader.get(f"/api/v1/accounts/{account}/statuses", limit=40, **{"max_id": last} if last else {})
        if not page:
            return found
        found.update(status["uri"] for status in page)
        last = page[-1]["id"]


def scenario(folder: Path) -> None:
    """alice writes on the city that is killed; bela reads on another; rec writes down what its inbox hears."""
    recorder = Recorder()
    with cities(City(folder / "killed"), City(folder / "reader")) as (killed, reader):
        alice, bela = killed.person("alice"), reader.person("bela")
        alice.find(f"rec@localhost:{recorder.port}")
        there = bela.find(alice.handle)
        bela.post(f"/api/v1/accounts/{there['id']}/follow")
        within(10, "bela follows alice", lambda: alice.get(f"/api/v1/accounts/{alice.id}/followers"))
        writers = Writers(alice, recorder)
        moments = []
        for many, everyone in KILLS:
            within(60, f"{many} posts are written", lambda many=many: len(writers.answered) >= many)  # type: ignore[misc]
            moments.append(time.time())
            dead = killed.kill(everyone=everyone)
            step(f"kill -9 of {'all ' + str(len(dead)) + ' processes, PostgreSQL too' if everyone else 'the parent alone'}")
            killed.start()
        for thread in writers.threads:
            thread.join(60)
        must(len(writers.answered) >= POSTS, f"only {len(writers.answered)} posts were answered")
        here = posts_of(alice, alice.id)
        check_once(writers, here)
        step(f"{len(writers.answered)} posts were answered 200, and each exists once")
        within(90, "every post arrived at the second server", lambda: set(here) <= set(posts_of(bela, there["id"])))
        must(max(posts_of(bela, there["id"]).values()) == 1, "a post is there twice")
        within(90, "every post arrived at the recording inbox", lambda: set(here) <= set(arrivals(recorder)))
        check_repeats(recorder, moments)


def check_once(writers: Writers, here: Counter[str]) -> None:
    """What was answered is there, and nothing is there twice."""
    missing = set(writers.answered) - set(here)
    must(not missing, f"{len(missing)} answered posts are lost")
    must(max(here.values()) == 1, "a post exists twice")


def arrivals(recorder: Recorder) -> dict[str, list[tuple[float, str]]]:
    """When each post was delivered, and by which activity."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for moment, activity in list(recorder.heard):
        if activity["type"] == "Create":
            found[activity["object"]["id"]].append((moment, activity["id"]))
    return found


def check_repeats(recorder: Recorder, moments: list[float]) -> None:
    """A repeat has the same activity id, and its first delivery was in flight at a kill."""
    repeated = 0
    for uri, times in arrivals(recorder).items():
        if len({activity for _, activity in times}) != 1:
            raise Failed(f"{uri} came under different activity ids")
        for (before, _), _ in pairwise(times):
            repeated += 1
            must(any(-IN_FLIGHT < before - kill < IN_FLIGHT for kill in moments), f"{uri} was repeated without need")
    step(f"{repeated} deliveries were repeated, all in flight at a kill, all under the same activity id")


if __name__ == "__main__":
    sys.exit(play("kill -9", scenario))
