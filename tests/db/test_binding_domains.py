"""What may not be done about other servers, or to end a measure, by raw SQL with the application's password."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from civic import City, by_privilege, by_rule, refused
from parvis.base.db import Db

LIFT = "INSERT INTO liftings (decision_id, domain_decision_id, reasons, decided_by) VALUES ($1, $2, 'Enough.', $3)"
CONFIRM = "INSERT INTO domain_confirmations (decision_id, moderator_id) VALUES ($1, $2)"
BEGIN = "INSERT INTO domain_measures (decision_id) VALUES ($1)"
END = "UPDATE domain_measures SET lifted_at = now() WHERE decision_id = $1"


@pytest.fixture
async def city(
    db: Db, owner: asyncpg.Connection[Any], app_sql: asyncpg.Connection[Any], tmp_path: Path
) -> City:
    made = City(db, owner, app_sql, tmp_path)
    await made.found()
    await owner.execute("INSERT INTO city (origin, handle_domain, dev) VALUES ('https://home.example', 'home.example', false)"
                        " ON CONFLICT (one) DO UPDATE SET origin = EXCLUDED.origin, handle_domain = EXCLUDED.handle_domain")
    return made


async def stranger(city: City, name: str = "stan", domain: str = "bad.example") -> int:
    made: int = await city.app.fetchval(
        "INSERT INTO accounts (username, domain, uri, url) VALUES ($1, $2, 'https://' || $2 || '/' || $1, '') RETURNING id",
        name, domain)
    return made


async def block(city: City, by: int, article: int | None, **other: Any) -> int:
    columns = {
        "domain": "bad.example", "severity": "suspend", "level": 6, "reject_media": False, "reject_reports": False,
        "article_version_id": article, "facts": "What was seen.", "decided_by": by,
        "ends_at": await city.now() + timedelta(days=30), **other,
    }
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    made: int = await city.app.fetchval(
        f"INSERT INTO domain_decisions ({', '.join(columns)}) VALUES ({places}) RETURNING id", *columns.values())
    return made


async def state(city: City, account: int) -> tuple[bool, bool]:
    row = await city.app.fetchrow("SELECT suspended_at IS NOT NULL, limited_at IS NOT NULL FROM accounts WHERE id = $1", account)
    assert row is not None
    return row[0], row[1]


async def test_a_decision_about_a_server_stands_on_the_same_feet_as_any(city: City) -> None:
    alice, chidi = await city.person("alice", moderator=True), await city.person("chidi")
    await stranger(city)
    rule, mild = await city.version("II.1"), await city.version("II.4")
    with by_rule("exactly_one_ground"):
        await block(city, alice, None)
    with by_rule("not_a_moderator"):
        await block(city, chidi, rule)
    with by_rule("above_ceiling"):
        await block(city, alice, mild)
    with by_rule("above_ceiling"):
        await block(city, alice, rule, level=7, ends_at=None)
    with by_rule("no_end"):
        await block(city, alice, rule, ends_at=None)
    with by_rule("too_long"):
        await block(city, alice, rule, ends_at=await city.now() + timedelta(days=91))
    with by_rule("own_city"):
        await block(city, alice, rule, domain="home.example")
    with refused("23514", "level_of_severity"):  # a severe deed under a mild level
        await block(city, alice, rule, level=3)
    with by_rule("not_their_post"):
        await block(city, alice, rule, status_ids=[await city.post(chidi)])
    first = await block(city, alice, rule)
    with by_rule("other_block"):
        await block(city, alice, rule, domain="other.example", block_id=first)
    with by_privilege():
        await block(city, alice, rule, leaf_id=1)
    for statement in ("UPDATE domain_decisions SET domain = 'x.example'", "DELETE FROM domain_decisions"):
        with by_privilege():
            await city.app.execute(statement)
    await city.advance(days=190)  # the provisional articles have lapsed
    with by_rule("article_repealed"):
        await block(city, alice, rule)


async def test_every_decision_about_a_server_is_looked_at_again_within_a_year(city: City) -> None:
    alice, rule = await city.person("alice", moderator=True), await city.version("II.1")
    await stranger(city)
    now = await city.now()

    async def review(**other: Any) -> Any:
        return await city.app.fetchval("SELECT review_at FROM domain_decisions WHERE id = $1", await block(city, alice, rule, **other))

    lasting: dict[str, Any] = {"severity": "noop", "level": 1, "ends_at": None}
    assert timedelta(days=364) < await review(**lasting) - now < timedelta(days=367)
    assert await review(**lasting, review_at=now + timedelta(days=30)) == now + timedelta(days=30)
    assert await review(ends_at=now + timedelta(days=40)) == now + timedelta(days=40)
    assert await review(ends_at=now + timedelta(days=40), review_at=now + timedelta(days=20)) == now + timedelta(days=20)
    for wrong in (timedelta(days=400), timedelta(days=-1)):
        with by_rule("review_out_of_range"):
            await block(city, alice, rule, **lasting, review_at=now + wrong)
    await city.owner.execute("UPDATE article_versions SET parameters = parameters || '{\"review_longest\": \"2 months\"}' WHERE number = 'I.6'")
    assert timedelta(days=55) < await review(**lasting) - now < timedelta(days=63)
    with by_rule("review_out_of_range"):
        await block(city, alice, rule, **lasting, review_at=now + timedelta(days=100))


async def test_a_review_is_due_on_its_day_and_not_before_and_the_record_says_so(city: City) -> None:
    alice, rule = await city.person("alice", moderator=True), await city.version("II.1")
    await stranger(city)
    made = await block(city, alice, rule, severity="noop", level=1, ends_at=None, review_at=await city.now() + timedelta(days=5))
    remind = "INSERT INTO review_reminders (decision_id) VALUES ($1)"
    await city.advance(days=6)
    with by_rule("review_not_due"):  # it never took effect
        await city.app.execute(remind, made)
    later = await block(city, alice, rule, severity="noop", level=1, ends_at=None, review_at=await city.now() + timedelta(days=5))
    await city.sign()
    await city.app.execute(BEGIN, later)
    with by_rule("review_not_due"):
        await city.app.execute(remind, later)
    await city.advance(days=6)
    await city.app.execute(remind, later)
    told = await city.app.fetchval("SELECT convert_from(data, 'UTF8') FROM ledger_leaves WHERE kind = 'domain' ORDER BY id DESC LIMIT 1")
    assert ('"review_due": true' in told, "bad.example" in told) == (True, False)
    with refused("23505"):
        await city.app.execute(remind, later)
    for statement in ("UPDATE review_reminders SET reminded_at = now()", "DELETE FROM review_reminders"):
        with by_privilege():
            await city.app.execute(statement)


async def test_a_server_is_kept_out_only_by_record_and_second_moderator(city: City) -> None:
    alice, bela = await city.person("alice", moderator=True), await city.person("bela", moderator=True)
    dana, stan = await city.person("dana"), await stranger(city)
    below = await stranger(city, "sub", "a.bad.example")
    near = await stranger(city, "near", "notbad.example")
    decision = await block(city, alice, await city.version("II.1"))
    with by_rule("no_receipt"):
        await city.app.execute(BEGIN, decision)
    await city.sign()
    with by_rule("second_moderator_missing"):
        await city.app.execute(BEGIN, decision)
    for who, word in ((alice, "took_part"), (dana, "not_a_moderator")):
        with by_rule(word):
            await city.app.execute(CONFIRM, decision, who)
    await city.app.execute(CONFIRM, decision, bela)
    with by_rule("second_moderator_missing"):  # the confirmation has no receipt
        await city.app.execute(BEGIN, decision)
    await city.sign()
    for column in ("suspended_at", "limited_at"):
        with by_privilege():
            await city.app.execute(f"UPDATE accounts SET {column} = now() WHERE id = $1", stan)
    with by_privilege():
        await city.app.execute("INSERT INTO domain_measures (decision_id, severity, domain) VALUES ($1, 'suspend', 'x')", decision)
    assert await state(city, stan) == (False, False)
    await city.app.execute(BEGIN, decision)
    assert [await state(city, one) for one in (stan, below, near)] == [(True, False), (True, False), (False, False)]
    assert await state(city, await stranger(city, "later")) == (True, False)
    with by_rule("not_over"):
        await city.app.execute(END, decision)
    for statement in ("UPDATE domain_measures SET severity = 'noop'", "UPDATE domain_measures SET ends_at = now()",
                      "DELETE FROM domain_measures"):
        with by_privilege():
            await city.app.execute(statement)
    await city.advance(days=31)
    await city.app.execute(END, decision)
    assert [await state(city, one) for one in (stan, below)] == [(False, False)] * 2
    with by_rule("over"):  # what is over does not begin again
        await city.app.execute(BEGIN, decision)


async def test_a_measure_on_a_person_outlasts_that_on_their_server(city: City) -> None:
    alice, bela, stan = await city.person("alice", moderator=True), await city.person("bela", moderator=True), await stranger(city)
    rule = await city.version("II.1")
    person = await city.decide(alice, stan, 3, rule, ends_at=await city.now() + timedelta(days=20))
    server = await block(city, alice, rule, severity="silence", level=3, ends_at=await city.now() + timedelta(days=10))
    await city.sign()
    await city.measure(person)
    await city.app.execute(BEGIN, server)
    await city.app.execute(LIFT, None, server, bela)
    await city.sign()
    await city.app.execute(END, server)
    assert await state(city, stan) == (False, True)


async def test_a_measure_ends_early_only_by_a_recorded_decision_with_reasons(city: City) -> None:
    alice, chidi = await city.person("alice", moderator=True), await city.person("chidi")
    decision = await city.decide(alice, chidi, 3, await city.version("II.1"), ends_at=await city.now() + timedelta(days=20))
    with by_rule("nothing_to_lift"):
        await city.app.execute(LIFT, decision, None, alice)
    await city.sign()
    await city.measure(decision)
    for who in (chidi, await city.person("dana")):
        with by_rule("not_a_moderator"):
            await city.app.execute(LIFT, decision, None, who)
    with refused("23514"):
        await city.app.execute(LIFT.replace("Enough.", ""), decision, None, alice)
    with by_rule("exactly_one_decision"):
        await city.app.execute(LIFT, None, None, alice)
    end = "UPDATE measures SET lifted_at = now() WHERE decision_id = $1"
    await city.app.execute(LIFT, decision, None, alice)
    with by_rule("not_over"):  # the record has not got it yet
        await city.app.execute(end, decision)
    await city.sign()
    await city.app.execute(end, decision)
    assert await state(city, chidi) == (False, False)
    for statement in ("UPDATE liftings SET reasons = 'x'", "DELETE FROM liftings"):
        with by_privilege():
            await city.app.execute(statement)
    with by_rule("kind_reserved"):
        await city.app.execute("""SELECT ledger_record('lifting', '{"decision": 1}')""")


async def test_nobody_lifts_what_is_on_themselves(city: City) -> None:
    alice, mia = await city.person("alice", moderator=True), await city.person("mia", moderator=True)
    decision = await city.decide(alice, mia, 3, await city.version("II.1"), ends_at=await city.now() + timedelta(days=20))
    await city.sign()
    await city.measure(decision)
    with by_rule("own_case"):
        await city.app.execute(LIFT, decision, None, mia)


async def test_a_report_joins_no_case_of_others(city: City) -> None:
    chidi, dana = await city.person("chidi"), await city.person("dana")
    case, other = await city.case(chidi), await city.case(dana)
    report = await city.app.fetchval(
        "INSERT INTO reports (case_id, account_id, target_id) VALUES ($1, $2, $3) RETURNING id", case, dana, chidi)
    with by_rule("other_case"):
        await city.app.execute("INSERT INTO report_handling (report_id, case_id) VALUES ($1, $2)", report, other)
    await city.app.execute("INSERT INTO report_handling (report_id) VALUES ($1)", report)
    with by_rule("other_case"):
        await city.app.execute("UPDATE report_handling SET case_id = $2 WHERE report_id = $1", report, other)


async def test_only_a_moderator_guards_the_doors(city: City) -> None:
    alice, dana = await city.person("alice", moderator=True), await city.person("dana")
    insert = "INSERT INTO ip_blocks (ip, severity, comment, account_id) VALUES ('192.0.2.0/24', 'no_access', 'Bots', $1)"
    with by_rule("not_a_moderator"):
        await city.app.execute(insert, dana)
    await city.app.execute(insert, alice)
    told = await city.app.fetchval("SELECT convert_from(data, 'UTF8') FROM ledger_leaves WHERE kind = 'protection'")
    assert '"standing": 1' in told
    assert "192.0.2" not in told


async def test_what_a_measure_suspends_and_what_lists_propose_is_nobodys_to_write(city: City) -> None:
    mona, stan = await city.person("mona", moderator=True), await stranger(city)
    list_id = await city.app.fetchval("INSERT INTO shared_lists (name) VALUES ('Neighbours') RETURNING id")
    proposal = await city.app.fetchval(
        """INSERT INTO domain_proposals (list_id, domain, severity, reject_media, reject_reports, comment)
           VALUES ($1, 'bad.example', 'suspend', false, false, '') RETURNING id""", list_id)
    for statement in (
        "INSERT INTO suspended_follows SELECT * FROM suspended_follows", "UPDATE suspended_follows SET accepted = true",
        "INSERT INTO cut_ties SELECT * FROM cut_ties", "DELETE FROM cut_ties", "DELETE FROM shared_lists", "DELETE FROM domain_proposals",
        "UPDATE domain_proposals SET severity = 'noop'", "UPDATE accounts SET files_refused = true", "UPDATE allow_list SET since = now()",
        f"SELECT suspend_follows({proposal}, 'bad.example')", f"SELECT restore_follows({proposal}, 'bad.example')",
    ):
        with by_privilege():
            await city.app.execute(statement)
    answer = "UPDATE domain_proposals SET settled_at = now(), settled_by = $2, reasons = 'No.' WHERE id = $1"
    with by_rule("not_a_moderator"):
        await city.app.execute(answer, proposal, await city.person("dana"))
    await city.app.execute(answer, proposal, mona)
    with by_rule("append_only"):
        await city.app.execute(answer, proposal, mona)
    assert await state(city, stan) == (False, False)
