"""May one do this with a post? Pure."""

from __future__ import annotations

from parvis.accounts.model import Account
from parvis.base.errors import Forbidden, Invalid
from parvis.statuses.model import Openness, Standing, Status

CHARACTERS = 500
MEDIA = 4
TYPED = 50_000
"""More than can be a post whatever its links count for: not worth reading."""
PINS = 5
PINS_ELSEWHERE = 20
"""Other servers may allow more than this one."""
TRANSLATIONS = 20_000
REBLOGGABLE = ("public", "unlisted")
WIDTH = {"public": 3, "unlisted": 2, "private": 1, "direct": 0}


def may_speak(by: Account) -> None:
    """Nobody says or passes on anything here with an account from which they have moved."""
    if by.local and by.moved_to_id:
        raise Forbidden("moved")


def may_own(by: int, status: Status) -> None:
    """Only its author changes or deletes a post."""
    if status.account_id != by:
        raise Forbidden("not_yours")


def may_reblog(by: int, status: Status) -> None:
    """Public posts may be passed on by all who see them, private ones by their author; direct and removed ones not."""
    if status.removed_at is None and status.visibility in REBLOGGABLE:
        return
    if status.removed_at is None and status.visibility == "private" and status.account_id == by:
        return
    raise Forbidden("not_reblogged")


def welcome(by: int, parent: Status, standing: Standing) -> bool:
    """Does the author of a post want this person's answer? Their own and those of the people it names, always."""
    if parent.reply_policy == "public" or parent.account_id == by or standing.named:
        return True
    return parent.reply_policy == "followers" and standing.follows


def may_reply(by: int, parent: Status, standing: Standing) -> None:
    """One answers only whoever wants to be answered."""
    if not welcome(by, parent, standing):
        raise Forbidden("reply_denied")


def unwelcome_from_elsewhere(by: int, parent: Status, standing: Standing) -> bool:
    """Is this answer from another server hidden here? Of a remote author we do not know all followers: not for that."""
    knowable = parent.local or parent.reply_policy != "followers"
    return knowable and not welcome(by, parent, standing)


def opened(visibility: str, wish: Openness) -> Openness:
    """Posts that are not for everybody are quoted by nobody else, whatever was wished."""
    if visibility in REBLOGGABLE:
        return wish
    return Openness(reply_policy=wish.reply_policy)


def may_pin(by: int, status: Status, pinned: int) -> None:
    """One pins a few own posts, no reblogs, no direct posts."""
    most = PINS if status.local else PINS_ELSEWHERE
    if status.account_id != by:
        raise Invalid("id", "not_yours")
    if status.reblog_of_id:
        raise Invalid("id", "reblog")
    if status.visibility == "direct":
        raise Invalid("id", "direct")
    if pinned >= most:
        raise Invalid("id", "too_many_pins", limit=most)


def readable(text: str) -> None:
    """A text is refused by its mere size before anything looks for names and links in it."""
    if len(text) > TYPED:
        raise Invalid("text", "too_long", limit=CHARACTERS)


def fits(length: int) -> None:
    """A post of this city has at most 500 characters, its warning included."""
    if length > CHARACTERS:
        raise Invalid("text", "too_long", limit=CHARACTERS)


def says_something(text: str, media: tuple[int, ...]) -> None:
    """A post has words or pictures, and not too many pictures."""
    if not text.strip() and not media:
        raise Invalid("text", "blank")
    if len(media) > MEDIA:
        raise Invalid("media_ids", "too_many", limit=MEDIA)


def reblog_visibility(wished: str, status: Status) -> str:
    """A reblog is never wider than the post."""
    return wished if WIDTH[wished] <= WIDTH[status.visibility] else status.visibility


