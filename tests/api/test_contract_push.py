"""Examples of how one is reached: push, and what comes by letter."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.contract import covers
from api.town import Caller, Town
from parvis.access import actions as access
from parvis.base import webpush
from parvis.notifications.model import ALERTS

P = "/api/v1/push/subscription"
L = "/api/v1/letters"


def place(endpoint: str = "https://push.example/one", **more: Any) -> dict[str, Any]:
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"endpoint": endpoint, "keys": {"p256dh": webpush.text(point), "auth": webpush.text(b"a" * 16)}, **more}


@covers(f"POST {P}", f"GET {P}", f"PUT {P}", f"DELETE {P}")
async def test_an_app_is_pushed_to_where_and_of_what_it_wants(town: Town) -> None:
    alice = await town.person("alice")
    assert (await alice.refusal("GET", P))[0] == 404
    assert (await alice.refusal("PUT", P, json={"data": {}}))[0] == 404
    wish = place()
    made = await alice.ask("WebPushSubscription", "POST", P, json={
        "subscription": wish, "data": {"alerts": {"mention": True, "admin.report": True, "nonsense": True}, "policy": "followed"}})
    assert (made["endpoint"], made["standard"], made["policy"]) == ("https://push.example/one", False, "followed")
    assert {kind for kind, wanted in made["alerts"].items() if wanted} == {"mention", "admin.report"}
    assert set(made["alerts"]) == set(ALERTS)
    assert len(made["server_key"]) == 87
    city = await town.stranger.ask(None, "GET", "/api/v2/instance")
    assert city["configuration"]["vapid"]["public_key"] == made["server_key"]
    assert await alice.ask("WebPushSubscription", "GET", P) == made
    changed = await alice.ask("WebPushSubscription", "PUT", P, form={"data[alerts][poll]": "1", "data[alerts][mention]": "false", "policy": "none"})
    assert ({k for k, wanted in changed["alerts"].items() if wanted}, changed["policy"]) == ({"poll"}, "none")
    keys = wish["keys"]
    again = await alice.ask("WebPushSubscription", "POST", P, form={
        "subscription[endpoint]": "https://push.example/two", "subscription[keys][p256dh]": keys["p256dh"],
        "subscription[keys][auth]": keys["auth"] + "==", "subscription[standard]": "true", "data[alerts][follow]": "true"})
    assert (again["endpoint"], again["standard"], again["alerts"]["follow"], again["policy"]) == ("https://push.example/two", True, True, "all")
    other = Caller(town.app, town.succeeded)
    async with town.app.db.write() as tx:
        other.token, _ = await access.issue(tx, alice.account.id, ["read", "push"], None)
    assert (await other.refusal("GET", P))[0] == 404
    assert await alice.ask(None, "DELETE", P) == {}
    assert await alice.ask(None, "DELETE", P) == {}
    assert (await alice.refusal("GET", P))[0] == 404
    narrow = await town.with_scopes("read", "write")
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert (await narrow.refusal(method, P))[0] == 403


@covers(f"POST {P}")
async def test_a_subscription_that_cannot_work_is_refused(town: Town) -> None:
    alice = await town.person("alice")
    good = place()
    for wrong in (
        place("ftp://push.example/x"), place("nonsense"), place("https://user@push.example/"), place("https://push.example/" + "x" * 2000),
        {**good, "keys": {**good["keys"], "auth": "short"}}, {**good, "keys": {**good["keys"], "p256dh": "BAAA"}}, {"endpoint": "https://push.example"},
    ):
        assert (await alice.refusal("POST", P, json={"subscription": wrong}))[0] in (400, 422), wrong
    assert (await alice.refusal("POST", P, json={"subscription": good, "data": {"policy": "some"}}))[0] == 422
    assert (await alice.refusal("GET", P))[0] == 404
    await alice.ask("WebPushSubscription", "POST", P, json={"subscription": good})


@covers(f"GET {L}", f"PATCH {L}")
async def test_one_chooses_what_comes_by_letter(town: Town) -> None:
    alice = await town.person("alice")
    at_first = await alice.ask(None, "GET", L)
    assert at_first == {"follow": "never", "follow_request": "away", "favourite": "never", "reblog": "never", "mention": "away",
                        "quote": "never", "digest": True}
    changed = await alice.ask(None, "PATCH", L, form={"follow": "always", "digest": "0"})
    assert changed == {**at_first, "follow": "always", "digest": False}
    assert await alice.ask(None, "GET", L) == changed
    assert (await alice.refusal("PATCH", L, json={"follow": "sometimes"}))[0] == 422
    narrow = await town.with_scopes("read:notifications")
    assert (await narrow.refusal("PATCH", L))[0] == 403
    assert (await (await town.with_scopes("write")).refusal("GET", L))[0] == 403
