"""One city for a whole module of tests, whose people's answers are held against the facts."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Mapping
from typing import Any

import asyncpg
from PIL import Image

from api.facts import faults, unlike
from conftest import Answer, Client, Person, settle_in
from parvis.access import actions as access
from parvis.api.operations import OPERATIONS
from parvis.app import App
from parvis.charter import actions as charter
from parvis.ledger import actions as ledger
from parvis.moderation import actions as moderation

A = "/api/v1/accounts"
S = "/api/v1/statuses"
PATTERNS = [(o, re.compile("[^/]+".join(map(re.escape, re.split(r"{\w+}", o.path))))) for o in OPERATIONS]
def picture(width: int = 64, height: int = 48) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 140, 90)).save(out, "PNG")
    return out.getvalue()


class Caller(Client):
    """Somebody whose successes are noted, and whose answers are held against the facts."""

    account: Any

    def __init__(self, app: App, succeeded: set[str], token: str | None = None) -> None:
        super().__init__(app, token)
        self._succeeded = succeeded

    async def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """One request, noted."""
        answer = await super().call(method, path, headers=headers, body=body)
        if answer.status == 200:
            target = path.partition("?")[0]
            found = [o for o, pattern in PATTERNS if o.method == method and pattern.fullmatch(target)]
            literal = [o for o in found if o.path == target]
            self._succeeded |= {o.name for o in literal or found}
            if answer.headers.get("content-type", "").startswith("application/json"):
                assert [fault for o in literal or found for fault in unlike(o.name, answer.json())] == []
        return answer

    async def ask(self, kind: str | None, method: str, path: str, **given: Any) -> Any:
        """A request that must succeed, and whose answer must be of this kind: `Status`, `[Status]`, None for any."""
        answer = await self.send(method, path, **given)
        assert answer.status == 200, (method, path, answer.text)
        made = answer.json()
        if kind is not None:
            rows = made if kind.startswith("[") else [made]
            assert [fault for row in rows for fault in faults(kind.strip("[]"), row)] == [], path
        return made

    async def refusal(self, method: str, path: str, **given: Any) -> tuple[int, str]:
        """A request that must fail: with which code and words."""
        answer = await self.send(method, path, **given)
        assert faults("Error", answer.json()) == []
        return answer.status, answer.json()["error"]

    async def say(self, text: str = "Hello", **more: object) -> Any:
        """Publish something."""
        return await self.ask("Status", "POST", "/api/v1/statuses", json={"status": text, **more})


class Town:
    """One city for the module, with a charter of few thresholds; each test has people of its own."""

    def __init__(self, app: App, owner: asyncpg.Connection[Any]) -> None:
        self.app, self.owner = app, owner
        self.succeeded: set[str] = set()
        self.stranger = Caller(app, self.succeeded)

    async def person(self, name: str, role: str = "resident") -> Caller:
        """Somebody new, whose name begins so."""
        made: Person = await settle_in(self.app, f"{name}_{uuid.uuid4().hex[:12]}", role)
        caller = Caller(self.app, self.succeeded, made.token)
        caller.account = made.account
        return caller

    async def people(self, *names: str) -> list[Caller]:
        """Several."""
        return [await self.person(name) for name in names]

    async def with_scopes(self, *scopes: str) -> Caller:
        """Somebody whose token allows only this much."""
        someone = await self.person("narrow")
        async with self.app.db.write() as tx:
            someone.token, _ = await access.issue(tx, someone.account.id, scopes, None)
        return someone

    async def turn(self) -> None:
        """Let the worker's clockwork turn once."""
        for work in (charter.sweep, ledger.sequence, moderation.execute, moderation.lift):
            await work(self.app.job)
