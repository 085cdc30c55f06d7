"""From a proposal to a rule in force, by residents alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civic import City, by_rule, document
from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.ballots import actions as boxes_actions
from parvis.ballots import majority
from parvis.ballots.majority import Mention
from parvis.base.db import Db
from parvis.base.errors import Forbidden, Invalid, Refused
from parvis.charter import actions as charter
from parvis.charter import policy, queries
from parvis.charter.model import Promulgated, ProposalDraft, ProposalLapsed, ProposalOpened, VoteClosed, VoteOpened
from parvis.residency import actions as residency
from parvis.residency import queries as residents
from parvis.residency.model import Operator

DRAFT = ProposalDraft(title="Répondre avec égards", text="On répond au texte, pas à la personne.", ceiling=3)


@pytest.fixture
async def city(
    db: Db, owner: asyncpg.Connection[Any], app_sql: asyncpg.Connection[Any], tmp_path: Path
) -> City:
    made = City(db, owner, app_sql, tmp_path)
    await made.found()
    return made


async def people(city: City, *names: str) -> list[Account]:
    ids = [await city.person(name) for name in names]
    async with city.db.read() as r:
        return sorted(await accounts.by_ids(r, ids), key=lambda account: ids.index(account.id))


async def put_to_the_vote(city: City, draft: ProposalDraft, who: list[Account]) -> int:
    async with city.db.write() as tx:
        proposal = await charter.propose(tx, who[0], draft)
    async with city.db.write() as tx:
        for resident in who:
            await charter.support(tx, resident, proposal)
    await city.turn()
    return proposal


async def vote(city: City, proposal: int, who: list[Account], text: Mention, status_quo: Mention) -> None:
    async with city.db.write() as tx:
        for resident in who:
            await charter.cast(tx, resident, proposal, {"text": text, "status_quo": status_quo})


async def state(city: City, proposal: int) -> str:
    async with city.db.read() as r:
        found = await queries.proposal(r, proposal)
    assert found is not None
    return found.state


async def until_settled(city: City) -> None:
    await city.advance(days=10)
    await city.turn()
    await city.advance(days=5)
    await city.turn()


async def test_a_proposal_becomes_a_rule_by_itself(city: City) -> None:
    who = await people(city, "rosa", "sven", "tara", "umut")
    proposal = await put_to_the_vote(city, DRAFT, who)
    await vote(city, proposal, who, Mention.passable, Mention.tres_bien)
    await vote(city, proposal, who, Mention.bien, Mention.passable)  # they change their minds
    async with city.db.read() as r:
        marks = await queries.marks(r, proposal, who[0].id)
    with pytest.raises(Refused, match="box_open"):
        async with city.db.read() as r:
            await charter.tally(r, proposal)
    assert marks is not None
    assert (marks.supported, marks.cast) == (True, True)
    await until_settled(city)
    async with city.db.read() as r:
        assert [article.number for article in await queries.in_force(r)].count("II.5") == 0
        tally = await charter.tally(r, proposal)
        assert (tally.voters, tally.adopted, tally.winner) == (4, True, "text")
        assert [(one.option, one.profile, one.mention, one.rank) for one in tally.options] == [
            ("text", [0, 0, 0, 0, 4, 0], Mention.bien, 1), ("status_quo", [0, 0, 4, 0, 0, 0], Mention.passable, 2),
        ]
    await city.advance(days=7)
    async with city.db.read() as r:
        rule = await queries.article(r, "II.5")
        versions = await queries.charter_versions(r)
        assert rule is not None
        assert (rule.heading, rule.text, rule.ceiling, rule.provisional) == (DRAFT.title, DRAFT.text, 3, False)
        assert [version.number for version in versions] == [1, 0]
        assert versions[0].previous == versions[1].hash
        assert await queries.broken_hashes(r) == []
        assert [(c.number, c.before is None) for c in await charter.changes(r, 0, 1)] == [("II.5", True)]
    assert [type(event) for event in city.events] == [ProposalOpened, VoteOpened, VoteClosed, Promulgated]
    await city.sign()
    kinds = [row["kind"] for row in await city.app.fetch("SELECT kind FROM ledger_leaves ORDER BY index")]
    assert kinds == ["charter", "proposal", "proposal", "proposal", "charter", "proposal"]


async def test_an_amendment_replaces_the_article_on_its_day(city: City) -> None:
    who = await people(city, "rosa", "sven", "tara")
    proposal = await put_to_the_vote(city, ProposalDraft(title="Prévenir", text="On prévient.", ceiling=1, article="II.4"), who)
    await vote(city, proposal, who, Mention.assez_bien, Mention.passable)
    await until_settled(city)
    before = await city.now()
    await city.advance(days=7)
    async with city.db.read() as r:
        old, new = await queries.article(r, "II.4", before), await queries.article(r, "II.4")
        history = await queries.history(r, "II.4")
        assert old is not None
        assert new is not None
        assert (old.ceiling, new.ceiling) == (2, 1)
        assert old.in_force_until == new.in_force_from
        assert new.in_force_until is None
        assert new.dsa_category == old.dsa_category
        assert [one.id for one in history] == [new.id, old.id]
        change = (await charter.changes(r, 0, 1))[0]
        assert change.before is not None
        assert (change.number, change.before.id) == ("II.4", old.id)
        assert await queries.broken_hashes(r) == []


async def test_a_number_of_the_constitution_changes_with_sixty_percent(city: City) -> None:
    who = await people(city, "rosa", "sven", "tara", "umut", "vera")
    draft = ProposalDraft(title="Voter", text="Le vote dure cinq jours.", scope="procedure", ceiling=0, article="I.2",
                          parameters={"vote_time": "5d"})
    proposals = [await put_to_the_vote(city, draft, who) for _ in range(2)]
    await vote(city, proposals[0], who[:3], Mention.assez_bien, Mention.a_rejeter)
    await vote(city, proposals[0], who[3:], Mention.a_rejeter, Mention.a_rejeter)
    await vote(city, proposals[1], who[:3], Mention.tres_bien, Mention.a_rejeter)
    await vote(city, proposals[1], who[3:], Mention.passable, Mention.a_rejeter)
    late = await people(city, "wim")  # too late for the roll: the shares stay as they are
    with pytest.raises(Refused, match="not_on_the_roll"):
        await vote(city, proposals[1], late, Mention.a_rejeter, Mention.tres_bien)
    await until_settled(city)
    assert [await state(city, one) for one in proposals] == ["promulgated", "promulgated"]
    await city.advance(days=8)
    async with city.db.read() as r:
        terms = await queries.terms(r)
        assert (terms["vote_time"], terms["majority_mention"]) == ("5d", 3)
        assert await queries.broken_hashes(r) == []


async def test_a_bare_majority_does_not_change_the_constitution(city: City) -> None:
    who = await people(city, *(f"voter{n}" for n in range(7)))
    draft = ProposalDraft(title="Voter", text="Le vote dure un jour.", scope="procedure", ceiling=0, article="I.2")
    proposal = await put_to_the_vote(city, draft, who)
    await vote(city, proposal, who[:4], Mention.tres_bien, Mention.a_rejeter)  # 57 percent
    await vote(city, proposal, who[4:], Mention.a_rejeter, Mention.insuffisant)
    await until_settled(city)
    assert await state(city, proposal) == "rejected"


@pytest.mark.parametrize("parameters", [{"quorum_least": 1}, {"vote_time": 5}, {"vote_time": "now"}, {"else": "5d"}])
async def test_a_parameter_is_changed_in_its_own_article_and_kind(city: City, parameters: dict[str, Any]) -> None:
    who = await people(city, "rosa")
    draft = ProposalDraft(title="Voter", text="Autrement.", scope="procedure", ceiling=0, article="I.2", parameters=parameters)
    with pytest.raises((Refused, Invalid)):
        async with city.db.write() as tx:
            await charter.propose(tx, who[0], draft)


async def test_without_support_a_proposal_lapses_and_without_quorum_nothing_changes(city: City) -> None:
    who = await people(city, "rosa", "sven")
    async with city.db.write() as tx:
        alone = await charter.propose(tx, who[0], DRAFT)
    few = await put_to_the_vote(city, DRAFT, who)
    await vote(city, few, who, Mention.tres_bien, Mention.a_rejeter)
    await until_settled(city)
    async with city.db.read() as r:
        tally = await charter.tally(r, few)
    assert (await state(city, few), tally.enough, tally.adopted) == ("rejected", False, False)
    await city.advance(days=45)
    await charter.sweep(city.job)
    assert await state(city, alone) == "lapsed"
    assert ProposalLapsed(alone) in city.events
    async with city.db.read() as r:
        assert len(await queries.charter_versions(r)) == 1


async def test_support_can_be_taken_back(city: City) -> None:
    who = await people(city, "rosa", "sven")
    async with city.db.write() as tx:
        proposal = await charter.propose(tx, who[0], DRAFT)
        await charter.support(tx, who[1], proposal)
        await charter.support(tx, who[1], proposal)
        await charter.withdraw_support(tx, who[1], proposal)
    assert not await charter.sweep(city.job)
    assert await state(city, proposal) == "support"


async def test_someone_who_moved_away_no_longer_counts(city: City) -> None:
    rosa, sven = await people(city, "rosa", "sven")
    async with city.db.write() as tx:
        proposal = await charter.propose(tx, rosa, DRAFT)
        await charter.support(tx, sven, proposal)
    await city.advance(seconds=5)
    await city.app.execute(
        "UPDATE residency.attestations SET valid_until = attested_at + interval '1 second' WHERE account_id = $1", sven.id
    )
    assert not await charter.sweep(city.job)
    with pytest.raises(Refused, match="not_resident"):
        async with city.db.write() as tx:
            await charter.propose(tx, sven, DRAFT)


async def test_provisional_articles_lapse_after_six_months_and_title_one_does_not(city: City) -> None:
    await city.advance(days=185)
    async with city.db.read() as r:
        assert {article.title for article in await queries.in_force(r)} == {"I"}


async def test_the_charter_is_laid_once_and_by_the_owner_alone(city: City) -> None:
    with pytest.raises(Forbidden, match="owner_only"):
        async with city.db.write() as tx:
            await charter.found(tx, document())


async def test_a_charter_without_one_of_its_numbers_is_not_laid(
    db: Db, owner: asyncpg.Connection[Any], app_sql: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    empty = City(db, owner, app_sql, tmp_path)
    with by_rule("parameter_missing"):
        await owner.fetchval(
            """SELECT charter_found('{"articles": [{"number": "I.1", "heading": "h", "text": "t", "scope": "posts",
               "ceiling": 0, "parameters": {"vote_time": "1d"}}]}')"""
        )
    with by_rule("no_charter"):
        await empty.proposal(await empty.person("rosa"))


