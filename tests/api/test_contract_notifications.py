"""Examples of what one is told: groups, policy, requests."""

from __future__ import annotations

from typing import Any

from api.contract import covers
from api.facts import faults
from api.town import A, Caller, S, Town
from parvis.access import actions as access
from parvis.access.model import SignUp

V1, V2 = "/api/v1/notifications", "/api/v2/notifications"


async def _favourited(town: Town, times: int) -> tuple[Caller, str, list[Caller]]:
    """Alice's post, and so many who like it, in their order."""
    alice, *others = await town.people("alice", *["fan"] * times)
    said = (await alice.say("Look"))["id"]
    for one in others:
        await one.ask(None, "POST", f"{S}/{said}/favourite")
    return alice, said, others


async def _groups(caller: Caller, query: str = "") -> Any:
    found = await caller.ask("GroupedNotificationsResults", "GET", f"{V2}?{query}")
    known = {one["id"] for one in [*found["accounts"], *found.get("partial_accounts", [])]}
    for group in found["notification_groups"]:
        assert set(group["sample_account_ids"]) <= known
        assert group.get("status_id") in {None, *(status["id"] for status in found["statuses"])}
    return found


@covers(f"GET {V2}", f"GET {V2}/{{group_key}}", f"GET {V2}/{{group_key}}/accounts", f"POST {V2}/{{group_key}}/dismiss",
        f"GET {V2}/unread_count")
async def test_what_many_do_to_one_post_is_one_group(town: Town) -> None:
    alice, said, fans = await _favourited(town, 3)
    await fans[0].say(f"@{alice.account.username} hello")
    await fans[0].ask(None, "POST", f"{A}/{alice.account.id}/follow")
    await fans[1].ask(None, "POST", f"{A}/{alice.account.id}/follow")
    found = await _groups(alice)
    assert [(g["type"], g["notifications_count"]) for g in found["notification_groups"]] == [("follow", 2), ("mention", 1), ("favourite", 3)]
    follows, mention, favourites = found["notification_groups"]
    ids = [str(fan.account.id) for fan in fans]
    assert (favourites["status_id"], favourites["sample_account_ids"]) == (said, ids[::-1])
    assert favourites["group_key"].startswith(f"favourite-{said}-")
    assert follows["group_key"].startswith("follow-")
    assert mention["group_key"] == f"ungrouped-{mention['most_recent_notification_id']}"
    assert {g["group_key"] for g in found["notification_groups"]} == {
        n["group_key"] for n in await alice.ask("[Notification]", "GET", V1)}
    assert await alice.ask(None, "GET", f"{V2}/unread_count") == {"count": 3}
    assert await alice.ask(None, "GET", f"{V2}/unread_count?grouped_types[]=follow") == {"count": 5}
    for last, singly, grouped in ((mention, 2, 1), (favourites, 3, 2)):
        await alice.ask(None, "POST", "/api/v1/markers", json={"notifications": {"last_read_id": str(last["most_recent_notification_id"])}})
        assert await alice.ask(None, "GET", f"{V1}/unread_count") == {"count": singly}
        assert await alice.ask(None, "GET", f"{V2}/unread_count") == {"count": grouped}
    key = favourites["group_key"]
    one = await alice.ask("GroupedNotificationsResults", "GET", f"{V2}/{key}")
    assert [g["notifications_count"] for g in one["notification_groups"]] == [3]
    assert [a["id"] for a in await alice.ask("[Account]", "GET", f"{V2}/{key}/accounts")] == ids[::-1]
    short = await alice.send("GET", f"{V2}/{key}/accounts?limit=2")
    assert [a["id"] for a in short.json()] == ids[:0:-1]
    older = short.headers["link"].split("<")[1].split(">")[0].removeprefix("http://localhost")
    assert [a["id"] for a in await alice.ask("[Account]", "GET", older)] == ids[:1]
    assert (await fans[0].refusal("GET", f"{V2}/{key}"))[0] == 404
    await fans[0].ask(None, "POST", f"{V2}/{key}/dismiss")
    assert len((await _groups(alice))["notification_groups"]) == 3
    for gone in (key, mention["group_key"]):
        assert await alice.ask(None, "POST", f"{V2}/{gone}/dismiss") == {}
    assert [g["type"] for g in (await _groups(alice))["notification_groups"]] == ["follow"]
    for scope, code in (("read:statuses", 403), ("read:notifications", 200), ("write:notifications", 200)):
        narrow = await town.with_scopes(scope)
        assert (await narrow.get(f"{V2}/none/accounts")).status == code
        assert (await narrow.get(V2)).status == (200 if scope == "read:notifications" else 403)


