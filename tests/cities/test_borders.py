"""Follows across a border: counted before a decision, suspended by it, and all back when it is over."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from cities.harness import Cities, City
from cities.test_domain_blocks import charter, shut, turn
from cities.test_follow import following, relation
from parvis.access import actions as access
from parvis.access.model import SignUp
from parvis.accounts import actions as accounts
from parvis.accounts.model import Account, FollowWish
from parvis.base.errors import Forbidden
from parvis.base.ids import Page
from parvis.borders import actions as reviews
from parvis.borders import queries as borders
from parvis.moderation import actions as moderation
from parvis.moderation.model import DomainDraft, Level
from parvis.notifications import queries as notifications
from parvis.notifications.model import Choice
from parvis.peers import queries as peers
from parvis.portability import queries as portability

COUNTS = """SELECT ARRAY[coalesce(sum(followers), 0), coalesce(sum(following), 0)]::int[] FROM (
    SELECT followers, following FROM account_counts WHERE account_id = $1
    UNION ALL SELECT followers, following FROM account_count_deltas WHERE account_id = $1) c"""


async def resident(city: City, name: str) -> Account:
    """Somebody who settles here with an address, and so can be told things."""
    prepared = await access.prepare(city.settings, SignUp(name, f"{name}@example.org", "correct horse", "en", True))
    made = await city.do(access.sign_up, prepared, city.settings, confirmed=True)
    return await city.known(made.id)


async def lift(city: City, block: int, by: Account) -> None:
    """A moderator ends what keeps a server out."""
    async with city.db.write() as tx:
        found = await peers.block(tx, block)
        assert found is not None
        mandate = await moderation.mandate(tx, by, await moderation.same_ground(tx, found))
        await moderation.lift_domain(tx, by, mandate, block, "They stopped.")
    await turn(city)


async def told(city: City, who: Account) -> list[tuple[str, str, int, int]]:
    """Which follows across somebody was told of: of which server, followers and follows."""
    kinds = Choice(kinds=["severed_relationships", "restored_relationships"])
    rows = await city.look(notifications.page, who.id, Page(), kinds)
    about: list[dict[str, Any]] = [row.about or {} for row in rows]
    return [(row.kind, said["target_name"], said["followers"], said["following"])
            for row, said in zip(rows, about, strict=True)][::-1]


async def about(cities: Cities, city: City) -> str:
    """What the city says of itself to everybody."""
    answer = await cities.get(f"https://{city.domain}/about?lang=en", accept="text/html")
    assert answer.status == 200
    return answer.body.decode()


async def follow_row(city: City, by: Account, target: Account) -> Any:
    return await city.value("SELECT to_jsonb(f) FROM follows f WHERE account_id = $1 AND target_id = $2", by.id, target.id)


async def test_who_would_be_cut_off_is_counted_before_anybody_decides(cities: Cities, nord: City, sued: City) -> None:
    alice, chidi, bela = await nord.person("alice"), await nord.person("chidi"), await sued.person("bela")
    emma = await sued.person("emma", locked=True)
    await following(cities, nord, alice, sued, bela)
    await following(cities, nord, chidi, sued, bela)
    await following(cities, nord, chidi, sued, emma)  # waits for an answer
    await following(cities, sued, bela, nord, alice)
    await sued.post(bela, "One of theirs")
    await cities.settle()
    found = await nord.look(borders.preview, "sued.example")
    assert (found.following, found.followers, found.requests, found.people) == (2, 1, 1, 2)
    assert (found.accounts >= 2, found.statuses, found.media) == (True, 1, 0)
    assert await nord.look(borders.preview, "example") == found  # a decision is about all below a domain, too
    elsewhere = await nord.look(borders.preview, "ued.example")
    assert (elsewhere.people, elsewhere.accounts) == (0, 0)


async def test_follows_are_suspended_both_ways_and_come_back_whole(cities: Cities, nord: City, sued: City) -> None:
    await charter(nord)
    alice, bela = await resident(nord, "alice"), await sued.person("bela")
    bela_in_nord, alice_in_sued = await following(cities, nord, alice, sued, bela)
    await following(cities, sued, bela, nord, alice)
    await nord.do(accounts.follow, alice, bela_in_nord, FollowWish(reblogs=False, notify=True, languages=["fr"]))
    await nord.do(accounts.endorse, alice, bela_in_nord)
    await nord.as_owner("INSERT INTO lists (account_id, title) VALUES ($1, 'Friends')", alice.id)
    await nord.as_owner("INSERT INTO list_accounts (list_id, account_id) SELECT id, $1 FROM lists", bela_in_nord.id)
    await cities.settle()
    before = [await follow_row(nord, alice, bela_in_nord), await follow_row(nord, bela_in_nord, alice)]
    assert await nord.value(COUNTS, alice.id) == [1, 1]

    block, mona = await shut(nord, "sued.example")
    assert await relation(nord, alice, bela_in_nord) == await relation(nord, bela_in_nord, alice) == "none"
    assert (await nord.value(COUNTS, alice.id), await nord.value(COUNTS, bela_in_nord.id)) == ([0, 0], [0, 0])
    assert await told(nord, alice) == [("severed_relationships", "sued.example", 1, 1)]
    assert await told(nord, mona) == []  # whom it takes nothing from hears nothing
    await nord.post(alice, "Who hears me?")
    await cities.settle()
    assert await nord.value("SELECT count(*) FROM deliveries") == 0
    taken = await nord.look(portability.taken, "following", alice.id, nord.domain)
    assert [row[:3] for row in taken] == [["bela@sued.example", "false", "true"]]  # whoever leaves takes them along
    with pytest.raises(Forbidden, match="unavailable"):
        await nord.do(accounts.follow, alice, await nord.known(bela_in_nord.id))

    await lift(nord, block, mona)
    assert [await follow_row(nord, alice, bela_in_nord), await follow_row(nord, bela_in_nord, alice)] == before
    assert (await nord.value(COUNTS, alice.id), await nord.value(COUNTS, bela_in_nord.id)) == ([1, 1], [1, 1])
    assert await nord.value("SELECT count(*) FROM list_accounts WHERE account_id = $1", bela_in_nord.id) == 1
    assert await nord.value("SELECT count(*) FROM endorsements WHERE account_id = $1", alice.id) == 1
    assert await told(nord, alice) == [
        ("severed_relationships", "sued.example", 1, 1), ("restored_relationships", "sued.example", 1, 1)]
    assert await nord.value("SELECT count(*) FROM suspended_follows") == 0
    heard = await nord.post(alice, "Here I am")
    await cities.advance(timedelta(hours=3))
    await cities.settle()
    assert await sued.copy(heard) is not None
    assert await relation(sued, bela, alice_in_sued) == "follows"


async def test_moderators_are_reminded_once_of_what_is_to_be_looked_at_again(cities: Cities, nord: City, sued: City) -> None:
    await charter(nord)
    bela = await sued.person("bela")
    await following(cities, nord, await nord.person("alice"), sued, bela)
    block, _ = await shut(
        nord, "sued.example", severity="silence", level=Level.reduced_visibility, review_at=nord.clock.now() + timedelta(days=5))
    assert await reviews.remind(nord.job) == 0
    page = await about(cities, nord)
    assert ("sued.example</strong>: limited" in page, "Looked at again by" in page) == (True, True)
    await cities.advance(timedelta(days=6))
    assert (await reviews.remind(nord.job), await reviews.remind(nord.job)) == (1, 0)
    await cities.settle()
    letters = [path.read_text() for path in nord.settings.mails.iterdir()]
    reminders = [letter for letter in letters if "A decision about sued.example is to be looked at again" in letter]
    assert sorted(re.findall(r"^To: (\w+)@", "\n".join(reminders), re.MULTILINE)) == ["mona", "noor"]
    assert all(f"Its number is {block}" in " ".join(letter.split()) for letter in reminders)
    assert (await nord.look(peers.kept_out, 10))[0].review_at <= nord.clock.now()
    assert "To be looked at again since" in await about(cities, nord)  # and everybody can see it
    await cities.advance(timedelta(days=20))
    await turn(nord)
    assert await reviews.remind(nord.job) == 0  # what is over needs nobody's eye


async def test_follows_come_back_by_themselves_when_the_time_is_over(cities: Cities, nord: City, sued: City) -> None:
    await charter(nord)
    alice, bela = await resident(nord, "alice"), await sued.person("bela")
    bela_in_nord, _ = await following(cities, nord, alice, sued, bela)
    await shut(nord, "sued.example")
    assert await relation(nord, alice, bela_in_nord) == "none"
    await cities.advance(timedelta(days=21))
    await turn(nord)
    assert await relation(nord, alice, bela_in_nord) == "follows"
    assert [row[0] for row in await told(nord, alice)] == ["severed_relationships", "restored_relationships"]


async def test_what_one_ends_meanwhile_does_not_come_back(cities: Cities, nord: City, sued: City) -> None:
    await charter(nord)
    alice, chidi, bela = await resident(nord, "alice"), await resident(nord, "chidi"), await sued.person("bela")
    dora = await resident(nord, "dora")
    bela_in_nord, _ = await following(cities, nord, alice, sued, bela)
    for who in (chidi, dora):
        await following(cities, nord, who, sued, bela)
        await following(cities, sued, bela, nord, who)
    block, mona = await shut(nord, "sued.example")
    away = await nord.known(bela_in_nord.id)
    await nord.do(accounts.unfollow, alice, away)
    await nord.do(accounts.block, chidi, away)
    await nord.do(accounts.block_domain, dora, "sued.example")
    await lift(nord, block, mona)
    for who in (alice, chidi, dora):
        assert await relation(nord, who, bela_in_nord) == await relation(nord, bela_in_nord, who) == "none"
        assert [row[0] for row in await told(nord, who)][:1] == ["severed_relationships"]
        assert "restored_relationships" not in [row[0] for row in await told(nord, who)]
    assert await nord.value(COUNTS, bela_in_nord.id) == [0, 0]


async def test_what_a_second_decision_keeps_out_stays_suspended(cities: Cities, nord: City, sued: City) -> None:
    await charter(nord)
    alice, bela = await resident(nord, "alice"), await sued.person("bela")
    bela_in_nord, _ = await following(cities, nord, alice, sued, bela)
    block, mona = await shut(nord, "sued.example")
    noor = await nord.known(await nord.value("SELECT id FROM accounts WHERE username = 'noor'"))
    async with nord.db.write() as tx:
        found = await peers.block(tx, block)
        assert found is not None
        mandate = await moderation.mandate(tx, mona, await moderation.same_ground(tx, found))
        wider = await moderation.decide_domain(tx, mona, mandate, DomainDraft(
            domain="example", severity="suspend", level=Level.suspension, reject_media=False, reject_reports=False,
            facts="All of them.", ends_at=tx.now + timedelta(days=30)))
    await nord.do(moderation.confirm_domain, noor, wider)
    await turn(nord)
    await lift(nord, block, mona)
    assert await relation(nord, alice, bela_in_nord) == "none"
    assert len(await told(nord, alice)) == 1
    await lift(nord, wider, mona)
    assert await relation(nord, alice, bela_in_nord) == "follows"


async def shown(cities: Cities, city: City, what: str) -> Any:
    """What the city shows everybody under an address of its API."""
    answer = await cities.get(f"https://{city.domain}/api/v1/{what}", accept="application/json")
    assert answer.status == 200
    return json.loads(answer.body)


async def test_refused_files_are_shown_nowhere_wherever_they_lie_and_again_afterwards(
    cities: Cities, nord: City, sued: City
) -> None:
    await charter(nord)
    alice, bela = await nord.person("alice"), await sued.person("bela")
    bela_in_nord, _ = await following(cities, nord, alice, sued, bela)
    said = await sued.post(bela, "A picture")
    await cities.settle()
    copy = await nord.copy(said)
    assert copy is not None
    await nord.as_owner(
        """INSERT INTO media (account_id, status_id, kind, content_type, remote_url, description)
           VALUES ($1, $2, 'image', 'image/png', 'https://cdn.example/x.png', 'A house')""", bela_in_nord.id, copy.id)
    await nord.as_owner("UPDATE accounts SET avatar_url = 'https://cdn.example/bela.png' WHERE id = $1", bela_in_nord.id)

    async def seen() -> tuple[str, str, bool, bool]:
        file = (await shown(cities, nord, f"statuses/{copy.id}"))["media_attachments"][0]
        avatar = (await shown(cities, nord, f"accounts/{bela_in_nord.id}"))["avatar"]
        return file["type"], file["description"], "/proxy/" in (file["preview_url"] or file["url"]), "/proxy/" in avatar

    assert await seen() == ("image", "A house", True, True)
    block, mona = await shut(nord, "sued.example", severity="silence", level=Level.reduced_visibility, reject_media=True)
    assert await seen() == ("unknown", "A house", False, False)
    assert await relation(nord, alice, bela_in_nord) == "follows"  # that is all it does
    await nord.as_owner(
        "INSERT INTO accounts (username, domain, uri, url, avatar_url) VALUES ('emma', $1, $2, $2, 'https://cdn.example/e.png')",
        "sued.example", "https://sued.example/ap/users/77")
    emma = await nord.value("SELECT id FROM accounts WHERE username = 'emma'")
    assert "/proxy/" not in (await shown(cities, nord, f"accounts/{emma}"))["avatar"]  # whoever is met later, too
    await lift(nord, block, mona)
    assert await seen() == ("image", "A house", True, True)
    assert "/proxy/" in (await shown(cities, nord, f"accounts/{emma}"))["avatar"]
