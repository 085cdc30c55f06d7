"""Ordinary clients, unchanged from PyPI and npm: each signs in through the real authorize page and lives through a day."""

from __future__ import annotations

import base64
import html
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mastodon import Mastodon, StreamListener
from PIL import Image
from stage import PASSWORD, City, Failed, cities, must, play, step, within

OOB = "urn:ietf:wg:oauth:2.0:oob"
SCOPES = ["read", "write", "follow", "push"]
HERE = Path(__file__).parent
NODE = str(Path(sys.executable).with_name("node"))
TOOT = str(Path(sys.executable).with_name("toot"))


class Browser:
    """A browser without JavaScript: it keeps cookies, and fills in and sends the forms it is shown."""

    def __init__(self) -> None:
        self.http = requests.Session()
        self.page: requests.Response | None = None

    def open(self, url: str) -> str:
        """Go to a page."""
        self.page = self.http.get(url, timeout=30)
        must(self.page.status_code == 200, f"{url}: {self.page.status_code}")
        return self.page.text

    def send(self, action: str, **typed: str) -> str:
        """Fill in the form with this action, as its hidden fields say and as typed, and send it."""
        assert self.page is not None
        for form in re.finditer(r"<form[^>]*>.*?</form>", self.page.text, re.DOTALL):
            where = re.search(r'action="([^"]*)"', form[0])
            if where and html.unescape(where[1]).startswith(action):
                fields = dict(hidden(form[0]))
                url = urljoin(self.page.url, html.unescape(where[1]))
                self.page = self.http.post(url, data=fields | typed, headers={"Referer": self.page.url}, timeout=30)
                must(self.page.status_code == 200, f"{action}: {self.page.status_code} {self.page.text[:300]}")
                return self.page.text
        raise Failed(f"{self.page.url} shows no form {action}")


def hidden(form: str) -> list[tuple[str, str]]:
    """The hidden fields of a form."""
    found = []
    for tag in re.findall(r"<input[^>]*>", form):
        values = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if values.get("type") == "hidden":
            found.append((html.unescape(values["name"]), html.unescape(values.get("value", ""))))
    return found


def allow(url: str, login: str) -> str:
    """Open the authorize page, sign in, allow; the code it shows."""
    browser = Browser()
    page = browser.open(url)
    if 'name="password"' in page:
        page = browser.send("/auth/sign_in", email=login, password=PASSWORD)
    must("<code" in page, "the authorize page does not say what is asked")
    page = browser.send("/oauth/authorize", decision="allow")
    code = re.search(r'<code class="code-out">([^<]+)</code>', page)
    must(code, "no code is shown")
    assert code
    return html.unescape(code[1])


def picture(colour: str) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (320, 200), colour).save(out, "PNG")
    return out.getvalue()


def scenario(folder: Path) -> None:
    """alice uses Mastodon.py, chloe toot, david masto, emma megalodon; bela lives on another server."""
    with cities(City(folder / "here"), City(folder / "there")) as (here, there):
        bela = there.person("bela")
        for name in ("alice", "chloe", "david", "emma"):
            here.run("account", "create", name, "--email", f"{name}@example.org", "--password", PASSWORD, "--confirmed")
        step("alice, chloe, david and emma live here, bela there")
        alice = mastodon_py(here, bela.handle, folder)
        a_whole_day(alice, here)
        toot(here, alice, bela.handle, folder)
        for client, name in (("masto", "david"), ("megalodon", "emma")):
            by_node(here, client, name, alice, folder)


