"""The list of a conversation that began here: what in it is for everybody, as the author of its first post has it.

FEP-7888 has a post name such a list by `context`, and FEP-f228 says what stands in it: who has it need not ask each
post for its replies. Whose conversation it is decides what belongs to it, so an answer they did not want is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from parvis.accounts.model import Account
from parvis.base.db import Read
from parvis.base.errors import NotFound
from parvis.base.ids import parsed
from parvis.federation import documents, queries
from parvis.federation.jsonld import Document

PAGE = 50


async def shown(r: Read, owner: Account, number: str, asked: Mapping[str, str]) -> Document:
    """The list, or one of its pages; of a conversation whose first post is gone or not for everybody there is none."""
    first = parsed(number)
    total = await queries.conversed_count(r, owner.id, first) if first else 0
    if first is None or total == 0:
        raise NotFound("context")
    uri = f"{owner.uri}/contexts/{first}"
    if "page" not in asked:
        return documents.collection(uri, total, paged=True, ordered=True) | {"attributedTo": owner.uri}
    after = parsed(asked.get("min_id", "")) or 0
    found = await queries.conversed(r, owner.id, first, after, PAGE)
    onwards = f"{uri}?page=true&min_id={found[-1][0]}" if len(found) == PAGE else None
    here = f"{uri}?page=true&min_id={after}" if after else f"{uri}?page=true"
    page = documents.collection_page(uri, here, [address for _, address in found], onwards, ordered=True)
    return page | {"attributedTo": owner.uri}
