"""Who is asked to come, what somebody brings along, and what they take along."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal["following", "lists", "mutes", "blocks", "domain_blocks", "bookmarks"]
Mode = Literal["merge", "overwrite"]


class Import(msgspec.Struct, frozen=True):
    """A file that is worked through, and how far that is."""

    id: int
    account_id: int
    kind: Kind
    mode: Mode
    created_at: datetime
    finished_at: datetime | None
    total: int
    done: int
    failed: int


class Waiting(msgspec.Struct, frozen=True):
    """A row that waits for its turn."""

    import_id: int
    account_id: int
    kind: Kind
    place: int
    row: list[str]


class Failure(msgspec.Struct, frozen=True):
    """A row that could not be done, and why."""

    row: list[str]
    problem: str


class Invitation(msgspec.Struct, frozen=True):
    """What a resident gives to people they want here, and whether it still counts."""

    id: int
    code: str
    most_uses: int | None
    uses: int
    due_at: datetime | None
    follow: bool
    created_at: datetime
    live: bool


class InvitationWish(msgspec.Struct, frozen=True):
    """For how many seconds and how many people an invitation shall count; None: no limit. Will they follow?"""

    expires_in: int | None = None
    most_uses: int | None = None
    follow: bool = False


class Inviter(msgspec.Struct, frozen=True):
    """Who made an invitation, whether whoever comes by it follows them, and whether it still counts."""

    account_id: int
    follow: bool
    live: bool


class Spent(msgspec.Struct, frozen=True):
    """An invitation of which one more use was counted."""

    id: int
    account_id: int


class Archive(msgspec.Struct, frozen=True):
    """All that is somebody's own, as one file in the store once it is ready."""

    id: int
    account_id: int
    file: str | None
    size: int | None
    created_at: datetime
    ready_at: datetime | None


class Filed(msgspec.Struct, frozen=True):
    """A post, and a file in the store that it shows or showed; None: it has none."""

    status_id: int
    file: str | None


class Kept(msgspec.Struct, frozen=True):
    """A post that somebody marked for themselves."""

    status_id: int
    uri: str


class ArchiveAsked(msgspec.Struct, frozen=True):
    """Somebody wants to take along all that is theirs."""

    archive: int


class ArchiveReady(msgspec.Struct, frozen=True):
    """It lies ready for them."""

    archive: int


class Moved(msgspec.Struct, frozen=True):
    """`account` is another one from now on: `target`."""

    move: int
    account: int
    target: int
