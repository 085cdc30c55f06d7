"""The database: `Read` looks, `Tx` changes. Only an edge opens either; rooms are handed one."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import asyncpg
import msgspec
import structlog
from pgqueuer.queries import Queries as JobQueries

from parvis.base.batch import Batch
from parvis.base.clock import Clock
from parvis.base.errors import Conflict, Invalid, Problem, Refused

T = TypeVar("T")
A = TypeVar("A", bound=tuple[Any, ...])
Args: TypeAlias = tuple[Hashable, ...]
Deed: TypeAlias = "Callable[[Tx], Awaitable[object]]"
Rows: TypeAlias = Sequence[Any]
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[Any]"
log = structlog.get_logger()
REFUSED = "PV001"
JOBS = "jobs"
COMMITTED = 0.05  # within so many seconds others have committed: whoever comes meanwhile goes with the next

OPEN: ContextVar[bool] = ContextVar("a transaction or read is open", default=False)


class Away(ConnectionError):
    """The database cannot be reached."""


AWAY = (Away, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError, asyncpg.InsufficientResourcesError)
"""What a look or a change ends with when the database is not there, goes meanwhile, or has no room."""
FAILING = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Whatever a database can answer: who turns again and again on the side tries it again later."""


class Reactions(msgspec.Struct, frozen=True):
    """What follows an event: `now` in the same transaction, `later` as job rows of the same transaction."""

    now: tuple[Callable[[Tx, Any], Awaitable[None]], ...] = ()
    later: tuple[Callable[..., Awaitable[None]], ...] = ()


def job_name(reaction: Callable[..., Awaitable[object]]) -> str:
    """The name under which a later reaction waits in the queue: room and function."""
    return f"{reaction.__module__.removeprefix('parvis.')}.{reaction.__qualname__}"


class Lent:
    """Connections of the pool that go from hand to hand: to give one to the pool and take it again costs two tasks.

    At most half of the pool stays here, and none while somebody waits for one.
    """

    def __init__(self, pool: asyncpg.Pool[Any], read: Callable[[], AbstractAsyncContextManager[Read]]) -> None:
        self._pool = pool
        self._read = read
        self._shared: dict[str, Batch[Read, Args, Rows]] = {}
        self._many: dict[str, Many] = {}
        self._joined: dict[tuple[str, ...], str] = {}
        self._idle: list[Connection] = []
        self._most = pool.get_max_size() // 2
        self._awaited = 0

    async def take(self) -> Connection:
        """One that is idle here, or the pool's."""
        while self._idle:
            connection = self._idle.pop()
            with contextlib.suppress(asyncpg.InterfaceError):  # the pool took it back when its other end went away
                if not connection.is_closed():
                    return connection
            await self._pool.release(connection)
        self._awaited += 1
        try:
            return await self._pool.acquire()
        except OSError as error:
            raise Away("the database cannot be reached") from error
        finally:
            self._awaited -= 1

    async def give_back(self, connection: Connection, *, sound: bool) -> None:
        """Keep it for the next, or let the pool have it, which makes sound again what was left in the middle."""
        keep = sound and not self._awaited and len(self._idle) < self._most
        if keep and not connection.is_closed() and not connection.is_in_transaction():
            self._idle.append(connection)
        else:
            await self._pool.release(connection)

    def shared(self, sql: str) -> Batch[Read, Args, Rows]:
        """Those who ask this statement at one moment."""
        known = self._shared.get(sql)
        if known is None:
            known = self._shared[sql] = Batch(self._read, self.many(sql).answer)
        return known

    def many(self, sql: str) -> Many:
        """This statement, for many sets of parameters."""
        known = self._many.get(sql)
        if known is None:
            known = self._many[sql] = Many(sql)
        return known

    def joined(self, statements: tuple[str, ...]) -> str:
        """Statements that change rows, as one; their parameters one after the other."""
        known = self._joined.get(statements)
        if known is None:
            known = self._joined[statements] = joined(statements)
        return known

    async def close(self) -> None:
        """Let those who wait be told, and give all to the pool."""
        for batch in self._shared.values():
            await batch.close()
        while self._idle:
            await self._pool.release(self._idle.pop())


