"""A post that somebody has just made, as they are shown it: nothing in it is unknown, so nothing is looked up.

Nobody has marked it, answered it or passed it on. Where more than the post and its author is in it, it is looked at.
"""

from __future__ import annotations

import re

from parvis.base.clock import mastodon_time
from parvis.composing.model import Author
from parvis.statuses.model import Made, Status
from parvis.views.cards import status_card
from parvis.views.looks import Look, Scene, Sight
from parvis.views.model import Post
from parvis.views.status import SHORT, Eye, composed

EMOJI = re.compile(r":\w{2,100}(?=:)")


def status(eye: Eye, by: Author, made: Status) -> bytes | None:
    """The Status entity of a post without files, poll or quote; None: look at it."""
    rules = next((short for short, lists in SHORT.items() if lists == (made.quote_automatic, made.quote_manual)), None)
    if (
        not isinstance(made, Made) or made.untagged or made.named or made.in_reply_to_id is not None or rules is None
        or by.has_filters or by.moved_to_id is not None or EMOJI.search(f"{made.spoiler_text} {made.content}")
        or eye.shelf.card("account", by.id, by.version) is None
    ):
        return None
    post = _post(by, made, rules)
    if eye.shelf.card("status", made.id, made.version) is None:
        eye.shelf.put("status", made.id, made.version, status_card(_data(by, made), eye.settings))
    sight = Sight(Scene({made.id: post}, {}), {}, {}, [], everything=True)
    return composed(eye, Look(eye.viewer, (made.id,)), sight)[0][made.id]


def _post(by: Author, made: Made, rules: str) -> Post:
    return Post(
        id=made.id, version=made.version, account_id=by.id, reblog_of_id=None, conversation_id=made.conversation_id,
        open=made.visibility in ("public", "unlisted") and not made.local_only,
        replies=0, reblogs=0, favourites=0, quotes=0, account_version=by.version, account_statuses=by.statuses + 1,
        account_followers=by.followers, account_following=by.following, moved_to_id=None,
        last_status_at=by.last_status_at, asks=False,
        card_id=None, card_version=None, quote_state=None, quoted_id=None, quote_rules=rules,
        visibility=made.visibility, hidden_replies=0,
    )


def _data(by: Author, made: Made) -> dict[str, object]:
    """What `queries.materials` says of such a post."""
    return {
        "id": made.id, "created_at": mastodon_time(made.created_at), "edited_at": None, "in_reply_to_id": None,
        "in_reply_to_account_id": None, "sensitive": made.sensitive, "spoiler_text": made.spoiler_text,
        "visibility": made.visibility, "local_only": made.local_only, "reply_policy": made.reply_policy,
        "language": made.language, "uri": made.uri, "url": made.url, "content": made.content,
        "application": by.application, "media": None, "mentions": None, "tags": made.tags, "emojis": [],
    }
