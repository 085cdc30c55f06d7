"""How a search is understood. Nothing that is typed is wrong: what is no operator is a word."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta

import msgspec

from parvis.search.model import ME, Candidate, Named, Source, Suggestion, Wish
from parvis.text import language

LONGEST = 1000
MOST_TERMS = 40
MARKS: Mapping[str, frozenset[str]] = {
    "has": frozenset(("media", "poll", "link", "embed")),
    "is": frozenset(("reply", "sensitive")),
    "in": frozenset(("library", "public")),
}
_TERM = re.compile(
    r'(?P<no>-?)(?:"(?P<phrase>[^"]*)"|(?P<name>[a-z]+):"?(?P<value>[^\s"]+)"?(?=\s|$)|(?P<word>[^\s"]+))'
)
_HANDLE = re.compile(r"@?([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)(?:@([^@\s]+))?")

Fields = dict[str, object]
Operator = Callable[[str, str, bool], Fields | None]


def understood(text: str, home: str) -> Wish:
    """What a search asks for: operators, "phrases", words, and each of them negated; `home` is this city's domain."""
    wish = Wish()
    for name, value, no in _terms(text[:LONGEST].replace("\x00", " ")):
        operator = OPERATORS.get(name)
        read = operator(value, home, no) if operator else None
        if read is None:
            said = value if name in ("", "phrase") else f"{name}:{value}"
            read = {"without" if no else "words": (said,)}
        wish = _joined(wish, read)
    return wish


def _terms(text: str) -> Iterator[tuple[str, str, bool]]:
    for number, match in enumerate(_TERM.finditer(text)):
        if number >= MOST_TERMS:
            return
        no, phrase, name, value, word = match.group("no", "phrase", "name", "value", "word")
        if phrase is not None:
            kind, said = "phrase", phrase
        else:
            kind, said = name or "", value or word
        if any(letter.isalnum() for letter in said):
            yield kind, said, bool(no)


def _joined(wish: Wish, read: Fields) -> Wish:
    """A wish with one more term: narrower dates, one more of everything else."""
    changes: Fields = {}
    for field, value in read.items():
        before = getattr(wish, field)
        if isinstance(value, date):
            narrower = max if field == "since" else min
            changes[field] = value if before is None else narrower(before, value)
        else:
            changes[field] = before | value if isinstance(before, frozenset) else (*before, *value)  # type: ignore[operator, misc]  # alike
    return msgspec.structs.replace(wish, **changes)


def _marked(kind: str) -> Operator:
    def read(value: str, _: str, no: bool) -> Fields | None:
        if kind == "in" and value == "all" and not no:
            return {}
        return {"not_marks" if no else "marks": frozenset((value,))} if value in MARKS[kind] else None

    return read


def _from(value: str, home: str, no: bool) -> Fields | None:
    field = "not_authors" if no else "authors"
    if value == "me":
        return {field: (ME,)}
    found = handle(value, home)
    return None if found is None else {field: (found,)}


def _language(value: str, _: str, no: bool) -> Fields | None:
    code = language.valid(value)
    if code is None:
        return None
    return {"not_languages" if no else "languages": frozenset((code.partition("-")[0],))}


def _day(value: str) -> date | None:
    try:
        found = date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        return None
    return found if found is not None and 1900 <= found.year <= 9000 else None


def _dated(kind: str) -> Operator:
    def read(value: str, _: str, no: bool) -> Fields | None:
        day = _day(value)
        if day is None:
            return None
        after = day + timedelta(days=1)
        if kind == "during":
            return {"not_on": frozenset((day,))} if no else {"since": day, "until": after}
        if kind == "before":
            return {"since": day} if no else {"until": day}
        return {"until": after} if no else {"since": after}

    return read


OPERATORS: Mapping[str, Operator] = {
    "from": _from, "language": _language, **{kind: _marked(kind) for kind in MARKS},
    **{kind: _dated(kind) for kind in ("before", "after", "during")},
}


def handle(text: str, home: str) -> tuple[str, str] | None:
    """A handle as name and domain, in lower case, '' for this city; None when it can be none."""
    match = _HANDLE.fullmatch(text)
    if match is None:
        return None
    domain = (match[2] or "").lower()
    return match[1].lower(), "" if domain == home else domain


def named(text: str, home: str) -> Named:
    """Whom somebody looks for by a name or a handle."""
    typed = " ".join(text.replace("\x00", " ").split())[:LONGEST].strip().lstrip("@")
    name, domain = handle(typed, home) or ("", "")
    return Named(typed.removesuffix(f"@{home}") if name else typed, name, domain)


def pattern(text: str) -> str:
    """What a name must be like: it contains three letters and more; it begins with fewer."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if len(text) > 2 or not text.isascii() else f"{escaped}%"


WEIGHTS: Mapping[Source, float] = {
    "friends_of_friends": 4.0, "similar_to_recently_followed": 3.0, "most_interactions": 2.0, "most_followed": 1.0,
}
SLOPE = 10.0


def worth(candidate: Candidate) -> float:
    """What being named by one source is worth: its weight, less the further down it names somebody."""
    return WEIGHTS[candidate.source] * SLOPE / (SLOPE + candidate.place - 1)


def suggested(candidates: Iterable[Candidate], limit: int) -> list[Suggestion]:
    """Whom to suggest: who is worth most in all that sources say; among equals the one who has been here longest."""
    named_by: dict[int, list[Candidate]] = defaultdict(list)
    for one in candidates:
        named_by[one.account_id].append(one)
    order = sorted(named_by, key=lambda number: (-sum(map(worth, named_by[number])), number))
    return [
        Suggestion(number, tuple(c.source for c in sorted(named_by[number], key=lambda c: (-worth(c), c.source))))
        for number in order[:limit]
    ]
