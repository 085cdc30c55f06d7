"""Direct conversations as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parvis.base.db import Read
from parvis.views import crowd, queries
from parvis.views.cards import opened
from parvis.views.queries import Conversation, ConversationOf
from parvis.views.status import Eye, entities


async def conversations(r: Read, eye: Eye, rows: Sequence[Conversation]) -> list[bytes]:
    """Conversation entities in their order. Who only speaks to themselves is shown as the one who takes part."""
    alone = [] if eye.viewer is None else [eye.viewer]
    posts, people = await entities(
        r, eye, [row.status_id for row in rows if row.status_id is not None],
        list({number for row in rows for number in row.participants or alone}),
    )
    return [_one(row, alone, people, posts.get(row.status_id or 0)) for row in rows]


async def to_each(r: Read, eye: Eye, rows: Sequence[ConversationOf]) -> dict[int, bytes]:
    """Conversation entities by id, each for whose it is, with as many queries as for one person."""
    posts = await crowd.to_each(r, eye, [(row.account_id, row.last_status_id) for row in rows])
    concerned = {number for row in rows for number in row.participants or [row.account_id]}
    _, people = await entities(r, eye, (), list(concerned))
    return {
        row.id: _one(row, [row.account_id], people, posts.get((row.account_id, row.last_status_id))) for row in rows
    }


def _one(row: Conversation, alone: list[int], people: Mapping[int, bytes], post: bytes | None) -> bytes:
    shown = (people[number] for number in row.participants or alone if number in people)
    head = opened({"id": str(row.id), "unread": row.unread})
    return b'{%s,"accounts":[%s],"last_status":%s}' % (head, b",".join(shown), post or b"null")


async def conversation(r: Read, eye: Eye, row_id: int) -> bytes | None:
    """One of the viewer's conversations; None when it is not theirs or is over."""
    found = None if eye.viewer is None else await queries.conversation(r, eye.viewer, row_id)
    return None if found is None else (await conversations(r, eye, [found]))[0]
