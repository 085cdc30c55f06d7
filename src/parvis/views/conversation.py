"""Direct conversations as they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read
from parvis.views import queries
from parvis.views.cards import opened
from parvis.views.queries import Conversation
from parvis.views.status import Eye, entities


async def conversations(r: Read, eye: Eye, rows: Sequence[Conversation]) -> list[bytes]:
    """Conversation entities in their order. Who only speaks to themselves is shown as the one who takes part."""
    alone = [eye.viewer] if eye.viewer is not None else []
    people = {row.id: row.participants or alone for row in rows}
    posts, accounts = await entities(
        r, eye, [row.status_id for row in rows if row.status_id is not None],
        list({number for part in people.values() for number in part}),
    )
    return [
        b'{%s,"accounts":[%s],"last_status":%s}' % (
            opened({"id": str(row.id), "unread": row.unread}),
            b",".join(accounts[number] for number in people[row.id] if number in accounts),
            b"null" if row.status_id is None else posts.get(row.status_id, b"null"),
        )
        for row in rows
    ]


async def conversation(r: Read, eye: Eye, row_id: int) -> bytes | None:
    """One of the viewer's conversations; None when it is not theirs or is over."""
    found = None if eye.viewer is None else await queries.conversation(r, eye.viewer, row_id)
    return None if found is None else (await conversations(r, eye, [found]))[0]
