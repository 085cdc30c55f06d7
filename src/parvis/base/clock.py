"""The one place Python learns the time. SQL's side is parvis_now()."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """The machine's clock plus the offset that `parvis clock advance` moved in a --dev city."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(UTC) + self.offset


def mastodon_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as Mastodon's clients expect."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
