"""Who runs this square, and what it does with people's data."""

from __future__ import annotations

from starlette.responses import Response

from parvis.charter import queries as charter
from parvis.views import queries
from parvis.web import shapes
from parvis.web.site import Visit


async def about(visit: Visit) -> Response:
    """What this square is, in figures, and its rules."""
    async with visit.app.db.read() as r:
        counts = await queries.counts(r)
        rules = [shapes.article(visit, row) for row in await charter.in_force(r) if row.ceiling > 0]
    contact = {"email": visit.settings.contact_email} if visit.settings.contact_email else None
    figures = {"users": counts.users, "statuses": counts.statuses, "domains": counts.peers}
    return visit.show("about.html", stats=figures, rules=rules, contact=contact)


async def privacy(visit: Visit) -> Response:
    """What is known of people here, why and for how long."""
    return visit.show("privacy.html")


async def imprint(visit: Visit) -> Response:
    """Who publishes."""
    return visit.show("imprint.html", imprint={"email": visit.settings.contact_email})
