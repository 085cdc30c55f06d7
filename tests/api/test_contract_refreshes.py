"""What is asked of other servers while somebody reads on."""

from __future__ import annotations

from api.contract import covers
from api.facts import faults
from api.town import S, Town
from parvis.federation import queries

R = "/api/v1_alpha/async_refreshes"


@covers(f"GET {R}/{{id}}", f"GET {S}/{{id}}/context")
async def test_a_conversation_elsewhere_is_completed_and_one_can_ask_how_far(town: Town) -> None:
    alice = await town.person("alice")
    author = await town.owner.fetchval(
        "INSERT INTO accounts (username, domain, uri, url) VALUES ('remy', 'away.example', 'https://away.example/u', 'https://away.example/@u') RETURNING id")
    post = await town.owner.fetchval(
        """INSERT INTO statuses (account_id, uri, url, local, visibility, conversation_id, content)
           VALUES ($1, 'https://away.example/s', 'https://away.example/s', false, 'public', 1, 'Hello') RETURNING id""", author)
    name = f"context-{post}"
    assert (await alice.refusal("GET", f"{R}/{name}"))[0] == 404
    shown = await town.stranger.get(f"{S}/{post}/context")
    assert (shown.status, "mastodon-async-refresh" in shown.headers) == (200, False)
    shown = await alice.get(f"{S}/{post}/context")
    assert shown.headers["mastodon-async-refresh"] == f'id="{name}", retry=3, result_count=0'
    found = (await alice.ask(None, "GET", f"{R}/{name}"))["async_refresh"]
    assert found == {"id": name, "status": "running", "result_count": 0}
    assert faults("AsyncRefresh", found) == []
    async with town.app.db.write() as tx:
        await queries.thread_found(tx, post, 2, done=True)
    assert (await alice.ask(None, "GET", f"{R}/{name}"))["async_refresh"] == {"id": name, "status": "finished", "result_count": 2}
    assert "mastodon-async-refresh" not in (await alice.get(f"{S}/{post}/context")).headers
    mine = await alice.say("Here")
    assert "mastodon-async-refresh" not in (await alice.get(f"{S}/{mine['id']}/context")).headers
    await town.owner.execute("INSERT INTO blocks (account_id, target_id) VALUES ($1, $2)", alice.account.id, author)
    for absent in (name, "context-1", f"{post}", "context-x", "x"):
        assert (await alice.refusal("GET", f"{R}/{absent}"))[0] == 404
    assert (await town.stranger.refusal("GET", f"{R}/{name}"))[0] == 401
    narrow = await town.with_scopes("read:statuses")
    assert (await narrow.refusal("GET", f"{R}/{name}"))[0] == 403
