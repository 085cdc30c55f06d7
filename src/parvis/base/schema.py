"""Forward-only migrations: the files of schema/ in order, each in one transaction, run by the owner and nobody else."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

import asyncpg
import msgspec
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

QUEUE = "pgqueuer"


class Migration(msgspec.Struct, frozen=True):
    """One file of schema/: its number and name, its SQL, and the SQL's fingerprint."""

    name: str
    sql: str
    fingerprint: str


class SchemaMismatch(Exception):
    """The database is not the one this program knows; the sentence says what to do."""


def migrations() -> list[Migration]:
    """Every migration, in order."""
    folder = resources.files("parvis") / "schema"
    files = sorted((file for file in folder.iterdir() if file.name[:4].isdigit()), key=lambda file: file.name)
    found = []
    for file in files:
        sql = file.read_text(encoding="utf-8")
        found.append(Migration(file.name, sql, hashlib.sha256(sql.encode()).hexdigest()))
    return found


async def _queue(connection: asyncpg.Connection[Any]) -> None:
    """The job queue's tables as its library makes them, less its trigger: one NOTIFY a row would lock every commit."""
    if await connection.fetchval("SELECT to_regclass('pgqueuer') IS NOT NULL"):
        return
    await connection.execute(QueryBuilderEnvironment().build_install_query())
    await connection.execute("DROP TRIGGER tg_pgqueuer_changed ON pgqueuer")
    tables = "pgqueuer, pgqueuer_log, pgqueuer_schedules, pgqueuer_statistics"
    await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO parvis_app")
    await connection.execute(
        "GRANT USAGE ON SEQUENCE pgqueuer_id_seq, pgqueuer_schedules_id_seq, pgqueuer_statistics_id_seq TO parvis_app"
    )


async def migrate(owner_url: str) -> list[str]:
    """Bring the database up to date; the names of what was applied. Doing it twice does nothing the second time."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(owner_url)
    try:
        await connection.execute("SELECT pg_advisory_lock(7231)")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, fingerprint text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = {row["name"]: row["fingerprint"] for row in await connection.fetch("SELECT * FROM migrations")}
        applied = []
        for migration in migrations():
            before = known.get(migration.name)
            if before is None:
                async with connection.transaction():
                    await connection.execute(migration.sql)
                    await connection.execute(
                        "INSERT INTO migrations (name, fingerprint) VALUES ($1, $2)",
                        migration.name, migration.fingerprint,
                    )
                applied.append(migration.name)
            elif before != migration.fingerprint:
                raise SchemaMismatch(
                    f"The migration {migration.name} was applied with another text: this program and this database"
                    " are of different versions. Use the program that made it, or restore a backup."
                )
        async with connection.transaction():
            await _queue(connection)
            await connection.execute("GRANT SELECT ON migrations TO parvis_app")
        return applied
    finally:
        await connection.close()


async def check(app_url: str) -> None:
    """Refuse to run on a database that is not migrated, or as a role that could undo the constitution."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(app_url)
    try:
        if await connection.fetchval("SELECT to_regclass('migrations') IS NULL"):
            raise SchemaMismatch("The database is empty: run `parvis migrate --owner-url URL` first.")
        owner = await connection.fetchval(
            "SELECT rolsuper OR pg_has_role(current_user, relowner, 'MEMBER') FROM pg_roles, pg_class"
            " WHERE rolname = current_user AND pg_class.oid = 'migrations'::regclass"
        )
        if owner:
            raise SchemaMismatch(
                "This database role owns the tables, and an owner can disable the rules: serve as parvis_app instead."
            )
        applied = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
        missing = [migration.name for migration in migrations() if migration.name not in applied]
        if missing:
            raise SchemaMismatch(f"Not yet migrated: {', '.join(missing)}. Run `parvis migrate --owner-url URL` first.")
    finally:
        await connection.close()
