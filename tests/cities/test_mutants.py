"""What Parvis itself sends, changed at random and signed rightly by somebody known: the inbox and the worker bear it, and nobody else's things change."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from cities.harness import Cities, City, Network, found, raze
from cities.test_follow import following
from cities.test_hostile import NORD
from cities.test_quotes import quote, say
from parvis.accounts import actions as accounts
from parvis.accounts.model import Account, ProfileEdit
from parvis.base.http import Request, Response
from parvis.federation import fetch, jsonld, vocabulary
from parvis.polls.model import NewPoll
from parvis.statuses import actions as statuses
from parvis.statuses.model import Draft, Revision, Status

EXAMPLES = 150
REFUSALS = (400, 401, 403, 413)
KINDS = {"Create", "Update", "Delete", "Announce", "Like", "Follow", "Undo", "Accept", "Reject", "Block", "QuoteRequest"}
# All that is known here of who does not live in Süd, and between two who do not: a mark of each row.
ELSEWHERE = "SELECT id FROM accounts WHERE uri NOT LIKE 'https://sued.example/%'"
CENSUS = f"""
    SELECT 'account', a.uri, md5((to_jsonb(a) - 'fetched_at' - 'version')::text) FROM accounts a WHERE a.id IN ({ELSEWHERE})
    UNION ALL SELECT 'post', s.uri, md5(s::text) FROM statuses s WHERE s.account_id IN ({ELSEWHERE})
    UNION ALL SELECT 'follow', f.id::text, md5(f::text) FROM follows f WHERE f.account_id IN ({ELSEWHERE}) AND f.target_id IN ({ELSEWHERE})
    UNION ALL SELECT 'block', b.id::text, md5(b::text) FROM blocks b WHERE b.account_id IN ({ELSEWHERE})
    UNION ALL SELECT 'favourite', f.id::text, md5(f::text) FROM favourites f WHERE f.account_id IN ({ELSEWHERE})
    UNION ALL SELECT 'media', m.id::text, md5(m::text) FROM media m WHERE m.account_id IN ({ELSEWHERE})
    UNION ALL SELECT 'poll', p.id::text, md5((o.title, o.choice)::text) FROM polls p JOIN poll_options o ON o.poll_id = p.id
              WHERE p.account_id IN ({ELSEWHERE})
    UNION ALL SELECT 'vote', v.id::text, md5(v::text) FROM poll_votes v WHERE v.account_id IN ({ELSEWHERE})
    UNION ALL SELECT 'quote', q.status_id::text, md5(q::text) FROM quotes q
              WHERE q.account_id IN ({ELSEWHERE}) AND q.quoted_account_id IN ({ELSEWHERE})
    UNION ALL SELECT 'edit', e.id::text, md5(e::text) FROM status_edits e JOIN statuses s ON s.id = e.status_id
              WHERE s.account_id IN ({ELSEWHERE})"""


class World(Network):
    """Besides the cities every other server is there, too, and has nothing: what is not there is no reason to try again."""

    async def send(self, request: Request) -> Response:
        """One request."""
        if urlsplit(request.url).netloc not in self.hosts:
            return Response(404, request.url, {}, b"")
        return await super().send(request)


class Square:
    """Nord with Alice, Süd with Bela who sends, Ost with Chloe; kept on one event loop for the whole module."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.real: list[dict[str, Any]] = []
        self.number = 0
        self.runner.run(self._open(server, folder))

    async def _open(self, server: Any, folder: Path) -> None:
        self.server, self.network = server, World()
        cities = [await found(server, self.network, f"{name}.example", folder) for name in ("nord", "sued", "ost")]
        self.nord, self.sued, self.ost = cities
        self.cities = Cities(self.network, cities)
        self.owner: asyncpg.Connection[Any] = await asyncpg.connect(self.nord.owner_url)
        self.alice, self.bela, self.chloe = await self.nord.person("alice"), await self.sued.person("bela"), await self.ost.person("chloe")
        bela_here, self.alice_there = await following(self.cities, self.nord, self.alice, self.sued, self.bela)
        await following(self.cities, self.nord, self.alice, self.ost, self.chloe)
        await following(self.cities, self.ost, self.chloe, self.nord, self.alice)
        self.bela_id = bela_here.id
        self.mine = await say(self.nord, self.alice, "La mienne")
        self.asked = await self._ask(self.nord, self.alice, "Quoi ?")
        theirs = await self.ost.post(self.chloe, "D'Ost")
        await self.cities.settle()
        copy_here = await self.nord.copy(theirs)
        assert copy_here
        await self.nord.do(statuses.favourite, self.alice, copy_here.id)
        await quote(self.ost, self.chloe, await self._here(self.ost, self.mine))
        await self.cities.settle()
        self.theirs = theirs
        self.ids = [self.alice.uri, self.chloe.uri, self.mine.uri, self.asked.uri, theirs.uri, f"{self.bela.uri}/statuses/1",
                    f"{self.alice.uri}/followers", self.bela.uri, f"{self.bela.uri}/followers", vocabulary.PUBLIC]
        await self._collect()

    async def _here(self, city: City, status: Status) -> Status:
        known = await city.copy(status)
        assert known is not None
        return known

    async def _ask(self, city: City, by: Account, text: str) -> Status:
        poll = NewPoll(options=("Oui", "Non"), multiple=True, expires_at=city.clock.now().replace(year=2090))
        draft = Draft(content=f"<p>{text}</p>", text=text, visibility="public", poll=poll)
        return await city.do(statuses.publish, by, draft)

    async def _collect(self) -> None:
        """Bela and Dora do in Süd all that can be done, and what was sent is kept."""
        sued, bela, alice = self.sued, self.bela, self.alice_there
        dora = await sued.person("dora", locked=True)
        await following(self.cities, self.nord, self.alice, sued, dora)
        mine, asked = await sued.meet("alice@nord.example"), await self._here_or_fetch(self.asked)
        await sued.do(accounts.reject_follow, dora, alice)
        await sued.do(accounts.follow, bela, mine)
        known = await self._here_or_fetch(self.mine)
        first = await sued.post(bela, "Bonjour @alice@nord.example, à la #fête", reply_to=known)
        await sued.post(bela, "Entre nous, @alice@nord.example", "direct")
        await self._ask(sued, bela, "Qui vient ?")
        await sued.do(statuses.favourite, bela, known.id)
        await sued.do(statuses.reblog, bela, known.id)
        await quote(sued, bela, known)
        poll = await sued.value("SELECT id FROM polls WHERE status_id = $1", asked.id)
        await sued.do(statuses.vote, bela, poll, [0])
        await self.cities.settle()
        await sued.do(statuses.edit, bela, first.id, Revision(content="<p>Bonsoir</p>", text="Bonsoir"))
        await sued.do(accounts.edit_profile, bela, ProfileEdit(display_name="Béla"))
        await sued.do(statuses.unfavourite, bela, known.id)
        await sued.do(statuses.unreblog, bela, known.id)
        await self.cities.settle()
        await sued.do(statuses.delete, bela, first.id)
        await sued.do(accounts.unfollow, bela, mine)
        await sued.do(accounts.block, dora, mine)
        await self.cities.settle()
        for body in await sued.value("SELECT array_agg(body ORDER BY id) FROM outgoing"):
            self.real.append(msgspec.json.decode(body.replace(dora.uri.encode(), bela.uri.encode())))
        assert {one["type"] for one in self.real} >= KINDS

    async def _here_or_fetch(self, status: Status) -> Status:
        known = await self.sued.copy(status)
        return known or await fetch.status(self.sued.job, status.uri)

    async def begin(self) -> None:
        """As it was before the example before."""
        self.number += 1
        await self.owner.execute("DELETE FROM inbox_refusals; DELETE FROM inbox_items; DELETE FROM inbox_hosts; DELETE FROM tombstones")
        await self.owner.execute("DELETE FROM blocks WHERE account_id = $1", self.bela_id)
        await self.owner.execute(
            """INSERT INTO follows (account_id, target_id, accepted) VALUES ($1, $2, true)
               ON CONFLICT (account_id, target_id) DO UPDATE SET accepted = true""", self.alice.id, self.bela_id)

    async def rows(self) -> dict[tuple[str, str, str], int]:
        counted: dict[tuple[str, str, str], int] = {}
        for row in await self.owner.fetch(CENSUS):
            counted[tuple(row)] = counted.get(tuple(row), 0) + 1
        return counted

    async def brought(self, *documents: Any) -> list[int]:
        """Bring them, and let Nord work until nothing is left to do; what was answered."""
        answers = [(await self.cities.deliver(NORD, document, self.bela)).status for document in documents]
        for _ in range(60):
            if 202 not in answers or not await self.nord.work():
                return answers
        raise AssertionError("Nord does not come to rest")

    async def check(self, before: dict[tuple[str, str, str], int]) -> None:
        """Nothing of those elsewhere has changed, and nothing failed."""
        after = await self.rows()
        assert (before.items() - after.items(), after.items() - before.items()) == (set(), set())
        assert await self.failing() == []

    async def failing(self) -> list[Any]:
        """What waits to be tried again, or was given up."""
        left = await self.owner.fetch("SELECT 'inbox', host, convert_from(body, 'UTF8') FROM inbox_items")
        left += await self.owner.fetch("SELECT 'job', entrypoint, status::text FROM pgqueuer WHERE status <> 'queued' OR attempts > 0")
        return [tuple(row) for row in left]

    def close(self) -> None:
        async def leave() -> None:
            await self.owner.close()
            for city in self.cities.all:
                await raze(self.server, city)

        self.runner.run(leave())
        self.runner.close()


