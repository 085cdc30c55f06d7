"""Other servers in this process: a port each, people whose key is the same, inboxes that write down what arrives and when."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import aiohttp
import msgspec
import requests
from aiohttp import web
from stage import must

from parvis.federation import signatures

JSON = "application/activity+json"
CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"]
IN_FLIGHT = 3.0
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


class Neighbours:
    """So many servers; `heard` has, by the server and the id of a post, when it came and under which activity.

    An inbox answers after `pause` seconds.
    """

    def __init__(self, many: int, pause: float = 0.0) -> None:
        self.pause = pause
        self.key, self.pem = signatures.new_key()
        self.private = signatures.load_private(self.key)
        self.heard: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
        self.origins: list[str] = []
        self.answering: set[asyncio.Future[None]] = set()
        opened = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(many, opened)), daemon=True).start()
        must(opened.wait(30), "the neighbours do not listen")

    async def _serve(self, many: int, opened: threading.Event) -> None:
        app = web.Application()
        app.router.add_get("/people/{name}", self._actor)
        app.router.add_get("/.well-known/webfinger", self._finger)
        app.router.add_post("/inbox", self._inbox)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        for _ in range(many):
            await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.origins = [f"http://127.0.0.1:{port}" for _, port in runner.addresses]
        opened.set()
        await asyncio.Event().wait()

    async def _actor(self, request: web.Request) -> web.Response:
        base, name = f"http://{request.host}", request.match_info["name"]
        uri = f"{base}/people/{name}"
        return web.json_response({
            "@context": CONTEXT, "id": uri, "type": "Person", "preferredUsername": name, "inbox": f"{base}/inbox",
            "outbox": f"{uri}/outbox", "followers": f"{uri}/followers",
            "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": self.pem},
        }, content_type=JSON)

    async def _finger(self, request: web.Request) -> web.Response:
        name = request.query["resource"].removeprefix("acct:").partition("@")[0]
        links = [{"rel": "self", "type": JSON, "href": f"http://{request.host}/people/{name}"}]
        return web.json_response({"subject": f"acct:{name}@{request.host}", "links": links})

    async def _inbox(self, request: web.Request) -> web.Response:
        activity = msgspec.json.decode(await request.read())
        if activity["type"] == "Create":
            self.heard[request.host, activity["object"]["id"]].append((time.time(), activity["id"]))
        elif activity["type"] == "Follow":
            self.answering.add(asyncio.ensure_future(self._accept(activity)))
        await asyncio.sleep(self.pause)
        return web.Response(status=202)

    async def _accept(self, follow: Mapping[str, Any]) -> None:
        actor, inbox = follow["object"], f"{follow['actor']}/inbox"
        accept = {"id": f"{actor}/accepts/{len(self.answering)}", "type": "Accept", "object": follow}
        headers, body = self.signed(actor, inbox, accept)
        async with aiohttp.ClientSession() as http, http.post(inbox, data=body, headers=headers):
            pass

    def signed(self, actor: str, inbox: str, activity: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """The headers and the body with which somebody's activity is brought to an inbox."""
        body = msgspec.json.encode({"@context": CONTEXT[0], "actor": actor, **activity})
        headers = {"Content-Type": JSON}
        signer = signatures.Signer(self.private, f"{actor}#main-key")
        return headers | signatures.sign(signer, "POST", inbox, headers, body, datetime.now(UTC)), body

    def note(self, actor: str, number: str, content: str, named: str = "") -> dict[str, Any]:
        """The Create of a public post, which may name somebody."""
        uri, to = f"{actor}/notes/{number}", [PUBLIC, *([named] if named else [])]
        tags = [{"type": "Mention", "href": named, "name": named}] if named else []
        note = {"id": uri, "type": "Note", "attributedTo": actor, "content": f"<p>{content}</p>", "to": to, "tag": tags,
                "cc": [f"{actor}/followers"], "published": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        return {"id": f"{uri}/create", "type": "Create", "to": to, "cc": note["cc"], "object": note}

    def follow(self, target: str) -> None:
        """One person of every server follows somebody."""
        for origin in self.origins:
            actor = f"{origin}/people/rec"
            headers, body = self.signed(actor, f"{target}/inbox", {"id": f"{origin}/follows/1", "type": "Follow", "object": target})
            answer = requests.post(f"{target}/inbox", data=body, headers=headers, timeout=10)
            must(answer.status_code == 202, f"a follow was answered {answer.status_code}")

    def arrived(self) -> int:
        """How many posts arrived at how many servers, each counted once."""
        return len(self.heard)

    def check_repeats(self, moments: Sequence[float]) -> int:
        """How many came again: each with the same activity id, and the first in flight when something failed."""
        repeated = 0
        for (host, uri), times in list(self.heard.items()):
            must(len({activity for _, activity in times}) == 1, f"{uri} came to {host} under different activity ids")
            for (before, _), _ in pairwise(times):
                repeated += 1
                must(any(-IN_FLIGHT < before - moment < IN_FLIGHT for moment in moments), f"{uri} was repeated without need")
        return repeated