@covers(f"GET {V2}")
async def test_grouped_pages_show_each_group_once(town: Town) -> None:
    alice, said, fans = await _favourited(town, 2)
    for number in range(3):
        await fans[0].say(f"@{alice.account.username} {number}")
    await fans[1].ask(None, "POST", f"{S}/{said}/unfavourite")
    await fans[1].ask(None, "POST", f"{S}/{said}/favourite")
    wanted = ["favourite", "mention", "mention", "mention"]
    seen, path = [], f"{V2}?limit=2"
    while path:
        answer = await alice.get(path)
        assert faults("GroupedNotificationsResults", answer.json()) == []
        groups = answer.json()["notification_groups"]
        lowest = min((g["most_recent_notification_id"] for g in groups), default=0)
        assert all(int(g["page_min_id"]) >= lowest for g in groups)
        seen += groups
        path = answer.headers.get("link", "").split(">; rel=\"next\"")[0].removeprefix("<http://localhost")
    assert [g["type"] for g in seen] == wanted
    assert seen[0]["notifications_count"] == 2
    ids = [g["most_recent_notification_id"] for g in seen]
    up = await _groups(alice, f"min_id={ids[3]}&limit=2")
    assert [g["most_recent_notification_id"] for g in up["notification_groups"]] == ids[1:3]
    assert [g["most_recent_notification_id"] for g in (await _groups(alice, f"since_id={ids[2]}"))["notification_groups"]] == ids[:2]
    partial = await _groups(alice, "expand_accounts=partial_avatars&types[]=favourite")
    assert [one["id"] for one in partial["accounts"]] == [str(fans[1].account.id)]
    assert [one["id"] for one in partial["partial_accounts"]] == [str(fans[0].account.id)]
    alone = await _groups(alice, "grouped_types[]=follow&types[]=favourite")
    assert [g["notifications_count"] for g in alone["notification_groups"]] == [1, 1]
    mine = await _groups(alice, f"account_id={fans[0].account.id}&exclude_types[]=mention")
    assert [g["notifications_count"] for g in mine["notification_groups"]] == [2]
    assert (await alice.refusal("GET", f"{V2}?expand_accounts=none"))[0] == 422


@covers(f"POST {V1}/dismiss", f"DELETE {V1}/{{id}}", f"DELETE {V1}/destroy_multiple")
async def test_notifications_are_taken_away_as_older_apps_do(town: Town) -> None:
    alice, _, _ = await _favourited(town, 5)
    ids = [n["id"] for n in await alice.ask("[Notification]", "GET", V1)]
    assert all(int(number) < 2**53 for number in ids)
    gone = await alice.send("POST", f"{V1}/dismiss", form={"id": ids[0]})
    assert (gone.status, gone.headers["deprecation"]) == (200, "@1420070400")
    await alice.ask(None, "DELETE", f"{V1}/{ids[1]}")
    assert (await alice.refusal("DELETE", f"{V1}/{ids[1]}"))[0] == 404
    await alice.ask(None, "DELETE", f"{V1}/destroy_multiple?ids[]={ids[2]}&ids[]={ids[3]}&ids[]=99999999")
    assert [n["id"] for n in await alice.ask("[Notification]", "GET", V1)] == ids[4:]
    narrow = await town.with_scopes("read:notifications")
    for method, path in (("POST", f"{V1}/dismiss"), ("DELETE", f"{V1}/1"), ("DELETE", f"{V1}/destroy_multiple")):
        assert (await narrow.refusal(method, path))[0] == 403


