"""Quotes, and who may quote and answer."""

from __future__ import annotations

import msgspec

from parvis.api.call import Call, get, post, put
from parvis.api.statuses import ListOfOne, shown
from parvis.quotes import actions as quotes
from parvis.quotes import queries
from parvis.quotes.model import QuotePolicy
from parvis.statuses import queries as statuses
from parvis.statuses.model import ReplyPolicy
from parvis.views import status as view


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Who may quote and answer one's post; what is left out stays as it was."""

    id: int
    quote_approval_policy: QuotePolicy | None = None
    reply_policy: ReplyPolicy | None = None


class OneQuote(msgspec.Struct, frozen=True, kw_only=True):
    """One of the quotes of a post."""

    id: int
    quoting_status_id: int


@put("/api/v1/statuses/{id}/interaction_policy", "write:statuses")
async def interaction_policy(call: Call, args: Policy) -> bytes:
    """Change who may quote one's post, and who may answer it; earlier quotes and answers stay."""
    me = await call.me()
    await quotes.open_to(call.tx, me, args.id, args.quote_approval_policy, args.reply_policy)
    return await shown(call, args.id)


@get("/api/v1/statuses/{id}/quotes", "read:statuses", who="anyone")
async def quotes_of(call: Call, args: ListOfOne) -> bytes:
    """The posts that quote one with its author's leave, as far as one may see them."""
    found = await queries.quotes(call.read, call.viewer, args.id, args.page())
    if not found:
        await statuses.visible(call.read, args.id, call.viewer)
    call.link(found)
    return await view.page(call.read, call.eye(), found)


@post("/api/v1/statuses/{id}/quotes/{quoting_status_id}/revoke", "write:statuses")
async def revoke(call: Call, args: OneQuote) -> bytes:
    """No longer let a quote show one's post; the answer is the quote, or one's post if that is not to be seen."""
    me = await call.me()
    await quotes.revoke(call.tx, me, args.quoting_status_id, args.id)
    found = await statuses.seen(call.tx, args.quoting_status_id, me.id)
    return await shown(call, found.id if found else args.id)
