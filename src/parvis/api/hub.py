"""The streams of one process: who listens here, and for each batch of changes a constant number of statements for all.

Nothing is kept from one batch to the next that anybody's right to see depends on. Where something may have been missed,
or a client does not take what is sent, the stream ends: its client opens it anew and reads the timelines.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from parvis.access import policy as scopes
from parvis.access.model import Bearer
from parvis.announcements import queries as announcements
from parvis.announcements.model import Announcement
from parvis.base import pulse
from parvis.base.db import Read
from parvis.base.errors import Invalid, TooMany
from parvis.base.jobs import Job
from parvis.streams import policy, queries
from parvis.streams.model import Ear, Subject, Topic, Wish
from parvis.views import announcement as news
from parvis.views import conversation as talks
from parvis.views import crowd
from parvis.views import notification as notices
from parvis.views import queries as views
from parvis.views.cards import ENCODE, Shelf
from parvis.views.notification import Speech
from parvis.views.status import Eye

log = structlog.get_logger()

THUMP_EVERY = 15.0
MOST_OF_ONE = 50
FOR_NOW = timedelta(minutes=5)
MOST_WAITING = 500  # messages for one connection; more, and it is too slow
PLAIN = Speech("fr", None)  # a stream does not know which kinds its app knows
BOTH = ("user", "user:notification")
FOR_NOTIFICATIONS = ("notification", "notifications_merged")
ENDS = {Subject.token: "token_id", Subject.account: "viewer", Subject.application: "application_id"}


class Said:
    """An event and its payload, written once for all who hear it."""

    def __init__(self, event: str, payload: str | None = None) -> None:
        self.event = event
        self._payload = payload
        self._texts: dict[tuple[str, ...], str] = {}

    def text(self, name: Sequence[str]) -> str:
        """As a WebSocket has it: the stream's name, and the payload as a string."""
        key = tuple(name)
        if key not in self._texts:
            whole: dict[str, object] = {"stream": name, "event": self.event}
            if self._payload is not None:
                whole["payload"] = self._payload
            self._texts[key] = ENCODE.encode(whole).decode()
        return self._texts[key]

    def lines(self) -> str:
        """As server-sent events have it."""
        if () not in self._texts:
            data = "undefined" if self._payload is None else self._payload
            self._texts[()] = f"event: {self.event}\ndata: {data}\n\n"
        return self._texts[()]


class Connection:
    """One client that listens, with what waits to be sent to it: never more than a fixed number of messages."""

    def __init__(self, bearer: Bearer, viewer: int, *, lines: bool) -> None:
        self.viewer = viewer
        self.token_id = bearer.token_id
        self.application_id = bearer.application_id
        self.wishes: set[Wish] = set()
        self.over: str | None = None
        self.sending: asyncio.Task[None] | None = None
        self._notified = scopes.covers(bearer.scopes, policy.NOTIFICATIONS)
        self._lines = lines
        self._waiting: deque[str] = deque()
        self._ring = asyncio.Event()
        self._moved = True

    def hear(self, said: Said, name: Sequence[str]) -> None:
        """Be told something on one of its streams."""
        if self._notified or said.event not in FOR_NOTIFICATIONS:
            self.take(said.lines() if self._lines else said.text(name))

    def take(self, text: str) -> None:
        """Put something in the queue; one that is full ends the stream."""
        if self.over is None and len(self._waiting) >= MOST_WAITING:
            self.end("slow")
        if self.over is None:
            self._waiting.append(text)
            self._ring.set()

    def thump(self) -> None:
        """Show that the line is alive; a client that took nothing since the last time is too slow."""
        if self._waiting and not self._moved:
            self.end("slow")
        self._moved = False
        if self._lines:
            self.take(":thump\n")

    def end(self, why: str) -> None:
        """Stop at once, whatever waits."""
        self.over = self.over or why
        self._waiting.clear()
        if self.sending is not None:
            self.sending.cancel()

    async def next(self) -> str:
        """What is to be sent now."""
        while not self._waiting:
            self._ring.clear()
            await self._ring.wait()
        self._moved = True
        return self._waiting.popleft()


