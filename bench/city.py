"""How fast one city answers: home, public, one post, posting. The numbers are of this machine."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/live"))

from stage import City, cities, folder  # beside the live scenarios

SECONDS, AT_ONCE, FILL = 5.0, 8, 200


async def measured(
    http: aiohttp.ClientSession, name: str, method: str, url: str, body: dict[str, str] | None = None
) -> None:
    """Ask for a few seconds, a few at a time; a row of the table."""
    took: list[float] = []
    until = time.perf_counter() + SECONDS

    async def ask() -> None:
        while time.perf_counter() < until:
            began = time.perf_counter()
            async with http.request(method, url, json=body) as answer:
                await answer.read()
                answer.raise_for_status()
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    took.sort()
    p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
    print(f"{name:8} {len(took) / SECONDS:9.0f} /s   p50 {p50:7.2f} ms   p99 {p99:7.2f} ms", flush=True)


async def run(origin: str, token: str) -> None:
    """Fill a city with posts, then measure."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        last = ""
        for number in range(FILL):
            async with http.post(f"{origin}/api/v1/statuses", json={"status": f"post {number} #banc"}) as made:
                last = (await made.json())["id"]
        await measured(http, "home", "GET", f"{origin}/api/v1/timelines/home")
        await measured(http, "public", "GET", f"{origin}/api/v1/timelines/public")
        await measured(http, "status", "GET", f"{origin}/api/v1/statuses/{last}")
        await measured(http, "post", "POST", f"{origin}/api/v1/statuses", {"status": "bonjour"})


def main() -> None:
    """One city, one reader who is also the writer."""
    with folder() as path, cities(City(path / "city")) as (city,):
        asyncio.run(run(city.origin, city.person("alice").token))


if __name__ == "__main__":
    main()
