"""What looks like spam is kept back, explained, let out, and never but by the charter."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from civic import City, by_privilege, by_rule
from parvis import wiring
from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.base.db import Db, Reactions
from parvis.base.errors import Conflict, Forbidden, Invalid, NotFound, Refused, TooMany
from parvis.base.ids import Page
from parvis.charter import actions as charter
from parvis.charter.model import ProposalDraft
from parvis.ledger.model import Article
from parvis.moderation import actions as moderation
from parvis.notifications import queries as notifications
from parvis.notifications.model import Choice
from parvis.screening import actions as screening
from parvis.screening import policy, queries
from parvis.screening.model import Hold, HoldFilter
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts
from parvis.statuses.model import Deleted, Draft, Posted, PostedAbroad, Revision, Status

ACTING = {f"{rule}_mode": 2 for rule in ("young", "strangers", "names", "links", "alike", "burst")}
SPAM = "Achetez vos médicaments pas chers dès maintenant, livraison rapide partout en France, sans ordonnance"


class Square(City):
    """A city whose rules of screening act, with some people."""

    told: list[object]
    mona: Account
    nora: Account
    alice: Account
    bela: Account
    chidi: Account

    async def begin(self, **numbers: object) -> None:
        """Lay the charter; Mona and Nora moderate, Alice writes to Bela and Chidi."""
        await self.found(**numbers)
        self.told = []
        self.db.reactions = {event: Reactions(row.now) for event, row in wiring.REACTIONS.items()}
        for event in (Posted, PostedAbroad, Deleted):
            self.db.reactions[event] = Reactions((*wiring.REACTIONS[event].now, self._told))
        ids = [await self.person("mona", moderator=True), await self.person("nora", moderator=True),
               *[await self.person(name) for name in ("alice", "bela", "chidi")]]
        async with self.db.read() as r:
            found = sorted(await accounts.by_ids(r, ids), key=lambda account: account.id)
        self.mona, self.nora, self.alice, self.bela, self.chidi = found

    async def _told(self, tx: object, event: object) -> None:
        self.told.append(event)

    async def say(self, by: Account, text: str, *named: Account, **more: Any) -> Status:
        """Somebody posts, by the way in."""
        draft = Draft(content=f"<p>{text}</p>", text=text, visibility="public", mentions=tuple(one.id for one in named), **more)
        async with self.db.write() as tx:
            return await screening.publish(tx, by, draft)

    async def spam(self) -> Status:
        """Alice writes to two strangers what others have written three times."""
        for number, name in enumerate(("dora", "emil", "fritz")):
            async with self.db.read() as r:
                by = (await accounts.by_ids(r, [await self.person(name)]))[0]
            await self.say(by, f"{SPAM} {number}", self.bela)
        self.told.clear()
        return await self.say(self.alice, SPAM, self.bela, self.chidi)

    async def sees(self, viewer: Account | None, status: Status) -> bool:
        """May somebody see a post?"""
        async with self.db.read() as r:
            return await posts.seen(r, status.id, viewer and viewer.id) is not None

    async def held(self) -> list[Hold]:
        """What is kept back now."""
        async with self.db.read() as r:
            return await queries.page(r, Page(), HoldFilter(state="held"))

    async def kinds(self, who: Account) -> list[str]:
        """Of what somebody was told."""
        async with self.db.read() as r:
            return [row.kind for row in await notifications.page(r, who.id, Page(), Choice())]

    async def settle(self) -> None:
        """Let decisions have their effect."""
        await self.sign()
        await moderation.execute(self.job)
        await moderation.lift(self.job)


@pytest.fixture
def square(
    db: Db, owner: asyncpg.Connection[Any], app_sql: asyncpg.Connection[Any], tmp_path: Path
) -> Square:
    return Square(db, owner, app_sql, tmp_path)


async def test_at_the_founding_the_rules_only_count(square: Square) -> None:
    await square.begin()
    status = await square.spam()
    assert await square.held() == []
    assert await square.sees(None, status)
    assert await square.kinds(square.chidi) == ["mention"]
    await screening.sweep(square.job)
    async with square.db.read() as r:
        counted = {(row.rule, row.acted): row.times for row in await queries.counts(r, 1)}
    assert counted[("hold", False)] == 1
    assert counted[("alike", False)] == 1
    assert counted[("young", False)] == 4
    assert not [rule for rule, acted in counted if acted]


async def test_a_post_that_is_kept_back_is_seen_by_its_author_who_is_told_why(square: Square) -> None:
    await square.begin(**ACTING)
    status = await square.spam()
    found, = await square.held()
    assert (found.status_id, found.rules, found.score) == (status.id, ["alike", "strangers", "young"], 7)
    assert found.ends_at - found.began_at == timedelta(days=3)
    assert [await square.sees(who, status) for who in (square.alice, square.bela, square.mona, None)] == [True, False, False, False]
    assert square.told == []
    assert await square.kinds(square.chidi) == []
    assert await square.kinds(square.alice) == ["moderation_warning"]
    with pytest.raises(Forbidden, match="not_reblogged"):
        async with square.db.write() as tx:
            await statuses.reblog(tx, square.alice, status.id)
    with pytest.raises(NotFound):
        async with square.db.write() as tx:
            await statuses.favourite(tx, square.bela, status.id)


async def test_a_moderator_lets_it_out_and_all_are_told_as_if_it_came_now(square: Square) -> None:
    await square.begin(**ACTING)
    parent = await square.say(square.bela, "Qui vient ?")
    for name in ("dora", "emil", "fritz"):
        async with square.db.read() as r:
            by = (await accounts.by_ids(r, [await square.person(name)]))[0]
        await square.say(by, SPAM, square.bela)
    square.told.clear()
    status = await square.say(square.alice, SPAM, square.bela, square.chidi, in_reply_to_id=parent.id)
    found, = await square.held()
    counted = "SELECT coalesce(sum(replies), 0) FROM status_count_deltas WHERE status_id = $1"
    assert await square.app.fetchval(counted, parent.id) == 0
    with pytest.raises(Refused, match="not_a_moderator"):
        async with square.db.write() as tx:
            await screening.release(tx, square.bela, found.id, "Une annonce du club.")
    with pytest.raises(Invalid, match="ERR_BLANK"):
        async with square.db.write() as tx:
            await screening.release(tx, square.mona, found.id, " ")
    async with square.db.write() as tx:
        await screening.release(tx, square.mona, found.id, "Une annonce du club.")
    assert await square.sees(None, status)
    assert [type(event) for event in square.told] == [Posted, PostedAbroad]
    assert await square.kinds(square.chidi) == ["mention"]
    assert await square.app.fetchval(counted, parent.id) == 1
    assert await square.held() == []
    with pytest.raises(Refused, match="not_now"):
        async with square.db.write() as tx:
            await screening.release(tx, square.mona, found.id, "Encore.")


async def test_an_author_appeals_once_and_nobody_else_can(square: Square) -> None:
    await square.begin(**ACTING)
    await square.spam()
    found, = await square.held()
    for by, word, error in ((square.bela, "hold", NotFound), (square.alice, None, None), (square.alice, "already_appealed", Conflict)):
        if error is None:
            async with square.db.write() as tx:
                await screening.appeal(tx, by, found.id, " C’est une annonce. ")
            continue
        with pytest.raises(error, match=word):
            async with square.db.write() as tx:
                await screening.appeal(tx, by, found.id, "C’est une annonce.")
    async with square.db.read() as r:
        row, = await queries.page(r, Page(), HoldFilter(appealed=True))
    assert row.appeal == "C’est une annonce."
    assert row.appealed_at is not None


async def test_what_nobody_looks_at_comes_out_by_itself(square: Square) -> None:
    await square.begin(**ACTING)
    status = await square.spam()
    await square.advance(days=2, hours=23)
    assert await screening.sweep(square.job) == 0
    await square.advance(hours=2)
    assert await screening.sweep(square.job) == 1
    assert await square.sees(None, status)
    assert Posted in [type(event) for event in square.told]
    assert await screening.sweep(square.job) == 0
    async with square.db.read() as r:
        assert [row.state for row in await queries.page(r, Page(), HoldFilter())] == ["lapsed"]


async def test_a_decision_removes_it_on_an_article_and_an_appeal_brings_it_out(square: Square) -> None:
    await square.begin(**ACTING)
    status = await square.spam()
    found, = await square.held()
    ground = Article(await square.version("II.3"))
    async with square.db.write() as tx:
        mandate = await moderation.mandate(tx, square.mona, ground)
        decision = await screening.confirm(tx, square.mona, mandate, found.id, "Le même envoi partout.")
    assert not await square.sees(None, status)  # also before the record gives its receipt
    await square.settle()
    assert not await square.sees(None, status)
    assert square.told == []
    async with square.db.write() as tx:
        appeal = await moderation.appeal(tx, square.alice, decision, "Je n’ai écrit qu’une fois.")
        await moderation.decide_appeal(tx, square.nora, appeal, "overturn", "En effet.")
    await square.settle()
    assert await square.sees(None, status)
    assert [type(event) for event in square.told] == [Posted, PostedAbroad]


async def test_a_decision_overturned_before_it_had_effect_brings_it_out_too(square: Square) -> None:
    await square.begin(**ACTING)
    status = await square.spam()
    found, = await square.held()
    async with square.db.write() as tx:
        mandate = await moderation.mandate(tx, square.mona, Article(await square.version("II.3")))
        decision = await screening.confirm(tx, square.mona, mandate, found.id, "Le même envoi partout.")
    async with square.db.write() as tx:
        appeal = await moderation.appeal(tx, square.alice, decision, "Je n’ai écrit qu’une fois.")
        await moderation.decide_appeal(tx, square.nora, appeal, "overturn", "En effet.")
    assert await square.sees(None, status)
    assert [type(event) for event in square.told] == [Posted, PostedAbroad]


async def test_what_its_author_changes_or_takes_back_meanwhile_is_told_to_nobody(square: Square) -> None:
    await square.begin(**ACTING)
    status = await square.spam()
    async with square.db.write() as tx:
        await statuses.edit(tx, square.alice, status.id, Revision(content="<p>Pardon</p>", text="Pardon", mentions=(square.bela.id,)))
    assert await square.kinds(square.bela) == ["mention"] * 3
    async with square.db.write() as tx:
        await statuses.delete(tx, square.alice, status.id)
    await square.advance(days=4)
    assert await screening.sweep(square.job) == 1
    assert square.told == []
    assert not await square.sees(square.alice, status)


async def test_an_edit_that_adds_what_a_post_is_kept_back_for_is_not_taken(square: Square) -> None:
    await square.begin(**ACTING)
    await square.spam()
    status = await square.say(square.alice, "Bonjour", square.bela)
    spam = Revision(content=f"<p>{SPAM}</p>", text=SPAM, mentions=(square.bela.id, square.mona.id, square.chidi.id))
    with pytest.raises(Refused, match="looks_like_spam"):
        async with square.db.write() as tx:
            await screening.edit(tx, square.alice, status.id, spam)
    assert await square.kinds(square.chidi) == []
    harmless = Revision(content="<p>Bonsoir</p>", text="Bonsoir", mentions=(square.bela.id,))
    async with square.db.write() as tx:
        assert (await screening.edit(tx, square.alice, status.id, harmless)).text == "Bonsoir"
    async with square.db.write() as tx:  # what names nobody new and leads nowhere else is not looked at
        said = Revision(content=f"<p>{SPAM}</p>", text=SPAM, mentions=(square.bela.id,))
        assert (await screening.edit(tx, square.alice, status.id, said)).text == SPAM


async def test_an_edit_is_only_counted_where_the_rules_only_count(square: Square) -> None:
    await square.begin()
    status = await square.say(square.alice, "Bonjour", square.bela)
    more = Revision(content="<p>Bonsoir</p>", text="Bonsoir", mentions=(square.bela.id, square.mona.id, square.chidi.id))
    before = await square.app.fetchval("SELECT count(*) FROM screening_marks")
    async with square.db.write() as tx:
        assert (await screening.edit(tx, square.alice, status.id, more)).text == "Bonsoir"
    assert await square.app.fetchval("SELECT count(*) FROM screening_marks") == before + 2  # young, strangers
    assert not await square.app.fetchval("SELECT bool_or(acted) FROM screening_marks")


async def test_a_moderators_post_is_never_kept_back_nor_one_of_somebody_long_known(square: Square) -> None:
    await square.begin(**ACTING)
    await square.spam()
    await square.say(square.mona, SPAM, square.bela, square.chidi)
    assert len(await square.held()) == 1
    await square.advance(days=40)
    await screening.sweep(square.job)
    await square.say(square.alice, SPAM, square.bela, square.chidi)
    assert await square.held() == []


async def test_a_flood_of_people_named_is_kept_back_from_the_founding(square: Square) -> None:
    await square.begin(naming_young_from=2)
    first = await square.say(square.alice, "Bonjour", square.bela, square.chidi)
    assert await square.sees(None, first)
    second = await square.say(square.alice, "Bonjour encore", square.mona)
    found, = await square.held()
    assert (found.status_id, found.rules) == (second.id, ["naming"])


async def test_whoever_follows_a_flood_of_people_waits_for_their_answer(square: Square) -> None:
    await square.begin(follows_young_from=1)
    async with square.db.write() as tx:
        assert (await screening.follow(tx, square.alice, square.bela)).accepted
        assert not (await screening.follow(tx, square.alice, square.chidi)).accepted
        assert (await screening.follow(tx, square.alice, square.bela)).accepted  # it was so before
    far = await square.app.fetchval(
        "INSERT INTO accounts (username, domain, uri, url, inbox_url) VALUES ('far', 'far.example', 'https://far.example/u',"
        " 'https://far.example/u', 'https://far.example/in') RETURNING id")
    with pytest.raises(TooMany):
        async with square.db.write() as tx:
            await screening.follow(tx, square.alice, (await accounts.by_ids(tx, [far]))[0])
    assert await square.kinds(square.chidi) == ["follow_request"]


async def test_a_flood_of_sign_ups_waits_for_a_moderator(square: Square) -> None:
    await square.begin(arrivals_from=2)
    async with square.db.write() as tx:
        assert [await screening.crowded(tx, f"192.0.2.{number}") for number in range(3)] == [False, False, True]
        assert not await screening.crowded(tx, "198.51.100.1")
        assert not await screening.crowded(tx, None)
    await square.advance(hours=3)
    async with square.db.write() as tx:
        assert not await screening.crowded(tx, "192.0.2.9")
    await screening.forget(square.job)
    assert await square.app.fetchval("SELECT count(*) FROM screening_arrivals") == 1


async def test_without_an_article_nothing_acts(square: Square) -> None:
    await square.begin(**ACTING, naming_young_from=1, follows_young_from=0, arrivals_from=0)
    await square.owner.execute("UPDATE article_versions SET parameters = '{}' WHERE number IN ('I.8', 'I.9')")
    status = await square.spam()
    async with square.db.write() as tx:
        assert (await screening.follow(tx, square.alice, square.bela)).accepted
        assert not await screening.crowded(tx, "192.0.2.1")
    assert await square.held() == []
    assert await square.sees(None, status)


async def test_a_site_that_young_accounts_spread_counts_unless_somebody_long_known_leads_there_too(square: Square) -> None:
    await square.begin(links_from=2)
    link = '<a href="https://spam.example/1">x</a> https://'

    async def seen() -> int:
        async with square.db.read() as r:
            shown = policy.sample(square.chidi, Draft(content=link, visibility="public"), r.now)
            assert shown is not None
            return (await queries.facts(r, square.chidi.id, shown, r.now)).links

    await square.say(square.alice, link)
    await square.say(square.bela, link)
    assert await seen() == 2
    await square.app.execute(
        "INSERT INTO screening_prints SELECT id, $1, false, parvis_now(), '{}', '{}', '{spam.example}' FROM statuses"
        " WHERE account_id = $2 ON CONFLICT (status_id) DO UPDATE SET young = false, account_id = $1", square.mona.id, square.bela.id)
    assert await seen() == 0


async def test_sql_lets_nothing_be_kept_back_but_what_comes_in_by_rules_that_act(square: Square) -> None:
    await square.begin(young_mode=2)
    old = await square.say(square.alice, "Bonjour", square.bela)
    ground, other = await square.version("I.8"), await square.version("II.3")
    insert = "INSERT INTO holds (status_id, account_id, article_version_id, rules) VALUES ($1, $2, $3, $4)"
    with by_rule("not_coming_in"):
        await square.app.execute(insert, old.id, square.alice.id, ground, ["young"])
    for cited, rules, word in ((other, ["young"], "no_ground_to_hold"), (ground, ["alike"], "rule_does_not_act"),
                               (ground, ["young", "young"], "score_too_low"), (ground, [], "score_too_low")):
        with by_rule(word):
            async with square.app.transaction():
                new = await square.post(square.alice.id)
                await square.app.execute(insert, new, square.alice.id, cited, rules)
    with by_privilege():
        await square.app.execute("UPDATE statuses SET held_at = parvis_now()")
    with by_privilege():
        await square.app.execute("UPDATE holds SET ends_at = 'infinity'")
    with by_privilege():
        await square.app.execute("DELETE FROM holds")
    assert await square.app.fetchval("SELECT count(*) FROM holds") == 0
    assert await square.app.fetchval("SELECT count(*) FROM statuses") == 1  # the one that was there before


async def test_sql_lets_nobody_end_a_hold_who_may_not(square: Square) -> None:
    await square.begin(**ACTING)
    await square.spam()
    found, = await square.held()
    for change, word in (
        ("state = 'lapsed'", "too_early"), ("state = 'released'", "not_a_moderator"),
        (f"state = 'released', reasons = 'x', ended_by = {square.alice.id}", "not_a_moderator"),
        (f"state = 'released', ended_by = {square.mona.id}", "no_reasons"),
        (f"state = 'confirmed', reasons = 'x', ended_by = {square.mona.id}", "no_decision"),
        ("appeal = NULL", "not_now"), (f"ended_by = {square.mona.id}, appeal = 'x'", "not_now"),
    ):
        with by_rule(word):
            await square.app.execute(f"UPDATE holds SET {change} WHERE id = $1", found.id)
    await square.sign()
    entries = await square.app.fetch("SELECT convert_from(data, 'UTF8')::jsonb ->> 'state' FROM ledger_leaves WHERE kind = 'hold'")
    assert [row[0] for row in entries] == ["held"]


async def test_residents_bring_the_rules_into_a_charter_that_has_none_and_let_them_act(square: Square) -> None:
    await square.begin()
    async with square.db.write() as tx:
        draft = ProposalDraft(article="I.8", title="Agir", text="Que les règles agissent.", scope="procedure", ceiling=0,
                              parameters={"alike_mode": 2})
        await charter.propose(tx, square.alice, draft)
    for parameters in ({"alike_mode": 3}, {"hold_time": 3}, {"nothing_mode": 1}):
        with by_rule("parameters_wrong"):
            await square.app.execute(
                "INSERT INTO proposals (author_id, title, text, scope, ceiling, article, parameters)"
                " VALUES ($1, 'x', 'x', 'procedure', 0, 'I.8', $2)", square.alice.id, json.dumps(parameters))
    await square.owner.execute("UPDATE article_versions SET parameters = parameters - 'alike_mode' WHERE number = 'I.8'")
    async with square.db.write() as tx:
        await charter.propose(tx, square.alice, ProposalDraft(
            article="I.7", title="Agir", text="Que les règles agissent.", scope="procedure", ceiling=0, parameters={"alike_mode": 2}))
    with by_rule("parameters_wrong"):
        await square.app.execute(
            "INSERT INTO proposals (author_id, title, text, scope, ceiling, article, parameters)"
            " VALUES ($1, 'x', 'x', 'posts', 0, 'II.1', '{\"alike_mode\": 2}')", square.alice.id)
    brought = await square.app.fetch("SELECT article, parameters ->> 'alike_mode' AS mode FROM proposals ORDER BY id")
    assert [tuple(row) for row in brought] == [("I.8", "2"), ("I.7", "2")]


async def test_traces_are_forgotten_after_a_week(square: Square) -> None:
    await square.begin()
    await square.spam()
    await square.advance(days=6)
    await screening.forget(square.job)
    assert await square.app.fetchval("SELECT count(*) FROM screening_prints") == 4
    await square.advance(days=2)
    await screening.forget(square.job)
    assert await square.app.fetchval("SELECT count(*) FROM screening_prints") == 0


async def test_the_numbers_of_the_database_are_those_of_the_code(square: Square) -> None:
    said = await square.owner.fetchval("SELECT charter_later()")
    assert json.loads(said) == policy.TERMS
    steps = {tuple(row) for row in await square.app.fetch("SELECT before, step, after FROM hold_steps")}
    assert steps == {(before.value, step.value, after.value) for (before, step), after in policy.LIFE.table.items()}
