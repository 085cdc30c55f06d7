"""Two cities and a server made with Fedify, which other people wrote: everything that travels, in both directions."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from stage import PASSWORD, City, Failed, Person, cities, free_port, must, play, step, within
from two_cities import by_uri, relation, seen

HERE = Path(__file__).parent
NODE = str(Path(sys.executable).with_name("node"))
SOON = 15


class Foreign:
    """A server made with Fedify: it is told what its people do, and says what it received."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.log = folder / "fedify.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Foreign:
        began = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([NODE, str(HERE / "fedify.mjs"), str(self.port)], stdout=log, stderr=log)
        while b"Fedify serves" not in self.log.read_bytes():
            if self.process.poll() is not None or time.monotonic() - began > 60:
                raise Failed(f"Fedify did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        step(f"{self.origin} serves, with Fedify", time.monotonic() - began)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)

    def told(self, does: str, **what: Any) -> Any:
        """Have somebody there do something."""
        answer = requests.post(f"{self.origin}/told", json={"does": does, **what}, timeout=60)
        must(answer.status_code == 200, f"{does}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def received(self, kind: str, **named: str) -> Any:
        """The last activity of a type that came there, with these properties, each an id or what has that id."""
        for one in reversed(self.told("received")):
            if one["type"] == kind and all(identity(one.get(name)) == value for name, value in named.items()):
                return one
        return None


def identity(value: Any) -> str | None:
    """The id of what is named or written out."""
    return value.get("id") if isinstance(value, dict) else value


def scenario(folder: Path) -> None:
    """alice lives in the first city, bela in the second, fiona and frida on the server made with Fedify."""
    with cities(City(folder / "one"), City(folder / "two")) as (one, two), Foreign(folder) as far:
        alice, bela = one.person("alice"), two.person("bela")
        fiona = far.told("settle", by="fiona")
        step("alice, bela and fiona have settled")
        follows(alice, bela, far, fiona)
        posts(alice, bela, far, fiona)
        there = changes(alice, bela, far, fiona)
        quotes(alice, bela, far, fiona)
        moves(one.person("anna"), bela, far, fiona, there)


def follows(alice: Person, bela: Person, far: Foreign, fiona: dict[str, str]) -> None:
    """alice and fiona follow each other, and bela follows alice: fiona's server does not know his."""
    follow(alice, fiona["handle"])
    follow(bela, alice.handle)
    asked = far.told("follow", by="fiona", what=uri(alice))
    within(SOON, "fiona follows alice, who accepted", lambda: far.received("Accept", object=asked["id"]))
    within(SOON, "alice is told of fiona", lambda: alice.notified("follow", fiona["handle"]))


def follow(who: Person, handle: str) -> None:
    """Somebody in a city follows somebody elsewhere, who accepts."""
    number = who.find(handle)["id"]
    who.post(f"/api/v1/accounts/{number}/follow")
    within(SOON, f"{who.name} follows {handle}, who accepted", lambda: relation(who, number)["following"])


def posts(alice: Person, bela: Person, far: Foreign, fiona: dict[str, str]) -> None:
    """Posts and replies there and back; what fiona says to alice reaches bela by alice's city, with fiona's proof."""
    said = alice.post("/api/v1/statuses", status="Bonjour depuis la ville", visibility="public")
    within(SOON, "alice's post arrived at fiona's", lambda: far.received("Create", object=said["uri"]))
    copy = within(SOON, "and at bela's", lambda: by_uri(bela, said["uri"]))
    answer = far.told("post", by="fiona", text="Bonjour de plus loin", answers=said["uri"])
    back = within(SOON, "fiona's reply is under alice's post", lambda: under(alice, said["id"], answer["id"]))
    must(back["in_reply_to_id"] == said["id"], "the reply hangs elsewhere")
    within(SOON, "and in bela's city, to which alice's brought it", lambda: known(bela, answer["id"]))
    must(under(bela, copy["id"], answer["id"]), "there it hangs elsewhere")
    reply = alice.post("/api/v1/statuses", status=f"@{fiona['handle']} Merci !", in_reply_to_id=back["id"])
    came = within(SOON, "alice's reply to it arrived", lambda: far.received("Create", object=reply["uri"]))
    must(came["object"]["inReplyTo"] == answer["id"], "it answers something else")
    far.told("edit", by="fiona", id=answer["id"], text="Bonsoir de plus loin")
    within(SOON, "fiona's edit arrived at alice's", lambda: "Bonsoir" in seen(alice, back)["content"])
    must(len(alice.get(f"/api/v1/statuses/{back['id']}/history")) == 2, "the history of the edit is not two long")
    within(SOON, "and at bela's", lambda: "Bonsoir" in under(bela, copy["id"], answer["id"])["content"])
    far.told("remove", by="fiona", id=answer["id"])
    within(SOON, "fiona's reply is gone", lambda: under(alice, said["id"], answer["id"]) is None)
    within(SOON, "and in bela's city", lambda: under(bela, copy["id"], answer["id"]) is None)


def changes(alice: Person, bela: Person, far: Foreign, fiona: dict[str, str]) -> str:
    """Likes, boosts, edits and deletions, there and back; whom bela, who follows her from here on, knows fiona as."""
    follow(bela, fiona["handle"])
    said = alice.post("/api/v1/statuses", status="Bonjour encore", visibility="public")
    within(SOON, "alice's second post arrived at fiona's", lambda: far.received("Create", object=said["uri"]))
    liked = far.told("like", by="fiona", what=said["uri"])
    within(SOON, "fiona's like arrived", lambda: seen(alice, said)["favourites_count"] == 1)
    far.told("unlike", by="fiona", what=said["uri"], id=liked["id"])
    within(SOON, "and was taken back", lambda: seen(alice, said)["favourites_count"] == 0)
    boosted = far.told("boost", by="fiona", what=said["uri"])
    within(SOON, "fiona's boost arrived at alice's", lambda: seen(alice, said)["reblogs_count"] == 1)
    within(SOON, "and at bela's, who follows her", lambda: by_uri(bela, boosted["id"]))

    note = far.told("post", by="fiona", text="Le vent se lève")
    copy = within(SOON, "fiona's post arrived at alice's", lambda: by_uri(alice, note["id"]))
    alice.post(f"/api/v1/statuses/{copy['id']}/favourite")
    within(SOON, "alice's like arrived at fiona's", lambda: far.received("Like", object=note["id"], actor=uri(alice)))
    alice.post(f"/api/v1/statuses/{copy['id']}/unfavourite")
    within(SOON, "and was taken back", lambda: undone(far, "Like", note["id"]))
    alice.post(f"/api/v1/statuses/{copy['id']}/reblog")
    within(SOON, "alice's boost arrived at fiona's", lambda: far.received("Announce", object=note["id"], actor=uri(alice)))

    alice.ask("PUT", f"/api/v1/statuses/{said['id']}", status="Bonsoir depuis la ville")
    changed = within(SOON, "alice's edit arrived at fiona's", lambda: far.received("Update", object=said["uri"]))
    must("Bonsoir" in changed["object"]["content"], "it says something else")
    alice.ask("DELETE", f"/api/v1/statuses/{said['id']}")
    within(SOON, "fiona was told that alice's post is gone", lambda: far.received("Delete", object=said["uri"]))
    within(SOON, "and so was bela", lambda: by_uri(bela, said["uri"]) is None)
    there = bela.find(fiona["handle"])
    must(there["uri"] == fiona["id"], f"{fiona['handle']} is {there['uri']}")
    return str(there["id"])


def quotes(alice: Person, bela: Person, far: Foreign, fiona: dict[str, str]) -> None:
    """A quote is asked for and granted, in both directions; the third server believes it."""
    near = alice.post("/api/v1/statuses", status="Le marché ouvre", visibility="public", quote_approval_policy="public")
    quoting = far.told("quote", by="fiona", what=near["uri"], text="Voyez")
    agreed = within(SOON, "alice's city agrees to fiona's quote", lambda: far.received("Accept", object=quoting["request"]))
    far.told("publish", by="fiona", id=quoting["id"], agreement=identity(agreed["result"]))
    within(SOON, "fiona's quote is shown to bela, with what it quotes", lambda: quoted(bela, quoting["id"], near["uri"]))
    within(SOON, "and to alice", lambda: quoted(alice, quoting["id"], near["uri"]))

    note = far.told("post", by="fiona", text="La mer est calme")
    copy = within(SOON, "fiona's post arrived", lambda: by_uri(alice, note["id"]))
    made = alice.post("/api/v1/statuses", status="Regardez", quoted_status_id=copy["id"])
    within(SOON, "fiona was asked for a quote", lambda: far.received("QuoteRequest", object=note["id"], actor=uri(alice)))
    within(SOON, "she agreed, and alice's quote is shown", lambda: quoted(alice, made["uri"], note["id"]))
    within(SOON, "and to bela, whose city asked fiona's server", lambda: quoted(bela, made["uri"], note["id"]))


def moves(anna: Person, bela: Person, far: Foreign, fiona: dict[str, str], there: str) -> None:
    """fiona moves to frida, and bela follows; anna moves from her city to felix, and fiona is told."""
    frida = far.told("settle", by="frida", aliases=[fiona["id"]])
    far.told("move", by="fiona", to=frida["id"])
    new = within(SOON, "fiona moved: bela follows frida", lambda: following(bela, frida["handle"]))
    must(new["uri"] == frida["id"], "bela follows somebody else")
    must(bela.get(f"/api/v1/accounts/{there}")["moved"]["uri"] == frida["id"], "fiona is not shown as moved")

    asked = far.told("follow", by="frida", what=uri(anna))
    within(SOON, "frida follows anna", lambda: far.received("Accept", object=asked["id"]))
    felix = far.told("settle", by="felix", aliases=[uri(anna)])
    anna.post("/api/v1/profile/move", acct=felix["handle"], current_password=PASSWORD)
    told = within(SOON, "anna moved: frida was told", lambda: far.received("Move", actor=uri(anna)))
    must(identity(told["target"]) == felix["id"], "she moved elsewhere")
    within(SOON, "her profile says so as well", lambda: far.told("look", what=uri(anna)).get("moved") == felix["id"])


def uri(person: Person) -> str:
    """The ActivityPub id of somebody in a city."""
    found: str = person.get(f"/api/v1/accounts/{person.id}")["uri"]
    return found


def under(person: Person, status: str, wanted: str) -> Any:
    """A reply, where it hangs under a post."""
    below = person.get(f"/api/v1/statuses/{status}/context")["descendants"]
    return next((one for one in below if one["uri"] == wanted), None)


def known(person: Person, wanted: str) -> bool:
    """Does somebody's city know a post? It asks nobody."""
    return bool(person.get("/api/v2/search", q=wanted, type="statuses", resolve="false")["statuses"])


def undone(far: Foreign, kind: str, what: str) -> bool:
    """Did an Undo of such an activity come?"""
    undos = [one["object"] for one in far.told("received") if one["type"] == "Undo"]
    return any(isinstance(one, dict) and one["type"] == kind and identity(one["object"]) == what for one in undos)


def quoted(person: Person, quoting: str, what: str) -> bool:
    """Does somebody see a post with the one that it quotes?"""
    found = by_uri(person, quoting)
    quote: Any = found and found.get("quote")
    return bool(quote and quote["state"] == "accepted" and quote["quoted_status"]["uri"] == what)


def following(person: Person, handle: str) -> Any:
    """Whom somebody follows, by the handle."""
    found = person.get(f"/api/v1/accounts/{person.id}/following")
    return next((one for one in found if one["acct"] == handle), None)


if __name__ == "__main__":
    sys.exit(play("two cities and Fedify", scenario))