@pytest.fixture(scope="module")
def square(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Square]:
    made = Square(server, tmp_path_factory.mktemp("square"))
    yield made
    made.close()


Place = tuple[Any, Any]


def places(value: Any) -> list[Place]:
    """Everything in a document: what holds it, and under which key."""
    inner = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [place for key, part in inner for place in ((value, key), *places(part))]


junk = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20),
    st.sampled_from(["", "\x00", "a\x00b", "x" * 5_000, "é" * 2_000, [], {}, [[]], {"id": None}, "2026-13-45", "javascript:alert(1)",
                     "https://", "https://[::1", "acct:alice@nord.example", "9" * 400, "<script>", "\u202e", "\U0010ffff"]),
)
TYPES = ["Person", "Note", "Question", "Article", "Image", "Tombstone", "Collection", "QuoteAuthorization", "EmojiReact", "Flag", *sorted(KINDS)]


FAULTS = ("junk", "id", "type", "drop", "name", "list", "deep", "long", "copy", "fresh")
NAMES = ("object", "actor", "id", "type", "to", "instrument", "attributedTo", "inReplyTo", "@graph", "content", "x")


@st.composite
def mutants(draw: st.DrawFn, real: list[dict[str, Any]], ids: list[str], number: int) -> dict[str, Any]:
    """Something that Parvis sent, with a few things changed in it."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    found = copy.deepcopy(draw(st.sampled_from([one for one in real if one["type"] == kind])))
    found["id"] = f"{found['id']}-{number}"
    for _ in range(draw(st.sampled_from([1, 1, 2, 4]))):
        everywhere = places(found)
        if not everywhere:
            break
        holder, key = draw(st.sampled_from(everywhere))
        fault = draw(st.sampled_from(FAULTS))
        if fault == "drop":
            del holder[key]
        elif fault == "name" and isinstance(holder, dict):
            holder[draw(st.sampled_from(NAMES))] = holder.pop(key)
        elif fault == "copy":
            holder[key] = copy.deepcopy(found)
        elif fault == "id":
            holder[key] = draw(st.sampled_from(ids))
        else:
            holder[key] = changed(draw, fault, holder[key], number)
    return found


def changed(draw: st.DrawFn, fault: str, value: Any, number: int) -> Any:
    """A value after something went wrong with it."""
    if fault == "long" and isinstance(value, str | list):
        return value * (300 if len(value) < 1_000 else 2)  # it may be made longer more than once
    if fault == "fresh" and isinstance(value, str):
        return f"{value}-{number}"
    if fault == "type":
        return draw(st.sampled_from(TYPES))
    if fault == "deep":
        return nested(value, draw(st.integers(1, 25)))
    return [value, draw(junk)] if fault == "list" else draw(junk)


def nested(value: Any, times: int) -> Any:
    for _ in range(times):
        value = {"id": value} if times % 2 else [value]
    return value


def swapped(real: dict[str, Any], ids: list[str]) -> Iterator[dict[str, Any]]:
    """The same with one address in it replaced by another's, each by each; to whom it is addressed is left alone."""
    for number, (holder, key) in enumerate(places(real)):
        own = holder[key]
        telling = isinstance(holder, dict) and holder.get("type") not in ("Mention", "Hashtag", "Collection")
        if telling and isinstance(own, str) and own.startswith("https://"):
            for place, uri in enumerate(ids):
                holder[key] = uri
                made = copy.deepcopy(real)
                holder[key] = own
                yield made if holder is real and key == "id" else made | {"id": f"{real['id']}-{number}-{place}"}


