"""Two servers with their own databases: a follow, a post in under two seconds, and everything that travels back."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from stage import City, Person, cities, must, play, step, within


def scenario(folder: Path) -> None:
    """alice lives on :8001, bela on :8002."""
    with cities(City(folder / "one", 8001), City(folder / "two", 8002)) as (one, two):
        alice, bela = one.person("alice"), two.person("bela")
        step("alice and bela have settled")
        there = bela.find(alice.handle)
        must(there["acct"] == alice.handle, f"alice is called {there['acct']}")
        step(f"bela found @{alice.handle}")
        bela.post(f"/api/v1/accounts/{there['id']}/follow")
        within(5, "the follow is accepted", lambda: relation(bela, there["id"])["following"])
        within(5, "alice is told of her follower", lambda: alice.notified("follow", bela.handle))

        first = alice.post("/api/v1/statuses", status="Bonjour depuis :8001 #parvis", visibility="public")
        copy = within(2, "the post is in bela's home", lambda: by_uri(bela, first["uri"]))
        must("Bonjour depuis" in copy["content"], "the post says something else")

        reply = bela.post("/api/v1/statuses", status=f"@{alice.handle} Bonjour de :8002 !", in_reply_to_id=copy["id"])
        back = within(5, "the reply is under alice's post", lambda: next(
            (s for s in alice.get(f"/api/v1/statuses/{first['id']}/context")["descendants"] if s["uri"] == reply["uri"]), None))
        must(back["in_reply_to_id"] == first["id"], "the reply hangs elsewhere")
        within(5, "alice is told of the mention", lambda: alice.notified("mention", bela.handle))

        bela.post(f"/api/v1/statuses/{copy['id']}/favourite")
        within(5, "the like arrived", lambda: seen(alice, first)["favourites_count"] == 1)
        must(alice.notified("favourite", bela.handle), "alice was not told of the like")
        bela.post(f"/api/v1/statuses/{copy['id']}/unfavourite")
        within(5, "the like was taken back", lambda: seen(alice, first)["favourites_count"] == 0)
        bela.post(f"/api/v1/statuses/{copy['id']}/reblog")
        within(5, "the boost arrived", lambda: seen(alice, first)["reblogs_count"] == 1)
        must(alice.notified("reblog", bela.handle), "alice was not told of the boost")

        alice.ask("PUT", f"/api/v1/statuses/{first['id']}", status="Bonsoir depuis :8001 #parvis")
        within(5, "the edit arrived", lambda: "Bonsoir" in seen(bela, copy)["content"])
        must(len(bela.get(f"/api/v1/statuses/{copy['id']}/history")) == 2, "the history of the edit is not two long")
        bela.ask("DELETE", f"/api/v1/statuses/{reply['id']}")
        within(5, "the reply is gone", lambda: not alice.get(f"/api/v1/statuses/{first['id']}/context")["descendants"])
        alice.ask("DELETE", f"/api/v1/statuses/{first['id']}")
        within(5, "the post is gone", lambda: by_uri(bela, first["uri"]) is None)

        bela.post(f"/api/v1/accounts/{there['id']}/unfollow")
        within(5, "bela follows no more", lambda: not alice.get(f"/api/v1/accounts/{alice.id}/followers"))
        bela.post(f"/api/v1/accounts/{there['id']}/follow")
        within(5, "bela follows again", lambda: relation(bela, there["id"])["following"])
        stranger = alice.find(bela.handle)
        alice.post(f"/api/v1/accounts/{stranger['id']}/block")
        within(5, "the block arrived", lambda: relation(bela, there["id"])["blocked_by"])
        must(not relation(bela, there["id"])["following"], "the block left the follow")
        last = alice.post("/api/v1/statuses", status="Sans bela.")
        time.sleep(1)
        must(by_uri(bela, last["uri"]) is None, "a blocked follower received a post")
        step("a post of alice's does not reach bela any more")


def relation(person: Person, account: str) -> dict[str, object]:
    """How someone stands to an account."""
    found: dict[str, object] = person.get("/api/v1/accounts/relationships", **{"id[]": account})[0]
    return found


def by_uri(person: Person, uri: str) -> dict[str, str] | None:
    """A post in someone's home."""
    return next((status for status in person.home() if status["uri"] == uri), None)


def seen(person: Person, status: dict[str, str]) -> dict[str, object]:
    """A post as someone sees it now."""
    found: dict[str, object] = person.get(f"/api/v1/statuses/{status['id']}")
    return found


if __name__ == "__main__":
    sys.exit(play("two cities", scenario))