def mastodon_py(here: City, stranger: str, folder: Path) -> Mastodon:
    """Mastodon.py: register, log in, post with a picture, and all the rest."""
    client_id, secret = Mastodon.create_app("live test", scopes=SCOPES, redirect_uris=OOB, api_base_url=here.origin)
    alice = Mastodon(client_id=client_id, client_secret=secret, api_base_url=here.origin)
    code = allow(alice.auth_request_url(redirect_uris=OOB, scopes=SCOPES, allow_http=True), "alice@example.org")
    alice.log_in(code=code, redirect_uri=OOB, scopes=SCOPES, allow_http=True)
    must(alice.account_verify_credentials().acct == "alice", "Mastodon.py is signed in as somebody else")
    step("Mastodon.py: registered, and logged in through the authorize page")
    found = alice.search_v2(f"@{stranger}", resolve=True, result_type="accounts").accounts
    must(found and found[0].acct == stranger, "the remote handle is not found")
    alice.account_follow(found[0].id)
    within(10, "Mastodon.py: found a remote handle and follows it",
           lambda: alice.account_relationships(found[0].id)[0].following)
    media = alice.media_post(picture("#3a7d44"), mime_type="image/png", description="Un carré vert.")
    post = alice.status_post("Le parc, ce matin. #jardins", media_ids=[media.id], visibility="public", language="fr")
    must(post.media_attachments[0].description == "Un carré vert." and post.media_attachments[0].blurhash, "the picture")
    reply = alice.status_reply(post, "Et ce soir ?")
    must(reply.in_reply_to_id == post.id, "the reply")
    must(alice.status_favourite(post.id).favourited, "the favourite")
    must(alice.status_reblog(post.id).reblog.id == post.id, "the reblog")
    must(any(status.id == post.id for status in alice.timeline_home()), "the home timeline")
    must(alice.notifications() == [], "notifications of one's own deeds")
    must(alice.instance_v2().domain == here.domain, "the instance")
    alice.status_delete(reply.id)
    step("Mastodon.py: post with a picture, reply, favourite, reblog, home, notifications, delete")
    return alice


