"""Notifications as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

import msgspec

from parvis.base.clock import mastodon_time
from parvis.base.db import Read
from parvis.moderation.model import Level
from parvis.notifications.model import Asking, Group, Notification
from parvis.text import messages
from parvis.text.messages import words
from parvis.views import collection, crowd
from parvis.views.cards import ENCODE, opened
from parvis.views.status import Eye, entities

# What every app shows by itself; of the other kinds there is a sentence for apps that do not know them.
BASELINE = frozenset((
    "mention", "status", "reblog", "follow", "follow_request", "favourite", "poll", "update", "quote", "quoted_update",
))
PARTIAL = ("id", "acct", "url", "avatar", "avatar_static", "locked", "bot")


class Speech(msgspec.Struct, frozen=True):
    """In which language an app is told of kinds it does not know; `known` None: it did not ask."""

    locale: str
    known: list[str] | None


async def notifications(r: Read, eye: Eye, rows: Sequence[Notification], speech: Speech) -> list[bytes]:
    """Notification entities in their order; one whose account has left, or whose post a filter hides, is dropped."""
    posts, people = await entities(r, eye, _posts(rows), _concerned(rows), hidden_in="notifications")
    shown = (_one(eye, row, people, posts.get(row.status_id or 0), speech) for row in rows)
    return [one for one in shown if one is not None]


async def to_each(
    r: Read, eye: Eye, rows: Sequence[tuple[int, Notification]], speech: Speech
) -> dict[int, bytes]:
    """Notification entities by id, each for whom it stands with, with as many queries as for one person."""
    looks = [(who, row.status_id) for who, row in rows if row.status_id is not None]
    posts = await crowd.to_each(r, eye, looks, "notifications")
    _, people = await entities(r, eye, (), _concerned([row for _, row in rows]))
    shown = ((row.id, _one(eye, row, people, posts.get((who, row.status_id or 0)), speech)) for who, row in rows)
    return {number: one for number, one in shown if one is not None}


def _one(
    eye: Eye, row: Notification, people: Mapping[int, bytes], post: bytes | None, speech: Speech
) -> bytes | None:
    person = people.get(row.from_account_id)
    if person is None or (row.status_id is not None and post is None):
        return None
    head = {
        "id": str(row.id), "type": row.kind, "created_at": mastodon_time(row.created_at),
        "group_key": row.group_key, **({"filtered": True} if row.filtered else {}),
    }
    parts = [opened(head), b'"account":%s' % person, *_more(eye, row, person, people, speech)]
    if post is not None:
        parts.append(b'"status":%s' % post)
    return b"{%s}" % b",".join(parts)


def _concerned(rows: Sequence[Notification]) -> list[int]:
    return list({*(row.from_account_id for row in rows), *_others(rows)})


async def groups(r: Read, eye: Eye, rows: Sequence[Group], speech: Speech, partial: bool = False) -> bytes:
    """GroupedNotificationsResults: each account and post once; `partial`: only the newest of a group is shown whole."""
    concerned = {*(number for row in rows for number in row.people), *_others(rows)}
    posts, people = await entities(r, eye, _posts(rows), list(concerned), hidden_in="notifications")
    kept = [row for row in rows if row.people[0] in people and (row.status_id is None or row.status_id in posts)]
    whole = {*(row.people[0] for row in kept), *_others(kept)} if partial else set(people)
    made: dict[str, list[Any]] = {
        "accounts": [msgspec.Raw(people[number]) for number in people if number in whole],
        "statuses": [msgspec.Raw(post) for post in posts.values()],
        "notification_groups": [msgspec.Raw(_group(eye, row, people, speech)) for row in kept],
    }
    if partial:
        others = [msgspec.json.decode(people[number]) for number in people if number not in whole]
        made["partial_accounts"] = [{name: one[name] for name in PARTIAL} for one in others]
    return ENCODE.encode(made)


async def requests(r: Read, eye: Eye, rows: Sequence[Asking]) -> list[bytes]:
    """NotificationRequest entities in their order."""
    posts, people = await entities(
        r, eye, [row.last_status_id for row in rows if row.last_status_id is not None], [row.account_id for row in rows]
    )
    return [
        b'{%s,"account":%s,"last_status":%s}' % (opened({
            "id": str(row.id), "created_at": mastodon_time(row.created_at),
            "updated_at": mastodon_time(row.updated_at), "notifications_count": str(row.notifications),
        }), people[row.account_id], posts.get(row.last_status_id or 0, b"null"))
        for row in rows if row.account_id in people
    ]


def _posts(rows: Sequence[Notification] | Sequence[Group]) -> list[int]:
    return list({row.status_id for row in rows if row.status_id is not None})


def _others(rows: Sequence[Notification] | Sequence[Group]) -> Iterable[int]:
    """Accounts that reports are about."""
    return (row.about["target_id"] for row in rows if row.kind == "admin.report" and row.about)


def _group(eye: Eye, row: Group, people: Mapping[int, bytes], speech: Speech) -> bytes:
    sample = [number for number in row.people if number in people]
    head: dict[str, object] = {
        "group_key": row.group_key, "notifications_count": row.total, "type": row.kind,
        "most_recent_notification_id": row.id, "page_min_id": str(row.lowest), "page_max_id": str(row.id),
        "latest_page_notification_at": mastodon_time(row.created_at), "sample_account_ids": [str(n) for n in sample],
    }
    if row.status_id is not None:
        head["status_id"] = str(row.status_id)
    return b"{%s}" % b",".join([opened(head), *_more(eye, row, people[row.people[0]], people, speech)])


def _more(
    eye: Eye, row: Notification | Group, person: bytes, people: Mapping[int, bytes], speech: Speech
) -> list[bytes]:
    """What a notification tells of beside a post, and its sentence for an app that does not know its kind."""
    parts = []
    if row.about and row.kind == "moderation_warning":
        parts.append(b'"moderation_warning":%s' % warning(row.about, person, eye.settings.base, speech.locale))
    elif row.about and row.kind == "admin.report" and row.about["target_id"] in people:
        parts.append(b'"report":%s' % report(row.about, people[row.about["target_id"]]))
    elif row.about and row.kind in ("added_to_collection", "collection_update"):
        parts.append(opened({"collection": collection.told(row.about, eye.settings)}))
    elif row.about and row.kind in ("severed_relationships", "restored_relationships"):
        parts.append(b'"event":%s' % severance(row.about))
    if speech.known is not None and row.kind not in BASELINE and row.kind not in speech.known:
        said = messages.catalogue(speech.locale)
        name = msgspec.json.decode(person)
        title = said.gettext(words.TOLD[row.kind]) % {"name": escape(name["display_name"] or name["acct"])}
        parts.append(opened({
            "fallback": {"title": title, "summary": said.gettext(words.UNKNOWN_TO_THE_APP), "details": None}
        }))
    return parts


def _moment(text: str | None) -> str | None:
    """A moment as JSON made in SQL has it, as Mastodon does."""
    return None if text is None else mastodon_time(datetime.fromisoformat(text))


ACTIONS = {
    Level.none: "none", Level.warning: "none", Level.label: "mark_statuses_as_sensitive",
    Level.reduced_visibility: "silence", Level.removal: "delete_statuses", Level.posting_freeze: "disable",
    Level.suspension: "suspend", Level.exclusion: "suspend",
}


def explained(rules: Sequence[str], locale: str) -> str:
    """Why a post is kept back, and what one can do."""
    said = messages.catalogue(locale)
    return f"{said.gettext(words.HELD)} " + "; ".join(said.gettext(words.RULES[rule]) for rule in rules) + "."


def warning(decision: Mapping[str, Any], target: bytes, base: str, locale: str) -> bytes:
    """An AccountWarning, in Mastodon's words for what was decided, or of a post that is kept back."""
    return b'{%s,"target_account":%s}' % (opened({
        "id": str(decision["id"]), "action": ACTIONS[Level(decision["level"])],
        "text": decision["facts"] if "facts" in decision
        else f"{explained(decision['rules'], locale)} {base}/holds/{decision['id']}",
        "status_ids": [str(number) for number in decision["status_ids"]], "appeal": None,
        "created_at": _moment(decision["decided_at"]),
    }), target)


def report(row: Mapping[str, Any], target: bytes) -> bytes:
    """A Report, as a moderator is told of it."""
    return b'{%s,"target_account":%s}' % (opened({
        "id": str(row["id"]), "action_taken": row["closed_at"] is not None,
        "action_taken_at": _moment(row["closed_at"]), "category": row["category"], "comment": row["comment"],
        "forwarded": row["forward"],
        "created_at": _moment(row["created_at"]), "status_ids": [str(number) for number in row["status_ids"]],
        "collection_ids": None, "rule_ids": [str(number) for number in row["version_ids"]],
    }), target)


def severance(row: Mapping[str, Any]) -> bytes:
    """A RelationshipSeveranceEvent."""
    return ENCODE.encode({
        "id": str(row["id"]), "type": row["kind"], "purged": False, "target_name": row["target_name"],
        "followers_count": row["followers"], "following_count": row["following"],
        "created_at": _moment(row["created_at"]),
    })
