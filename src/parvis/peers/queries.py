"""The SQL of other servers."""

from __future__ import annotations

from collections.abc import Sequence

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.peers.model import Allow, DomainBlock, Kept, Way

ALLOW = "id, domain, created_at"
ALLOW_PAGE = both_ways(
    f"SELECT {ALLOW} FROM domain_allows WHERE id > $1 AND id < $2 ORDER BY id DESC /*page*/ LIMIT $3"
)

# A server's block is what its newest decision says that is not over, ended, or withdrawn.
BLOCKS = """(SELECT DISTINCT ON (d.block_id) d.block_id AS id, d.id AS decision_id, d.domain, d.severity, d.level::int,
        d.reject_media, d.reject_reports, d.article_version_id, d.legal_order_id, d.facts, d.ends_at, d.review_at,
        d.decided_at,
        m.starts_at
    FROM domain_decisions d LEFT JOIN domain_measures m ON m.decision_id = d.id
    WHERE m.lifted_at IS NULL AND (d.ends_at IS NULL OR d.ends_at > parvis_now())
      AND NOT EXISTS (SELECT FROM liftings l WHERE l.domain_decision_id = d.id)
    ORDER BY d.block_id, d.id DESC) b LEFT JOIN domain_comments c ON c.block_id = b.id"""
BLOCK = "b.*, c.private_comment, c.public_comment, coalesce(c.obfuscate, false)"
BLOCK_PAGE = both_ways(
    f"SELECT {BLOCK} FROM {BLOCKS} WHERE b.id > $1 AND b.id < $2 ORDER BY b.id DESC /*page*/ LIMIT $3"
)


async def add(tx: Tx, domain: str) -> int:
    """Insert a server; 0 when we have met it before."""
    return await tx.run("INSERT INTO peers (domain) VALUES ($1) ON CONFLICT DO NOTHING", domain)


async def hear(tx: Tx, domain: str) -> bool:
    """Write that a server has spoken; once a minute, so that a busy server's row stays cool. True when it was away."""
    return bool(await tx.value(
        """WITH heard AS (
               INSERT INTO peers (domain, heard_at) VALUES ($1, parvis_now())
               ON CONFLICT (domain) DO UPDATE SET heard_at = EXCLUDED.heard_at, away_since = NULL, probe_at = NULL
               WHERE peers.heard_at IS NULL OR peers.heard_at < EXCLUDED.heard_at - interval '1 minute'
                  OR peers.away_since IS NOT NULL)
           SELECT away_since IS NOT NULL FROM peers WHERE domain = $1""",
        domain,
    ))


async def leave(tx: Tx, domains: Sequence[str]) -> int:
    """Write that servers are away, from this moment on."""
    return await tx.run(
        """INSERT INTO peers (domain, away_since, probe_at)
           SELECT d, parvis_now(), parvis_now() + interval '1 day' FROM unnest($1::text[]) d
           ON CONFLICT (domain) DO UPDATE SET away_since = EXCLUDED.away_since, probe_at = EXCLUDED.probe_at
           WHERE peers.away_since IS NULL""",
        list(domains),
    )


async def is_away(r: Read, domain: str) -> bool:
    """Is a server away?"""
    return bool(await r.value("SELECT EXISTS (SELECT FROM peers WHERE domain = $1 AND away_since IS NOT NULL)", domain))


async def come_back(tx: Tx, domain: str) -> bool:
    """Write that a server is there again; False when it was not away."""
    return bool(await tx.run(
        "UPDATE peers SET away_since = NULL, probe_at = NULL WHERE domain = $1 AND away_since IS NOT NULL", domain
    ))


async def probed(tx: Tx, most: int) -> list[str]:
    """Take servers that are away, and whose turn it is to be asked: after a day, later every month."""
    return await tx.values(
        """UPDATE peers SET probe_at = parvis_now() + greatest(interval '1 day', least(interval '30 days',
               (parvis_now() - away_since) / 4))
           WHERE domain IN (SELECT domain FROM peers WHERE away_since IS NOT NULL AND probe_at <= parvis_now()
                            ORDER BY probe_at LIMIT $1 FOR UPDATE SKIP LOCKED)
           RETURNING domain""",
        most,
    )


async def signatures(r: Read, domain: str) -> Way | None:
    """In which way a server understands signatures, where it was found that it is not the usual one."""
    found: Way | None = await r.shared_value("SELECT signatures FROM peers WHERE domain = $1", domain)
    return found


async def remember_signatures(tx: Tx, domain: str, way: Way) -> int:
    """Write in which way a server understands signatures."""
    return await tx.run(
        """INSERT INTO peers (domain, signatures) VALUES ($1, $2)
           ON CONFLICT (domain) DO UPDATE SET signatures = EXCLUDED.signatures""",
        domain, way,
    )


async def domains(r: Read) -> list[str]:
    """Every server this city has met."""
    return await r.values("SELECT domain FROM peers ORDER BY domain")


