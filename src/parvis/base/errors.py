"""Everything that can go wrong on purpose.

    Problem
    ├── NotFound      absent, or not to be seen: the caller cannot tell which
    ├── Gone          was here and was deleted
    ├── Forbidden     seen, but not for this person to do
    ├── Unauthenticated  nobody, or a token that no longer stands
    ├── Refused       a rule of the city says no
    ├── Invalid       a value is missing or wrong
    ├── Conflict      someone else was first
    ├── TooMany       a limit was reached
    └── Upstream      another server did not do its part

An error carries a stable word and parameters; sentences and HTTP codes belong to the faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime


class Problem(Exception):
    """The root of the tree: a stable word and its parameters."""

    def __init__(self, word: str, /, **params: object) -> None:
        super().__init__(word, params)
        self.word = word
        self.params: Mapping[str, object] = params

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.word} ({shown})" if shown else self.word


class NotFound(Problem):
    """Absent, or hidden from this viewer."""

    def __init__(self, what: str = "record", /, **params: object) -> None:
        super().__init__(what, **params)


class Gone(Problem):
    """It was here and has been deleted."""

    def __init__(self, what: str = "record", /, **params: object) -> None:
        super().__init__(what, **params)


class Forbidden(Problem):
    """The person may see it and may not do this to it."""


class Unauthenticated(Problem):
    """No token, or one that no longer stands."""

    def __init__(self, word: str = "token_invalid", /, **params: object) -> None:
        super().__init__(word, **params)


class Refused(Problem):
    """A rule says no; the word names the rule."""


class Invalid(Problem):
    """One value is missing or wrong."""

    def __init__(self, field: str, code: str, /, **params: object) -> None:
        super().__init__(code, **params)
        self.field = field


class Conflict(Problem):
    """The state moved under the caller's feet."""


class TooMany(Problem):
    """A limit of `most` was reached; it opens again at `until`."""

    def __init__(self, until: datetime, /, word: str = "too_many", most: int = 0) -> None:
        super().__init__(word, until=until, most=most)
        self.until = until
        self.most = most


class Upstream(Problem):
    """Another server could not be reached or answered nonsense."""
