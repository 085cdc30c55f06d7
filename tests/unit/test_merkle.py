"""The tree of the public record: RFC 6962 section 2.1, with the vectors of google/certificate-transparency."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.ledger import merkle

LEAVES = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
H01 = ROOTS[1]
H0123 = ROOTS[3]
H1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
H23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
H4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
H45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
H67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
H4567 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

INCLUSION = [  # leaf (from 0), size, path: kSHA256Paths of merkle_tree_test.cc, whose leaves count from 1
    (0, 1, []),
    (0, 8, [H1, H23, H4567]),
    (5, 8, [H4, H67, H0123]),
    (2, 3, [H01]),
    (1, 5, [ROOTS[0], H23, H4]),
]
CONSISTENCY = [  # old, new, path: kSHA256Proofs of the same file
    (1, 1, []),
    (1, 8, [H1, H23, H4567]),
    (6, 8, [H45, H67, H0123]),
    (2, 5, [H23, H4]),
]


class Stored:
    """A store as the database keeps it: the nodes each append completed, and the frontier."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.frontier: list[bytes] = []
        for size, data in enumerate(leaves):
            self.frontier, completed = merkle.appended(size, self.frontier, merkle.leaf_hash(data))
            for level, index, digest in completed:
                assert (level, index) not in self.nodes, "a node is completed once"
                self.nodes[level, index] = digest

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


def head_by_definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    cut = cut_of(len(leaves))
    return sha256(b"\x01" + head_by_definition(leaves[:cut]) + head_by_definition(leaves[cut:])).digest()


