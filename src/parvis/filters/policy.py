"""What a filter may be, and when it matches. Pure.

Nothing is compiled: text and keyword are brought to one form, and the keyword is looked for as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from parvis.base.errors import Invalid
from parvis.filters.model import CONTEXTS, Filter, Live, Match, Needle, Phrase, Sieve, Totals, Wish

TITLE = 256
KEYWORD = 256
FILTERS = 100
KEYWORDS = 500
"""In all filters of one person together: as many are read with each page of posts."""
STATUSES = 1_000
LONGEST = timedelta(days=36_500)
GAP = re.compile(r"\s+")


def title(text: str) -> str:
    """A filter is called something."""
    if not text.strip():
        raise Invalid("title", "blank")
    if len(text) > TITLE:
        raise Invalid("title", "too_long", limit=TITLE)
    return text.strip()


def keyword(text: str, field: str = "keyword") -> str:
    """A word or phrase, with the blanks that were typed around it."""
    if not folded(text).strip():
        raise Invalid(field, "blank")
    if len(text) > KEYWORD:
        raise Invalid(field, "too_long", limit=KEYWORD)
    return text


def context(names: Sequence[str]) -> tuple[str, ...]:
    """At least one of the five places; blanks and repetitions do not count."""
    wanted = tuple(dict.fromkeys(name for name in names if name.strip()))
    if not wanted or not set(wanted) <= set(CONTEXTS):
        raise Invalid("context", "no_context")
    return wanted


def expiry(now: datetime, seconds: int | None, moment: datetime | None) -> datetime | None:
    """When a filter runs out: in so many seconds, or at a moment; never, when neither is said."""
    if seconds is not None:
        if not 0 <= seconds <= LONGEST.total_seconds():
            raise Invalid("expires_in", "invalid")
        return now + timedelta(seconds=seconds)
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not abs(aware - now) <= LONGEST:
        raise Invalid("expires_at", "invalid")
    return aware


def wished(before: Filter, wish: Wish) -> Filter:
    """A filter as it shall be; what is not said stays."""
    return msgspec.structs.replace(
        before, title=before.title if wish.title is None else title(wish.title),
        context=before.context if wish.context is None else list(context(wish.context)),
        action=wish.action or before.action,
        expires_at=before.expires_at if isinstance(wish.expires_at, msgspec.UnsetType) else wish.expires_at,
    )


def may_change_alone(phrase: Phrase, around: Filter, wish: Wish) -> None:
    """A filter of several phrases is not changed through one of them."""
    after = msgspec.structs.replace(wished(around, wish), title=around.title)
    if phrase.siblings and after != around:
        raise Invalid("context", "several_keywords")


def may_hold(totals: Totals) -> None:
    """A person's filters are bounded, for their words are read with each page of posts."""
    for field, held, limit in (
        ("title", totals.filters, FILTERS), ("keyword", totals.keywords, KEYWORDS),
        ("status_id", totals.statuses, STATUSES),
    ):
        if held > limit:
            raise Invalid(field, "too_many_filtered", limit=limit)


def folded(text: str) -> str:
    """The form in which texts are compared: composed, without case, each gap one blank."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return GAP.sub(" ", unicodedata.normalize("NFC", composed))


def searchable(parts: Iterable[str]) -> str:
    """Several texts as one that is looked through; no keyword reaches over the line between two of them."""
    return "\n".join(folded(part) for part in parts if part)


def contains(words: str, wanted: str, whole: bool) -> bool:
    """Is the folded keyword in the searchable text; as a whole word, wherever its own ends are parts of a word?"""
    if not wanted:
        return False
    before, after = whole and in_word(wanted[0]), whole and in_word(wanted[-1])
    start = words.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        inside = before and start > 0 and in_word(words[start - 1])
        if not inside and not (after and end < len(words) and in_word(words[end])):
            return True
        start = words.find(wanted, start + 1)
    return False


def in_word(letter: str) -> bool:
    """Letters, marks, numbers and what joins them make a word, in every script."""
    kind = unicodedata.category(letter)
    return kind[0] in "LMN" or kind == "Pc"


def sieves(live: Sequence[Live]) -> list[Sieve]:
    """Filters made ready once for all the posts of a page."""
    return [
        Sieve(one, tuple(Needle(k.keyword, folded(k.keyword), k.whole_word) for k in one.keywords)) for one in live
    ]


def matches(held: Sequence[Sieve], words: str, numbers: Collection[int]) -> list[Match]:
    """What filters say of a post with that text and those ids: its own, and that of what it passes on."""
    said = [
        Match(
            one.filter, tuple(n.typed for n in one.needles if contains(words, n.folded, n.whole_word)),
            tuple(number for number in one.filter.statuses if number in numbers),
        )
        for one in held
    ]
    return [match for match in said if match.keywords or match.statuses]


def hidden(matched: Sequence[Match], place: str) -> bool:
    """Is a post not to be shown at all in this place?"""
    return any(one.filter.action == "hide" and place in one.filter.context for one in matched)
