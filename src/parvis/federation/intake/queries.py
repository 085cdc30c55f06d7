"""The SQL of what waits to be looked at, and of what took effect already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from parvis.base.db import Read, Tx

DONE = "activities_done_pkey"


class Item(msgspec.Struct, frozen=True):
    """A request that another server left in an inbox."""

    id: int
    host: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    tries: int
    received_at: datetime


STORE = """INSERT INTO inbox_items (host, method, path, headers, body)
    SELECT host, 'POST', path, headers, body
    FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::bytea[]) w(host, path, headers, body)"""
# Lanes that are open are only held, by their names' order, so that whoever closes one waits until this is kept.
OPEN = """INSERT INTO inbox_hosts (host, due_at)
    SELECT w.host, parvis_now() FROM (SELECT DISTINCT unnest($1::text[]) AS host) w
    LEFT JOIN (SELECT host FROM inbox_hosts WHERE host = ANY($1::text[]) AND due_at <= parvis_now()
               ORDER BY host FOR KEY SHARE) o ON o.host = w.host
    WHERE o.host IS NULL ORDER BY w.host
    ON CONFLICT (host) DO UPDATE SET due_at = least(inbox_hosts.due_at, EXCLUDED.due_at)"""


async def store(tx: Tx, host: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
    """Keep a request for the worker, in its host's lane."""
    tx.last(OPEN, host)
    tx.last(STORE, host, path, dict(headers), body)


async def wake_inbox(tx: Tx, host: str, due_at: datetime) -> int:
    """A lane of the inbox has something to do at that time, or earlier."""
    return await tx.run(
        """INSERT INTO inbox_hosts (host, due_at) VALUES ($1, $2)
           ON CONFLICT (host) DO UPDATE SET due_at = least(inbox_hosts.due_at, EXCLUDED.due_at)""",
        host, due_at,
    )


async def waiting_from(r: Read, host: str) -> bool:
    """Is something from this server still to be looked at?"""
    return bool(await r.shared_value("SELECT EXISTS (SELECT FROM inbox_items WHERE host = $1)", host))


async def waits(r: Read, host: str, most: int) -> bool:
    """Are there as many requests of this server that nobody has looked at yet?"""
    return bool(await r.shared_value(
        "SELECT EXISTS (SELECT FROM inbox_items WHERE host = $1 OFFSET $2::bigint - 1 LIMIT 1)", host, most
    ))


async def first_items(r: Read, host: str, most: int, size: int) -> list[Item]:
    """What is to be looked at next in a lane, in its order: so many at most, no more once they have so many bytes."""
    return await r.all(
        Item,
        """SELECT id, host, method, path, headers, body, tries, received_at
           FROM (SELECT *, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before
                 FROM (SELECT * FROM inbox_items WHERE host = $1 ORDER BY id LIMIT $2) first) w
           WHERE before < $3::bigint ORDER BY id""",
        host, most, size,
    )


def drop_item(tx: Tx, item_id: int) -> None:
    """A request was dealt with."""
    tx.last("DELETE FROM inbox_items WHERE id = ANY($1::bigint[])", item_id)


async def move_item(tx: Tx, item_id: int, lane: str) -> int:
    """A request waits for its next try in a lane of its own, where it holds up nobody."""
    return await tx.run("UPDATE inbox_items SET host = $2, tries = tries + 1 WHERE id = $1", item_id, lane)


async def refuse(tx: Tx, host: str, reason: str, body: bytes) -> int:
    """Keep what could not be used, for the operator to look at."""
    return await tx.run("INSERT INTO inbox_refusals (host, reason, body) VALUES ($1, $2, $3)", host, reason, body)


async def first_time(tx: Tx, key: str) -> bool:
    """True the first time: what follows in this transaction happens once."""
    return bool(await tx.run("INSERT INTO activities_done (uri) VALUES ($1) ON CONFLICT DO NOTHING", key))


def done(tx: Tx, key: str) -> None:
    """What this transaction does has happened; where it had before, UniqueViolationError of DONE."""
    tx.last("INSERT INTO activities_done (uri) SELECT unnest($1::text[])", key)


async def already(r: Read, key: str) -> bool:
    """Has this taken effect before?"""
    return bool(await r.shared_value("SELECT EXISTS (SELECT FROM activities_done WHERE uri = $1)", key))
