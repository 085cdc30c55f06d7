"""Asking for all that is one's own, with an app."""

from __future__ import annotations

from api.contract import covers
from api.town import Town
from parvis.federation import archives
from parvis.portability.model import ArchiveAsked

HERE = "/api/v1/archives"


@covers(f"GET {HERE}", f"POST {HERE}")
async def test_an_app_asks_for_an_archive_and_sees_when_it_is_ready(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    assert await alice.ask("[Archive]", "GET", HERE) == []
    made = await alice.ask("Archive", "POST", HERE)
    assert (made["ready_at"], made["size"], made["url"]) == (None, None, None)
    again = await alice.send("POST", HERE)
    assert (again.status, again.json()["error"]) == (429, "You may ask for an archive of what is yours once a week")
    assert again.headers["x-ratelimit-reset"] > made["created_at"]
    await archives.write(town.app.job, ArchiveAsked(int(made["id"])))
    shown = (await alice.ask("[Archive]", "GET", HERE))[0]
    assert (shown["id"], shown["url"]) == (made["id"], f"http://localhost/settings/export/archives/{made['id']}.zip")
    assert shown["size"] > 0
    assert await bela.ask("[Archive]", "GET", HERE) == []
    assert (await town.stranger.refusal("GET", HERE))[0] == 401
    narrow = await town.with_scopes("read")
    assert (await narrow.refusal("POST", HERE))[0] == 403
