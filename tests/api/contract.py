"""Which operations have an example: a test that calls each with success and sees its effect through another."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

import pytest

from api.town import Town

COVERED: set[str] = set()
Example = Callable[[Town], Awaitable[None]]


def covers(*names: str) -> Callable[[Example], Example]:
    """Say of which operations a test is the example; each must succeed in it."""
    COVERED.update(names)

    def mark(test: Example) -> Example:
        @pytest.mark.asyncio(loop_scope="module")
        @functools.wraps(test)
        async def checked(town: Town) -> None:
            town.succeeded.clear()
            await test(town)
            assert set(names) - town.succeeded == set()

        return checked

    return mark
