"""Who may quote what, and the life of a quote. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from parvis.base.errors import Forbidden, Invalid
from parvis.base.lifecycle import Lifecycle
from parvis.quotes.model import Answer, Asker, QuotePolicy, State, Step
from parvis.statuses.model import Draft, Openness, ReplyPolicy, Status, Visibility

LIFE = Lifecycle(
    {
        (State.pending, Step.accept): State.accepted,
        (State.pending, Step.reject): State.rejected,
        (State.pending, Step.doubt): State.unauthorized,
        (State.pending, Step.delete): State.deleted,
        (State.accepted, Step.revoke): State.revoked,
        (State.accepted, Step.reject): State.rejected,
        (State.accepted, Step.delete): State.deleted,
        (State.unauthorized, Step.accept): State.accepted,
        (State.unauthorized, Step.reject): State.rejected,
        (State.unauthorized, Step.delete): State.deleted,
        (State.rejected, Step.delete): State.deleted,
        (State.revoked, Step.delete): State.deleted,
    },
    State.pending,
    frozenset((State.deleted,)),
)
AUTOMATIC: Mapping[str, tuple[str, ...]] = {"public": ("public",), "followers": ("followers",), "nobody": ()}
SHOWING = ("accepted", "muted_account", "blocked_domain")
"""In these states, as a viewer is told them, the quoted post is shown with the quote."""


def opened(status: Status, quotes: QuotePolicy | None, replies: ReplyPolicy | None) -> Openness:
    """Who may quote and answer a post after a change; it stays as it was where nothing is said."""
    return Openness(
        quote_automatic=tuple(status.quote_automatic) if quotes is None else AUTOMATIC[quotes],
        quote_manual=tuple(status.quote_manual) if quotes is None else (), reply_policy=replies or status.reply_policy,
    )


def prepared(draft: Draft, quoted: Status, by: int) -> Draft:
    """A draft that quotes: for no more people than what it quotes, and behind nobody's back."""
    names_whom_it_quotes(draft.visibility, quoted, by, draft.mentions)
    return msgspec.structs.replace(
        draft, visibility=narrowed(draft.visibility, quoted), local_only=draft.local_only or quoted.local_only
    )


def standing(quoted: Status, by: int | None, asker: Asker) -> Answer:
    """What somebody who wants to quote a post can expect; its author may always, but for a direct post."""
    return answer((quoted.quote_automatic, quoted.quote_manual), quoted.visibility, quoted.account_id == by, asker)


def answer(rules: tuple[list[str], list[str]], visibility: str, own: bool, asker: Asker) -> Answer:
    """The same, from the parts of a post that matter."""
    automatic, manual = rules
    if visibility == "direct":
        return "denied"
    if own or _covered(automatic, asker):
        return "automatic"
    if _covered(manual, asker):
        return "manual"
    return "unknown" if "unsupported_policy" in (*automatic, *manual) else "denied"


def _covered(rule: list[str], asker: Asker) -> bool:
    return "public" in rule or ("followers" in rule and asker.follows) or ("following" in rule and asker.followed)


def may_quote(expected: Answer) -> None:
    """One does not quote whoever does not want to be quoted."""
    if expected == "denied":
        raise Forbidden("quote_denied")


def may_ask(quoting: Status) -> None:
    """The author of a post elsewhere cannot be asked about a quote that must stay here."""
    if quoting.local_only:
        raise Forbidden("quote_local_only")


def narrowed(wished: Visibility, quoted: Status) -> Visibility:
    """A post for few is quoted for few: a quote is never wider than private then."""
    narrow = quoted.visibility == "private" and wished in ("public", "unlisted")
    return "private" if narrow else wished


def names_whom_it_quotes(visibility: str, quoted: Status, by: int, named: tuple[int, ...]) -> None:
    """Nobody is quoted behind their back: a direct quote names its author."""
    if visibility == "direct" and quoted.account_id not in (by, *named):
        raise Invalid("visibility", "quote_not_named")


def first_state(quoted: Status | None, by: int, approved: bool, legacy: bool) -> State:
    """Where a quote from another server begins: one's own posts need no leave, all else a verified one."""
    if quoted is not None and quoted.account_id == by and quoted.visibility != "direct":
        return LIFE.step(State.pending, Step.accept)
    if quoted is not None and quoted.visibility not in ("public", "unlisted"):
        return LIFE.step(State.pending, Step.doubt)
    if quoted is not None and approved:
        return LIFE.step(State.pending, Step.accept)
    return LIFE.step(State.pending, Step.doubt) if legacy else State.pending
