"""The SQL of what people bring and take along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from parvis.base.db import Read, Tx
from parvis.portability.model import (
    Archive,
    Failure,
    Filed,
    Import,
    Invitation,
    InvitationWish,
    Inviter,
    Kept,
    Kind,
    Mode,
    Spent,
    Waiting,
)
from parvis.statuses.model import Status
from parvis.statuses.queries import STATUS

ACCT = "a.username || '@' || coalesce(a.domain, $2::text)"
FOLLOWED = f"""SELECT jsonb_build_array({ACCT}, x.show_reblogs::text, x.notify::text,
                                         coalesce(array_to_string(x.languages, ', '), ''))
    FROM (SELECT id, target_id, show_reblogs, notify, languages FROM follows WHERE account_id = $1
          UNION ALL SELECT id, target_id, show_reblogs, notify, languages FROM suspended_follows
                    WHERE account_id = $1) x
    JOIN accounts a ON a.id = x.target_id
    WHERE a.deleted_at IS NULL ORDER BY x.id"""
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
ARCHIVE = "id, account_id, file, size, created_at, ready_at"
MARKED: Mapping[str, str] = {
    table: f"""SELECT m.status_id, s.uri FROM {table} m JOIN statuses s ON s.id = m.status_id
        WHERE m.account_id = $1 AND m.status_id > $2 AND s.deleted_at IS NULL ORDER BY m.status_id LIMIT $3"""
    for table in ("favourites", "bookmarks")
}
# An invitation counts while it has uses and time left and its maker could sign in and is under no measure.
LIVE = """i.withdrawn_at IS NULL AND (i.due_at IS NULL OR i.due_at > parvis_now())
    AND (i.most_uses IS NULL OR i.uses < i.most_uses)"""
AT_HOME = """u.confirmed_at IS NOT NULL AND u.approved_at IS NOT NULL AND u.disabled_at IS NULL
    AND a.suspended_at IS NULL AND a.limited_at IS NULL AND a.deleted_at IS NULL"""


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


async def add_invitation(tx: Tx, account_id: int, code: str, wish: InvitationWish, due_at: datetime | None) -> int:
    """Insert an invitation; its id."""
    return int(await tx.value(
        """INSERT INTO invitations (account_id, code, most_uses, follow, due_at) VALUES ($1, $2, $3, $4, $5)
           RETURNING id""",
        account_id, code, wish.most_uses, wish.follow, due_at,
    ))


async def invitations(r: Read, account_id: int) -> list[Invitation]:
    """Somebody's invitations that were not withdrawn, the last first."""
    return await r.all(
        Invitation,
        f"""SELECT i.id, i.code, i.most_uses, i.uses, i.due_at, i.follow, i.created_at, ({LIVE}) AS live
            FROM invitations i WHERE i.account_id = $1 AND i.withdrawn_at IS NULL ORDER BY i.id DESC LIMIT 100""",
        account_id,
    )


async def standing(r: Read, account_id: int) -> int:
    """How many of somebody's invitations count."""
    return int(await r.value(f"SELECT count(*)::int FROM invitations i WHERE i.account_id = $1 AND {LIVE}", account_id))


async def withdraw(tx: Tx, account_id: int, invitation_id: int) -> bool:
    """Take one of somebody's own invitations back; False when there is none that stands."""
    return bool(await tx.run(
        """UPDATE invitations SET withdrawn_at = parvis_now()
           WHERE account_id = $1 AND id = $2 AND withdrawn_at IS NULL""",
        account_id, invitation_id,
    ))


async def inviter(r: Read, code: str) -> Inviter | None:
    """Whose invitation this is, and whether it counts."""
    return await r.one(
        Inviter,
        f"""SELECT i.account_id, i.follow, ({LIVE} AND {AT_HOME}) AS live
            FROM invitations i JOIN users u ON u.account_id = i.account_id JOIN accounts a ON a.id = i.account_id
            WHERE i.code = $1""",
        code,
    )


async def spend(tx: Tx, code: str) -> Spent | None:
    """Count one more use; None when none is left. The row is held until this commits: nobody has the same use."""
    return await tx.one(
        Spent,
        f"""UPDATE invitations i SET uses = i.uses + 1 FROM users u, accounts a
            WHERE i.code = $1 AND u.account_id = i.account_id AND a.id = i.account_id AND {LIVE} AND {AT_HOME}
            RETURNING i.id, i.account_id""",
        code,
    )


async def add_invited(tx: Tx, account_id: int, invitation_id: int) -> int:
    """Note by which invitation somebody came."""
    return await tx.run("INSERT INTO invited (account_id, invitation_id) VALUES ($1, $2)", account_id, invitation_id)