@covers(f"GET {V2}/policy", f"PATCH {V2}/policy", f"PUT {V2}/policy")
async def test_a_policy_filters_and_drops(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    at_first = await alice.ask("NotificationPolicy", "GET", f"{V2}/policy")
    assert (at_first["for_not_following"], at_first["for_private_mentions"]) == ("accept", "filter")
    changed = await alice.ask("NotificationPolicy", "PATCH", f"{V2}/policy", json={"for_not_following": "filter"})
    assert (changed["for_not_following"], changed["for_private_mentions"]) == ("filter", "filter")
    await alice.ask(None, "POST", f"{A}/{carol.account.id}/follow")
    said = (await alice.say("Look"))["id"]
    for one in (bela, carol):
        await one.say(f"@{alice.account.username} hello")
        await one.ask(None, "POST", f"{S}/{said}/favourite")
    told = await alice.ask("[Notification]", "GET", V1)
    assert {n["account"]["id"] for n in told} == {str(carol.account.id)}
    everything = await alice.ask("[Notification]", "GET", f"{V1}?include_filtered=true")
    assert [n.get("filtered", False) for n in everything] == [False, False, True, True]
    assert len((await _groups(alice))["notification_groups"]) == 2
    assert len((await _groups(alice, "include_filtered=true"))["notification_groups"]) == 4
    assert await alice.ask(None, "GET", f"{V1}/unread_count") == {"count": 2}
    summary = (await alice.ask("NotificationPolicy", "GET", f"{V2}/policy"))["summary"]
    assert summary == {"pending_requests_count": 1, "pending_notifications_count": 2}
    await alice.ask("NotificationPolicy", "PUT", f"{V2}/policy", form={"for_not_following": "drop"})
    await bela.say(f"@{alice.account.username} again")
    assert len(await alice.ask("[Notification]", "GET", f"{V1}?include_filtered=true")) == 4
    assert (await alice.refusal("PATCH", f"{V2}/policy", json={"for_new_accounts": "maybe"}))[0] == 422
    narrow = await town.with_scopes("read:notifications")
    assert (await narrow.refusal("PATCH", f"{V2}/policy"))[0] == 403


R = f"{V1}/requests"


@covers(f"GET {R}", f"GET {R}/{{id}}", f"POST {R}/{{id}}/accept", f"POST {R}/{{id}}/dismiss", f"POST {R}/accept",
        f"POST {R}/dismiss", f"GET {R}/merged")
async def test_who_is_filtered_asks_and_is_accepted_or_not(town: Town) -> None:
    alice, bela, carol, dana, eli = await town.people("alice", "bela", "carol", "dana", "eli")
    await alice.ask(None, "PATCH", f"{V2}/policy", json={"for_not_following": "filter"})
    for one in (bela, carol, dana, eli, bela):
        last = await one.say(f"@{alice.account.username} hello")
    asked = await alice.ask("[NotificationRequest]", "GET", R)
    assert [q["account"]["id"] for q in asked] == [str(one.account.id) for one in (eli, dana, carol, bela)]
    assert (asked[3]["notifications_count"], asked[3]["last_status"]["id"]) == ("2", last["id"])
    assert [q["id"] for q in await alice.ask("[NotificationRequest]", "GET", f"{R}?limit=2&max_id={asked[1]['id']}")] == [q["id"] for q in asked[2:]]
    assert await alice.ask("NotificationRequest", "GET", f"{R}/{asked[3]['id']}") == asked[3]
    assert (await bela.refusal("GET", f"{R}/{asked[3]['id']}"))[0] == 404
    assert await alice.ask(None, "POST", f"{R}/{asked[3]['id']}/accept") == {}
    assert (await alice.refusal("POST", f"{R}/{asked[3]['id']}/accept"))[0] == 404
    assert await alice.ask(None, "GET", f"{R}/merged") == {"merged": True}
    assert [n["account"]["id"] for n in await alice.ask("[Notification]", "GET", V1)] == [str(bela.account.id)] * 2
    await bela.say(f"@{alice.account.username} thanks")
    assert len(await alice.ask("[Notification]", "GET", V1)) == 3
    await alice.ask(None, "POST", f"{R}/{asked[2]['id']}/dismiss")
    assert (await alice.refusal("POST", f"{R}/{asked[2]['id']}/dismiss"))[0] == 404
    assert len(await alice.ask("[Notification]", "GET", f"{V1}?include_filtered=true&account_id={carol.account.id}")) == 0
    await alice.ask(None, "POST", f"{R}/accept", json={"id": [asked[1]["id"], "7"]})
    await alice.ask(None, "POST", f"{R}/dismiss", form={"id[]": asked[0]["id"]})
    assert await alice.ask("[NotificationRequest]", "GET", R) == []
    assert len(await alice.ask("[Notification]", "GET", V1)) == 4
    await carol.say(f"@{alice.account.username} I ask again")
    assert len(await alice.ask("[NotificationRequest]", "GET", R)) == 1
    await alice.ask(None, "POST", f"{A}/{carol.account.id}/block")
    assert await alice.ask("[NotificationRequest]", "GET", R) == []
    for scope, path in (("write:notifications", R), ("write:notifications", f"{R}/merged")):
        assert (await (await town.with_scopes(scope)).refusal("GET", path))[0] == 403
    narrow = await town.with_scopes("read:notifications")
    for path in (f"{R}/1/accept", f"{R}/1/dismiss", f"{R}/accept", f"{R}/dismiss"):
        assert (await narrow.refusal("POST", path))[0] == 403


@covers(f"GET {V1}", f"GET {V2}")
async def test_moderators_hear_of_reports_and_of_new_people(town: Town) -> None:
    mona, alice, bela = await town.person("mona", "moderator"), await town.person("alice"), await town.person("bela")
    said = await alice.say("Buy my things")
    await bela.ask("Report", "POST", "/api/v1/reports", json={
        "account_id": str(alice.account.id), "status_ids": [said["id"]], "comment": "Spam", "category": "spam"})
    for name in ("nia", "noe"):
        wish = SignUp(f"{name}_{alice.account.id}"[:20], f"{name}{alice.account.id}@example.org", "correct horse", "en", True)
        prepared = await access.prepare(town.app.settings, wish)
        async with town.app.db.write() as tx:
            made = await access.sign_up(tx, prepared, town.app.settings)
            user = await access.queries.user(tx, made.id)
            assert user is not None
            token = access.confirmation_token(town.app.settings, user, tx.now)
            assert await access.confirm(tx, town.app.settings, token)
            assert not await access.confirm(tx, town.app.settings, token)
    await mona.ask("NotificationPolicy", "PATCH", f"{V2}/policy", json={"for_new_accounts": "drop"})
    told = await mona.ask("[Notification]", "GET", V1)
    assert [n["type"] for n in told] == ["admin.sign_up", "admin.sign_up", "admin.report"]
    report = told[2]["report"]
    assert (told[2]["account"]["id"], report["target_account"]["id"]) == (str(bela.account.id), str(alice.account.id))
    assert (report["comment"], report["status_ids"], report["category"]) == ("Spam", [said["id"]], "spam")
    groups = (await _groups(mona))["notification_groups"]
    assert [(g["type"], g["notifications_count"]) for g in groups] == [("admin.sign_up", 2), ("admin.report", 1)]
    assert groups[1]["report"]["id"] == report["id"]
    strange = (await mona.ask("[Notification]", "GET", f"{V1}?supported_types[]=admin.sign_up"))
    assert [n.get("fallback") is None for n in strange] == [True, True, False]
    assert strange[2]["fallback"]["title"].startswith("Bela")
    assert await alice.ask("[Notification]", "GET", V1) == []
