"""What a collection may be, and who may be in it. Pure."""

from __future__ import annotations

import re

import msgspec

from parvis.base.errors import Forbidden, Invalid
from parvis.collections.model import Candidate, Collection, Wish

COLLECTIONS = 10
PEOPLE = 25
NAME = 40
DESCRIPTION = 100
TAG = re.compile(r"(?=.*[^\W\d])\w{1,100}\Z")


def wish(given: Wish) -> Wish:
    """What a collection is to say, within its limits."""
    if not isinstance(given.name, msgspec.UnsetType):
        if not given.name.strip():
            raise Invalid("name", "blank")
        if len(given.name) > NAME:
            raise Invalid("name", "too_long", limit=NAME)
    if not isinstance(given.description, msgspec.UnsetType) and len(given.description) > DESCRIPTION:
        raise Invalid("description", "too_long", limit=DESCRIPTION)
    if isinstance(given.tag, str) and not TAG.match(given.tag):
        raise Invalid("tag_name", "invalid")
    return given


def may_have_another(count: int) -> None:
    """Ten collections are enough."""
    if count >= COLLECTIONS:
        raise Invalid("collections", "too_many", limit=COLLECTIONS)


def may_hold(count: int) -> None:
    """A collection has at most twenty-five people."""
    if count > PEOPLE:
        raise Invalid("account_ids", "too_many", limit=PEOPLE)


def may_be_put(one: Candidate) -> None:
    """Only people who want to be discovered, or whose server says that anybody may feature them; never over a block."""
    if one.blocked or not one.allows:
        raise Invalid("account", "not_to_be_featured")


def may_change(collection: Collection, account_id: int) -> None:
    """A collection belongs to who made it."""
    if collection.account_id != account_id:
        raise Forbidden("not_yours")
