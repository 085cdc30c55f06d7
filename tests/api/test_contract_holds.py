"""Posts that are kept back: what their authors are told, and what moderators do with them."""

from __future__ import annotations

import json
import uuid
from typing import Any

from api.contract import covers
from api.town import Caller, S, Town

HOLDS, QUARANTINE, RULES = "/api/v1/holds", "/api/v1/admin/holds", "/api/v1/admin/screening"


async def naming_is_a_flood_from(town: Town, most: int) -> None:
    """The residents have adopted another number."""
    await town.owner.execute(
        "UPDATE article_versions SET parameters = parameters || $1 WHERE number = 'I.9'", json.dumps({"naming_young_from": most}))


async def kept_back(town: Town) -> tuple[Caller, Caller, Any]:
    """Alice names somebody where nobody may be named, and what became of it."""
    alice, bela = await town.people("alice", "bela")
    await naming_is_a_flood_from(town, 0)
    said = await alice.say(f"Hello @{bela.account.username} {uuid.uuid4().hex}")
    await naming_is_a_flood_from(town, 50)
    return alice, bela, said


@covers(f"GET {HOLDS}", f"GET {HOLDS}/{{id}}", f"POST {HOLDS}/{{id}}/appeal", f"GET {QUARANTINE}", f"GET {QUARANTINE}/{{id}}",
        f"POST {QUARANTINE}/{{id}}/release")
async def test_an_author_is_told_why_and_appeals_and_a_moderator_lets_it_out(town: Town) -> None:
    mona = await town.person("mona", "moderator")
    alice, bela, said = await kept_back(town)
    assert (await bela.refusal("GET", f"{S}/{said['id']}"))[0] == 404
    assert await bela.ask("[Notification]", "GET", "/api/v1/notifications") == []
    told, = await alice.ask("[Notification]", "GET", "/api/v1/notifications")
    assert (told["type"], told["moderation_warning"]["action"]) == ("moderation_warning", "none")
    assert told["moderation_warning"]["status_ids"] == [said["id"]]
    found, = await alice.ask(None, "GET", HOLDS)
    assert told["moderation_warning"]["text"] == f"{found['text']} {found['url']}"
    assert (found["status_id"], found["state"], found["rules"], found["article"]) == (said["id"], "held", ["naming"], "I.8")
    place, seen = f"{HOLDS}/{found['id']}", f"{QUARANTINE}/{found['id']}"
    assert await alice.ask(None, "GET", place) == found
    for method, path in (("GET", place), ("POST", f"{place}/appeal")):
        assert (await bela.refusal(method, path, json={"text": "x"}))[0] == 404
    assert (await alice.refusal("POST", f"{place}/appeal", json={"text": " "}))[0] == 422
    assert (await alice.ask(None, "POST", f"{place}/appeal", json={"text": "A party."}))["appeal"] == "A party."
    assert (await alice.refusal("POST", f"{place}/appeal", json={"text": "Again."}))[0] == 409

    row = next(one for one in await mona.ask(None, "GET", f"{QUARANTINE}?appealed=true") if one["id"] == found["id"])
    assert (row["appeal"], row["status"]["id"], row["account"]["id"]) == ("A party.", said["id"], str(alice.account.id))
    assert await mona.ask(None, "GET", seen) == row
    for method, path in (("GET", QUARANTINE), ("GET", seen), ("POST", f"{seen}/release"), ("POST", f"{seen}/confirm"), ("GET", RULES)):
        assert (await alice.refusal(method, path, json={"text": "x"}))[0] == 403
    assert (await mona.refusal("POST", f"{seen}/release", json={}))[0] == 422
    assert (await mona.refusal("POST", f"{QUARANTINE}/1/release", json={"text": "x"}))[0] == 404
    done = await mona.ask(None, "POST", f"{seen}/release", json={"text": "A party, indeed."})
    assert (done["state"], done["reasons"]) == ("released", "A party, indeed.")
    assert (await mona.refusal("POST", f"{seen}/release", json={"text": "Again."}))[0] == 422
    assert (await bela.ask("Status", "GET", f"{S}/{said['id']}"))["id"] == said["id"]
    assert [one["type"] for one in await bela.ask("[Notification]", "GET", "/api/v1/notifications")] == ["mention"]
    assert found["id"] not in [one["id"] for one in await mona.ask(None, "GET", QUARANTINE)]
    assert found["id"] in [one["id"] for one in await mona.ask(None, "GET", f"{QUARANTINE}?state=released")]


@covers(f"POST {QUARANTINE}/{{id}}/confirm", f"GET {RULES}")
async def test_a_moderator_removes_it_by_a_decision_on_an_article(town: Town) -> None:
    mona = await town.person("mona", "moderator")
    alice, bela, said = await kept_back(town)
    found, = await alice.ask(None, "GET", HOLDS)
    place = f"{QUARANTINE}/{found['id']}"
    refused = await mona.send("POST", f"{place}/confirm", json={"text": "Spam."})
    assert (refused.status, refused.json()["rule"]) == (422, "ground_required")
    whole = await town.stranger.ask(None, "GET", "/api/v1/charter")
    ground = next(str(one["id"]) for one in whole["articles"] if one["number"] == "II.3")
    done = await mona.ask(None, "POST", f"{place}/confirm", json={"text": "Spam.", "article_ids": [ground]})
    assert done["state"] == "confirmed"
    statement = await alice.ask(None, "GET", f"/api/v1/decisions/{done['decision_id']}/statement")
    assert statement["ground"].startswith("II.3")
    await town.turn()
    assert (await bela.refusal("GET", f"{S}/{said['id']}"))[0] == 404
    assert await bela.ask("[Notification]", "GET", "/api/v1/notifications") == []
    told = await mona.ask(None, "GET", RULES)
    rules = {one["rule"]: one for one in told["rules"]}
    assert (rules["naming"]["mode"], rules["alike"]["mode"], rules["alike"]["parameters"]["alike_from"]) == ("acts", "counted", 3)
    assert (told["hold_score"], told["hold_time"]) == (5, "3d")
    assert any(row["rule"] == "naming" and row["acted"] and row["local"] for row in told["days"])
    entries = (await town.stranger.ask(None, "GET", "/api/v1/register"))["entries"]
    assert len([row for row in entries if row["kind"] == "hold"]) >= 2
    assert alice.account.username not in str([row for row in entries if row["kind"] == "hold"])
