"""kill -9 while 200 posts are written and delivered: what was answered exists once, what is repeated was in flight."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from pathlib import Path

import requests
from neighbours import Neighbours
from stage import City, Person, cities, must, play, step, within

POSTS, WRITERS = 200, 4
KILLS = ((60, False), (130, True))


class Writers:
    """Threads that post until enough posts were answered with 200, whatever happens to the server."""

    def __init__(self, author: Person, named: str) -> None:
        self.author, self.named = author, named
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
                text = f"post {next(self.numbers)} @{self.named}"
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


def scenario(folder: Path) -> None:
    """alice writes on the city that is killed; bela reads on another; rec writes down what its inbox hears."""
    recorder = Neighbours(1, pause=0.02)
    rec = f"rec@{recorder.origins[0].removeprefix('http://')}"
    with cities(City(folder / "killed"), City(folder / "reader")) as (killed, reader):
        alice, bela = killed.person("alice"), reader.person("bela")
        alice.find(rec)
        there = bela.find(alice.handle)
        bela.post(f"/api/v1/accounts/{there['id']}/follow")
        within(10, "bela follows alice", lambda: alice.get(f"/api/v1/accounts/{alice.id}/followers"))
        writers = Writers(alice, rec)
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
        here = alice.posts_of(alice.id)
        check_once(writers, here)
        step(f"{len(writers.answered)} posts were answered 200, and each exists once")
        within(90, "every post arrived at the second server", lambda: set(here) <= set(bela.posts_of(there["id"])))
        must(max(bela.posts_of(there["id"]).values()) == 1, "a post is there twice")
        within(90, "every post arrived at the recording inbox", lambda: set(here) <= {uri for _, uri in list(recorder.heard)})
        repeated = recorder.check_repeats(moments)
        step(f"{repeated} deliveries were repeated, all in flight at a kill, all under the same activity id")


def check_once(writers: Writers, here: Counter[str]) -> None:
    """What was answered is there, and nothing is there twice."""
    missing = set(writers.answered) - set(here)
    must(not missing, f"{len(missing)} answered posts are lost")
    must(max(here.values()) == 1, "a post exists twice")


if __name__ == "__main__":
    sys.exit(play("kill -9", scenario))
