"""When may something be published later? Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from parvis.base.errors import Invalid

SOONEST = timedelta(minutes=5)
IN_ALL = 300
A_DAY = 25


def may_schedule(at: datetime, now: datetime, in_all: int, that_day: int) -> None:
    """At least five minutes ahead, at most 300 posts in all and 25 for one day."""
    if at < now + SOONEST:
        raise Invalid("scheduled_at", "too_soon")
    if in_all >= IN_ALL:
        raise Invalid("scheduled_at", "too_many_scheduled", limit=IN_ALL)
    if that_day >= A_DAY:
        raise Invalid("scheduled_at", "too_many_that_day", limit=A_DAY)