class Read:
    """Looks at the database. Takes one connection when it first asks; `now` is this moment in the city."""

    __slots__ = ("_lent", "_taken", "now")

    def __init__(self, lent: Lent, now: datetime) -> None:
        self._lent = lent
        self._taken: Connection | None = None
        self.now = now

    async def _connection(self) -> Connection:
        if self._taken is None:
            self._taken = await self._lent.take()
        return self._taken

    async def give_back(self, *, sound: bool = True) -> None:
        """Give the connection back, if one was taken."""
        if self._taken is not None:
            taken, self._taken = self._taken, None
            await self._lent.give_back(taken, sound=sound)

    async def one(self, shape: type[T], sql: str, *args: object) -> T | None:
        """The first row as `shape`, whose fields are the columns in order; None when there is none."""
        row = await (await self._connection()).fetchrow(sql, *args)
        return None if row is None else shape(*row)

    async def all(self, shape: type[T], sql: str, *args: object) -> list[T]:
        """Every row as `shape`."""
        return [shape(*row) for row in await (await self._connection()).fetch(sql, *args)]

    async def shared(self, shape: type[T], sql: str, *args: Hashable) -> list[T]:
        """The same of a statement that many ask at one moment: one look answers all of them.

        Its parameters are single values, no arrays. It may look anew: whoever asks has given back what they held.
        """
        return [shape(*row) for row in await self._asked_by_many(sql, args)]

    async def shared_one(self, shape: type[T], sql: str, *args: Hashable) -> T | None:
        """The first row of a statement that many ask at one moment; None when there is none."""
        return next((shape(*row) for row in await self._asked_by_many(sql, args)), None)

    async def shared_value(self, sql: str, *args: Hashable) -> Any:
        """The first column of that row."""
        return next((row[0] for row in await self._asked_by_many(sql, args)), None)

    async def _asked_by_many(self, sql: str, args: Args) -> Rows:
        await self.give_back()
        return await self._lent.shared(sql).of(args) or ()

    async def many(self, shape: type[T], sql: str, asked: Sequence[A]) -> dict[A, list[T]]:
        """Every row as `shape`, for each of many sets of the statement's parameters at once; no arrays among them."""
        found = await self._lent.many(sql).answer(self, list(dict.fromkeys(asked)))
        return {one: [shape(*row) for row in found[one]] for one in asked}

    async def rows(self, sql: str, *args: object) -> Rows:
        """Every row as it came."""
        found: Rows = await (await self._connection()).fetch(sql, *args)
        return found

    async def kinds(self, sql: str) -> list[str]:
        """The types of a statement's parameters."""
        return [kind.name for kind in (await (await self._connection()).prepare(sql)).get_parameters()]

    async def value(self, sql: str, *args: object) -> Any:
        """The first column of the first row."""
        return await (await self._connection()).fetchval(sql, *args)

    async def values(self, sql: str, *args: object) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in await (await self._connection()).fetch(sql, *args)]


def for_many(sql: str, kinds: Sequence[str]) -> str:
    """A statement for many sets of its parameters at once, as arrays: each row begins with the number of its set."""
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(kinds, 1))
    names = ", ".join(f"p{number}" for number in range(1, len(kinds) + 1))
    inner = re.sub(r"\$(\d+)", r"q.p\1", sql)
    return f"SELECT q.n, x.* FROM unnest({arrays}) WITH ORDINALITY q({names}, n) CROSS JOIN LATERAL ({inner}) x"


def joined(statements: Sequence[str]) -> str:
    """Statements that change rows, as one; their parameters one after the other."""
    parts, taken = [], 0
    for number, sql in enumerate(statements):
        own = max(int(found) for found in re.findall(r"\$(\d+)", sql))
        for place in range(own, 0, -1):
            sql = re.sub(rf"\${place}(?!\d)", f"${place + taken}", sql)
        parts.append(f"l{number} AS ({sql})")
        taken += own
    return f"WITH {', '.join(parts)} SELECT 1"


