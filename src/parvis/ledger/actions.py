"""The deeds of the public record: append, number, sign, prove, check."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from parvis.base.db import Read, Tx
from parvis.base.errors import NotFound
from parvis.base.jobs import Job
from parvis.base.seal import kept
from parvis.base.settings import Settings
from parvis.ledger import merkle, note, queries
from parvis.ledger.model import Inclusion, Leaf

BATCH = 3000


async def record(tx: Tx, kind: str, payload: Mapping[str, Any]) -> int:
    """Put an entry on the public record; it has no number yet. It must name nobody."""
    return await queries.record(tx, kind, dict(payload))


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The city's key, made on first use."""
    return Ed25519PrivateKey.from_private_bytes(
        kept(settings.secrets, "ledger.key", lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    )


def verifier_key(settings: Settings) -> str:
    """The public key, as witnesses and citizens write it down."""
    return note.verifier_key(settings.domain, signing_key(settings).public_key())


async def sequence(job: Job) -> int:
    """Number what waits, without a gap, and sign the new head: one at a time. How many leaves it newly covers.

    It goes on from the last signed head, so that numbers given without a head are signed too.
    """
    async with job.db.read() as r:
        if not await queries.waiting(r):
            return 0
    key = signing_key(job.settings)
    async with job.db.write() as tx:
        await tx.lock("ledger")
        await queries.number(tx, BATCH)
        leaves = await queries.unsigned(tx, BATCH)
        if not leaves:
            return 0
        size = leaves[0].index
        frontier = await _frontier(tx, size)
        completed = []
        for leaf in leaves:
            frontier, made = merkle.appended(size, frontier, leaf.leaf_hash)
            completed += made
            size += 1
        await queries.add_nodes(tx, completed)
        root = merkle.root_of(frontier)
        signed = note.signed(note.checkpoint(job.settings.domain, size, root), job.settings.domain, key)
        await queries.add_checkpoint(tx, size, root, signed)
        return len(leaves)


async def inclusion(r: Read, index: int, size: int | None = None) -> Inclusion:
    """The proof that a leaf is in the tree of that size, or of the last checkpoint. NotFound before it is signed."""
    last = await queries.checkpoint(r)
    found = await queries.leaves(r, index, 1)
    size = last.size if last and size is None else size
    if last is None or size is None or not found or found[0].index != index or not index < size <= last.size:
        raise NotFound("proof")
    names = merkle.nodes_read(lambda node: merkle.inclusion_proof(index, size, node))
    names += merkle.nodes_read(lambda node: merkle.frontier_of(size, node))
    kept_nodes = {(node.level, node.index): node.hash for node in await queries.nodes(r, names)}
    proof = merkle.inclusion_proof(index, size, lambda level, place: kept_nodes[level, place])
    root = merkle.root_of(merkle.frontier_of(size, lambda level, place: kept_nodes[level, place]))
    return Inclusion(index, size, found[0].leaf_hash, proof, root)


async def consistency(r: Read, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `old` leaves begins the tree of `new` (RFC 6962 section 2.1.2)."""
    last = await queries.checkpoint(r)
    if last is None or not 0 <= old <= new <= last.size:
        raise NotFound("proof")
    names = merkle.nodes_read(lambda node: merkle.consistency_proof(old, new, node))
    found = {(node.level, node.index): node.hash for node in await queries.nodes(r, names)}
    return merkle.consistency_proof(old, new, lambda level, place: found[level, place])


async def verify(r: Read, public_key: Ed25519PublicKey, origin: str) -> list[str]:
    """Recompute every leaf, node and head from the entries alone; what does not agree, in words, or nothing."""
    problems: list[str] = []
    heads = {head.size: head for head in await queries.checkpoints(r)}
    frontier: list[bytes] = []
    size = 0
    while page := await queries.leaves(r, size, BATCH):
        completed: list[tuple[int, int, bytes]] = []
        for leaf in page:
            problems += _leaf_problems(leaf, size)
            commitment = sha256(leaf.salt + leaf.data).digest()
            frontier, made = merkle.appended(size, frontier, merkle.leaf_hash(commitment))
            completed += made
            size += 1
            head = heads.pop(size, None)
            if head is not None:
                problems += _head_problems(head.note, (origin, size, merkle.root_of(frontier)), head.root, public_key)
        stored = {(n.level, n.index): n.hash for n in await queries.nodes(r, [made[:2] for made in completed])}
        problems += [
            f"the node {level}/{index} is not the hash of its leaves"
            for level, index, made_hash in completed
            if stored.get((level, index), made_hash) != made_hash
        ]
    problems += [f"the checkpoint of {missing} leaves has leaves that are missing" for missing in heads]
    return problems


def _leaf_problems(leaf: Leaf, expected: int) -> list[str]:
    if leaf.index != expected:
        return [f"leaf {expected} is missing"]
    if leaf.leaf_hash != merkle.leaf_hash(sha256(leaf.salt + leaf.data).digest()):
        return [f"leaf {expected} is not the hash of its entry"]
    return []


def _head_problems(
    signed: str, expected: tuple[str, int, bytes], root: bytes, public_key: Ed25519PublicKey
) -> list[str]:
    """A checkpoint must say what the entries say, and be signed by the city."""
    origin, size, computed = expected
    try:
        said = note.parsed_checkpoint(note.opened(signed, {origin: public_key}))
    except note.BadNote as error:
        return [f"the checkpoint of {size} leaves is not signed by the city ({error.word})"]
    if said != expected or root != computed:
        return [f"the checkpoint of {size} leaves does not say what the leaves say"]
    return []


async def _frontier(r: Read, size: int) -> list[bytes]:
    names = merkle.nodes_read(lambda node: merkle.frontier_of(size, node))
    found = {(node.level, node.index): node.hash for node in await queries.nodes(r, names)}
    return merkle.frontier_of(size, lambda level, index: found[level, index])
