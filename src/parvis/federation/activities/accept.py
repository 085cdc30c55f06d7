"""Someone elsewhere lets someone here follow, or quote."""

from __future__ import annotations

import re

from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.db import Read, Tx
from parvis.base.errors import NotFound
from parvis.federation import jsonld, queries, wire
from parvis.federation.activities.incoming import Incoming, person
from parvis.federation.relaying import queries as relaying
from parvis.quotes import actions as quotes
from parvis.statuses import queries as posts

_QUOTE = re.compile(r".*#quote_requests/([0-9]{1,18})")
_FOLLOW = re.compile(r".*#follows/([0-9]{1,18})")


async def receive(tx: Tx, given: Incoming) -> None:
    """The follow or the quote that was asked for comes into force; only the one who was asked can say so."""
    if await relay_answers(tx, given, accepted=True):
        return
    quoting = await quoting_asked(tx, given)
    if quoting is not None:
        if given.activity.result and given.near(given.activity.result):
            await quotes.accept(tx, given.sender, quoting, given.activity.result)
        return
    follower = await asked(tx, given)
    if follower is not None:
        try:
            await accounts.accept_follow(tx, given.sender, follower)
        except NotFound:
            return


async def relay_answers(tx: Tx, given: Incoming, *, accepted: bool) -> bool:
    """A relay says whether it passes things on: one that was asked, of what the city itself asked."""
    city = wire.instance_uri(given.base)
    asker = jsonld.reference((given.activity.written or {}).get("actor"))
    asked_by_city = asker == city or (given.activity.object or "").startswith(f"{city}#relays/")
    return asked_by_city and await relaying.answer(tx, given.sender.id, accepted)


async def quoting_asked(r: Read, given: Incoming) -> int | None:
    """Which post of this city had asked to quote, by the id of our request or by what it says."""
    match = _QUOTE.fullmatch(given.activity.object or "")
    written = given.activity.written or {}
    if match:
        found = await posts.by_id(r, int(match[1]))
        ours = found is not None and found.local and (given.activity.object or "").startswith(f"{given.base}/")
        return found.id if found and ours else None
    if jsonld.kind(written) == "QuoteRequest":
        found = await posts.by_uri(r, jsonld.reference(written.get("instrument")) or "")
        return found.id if found and found.local else None
    return None


async def asked(r: Read, given: Incoming) -> Account | None:
    """Who of this city had asked the sender, by the id of our Follow or by what it says."""
    match = _FOLLOW.fullmatch(given.activity.object or "")
    parties = await queries.follow_parties(r, int(match[1])) if match else None
    if parties is not None and parties[1] == given.sender.id:
        found = await people.by_id(r, parties[0])
        if found and found.local and (given.activity.object or "").startswith(f"{found.uri}#"):
            return found
    written = given.activity.written or {}
    if jsonld.kind(written) == "Follow" and jsonld.reference(written.get("object")) == given.sender.uri:
        return await person(r, jsonld.reference(written.get("actor")))
    return None
