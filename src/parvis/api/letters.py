"""Of what one is told by letter. Mastodon has this on its pages only; here an app may ask for it, too.

And letters for those who do not live here: somebody's public posts, if that person offers them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.accounts import actions as accounts
from parvis.api.call import Call, Nothing, get, patch, post
from parvis.api.limits import Limit
from parvis.base.errors import NotFound
from parvis.notifications.channels import queries, subscribers
from parvis.notifications.model import LetterPreferences, LetterWish
from parvis.text import messages

SUBSCRIPTIONS = Limit("subscriptions", 5, 1800)


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Whose posts are wanted, and where they go."""

    id: int
    email: str


async def _shown(call: Call) -> LetterPreferences:
    found = await queries.letter_preferences(call.read, call.me_id)
    if found is None:
        raise NotFound("user")
    return found


@get("/api/v1/letters", "read:notifications")
async def letters(call: Call, _: Nothing) -> LetterPreferences:
    """For each kind: never, while one is away, or always; and whether a digest comes after a week away."""
    return await _shown(call)


@patch("/api/v1/letters", "write:notifications")
async def prefer(call: Call, args: LetterWish) -> LetterPreferences:
    """Choose otherwise."""
    await queries.prefer_letters(call.tx, call.me_id, args)
    return await _shown(call)


@post("/api/v1/accounts/{id}/email_subscriptions", limit=SUBSCRIPTIONS)
async def subscribe(call: Call, args: Subscription) -> dict[str, Any]:
    """Ask for somebody's public posts by e-mail, without an account: nothing comes before a letter's link is opened.

    The answer is the same whatever is known of the address.
    """
    account = await accounts.account(call.tx, args.id)
    locale = messages.negotiated(call.request.headers.get("accept-language"), None)
    await subscribers.subscribe(call.tx, account, args.email, locale)
    return {}