class Many:
    """One statement, asked by many."""

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._for_many = ""

    async def answer(self, r: Read, asked: Sequence[Args]) -> Mapping[Args, Rows]:
        """The rows for each; whoever is alone asks it as it stands."""
        if len(asked) == 1:
            return {asked[0]: await r.rows(self._sql, *asked[0])}
        self._for_many = self._for_many or for_many(self._sql, await r.kinds(self._sql))
        found: dict[Args, list[Any]] = {one: [] for one in asked}
        for row in await r.rows(self._for_many, *zip(*asked, strict=True)):
            found[asked[row[0] - 1]].append(row[1:])
        return found


class Tx(Read):
    """A transaction: it also changes, and tells the rest of the house what happened. `rung`: whom its commit wakes."""

    __slots__ = ("_jobs", "_last", "_reactions", "rung")

    def __init__(self, lent: Lent, now: datetime, reactions: Mapping[type, Reactions]) -> None:
        super().__init__(lent, now)
        self._reactions = reactions
        self._jobs: list[tuple[str, bytes]] = []
        self._last: dict[str, list[list[object]]] = {}
        self.rung: set[str] = set()

    async def _asked_by_many(self, sql: str, args: Args) -> Rows:
        """Inside of a transaction nothing is shared: it sees what it has changed."""
        return await self.rows(sql, *args)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All of it or nothing; only `Db.write` opens one."""
        async with (await self._connection()).transaction():
            yield

    async def run(self, sql: str, *args: object) -> int:
        """Change rows; how many were changed."""
        done = await (await self._connection()).execute(sql, *args)
        last = done.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    def last(self, sql: str, *values: object) -> None:
        """Change rows that nothing in this transaction looks at again, just before the commit.

        All such changes are sent as one statement. Its parameters are arrays, to which each call adds a value.
        """
        for array, value in zip(self._last.setdefault(sql, [[] for _ in values]), values, strict=True):
            array.append(value)

    async def emit(self, event: object) -> None:
        """Say what happened: its `now` reactions run here, its `later` ones become jobs when this commits."""
        found = self._reactions.get(type(event))
        if found is None:
            raise LookupError(f"{type(event).__name__} has no row in the table of reactions")
        for reaction in found.now:
            await reaction(self, event)
        if found.later:
            payload = msgspec.json.encode(event)
            self._jobs += [(job_name(reaction), payload) for reaction in found.later]

    def enqueue(self, reaction: Callable[..., Awaitable[None]], event: object) -> None:
        """Ask for one later reaction by name, without an event for everybody."""
        self._jobs.append((job_name(reaction), msgspec.json.encode(event)))

    def ring(self, bell: str) -> None:
        """Wake, when this commits, whoever of this process waits for it (a deed of the schedule, by its job's name)."""
        self.rung.add(bell)

    async def lock(self, name: str) -> None:
        """Hold an advisory lock until this transaction ends: two deeds on one thing run one after the other."""
        await (await self._connection()).execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)

    async def flush(self) -> None:
        """Send what was left for last, and the job rows; the edge calls it just before the commit."""
        if self._last:
            await self.run(self._lent.joined(tuple(self._last)), *(a for arrays in self._last.values() for a in arrays))
            self._last = {}
        if self._jobs:
            names = [name for name, _ in self._jobs]
            payloads: list[bytes | None] = [payload for _, payload in self._jobs]
            self._jobs = []
            self.ring(JOBS)
            queries = JobQueries.from_asyncpg_connection(await self._connection())
            await queries.enqueue(names, payloads, [0] * len(names))


class Looking:
    """A `Read` while it is open. Every request opens one or two: a generator would cost each of them 5 µs more."""

    __slots__ = ("_r", "_token")

    def __init__(self, lent: Lent, now: datetime) -> None:
        self._r = Read(lent, now)

    async def __aenter__(self) -> Read:
        self._token = OPEN.set(True)
        return self._r

    async def __aexit__(self, kind: object, error: BaseException | None, _: object) -> None:
        OPEN.reset(self._token)
        await self._r.give_back(sound=error is None)
        if (told := _told(error)) is not None:
            raise told from error


