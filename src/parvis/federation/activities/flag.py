"""Another server reports what somebody here says or does."""

from __future__ import annotations

from datetime import timedelta

from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import TooMany
from parvis.federation import jsonld, queries
from parvis.federation.activities.incoming import Incoming, person
from parvis.moderation import actions as moderation
from parvis.moderation.model import ReportDraft
from parvis.moderation.policy import LONGEST_FACTS
from parvis.peers import queries as servers
from parvis.peers.policy import above
from parvis.statuses import queries as posts
from parvis.statuses.model import Status

REPORTS = 100
"""How many reports of one server reach the moderators in a day."""
NAMED = 50
"""How many people and posts one Flag may name."""


async def receive(tx: Tx, given: Incoming) -> None:
    """One report on each person named, with those of their posts that the sender's server may have; no more."""
    host = jsonld.host(given.sender.uri)
    if await servers.are_reports_kept_out(tx, above(host)):
        return
    named = jsonld.references(given.activity.said.get("object"))
    ours = [uri for uri in dict.fromkeys(named) if jsonld.host(uri) == jsonld.host(given.base)][:NAMED]
    cited = await posts.known_to(tx, ours, given.sender.domain or "")
    comment = jsonld.text(given.activity.said.get("content")).replace("\x00", "")[:LONGEST_FACTS]
    for target in await _accused(tx, ours, cited):
        if not await queries.count_report(tx, host, REPORTS):
            raise TooMany(tx.now + timedelta(days=1), most=REPORTS)
        said = tuple(status.id for status in cited if status.account_id == target.id)
        await moderation.report(tx, given.sender, target, ReportDraft(status_ids=said, comment=comment))


async def _accused(r: Read, uris: list[str], cited: list[Status]) -> list[Account]:
    """The people of this city who are named; where only posts are, their authors."""
    named = [found for uri in uris if (found := await person(r, uri))]
    return named or await people.by_ids(r, list({status.account_id for status in cited}))