def path_by_definition(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    cut = cut_of(len(leaves))
    if index < cut:
        return [*path_by_definition(index, leaves[:cut]), head_by_definition(leaves[cut:])]
    return [*path_by_definition(index - cut, leaves[cut:]), head_by_definition(leaves[:cut])]


def subproof_by_definition(old: int, leaves: Sequence[bytes], complete: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if old == len(leaves):
        return [] if complete else [head_by_definition(leaves)]
    cut = cut_of(len(leaves))
    if old <= cut:
        return [*subproof_by_definition(old, leaves[:cut], complete), head_by_definition(leaves[cut:])]
    return [*subproof_by_definition(old - cut, leaves[cut:], False), head_by_definition(leaves[:cut])]


def cut_of(size: int) -> int:
    cut = 1
    while cut * 2 < size:
        cut *= 2
    return cut


def unhexed(path: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(digest) for digest in path]


def numbered(size: int) -> list[bytes]:
    return [b"decision %d" % number for number in range(size)]


leaf_lists = st.lists(st.binary(max_size=8), max_size=70)


def test_the_head_of_an_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.root([]) == merkle.root_of([]) == merkle.EMPTY_ROOT == sha256().digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_eight_reference_heads_come_out(size: int) -> None:
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size - 1]
    assert merkle.root_of(Stored(LEAVES[:size]).frontier).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_published_inclusion_proofs_are_made_and_accepted(index: int, size: int, path: list[str]) -> None:
    proof = merkle.inclusion_proof(index, size, Stored(LEAVES).node)
    assert proof == unhexed(path)
    head = bytes.fromhex(ROOTS[size - 1])
    assert merkle.verify_inclusion(merkle.leaf_hash(LEAVES[index]), index, size, proof, head)


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_published_consistency_proofs_are_made_and_accepted(old: int, new: int, path: list[str]) -> None:
    proof = merkle.consistency_proof(old, new, Stored(LEAVES).node)
    assert proof == unhexed(path)
    old_head, new_head = unhexed([ROOTS[old - 1], ROOTS[new - 1]])
    assert merkle.verify_consistency(old, new, old_head, new_head, proof)


@given(leaf_lists)
def test_appending_leaf_by_leaf_gives_the_head_of_the_definition(leaves: list[bytes]) -> None:
    stored = Stored(leaves)
    assert merkle.root_of(stored.frontier) == merkle.root(leaves) == head_by_definition(leaves)
    assert merkle.frontier_of(len(leaves), stored.node) == stored.frontier


@given(leaf_lists)
def test_an_append_stores_exactly_the_complete_subtrees(leaves: list[bytes]) -> None:
    stored = Stored(leaves)
    assert set(stored.nodes) == {(level, i) for level in range(8) for i in range(len(leaves) >> level)}
    for (level, index), digest in stored.nodes.items():
        assert digest == head_by_definition(leaves[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", range(1, 34))
def test_every_inclusion_proof_is_that_of_the_definition_and_is_accepted_for_its_leaf_only(size: int) -> None:
    leaves = numbered(size)
    stored, head = Stored(numbered(40)), head_by_definition(leaves)
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, stored.node)
        assert proof == path_by_definition(index, leaves)
        accepted = [
            claimed
            for claimed in range(-1, size + 2)
            if merkle.verify_inclusion(merkle.leaf_hash(leaves[index]), claimed, size, proof, head)
        ]
        assert accepted == [index]


@pytest.mark.parametrize("new", range(1, 34))
def test_every_consistency_proof_is_that_of_the_definition_and_is_accepted(new: int) -> None:
    leaves = numbered(new)
    stored = Stored(numbered(40))
    for old in range(1, new + 1):
        proof = merkle.consistency_proof(old, new, stored.node)
        assert proof == subproof_by_definition(old, leaves, True)
        heads = head_by_definition(leaves[:old]), head_by_definition(leaves)
        assert merkle.verify_consistency(old, new, *heads, proof)


def corrupted(proof: list[bytes]) -> list[list[bytes]]:
    """Every way of cutting, lengthening or altering a proof by one hash."""
    altered = [[*proof[:i], merkle.EMPTY_ROOT, *proof[i + 1 :]] for i in range(len(proof))]
    longer = [[*proof, b""], [b"", *proof], [*proof, merkle.EMPTY_ROOT], [merkle.EMPTY_ROOT, *proof]]
    shorter = [proof[:-1], proof[1:]] if proof else []
    return altered + longer + shorter


@given(st.integers(1, 200), st.data())
def test_an_inclusion_proof_with_anything_changed_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    stored, leaf = Stored(numbered(size)), merkle.leaf_hash(b"decision %d" % index)
    head = merkle.root_of(stored.frontier)
    proof = merkle.inclusion_proof(index, size, stored.node)
    assert merkle.verify_inclusion(leaf, index, size, proof, head)
    for wrong in corrupted(proof):
        assert not merkle.verify_inclusion(leaf, index, size, wrong, head)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"never taken"), index, size, proof, head)
    assert not merkle.verify_inclusion(leaf, index, size, proof, merkle.EMPTY_ROOT)
    assert not merkle.verify_inclusion(leaf, index, size * 2, proof, head)
    assert not merkle.verify_inclusion(leaf, index, size // 2, proof, head)


@given(st.integers(2, 200), st.data())
def test_a_consistency_proof_with_anything_changed_is_refused(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    stored = Stored(numbered(new))
    old_head, new_head = merkle.root(numbered(old)), merkle.root_of(stored.frontier)
    proof = merkle.consistency_proof(old, new, stored.node)
    assert merkle.verify_consistency(old, new, old_head, new_head, proof)
    for wrong in corrupted(proof):
        assert not merkle.verify_consistency(old, new, old_head, new_head, wrong)
    assert not merkle.verify_consistency(old, new, new_head, old_head, proof)
    assert not merkle.verify_consistency(old, new, new_head, new_head, proof)
    assert not merkle.verify_consistency(old, new, old_head, old_head, proof)
    assert not merkle.verify_consistency(new, old, old_head, new_head, proof)
    assert not merkle.verify_consistency(old, new, old_head, new_head, [])


@given(st.integers(2, 120), st.data())
def test_a_record_rewritten_behind_an_old_head_has_no_accepted_proof(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    rewritten = numbered(new)
    rewritten[data.draw(st.integers(0, old - 1))] = b"another decision"
    forged = Stored(rewritten)
    proof = merkle.consistency_proof(old, new, forged.node)
    heads = merkle.root(numbered(old)), merkle.root_of(forged.frontier)
    assert not merkle.verify_consistency(old, new, *heads, proof)


def test_any_tree_continues_the_empty_one() -> None:
    head = merkle.root(LEAVES)
    assert merkle.consistency_proof(0, 8, Stored(LEAVES).node) == []
    assert merkle.verify_consistency(0, 8, merkle.EMPTY_ROOT, head, [])
    assert merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])
    assert not merkle.verify_consistency(0, 8, head, head, [])
    assert not merkle.verify_consistency(0, 0, head, head, [])
    assert not merkle.verify_consistency(0, 8, merkle.EMPTY_ROOT, head, [head])


def test_proofs_of_leaves_that_do_not_exist_are_not_made() -> None:
    node = Stored(LEAVES).node
    for index, size in ((8, 8), (-1, 8), (0, 0)):
        with pytest.raises(ValueError, match="no leaf"):
            merkle.inclusion_proof(index, size, node)
    for old, new in ((9, 8), (-1, 8)):
        with pytest.raises(ValueError, match="cannot begin"):
            merkle.consistency_proof(old, new, node)


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="complete subtrees"):
        merkle.appended(3, [merkle.EMPTY_ROOT], merkle.leaf_hash(b""))


@given(st.integers(1, 300), st.data())
def test_the_nodes_a_proof_reads_are_known_before_it_is_made(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    stored = Stored(numbered(size))
    named = merkle.nodes_read(lambda node: merkle.inclusion_proof(index, size, node))
    fetched = {name: stored.nodes[name] for name in named}
    proof = merkle.inclusion_proof(index, size, lambda level, at: fetched[level, at])
    assert proof == merkle.inclusion_proof(index, size, stored.node)