def leaves(document: Any, actor: str) -> bool:
    """Does this say that the sender herself is gone? She is needed for the next examples."""
    return jsonld.kind(document) == "Delete" and jsonld.reference(document.get("object")) == actor


def test_what_was_really_sent_is_taken(square: Square) -> None:
    async def check() -> None:
        for document in square.real:
            await square.begin()
            fresh = document | {"id": f"{document['id']}-again"}
            assert await square.brought(fresh) == [202]
            assert await square.owner.fetch("SELECT reason FROM inbox_refusals") == []
            assert await square.failing() == []

    square.runner.run(check())


def test_nobody_reaches_anothers_things_by_naming_them(square: Square) -> None:
    others = [square.alice.uri, square.chloe.uri, square.mine.uri, square.theirs.uri]

    async def check() -> int:
        before, tried = await square.rows(), 0
        kinds = {(one["type"], jsonld.kind(one["object"]) if isinstance(one["object"], dict) else ""): one for one in square.real}
        for document in kinds.values():
            await square.begin()
            made = list(swapped({name: part for name, part in document.items() if name != "@context"}, others))
            assert set(await square.brought(*made)) <= {202, *REFUSALS}
            await square.check(before)
            tried += len(made)
        return tried

    assert square.runner.run(check()) > 200


def test_no_mutant_does_harm(square: Square) -> None:
    seen: list[int] = []
    before = square.runner.run(square.rows())

    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        document = data.draw(mutants(square.real, square.ids, square.number))
        assume(not leaves(document, square.bela.uri))
        seen.append(square.runner.run(tried(document)))

    async def tried(document: Any) -> int:
        await square.begin()
        (answer,) = await square.brought(document)
        assert answer in REFUSALS or answer == 202
        await square.check(before)
        return answer

    check()
    assert len(seen) >= EXAMPLES
    assert seen.count(202) > EXAMPLES // 3
