"""What is told of somebody beside posts and follows, in the words of ActivityPub: reports, and the top of a profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from parvis.accounts.model import Account
from parvis.federation import wire
from parvis.federation.jsonld import Document
from parvis.federation.vocabulary import PUBLIC


def flag(base: str, report: int, accused: Sequence[str], comment: str) -> Document:
    """The city reports somebody elsewhere, named first, and their posts. Who told the city is not in it."""
    uri = wire.instance_uri(base)
    return {
        "id": f"{uri}#flags/{report}", "type": "Flag", "actor": uri, "to": [accused[0]], "content": comment,
        "object": list(accused),
    }


def featured(kind: Literal["Add", "Remove"], by: Account, shown: str | Document, mark: str) -> Document:
    """Somebody shows a post or a hashtag at the top of their profile, or no more."""
    return {
        "id": f"{by.uri}#{mark}/{kind.lower()}", "type": kind, "actor": by.uri, "to": [PUBLIC],
        "cc": [f"{by.uri}/followers"], "object": shown, "target": f"{by.uri}/collections/featured",
    }
