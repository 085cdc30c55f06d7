"""Cities for each test: Nord and Süd, and Ost where a third is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cities.harness import Cities, City, Network, found, raze


@pytest.fixture
async def cities(server: Any, tmp_path: Path) -> AsyncIterator[Cities]:
    """The cities and the network between them."""
    network = Network()
    all_of_them = [await found(server, network, f"{name}.example", tmp_path) for name in ("nord", "sued")]
    made = Cities(network, all_of_them)
    yield made
    for city in made.all:
        await raze(server, city)


@pytest.fixture
def nord(cities: Cities) -> City:
    """The first city."""
    return cities.all[0]


@pytest.fixture
def sued(cities: Cities) -> City:
    """The second city."""
    return cities.all[1]


@pytest.fixture
async def ost(cities: Cities, server: Any, tmp_path: Path) -> City:
    """A third city."""
    made = await found(server, cities.network, "ost.example", tmp_path)
    cities.all.append(made)
    return made
