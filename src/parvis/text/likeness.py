"""How like two texts are, without keeping either: MinHash signatures of their short stretches (Broder 1997). Pure."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b

LEAST = 24
"""Shorter texts are greetings: that many say the same says nothing."""
MOST = 2_000
STRETCH = 5
HASHES = 32
BANDS = 8
ROWS = HASHES // BANDS
_ALIKE = re.compile(r"https?://\S+|@[\w.-]+(?:@[\w.-]+)?")
_GAPS = re.compile(r"[^a-z0-9]+")
_HALF = struct.Struct(">16i")


def normal(text: str) -> str:
    """What is said, without who is named, where it leads, accents, capitals, numbers and signs: what spam varies."""
    plain = unicodedata.normalize("NFKD", _ALIKE.sub(" ", text[: 2 * MOST])).casefold()
    letters = "".join(one for one in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(one))
    if not letters.isascii():
        return " ".join(re.sub(r"[\W\d_]+", " ", letters).split())[:MOST]
    return " ".join(re.sub(r"[0-9]+", " ", _GAPS.sub(" ", letters)).split())[:MOST]


def signature(text: str) -> tuple[int, ...]:
    """The traces of a text; equal shares of two signatures are equal shares of the texts' stretches. () if short."""
    said = normal(text)
    if len(said) < LEAST:
        return ()
    stretches = {said[start : start + STRETCH].encode() for start in range(len(said) - STRETCH + 1)}
    rows = [_HALF.unpack(blake2b(one, person=b"0").digest()) + _HALF.unpack(blake2b(one, person=b"1").digest())
            for one in stretches]
    return tuple(min(column) for column in zip(*rows, strict=True))


def bands(traces: Sequence[int]) -> tuple[int, ...]:
    """Names for parts of a signature: like texts share one almost surely, and unlike ones almost never (LSH)."""
    return tuple(
        int.from_bytes(blake2b(repr((band, *traces[band * ROWS : (band + 1) * ROWS])).encode(), digest_size=8).digest(),
                       "big", signed=True)
        for band in range(BANDS)
    ) if traces else ()


def alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How like two texts are, in percent, by their signatures."""
    if not one or not other:
        return 0
    return 100 * sum(a == b for a, b in zip(one, other, strict=True)) // HASHES
