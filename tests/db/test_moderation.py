"""From a report to a measure, and back by an appeal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from civic import City, by_rule
from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.base.db import Db
from parvis.base.errors import Conflict, Forbidden, Invalid, Refused
from parvis.ledger import actions as ledger
from parvis.ledger.model import Article, Ground, Mandate, Order
from parvis.moderation import actions as moderation
from parvis.moderation import queries
from parvis.moderation.model import (
    AppealDecided,
    Appealed,
    Decided,
    DecisionDraft,
    Level,
    MeasureLifted,
    MeasureTaken,
    ReportDraft,
    Reported,
)
from parvis.statuses import actions as statuses
from parvis.statuses.model import Draft


@pytest.fixture
async def city(
    db: Db, owner: asyncpg.Connection[Any], app_sql: asyncpg.Connection[Any], tmp_path: Path
) -> City:
    made = City(db, owner, app_sql, tmp_path)
    await made.found()
    return made


class People:
    def __init__(self, found: list[Account]) -> None:
        self.alice, self.bela, self.chidi, self.dana = found


@pytest.fixture
async def who(city: City) -> People:
    """Alice and Bela moderate, Chidi posts, Dana reports."""
    ids = [await city.person("alice", moderator=True), await city.person("bela", moderator=True),
           await city.person("chidi"), await city.person("dana")]
    async with city.db.read() as r:
        return People(sorted(await accounts.by_ids(r, ids), key=lambda account: account.id))


async def decide(city: City, by: Account, ground: Ground, draft: DecisionDraft) -> int:
    async with city.db.write() as tx:
        return await moderation.decide(tx, by, await moderation.mandate(tx, by, ground), draft)


async def settle(city: City) -> None:
    await city.sign()
    await moderation.execute(city.job)
    await moderation.lift(city.job)


async def test_a_report_becomes_a_measure_and_an_appeal_undoes_it(city: City, who: People) -> None:
    post = await city.post(who.chidi.id)
    rule = await city.version("II.1")
    async with city.db.write() as tx:
        report = await moderation.report(
            tx, who.dana, who.chidi, ReportDraft(status_ids=(post,), comment="Menaces", article_ids=(rule,)))
        again = await moderation.report(tx, who.bela, who.chidi, ReportDraft())
    async with city.db.read() as r:
        found = await queries.report(r, report)
        other = await queries.report(r, again)
        ground = await moderation.ground_for(r, who.chidi.id, report_id=report, status_ids=[post])
    assert found is not None
    assert other is not None
    assert found.case_id == other.case_id
    assert ground == Article(rule)
    facts = "@chidi menace, chidi l’a écrit sur https://example.org/x à bela@example.org"
    draft = DecisionDraft(
        target_id=who.chidi.id, level=Level.removal, status_ids=(post,), facts=facts, case_id=found.case_id)
    decision = await decide(city, who.alice, ground, draft)
    assert await moderation.execute(city.job) == 0  # no receipt yet
    await settle(city)
    async with city.db.read() as r:
        statement = await queries.statement(r, decision)
        entry = (await queries.register(r, None, 10))[0]
        closed = await queries.report(r, report)
        done = await queries.decision(r, decision)
        proof = await ledger.inclusion(r, entry.index)
    assert await city.app.fetchval("SELECT removed_at IS NOT NULL FROM statuses WHERE id = $1", post)
    assert statement is not None
    assert done is not None
    assert statement.ground.startswith("II.1 Respecter les personnes")
    assert "six mois" in statement.redress
    assert statement.delivered_at is not None
    assert done.in_effect_since is not None
    assert statement.delivered_at <= done.in_effect_since
    assert closed is not None
    assert closed.closed_at is not None
    assert (entry.kind, entry.level, entry.measure, entry.article, entry.charter_version) == (
        "decision", 4, "removal", "II.1", 0)
    assert entry.reasons == "[…] menace, […] l’a écrit sur […] à […]"
    assert entry.hash == proof.leaf_hash.hex()
    key = await city.app.fetchval("SELECT subject_key FROM decisions WHERE id = $1", decision)
    assert entry.subject == sha256(key + who.chidi.uri.encode()).hexdigest()

    async with city.db.write() as tx:
        appeal = await moderation.appeal(tx, who.chidi, decision, "Je citais un livre.")
        with pytest.raises(Conflict, match="already_appealed"):
            await moderation.appeal(tx, who.chidi, decision, "Encore.")
    with pytest.raises(Refused, match="took_part"):  # Bela reported it
        async with city.db.write() as tx:
            await moderation.decide_appeal(tx, who.bela, appeal, "overturn", "C’était une citation.")
    emma = await city.person("emma", moderator=True)
    async with city.db.write() as tx:
        (other_moderator,) = await accounts.by_ids(tx, [emma])
        await moderation.decide_appeal(tx, other_moderator, appeal, "overturn", "C’était une citation.")
    await settle(city)
    assert await city.app.fetchval("SELECT removed_at FROM statuses WHERE id = $1", post) is None
    assert [type(event) for event in city.events] == [
        Reported, Reported, Decided, MeasureTaken, Appealed, AppealDecided, MeasureLifted]


async def test_without_a_ground_the_moderator_is_told_the_articles_in_force(city: City, who: People) -> None:
    async with city.db.read() as r:
        with pytest.raises(Refused, match="ground_required") as caught:
            await moderation.ground_for(r, who.chidi.id)
    numbers = [article["number"] for article in caught.value.params["articles"]]  # type: ignore[attr-defined]
    assert numbers == ["II.1", "II.2", "II.3", "II.4"]


async def test_the_ground_is_the_version_in_force_at_the_act(city: City, who: People) -> None:
    rule = await city.version("II.1")
    post = await city.post(who.chidi.id)
    await city.advance(days=1)
    later = await city.owner.fetchval(
        """WITH closed AS (UPDATE article_versions SET in_force = in_force * tstzrange(NULL, parvis_now())
               WHERE id = $1 RETURNING number)
           SELECT number FROM closed""", rule,
    )
    newer = await city.owner.fetchval(
        """INSERT INTO article_versions (number, charter_version, heading, text, scope, ceiling, in_force, provisional)
           VALUES ($1, 0, 'Autre', 'Autre.', 'everything', 6, tstzrange(parvis_now(), NULL), false) RETURNING id""", later,
    )
    async with city.db.read() as r:
        assert await moderation.ground_for(r, who.chidi.id, article_ids=[newer], status_ids=[post]) == Article(rule)
        fresh = await city.post(who.chidi.id)
        assert await moderation.ground_for(r, who.chidi.id, article_ids=[rule], status_ids=[fresh]) == Article(newer)


async def test_a_mandate_is_for_a_moderator_and_for_one_ground(city: City, who: People) -> None:
    ground = Article(await city.version("II.1"))
    draft = DecisionDraft(target_id=who.chidi.id, level=Level.warning, facts="Vu.")
    with pytest.raises(Forbidden, match="not_a_moderator"):
        await decide(city, who.dana, ground, draft)
    async with city.db.write() as tx:
        with pytest.raises(Forbidden, match="no_mandate"):
            await moderation.decide(tx, who.bela, await moderation.mandate(tx, who.alice, ground), draft)
        with pytest.raises(Invalid):
            await moderation.decide(
                tx, who.alice, Mandate("decide", ground, who.alice.id),
                DecisionDraft(target_id=who.chidi.id, level=Level.warning, facts=" "))


async def test_a_suspension_waits_for_the_second_moderator_and_ends_by_itself(city: City, who: People) -> None:
    draft = DecisionDraft(
        target_id=who.chidi.id, level=Level.suspension, facts="Vu.", ends_at=await city.now() + timedelta(days=10))
    decision = await decide(city, who.alice, Article(await city.version("II.1")), draft)
    await settle(city)
    suspended = "SELECT suspended_at IS NOT NULL FROM accounts WHERE id = $1"
    assert not await city.app.fetchval(suspended, who.chidi.id)
    async with city.db.read() as r:
        assert [one.id for one in await queries.waiting_for_second(r)] == [decision]
    async with city.db.write() as tx:
        await moderation.confirm(tx, who.bela, decision)
    with pytest.raises(Conflict):
        async with city.db.write() as tx:
            await moderation.confirm(tx, who.bela, decision)
    await settle(city)
    assert await city.app.fetchval(suspended, who.chidi.id)
    await city.advance(days=10)
    await settle(city)
    assert not await city.app.fetchval(suspended, who.chidi.id)


async def test_an_order_of_the_law_is_a_ground_of_its_own(city: City, who: People) -> None:
    post = await city.post(who.chidi.id)
    order = Order("Tribunal judiciaire de Paris", "26/00001", "Retirer la publication.")
    draft = DecisionDraft(target_id=who.chidi.id, level=Level.removal, status_ids=(post,), facts="Ordonné.")
    await decide(city, who.alice, order, draft)
    await settle(city)
    async with city.db.read() as r:
        entry = (await queries.register(r, None, 1))[0]
    assert (entry.article, entry.authority, entry.level) == (None, order.authority, 4)
    assert await city.app.fetchval("SELECT removed_at IS NOT NULL FROM statuses WHERE id = $1", post)


async def test_a_freeze_stops_posts_and_thaws(city: City, who: People) -> None:
    draft = DecisionDraft(
        target_id=who.chidi.id, level=Level.posting_freeze, facts="Vu.", ends_at=await city.now() + timedelta(days=7))
    await decide(city, who.alice, Article(await city.version("II.3")), draft)
    await settle(city)
    with by_rule("posting_frozen"):
        await city.post(who.chidi.id)
    said = await city.post(who.dana.id)
    with by_rule("posting_frozen"):
        await pass_on(city, who.chidi.id, said)
    with pytest.raises(Refused) as refused:
        async with city.db.write() as tx:
            await statuses.publish(tx, who.chidi, Draft(content="<p>x</p>", text="x", visibility="public"))
    assert refused.value.word == "posting_frozen"
    assert datetime.fromisoformat(str(refused.value.params["until"])) == draft.ends_at
    await city.advance(days=7)
    assert await city.post(who.chidi.id)
    await pass_on(city, who.chidi.id, said)


async def pass_on(city: City, by: int, said: int) -> None:
    await city.app.execute(
        """INSERT INTO statuses (account_id, uri, local, visibility, conversation_id, reblog_of_id)
           VALUES ($1, gen_random_uuid()::text, true, 'public', 1, $2)""", by, said)


async def test_a_label_ends_as_its_author_had_it(city: City, who: People) -> None:
    plain, marked = await city.post(who.chidi.id), await city.post(who.chidi.id)
    await city.app.execute("UPDATE statuses SET sensitive = true WHERE id = $1", marked)
    draft = DecisionDraft(target_id=who.chidi.id, level=Level.label, status_ids=(plain, marked), facts="Vu.")
    decision = await decide(city, who.alice, Article(await city.version("II.4")), draft)
    await settle(city)
    both = "SELECT array_agg(sensitive ORDER BY id) FROM statuses"
    assert await city.app.fetchval(both) == [True, True]
    async with city.db.write() as tx:
        appeal = await moderation.appeal(tx, who.chidi, decision, "Non.")
        await moderation.decide_appeal(tx, who.bela, appeal, "overturn", "Oui.")
    await settle(city)
    assert await city.app.fetchval(both) == [False, True]


async def test_no_action_is_a_decision_too_and_has_no_effect(city: City, who: People) -> None:
    draft = DecisionDraft(target_id=who.chidi.id, level=Level.none, facts="Rien à reprocher.")
    await decide(city, who.alice, Article(await city.version("II.1")), draft)
    await settle(city)
    assert await city.app.fetchval("SELECT count(*) FROM measures") == 0
    entry = json.loads(await city.app.fetchval("SELECT convert_from(data, 'UTF8') FROM ledger_leaves WHERE kind = 'decision'"))
    assert entry["measure"] == "none"


async def test_a_report_is_about_someone_else_and_their_posts(city: City, who: People) -> None:
    mine = await city.post(who.dana.id)
    for by, target, draft, problem in (
        (who.dana, who.dana, ReportDraft(), Forbidden), (who.dana, who.chidi, ReportDraft(category="rude"), Invalid),
        (who.dana, who.chidi, ReportDraft(comment="x" * 1001), Invalid),
        (who.dana, who.chidi, ReportDraft(status_ids=(mine,)), Refused),
        (who.dana, who.chidi, ReportDraft(article_ids=(1,)), Invalid),
    ):
        with pytest.raises(problem):
            async with city.db.write() as tx:
                await moderation.report(tx, by, target, draft)


async def test_sql_and_python_know_the_same_ladder(city: City) -> None:
    rows = await city.app.fetch("SELECT level, word FROM measure_kinds")
    assert {row["level"]: row["word"] for row in rows} == {level.value: level.name for level in Level}
