"""The deeds on filters. Whoever listens is told of each change."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parvis.accounts.model import Account
from parvis.base.db import Tx
from parvis.base.errors import NotFound
from parvis.filters import policy, queries
from parvis.filters.model import (
    Filter,
    FilteredStatus,
    FiltersChanged,
    Keyword,
    KeywordWish,
    Phrase,
    Wish,
)
from parvis.statuses import queries as posts


async def create(tx: Tx, by: Account, wish: Wish, words: Sequence[KeywordWish]) -> Filter:
    """Make a filter: it has a title and at least one place, and only warns unless something else is said."""
    await _hold(tx, by)
    made = await queries.add(
        tx, by.id, policy.title(wish.title or ""), policy.context(wish.context or ()), wish.action or "warn",
        None if isinstance(wish.expires_at, msgspec.UnsetType) else wish.expires_at,
    )
    for word in words:
        if word.id is not None:
            raise NotFound("keyword")
        if not word.destroy:
            await _add(tx, made, word)
    await _tell(tx, by)
    return await mine(tx, by, made)


async def change(tx: Tx, by: Account, filter_id: int, wish: Wish, words: Sequence[KeywordWish]) -> Filter:
    """Change a filter and its words; what is not said stays."""
    await _hold(tx, by)
    before = await mine(tx, by, filter_id)
    await _rewrite(tx, before, wish)
    held = {row["id"]: row for row in before.keywords}
    for word in words:
        if word.id is None:
            if not word.destroy:
                await _add(tx, filter_id, word)
        elif word.id not in held:
            raise NotFound("keyword")
        elif word.destroy:
            await queries.drop_keyword(tx, word.id)
        else:
            await _reword(tx, word.id, held[word.id]["keyword"], held[word.id]["whole_word"], word)
    await _tell(tx, by)
    return await mine(tx, by, filter_id)


async def remove(tx: Tx, by: Account, filter_id: int) -> None:
    """Take a filter away."""
    if not await queries.drop(tx, by.id, filter_id):
        raise NotFound("filter")
    await tx.emit(FiltersChanged(by.id))


async def add_keyword(tx: Tx, by: Account, filter_id: int, word: KeywordWish) -> Keyword:
    """Look for one word more."""
    await _hold(tx, by)
    made = await _add(tx, (await mine(tx, by, filter_id)).id, word)
    await _tell(tx, by)
    return await my_keyword(tx, by, made)


async def change_keyword(tx: Tx, by: Account, keyword_id: int, word: KeywordWish) -> Keyword:
    """Look for another word instead."""
    before = await my_keyword(tx, by, keyword_id)
    await _reword(tx, before.id, before.keyword, before.whole_word, word)
    await _tell(tx, by)
    return await my_keyword(tx, by, keyword_id)


async def remove_keyword(tx: Tx, by: Account, keyword_id: int) -> None:
    """Look for a word no longer; its filter stays, even if it has no other."""
    await queries.drop_keyword(tx, (await my_keyword(tx, by, keyword_id)).id)
    await _tell(tx, by)


async def add_status(tx: Tx, by: Account, filter_id: int, status_id: int) -> FilteredStatus:
    """Filter one post that one sees. Doing it twice is the same as once."""
    await _hold(tx, by)
    held = (await mine(tx, by, filter_id)).statuses
    made = await queries.add_status(tx, filter_id, (await posts.visible(tx, status_id, by.id)).id)
    if made is None:
        return await my_status(tx, by, next(row["id"] for row in held if row["status_id"] == status_id))
    await _tell(tx, by)
    return await my_status(tx, by, made)


async def remove_status(tx: Tx, by: Account, number: int) -> FilteredStatus:
    """Filter one post no longer; what is taken away is returned."""
    before = await my_status(tx, by, number)
    await queries.drop_status(tx, before.id)
    await _tell(tx, by)
    return before


async def create_phrase(tx: Tx, by: Account, wish: Wish, word: KeywordWish) -> Phrase:
    """Make a filter of a single phrase, which is its title as well."""
    policy.keyword(word.keyword or "", "phrase")
    made = await create(tx, by, wish, [word])
    return await my_phrase(tx, by, made.keywords[0]["id"])


async def change_phrase(tx: Tx, by: Account, keyword_id: int, wish: Wish, word: KeywordWish) -> Phrase:
    """Change a phrase, and its filter if no other phrase would be changed with it."""
    await _hold(tx, by)
    before = await my_phrase(tx, by, keyword_id)
    policy.keyword(word.keyword or "", "phrase")
    around = await mine(tx, by, before.filter_id)
    if around.title == before.keyword.strip():
        wish = msgspec.structs.replace(wish, title=word.keyword)
    policy.may_change_alone(before, around, wish)
    await _rewrite(tx, around, wish)
    await _reword(tx, before.id, before.keyword, before.whole_word, word)
    await _tell(tx, by)
    return await my_phrase(tx, by, keyword_id)


async def mine(tx: Tx, by: Account, filter_id: int) -> Filter:
    """One's own filter; NotFound otherwise."""
    found = await queries.one(tx, by.id, filter_id)
    if found is None:
        raise NotFound("filter")
    return found


async def my_keyword(tx: Tx, by: Account, keyword_id: int) -> Keyword:
    """A word of one's own filters; NotFound otherwise."""
    found = await queries.keyword(tx, by.id, keyword_id)
    if found is None:
        raise NotFound("keyword")
    return found


async def my_status(tx: Tx, by: Account, number: int) -> FilteredStatus:
    """A post that one's own filters name; NotFound otherwise."""
    found = await queries.status(tx, by.id, number)
    if found is None:
        raise NotFound("filter")
    return found


async def my_phrase(tx: Tx, by: Account, keyword_id: int) -> Phrase:
    """A word of one's own filters with its filter; NotFound otherwise."""
    found = await queries.phrase(tx, by.id, keyword_id)
    if found is None:
        raise NotFound("filter")
    return found


async def _hold(tx: Tx, by: Account) -> None:
    """Two changes of one person's filters come one after the other: together they could pass the bounds."""
    await tx.lock(f"filters {by.id}")


async def _tell(tx: Tx, by: Account) -> None:
    policy.may_hold(await queries.totals(tx, by.id))
    await tx.emit(FiltersChanged(by.id))


async def _rewrite(tx: Tx, before: Filter, wish: Wish) -> None:
    after = policy.wished(before, wish)
    await queries.change(tx, after.id, after.title, after.context, after.action, after.expires_at)


async def _add(tx: Tx, filter_id: int, word: KeywordWish) -> int:
    whole = True if word.whole_word is None else word.whole_word
    return await queries.add_keyword(tx, filter_id, policy.keyword(word.keyword or ""), whole)


async def _reword(tx: Tx, keyword_id: int, keyword: str, whole: bool, word: KeywordWish) -> None:
    """What is not said of a word stays."""
    await queries.change_keyword(
        tx, keyword_id, keyword if word.keyword is None else policy.keyword(word.keyword),
        whole if word.whole_word is None else word.whole_word,
    )