class Hub:
    """All that listens in this process."""

    def __init__(self, job: Job, shelf: Shelf) -> None:
        self._job = job
        self._shelf = shelf
        self._connections: set[Connection] = set()
        self._ears: dict[Ear, set[Connection]] = {}

    async def run(self) -> None:
        """Hear of changes and show signs of life, for as long as the process lives."""
        await asyncio.gather(pulse.listen(self._job.db, self.wake, self.begin_anew), self._keep_thumping())

    async def _keep_thumping(self) -> None:
        while True:
            await asyncio.sleep(THUMP_EVERY)
            try:
                await self.thump()
            except Exception:
                log.exception("streams are not checked at the moment")

    def admit(self, viewer: int, now: datetime) -> None:
        """One person holds so many connections in a process and no more; TooMany beyond."""
        if sum(one.viewer == viewer for one in self._connections) >= MOST_OF_ONE:
            raise TooMany(now + FOR_NOW, most=MOST_OF_ONE)

    async def join(self, bearer: Bearer, viewer: int, *, lines: bool = False) -> Connection:
        """Let somebody listen, and look once more whether they may: their token may just have ended."""
        connection = Connection(bearer, viewer, lines=lines)
        self._connections.add(connection)
        await self.check([connection])
        return connection

    def leave(self, connection: Connection) -> None:
        """Somebody listens no longer."""
        for wish in list(connection.wishes):
            self.unwish(connection, wish)
        self._connections.discard(connection)

    def wish(self, connection: Connection, wish: Wish) -> None:
        """Listen to one stream more; twice is the same as once."""
        if len(connection.wishes) >= policy.MOST_WISHES and wish not in connection.wishes:
            raise Invalid("stream", "too_many")
        connection.wishes.add(wish)
        self._ears.setdefault(Ear(connection.viewer, wish), set()).add(connection)

    def unwish(self, connection: Connection, wish: Wish) -> None:
        """Listen to one stream less."""
        connection.wishes.discard(wish)
        ear = Ear(connection.viewer, wish)
        others = self._ears.get(ear, set())
        others.discard(connection)
        if not others:
            self._ears.pop(ear, None)

    async def check(self, connections: Iterable[Connection]) -> None:
        """End the streams of tokens that no longer stand, however that came about."""
        some = list(connections)
        async with self._job.db.read() as r:
            standing = set(await queries.standing(r, [one.token_id for one in some]))
        for one in some:
            if one.token_id not in standing:
                one.end("revoked")

    async def thump(self) -> None:
        """A sign of life to everybody, after a look whether they may still listen."""
        if self._connections:
            await self.check(self._connections)
        for one in list(self._connections):
            one.thump()

    async def begin_anew(self) -> None:
        """Something may have been missed: no stream goes on as if nothing had been."""
        for one in list(self._connections):
            one.end("interrupted")

    async def wake(self, topics: Sequence[str]) -> None:
        """Tell everybody here what a batch of topics means to them."""
        found = [topic for topic in map(policy.topic, topics) if topic is not None]
        for topic in found:
            if topic.subject in ENDS:
                self._end(topic)
        if not self._ears:
            return
        try:
            async with self._job.db.read() as r:
                told = Telling(r, Eye(None, self._shelf, self._job.settings), list(self._ears), found)
                heard = await told.all()
        except Exception:
            log.exception("a batch of changes cannot be told")
            await self.begin_anew()
            return
        for said, ears in heard:
            self._tell(said, ears)
            await asyncio.sleep(0)

    def _end(self, topic: Topic) -> None:
        for one in list(self._connections):
            if getattr(one, ENDS[topic.subject]) == topic.id:
                one.end("revoked")

    def _tell(self, said: Said, ears: Iterable[Ear]) -> None:
        for ear in ears:
            for connection in tuple(self._ears.get(ear, ())):
                connection.hear(said, ear.wish.name)


Heard = tuple[Said, list[Ear]]


