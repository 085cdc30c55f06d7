"""Notifications as they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.clock import mastodon_time
from parvis.base.db import Read
from parvis.moderation import queries as cases
from parvis.moderation.model import Decision, Level
from parvis.notifications.model import Notification
from parvis.views.cards import opened
from parvis.views.status import Eye, entities


async def notifications(r: Read, eye: Eye, rows: Sequence[Notification]) -> list[bytes]:
    """Notification entities in their order; one whose account has left, or whose post a filter hides, is dropped."""
    posts, people = await entities(
        r, eye, list({row.status_id for row in rows if row.status_id is not None}),
        list({row.from_account_id for row in rows}), hidden_in="notifications",
    )
    named = [row.decision_id for row in rows if row.decision_id is not None]
    decisions = {found.id: found for found in await cases.decisions(r, named)} if named else {}
    shown = []
    for row in rows:
        person = people.get(row.from_account_id)
        if person is None or (row.status_id is not None and row.status_id not in posts):
            continue
        head = opened({
            "id": str(row.id), "type": row.kind, "created_at": mastodon_time(row.created_at),
            "group_key": f"ungrouped-{row.id}",
        })
        rest = b"" if row.status_id is None else b',"status":%s' % posts[row.status_id]
        if row.decision_id is not None:
            decision = decisions.get(row.decision_id)
            rest += b"" if decision is None else b',"moderation_warning":%s' % warning(decision, person)
        shown.append(b'{%s,"account":%s%s}' % (head, person, rest))
    return shown


ACTIONS = {
    Level.none: "none", Level.warning: "none", Level.label: "mark_statuses_as_sensitive",
    Level.reduced_visibility: "silence", Level.removal: "delete_statuses", Level.posting_freeze: "disable",
    Level.suspension: "suspend", Level.exclusion: "suspend",
}


def warning(decision: Decision, target: bytes) -> bytes:
    """An AccountWarning, in Mastodon's words for what was decided."""
    return b'{%s,"target_account":%s}' % (opened({
        "id": str(decision.id), "action": ACTIONS[Level(decision.level)], "text": decision.facts,
        "status_ids": [str(number) for number in decision.status_ids], "appeal": None,
        "created_at": mastodon_time(decision.decided_at),
    }), target)
