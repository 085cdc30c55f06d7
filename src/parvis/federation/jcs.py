"""JSON in the one spelling that everybody arrives at: the JSON Canonicalization Scheme (RFC 8785). Pure."""

from __future__ import annotations

import json
import math
from decimal import Decimal

LARGEST = 2**53 - 1
"""Beyond it not every whole number is told from its neighbours by others (RFC 7493)."""


class NotCanonicalError(ValueError):
    """A value that has no such spelling."""


def canonical(value: object) -> bytes:
    """The one spelling of a value."""
    try:
        return _spelled(value).encode()
    except UnicodeEncodeError as error:  # half a character
        raise NotCanonicalError("text") from error


def _spelled(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and _is_told_apart(value):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(_spelled(one) for one in value)}]"
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        names = sorted(value, key=lambda name: str(name).encode("utf-16-be", "surrogatepass"))
        return f"{{{','.join(f'{_spelled(name)}:{_spelled(value[name])}' for name in names)}}}"
    raise NotCanonicalError(type(value).__name__)


def _is_told_apart(value: int) -> bool:
    """Do others, to whom all numbers are of double precision, write it with the same digits?"""
    return abs(value) <= LARGEST or (abs(value) < 10**21 and _number(float(value)) == str(value))


def _number(value: float) -> str:
    """As ECMAScript writes it: the fewest digits that mean this number, with a point or an exponent by its size."""
    if value == 0:
        return "0"
    found = Decimal(repr(abs(value))).as_tuple()
    point = len(found.digits) + int(found.exponent)
    digits = "".join(map(str, found.digits)).rstrip("0")
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"