async def like(r: Read, text: str, limit: int) -> list[str]:
    """The servers whose domain contains a text, those that begin with it first."""
    return await r.values(
        """SELECT domain FROM peers WHERE position($1 IN domain) > 0
           ORDER BY position($1 IN domain), length(domain), domain LIMIT $2""",
        text, limit,
    )


# The names as one text: what many ask at one moment has no arrays.
KEPT_OUT = """SELECT EXISTS (SELECT FROM domain_measures WHERE lifted_at IS NULL AND severity = 'suspend'
                                AND domain = ANY(string_to_array($1, ' ')))
           OR EXISTS (SELECT FROM allow_list)
              AND NOT EXISTS (SELECT FROM domain_allows WHERE domain = ANY(string_to_array($1, ' ')))"""
FILES_KEPT_OUT = """SELECT EXISTS (SELECT FROM domain_measures WHERE lifted_at IS NULL
    AND (severity = 'suspend' OR reject_media) AND domain = ANY(string_to_array($1, ' ')))"""


async def is_kept_out(r: Read, domains: Sequence[str]) -> bool:
    """Is a server, or all below a domain above it, kept out: by a measure, or because only others are welcome?"""
    return bool(await r.shared_value(KEPT_OUT, " ".join(domains)))


async def are_files_kept_out(r: Read, domains: Sequence[str]) -> bool:
    """Does a measure in force keep the pictures, films and sounds of a server out?"""
    return bool(await r.shared_value(FILES_KEPT_OUT, " ".join(domains)))


async def are_reports_kept_out(r: Read, domains: Sequence[str]) -> bool:
    """Does a measure in force keep out what a server reports?"""
    return bool(await r.value(
        """SELECT EXISTS (SELECT FROM domain_measures WHERE lifted_at IS NULL
                              AND (severity = 'suspend' OR reject_reports) AND domain = ANY($1::text[]))""",
        list(domains),
    ))


async def kept_out(r: Read, limit: int) -> list[Kept]:
    """The servers that measures in force keep out or limit, the most severe first."""
    return await r.all(
        Kept,
        """SELECT DISTINCT ON (m.severity, m.domain) m.domain, m.severity, c.public_comment,
                  coalesce(c.obfuscate, false), d.review_at
           FROM domain_measures m JOIN domain_decisions d ON d.id = m.decision_id
           LEFT JOIN domain_comments c ON c.block_id = m.block_id
           WHERE m.lifted_at IS NULL AND m.severity IN ('silence', 'suspend')
           ORDER BY m.severity DESC, m.domain, m.decision_id DESC LIMIT $1""",
        limit,
    )


async def is_closed(r: Read) -> bool:
    """Does the city speak only with servers that are welcome?"""
    return bool(await r.value("SELECT EXISTS (SELECT FROM allow_list)"))


async def close(tx: Tx) -> int:
    """Speak only with servers that are welcome; 0 when that is so already."""
    return await tx.run("INSERT INTO allow_list (one) VALUES (true) ON CONFLICT DO NOTHING")


async def open_up(tx: Tx) -> int:
    """Speak with every server again; 0 when that is so already."""
    return await tx.run("DELETE FROM allow_list")


async def allow(tx: Tx, domain: str, by: int) -> int:
    """Say that a server is welcome; 0 when that was said."""
    return await tx.run(
        "INSERT INTO domain_allows (domain, account_id) VALUES ($1, $2) ON CONFLICT (domain) DO NOTHING", domain, by
    )


async def allowed(r: Read, domain: str) -> Allow | None:
    """Whether a server was said to be welcome."""
    return await r.one(Allow, f"SELECT {ALLOW} FROM domain_allows WHERE domain = $1", domain)


async def allow_by_id(r: Read, allow_id: int) -> Allow | None:
    """One of them."""
    return await r.one(Allow, f"SELECT {ALLOW} FROM domain_allows WHERE id = $1", allow_id)


async def allows(r: Read, page: Page) -> list[Allow]:
    """Servers that are welcome, the last one said so first."""
    return await r.all(Allow, ALLOW_PAGE[page.upwards], page.after, page.before, page.limit)


async def disallow(tx: Tx, allow_id: int) -> bool:
    """Say so no more."""
    return bool(await tx.run("DELETE FROM domain_allows WHERE id = $1", allow_id))


async def block(r: Read, block_id: int) -> DomainBlock | None:
    """One block of a server."""
    return await r.one(DomainBlock, f"SELECT {BLOCK} FROM {BLOCKS} WHERE b.id = $1", block_id)


async def block_of(r: Read, domain: str) -> DomainBlock | None:
    """The block of this very domain."""
    return await r.one(DomainBlock, f"SELECT {BLOCK} FROM {BLOCKS} WHERE b.domain = $1", domain)


async def blocks(r: Read, page: Page) -> list[DomainBlock]:
    """Blocks of servers, the newest first."""
    return await r.all(DomainBlock, BLOCK_PAGE[page.upwards], page.after, page.before, page.limit)
