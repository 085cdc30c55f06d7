"""A collection of people, who is in it, and what happens to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Collection(msgspec.Struct, frozen=True):
    """People somebody recommends, as a viewer may see them: `items` has a row for each."""

    id: int
    account_id: int
    name: str
    description: str
    language: str | None
    sensitive: bool
    discoverable: bool
    tag: str | None
    created_at: datetime
    updated_at: datetime
    items: list[dict[str, Any]]


class Item(msgspec.Struct, frozen=True):
    """One person's place in a collection."""

    id: int
    collection_id: int
    account_id: int
    state: str
    created_at: datetime


class Candidate(msgspec.Struct, frozen=True):
    """Somebody who might be put in a collection: do they allow it, and does a block stand between the two?"""

    id: int
    allows: bool
    blocked: bool


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection is to say; UNSET stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType | None = msgspec.UNSET
    sensitive: bool | msgspec.UnsetType = msgspec.UNSET
    discoverable: bool | msgspec.UnsetType = msgspec.UNSET
    tag: str | msgspec.UnsetType | None = msgspec.UNSET


class AddedToCollection(msgspec.Struct, frozen=True):
    """Somebody was put in a collection."""

    collection: int
    by: int
    account: int


class LeftCollection(msgspec.Struct, frozen=True):
    """Somebody is no longer in a collection: they were taken out, or took themselves out."""

    collection: int
    account: int


class CollectionChanged(msgspec.Struct, frozen=True):
    """A collection says something else of those who are in it."""

    collection: int
    by: int


class CollectionDropped(msgspec.Struct, frozen=True):
    """A collection is gone."""

    collection: int
