"""Of what one is told by letter. Mastodon has this on its pages only; here an app may ask for it, too."""

from __future__ import annotations

from parvis.api.call import Call, Nothing, get, patch
from parvis.base.errors import NotFound
from parvis.notifications.channels import queries
from parvis.notifications.model import LetterPreferences, LetterWish


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
