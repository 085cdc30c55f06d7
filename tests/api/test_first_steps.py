"""A person's first steps, through the API alone."""

from __future__ import annotations

import io

from PIL import Image

from conftest import Client, Person, settle_in
from parvis.views.cards import Shelf


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), (90, 140, 90)).save(out, "PNG")
    return out.getvalue()


async def test_a_post_with_a_picture_is_read_back_by_another_person(alice: Person, bela: Person) -> None:
    sent = await alice.upload("/api/v2/media", png(), description="A park")
    assert sent.status == 200, sent.text
    made = await alice.post("/api/v1/statuses", json={
        "status": "Hello @bela, see the #Park https://example.org/a", "media_ids": [sent.json()["id"]], "language": "en",
    })
    assert made.status == 200, made.text
    read = (await bela.get(f"/api/v1/statuses/{made.json()['id']}")).json()
    assert read["media_attachments"][0]["description"] == "A park"
    assert read["media_attachments"][0]["blurhash"]
    assert read["mentions"][0]["acct"] == "bela"
    assert read["tags"][0]["name"] == "park"
    assert read["account"]["statuses_count"] == 1
    told = (await bela.get("/api/v1/notifications")).json()
    assert [(n["type"], n["account"]["acct"]) for n in told] == [("mention", "alice")]


async def test_following_fills_the_home_timeline(alice: Person, bela: Person) -> None:
    followed = await bela.post(f"/api/v1/accounts/{alice.account.id}/follow")
    assert followed.json()["following"] is True
    made = (await alice.post("/api/v1/statuses", form={"status": "One"})).json()
    assert [s["id"] for s in (await bela.get("/api/v1/timelines/home")).json()] == [made["id"]]
    public = await Client(alice.app).get("/api/v1/timelines/public?local=true")
    assert [s["id"] for s in public.json()] == [made["id"]]
    assert 'rel="next"' in public.headers["link"]


async def test_favourite_reblog_bookmark_and_back(alice: Person, bela: Person) -> None:
    made = (await alice.post("/api/v1/statuses", json={"status": "Good news"})).json()["id"]
    assert (await bela.post(f"/api/v1/statuses/{made}/favourite")).json()["favourites_count"] == 1
    wrapper = (await bela.post(f"/api/v1/statuses/{made}/reblog")).json()
    assert wrapper["reblog"]["id"] == made
    assert wrapper["reblog"]["reblogs_count"] == 1
    assert (await bela.post(f"/api/v1/statuses/{made}/bookmark")).json()["bookmarked"] is True
    assert [s["id"] for s in (await bela.get("/api/v1/bookmarks")).json()] == [made]
    assert (await bela.post(f"/api/v1/statuses/{made}/unreblog")).json()["reblogs_count"] == 0
    assert (await bela.post(f"/api/v1/statuses/{made}/unfavourite")).json()["favourites_count"] == 0
    kinds = {n["type"] for n in (await alice.get("/api/v1/notifications")).json()}
    assert kinds == set()


async def test_editing_keeps_what_was_said_and_deleting_takes_it_back(alice: Person, bela: Person) -> None:
    made = (await alice.post("/api/v1/statuses", json={"status": "Teh market"})).json()["id"]
    edited = await alice.send("PUT", f"/api/v1/statuses/{made}", json={"status": "The market"})
    assert edited.status == 200, edited.text
    assert "The market" in edited.json()["content"]
    history = (await bela.get(f"/api/v1/statuses/{made}/history")).json()
    assert ["Teh" in h["content"] for h in history] == [True, False]
    gone = await alice.send("DELETE", f"/api/v1/statuses/{made}")
    assert gone.json()["text"] == "The market"
    assert (await bela.get(f"/api/v1/statuses/{made}")).status == 404


async def test_a_direct_post_is_seen_by_those_it_names_only(alice: Person, bela: Person) -> None:
    carol = await settle_in(alice.app, "carol")
    made = (await alice.post("/api/v1/statuses", json={"status": "@bela hush", "visibility": "direct"})).json()["id"]
    assert (await bela.get(f"/api/v1/statuses/{made}")).status == 200
    assert (await carol.get(f"/api/v1/statuses/{made}")).status == 404


async def test_an_idempotency_key_makes_one_post(alice: Person) -> None:
    both = [
        (await alice.post("/api/v1/statuses", json={"status": "Once"}, headers={"Idempotency-Key": "k1"})).json()["id"]
        for _ in range(2)
    ]
    assert both[0] == both[1]


async def test_blocking_hides_both_from_each_other(alice: Person, bela: Person) -> None:
    made = (await alice.post("/api/v1/statuses", json={"status": "Here"})).json()["id"]
    assert (await alice.post(f"/api/v1/accounts/{bela.account.id}/block")).json()["blocking"] is True
    assert (await bela.get(f"/api/v1/statuses/{made}")).status == 404
    assert (await bela.post(f"/api/v1/accounts/{alice.account.id}/follow")).status == 403


async def test_a_card_made_in_a_transaction_does_not_stay_on_the_shelf(alice: Person) -> None:
    made = (await alice.post("/api/v1/statuses", json={"status": "Not committed yet"})).json()
    alice.app.shelf = Shelf()
    assert (await alice.post(f"/api/v1/statuses/{made['id']}/bookmark")).status == 200  # its answer is made in it
    assert alice.app.shelf.card("status", int(made["id"]), 1) is None
    assert (await alice.get(f"/api/v1/statuses/{made['id']}")).status == 200
    assert alice.app.shelf.card("status", int(made["id"]), 1) is not None
