"""The SQL of what people bring and take along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parvis.base.db import Read, Tx
from parvis.portability.model import Failure, Import, Kind, Mode, Waiting

ACCT = "a.username || '@' || coalesce(a.domain, $2::text)"
FOLLOWED = f"""SELECT jsonb_build_array({ACCT}, x.show_reblogs::text, x.notify::text,
                                         coalesce(array_to_string(x.languages, ', '), ''))
    FROM follows x JOIN accounts a ON a.id = x.target_id
    WHERE x.account_id = $1 AND a.deleted_at IS NULL ORDER BY x.id"""
LISTED = f"""SELECT jsonb_build_array(l.title, {ACCT}) FROM lists l JOIN list_accounts x ON x.list_id = l.id
    JOIN accounts a ON a.id = x.account_id WHERE l.account_id = $1 AND a.deleted_at IS NULL ORDER BY l.id, x.id"""
MUTED = f"""SELECT jsonb_build_array({ACCT}, x.notifications::text) FROM mutes x JOIN accounts a ON a.id = x.target_id
    WHERE x.account_id = $1 AND a.deleted_at IS NULL AND (x.until IS NULL OR x.until > parvis_now()) ORDER BY x.id"""
BLOCKED = f"""SELECT jsonb_build_array({ACCT}) FROM blocks x JOIN accounts a ON a.id = x.target_id
    WHERE x.account_id = $1 AND a.deleted_at IS NULL ORDER BY x.id"""
DOMAINS = """SELECT jsonb_build_array(domain) FROM domain_blocks
    WHERE account_id = $1 AND $2::text IS NOT NULL ORDER BY id"""
BOOKMARKED = """SELECT jsonb_build_array(s.uri) FROM bookmarks b JOIN statuses s ON s.id = b.status_id
    WHERE b.account_id = $1 AND $2::text IS NOT NULL AND s.deleted_at IS NULL ORDER BY b.id"""
TAKEN: Mapping[Kind, str] = {
    "following": FOLLOWED, "lists": LISTED, "mutes": MUTED, "blocks": BLOCKED, "domain_blocks": DOMAINS,
    "bookmarks": BOOKMARKED,
}


async def taken(r: Read, kind: Kind, account_id: int, domain: str) -> list[list[str]]:
    """What somebody has, as rows of a file of that kind."""
    return await r.values(TAKEN[kind], account_id, domain)


async def add(tx: Tx, account_id: int, kind: Kind, mode: Mode, rows: Sequence[Sequence[str]]) -> int:
    """Insert a file with its rows; its id."""
    return int(
        await tx.value(
            """WITH made AS (INSERT INTO imports (account_id, kind, mode) VALUES ($1, $2, $3) RETURNING id),
                    laid AS (INSERT INTO import_rows (import_id, place, row)
                             SELECT made.id, w.place, w.row
                             FROM made, jsonb_array_elements($4::jsonb) WITH ORDINALITY AS w(row, place))
               SELECT id FROM made""",
            account_id, kind, mode, [list(row) for row in rows],
        )
    )


async def imports(r: Read, account_id: int) -> list[Import]:
    """Somebody's files, the last first, and how far each is."""
    return await r.all(
        Import,
        """SELECT i.id, i.account_id, i.kind, i.mode, i.created_at, i.finished_at, count(w.place)::int,
                  count(w.done_at)::int, count(w.problem)::int
           FROM imports i LEFT JOIN import_rows w ON w.import_id = i.id
           WHERE i.account_id = $1 GROUP BY i.id ORDER BY i.id DESC LIMIT 10""",
        account_id,
    )


async def failures(r: Read, account_id: int, import_id: int) -> list[Failure]:
    """The rows of one of somebody's files that could not be done."""
    return await r.all(
        Failure,
        """SELECT w.row, w.problem FROM import_rows w JOIN imports i ON i.id = w.import_id
           WHERE i.account_id = $1 AND i.id = $2 AND w.problem IS NOT NULL ORDER BY w.place LIMIT 200""",
        account_id, import_id,
    )


async def waiting(r: Read, most: int) -> list[Waiting]:
    """The next rows to be done, of the oldest files first."""
    return await r.all(
        Waiting,
        """SELECT w.import_id, i.account_id, i.kind, w.place, w.row
           FROM import_rows w JOIN imports i ON i.id = w.import_id
           WHERE w.done_at IS NULL AND i.finished_at IS NULL ORDER BY w.import_id, w.place LIMIT $1""",
        most,
    )


async def done(tx: Tx, import_id: int, place: int, problem: str | None) -> int:
    """A row is done, or cannot be; after the last one the file is."""
    await tx.run(
        "UPDATE import_rows SET done_at = parvis_now(), problem = $3 WHERE import_id = $1 AND place = $2",
        import_id, place, problem,
    )
    return await finish(tx, import_id)


async def finish(tx: Tx, import_id: int) -> int:
    """The file is done once no row waits."""
    return await tx.run(
        """UPDATE imports SET finished_at = parvis_now() WHERE id = $1 AND finished_at IS NULL
           AND NOT EXISTS (SELECT FROM import_rows w WHERE w.import_id = $1 AND w.done_at IS NULL)""",
        import_id,
    )