async def test_sql_and_python_know_the_same_life(city: City) -> None:
    rows = await city.app.fetch("SELECT before, step, after FROM proposal_steps")
    assert {(row["before"], row["step"], row["after"]) for row in rows} == {
        (before.value, step.value, after.value) for (before, step), after in policy.LIFE.table.items()
    }


async def test_residency_is_attested_renewed_and_ends(city: City) -> None:
    (omar,) = await people(city, "omar")
    yvon = await city.person("yvon", resident=False)
    now = await city.now()
    async with city.db.write() as tx:
        assert await residents.resident(tx, yvon) is None
        await residency.ask(tx, Operator("20", now.replace(year=now.year + 1)), yvon)
        first = await residents.resident(tx, yvon)
        with pytest.raises(Invalid):
            await residency.attest(tx, yvon, "20", now)
    await city.advance(days=300)
    async with city.db.write() as tx:
        await residency.attest(tx, yvon, "11", now.replace(year=now.year + 2))
        second = await residents.resident(tx, yvon)
        assert await residents.residents(tx) == 2
    assert first is not None
    assert second is not None
    assert (second.district, second.attested_at) == ("11", first.attested_at)
    await city.advance(days=600)
    async with city.db.read() as r:
        assert await residents.resident(r, yvon) is None
        assert await residents.resident(r, omar.id) is not None


BALLOTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), max_size=40)
OPTIONS = ("text", "other", "status_quo")


async def test_sql_counts_as_python_does(city: City) -> None:
    """Random votes are drawn first, then counted in one go: by SQL, and by ballots/majority.py."""
    votes: list[list[tuple[int, int, int]]] = []

    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(BALLOTS)
    def draw(ballots: list[tuple[int, int, int]]) -> None:
        votes.append(ballots)

    draw()
    profiles = [[[sum(one[option] == grade for one in ballots) for grade in range(6)] for option in range(3)] for ballots in votes]
    flat = [profile for vote_profiles in profiles for profile in vote_profiles]
    rows = await city.app.fetch(
        """SELECT majority_merit(p.counts), majority_median(p.counts) FROM (
               SELECT place, array_agg(n ORDER BY mention) AS counts
               FROM unnest($1::bigint[], $2::int[], $3::int[]) t(n, place, mention) GROUP BY place) p ORDER BY place""",
        [count for profile in flat for count in profile],
        [place for place in range(len(flat)) for _ in range(6)], [mention for _ in flat for mention in range(6)],
    )
    for profile, (merit, median) in zip(flat, rows, strict=True):
        same = majority.profile(dict(zip(Mention, profile, strict=True)))
        assert tuple(merit) == majority.merit(same)
        assert median == majority.median(same)


async def test_a_box_ranks_as_python_does(city: City) -> None:
    voters = [await city.person(f"voter{n}") for n in range(8)]
    drawn: list[list[tuple[int, int, int]]] = []

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=8))
    def draw(ballots: list[tuple[int, int, int]]) -> None:
        drawn.append(ballots)

    draw()
    boxes = []
    async with city.db.write() as tx:
        for ballots in drawn:
            box = await boxes_actions.open_box(tx, bytes(32), OPTIONS, "1h")
            boxes.append(box)
            for voter, ballot in zip(voters, ballots, strict=False):
                given_grades = {option: Mention(grade) for option, grade in zip(OPTIONS, ballot, strict=True) if grade}
                await boxes_actions.cast(tx, voter, box, given_grades)
    await city.advance(hours=1)
    async with city.db.read() as r:
        for box, ballots in zip(boxes, drawn, strict=True):
            counted = {
                option: majority.profile({grade: sum(one[place] == grade for one in ballots) for grade in Mention})
                for place, option in enumerate(OPTIONS)
            }
            results = await boxes_actions.tally(r, box)
            assert {one.option: tuple(one.profile) for one in results} == counted
            assert [one.option for one in results] == majority.ranked(counted, "status_quo")
