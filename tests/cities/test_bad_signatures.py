"""Whatever is wrong with a signature or a digest, the inbox says so at the door and keeps nothing: generated, 200 examples each."""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cities.harness import Cities, City, Network, found, key_pair, raze
from cities.test_hostile import NORD, create, note
from parvis.accounts.model import Account
from parvis.base.http import Request, Response
from parvis.federation import signatures

EXAMPLES = 200
KIND = "application/activity+json"
# A signature that does not fit a known key also asks, once in five minutes, whether the actor has a new one: a mark and a job.
CENSUS = """SELECT format('SELECT %L, count(*) FROM %I.%I t %s', relname, nspname, relname,
        CASE relname WHEN 'activities_done' THEN $$WHERE uri NOT LIKE '% doubted %'$$ ELSE '' END)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE relkind = 'r' AND nspname IN ('public', 'residency') AND relname NOT LIKE 'pgqueuer%'"""

generated = settings(
    max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
words = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=60)
bytes_of_base64 = st.binary(max_size=300).map(lambda raw: b64encode(raw).decode())


class Door:
    """Nord's inbox, and Bela of Süd whom Nord knows; kept on one event loop for the whole module."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.runner.run(self._open(server, folder))

    async def _open(self, server: Any, folder: Path) -> None:
        self.server, self.network = server, Network()
        self.nord: City = await found(server, self.network, "nord.example", folder)
        self.sued: City = await found(server, self.network, "sued.example", folder)
        self.cities = Cities(self.network, [self.nord, self.sued])
        self.bela: Account = await self.sued.person("bela")
        await self.nord.person("alice")
        await self.nord.meet("bela@sued.example")
        await self.cities.settle()
        self.counter: asyncpg.Connection[Any] = await asyncpg.connect(self.nord.owner_url)
        self.census = " UNION ALL ".join(row[0] for row in await self.counter.fetch(CENSUS))
        self.body = msgspec.json.encode(create(self.bela, note(self.bela, "1")))

    async def rows(self) -> dict[str, int]:
        return {row[0]: row[1] for row in await self.counter.fetch(self.census)}

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers of an honest request of Bela's."""
        signer = signatures.Signer(key_pair(len(self.bela.username) % 4)[0], f"{self.bela.uri}#main-key")
        made = signatures.sign(signer, "POST", NORD, {"content-type": KIND}, body, self.nord.clock.now())
        return {"content-type": KIND} | {name.lower(): value for name, value in made.items()}

    def brought(self, headers: dict[str, str], body: bytes) -> tuple[Response, bool]:
        """The answer to a request, and whether Nord keeps anything of it."""

        async def bring() -> tuple[Response, bool]:
            before = await self.rows()
            answer = await self.network.send(Request("POST", NORD, headers, body))
            return answer, before != await self.rows()

        return self.runner.run(bring())

    def close(self) -> None:
        async def leave() -> None:
            await self.counter.close()
            for city in self.cities.all:
                await raze(self.server, city)

        self.runner.run(leave())
        self.runner.close()