class Ear(StreamListener):
    """Keeps the ids of posts that come by a stream."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_update(self, status: Any) -> None:
        """Something was posted."""
        self.heard.append(str(status.id))


def a_whole_day(alice: Mastodon, here: City) -> None:
    """Mastodon.py: what is rarer than posting."""
    ear = Ear()
    line = alice.stream_user(ear, run_async=True)
    until(lambda: alice.status_post("On écoute.") and time.sleep(0.2) is None and ear.heard)
    line.close()
    must(ear.heard, "nothing came by the stream")
    asked = alice.status_post("Tilleul ou menthe ?", poll=alice.make_poll(["tilleul", "menthe"], expires_in=3600))
    must([option.title for option in asked.poll.options] == ["tilleul", "menthe"], "the poll")
    step("Mastodon.py: hears by the stream what is posted; asks by a poll")
    sieve = alice.create_filter_v2("Sans menthe", ["home"], "warn", keywords_attributes=[{"keyword": "menthe"}])
    must(any(one.id == sieve.id for one in alice.filters_v2()), "the filter")
    must(next(one for one in alice.timeline_home() if one.id == asked.id).filtered, "the filter does not show on the home timeline")
    lane = alice.list_create("Rue")
    must(any(one.id == lane.id for one in alice.lists()), "the list")
    later = alice.status_post("Demain.", scheduled_at=datetime.now(UTC) + timedelta(hours=1))
    must([one.id for one in alice.scheduled_statuses()] == [later.id], "the scheduled post")
    alice.scheduled_status_delete(later.id)
    must(any(one.id == asked.id for one in alice.search_v2("tilleul", result_type="statuses").statuses), "the search")
    step("Mastodon.py: filters, lists, scheduled posts, search")
    _, keys = alice.push_subscription_generate_keys()
    pushed = alice.push_subscription_set("https://push.example/alice", keys, mention_events=True)
    must(pushed.endpoint == "https://push.example/alice", "the push subscription")
    alice.push_subscription_delete()
    first = alice.status_post("Un banc est libre.")
    must(alice.status_update(first.id, "Un banc est pris.").edited_at, "the edit")
    quoting = alice.status_post("À lire :", quoted_status_id=first.id)
    must(quoting.quote.quoted_status.id == first.id, "the quote")
    alice.status_bookmark(first.id)
    must([one.id for one in alice.bookmarks()] == [first.id], "the bookmark")
    step("Mastodon.py: a push subscription, edit, quote, bookmark")


def by_node(here: City, client: str, name: str, friend: Mastodon, folder: Path) -> None:
    """A client for JavaScript: it is given the token that its owner got on the authorize page."""
    client_id, secret = Mastodon.create_app(client, scopes=SCOPES, redirect_uris=OOB, api_base_url=here.origin)
    app = Mastodon(client_id=client_id, client_secret=secret, api_base_url=here.origin)
    code = allow(app.auth_request_url(redirect_uris=OOB, scopes=SCOPES, allow_http=True), f"{name}@example.org")
    token = app.log_in(code=code, redirect_uri=OOB, scopes=SCOPES, allow_http=True)
    key = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": base64.urlsafe_b64encode(key).decode(), "auth": base64.urlsafe_b64encode(os.urandom(16)).decode()}
    given = {
        "origin": here.origin, "token": token, "other": friend.access_token, "folder": str(folder),
        "picture": base64.b64encode(picture("#27408b")).decode(), "push": {"endpoint": "https://push.example/node", "keys": keys},
    }
    done = subprocess.run([NODE, str(HERE / f"{client}.mjs"), json.dumps(given)], capture_output=True, text=True, timeout=120, check=False)
    for line in done.stdout.splitlines():
        step(line)
    must(done.returncode == 0, f"{client}: {done.stderr[-2000:]}")


def toot(here: City, alice: Mastodon, stranger: str, folder: Path) -> None:
    """toot: the same by its commands."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "toot"), "HOME": str(folder), "NO_COLOR": "1"}

    def run(*arguments: str) -> str:
        done = subprocess.run([TOOT, "--no-color", *arguments], env=environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        must(done.returncode == 0, f"toot {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    log_in(here, environment)
    must("chloe" in run("whoami"), "toot is signed in as somebody else")
    step("toot: registered, and logged in through the authorize page")
    image = folder / "market.png"
    image.write_bytes(picture("#c2811f"))
    run("post", "Samedi, des fraises. @alice", "--media", str(image), "--description", "Un carré orange.")
    made = until(lambda: next((s for s in alice.timeline_public() if s.account.acct == "chloe"), None))
    must(made and made.media_attachments[0].description == "Un carré orange.", "toot's post with a picture")
    theirs = next(s for s in alice.timeline_public() if s.account.acct == "alice")
    run("post", "Je viens !", "--reply-to", str(theirs.id))
    run("favourite", str(theirs.id))
    run("reblog", str(theirs.id))
    run("follow", "alice")
    must(stranger in run("search", f"@{stranger}", "--resolve"), "toot does not find the remote handle")
    run("follow", stranger)
    must("Samedi, des fraises" in run("timelines", "home", "--no-pager", "--no-clear"), "toot's home timeline")
    alice.status_favourite(made.id)
    must("alice" in run("notifications"), "toot's notifications")
    kinds = {n.type for n in alice.notifications()}
    must({"mention", "favourite", "reblog", "follow"} <= kinds, f"alice was told of {kinds} only")
    run("post", "Pain ou brioche ?", "--poll-option", "pain", "--poll-option", "brioche")
    run("bookmark", str(theirs.id))
    must("alice" in run("bookmarks"), "toot's bookmarks")
    run("lists", "create", "Voisins")
    must("Voisins" in run("lists", "list"), "toot's lists")
    run("post", "Demain.", "--scheduled-in", "1 hour")
    run("delete", str(made.id))
    step("toot: a poll, bookmarks, lists, a scheduled post; it knows no streams, filters, push, edits or quotes")
    step("toot: post with a picture, reply, favourite, reblog, follow, search, home, notifications, delete")


def log_in(here: City, environment: dict[str, str]) -> None:
    """toot prints the address of the authorize page and waits for the code."""
    process = subprocess.Popen([TOOT, "--no-color", "login", "--instance", here.origin], env=environment, text=True, bufsize=1,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdin and process.stdout
    said = ""
    while "/oauth/authorize" not in said:
        line = process.stdout.readline()
        must(line, f"toot login ended: {said}")
        said += line
    url = re.search(r"http://\S+/oauth/authorize\S*", said)
    assert url
    process.stdin.write("n\n" + allow(url[0], "chloe@example.org") + "\n")
    process.stdin.close()
    rest = process.stdout.read()
    must(process.wait(30) == 0, f"toot login: {said}{rest}")


def until(ready: Callable[[], Any], seconds: float = 10) -> Any:
    """Ask until there is an answer."""
    deadline = time.monotonic() + seconds
    while not (found := ready()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


if __name__ == "__main__":
    sys.exit(play("toot, Mastodon.py, masto and megalodon", scenario))
