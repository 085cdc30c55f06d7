"""What an insider with the application's password may not do either: every trick that was thought of, by raw SQL."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from civic import City, by_privilege, by_rule, refused
from conftest import Server
from parvis.accounts import queries as accounts
from parvis.base.db import Db, Tx
from parvis.base.errors import Refused
from parvis.charter import actions as charter
from parvis.charter.model import VoteClosed, VoteOpened
from parvis.ledger import actions as ledger
from parvis.ledger.model import Mandate, Order
from parvis.moderation import actions as moderation
from parvis.moderation.model import DecisionDraft, Level

# What the application may call. A function that is not here is the owner's, or a guard's own.
OPEN = {
    "acts", "ballot_tally", "charter_contest_until", "charter_hash", "charter_outcome", "charter_promulgate", "charter_question", "charter_terms", "clock_ahead",
    "is_moderator", "is_resident", "ledger_public_since", "ledger_receipt", "ledger_record", "ledger_root", "ledger_sequence", "ledger_signed",
    "majority_median", "majority_merit", "overturned", "parvis_id", "parvis_now", "refuse", "residents", "seen_by",
    # These only read, with the rights of whoever calls them.
    "emojis_in",
    "live_filters",
    "poll_shown",
    "quote_shown",
    "search_name",
    "search_names",
    "search_query",
    "search_words",
    "under",
    "seen_among",
    # These hold a row, or a name, and change what their caller may change anyway.
    "hold_post",
    "leave_delivery",
    "leave_inbox",
}
CAST = """INSERT INTO ballots (box_id, voter, question_hash, grades)
    SELECT box_id, $2, question_hash, '{"text": 5}' FROM proposals WHERE id = $1"""
BOX = """INSERT INTO ballot_boxes (question_hash, options, opens_at, closes_at)
    SELECT sha256(charter_question(p)), ARRAY['text', 'status_quo'], parvis_now(), parvis_now() + $2::text::interval
    FROM proposals p WHERE p.id = $1 RETURNING id"""
OPENED = "UPDATE proposals SET state = 'vote', box_id = $2 WHERE id = $1"
CONFIRM = "INSERT INTO decision_confirmations (decision_id, moderator_id) VALUES ($1, $2)"
LIFT = "UPDATE measures SET lifted_at = now() WHERE decision_id = $1"
SUSPENDED = "SELECT suspended_at IS NOT NULL FROM accounts WHERE id = $1"


@pytest.fixture
async def city(
    db: Db, owner: asyncpg.Connection[Any], app_sql: asyncpg.Connection[Any], tmp_path: Path
) -> City:
    return City(db, owner, app_sql, tmp_path)


@pytest.fixture
async def other(server: Server, database_name: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A second raw connection of the same insider."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server.url("parvis_app", database_name))
    yield connection
    await connection.close()


@contextlib.asynccontextmanager
async def held(connection: asyncpg.Connection[Any], isolation: str = "read_committed") -> AsyncIterator[Any]:
    """A transaction kept open, to be ended by whoever opened it."""
    transaction = connection.transaction(isolation=isolation)
    await transaction.start()
    try:
        yield transaction
    finally:
        if connection.is_in_transaction():
            with contextlib.suppress(asyncpg.PostgresError):
                await transaction.rollback()


async def leaves(city: City, kind: str) -> list[dict[str, Any]]:
    rows = await city.app.fetch(
        "SELECT convert_from(data, 'UTF8') AS entry FROM ledger_leaves WHERE kind = $1 ORDER BY id", kind)
    return [json.loads(row["entry"]) for row in rows]


async def problems(city: City) -> list[str]:
    async with city.db.read() as r:
        key = ledger.signing_key(city.job.settings).public_key()
        return await ledger.verify(r, key, city.job.settings.domain)


async def under_vote(city: City, *names: str) -> tuple[int, list[int]]:
    voters = [await city.person(name) for name in names]
    proposal = await city.proposal(voters[0])
    await city.support(proposal, *voters[1:])
    await charter.sweep(city.job)
    return proposal, voters


# --- the doors of the house


async def test_no_function_is_open_to_everyone_and_guards_are_deaf_to_the_session(city: City) -> None:
    functions = await city.owner.fetch(
        """SELECT p.proname AS name, p.prosecdef AS guard, coalesce(p.proconfig, '{}') AS pinned,
               has_function_privilege('parvis_app', p.oid, 'EXECUTE') AS callable,
               EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0) AS public
           FROM pg_proc p WHERE p.pronamespace IN ('public'::regnamespace, 'residency'::regnamespace)
               AND p.proname NOT LIKE 'fn_pgqueuer%'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"""
    )
    assert [row["name"] for row in functions if row["public"]] == []
    assert {row["name"] for row in functions if row["callable"]} == OPEN
    pinned = {"search_path", "TimeZone", "standard_conforming_strings"}
    assert [row["name"] for row in functions if row["guard"]
            and not pinned <= {setting.split("=")[0] for setting in row["pinned"]}] == []


async def test_a_guard_cannot_be_hung_on_a_table_of_ones_own(city: City, database_name: str) -> None:
    await city.owner.execute(f"GRANT TEMPORARY ON DATABASE {database_name} TO parvis_app")
    await city.app.execute("CREATE TEMP TABLE mine (LIKE measures)")
    for guard in ("measure_takes_effect", "decision_stands", "proposal_moves", "decision_explained", "appointment_recorded"):
        with by_privilege():
            await city.app.execute(f"CREATE TRIGGER forged AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION {guard}()")
    await city.app.execute("CREATE TEMP TABLE clock_offset (ahead interval)")
    await city.app.execute("INSERT INTO pg_temp.clock_offset VALUES ('400 days')")
    assert abs(await city.app.fetchval("SELECT parvis_now()") - await city.now()) < timedelta(minutes=1)
    assert await city.app.fetchval("SELECT parvis_id()") < await city.owner.fetchval("SELECT parvis_id()")


async def test_the_settings_of_a_session_change_no_rule(city: City, other: asyncpg.Connection[Any]) -> None:
    await city.found()
    rosa, sven = await city.person("rosa"), await city.person("sven")
    proposal = await city.proposal(rosa)
    await city.support(proposal, sven)
    far = (await city.now()) + timedelta(days=3)
    # A zone of one's own, where the clocks jump by two days soon.
    zone = f"AAA24BBB-24,J{min(far.timetuple().tm_yday, 365)},J{min((far + timedelta(days=60)).timetuple().tm_yday, 365)}"
    await city.app.execute(f"SET TIME ZONE '{zone}'")
    assert await city.app.fetchval("SELECT now() + interval '10 days' < now() + interval '200 hours'")
    with by_rule("box_wrong"):
        async with city.app.transaction():
            await city.app.execute(OPENED, proposal, await city.app.fetchval(BOX, proposal, "10 days"))
    await city.app.execute("SET TIME ZONE 'UTC'")
    alice, chidi = await city.person("alice", moderator=True), await city.person("chidi")
    await city.app.execute("SET standard_conforming_strings = off")
    await city.decide(alice, chidi, 1, await city.version("II.1"), facts="See https://example.org/chidi and @chidi@b.example.")
    assert (await leaves(city, "decision"))[0]["reasons"] == "See […] and […]."
    await city.app.execute("SET standard_conforming_strings = on")
    async with held(other, "repeatable_read"):
        with by_rule("isolation_wrong"):
            await other.execute("UPDATE proposals SET state = 'lapsed' WHERE id = $1", proposal)


# --- time cannot be held back


async def test_a_transaction_kept_open_does_not_stop_the_clock(
    city: City, other: asyncpg.Connection[Any], server: Server, database_name: str
) -> None:
    await city.found(vote_time="2s", contest_time="1s", in_force_delay="1s")
    ghost = await city.person("ghost", resident=False)
    before: asyncpg.Connection[Any] = await asyncpg.connect(server.url("parvis_app", database_name))
    async with held(before) as early:
        await before.fetchval("SELECT parvis_now()")  # begun before the roll was closed
        proposal, voters = await under_vote(city, "rosa", "sven", "tara", "umut")
        await city.sign()
        await before.execute("INSERT INTO residency.attestations (account_id, district, provider, valid_until)"
                             " VALUES ($1, '11', 'operator', '2100-01-01')", ghost)
        await early.commit()
    with by_rule("not_on_the_roll"):
        await city.app.execute(CAST, proposal, ghost)
    async with held(before), held(other) as kept:
        await before.fetchval("SELECT parvis_now()")
        await other.execute(CAST, proposal, voters[0])  # cast in time, and not yet committed
        for voter in voters[1:3]:
            await city.app.execute(CAST, proposal, voter)
        await asyncio.sleep(2.2)
        with by_rule("box_closed"):
            async with before.transaction():
                await before.execute(CAST, proposal, voters[3])
        with by_rule("box_open"):  # nor is the count told to who can still take a ballot back
            async with other.transaction():
                await other.fetch("SELECT t.* FROM proposals p, ballot_tally(p.box_id) t WHERE p.id = $1", proposal)
        await city.app.execute("SET lock_timeout = '200ms'")
        with refused("55P03"):  # it waits for every ballot on its way
            await city.app.fetch("SELECT t.* FROM proposals p, ballot_tally(p.box_id) t WHERE p.id = $1", proposal)
        await kept.commit()
    await before.close()
    tally = await city.app.fetch("SELECT t.profile FROM proposals p, ballot_tally(p.box_id) t WHERE p.id = $1", proposal)
    assert tally[0]["profile"] == [0, 0, 0, 0, 0, 3]


async def test_a_vote_nobody_could_see_adopts_nothing(city: City, other: asyncpg.Connection[Any]) -> None:
    await city.found(vote_time="4s", contest_time="1s", in_force_delay="1s")
    voters = [await city.person(name) for name in ("rosa", "sven", "tara")]
    proposal = await city.proposal(voters[0])
    await city.support(proposal, *voters[1:])
    async with held(other) as kept:
        await other.execute(OPENED, proposal, await other.fetchval(BOX, proposal, "4 s"))
        await asyncio.sleep(2.2)
        await kept.commit()
    await city.sign()
    for voter in voters:
        await city.app.execute(CAST, proposal, voter)
    await asyncio.sleep(2)
    with by_rule("vote_not_public"):
        await city.app.execute("UPDATE proposals SET state = 'contest' WHERE id = $1", proposal)
    await charter.sweep(city.job)
    assert await city.app.fetchval("SELECT state FROM proposals WHERE id = $1", proposal) == "rejected"


async def test_a_rule_written_in_secret_binds_from_the_day_it_was_public(
    city: City, other: asyncpg.Connection[Any]
) -> None:
    await city.found(vote_time="3s", contest_time="1s", in_force_delay="1s")
    proposal, voters = await under_vote(city, "rosa", "sven", "tara")
    await city.sign()
    for voter in voters:
        await city.app.execute(CAST, proposal, voter)
    await asyncio.sleep(3)
    await charter.sweep(city.job)
    with by_rule("contest_not_public"):  # the time to contest begins when the result is on record
        await asyncio.sleep(1)
        await city.app.execute("SELECT charter_promulgate($1)", proposal)
    await city.sign()
    await asyncio.sleep(1)
    alice = await city.person("alice", moderator=True)
    async with held(other) as kept:
        await other.execute("SELECT charter_promulgate($1)", proposal)
        await asyncio.sleep(1.1)
        post = await city.post(voters[0])  # the rule is in force, says the transaction that nobody has seen
        await kept.commit()
    rule = await city.version("II.5")
    with by_rule("not_public_at_the_act"):
        await city.decide(alice, voters[0], 4, rule, status_ids=[post])
    await city.sign()
    with by_rule("not_public_at_the_act"):
        await city.decide(alice, voters[0], 4, rule, status_ids=[post])
    assert await city.decide(alice, voters[0], 4, rule, status_ids=[await city.post(voters[0])])


# --- the roll and the ballots


async def test_nobody_is_struck_off_the_roll_of_an_open_vote(city: City) -> None:
    await city.found()
    proposal, voters = await under_vote(city, "rosa", "sven", "tara")
    await city.app.execute("UPDATE residency.attestations SET valid_until = attested_at + interval '1 microsecond'")
    for _ in range(2):
        await city.cast(proposal, voters[0], 5, 0)
    await city.cast(proposal, voters[1], 5, 0)
    await city.cast(proposal, voters[2], 5, 0)
    with by_privilege():
        await city.app.execute("DELETE FROM ballot_rolls")
    with by_privilege():
        await city.app.execute("UPDATE ballots SET casts = 1")
    await city.sign()
    await city.advance(days=10)
    await charter.sweep(city.job)
    opened, closed = (await leaves(city, "proposal"))[1:]
    assert (opened["roll"], opened["districts"]) == (3, {"11": 3})
    assert (closed["state"], closed["voters"], closed["replaced"]) == ("contest", 3, 1)


async def test_a_number_of_the_constitution_stays_within_its_bounds(city: City) -> None:
    await city.found()
    rosa = await city.person("rosa")
    wrong: object
    for wrong in ({"majority_mention": 6}, {"constitution_percent": 101}, [], "x", None, {"vote_time": None}):
        with by_rule("parameters_wrong"):
            await city.proposal(rosa, article="I.2", scope="procedure", parameters=json.dumps(wrong))
    assert await city.app.fetchval("SELECT count(*) FROM proposals") == 0


# --- moderators


async def test_whoever_is_given_power_is_counted_on_the_public_record(city: City) -> None:
    await city.found()
    alice, bela = await city.person("alice", moderator=True), await city.person("bela")
    await city.app.execute("UPDATE users SET role = 'moderator' WHERE account_id = $1", bela)
    await city.app.execute("UPDATE users SET locale = 'en'")
    await city.app.execute("UPDATE users SET disabled_at = now() WHERE account_id = $1", alice)
    chidi = await city.app.fetchval("INSERT INTO accounts (username, uri, url) VALUES ('c', 'c', 'c') RETURNING id")
    await city.app.execute("UPDATE users SET account_id = $2 WHERE account_id = $1", bela, chidi)
    await city.app.execute("DELETE FROM users WHERE account_id = $1", chidi)
    said = [(one["power"], one["change"], one["holders"]) for one in await leaves(city, "appointment")]
    assert said == [("moderator", change, holders) for change, holders in (
        ("given", 1), ("given", 2), ("taken", 1), ("taken", 1), ("given", 1), ("taken", 0))]
    with by_rule("kind_reserved"):
        await city.app.execute("SELECT ledger_record('appointment', '{}')")


async def test_a_decision_holds_no_trick(city: City, other: asyncpg.Connection[Any]) -> None:
    await city.found()
    alice, bela = await city.person("alice", moderator=True), await city.person("bela", moderator=True)
    chidi = await city.person("chidi")
    post, rule = await city.post(chidi), await city.version("II.1")
    for wrong in ([post, None], [None]):
        with by_rule("not_their_post"):
            await city.decide(alice, chidi, 4, rule, status_ids=wrong)
    for empty in ({"status_ids": None}, {"facts": None}, {"decided_by": None}, {"target_id": None}):
        with pytest.raises(asyncpg.PostgresError):
            await city.decide(alice, chidi, 1, rule, **empty)
    for end in (datetime.max.replace(tzinfo=UTC), "infinity"):
        statement = """INSERT INTO decisions (case_id, target_id, level, article_version_id, facts, decided_by, ends_at)
            VALUES ($1, $2, 6, $3, 'x', $4, $5::text::timestamptz)"""
        with by_rule("too_long"):
            await city.app.execute(statement, await city.case(chidi), chidi, rule, alice, str(end))
    twice = await city.decide(alice, chidi, 4, rule, status_ids=[post, post])
    assert await city.app.fetchval("SELECT status_ids FROM decisions WHERE id = $1", twice) == [post]
    assert (await leaves(city, "decision"))[-1]["posts"] == 1
    future = int((await city.now() + timedelta(days=100)).timestamp() * 1000) << 16
    await city.app.execute("INSERT INTO accounts (id, username, domain, uri, url) VALUES ($1, 'z', 'b.example', 'z', 'z')", future)
    with by_rule("act_in_the_future"):
        await city.decide(alice, future, 1, rule)
    case = await city.case(chidi)
    await city.app.execute("UPDATE cases SET closed_at = '2019-01-01' WHERE id = $1", case)
    assert await city.app.fetchval("SELECT closed_at > opened_at FROM cases WHERE id = $1", case)
    with by_rule("append_only"):
        await city.app.execute("UPDATE cases SET closed_at = NULL WHERE id = $1", case)
    with by_rule("case_closed"):  # no late report makes a judge a party
        await city.app.execute("INSERT INTO reports (case_id, account_id, target_id) VALUES ($1, $2, $3)", case, bela, chidi)
    order = await city.app.fetchval(
        "INSERT INTO legal_orders (authority, reference, text) VALUES ('Tribunal', '26/1', 'Ordonne.') RETURNING id")
    await city.decide(alice, chidi, 1, None, legal_order_id=order)
    assert len((await leaves(city, "decision"))[-1]["order_hash"]) == 64
    with by_rule("append_only"):
        await city.owner.execute("UPDATE legal_orders SET text = 'Autre.'")


async def in_force(city: City, by: int, second: int, target: int, rule: int, days: int = 10) -> int:
    decision: int = await city.decide(by, target, 6, rule, ends_at=await city.now() + timedelta(days=days))
    await city.app.execute(CONFIRM, decision, second)
    await city.sign()
    await city.measure(decision)
    return decision


async def test_deeds_done_at_once_leave_what_they_would_one_after_the_other(
    city: City, other: asyncpg.Connection[Any]
) -> None:
    await city.found()
    alice, bela = await city.person("alice", moderator=True), await city.person("bela", moderator=True)
    dana, chidi, rule = await city.person("dana", moderator=True), await city.person("chidi"), await city.version("II.1")
    first, second = [await in_force(city, alice, bela, chidi, rule) for _ in range(2)]
    await city.advance(days=11)
    async with held(other) as kept:  # two ends at once
        await other.execute(LIFT, first)
        lifting = asyncio.create_task(city.app.execute(LIFT, second))
        await asyncio.sleep(0.3)
        await kept.commit()
        await lifting
    assert not await city.app.fetchval(SUSPENDED, chidi)
    third = await in_force(city, alice, bela, chidi, rule, days=1)
    await city.advance(days=2)
    fourth = await city.decide(alice, chidi, 6, rule, ends_at=await city.now() + timedelta(days=9))
    await city.app.execute(CONFIRM, fourth, bela)
    await city.sign()
    await city.app.execute("UPDATE statements_of_reasons SET delivered_at = now() WHERE decision_id = $1", fourth)
    async with held(other) as kept:  # an end and a beginning at once
        await other.execute("INSERT INTO measures (decision_id) VALUES ($1)", fourth)
        lifting = asyncio.create_task(city.app.execute(LIFT, third))
        await asyncio.sleep(0.3)
        await kept.commit()
        await lifting
    assert await city.app.fetchval(SUSPENDED, chidi)
    fifth = await city.decide(alice, chidi, 1, rule)
    await city.sign()
    await city.app.execute("UPDATE statements_of_reasons SET delivered_at = now() WHERE decision_id = $1", fifth)
    appeal = await city.app.fetchval(
        "INSERT INTO appeals (decision_id, account_id, text) VALUES ($1, $2, 'Non.') RETURNING id", fifth, chidi)
    async with held(other) as kept:  # overturned while it was about to take effect
        await other.execute("INSERT INTO appeal_decisions (appeal_id, outcome, reasons, decided_by)"
                            " VALUES ($1, 'overturn', 'Oui.', $2)", appeal, dana)
        taking = asyncio.create_task(city.app.execute("INSERT INTO measures (decision_id) VALUES ($1)", fifth))
        await asyncio.sleep(0.3)
        await kept.commit()
        with by_rule("overturned"):
            await taking


async def test_two_sweeps_and_two_promulgations_at_once_are_one(city: City) -> None:
    await city.found()
    proposal, voters = await under_vote(city, "rosa", "sven", "tara")
    second = await city.proposal(voters[0], title="Autre")
    await city.support(second, *voters[1:])
    await asyncio.gather(*(charter.sweep(city.job) for _ in range(4)))
    await city.sign()
    for one in (proposal, second):
        for voter in voters:
            await city.cast(one, voter, 5, 0)
    await city.advance(days=10)
    await asyncio.gather(*(charter.sweep(city.job) for _ in range(4)))
    await city.sign()
    await city.advance(days=5)

    async def promulgated(one: int) -> int | str:
        async with city.db.pool.acquire() as connection:
            try:
                return int(await connection.fetchval("SELECT charter_promulgate($1)", one))
            except asyncpg.PostgresError as error:
                return str(error)

    done = await asyncio.gather(*(promulgated(one) for one in (proposal, proposal, second, second)))
    assert sorted(map(str, done)) == ["1", "2", "not_now", "not_now"]
    assert len([event for event in city.events if isinstance(event, VoteOpened)]) == 2
    assert len([event for event in city.events if isinstance(event, VoteClosed)]) == 2


# --- the public record


async def test_a_receipt_is_not_forged(city: City, other: asyncpg.Connection[Any]) -> None:
    async with city.db.write() as tx:
        for number in range(3):
            await ledger.record(tx, "note", {"number": number})
    for kind, entry, word in (("decision", "{}", "kind_reserved"), (None, "{}", "kind_wrong"), ("Decision ", "{}", "kind_wrong"),
                              ("note", "[]", "entry_wrong"), ("note", None, "entry_wrong")):
        with by_rule(word):
            await city.app.execute("SELECT ledger_record($1, $2)", kind, entry)
    with by_privilege():
        await city.app.execute("UPDATE ledger_leaves SET index = 0")
    async with held(other):
        await other.execute("SELECT ledger_record('note', '{}')")
        with by_rule("not_yet_public"):  # nobody numbers an entry that only they can see
            await other.fetch("SELECT ledger_sequence(10)")
    assert len(await city.app.fetch("SELECT ledger_sequence(2)")) == 2  # and nothing more: no node, no head
    assert await ledger.sequence(city.job) == 3
    assert await problems(city) == []
    await city.app.execute("SELECT ledger_record('note', '{}')")
    leaf = (await city.app.fetch("SELECT * FROM ledger_sequence(1)"))[0]
    for level, index, value in ((0, 3, leaf["hash"]), (1, 1, None), (2, 0, None)):
        made = value or await city.app.fetchval(
            """SELECT sha256('\\x01'::bytea || l.hash || r.hash) FROM ledger_nodes l, ledger_nodes r
               WHERE l.level = $1 AND r.level = $1 AND l.index = $2 AND r.index = $2 + 1""", level - 1, 2 * index)
        await city.app.execute("INSERT INTO ledger_nodes VALUES ($1, $2, $3)", level, index, made)
    root = await city.app.fetchval("SELECT ledger_root(4)")
    said = await city.app.fetchval("SELECT encode($1, 'base64')", root)
    for note in ("", f"localhost:8000\n4\n{said}\n", f"localhost:8000\n9\n{said}\n\n— localhost:8000 {'A' * 92}\n"):
        with by_rule("note_wrong"):
            await city.app.execute("INSERT INTO ledger_checkpoints (size, root, note) VALUES (4, $1, $2)", root, note)
    assert await ledger.sequence(city.job) == 1  # what was left unsigned is signed
    assert await problems(city) == []


async def test_what_the_law_refuses_reaches_people_as_its_word(city: City) -> None:
    await city.found()
    ids = [await city.person("alice", moderator=True), await city.person("chidi"), await city.person("omar", resident=False)]
    decision = await city.decide(ids[0], ids[1], 6, await city.version("II.1"), ends_at=await city.now() + timedelta(days=3))
    case = await city.app.fetchval("SELECT case_id FROM decisions WHERE id = $1", decision)
    await city.app.execute("UPDATE cases SET closed_at = now() WHERE id = $1", case)
    proposal, _ = await under_vote(city, "rosa", "sven")
    async with city.db.read() as r:
        alice, chidi, omar = sorted(await accounts.by_ids(r, ids), key=lambda account: ids.index(account.id))
    deeds: list[tuple[str, Callable[[Tx], Awaitable[object]]]] = [
        ("took_part", lambda tx: moderation.confirm(tx, alice, decision)),
        ("not_a_moderator", lambda tx: moderation.confirm(tx, chidi, decision)),
        ("not_a_party", lambda tx: moderation.appeal(tx, omar, decision, "Non.")),
        ("not_on_the_roll", lambda tx: charter.cast(tx, omar, proposal, {})),
        ("not_now", lambda tx: charter.support(tx, chidi, proposal)),
        ("kind_wrong", lambda tx: ledger.record(tx, "A note", {})),
        ("other_case", lambda tx: moderation.decide(
            tx, alice, Mandate("decide", Order("Tribunal", "26/1", "Ordonne."), alice.id),
            DecisionDraft(target_id=omar.id, level=Level.warning, facts="Vu.", case_id=case))),
    ]
    for word, deed in deeds:
        with pytest.raises(Refused, match=word):
            async with city.db.write() as tx:
                await deed(tx)
