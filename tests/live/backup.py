"""Backup and restore: a city in one file, and again in a fresh folder, with its people, posts and public record."""

from __future__ import annotations

import sys
from pathlib import Path

from stage import City, cities, must, play, step


def scenario(folder: Path) -> None:
    """alice writes; the city is packed while it serves, and restored elsewhere."""
    with cities(City(folder / "before")) as (before,):
        alice = before.person("alice")
        alice.post("/api/v1/statuses", status="à garder #sauvegarde")
        before.run("backup", str(folder / "city.tgz"))
        posts = [status["id"] for status in alice.home()]
        step("packed while it serves")
    after = City(folder / "after", before.port)
    before.run("restore", str(folder / "city.tgz"), code=1)
    step("not over a folder that holds something")
    after.run("restore", str(folder / "city.tgz"))
    step(after.run("ledger", "verify"))
    with cities(after):
        must([status["id"] for status in alice.home()] == posts, "the restored city has other posts")
        alice.post("/api/v1/statuses", status="encore")
        step("the same posts, the same token, and alice writes on")


if __name__ == "__main__":
    sys.exit(play("backup and restore", scenario))
