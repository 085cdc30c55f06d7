"""The Merkle tree of RFC 6962 section 2.1, over a store that keeps the hash of every complete subtree.

A node is named (level, index): it covers the 2**level leaves from index * 2**level on, and once complete never changes.
The frontier of a tree is its largest complete subtrees from left to right, one for each bit set in its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

Node = Callable[[int, int], bytes]

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """A leaf is hashed behind a zero byte, so that no leaf can pass for an inner node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """An inner node is hashed behind a one byte."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree head of these leaf contents, computed from nothing else."""
    frontier: list[bytes] = []
    for size, data in enumerate(leaves):
        frontier, _ = appended(size, frontier, leaf_hash(data))
    return root_of(frontier)


def appended(size: int, frontier: Sequence[bytes], leaf: bytes) -> tuple[list[bytes], list[tuple[int, int, bytes]]]:
    """The frontier after one more leaf hash, and the nodes (level, index, hash) this leaf completed, itself first."""
    if len(frontier) != size.bit_count():
        raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(frontier)}")
    grown = list(frontier)
    completed = [(0, size, leaf)]
    while (size >> (level := len(completed) - 1)) & 1:
        leaf = node_hash(grown.pop(), leaf)
        completed.append((level + 1, size >> (level + 1), leaf))
    return [*grown, leaf], completed


def root_of(frontier: Sequence[bytes]) -> bytes:
    """The tree head: the complete subtrees joined from right to left."""
    if not frontier:
        return EMPTY_ROOT
    head = frontier[-1]
    for left in reversed(frontier[:-1]):
        head = node_hash(left, head)
    return head


def frontier_of(size: int, node: Node, start: int = 0) -> list[bytes]:
    """The frontier of the `size` leaves from `start` on; `start` must begin a subtree large enough to hold them."""
    frontier = []
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            frontier.append(node(level, start >> level))
            start += 1 << level
    return frontier


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """The audit path of a leaf in the tree of the first `size` leaves, nearest first (RFC 6962 section 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, end = 0, size
    path: list[bytes] = []
    while end - start > 1:
        middle = start + _left_part(end - start)
        if index < middle:
            path.append(_joined(middle, end, node))
            end = middle
        else:
            path.append(_joined(start, middle, node))
            start = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Does this path lead from the leaf hash at `index` to the tree head (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last = index, size - 1
    head = leaf
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            head = node_hash(sibling, head)
            here, last = _climbed_while_alone(here, last)
        else:
            head = node_hash(head, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and head == root


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """The nodes showing that the first `old` leaves begin the tree of `new` leaves (RFC 6962 section 2.1.2)."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves cannot begin one of {new}")
    if old in (0, new):
        return []
    start, end = 0, new
    path: list[bytes] = []
    while end != old:
        middle = start + _left_part(end - start)
        if old <= middle:
            path.append(_joined(middle, end, node))
            end = middle
        else:
            path.append(_joined(start, middle, node))
            start = middle
    if start:  # the reader holds the old head itself, but not this part of it
        path.append(_joined(start, end, node))
    return path[::-1]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Was nothing changed or removed between the two tree heads (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root and (old > 0 or old_root == EMPTY_ROOT)
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    return bool(path) and _heads(old, new, path) == (old_root, new_root)


def nodes_read(proof: Callable[[Node], object]) -> list[tuple[int, int]]:
    """The nodes a proof will ask for, so that a database can fetch them all at once before it is made."""
    names: list[tuple[int, int]] = []

    def noted(level: int, index: int) -> bytes:
        names.append((level, index))
        return b""

    proof(noted)
    return names


def _heads(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The old and the new head a consistency path leads to, or nothing if its length is wrong."""
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old_head = new_head = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if here & 1 or here == last:
            old_head, new_head = node_hash(sibling, old_head), node_hash(sibling, new_head)
            here, last = _climbed_while_alone(here, last)
        else:
            new_head = node_hash(new_head, sibling)
        here, last = here >> 1, last >> 1
    return (old_head, new_head) if last == 0 else None


def _left_part(size: int) -> int:
    """The largest power of two smaller than `size`: where RFC 6962 cuts a tree."""
    return 1 << (size - 1).bit_length() - 1


def _joined(start: int, end: int, node: Node) -> bytes:
    return root_of(frontier_of(end - start, node, start))


def _climbed_while_alone(here: int, last: int) -> tuple[int, int]:
    """Skip the levels where the rightmost node has no sibling and is carried up unchanged."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last
