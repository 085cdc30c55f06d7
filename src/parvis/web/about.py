"""Who runs this square, and what it does with people's data."""

from __future__ import annotations

from starlette.responses import Response

from parvis.charter import queries as charter
from parvis.peers import policy as naming
from parvis.peers import queries as peers
from parvis.text.messages import words
from parvis.views import queries
from parvis.web import shapes
from parvis.web.site import Visit

MOST = 200


async def about(visit: Visit) -> Response:
    """What this square is, in figures, its rules, and the servers that decisions keep out."""
    async with visit.app.db.read() as r:
        counts = await queries.counts(r)
        servers, now = await peers.kept_out(r, MOST), r.now
        rules = [shapes.article(visit, row) for row in await charter.in_force(r) if row.ceiling > 0]
    contact = {"email": visit.settings.contact_email} if visit.settings.contact_email else None
    figures = {"users": counts.users, "statuses": counts.statuses, "domains": counts.peers}
    kept = [
        {
            "domain": naming.obscured(row.domain) if row.obfuscate else row.domain, "comment": row.comment,
            "severity": visit.say(words.SEVERITIES[row.severity]), "review_at": row.review_at,
            "due": row.review_at <= now,
        }
        for row in servers
    ]
    return visit.show("about.html", stats=figures, rules=rules, contact=contact, servers=kept)


async def privacy(visit: Visit) -> Response:
    """What is known of people here, why and for how long."""
    return visit.show("privacy.html")


async def imprint(visit: Visit) -> Response:
    """Who publishes."""
    return visit.show("imprint.html", imprint={"email": visit.settings.contact_email})
