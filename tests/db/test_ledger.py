"""The public record: numbered without a gap, signed, provable, and never rewritten."""

from __future__ import annotations

import asyncio
import stat
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from civic import City, by_privilege, by_rule
from parvis.base.db import Db
from parvis.base.errors import NotFound, Refused
from parvis.ledger import actions as ledger
from parvis.ledger import merkle, note, queries


@pytest.fixture
async def city(
    db: Db, owner: asyncpg.Connection[Any], app_sql: asyncpg.Connection[Any], tmp_path: Path
) -> City:
    return City(db, owner, app_sql, tmp_path)


async def record(city: City, count: int) -> None:
    async with city.db.write() as tx:
        for number in range(count):
            await ledger.record(tx, "note", {"number": number})


async def problems(city: City) -> list[str]:
    async with city.db.read() as r:
        key = ledger.signing_key(city.job.settings).public_key()
        return await ledger.verify(r, key, city.job.settings.domain)


async def test_leaves_are_numbered_in_order_and_signed(city: City) -> None:
    for count in (1, 2, 4, 6, 3):
        await record(city, count)
        assert await ledger.sequence(city.job) == count
    assert await ledger.sequence(city.job) == 0
    async with city.db.read() as r:
        last = await queries.checkpoint(r)
        leaves = await queries.leaves(r, 0, 100)
    assert last is not None
    assert [leaf.index for leaf in leaves] == list(range(16))
    assert last.root == merkle.root([sha256(leaf.salt + leaf.data).digest() for leaf in leaves])
    key = ledger.signing_key(city.job.settings).public_key()
    assert note.parsed_checkpoint(note.opened(last.note, {"localhost:8000": key})) == ("localhost:8000", 16, last.root)
    assert await problems(city) == []


async def test_the_key_is_made_once_and_for_its_owner_alone(city: City) -> None:
    first = ledger.verifier_key(city.job.settings)
    assert ledger.verifier_key(city.job.settings) == first
    assert stat.S_IMODE((city.job.settings.secrets / "ledger.key").stat().st_mode) == 0o600


async def test_sequencers_running_at_once_leave_no_gap(city: City) -> None:
    await record(city, 20)
    await asyncio.gather(*(ledger.sequence(city.job) for _ in range(4)))
    await record(city, 5)
    await asyncio.gather(*(ledger.sequence(city.job) for _ in range(4)))
    async with city.db.read() as r:
        assert [leaf.index for leaf in await queries.leaves(r, 0, 100)] == list(range(25))
    assert await problems(city) == []


async def test_every_signed_leaf_can_be_proved_and_every_head_extends_the_one_before(city: City) -> None:
    await record(city, 7)
    await city.sign()
    await record(city, 6)
    await city.sign()
    async with city.db.read() as r:
        heads = {head.size: head.root for head in await queries.checkpoints(r)}
        for size in (7, 13):
            for index in range(size):
                proof = await ledger.inclusion(r, index, size)
                assert proof.root == heads[size]
                assert merkle.verify_inclusion(proof.leaf_hash, index, size, proof.proof, heads[size])
        path = await ledger.consistency(r, 7, 13)
        assert merkle.verify_consistency(7, 13, heads[7], heads[13], path)
        with pytest.raises(NotFound):
            await ledger.inclusion(r, 13)


async def test_an_entry_says_when_and_what_and_opens_its_leaf(city: City) -> None:
    await record(city, 1)
    await city.sign()
    async with city.db.read() as r:
        entry = await queries.entry(r, 0)
    assert entry is not None
    assert entry.entry["kind"] == "note"
    assert entry.entry["number"] == 0
    assert entry.entry["at"].startswith(entry.decided_at.strftime("%Y-%m-%dT%H:%M:%S"))
    assert entry.signed


async def test_the_application_cannot_record_acts_it_has_not_done(city: City) -> None:
    with pytest.raises(Refused, match="kind_reserved"):
        async with city.db.write() as tx:
            await ledger.record(tx, "decision", {})


async def test_a_leaf_never_changes_nor_vanishes(city: City) -> None:
    await record(city, 3)
    await city.sign()
    for statement in (
        "UPDATE ledger_leaves SET data = ''", "UPDATE ledger_leaves SET index = index + 100", "DELETE FROM ledger_leaves",
        "TRUNCATE ledger_leaves", "INSERT INTO ledger_leaves (kind, data, salt, decided_at) VALUES ('x', '', '', now())",
        "UPDATE ledger_checkpoints SET note = ''", "DELETE FROM ledger_checkpoints", "UPDATE ledger_nodes SET hash = ''",
    ):
        with by_privilege():
            await city.app.execute(statement)
    for statement in (
        "UPDATE ledger_leaves SET data = ''", "DELETE FROM ledger_leaves", "UPDATE ledger_leaves SET index = NULL",
        "DELETE FROM ledger_checkpoints", "DELETE FROM ledger_nodes", "UPDATE ledger_nodes SET hash = ''",
    ):
        with by_rule("append_only"):
            await city.owner.execute(statement)


async def test_a_leaf_takes_the_next_number_and_no_other(city: City) -> None:
    await record(city, 2)
    for wrong in (1, 7, -1):
        with by_rule("not_the_next_index"):
            await city.owner.execute("UPDATE ledger_leaves SET index = $1 WHERE id = (SELECT min(id) FROM ledger_leaves)", wrong)
    await city.owner.execute("UPDATE ledger_leaves SET index = 0 WHERE id = (SELECT min(id) FROM ledger_leaves)")


async def test_a_wrong_node_or_head_is_refused(city: City) -> None:
    await record(city, 3)
    await city.sign()
    await record(city, 1)
    await city.app.fetch("SELECT ledger_sequence(10)")
    node = "INSERT INTO ledger_nodes (level, index, hash) VALUES ($1, $2, $3)"
    head = "INSERT INTO ledger_checkpoints (size, root, note) VALUES ($1, $2, '')"
    leaf = await city.app.fetchval("SELECT leaf_hash FROM ledger_leaves WHERE index = 3")
    with by_rule("node_wrong"):
        await city.app.execute(node, 0, 3, b"\0" * 32)
    with by_rule("node_wrong"):
        await city.app.execute(node, 0, 9, leaf)
    await city.app.execute(node, 0, 3, leaf)
    root = await city.app.fetchval("SELECT ledger_root(3)")
    with by_rule("root_wrong"):
        await city.app.execute(head, 4, root)
    with by_rule("root_wrong"):
        await city.app.execute(head, 9, root)
    with by_rule("checkpoint_not_growing"):
        await city.app.execute(head, 2, root)


async def test_the_check_names_what_an_owner_changed_behind_everyones_back(city: City) -> None:
    await record(city, 5)
    await city.sign()
    await city.owner.execute("ALTER TABLE ledger_leaves DISABLE TRIGGER USER")
    await city.owner.execute("UPDATE ledger_leaves SET data = 'other' WHERE index = 2")
    assert await problems(city) == [
        "the checkpoint of 5 leaves does not say what the leaves say",
        "the node 0/2 is not the hash of its leaves",
        "the node 1/1 is not the hash of its leaves",
        "the node 2/0 is not the hash of its leaves",
    ]
    await city.owner.execute("DELETE FROM ledger_leaves WHERE index = 4")
    assert "the checkpoint of 5 leaves has leaves that are missing" in await problems(city)
