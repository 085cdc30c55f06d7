"""One look at the database for all who ask the same kind of thing at one moment.

While a look is under way, those who ask next wait for the one after it: the busier the city, the more of them share
one. What somebody is told was read after they asked, so whoever wrote sees what they wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

R = TypeVar("R")
K = TypeVar("K")
V = TypeVar("V")
MOST = 32
AT_ONCE = 4
PATIENCE = 0.005


class Batch(Generic[R, K, V]):
    """Asks on behalf of many; whoever asks for what is not there is told None.

    `apart`: where one cannot be answered, each is answered again alone, so that an error is only its own.
    """

    def __init__(
        self, opened: Callable[[], AbstractAsyncContextManager[R]],
        answer: Callable[[R, Sequence[K]], Awaitable[Mapping[K, V]]], *, apart: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self._opened = opened
        self._answer = answer
        self._apart = apart
        self._patience = patience
        self._waiting: list[tuple[K, asyncio.Future[V | None]]] = []
        self._looking: set[asyncio.Task[None]] = set()
        self._began = 0.0

    async def of(self, asked: K) -> V | None:
        """What the next look finds for this; its error is everybody's who shares it."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[V | None] = loop.create_future()
        self._waiting.append((asked, told))
        # Whoever comes while a look takes long does not wait for it.
        if not self._looking or (loop.time() - self._began > self._patience and len(self._looking) < AT_ONCE):
            self._began = loop.time()
            self._looking.add(loop.create_task(self._looks()))
        return await told

    async def _looks(self) -> None:
        try:
            await self._look()
        finally:  # at once when nobody waits: whoever asks a moment later must find that nothing is under way
            self._looking.discard(asyncio.current_task())

    async def _look(self) -> None:
        while self._waiting:
            now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            self._began = asyncio.get_running_loop().time()
            await self._tell(now)

    async def _tell(self, those: Sequence[tuple[K, asyncio.Future[V | None]]]) -> None:
        try:
            async with self._opened() as r:
                found = await self._answer(r, list(dict.fromkeys(asked for asked, _ in those)))
        except Exception as error:  # noqa: BLE001  # raised again where each of them waits
            if self._apart and len(those) > 1:
                for one in those:
                    await self._tell([one])
            else:
                _fail([told for _, told in those], error)
        else:
            for asked, told in those:
                if not told.done():
                    told.set_result(found.get(asked))

    async def close(self) -> None:
        """Let those who wait be told."""
        await asyncio.gather(*self._looking)


def _fail(waiting: Sequence[asyncio.Future[V | None]], error: Exception) -> None:
    for told in waiting:
        if not told.done():
            told.set_exception(error)
