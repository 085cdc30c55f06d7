"""The streams, what each takes to listen to it, and how topics are written. Pure."""

from __future__ import annotations

import re

from parvis.base.errors import Invalid
from parvis.base.ids import parsed
from parvis.streams.model import Subject, Topic, Wish

STREAMS = (
    "user", "user:notification", "public", "public:media", "public:local", "public:local:media", "public:remote",
    "public:remote:media", "hashtag", "hashtag:local", "list", "direct",
)
NOTIFICATIONS = "read:notifications"
STATUSES = "read:statuses"
TOPIC = re.compile(r"([a-z]+)([+~-])(\d{1,19})(?: (.*))?", re.DOTALL)
LONGEST_TAG = 200
MOST_WISHES = 200


def scope(stream: str) -> str:
    """What a token must hold. The user stream tells of notifications only to one that may read those too."""
    return NOTIFICATIONS if stream == "user:notification" else STATUSES


def wish(stream: str, list_id: str | None = None, tag: str | None = None) -> Wish:
    """What is asked for; Invalid when there is no such stream, or it is not said of which list or hashtag."""
    if stream not in STREAMS:
        raise Invalid("stream", "unknown_stream")
    if stream == "list":
        number = parsed(list_id or "")
        if number is None:
            raise Invalid("list", "list_missing")
        return Wish(stream, list_id=number)
    if stream.startswith("hashtag"):
        if not tag or len(tag) > LONGEST_TAG:
            raise Invalid("tag", "tag_missing")
        return Wish(stream, tag=tag)
    return Wish(stream)


def topic(text: str) -> Topic | None:
    """A topic as it was written; None for one of somebody else's."""
    found = TOPIC.fullmatch(text)
    if found is None or found[1] not in Subject.__members__:
        return None
    return Topic(Subject(found[1]), found[2], int(found[3]), found[4] or "")
