"""Posts that wait for their hour: kept, moved, taken back, published once, or kept with the reason why not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from api.contract import covers
from api.town import A, Caller, S, Town, picture
from parvis.base.clock import mastodon_time
from parvis.composing import actions as composing
from parvis.composing import policy
from parvis.media import actions as media

LATER = "/api/v1/scheduled_statuses"


def hour(town: Town, **ahead: float) -> str:
    return mastodon_time(town.app.clock.now() + timedelta(**(ahead or {"hours": 1})))


async def wait(town: Town, scheduled: Any) -> None:
    """Its hour has come, and the worker notices."""
    await town.owner.execute(
        "UPDATE scheduled_statuses SET due_at = parvis_now() WHERE id = $1", int(scheduled["id"]))
    while await composing.publish_due(town.app.job):
        pass


async def schedule(by: Caller, town: Town, text: str = "Later", **more: Any) -> Any:
    return await by.ask("ScheduledStatus", "POST", S, json={"status": text, "scheduled_at": hour(town), **more})


@covers(f"POST {S}", f"GET {LATER}", f"GET {LATER}/{{id}}", f"PUT {LATER}/{{id}}", f"DELETE {LATER}/{{id}}")
async def test_a_post_waits_for_its_hour(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    file = (await alice.upload("/api/v2/media", picture(), description="Park")).json()["id"]
    parent = await bela.say("When?")
    at = hour(town)
    made = await alice.ask("ScheduledStatus", "POST", S, json={
        "status": f"At eight @{bela.account.username} #soon", "scheduled_at": at, "media_ids": [file], "visibility": "unlisted",
        "in_reply_to_id": parent["id"], "spoiler_text": "Time", "language": "de",
        "poll": {"options": ["yes", "no"], "expires_in": 600, "multiple": True},
    })
    assert (made["scheduled_at"], made["params"]["media_ids"], made["params"]["in_reply_to_id"]) == (at, [file], parent["id"])
    assert [one["description"] for one in made["media_attachments"]] == ["Park"]
    assert made["params"]["poll"] == {"options": ["yes", "no"], "expires_in": 600, "multiple": True, "hide_totals": False}
    place = f"{LATER}/{made['id']}"
    assert await alice.ask("ScheduledStatus", "GET", place) == made
    assert await alice.ask("[ScheduledStatus]", "GET", LATER) == [made]
    assert await alice.ask("[Status]", "GET", f"{A}/{alice.account.id}/statuses") == []
    for other in (bela, await town.person("carol")):
        assert await other.ask("[ScheduledStatus]", "GET", LATER) == []
        for method in ("GET", "PUT", "DELETE"):
            body = {"scheduled_at": hour(town)}
            assert await other.refusal(method, place, json=body) == (404, "Record not found")
    narrow = await town.with_scopes("write:accounts", "read:accounts")
    assert {(await narrow.refusal(method, place))[0] for method in ("GET", "PUT", "DELETE")} == {403}
    moved = await alice.ask("ScheduledStatus", "PUT", place, form={"scheduled_at": hour(town, hours=2)})
    assert moved["scheduled_at"] > at
    assert (await alice.refusal("POST", S, json={"status": "x", "media_ids": [file]}))[0] == 422
    assert (await alice.refusal("POST", S, json={"status": "x", "media_ids": [file], "scheduled_at": at}))[0] == 422
    await town.owner.execute("UPDATE media SET created_at = created_at - interval '3 days' WHERE id = $1", int(file))
    await media.forget_stale(town.app.job)
    await wait(town, made)
    assert await alice.ask("[ScheduledStatus]", "GET", LATER) == []
    said = (await bela.ask("[Status]", "GET", f"{A}/{alice.account.id}/statuses"))[0]
    assert (said["visibility"], said["in_reply_to_id"], said["spoiler_text"], said["language"]) == ("unlisted", parent["id"], "Time", "de")
    assert ([one["id"] for one in said["media_attachments"]], [tag["name"] for tag in said["tags"]]) == ([file], ["soon"])
    assert (said["poll"]["multiple"], said["poll"]["expired"]) == (True, False)
    assert [n["type"] for n in await bela.ask("[Notification]", "GET", "/api/v1/notifications")] == ["mention"]
    other = await schedule(alice, town, media_ids=[(await alice.upload("/api/v2/media", picture())).json()["id"]])
    assert await alice.ask(None, "DELETE", f"{LATER}/{other['id']}") == {}
    assert (await alice.refusal("GET", f"{LATER}/{other['id']}"))[0] == 404
    await alice.say("Now", media_ids=other["params"]["media_ids"])


@covers(f"POST {S}")
async def test_not_too_soon_and_not_too_many(town: Town) -> None:
    alice = await town.person("alice")
    made = await schedule(alice, town)
    for at, why in ((hour(town, minutes=4), "must be at least 5 minutes in the future"), ("2001-01-01", "must be at least 5 minutes in the future"),
                    ("soon", "is invalid"), ("9999-99-99", "is invalid")):
        for method, path in (("POST", S), ("PUT", f"{LATER}/{made['id']}")):
            said = await alice.refusal(method, path, json={"status": "x", "scheduled_at": at})
            assert said == (422, f"Validation failed: Scheduled at {why}")
    for wrong in ({"status": ""}, {"status": "x" * 501}, {"in_reply_to_id": "12"}, {"media_ids": ["12"]}, {"language": "klingonese"},
                  {"poll": {"options": ["a"], "expires_in": 300}}):
        body = {"status": "x", "scheduled_at": hour(town), **wrong}
        assert (await alice.refusal("POST", S, json=body))[0] in (404, 422), wrong
    day = hour(town, days=3)
    for _ in range(policy.A_DAY):
        await schedule(alice, town, scheduled_at=day)
    assert await alice.refusal("POST", S, json={"status": "x", "scheduled_at": day}) == (
        422, "Validation failed: Scheduled at You have too many scheduled posts for that day")
    assert (await alice.refusal("PUT", f"{LATER}/{made['id']}", json={"scheduled_at": day}))[0] == 422
    await town.owner.execute(
        "INSERT INTO scheduled_statuses (account_id, wish, scheduled_at) SELECT $1, '{}', parvis_now() FROM generate_series(1, $2)",
        alice.account.id, policy.IN_ALL - policy.A_DAY - 1)
    assert await alice.refusal("POST", S, json={"status": "x", "scheduled_at": hour(town)}) == (
        422, "Validation failed: Scheduled at You have too many scheduled posts")


@covers(f"GET {LATER}")
async def test_what_waits_is_paged(town: Town) -> None:
    alice = await town.person("alice")
    ids = [(await schedule(alice, town, f"Number {number}"))["id"] for number in range(5)]
    first = await alice.get(f"{LATER}?limit=2")
    assert [row["id"] for row in first.json()] == ids[:2:-1]
    assert f"max_id={ids[3]}" in first.headers["link"]
    assert [row["id"] for row in await alice.ask("[ScheduledStatus]", "GET", f"{LATER}?limit=2&max_id={ids[3]}")] == ids[2:0:-1]
    assert [row["id"] for row in await alice.ask("[ScheduledStatus]", "GET", f"{LATER}?limit=2&min_id={ids[0]}")] == ids[2:0:-1]


@covers(f"POST {S}")
async def test_an_idempotency_key_schedules_once(town: Town) -> None:
    alice = await town.person("alice")
    headers, body = {"idempotency-key": "k1"}, {"status": "Once", "scheduled_at": hour(town)}
    made = [await alice.ask("ScheduledStatus", "POST", S, json=body, headers=headers) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0]["params"]["idempotency"] == "k1"
    assert len(await alice.ask("[ScheduledStatus]", "GET", LATER)) == 1
    await wait(town, made[0])
    again = await alice.ask("Status", "POST", S, json=body, headers=headers)
    assert [s["id"] for s in await alice.ask("[Status]", "GET", f"{A}/{alice.account.id}/statuses")] == [again["id"]]


@covers(f"GET {LATER}/{{id}}", f"PUT {LATER}/{{id}}", f"DELETE {LATER}/{{id}}", f"POST {S}")
async def test_what_cannot_be_published_is_kept_and_its_author_sees_why(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    parent = await bela.say("Ask me")
    file = (await alice.upload("/api/v2/media", picture())).json()["id"]
    made = await schedule(alice, town, in_reply_to_id=parent["id"], media_ids=[file])
    await bela.ask("Status", "DELETE", f"{S}/{parent['id']}")
    await wait(town, made)
    kept = await alice.ask("ScheduledStatus", "GET", f"{LATER}/{made['id']}")
    assert (kept["error"], [one["id"] for one in kept["media_attachments"]]) == ("Record not found", [file])
    assert await alice.ask("[Status]", "GET", f"{A}/{alice.account.id}/statuses") == []
    again = await alice.ask("ScheduledStatus", "PUT", f"{LATER}/{made['id']}", json={"scheduled_at": hour(town)})
    assert "error" not in again
    await wait(town, made)
    assert "error" in await alice.ask("ScheduledStatus", "GET", f"{LATER}/{made['id']}")
    await alice.ask(None, "DELETE", f"{LATER}/{made['id']}")
    alone = await schedule(alice, town)
    await town.owner.execute("UPDATE users SET disabled_at = parvis_now() WHERE account_id = $1", alice.account.id)
    await wait(town, alone)
    await town.owner.execute("UPDATE users SET disabled_at = NULL WHERE account_id = $1", alice.account.id)
    assert (await alice.ask("ScheduledStatus", "GET", f"{LATER}/{alone['id']}"))["error"] == "Your login is currently disabled"