class Telling:
    """One batch of topics, made into what the ears of this process hear of it."""

    def __init__(self, r: Read, eye: Eye, ears: list[Ear], topics: Sequence[Topic]) -> None:
        self._r, self._eye, self._ears = r, eye, ears
        self._known = frozenset(ears)
        self._topics = topics

    def _ids(self, subject: Subject, sign: str) -> list[int]:
        found = (topic.id for topic in self._topics if topic.subject is subject and topic.sign == sign)
        return list(dict.fromkeys(found))

    async def all(self) -> list[Heard]:
        """All that is to be told, and to whom."""
        return [
            *await self.posts(), *await self.notifications(), *await self.conversations(),
            *await self.announcements(), *self.changes(),
        ]

    async def posts(self) -> list[Heard]:
        """Posts that are new, then those that changed, then those that are gone."""
        fresh, edited, gone = (self._ids(Subject.status, sign) for sign in "+~-")
        heard: list[Heard] = []
        if fresh or edited:
            rows = await queries.audience(self._r, fresh, edited, self._ears)
            bodies = await self._bodies({row.status_id: [self._ears[n] for n in row.ears] for row in rows})
            for event, numbers in (("update", fresh), ("status.update", edited)):
                heard += [
                    (Said(event, body.decode()), ears) for number in numbers for body, ears in bodies.get(number, ())
                ]
        if gone:
            lost = await queries.mourners(self._r, gone, self._ears)
            heard += [(Said("delete", str(row.status_id)), [self._ears[n] for n in row.ears]) for row in lost]
        return heard

    async def _bodies(self, audience: dict[int, list[Ear]]) -> dict[int, list[tuple[bytes, list[Ear]]]]:
        """Each post as its hearers see it, those together who see the same."""
        looks = [(ear.viewer, number) for number, ears in audience.items() for ear in ears]
        shown = await crowd.to_all(self._r, self._eye, looks)
        found: dict[int, list[tuple[bytes, list[Ear]]]] = {}
        for number, ears in audience.items():
            by_body: dict[bytes, list[Ear]] = {}
            for ear in ears:
                body = shown.get((ear.viewer, number))
                if body is not None:
                    by_body.setdefault(body, []).append(ear)
            found[number] = list(by_body.items())
        return found

    async def conversations(self) -> list[Heard]:
        """Direct conversations that go on, or were read, to whose they are."""
        asked = self._ids(Subject.conversation, "~")
        viewers = [ear.viewer for ear in self._ears if ear.wish.stream == "direct"]
        rows = await views.conversations_of(self._r, asked, viewers) if asked and viewers else []
        written = await talks.to_each(self._r, self._eye, rows)
        return [
            (Said("conversation", written[row.id].decode()), list(self._of(row.account_id, "direct"))) for row in rows
        ]

    async def announcements(self) -> list[Heard]:
        """What the city says, to all who hear their home: it is everybody's, so nobody's own marks are in it."""
        topics = [topic for topic in self._topics if topic.subject is Subject.announcement]
        ears = [ear for ear in self._ears if ear.wish.stream == "user"]
        if not topics or not ears:
            return []
        current = {row.id: row for row in await announcements.current(self._r, None, True)}
        made = (self._announcement(topic, current.get(topic.id)) for topic in topics)
        return [(said, ears) for said in made if said is not None]

    def _announcement(self, topic: Topic, row: Announcement | None) -> Said | None:
        if topic.sign == "-":
            return Said("announcement.delete", str(topic.id))
        if row is None:
            return None
        settings = self._eye.settings
        if topic.sign == "+":
            return Said("announcement", ENCODE.encode(news.announcement(row, None, settings)).decode())
        counted = next((one for one in row.reactions if one["name"] == topic.more), None)
        shown = news.reaction(counted, None, settings) if counted else {"name": topic.more, "count": 0}
        return Said("announcement.reaction", ENCODE.encode({**shown, "announcement_id": str(row.id)}).decode())

    def _of(self, viewer: int, *streams: str) -> Iterator[Ear]:
        """This person's ears of these streams."""
        return (ear for ear in (Ear(viewer, Wish(stream)) for stream in streams) if ear in self._known)

    async def notifications(self) -> list[Heard]:
        """What somebody is told of, on their own two streams."""
        asked = self._ids(Subject.notification, "+")
        viewers = {ear.viewer for ear in self._ears if ear.wish.stream in BOTH}
        rows = await queries.told(self._r, asked, list(viewers)) if asked and viewers else []
        if not rows:
            return []
        written = await notices.to_each(self._r, self._eye, [(row.account_id, row) for row in rows], PLAIN)
        return [
            (Said("notification", written[row.id].decode()), list(self._of(row.account_id, *BOTH)))
            for row in rows if row.id in written
        ]

    def changes(self) -> list[Heard]:
        """What says nothing but that something of somebody's is to be read anew: their notifications, their filters."""
        merged, changed = self._ids(Subject.merged, "~"), self._ids(Subject.filters, "~")
        return [
            *((Said("notifications_merged", "1"), list(self._of(number, *BOTH))) for number in merged),
            *((Said("filters_changed"), list(self._of(number, "user"))) for number in changed),
        ]