async def to_follow(r: Read, account_id: int) -> int | None:
    """Whom somebody who has been let in follows, since they were invited so."""
    found: int | None = await r.value(
        f"""SELECT i.account_id FROM invited w JOIN invitations i ON i.id = w.invitation_id
            JOIN users u ON u.account_id = w.account_id JOIN accounts a ON a.id = w.account_id
            WHERE w.account_id = $1 AND i.follow AND {AT_HOME}""",
        account_id,
    )
    return found


async def add_archive(tx: Tx, account_id: int) -> Archive | None:
    """Insert an archive that is still to be put together."""
    return await tx.one(Archive, f"INSERT INTO archives (account_id) VALUES ($1) RETURNING {ARCHIVE}", account_id)


async def archives(r: Read, account_id: int) -> list[Archive]:
    """Somebody's archives, the last first; one that is older than a week is as good as gone."""
    return await r.all(
        Archive,
        f"""SELECT {ARCHIVE} FROM archives
            WHERE account_id = $1 AND (ready_at IS NULL OR ready_at > parvis_now() - interval '7 days')
            ORDER BY id DESC""",
        account_id,
    )


async def asked_last(r: Read, account_id: int) -> datetime | None:
    """When somebody asked for an archive the last time."""
    found: datetime | None = await r.value("SELECT max(created_at) FROM archives WHERE account_id = $1", account_id)
    return found


async def archive(r: Read, archive_id: int) -> Archive | None:
    """One archive, ready or not."""
    return await r.one(Archive, f"SELECT {ARCHIVE} FROM archives WHERE id = $1", archive_id)


async def finish_archive(tx: Tx, archive_id: int, file: str, size: int) -> bool:
    """Note where an archive lies; False when it was ready before, or nobody waits for it any more."""
    return bool(await tx.run(
        """UPDATE archives SET file = $2, size = $3, ready_at = parvis_now() WHERE id = $1 AND ready_at IS NULL""",
        archive_id, file, size,
    ))


async def drop_old_archives(tx: Tx) -> int:
    """Forget archives a week after they were ready, and those that were not within a day."""
    return await tx.run(
        """DELETE FROM archives WHERE ready_at <= parvis_now() - interval '7 days'
           OR (ready_at IS NULL AND created_at <= parvis_now() - interval '1 day')"""
    )


async def said(r: Read, account_id: int, after: int, limit: int) -> list[Status]:
    """What somebody wrote and passed on, whoever may see it, in the order in which they did."""
    return await r.all(
        Status,
        f"""SELECT {STATUS} FROM statuses s
            WHERE s.account_id = $1 AND s.id > $2 AND s.deleted_at IS NULL ORDER BY s.id LIMIT $3""",
        account_id, after, limit,
    )


async def filed(r: Read, account_id: int, after: int, limit: int) -> list[Filed]:
    """The files of so many of somebody's posts, and of their earlier states."""
    return await r.all(
        Filed,
        """WITH page AS (SELECT id FROM statuses WHERE account_id = $1 AND id > $2 AND deleted_at IS NULL
                         ORDER BY id LIMIT $3)
           SELECT p.id AS status_id, m.file FROM page p
           LEFT JOIN LATERAL (SELECT file FROM media WHERE status_id = p.id AND file IS NOT NULL
                              UNION ALL SELECT file FROM media
                              WHERE shown_before = p.id AND status_id IS NULL AND file IS NOT NULL) m ON true
           ORDER BY p.id, m.file""",
        account_id, after, limit,
    )


async def marked(r: Read, table: str, account_id: int, after: int, limit: int) -> list[Kept]:
    """What somebody marked as a favourite, or put aside."""
    return await r.all(Kept, MARKED[table], account_id, after, limit)


async def add_move(tx: Tx, account_id: int, target_id: int) -> int:
    """Insert that somebody moves; its id."""
    return int(await tx.value(
        "INSERT INTO moves (account_id, target_id) VALUES ($1, $2) RETURNING id", account_id, target_id
    ))


async def moved_last(r: Read, account_id: int) -> datetime | None:
    """When somebody moved the last time, whether they took it back or not."""
    found: datetime | None = await r.value("SELECT max(created_at) FROM moves WHERE account_id = $1", account_id)
    return found


async def tied(r: Read, account_id: int, after: int, limit: int) -> list[int]:
    """Those of this city who follow, block or mute somebody, in the order of their ids."""
    return await r.values(
        """SELECT a.id FROM accounts a
           JOIN (SELECT account_id FROM follows WHERE target_id = $1 AND accepted
                 UNION SELECT account_id FROM blocks WHERE target_id = $1
                 UNION SELECT account_id FROM mutes
                       WHERE target_id = $1 AND (until IS NULL OR until > parvis_now())) t ON t.account_id = a.id
           WHERE a.domain IS NULL AND a.deleted_at IS NULL AND a.id > $2 ORDER BY a.id LIMIT $3""",
        account_id, after, limit,
    )