@pytest.fixture(scope="module")
def door(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    made = Door(server, tmp_path_factory.mktemp("door"))
    yield made
    made.close()


def _parts(header: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', header))


def _joined(parts: dict[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in parts.items())


@st.composite
def spoiled(draw: st.DrawFn, header: str) -> str:
    """An honest Signature header with one thing wrong."""
    parts = _parts(header)
    raw = b64decode(parts["signature"])
    fault = draw(st.sampled_from(["bit", "bytes", "dropped", "value", "signed", "cut", "words", "twice", "key"]))
    if fault == "bit":
        place, bit = draw(st.integers(0, len(raw) - 1)), draw(st.integers(0, 7))
        changed = raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]
        return _joined(parts | {"signature": b64encode(changed).decode()})
    if fault == "bytes":
        return _joined(parts | {"signature": draw(bytes_of_base64.filter(lambda text: text != parts["signature"]))})
    if fault == "dropped":
        del parts[draw(st.sampled_from(["keyId", "signature", "headers"]))]
        return _joined(parts)
    if fault == "value":
        name = draw(st.sampled_from(["algorithm", "headers", "signature"]))
        honest = {parts[name], "hs2019" if name == "algorithm" else parts[name]}
        return _joined(parts | {name: draw(words.filter(lambda text: text not in honest))})
    if fault == "signed":
        names = parts["headers"].split()
        left = draw(st.lists(st.sampled_from(names), max_size=len(names)).filter(lambda chosen: chosen != names))
        return _joined(parts | {"headers": " ".join(left)})
    if fault == "cut":
        return header[: draw(st.integers(0, len(header) - 20))]
    if fault == "twice":
        return header + f',signature="{draw(bytes_of_base64)}"'
    if fault == "key":
        wrong = signatures.load_private(key_pair(draw(st.sampled_from([0, 2, 3])))[0])
        forged = signatures.sign(
            signatures.Signer(wrong, parts["keyId"]), "POST", NORD, {"content-type": KIND}, b"{}", datetime.now(UTC)
        )
        return forged["Signature"]
    return draw(words)


@pytest.mark.shows("HTTP signatures")
def test_an_honest_request_is_taken(door: Door) -> None:
    answer, kept = door.brought(door.signed(door.body), door.body)
    assert (answer.status, kept) == (202, True)


@pytest.mark.shows("HTTP signatures")
def test_a_bad_signature_is_refused_and_leaves_nothing(door: Door) -> None:
    seen: list[int] = []

    @generated
    @given(st.data())
    def check(data: st.DataObject) -> None:
        headers = door.signed(door.body)
        headers["signature"] = data.draw(spoiled(headers["signature"]))
        answer, kept = door.brought(headers, door.body)
        assert (answer.status, kept) == (401, False), (headers["signature"], answer.body)
        assert isinstance(msgspec.json.decode(answer.body)["error"], str)
        seen.append(answer.status)

    check()
    assert len(seen) >= EXAMPLES


@st.composite
def digests(draw: st.DrawFn, body: bytes) -> tuple[str, bytes]:
    """A Digest header and a body that do not belong together."""
    fault = draw(st.sampled_from(["body", "other", "algorithm", "words", "cut", "none"]))
    honest = signatures.digest(body)
    if fault == "body":
        other = draw(st.text("abcdefghijklmnop <>&/", max_size=20).filter(lambda text: text != "Salut"))
        return honest, body.replace(b"Salut", other.encode())
    if fault == "other":
        return signatures.digest(draw(st.binary(max_size=200).filter(lambda text: text != body))), body
    if fault == "algorithm":
        name = draw(st.sampled_from(["md5", "sha1", "sha512"]))
        return f"{name}={b64encode(hashlib.new(name, body).digest()).decode()}", body
    if fault == "cut":
        return honest[: draw(st.integers(0, len(honest) - 2))], body
    return ("" if fault == "none" else draw(words)), body


def test_a_wrong_digest_is_refused_and_leaves_nothing(door: Door) -> None:
    seen: list[int] = []

    @generated
    @given(digests(door.body), st.booleans())
    def check(sent: tuple[str, bytes], signed_over: bool) -> None:
        said, body = sent
        headers = door.signed(door.body) | {"digest": said}
        if signed_over:  # the signature is honest: it proves the wrong digest
            headers |= _signed_as_it_is(door, said)
        answer, kept = door.brought(headers, body)
        assert (answer.status, kept) == (401, False), (said, answer.body)
        assert isinstance(msgspec.json.decode(answer.body)["error"], str)
        seen.append(answer.status)

    check()
    assert len(seen) >= EXAMPLES


def _signed_as_it_is(door: Door, said: str) -> dict[str, str]:
    """Sign a digest that may be a lie, as a careless or hostile server does."""
    headers = door.signed(door.body)
    names = _parts(headers["signature"])["headers"].split()
    text = signatures.signing_text(names, "POST", "/inbox", headers | {"digest": said})
    key = signatures.load_private(key_pair(len(door.bela.username) % 4)[0])
    value = b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
    return {"signature": _joined(_parts(headers["signature"]) | {"signature": value})}
