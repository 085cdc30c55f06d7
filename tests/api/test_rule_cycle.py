"""From a proposal to a removed post, through the API, the clock moved by its owner; no administrator anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from conftest import Client, Person, settle_in
from parvis.access import queries as users
from parvis.app import App
from parvis.base import mail
from parvis.charter import actions as charter
from parvis.ledger import actions as ledger
from parvis.moderation import actions as moderation
from parvis.moderation import reactions as measures
from parvis.moderation.model import Decided
from parvis.residency import actions as residency


async def found(owner: asyncpg.Connection[Any]) -> None:
    text = charter.provisional()
    await owner.execute("SELECT charter_found($1::jsonb)", msgspec.json.encode(charter.document(text)).decode())


async def advance(app: App, owner: asyncpg.Connection[Any], days: float) -> None:
    await owner.execute(
        "INSERT INTO clock_offset (ahead) VALUES ($1) ON CONFLICT (one) DO UPDATE SET ahead = clock_offset.ahead + $1",
        timedelta(days=days),
    )
    app.clock.offset += timedelta(days=days)
    await turn(app)


async def turn(app: App) -> None:
    for _ in range(3):
        await charter.sweep(app.job)
        await ledger.sequence(app.job)
        await moderation.execute(app.job)
        await moderation.lift(app.job)


async def residents(app: App, count: int) -> list[Person]:
    made = [await settle_in(app, f"resident{number}") for number in range(count)]
    async with app.db.write() as tx:
        for person in made:
            await residency.attest(tx, person.account.id, "11", tx.now + timedelta(days=365))
    return made


async def enact(app: App, owner: asyncpg.Connection[Any], people: list[Person]) -> dict[str, Any]:
    """Propose, support, vote, wait: the article in force."""
    made = await people[0].post("/api/v1/charter/proposals", json={
        "title": "Pas de bruit", "text": "Nul ne publie d'annonces bruyantes.", "ceiling": 4, "scope": "posts",
    })
    assert made.status == 200, made.text
    proposal = made.json()["id"]
    for person in people[1:]:
        await person.post(f"/api/v1/charter/proposals/{proposal}/support")
    await turn(app)
    for person in people:
        cast = await person.post(f"/api/v1/charter/proposals/{proposal}/ballot", json={
            "grades": {"text": "bien", "status_quo": "passable"},
        })
        if cast.status != 200:
            return cast.json()
    await advance(app, owner, 40)
    await advance(app, owner, 40)
    await advance(app, owner, 40)
    return (await people[0].get(f"/api/v1/charter/proposals/{proposal}")).json()


SHORT = {"support_least": 3, "quorum_least": 3}


async def found_small(owner: asyncpg.Connection[Any]) -> None:
    """The provisional charter for a village: three supporters, a quorum of three."""
    document = charter.document(charter.provisional())
    for article in document["articles"]:
        for name, value in SHORT.items():
            if name in article.get("parameters", {}):
                article["parameters"][name] = value
    await owner.execute("SELECT charter_found($1::jsonb)", msgspec.json.encode(document).decode())


async def test_a_rule_voted_by_residents_binds_moderators_from_its_date(
    app: App, owner: asyncpg.Connection[Any], mona: Person, alice: Person
) -> None:
    await found_small(owner)
    people = await residents(app, 5)
    early = (await alice.post("/api/v1/statuses", json={"status": "BUY NOW, loudly"})).json()["id"]
    act = f"/api/v1/admin/accounts/{alice.account.id}/action"
    before = await mona.post(act, json={"type": "delete", "status_ids": [early], "text": "Noise."})
    assert before.status == 422
    assert before.json()["articles"], before.text

    proposal = await enact(app, owner, people)
    assert proposal["state"] == "promulgated", proposal
    assert proposal["tally"]["adopted"] is True
    rules = (await Client(app).get("/api/v1/instance/rules")).json()
    article = next(rule for rule in rules if "bruyantes" in rule["text"])

    late = (await alice.post("/api/v1/statuses", json={"status": "BUY AGAIN, loudly"})).json()["id"]
    refused = await mona.post(act, json={"type": "delete", "status_ids": [early], "text": "Noise.", "article_ids": [article["id"]]})
    assert refused.status == 422, refused.text
    accepted = await mona.post(act, json={"type": "delete", "status_ids": [late], "text": "Noise.", "article_ids": [article["id"]]})
    assert accepted.status == 200, accepted.text
    assert (await Client(app).get(f"/api/v1/statuses/{late}")).status == 200  # no receipt, no effect
    await turn(app)
    assert (await Client(app).get(f"/api/v1/statuses/{late}")).status == 404
    assert (await Client(app).get(f"/api/v1/statuses/{early}")).status == 200

    told = (await alice.get("/api/v1/notifications?types[]=moderation_warning")).json()
    assert told[0]["moderation_warning"]["action"] == "delete_statuses"
    statement = (await alice.get(f"/api/v1/decisions/{accepted.json()['id']}/statement")).json()
    assert statement["facts"] == "Noise."
    register = (await Client(app).get("/api/v1/register")).json()
    entry = next(row for row in register["entries"] if row["kind"] == "decision")
    assert "alice" not in str(entry)
    proof = (await Client(app).get(f"/api/v1/register/{entry['index']}")).json()["proof"]
    assert proof["size"] >= entry["index"] + 1
    async with app.db.read() as r:
        assert await ledger.verify(r, ledger.signing_key(app.settings).public_key(), app.settings.domain) == []


async def test_the_statement_of_reasons_goes_out_by_letter(
    app: App, owner: asyncpg.Connection[Any], mona: Person, alice: Person
) -> None:
    await found(owner)
    made = (await alice.post("/api/v1/statuses", json={"status": "Something"})).json()["id"]
    articles = (await alice.get("/api/v1/instance/rules")).json()
    assert articles
    for rule in articles:
        answer = await mona.post(f"/api/v1/admin/accounts/{alice.account.id}/action", json={
            "type": "warn", "status_ids": [made], "text": "Please read the charter.", "article_ids": [rule["id"]],
        })
        if answer.status == 200:
            break
    assert answer.status == 200, answer.text
    await measures.send_statement(app.job, Decided(int(answer.json()["id"]), alice.account.id, 1))
    letters = [path.read_text() for path in app.settings.mails.glob("*.eml")]
    assert len(letters) == 1
    assert "alice@example.org" in letters[0]
    assert mail.city(app.settings)["origin"] in letters[0].replace("=\n", "")


async def test_a_resident_only_may_propose_and_a_moderator_only_may_decide(app: App, owner: asyncpg.Connection[Any], alice: Person) -> None:
    await found_small(owner)
    refused = await alice.post("/api/v1/charter/proposals", json={"title": "T", "text": "Texte", "ceiling": 1, "scope": "posts"})
    assert refused.status == 422
    assert refused.json()["rule"]
    answer = await alice.post(f"/api/v1/admin/accounts/{alice.account.id}/action", json={"type": "warn", "text": "x"})
    assert answer.status == 403
    async with app.db.read() as r:
        assert await users.user(r, alice.account.id) is not None
