"""The SQL of the public record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parvis.base.db import Read, Tx
from parvis.ledger.model import Checkpoint, Entry, Leaf, Node, Numbered


async def record(tx: Tx, kind: str, entry: dict[str, Any]) -> int:
    """Append an entry that waits for its number."""
    return int(await tx.value("SELECT ledger_record($1, $2)", kind, entry))


async def waiting(r: Read) -> bool:
    """Is there a leaf without a number, or one that no signed head covers?"""
    return bool(await r.value(
        """SELECT EXISTS (SELECT FROM ledger_leaves WHERE index IS NULL)
               OR EXISTS (SELECT FROM ledger_leaves WHERE index >= ledger_signed())"""
    ))


async def number(tx: Tx, most: int) -> None:
    """Give the waiting leaves the next numbers."""
    await tx.value("SELECT count(*) FROM ledger_sequence($1)", most)


async def unsigned(r: Read, most: int) -> list[Numbered]:
    """Numbered leaves that no signed head covers, in order."""
    return await r.all(
        Numbered,
        "SELECT index, leaf_hash FROM ledger_leaves WHERE index >= ledger_signed() ORDER BY index LIMIT $1",
        most,
    )


async def add_nodes(tx: Tx, nodes: Sequence[tuple[int, int, bytes]]) -> None:
    """Keep complete subtrees, children before parents."""
    await tx.run(
        """INSERT INTO ledger_nodes (level, index, hash)
           SELECT level, index, hash FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
               WITH ORDINALITY n(level, index, hash, place) ORDER BY place
           ON CONFLICT DO NOTHING""",
        [node[0] for node in nodes], [node[1] for node in nodes], [node[2] for node in nodes],
    )


async def add_checkpoint(tx: Tx, size: int, root: bytes, note: str) -> None:
    """Publish a signed head."""
    await tx.run("INSERT INTO ledger_checkpoints (size, root, note) VALUES ($1, $2, $3)", size, root, note)


async def nodes(r: Read, names: Sequence[tuple[int, int]]) -> list[Node]:
    """These nodes, in no order; those that are missing are missing."""
    return await r.all(
        Node,
        """SELECT level::int, index, hash FROM ledger_nodes
           JOIN unnest($1::smallint[], $2::bigint[]) n(level, index) USING (level, index)""",
        [level for level, _ in names], [index for _, index in names],
    )


async def leaves(r: Read, start: int, most: int) -> list[Leaf]:
    """Numbered leaves from a number on, in order."""
    return await r.all(
        Leaf,
        """SELECT index, data, salt, leaf_hash FROM ledger_leaves WHERE index >= $1 ORDER BY index LIMIT $2""",
        start, most,
    )


async def checkpoint(r: Read) -> Checkpoint | None:
    """The last signed head."""
    return await r.one(
        Checkpoint,
        "SELECT size, root, note, signed_at FROM ledger_checkpoints ORDER BY size DESC LIMIT 1",
    )


async def checkpoints(r: Read) -> list[Checkpoint]:
    """Every signed head, the oldest first."""
    return await r.all(Checkpoint, "SELECT size, root, note, signed_at FROM ledger_checkpoints ORDER BY size")


async def entries(r: Read, before: int | None, limit: int, kinds: Sequence[str] | None = None) -> list[Entry]:
    """Public entries, the newest first."""
    return await r.all(
        Entry,
        """SELECT index, kind, decided_at, convert_from(data, 'UTF8')::jsonb, encode(leaf_hash, 'hex'),
               encode(salt, 'hex'), index < ledger_signed()
           FROM ledger_leaves WHERE index < coalesce($1::bigint, 9223372036854775807)
               AND ($3::text[] IS NULL OR kind = ANY ($3))
           ORDER BY index DESC LIMIT $2""",
        before, limit, None if kinds is None else list(kinds),
    )


async def entry(r: Read, index: int) -> Entry | None:
    """One public entry."""
    return await r.one(
        Entry,
        """SELECT index, kind, decided_at, convert_from(data, 'UTF8')::jsonb, encode(leaf_hash, 'hex'),
               encode(salt, 'hex'), index < ledger_signed()
           FROM ledger_leaves WHERE index = $1""",
        index,
    )