class Db:
    """The pool, and the only way to a `Read` or a `Tx`. `bells`: who of this process is woken by what was committed."""

    def __init__(self, pool: asyncpg.Pool[Any], clock: Clock, reactions: Mapping[type, Reactions]) -> None:
        self.pool = pool
        self.lent = Lent(pool, self.read)
        self._together: Batch[Tx, Deed, object] = Batch(self.write, _all_of, apart=True, patience=COMMITTED)
        self.bells: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.clock = clock
        self.reactions = reactions

    def read(self) -> AbstractAsyncContextManager[Read]:
        """Look, without a transaction: each statement sees what is committed when it starts."""
        return Looking(self.lent, self.clock.now())

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Change: all of it, with its job rows, or nothing."""
        tx, sound = Tx(self.lent, self.clock.now(), self.reactions), False
        token = OPEN.set(True)
        try:
            async with tx.transaction():
                yield tx
                await tx.flush()
            sound = True
            for name in tx.rung:
                self.bells[name].set()
        except asyncpg.PostgresError as error:
            if (told := _told(error)) is None:
                raise
            raise told from error
        finally:
            OPEN.reset(token)
            await tx.give_back(sound=sound)

    async def write_together(self, deed: Callable[[Tx], Awaitable[T]]) -> T:
        """Change, in one transaction with all who come at this moment: one commit keeps what all of them did.

        If one of them fails, each is done again alone: so a deed has no effect but in its transaction.
        """
        return await self._together.of(deed)  # type: ignore[return-value]  # it is what this deed returned

    async def follow_clock(self, every: float = 0.2) -> None:
        """Keep the clock's offset equal to the database's: only a --dev city can have one, so only there it runs."""
        while True:
            try:
                async with self.pool.acquire() as connection:
                    self.clock.offset = await connection.fetchval("SELECT coalesce(max(ahead), '0') FROM clock_offset")
            except FAILING:
                log.exception("the clock cannot be read at the moment")
            await asyncio.sleep(every)

    async def close(self) -> None:
        """Give every connection back."""
        await self._together.close()
        await self.lent.close()
        await self.pool.close()


async def _all_of(tx: Tx, deeds: Sequence[Deed]) -> dict[Deed, object]:
    return {deed: await deed(tx) for deed in deeds}


def _told(error: BaseException | None) -> Problem | None:
    """What an error of the database is to whoever asked; None for what is a fault of ours.

    What SQL refuses in the name of a rule is Refused with the rule's word, and what the error's detail says of it.
    A value no column can hold, as a zero byte or a number of 70 bits, is the caller's fault; logged in case not.
    """
    if isinstance(error, asyncpg.SerializationError):
        return Conflict("try_again")
    if isinstance(error, asyncpg.DataError):
        log.warning("a value that the database cannot hold", exc_info=error)
        return Invalid("request", "invalid")
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate == REFUSED:
        return Refused(str(error.args[0]), **msgspec.json.decode(error.detail or "{}"))
    return None


def busy() -> bool:
    """Is a transaction or read open in this task? The outbound client refuses to run then."""
    return OPEN.get()


async def _shape_connection(connection: asyncpg.Connection[Any]) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, encoder=lambda value: msgspec.json.encode(value).decode(), decoder=msgspec.json.decode,
            schema="pg_catalog",
        )


async def _as_it_was(connection: asyncpg.Connection[Any]) -> None:
    """A connection goes back without asyncpg's round trip of RESET ALL: nothing here leaves settings behind."""
    if connection.is_in_transaction():
        await connection.reset()


async def connect(
    url: str, *, clock: Clock | None = None, reactions: Mapping[type, Reactions] | None = None, size: int = 10
) -> Db:
    """Open a pool on a database whose schema is in place."""
    pool = await asyncpg.create_pool(
        url, min_size=1, max_size=size, init=_shape_connection, reset=_as_it_was, command_timeout=60,
        max_inactive_connection_lifetime=300,
        # Statements are prepared once and written so that one plan serves all values: planning costs more.
        server_settings={"application_name": "parvis", "timezone": "UTC", "plan_cache_mode": "force_generic_plan"},
    )
    return Db(pool, clock or Clock(), reactions or {})


