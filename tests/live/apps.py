"""Ordinary apps, unchanged from PyPI: Mastodon.py and toot sign in through the real authorize page, and do the usual."""

from __future__ import annotations

import html
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from mastodon import Mastodon
from PIL import Image
from stage import PASSWORD, City, Failed, cities, must, play, step, within

OOB = "urn:ietf:wg:oauth:2.0:oob"
SCOPES = ["read", "write", "follow", "push"]
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
    """alice uses Mastodon.py, chloe uses toot; bela lives on another server."""
    with cities(City(folder / "here"), City(folder / "there")) as (here, there):
        bela = there.person("bela")
        for name in ("alice", "chloe"):
            here.run("account", "create", name, "--email", f"{name}@example.org", "--password", PASSWORD, "--confirmed")
        step("alice and chloe live here, bela there")
        alice = mastodon_py(here, bela.handle, folder)
        toot(here, alice, bela.handle, folder)


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
    run("delete", str(made.id))
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
    sys.exit(play("toot and Mastodon.py", scenario))
