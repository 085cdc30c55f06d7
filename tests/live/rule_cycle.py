"""The rule cycle, end to end: no article, no measure; and no administrator's token changes a rule."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import asyncpg
from stage import City, Failed, Person, cities, must, play, step, within

from parvis.charter import actions as charter

SMALL = {
    "support_least = 50, support_percent = 1": "support_least = 3, support_percent = 0",
    "quorum_least = 150, quorum_percent = 5": "quorum_least = 3, quorum_percent = 0",
}
RULE = {"title": "Pas de feux d’artifice", "text": "On n’organise pas ici de tirs de feux d’artifice.", "ceiling": 4, "scope": "posts"}
BALLOTS = (("tres_bien", "insuffisant"), ("bien", "passable"), ("assez_bien", "a_rejeter"), ("a_rejeter", "bien"))
DECISION = """INSERT INTO decisions (case_id, target_id, status_ids, level, article_version_id, facts, decided_by)
    VALUES ($1, $2, $3, 4, $4, 'feux d’artifice', $5)"""


def scenario(folder: Path) -> None:
    """Four residents, a moderator who is none, and hugo, who writes about fireworks."""
    text = charter.provisional()
    for before, after in SMALL.items():
        must(before in text, f"the provisional charter no longer says {before!r}")
        text = text.replace(before, after)
    (folder / "charter.toml").write_text(text)
    with cities(City(folder / "city", None, "--charter", str(folder / "charter.toml"))) as (city,):
        residents = [city.person(name, district="11") for name in ("amina", "bela", "chloe", "diego")]
        hugo, farid = city.person("hugo"), city.person("farid", role="moderator")
        step("four residents, hugo and a moderator have settled")
        old = hugo.post("/api/v1/statuses", status="Feux d’artifice ce soir sur le quai !")
        report = residents[0].post("/api/v1/reports", account_id=hugo.id, status_ids=[old["id"]], comment="Trop de bruit.")
        step("hugo posts, amina reports it")

        said = remove(farid, hugo, old, report=report["id"], code=422)
        must(said["error"] and said["articles"], "the refusal does not list the articles in force")
        step(f"before the vote, the API refuses a removal: 422, {len(said['articles'])} articles to choose from")
        sql(city, farid, hugo, old, None)

        number = vote(city, residents, farid)
        law = articles(city, residents[0])[-1]
        must(law["heading"] == RULE["title"], f"the newest article is {law['number']} {law['heading']}")
        step(f"promulgated by itself as {law['number']}, in force from {law['in_force_from']} (proposal {number})")
        remove(farid, hugo, old, article=law["id"], code=422)
        step("before its date, the API refuses a removal under it: 422")
        sql(city, farid, hugo, old, law["id"])

        city.run("clock", "advance", "8d")
        rules = residents[0].get("/api/v1/instance/rules")
        must(any(RULE["title"] in rule["text"] for rule in rules), "the rule is not in /api/v1/instance/rules")
        step("eight days later it is in force, and in /api/v1/instance/rules")
        remove(farid, hugo, old, article=law["id"], code=422)
        step("for the post received before, the API refuses it still: 422")
        sql(city, farid, hugo, old, law["id"])
        effect(city, farid, hugo, residents[0], law)


def remove(by: Person, target: Person, post: dict[str, Any], *, code: int = 200, article: str | None = None,
           report: str | None = None) -> Any:
    """A moderator decides to remove a post."""
    fields: dict[str, Any] = {"type": "delete", "status_ids": [post["id"]], "text": "feux d’artifice"}
    fields |= {"article_ids": [article]} if article else {}
    fields |= {"report_id": report} if report else {}
    return by.ask("POST", f"/api/v1/admin/accounts/{target.id}/action", code, **fields)


def sql(city: City, by: Person, target: Person, post: dict[str, Any], article: str | None) -> None:
    """The same decision as raw SQL by the application's role; it must be refused."""

    async def tried() -> str:
        connection = await asyncpg.connect(city.run("database", "url", "--role", "app"))
        try:
            case = await connection.fetchval("SELECT id FROM cases WHERE target_id = $1", int(target.id))
            await connection.execute(
                DECISION, case, int(target.id), [int(post["id"])], int(article) if article else None, int(by.id)
            )
        except asyncpg.PostgresError as error:
            return str(error).splitlines()[0]
        finally:
            await connection.close()
        raise Failed("raw SQL wrote an illegal decision")

    step(f"and raw SQL is refused: {asyncio.run(tried())}")


def vote(city: City, residents: list[Person], moderator: Person) -> str:
    """Propose, support, vote, contest, promulgate."""
    moderator.ask("POST", "/api/v1/charter/proposals", 422, **RULE)
    step("the moderator, who is no resident, may not propose: 422")
    proposal = residents[0].post("/api/v1/charter/proposals", **RULE)
    path = f"/api/v1/charter/proposals/{proposal['id']}"
    for resident in residents[1:3]:
        resident.post(f"{path}/support")
    within(10, "three supports open the vote", lambda: state(residents[0], path) == "vote")
    for resident, (text, status_quo) in zip(residents, BALLOTS, strict=True):
        resident.post(f"{path}/ballot", grades={"text": text, "status_quo": status_quo})
    must(residents[0].get(path)["tally"] is None, "a tally is shown before the close")
    step("four ballots are cast; nobody sees a tally")
    city.run("clock", "advance", "10d")
    within(10, "ten days later the text is adopted", lambda: state(residents[0], path) == "contest")
    tally = residents[0].get(path)["tally"]
    must(tally["adopted"] and tally["voters"] == 4, f"the tally is {tally}")
    city.run("clock", "advance", "5d")
    within(10, "five days later it is promulgated", lambda: state(residents[0], path) == "promulgated")
    return str(proposal["id"])


def state(person: Person, path: str) -> str:
    """Where a proposal stands."""
    return str(person.get(path)["state"])


def articles(city: City, person: Person) -> list[dict[str, Any]]:
    """The articles of Title II by their number, those not yet in force too."""
    found = []
    for position in range(1, 50):
        answer = person.http.get(
            f"{city.origin}/api/v1/charter/articles/II.{position}", params={"at": "2099-01-01T00:00:00Z"}, timeout=30
        )
        if answer.status_code == 200:
            found.append(answer.json())
    return found


def effect(city: City, moderator: Person, author: Person, reader: Person, law: dict[str, Any]) -> None:
    """A post after the date: decided, explained, recorded, removed."""
    new = author.post("/api/v1/statuses", status="Encore des feux d’artifice, demain !")
    decision = remove(moderator, author, new, article=law["id"])
    within(10, "a new post is removed under it", lambda: reader.http.get(
        f"{city.origin}/api/v1/statuses/{new['id']}", timeout=30).status_code == 404)
    statement = author.get(f"/api/v1/decisions/{decision['id']}/statement")
    must(law["number"] in statement["ground"] and statement["delivered_at"], f"the statement says {statement}")
    step("its author has the statement of reasons")
    within(10, "the register has the decision, signed", lambda: any(
        entry["kind"] == "decision" and entry["article"] == law["number"] and entry["signed"]
        for entry in reader.get("/api/v1/register")["entries"]))
    step(city.run("ledger", "verify"))


if __name__ == "__main__":
    sys.exit(play("the rule cycle", scenario))
