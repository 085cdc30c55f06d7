"""What no one may do here: each illegal statement is tried by raw SQL as the application's role, then its legal twin."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from civic import City, by_privilege, by_rule, refused
from parvis.base.db import Db
from parvis.charter import actions as charter


@pytest.fixture
async def city(
    db: Db, owner: asyncpg.Connection[Any], app_sql: asyncpg.Connection[Any], tmp_path: Path
) -> City:
    made = City(db, owner, app_sql, tmp_path)
    await made.found()
    return made


class People:
    alice: int
    bela: int
    chidi: int
    post: int


@pytest.fixture
async def people(city: City) -> People:
    """Alice and Bela moderate; Chidi has posted."""
    who = People()
    who.alice = await city.person("alice", moderator=True)
    who.bela = await city.person("bela", moderator=True)
    who.chidi = await city.person("chidi")
    who.post = await city.post(who.chidi)
    return who


async def in_days(city: City, days: int) -> dict[str, Any]:
    return {"ends_at": await city.now() + timedelta(days=days)}


async def adopt(city: City, **columns: Any) -> int:
    """A proposal that goes all the way, with four residents; its number."""
    voters = [await city.person(f"voter{n}_{columns.get('article', 'new').replace('.', '_').lower()}") for n in range(4)]
    proposal = await city.proposal(voters[0], **columns)
    await city.support(proposal, *voters[1:])
    await city.turn()
    for voter in voters:
        await city.cast(proposal, voter, 5, 2)
    await city.advance(days=10)
    await city.turn()
    await city.advance(days=5)
    await city.turn()
    assert await city.app.fetchval("SELECT state FROM proposals WHERE id = $1", proposal) == "promulgated"
    return proposal


# --- the ground


async def test_a_decision_without_ground_is_refused(city: City, people: People) -> None:
    with by_rule("exactly_one_ground"):
        await city.decide(people.alice, people.chidi, 1, None)
    assert await city.decide(people.alice, people.chidi, 1, await city.version("II.1"))


async def test_a_decision_with_two_grounds_is_refused(city: City, people: People) -> None:
    order = await city.app.fetchval(
        "INSERT INTO legal_orders (authority, reference, text) VALUES ('Tribunal', '26/1', 'Ordonne.') RETURNING id"
    )
    with by_rule("exactly_one_ground"):
        await city.decide(people.alice, people.chidi, 1, await city.version("II.1"), legal_order_id=order)
    assert await city.decide(people.alice, people.chidi, 1, None, legal_order_id=order)


async def test_a_repealed_article_binds_nobody(city: City, people: People) -> None:
    rule = await city.version("II.1")
    assert await city.decide(people.alice, people.chidi, 1, rule, status_ids=[people.post])
    await city.advance(days=190)  # the provisional articles have lapsed
    with by_rule("article_repealed"):
        await city.decide(people.alice, people.chidi, 1, rule, status_ids=[people.post])


async def test_a_rule_does_not_bind_what_was_done_before_it(city: City, people: People) -> None:
    await adopt(city)
    await city.advance(days=8)
    rule = await city.version("II.5")
    with by_rule("not_in_force_at_the_act"):
        await city.decide(people.alice, people.chidi, 4, rule, status_ids=[people.post])
    later = await city.post(people.chidi)
    assert await city.decide(people.alice, people.chidi, 4, rule, status_ids=[later])
    with by_rule("not_in_force_at_the_act"):
        await city.decide(people.alice, people.chidi, 4, rule, status_ids=[later, people.post])


async def test_a_rule_adopted_but_not_yet_in_force_binds_nobody(city: City, people: People) -> None:
    await adopt(city)
    rule = await city.app.fetchval("SELECT id FROM article_versions WHERE number = 'II.5'")
    later = await city.post(people.chidi)
    with by_rule("not_in_force_at_the_act"):
        await city.decide(people.alice, people.chidi, 4, rule, status_ids=[later])


async def test_a_measure_above_the_articles_ceiling_is_refused(city: City, people: People) -> None:
    rule = await city.version("II.4")
    with by_rule("above_ceiling"):
        await city.decide(people.alice, people.chidi, 4, rule, status_ids=[people.post])
    assert await city.decide(people.alice, people.chidi, 2, rule, status_ids=[people.post])


async def test_the_milder_of_the_two_laws_applies(city: City, people: People) -> None:
    rule = await city.version("II.1")
    await adopt(city, article="II.1", ceiling=2)
    await city.advance(days=8)
    with by_rule("milder_law"):
        await city.decide(people.alice, people.chidi, 4, rule, status_ids=[people.post])
    assert await city.decide(people.alice, people.chidi, 2, rule, status_ids=[people.post])


async def test_a_rule_on_posts_says_nothing_of_procedure_nor_a_procedure_of_posts(city: City, people: People) -> None:
    with by_rule("out_of_scope"):
        await city.decide(people.alice, people.chidi, 0, await city.version("III.1"), status_ids=[people.post])
    assert await city.decide(people.alice, people.chidi, 0, await city.version("II.1"), status_ids=[people.post])


async def test_only_the_targets_own_posts_are_decided_on(city: City, people: People) -> None:
    other = await city.post(people.bela)
    with by_rule("not_their_post"):
        await city.decide(people.alice, people.chidi, 4, await city.version("II.1"), status_ids=[other])
    assert await city.decide(people.alice, people.bela, 4, await city.version("II.1"), status_ids=[other])


# --- who decides, and for how long


async def test_only_moderators_decide_and_never_on_themselves(city: City, people: People) -> None:
    rule = await city.version("II.1")
    with by_rule("not_a_moderator"):
        await city.decide(people.chidi, people.bela, 1, rule)
    with by_rule("own_case"):
        await city.decide(people.alice, people.alice, 1, rule)
    assert await city.decide(people.alice, people.bela, 1, rule)


async def test_nobody_suspends_alone(city: City, people: People) -> None:
    decision = await city.decide(people.alice, people.chidi, 6, await city.version("II.1"), **await in_days(city, 30))
    await city.sign()
    with by_rule("second_moderator_missing"):
        await city.measure(decision)
    confirm = "INSERT INTO decision_confirmations (decision_id, moderator_id) VALUES ($1, $2)"
    with by_rule("took_part"):
        await city.app.execute(confirm, decision, people.alice)
    with by_rule("not_a_moderator"):
        await city.app.execute(confirm, decision, people.chidi)
    await city.app.execute(confirm, decision, people.bela)
    with by_rule("second_moderator_missing"):  # the confirmation waits for its receipt too
        await city.measure(decision)
    await city.sign()
    await city.measure(decision)
    assert await city.app.fetchval("SELECT suspended_at IS NOT NULL FROM accounts WHERE id = $1", people.chidi)


async def test_a_suspension_has_an_end(city: City, people: People) -> None:
    rule = await city.version("II.1")
    with by_rule("no_end"):
        await city.decide(people.alice, people.chidi, 6, rule)
    with by_rule("too_long"):
        await city.decide(people.alice, people.chidi, 6, rule, **await in_days(city, 91))
    with by_rule("end_not_possible"):
        await city.decide(people.alice, people.chidi, 4, rule, status_ids=[people.post], **await in_days(city, 1))
    assert await city.decide(people.alice, people.chidi, 6, rule, **await in_days(city, 90))


@pytest.mark.parametrize(("level", "longest"), [(3, 30), (5, 7), (6, 90)])
async def test_each_rung_has_its_longest_duration(city: City, people: People, level: int, longest: int) -> None:
    rule = await city.version("II.1")
    with by_rule("too_long"):
        await city.decide(people.alice, people.chidi, level, rule, **await in_days(city, longest + 1))
    assert await city.decide(people.alice, people.chidi, level, rule, **await in_days(city, longest))


# --- no receipt, no effect


async def test_no_effect_before_the_public_record_gave_its_receipt(city: City, people: People) -> None:
    decision = await city.decide(people.alice, people.chidi, 4, await city.version("II.1"), status_ids=[people.post])
    with by_rule("no_receipt"):
        await city.measure(decision)
    assert await city.app.fetchval("SELECT removed_at FROM statuses WHERE id = $1", people.post) is None
    await city.sign()
    await city.measure(decision)
    assert await city.app.fetchval("SELECT removed_at FROM statuses WHERE id = $1", people.post) is not None


async def test_no_effect_before_the_reasons_are_delivered(city: City, people: People) -> None:
    decision = await city.decide(people.alice, people.chidi, 1, await city.version("II.1"))
    await city.sign()
    with by_rule("statement_undelivered"):
        await city.app.execute("INSERT INTO measures (decision_id) VALUES ($1)", decision)
    await city.measure(decision)


async def test_a_measure_is_not_lifted_before_its_end_and_ends_then(city: City, people: People) -> None:
    decision = await city.decide(people.alice, people.chidi, 3, await city.version("II.1"), **await in_days(city, 10))
    await city.sign()
    await city.measure(decision)
    lift = "UPDATE measures SET lifted_at = now() WHERE decision_id = $1"
    with by_rule("not_over"):
        await city.app.execute(lift, decision)
    await city.advance(days=10)
    await city.app.execute(lift, decision)
    assert await city.app.fetchval("SELECT limited_at FROM accounts WHERE id = $1", people.chidi) is None


async def test_the_effects_of_measures_are_not_written_directly(city: City, people: People) -> None:
    for statement in (
        "UPDATE statuses SET removed_at = now()", "UPDATE accounts SET suspended_at = now()",
        "UPDATE accounts SET limited_at = now()", "UPDATE statuses SET received_at = '2019-01-01'",
        "UPDATE statuses SET edit_received_at = NULL",
    ):
        with by_privilege():
            await city.app.execute(statement)
    await city.app.execute("UPDATE statuses SET deleted_at = now() WHERE id = $1", people.post)


async def test_an_author_cannot_take_a_label_off(city: City, people: People) -> None:
    decision = await city.decide(people.alice, people.chidi, 2, await city.version("II.4"), status_ids=[people.post])
    await city.sign()
    await city.measure(decision)
    await city.app.execute("UPDATE statuses SET sensitive = false WHERE id = $1", people.post)
    assert await city.app.fetchval("SELECT sensitive FROM statuses WHERE id = $1", people.post)
    assert await city.app.fetchval("SELECT edit_received_at FROM statuses WHERE id = $1", people.post) is None


# --- what is written stays


async def test_a_decision_is_never_rewritten_nor_deleted(city: City, people: People) -> None:
    decision = await city.decide(people.alice, people.chidi, 1, await city.version("II.1"))
    for statement in ("UPDATE decisions SET level = 4", "DELETE FROM decisions", "TRUNCATE decisions CASCADE"):
        with by_privilege():
            await city.app.execute(statement)
    for statement in ("UPDATE decisions SET level = 4", "DELETE FROM decisions"):
        with by_rule("append_only"):
            await city.owner.execute(statement)
    assert await city.app.fetchval("SELECT level FROM decisions WHERE id = $1", decision) == 1


async def test_a_decision_is_not_backdated(city: City, people: People) -> None:
    rule = await city.version("II.1")
    with by_privilege():
        await city.decide(people.alice, people.chidi, 1, rule, decided_at=await city.now() - timedelta(days=3))
    with by_privilege():
        await city.decide(people.alice, people.chidi, 1, rule, act_at=await city.now())
    decision = await city.decide(people.alice, people.chidi, 1, rule)
    assert abs(await city.app.fetchval("SELECT decided_at FROM decisions WHERE id = $1", decision) - await city.now()) \
        < timedelta(minutes=1)


async def test_a_temporary_table_cannot_stand_in_for_the_clock(city: City, people: People) -> None:
    try:
        await city.app.execute("CREATE TEMP TABLE clock_offset (ahead interval)")
    except asyncpg.InsufficientPrivilegeError:
        return  # an embedded server grants no temporary tables at all
    await city.app.execute("INSERT INTO pg_temp.clock_offset VALUES ('400 days')")
    proposal = await city.proposal(people.chidi)
    post = await city.post(people.chidi)
    soon = await city.now() + timedelta(minutes=1)
    assert await city.app.fetchval("SELECT created_at FROM proposals WHERE id = $1", proposal) < soon
    assert await city.app.fetchval("SELECT received_at FROM statuses WHERE id = $1", post) < soon


async def test_the_clock_is_not_the_applications_to_move(city: City) -> None:
    with by_privilege():
        await city.app.execute("INSERT INTO clock_offset (ahead) VALUES ('1 day')")
    await city.advance(days=1)
    with by_privilege():
        await city.app.execute("UPDATE clock_offset SET ahead = '0'")


async def test_triggers_cannot_be_switched_off(city: City) -> None:
    for statement in (
        "ALTER TABLE decisions DISABLE TRIGGER ALL", "ALTER TABLE measures DISABLE TRIGGER measure_begins",
        "DROP TRIGGER decision_stands ON decisions", "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION public.refuse(word text) RETURNS void LANGUAGE sql AS ''",
        "CREATE FUNCTION public.mine() RETURNS void LANGUAGE sql AS ''",
    ):
        with by_privilege():
            await city.app.execute(statement)


# --- appeals


async def test_nobody_decides_on_an_appeal_of_a_decision_they_took_part_in(city: City, people: People) -> None:
    dana = await city.person("dana", moderator=True)
    decision = await city.decide(people.alice, people.chidi, 7, await city.version("II.3"))
    await city.app.execute(
        "INSERT INTO decision_confirmations (decision_id, moderator_id) VALUES ($1, $2)", decision, people.bela)
    with by_rule("not_a_party"):
        await city.app.execute(
            "INSERT INTO appeals (decision_id, account_id, text) VALUES ($1, $2, 'Non.')", decision, dana)
    appeal = await city.app.fetchval(
        "INSERT INTO appeals (decision_id, account_id, text) VALUES ($1, $2, 'Non.') RETURNING id", decision, people.chidi)
    answer = "INSERT INTO appeal_decisions (appeal_id, outcome, reasons, decided_by) VALUES ($1, 'overturn', 'Oui.', $2)"
    for someone in (people.alice, people.bela):
        with by_rule("took_part"):
            await city.app.execute(answer, appeal, someone)
    with by_rule("not_a_moderator"):
        await city.app.execute(answer, appeal, people.chidi)
    await city.app.execute(answer, appeal, dana)
    await city.sign()
    with by_rule("overturned"):
        await city.measure(decision)


async def test_an_appeal_may_be_made_for_six_months_and_no_longer(city: City, people: People) -> None:
    decision = await city.decide(people.alice, people.chidi, 1, await city.version("II.1"))
    reporter = await city.person("emma")
    case = await city.app.fetchval("SELECT case_id FROM decisions WHERE id = $1", decision)
    await city.app.execute(
        "INSERT INTO reports (case_id, account_id, target_id) VALUES ($1, $2, $3)", case, reporter, people.chidi)
    write = "INSERT INTO appeals (decision_id, account_id, text) VALUES ($1, $2, 'Non.')"
    await city.sign()  # whoever is concerned has six months from the day it is on record
    await city.advance(days=179)
    await city.app.execute(write, decision, reporter)
    await city.advance(days=10)
    with by_rule("too_late"):
        await city.app.execute(write, decision, people.chidi)


# --- the charter


async def test_the_charter_is_not_written_by_the_application(city: City) -> None:
    for statement in (
        "INSERT INTO articles (number) VALUES ('II.9')", "UPDATE article_versions SET ceiling = 7",
        "UPDATE article_versions SET in_force = tstzrange(now(), NULL)", "DELETE FROM article_versions",
        "INSERT INTO charter_versions VALUES (1, '\\x00', '\\x00', now(), now(), 1)",
        "UPDATE charter_versions SET in_force_from = now()", "UPDATE measure_kinds SET moderators = 1",
        "INSERT INTO proposal_steps VALUES ('support', 'jump', 'promulgated')", "SELECT charter_found('{}')",
        "SELECT ledger_append('decision', '{}')",
    ):
        with by_privilege():
            await city.app.execute(statement)


async def test_two_versions_of_an_article_are_never_in_force_together(city: City) -> None:
    copy = """INSERT INTO article_versions (number, charter_version, heading, text, scope, ceiling, in_force, provisional)
        SELECT number, 0, heading, text, scope, ceiling, tstzrange({start}, NULL), false
        FROM article_versions WHERE number = 'II.1'"""
    with refused("23P01", "one_version_at_a_time"):
        await city.owner.execute(copy.format(start="now() + interval '1 day'"))
    await city.owner.execute(copy.format(start="upper(in_force)"))


async def test_a_second_founding_is_refused(city: City) -> None:
    with by_rule("charter_exists"):
        await city.found()


async def test_only_residents_propose_support_and_vote(city: City) -> None:
    omar = await city.person("omar", resident=False)
    rosa, sven = await city.person("rosa"), await city.person("sven")
    with by_rule("not_resident"):
        await city.proposal(omar)
    proposal = await city.proposal(rosa)
    with by_rule("not_resident"):
        await city.support(proposal, omar)
    await city.support(proposal, sven)
    await charter.sweep(city.job)
    with by_rule("not_on_the_roll"):
        await city.cast(proposal, omar, 5, 0)
    await city.cast(proposal, rosa, 5, 0)
    await city.advance(minutes=1)
    with by_rule("not_on_the_roll"):
        await city.cast(proposal, await city.person("tara"), 5, 0)  # settled here after the vote had opened


async def test_a_ballot_after_the_close_is_refused(city: City) -> None:
    rosa, sven = await city.person("rosa"), await city.person("sven")
    proposal = await city.proposal(rosa)
    await city.support(proposal, sven)
    await charter.sweep(city.job)
    await city.cast(proposal, rosa, 5, 0)
    with by_rule("box_open"):
        await city.app.fetch("SELECT t.option FROM proposals, ballot_tally(box_id) t")
    with by_privilege():
        await city.app.fetch("SELECT grades FROM ballots")
    await city.advance(days=10)
    with by_rule("box_closed"):
        await city.cast(proposal, sven, 5, 0)
    with by_rule("box_closed"):
        await city.cast(proposal, rosa, 0, 5)
    assert len(await city.app.fetch("SELECT t.option FROM proposals, ballot_tally(box_id) t")) == 2


@pytest.mark.parametrize("grades", ['{"text": 6}', '{"text": -1}', '{"other": 3}', "[]", '{"text": "best"}'])
async def test_a_malformed_ballot_is_refused(city: City, grades: str) -> None:
    rosa, sven = await city.person("rosa"), await city.person("sven")
    proposal = await city.proposal(rosa)
    await city.support(proposal, sven)
    await charter.sweep(city.job)
    write = """INSERT INTO ballots (box_id, voter, question_hash, grades)
        SELECT box_id, $2, {hash}, $3 FROM proposals WHERE id = $1"""
    with by_rule("grades_wrong"):
        await city.app.execute(write.format(hash="question_hash"), proposal, rosa, grades)
    with by_rule("other_question"):
        await city.app.execute(write.format(hash="sha256(question_hash)"), proposal, rosa, '{"text": 3}')
    await city.app.execute(write.format(hash="question_hash"), proposal, rosa, '{"text": 3}')


async def test_nothing_is_promulgated_before_its_time_or_without_majority(city: City) -> None:
    people = [await city.person(name) for name in ("rosa", "sven", "tara", "umut")]
    proposals = [await city.proposal(people[0], title=title) for title in ("Pour", "Contre", "Rien")]
    move = "UPDATE proposals SET state = $2 WHERE id = $1"
    promulgate = "SELECT charter_promulgate($1)"
    for proposal in proposals:
        with by_rule("support_missing"):
            await city.app.execute(move, proposal, "vote")
        await city.support(proposal, *people[1:])
        with by_rule("box_wrong"):
            await city.app.execute(move, proposal, "vote")
        with by_rule("not_now"):
            await city.app.execute(move, proposal, "promulgated")
        with by_rule("not_now"):
            await city.app.execute(promulgate, proposal)
    await city.turn()
    for voter in people[:3]:
        await city.cast(proposals[0], voter, 4, 2)
        await city.cast(proposals[1], voter, 2, 4)
    await city.cast(proposals[2], people[0], 5, 0)
    for proposal in proposals:
        with by_rule("too_early"):
            await city.app.execute(move, proposal, "contest")
        with by_privilege():
            await city.app.execute("UPDATE proposals SET due_at = now() WHERE id = $1", proposal)
    await city.advance(days=10)
    with by_rule("no_majority"):
        await city.app.execute(move, proposals[1], "contest")
    with by_rule("no_quorum"):
        await city.app.execute(move, proposals[2], "contest")
    with by_rule("was_adopted"):
        await city.app.execute(move, proposals[0], "rejected")
    await city.app.execute(move, proposals[0], "contest")
    await city.sign()
    with by_rule("too_early"):
        await city.app.execute(promulgate, proposals[0])
    await city.advance(days=5)
    with by_rule("not_promulgated"):
        await city.app.execute(move, proposals[0], "promulgated")
    assert await city.app.fetchval(promulgate, proposals[0]) == 1
    with by_rule("not_now"):
        await city.app.execute(promulgate, proposals[0])


async def test_a_proposal_does_not_change_once_filed(city: City) -> None:
    rosa = await city.person("rosa")
    proposal = await city.proposal(rosa)
    for column in ("text = 'Autre.'", "support_needed = 0", "ceiling = 7", "question_hash = NULL"):
        with by_privilege():
            await city.app.execute(f"UPDATE proposals SET {column}")
    with by_rule("text_frozen"):
        await city.owner.execute("UPDATE proposals SET text = 'Autre.' WHERE id = $1", proposal)
    with by_privilege():
        await city.app.execute("DELETE FROM proposals")
    await city.app.execute("DELETE FROM proposal_supports WHERE proposal_id = $1", proposal)
