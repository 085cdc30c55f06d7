"""Who may invite, how often one takes everything along, and Mastodon's own files of what one has. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from parvis.accounts.model import Account
from parvis.base.errors import Forbidden, Invalid, TooMany
from parvis.portability.model import InvitationWish, Kind

ROWS = 20_000
CELL = 2_000
STANDING = 20
USES = 100
YEAR = 365 * 86400
WEEK = timedelta(days=7)
COOLDOWN = timedelta(days=30)
ALIASES = 20
FILES: Mapping[Kind, str] = {
    "following": "following_accounts.csv", "lists": "lists.csv", "mutes": "muted_accounts.csv",
    "blocks": "blocked_accounts.csv", "domain_blocks": "blocked_domains.csv", "bookmarks": "bookmarks.csv",
}
HEADS: Mapping[Kind, tuple[str, ...]] = {
    "following": ("Account address", "Show boosts", "Notify on new posts", "Languages"),
    "mutes": ("Account address", "Hide notifications"),
}
FIRST = frozenset(("account address", "list name", "#domain", "#uri", "#account address"))
WIDTHS: Mapping[Kind, int] = {
    "following": 4, "lists": 2, "mutes": 2, "blocks": 1, "domain_blocks": 1, "bookmarks": 1,
}
NEEDED: Mapping[Kind, int] = {"lists": 2}


def may_invite(by: Account, registrations: str, standing: int) -> None:
    """Whoever lives here and is under no measure may ask others in, by twenty invitations at a time."""
    if registrations == "closed":
        raise Forbidden("registrations_closed")
    if by.suspended_at or by.limited_at or by.moved_to_id or by.deleted_at:
        raise Forbidden("may_not_invite")
    if standing >= STANDING:
        raise Forbidden("too_many_invitations")


def invitation(wish: InvitationWish) -> None:
    """A limit that is set is one: a year at most, and a hundred people."""
    if wish.expires_in is not None and not 0 < wish.expires_in <= YEAR:
        raise Invalid("expires_in", "ERR_INVALID")
    if wish.most_uses is not None and not 0 < wish.most_uses <= USES:
        raise Invalid("most_uses", "ERR_INVALID")


def may_take_along(last: datetime | None, now: datetime) -> None:
    """All that is one's own is put together once a week at most: it is much work."""
    if last is not None and now < last + WEEK:
        raise TooMany(last + WEEK, "archive_weekly", 1)


def written(kind: Kind, rows: Sequence[Sequence[str]]) -> str:
    """A file as Mastodon writes it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([*([HEADS[kind]] if kind in HEADS else []), *rows])
    return out.getvalue()


def read(kind: Kind, text: str) -> list[list[str]]:
    """The rows of a file, each once, as wide as its kind is; Invalid when it holds none, or is no such file."""
    try:
        found = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    except csv.Error as error:
        raise Invalid("file", "ERR_FILE") from error
    rows: list[list[str]] = []
    for place, cells in enumerate(found):
        row = [cell.strip() for cell in cells]
        if not any(row) or (place == 0 and row[0].lower() in FIRST):
            continue
        rows.append(fitting(kind, row))
    if not rows or len(rows) > ROWS:
        raise Invalid("file", "ERR_FILE")
    return [list(row) for row in dict.fromkeys(map(tuple, rows))]


def fitting(kind: Kind, row: list[str]) -> list[str]:
    """A row of the width of its kind; people are named without an @ in front."""
    needed = row[: NEEDED.get(kind, 1)]
    if len(needed) < NEEDED.get(kind, 1) or not all(needed) or any(len(c) > CELL or "\x00" in c for c in row):
        raise Invalid("file", "ERR_FILE")
    wide = [*row, *[""] * WIDTHS[kind]][: WIDTHS[kind]]
    place = 1 if kind == "lists" else 0
    wide[place] = wide[place].removeprefix("@") if kind not in ("domain_blocks", "bookmarks") else wide[place]
    return wide


def truth(text: str, otherwise: bool) -> bool:
    """A yes or no of such a file."""
    return {"true": True, "false": False}.get(text.lower(), otherwise)


def key(kind: Kind, row: Sequence[str]) -> tuple[str, ...]:
    """What makes two rows the same."""
    return tuple(cell.lower() for cell in row[: NEEDED.get(kind, 1)]) if kind != "bookmarks" else (row[0],)


def may_claim(by: Account, other: str, names: Sequence[str]) -> None:
    """One names up to twenty other accounts as one's own."""
    if other == by.uri:
        raise Invalid("acct", "yourself")
    if other not in names and len(names) >= ALIASES:
        raise Invalid("acct", "too_many", limit=ALIASES)


def rests(by: Account) -> timedelta:
    """How long nobody moves again: a month from here, and of other servers' people nothing is heard for a week."""
    return COOLDOWN if by.local else WEEK


def may_move(by: Account, target: Account, names: Sequence[str], last: datetime | None, now: datetime) -> None:
    """One moves to another account that is there and names this one as its own, and not again at once."""
    if by.id == target.id:
        raise Invalid("target", "yourself")
    if target.deleted_at or target.suspended_at:
        raise Invalid("target", "unavailable")
    if target.moved_to_id:
        raise Invalid("target", "moved_on")
    if by.uri not in names:
        raise Invalid("target", "not_an_alias")
    if by.local and by.moved_to_id == target.id:
        raise Invalid("target", "already_there")
    if last is not None and now < last + rests(by):
        raise TooMany(last + rests(by), "moved_lately", 1)
