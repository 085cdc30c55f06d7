"""The names under which a server can be kept out. Pure."""

from __future__ import annotations


def above(host: str) -> list[str]:
    """A host, with its port and without, and every domain above it: a block of one holds for all below."""
    plain = host.lower().partition(":")[0]
    parts = plain.split(".")[:40]
    return list(dict.fromkeys([host.lower(), *(".".join(parts[start:]) for start in range(len(parts)))]))


def obscured(domain: str) -> str:
    """A domain that whoever knows it recognises, and nobody learns: its middle half is starred but for the dots."""
    edge = len(domain) // 4
    middle = domain[edge : len(domain) - edge]
    return domain[:edge] + "".join("." if letter == "." else "*" for letter in middle) + domain[len(domain) - edge :]
