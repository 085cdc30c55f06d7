"""A small city for tests of the rule cycle: people, a charter with short terms, a clock that is moved by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from parvis.base.db import Db, Reactions
from parvis.base.jobs import Job
from parvis.base.settings import Settings
from parvis.charter import actions as charter
from parvis.charter import model as charter_events
from parvis.ledger import actions as ledger
from parvis.moderation import model as moderation_events

EVENTS = [
    *(getattr(charter_events, name) for name in
      ("ProposalOpened", "ProposalLapsed", "VoteOpened", "VoteClosed", "Promulgated")),
    *(getattr(moderation_events, name) for name in
      ("Reported", "Decided", "MeasureTaken", "MeasureLifted", "Appealed", "AppealDecided",
       "DomainDecided", "DomainMeasured")),
]
SHORT = {"support_least": 2, "support_percent": 0, "quorum_least": 3, "quorum_percent": 0}


def document(**numbers: object) -> dict[str, Any]:
    """The provisional charter, with the thresholds of a village."""
    read = charter.document(charter.provisional())
    for article in read["articles"]:
        for name in article.get("parameters", {}):
            article["parameters"][name] = (SHORT | numbers).get(name, article["parameters"][name])
    return read


class City:
    """Raw SQL as the application (`app`), and as the owner only to found the charter and to move the clock."""

    def __init__(self, db: Db, owner: asyncpg.Connection[Any], app: asyncpg.Connection[Any], data: Path) -> None:
        self.db, self.owner, self.app = db, owner, app
        self.events: list[object] = []
        db.reactions = {event: Reactions(now=(self._note,)) for event in EVENTS}
        self.job = Job(db, None, Settings(data=data))  # type: ignore[arg-type]  # nothing here goes out

    async def _note(self, tx: object, event: object) -> None:
        self.events.append(event)

    async def found(self, **numbers: object) -> None:
        """Lay the charter."""
        await self.owner.fetchval("SELECT charter_found($1)", json.dumps(document(**numbers)))

    async def now(self) -> datetime:
        """This moment in the city."""
        moment: datetime = await self.owner.fetchval("SELECT parvis_now()")
        return moment

    async def advance(self, **span: float) -> None:
        """Move the clock, as only the owner can."""
        await self.owner.execute(
            'INSERT INTO clock_offset (ahead) VALUES ($1) ON CONFLICT (one) DO UPDATE SET ahead = clock_offset.ahead + $1',
            timedelta(**span),
        )
        self.db.clock.offset = await self.owner.fetchval("SELECT ahead FROM clock_offset")

    async def person(self, name: str, *, resident: bool = True, moderator: bool = False) -> int:
        """Someone who lives here."""
        uri = f"http://localhost/ap/users/{name}"
        account: int = await self.app.fetchval(
            "INSERT INTO accounts (username, uri, url) VALUES ($1, $2, $2) RETURNING id", name, uri
        )
        await self.app.execute(
            "INSERT INTO users (account_id, email, password_hash, role) VALUES ($1, $2, 'x', $3)",
            account, f"{name}@example.org", "moderator" if moderator else "resident",
        )
        if resident:
            await self.app.execute(
                "INSERT INTO residency.attestations (account_id, district, provider, valid_until)"
                " VALUES ($1, '11', 'operator', $2)", account, datetime(2100, 1, 1, tzinfo=UTC),
            )
        return account

    async def post(self, account: int, visibility: str = "public") -> int:
        """Someone says something."""
        status: int = await self.app.fetchval(
            "INSERT INTO statuses (account_id, uri, local, content, visibility, conversation_id)"
            " VALUES ($1, gen_random_uuid()::text, true, 'words', $2, 1) RETURNING id", account, visibility,
        )
        return status

    async def version(self, number: str) -> int:
        """The id of an article's version in force."""
        found: int = await self.owner.fetchval(
            "SELECT id FROM article_versions WHERE number = $1 AND in_force @> parvis_now()", number
        )
        return found

    async def sign(self) -> None:
        """Let the sequencer run until nothing waits."""
        while await ledger.sequence(self.job):
            pass

    async def turn(self) -> None:
        """Let proposals move, and the public record say so."""
        await charter.sweep(self.job)
        await self.sign()

    async def case(self, target: int) -> int:
        """A case on someone."""
        found: int = await self.app.fetchval(
            "WITH made AS (INSERT INTO cases (target_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id)"
            " SELECT id FROM made UNION ALL SELECT id FROM cases WHERE target_id = $1 AND closed_at IS NULL", target,
        )
        return found

    async def decide(self, by: int, target: int, level: int, article: int | None, **other: Any) -> int:
        """A decision by raw SQL."""
        columns = {
            "case_id": await self.case(target), "target_id": target, "level": level, "article_version_id": article,
            "facts": "What was seen.", "decided_by": by, **other,
        }
        names = ", ".join(columns)
        places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        made: int = await self.app.fetchval(
            f"INSERT INTO decisions ({names}) VALUES ({places}) RETURNING id", *columns.values()
        )
        return made

    async def measure(self, decision: int) -> None:
        """Let a decision take effect, by raw SQL."""
        await self.app.execute(
            "UPDATE statements_of_reasons SET delivered_at = now() WHERE decision_id = $1 AND delivered_at IS NULL", decision
        )
        await self.app.execute("INSERT INTO measures (decision_id) VALUES ($1)", decision)

    async def proposal(self, author: int, **columns: Any) -> int:
        """A proposal by raw SQL, with its author's support."""
        values = {"author_id": author, "title": "Titre", "text": "Texte.", "scope": "posts", "ceiling": 4, **columns}
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        made: int = await self.app.fetchval(
            f"INSERT INTO proposals ({', '.join(values)}) VALUES ({places}) RETURNING id", *values.values()
        )
        await self.support(made, author)
        return made

    async def support(self, proposal: int, *people: int) -> None:
        """Support by raw SQL."""
        await self.app.executemany(
            "INSERT INTO proposal_supports (proposal_id, account_id) VALUES ($1, $2)", [(proposal, who) for who in people]
        )

    async def cast(self, proposal: int, voter: int, text: int, status_quo: int) -> None:
        """A ballot by raw SQL."""
        await self.app.execute(
            "INSERT INTO ballots (box_id, voter, question_hash, grades)"
            " SELECT box_id, $2, question_hash, $3 FROM proposals WHERE id = $1"
            " ON CONFLICT (box_id, voter) DO UPDATE SET grades = $3",
            proposal, voter, json.dumps({"text": text, "status_quo": status_quo}),
        )


class _Refused:
    def __init__(self, *expected: str) -> None:
        self.expected = expected
        self.raises = pytest.raises(asyncpg.PostgresError)

    def __enter__(self) -> None:
        self.caught = self.raises.__enter__()

    def __exit__(self, *about: Any) -> bool:
        result = self.raises.__exit__(*about)
        error = self.caught.value
        said = {error.sqlstate, str(error.args[0]), getattr(error, "constraint_name", None)}
        assert set(self.expected) <= said, f"refused, but with {said}"
        return bool(result)


def refused(*expected: str) -> _Refused:
    """The statements inside are refused, with exactly this SQLSTATE, word or constraint."""
    return _Refused(*expected)


def by_rule(word: str) -> _Refused:
    """Refused by a trigger, with this word."""
    return _Refused("PV001", word)


def by_privilege() -> _Refused:
    """Refused because the application's role was never given that right."""
    return _Refused("42501")
