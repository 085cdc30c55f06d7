"""Notifications as they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.clock import mastodon_time
from parvis.base.db import Read
from parvis.notifications.model import Notification
from parvis.views.account import accounts
from parvis.views.cards import opened
from parvis.views.status import Eye, statuses


async def notifications(r: Read, eye: Eye, rows: Sequence[Notification]) -> list[bytes]:
    """Notification entities in their order; one whose account has left is dropped."""
    people = await accounts(r, eye, list({row.from_account_id for row in rows}))
    posts = await statuses(r, eye, list({row.status_id for row in rows if row.status_id is not None}))
    shown = []
    for row in rows:
        person = people.get(row.from_account_id)
        if person is None or (row.status_id is not None and row.status_id not in posts):
            continue
        head = opened({
            "id": str(row.id), "type": row.kind, "created_at": mastodon_time(row.created_at),
            "group_key": f"ungrouped-{row.id}",
        })
        post = b"" if row.status_id is None else b',"status":%s' % posts[row.status_id]
        shown.append(b'{%s,"account":%s%s}' % (head, person, post))
    return shown
