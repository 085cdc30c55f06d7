"""Lists of servers that others keep, read from their addresses: proposals, never orders."""

from __future__ import annotations

from argparse import Namespace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cities.harness import Cities, City
from cities.test_domain_blocks import charter, moderator, turn
from cities.test_follow import following, relation
from parvis import desk
from parvis.accounts.model import Account
from parvis.base.errors import Conflict, Forbidden, Invalid, Refused
from parvis.base.ids import Page
from parvis.borders import actions as borders
from parvis.borders import queries
from parvis.borders.model import DomainProposal
from parvis.moderation import actions as moderation
from parvis.moderation.model import DomainDraft, Level
from parvis.peers import queries as peers

ADDRESS = "https://lists.example/blocks.csv"
HEAD = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n"


class Keeper:
    """Whoever keeps the list, and what it says at this moment."""

    def __init__(self) -> None:
        self.text, self.status, self.asked = "", 200, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the list."""
        self.asked += 1
        await Response(self.text, self.status, media_type="text/csv")(scope, receive, send)


@pytest.fixture
def keeper(cities: Cities) -> Keeper:
    """A site with a list."""
    made = Keeper()
    cities.network.hosts["lists.example"] = made
    return made


async def proposals(city: City) -> list[DomainProposal]:
    return sorted(await city.look(queries.proposals, Page(), None), key=lambda one: one.domain)


async def adopt(city: City, by: Account, proposal: DomainProposal) -> int:
    """A moderator decides as a list proposes."""
    rule = await city.value("SELECT id FROM article_versions WHERE number = 'II.1'")
    async with city.db.write() as tx:
        mandate = await moderation.mandate(tx, by, await moderation.domain_ground(tx, proposal.domain, [rule]))
        return await borders.adopt(tx, by, mandate, proposal, DomainDraft(
            domain=proposal.domain, severity="suspend", level=Level.suspension, reject_media=False, reject_reports=False,
            facts="We looked at it ourselves.", ends_at=tx.now + timedelta(days=20), block_id=proposal.block_id))


async def test_a_list_is_read_once_a_day_and_cuts_nobody_off_until_moderators_decide(
    cities: Cities, nord: City, sued: City, keeper: Keeper
) -> None:
    await charter(nord)
    alice, bela = await nord.person("alice"), await sued.person("bela")
    mona, noor = await moderator(nord, "mona"), await moderator(nord, "noor")
    bela_in_nord, _ = await following(cities, nord, alice, sued, bela)
    keeper.text = HEAD + "sued.example,suspend,false,false,Spam,false\nnord.example,suspend,false,false,Us,false\n"
    await nord.do(borders.subscribe, None, "Neighbours", ADDRESS)
    with pytest.raises(Conflict, match="list_known"):
        await nord.do(borders.subscribe, mona, "The same", ADDRESS)
    assert (await borders.read_lists(nord.job), await borders.read_lists(nord.job), keeper.asked) == (1, 0, 1)
    await turn(nord)
    (proposal,) = await proposals(nord)
    assert (proposal.domain, proposal.severity, proposal.comment, proposal.list_name) == ("sued.example", "suspend", "Spam", "Neighbours")
    assert not await nord.look(peers.is_kept_out, ["sued.example"])
    assert await relation(nord, alice, bela_in_nord) == "follows"

    made = await adopt(nord, mona, proposal)
    assert await proposals(nord) == []
    await turn(nord)
    assert not await nord.look(peers.is_kept_out, ["sued.example"])  # a second moderator has to agree, as always
    await nord.do(moderation.confirm_domain, noor, made)
    await turn(nord)
    assert await nord.look(peers.is_kept_out, ["sued.example"])
    assert await relation(nord, alice, bela_in_nord) == "none"

    keeper.text = HEAD + "other.example,silence,false,false,,false\n"
    await cities.advance(timedelta(days=2))
    assert await borders.read_lists(nord.job) == 1
    other, gone = await proposals(nord)
    assert [(one.domain, one.severity) for one in (other, gone)] == [("other.example", "silence"), ("sued.example", "lift")]
    assert await nord.look(peers.is_kept_out, ["sued.example"])  # that the list thinks otherwise changes nothing either
    async with nord.db.write() as tx:
        row = await peers.block(tx, made)
        assert row is not None
        await borders.let_go(tx, mona, await moderation.mandate(tx, mona, await moderation.same_ground(tx, row)), gone, "So do we.")
    await turn(nord)
    assert await relation(nord, alice, bela_in_nord) == "follows"


async def test_a_list_that_cannot_be_read_proposes_what_it_did_before(cities: Cities, nord: City, keeper: Keeper) -> None:
    keeper.text = HEAD + "other.example,suspend,false,false,,false\n"
    made = await nord.do(borders.subscribe, None, "Neighbours", ADDRESS)
    await borders.read_lists(nord.job)
    before = await proposals(nord)
    for text, status, word in (("<html>Sorry</html>", 200, "not_a_list"), ("x.example\n", 503, "list_not_read"), ("", 200, "not_a_list")):
        keeper.text, keeper.status = text, status
        await cities.advance(timedelta(days=2))
        await borders.read_lists(nord.job)
        found = await nord.look(queries.shared_list, made)
        assert (found.failed if found else "") == word
        assert await proposals(nord) == before
    keeper.text, keeper.status = "x.example\n", 200
    await cities.advance(timedelta(days=2))
    await borders.read_lists(nord.job)
    assert [one.domain for one in await proposals(nord)] == ["x.example"]
    await nord.do(borders.unsubscribe, made)
    assert (await proposals(nord), await borders.read_lists(nord.job)) == ([], 0)


async def test_only_moderators_answer_and_only_once(nord: City) -> None:
    await charter(nord)
    alice, mona = await nord.person("alice"), await moderator(nord, "mona")
    with pytest.raises(Forbidden, match="not_a_moderator"):
        await nord.do(borders.subscribe, alice, "Mine", None)
    made = await nord.do(borders.subscribe, mona, "Ours", None)
    assert await nord.do(borders.hand_in, made, "a.example\nb.example\n", nord.domain) == 2
    first, second = await proposals(nord)
    with pytest.raises(Forbidden, match="not_a_moderator"):
        await nord.do(borders.lay_aside, alice, first, "Friends of mine.")
    with pytest.raises(Refused, match="not_a_moderator"):
        await nord.do(queries.settle, first.id, alice.id, None, "Friends of mine.")
    decision = await adopt(nord, mona, second)
    with pytest.raises(Refused, match="other_server"):
        await nord.do(queries.settle, first.id, mona.id, decision, "The wrong one.")
    await nord.do(borders.lay_aside, mona, first, "We saw nothing of that.")
    for answered in (first, second):
        with pytest.raises(Conflict, match="already_settled"):
            await nord.do(borders.lay_aside, mona, answered, "Again.")
    assert await nord.do(borders.hand_in, made, "a.example\nb.example\n", nord.domain) == 0  # it says nothing new


async def test_the_operator_reads_lists_and_closes_the_city_by_command(
    nord: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = desk.Here(nord.settings, nord.db, "", None)
    mona = await moderator(nord, "mona")
    file = tmp_path / "blocks.csv"
    file.write_text(HEAD + "other.example,silence,false,false,Spam,false\n")
    await desk.add_list(here, Namespace(source=str(file), name=None))
    await desk.add_list(here, Namespace(source=ADDRESS, name="Neighbours"))
    await desk.show_lists(here, Namespace())
    said = capsys.readouterr().out
    assert all(line in said for line in ("blocks.csv (a file): 1 proposals", "  silence other.example", f"Neighbours ({ADDRESS}): 0 proposals"))
    with pytest.raises(Invalid, match="not_a_list"):
        file.write_text("")
        await desk.add_list(here, Namespace(source=str(file), name="Nothing"))
    assert len(await nord.look(queries.lists)) == 2
    for one in await nord.look(queries.lists):
        await desk.remove_list(here, Namespace(number=one.id))
    with pytest.raises(desk.Refusal, match="no list 7"):
        await desk.remove_list(here, Namespace(number=7))
    await nord.do(peers.allow, "sued.example", mona.id)
    capsys.readouterr()
    for state in ("on", "show", "off"):
        await desk.switch_allow_list(here, Namespace(state=state))
    assert capsys.readouterr().out.splitlines() == [
        "Only servers that are welcome are spoken with:", "  sued.example"] * 2 + ["Every server is spoken with. Welcome are:", "  sued.example"]
